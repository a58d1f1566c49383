"""Learnt vectors in front of every prompt, wherever the model is called from.

peft keeps, makes and stores them, but its own way of putting them in front drops what the model is told of
positions and of who attends to whom. Here they are put in front of the embeddings, and what was told goes on
to hold for the tokens behind them.
"""

from __future__ import annotations

from typing import Any


def put_in_front(model: Any, wrapped: Any) -> None:
    """Let `model` read the vectors of `wrapped` before every prompt.

    Scores and losses count from the end and do not change their meaning. Writing token by token is not
    possible: each step would begin with the vectors anew.

    Parameters
    ----------
    model
        Of the family of Qwen2-VL, or a language model; called with `input_ids` and without a cache.
    wrapped
        The same with peft's prompt tuning.
    """

    def lengthen(_model: Any, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return given, _lengthened(model, wrapped, named)

    model.register_forward_pre_hook(lengthen, with_kwargs=True)


def _lengthened(model: Any, wrapped: Any, named: dict[str, Any]) -> dict[str, Any]:
    import torch

    ids = named["input_ids"]
    told = model.get_input_embeddings()(ids)
    learnt = wrapped.get_prompt(ids.shape[0]).to(told.dtype)
    count = learnt.shape[1]
    longer = {name: value for name, value in named.items() if name not in ("input_ids", "mm_token_type_ids")}
    longer["inputs_embeds"] = torch.cat([learnt, told], dim=1)
    longer["attention_mask"] = _mask(named["attention_mask"], count)
    if (where := named.get("position_ids")) is not None:
        ahead = torch.arange(count, device=where.device).expand(*where.shape[:-1], count)
        longer["position_ids"] = torch.cat([ahead, where + count], dim=-1)
    return longer


def _mask(seen: Any, count: int) -> Any:
    """Return who attends to whom: tokens to the vectors, the vectors to those before them."""
    import torch

    if seen.ndim == 2:
        return torch.cat([seen.new_ones(seen.shape[0], count), seen], dim=1)
    length = seen.shape[-1]
    least = torch.finfo(seen.dtype).min
    mask = seen.new_zeros(*seen.shape[:2], count + length, count + length)
    mask[..., :count, :] = least
    mask[..., :count, :count] = torch.full((count, count), least).triu(1)
    mask[..., count:, count:] = seen
    return mask
