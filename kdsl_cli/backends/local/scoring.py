"""The log-likelihood of each of a closed set of answers, in one pass of the model.

Behind the prompt stand the tokens of all choices as one sequence, in which choices that begin alike share
their beginning (a trie): each token attends to the prompt and to its own ancestors alone, at the position it
would have if its choice stood there by itself. That is tree attention as in SpecInfer (Miao et al. 2024), and
gives what a pass of its own would give each choice, to float noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from kdsl_cli.backends.local.rendering import followed

ROOT: Final = -1
"""The place of the prompt's last token."""


@dataclass(frozen=True, slots=True)
class Trie:
    """The tokens of all choices, shared beginnings once.

    Attributes
    ----------
    tokens, parents, depths
        One a node. A node's parent stands before it, `ROOT` is the prompt's end; depths start at 0.
    paths
        One a choice: for each of its tokens, its end included, the node after which it comes, and the token.

    Examples
    --------
    >>> trie = grow([[5, 6], [5, 7]], end=9)
    >>> trie.tokens, trie.parents, trie.depths
    ((5, 6, 7), (-1, 0, 0), (0, 1, 1))
    >>> trie.paths[1]
    ((-1, 5), (0, 7), (2, 9))
    """

    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    depths: tuple[int, ...]
    paths: tuple[tuple[tuple[int, int], ...], ...]


def grow(choices: Sequence[Sequence[int]], end: int) -> Trie:
    """Return the trie of choices that are each ended by the token `end`."""
    tokens: list[int] = []
    parents: list[int] = []
    depths: list[int] = []
    children: dict[tuple[int, int], int] = {}
    paths = []
    for choice in choices:
        at, path = ROOT, []
        for depth, token in enumerate(choice):
            path.append((at, token))
            if (at, token) not in children:
                children[at, token] = len(tokens)
                tokens.append(token)
                parents.append(at)
                depths.append(depth)
            at = children[at, token]
        paths.append((*path, (at, end)))
    return Trie(tuple(tokens), tuple(parents), tuple(depths), tuple(paths))


def in_one_pass(model: Any, batch: dict[str, Any], trie: Trie) -> list[list[float]] | None:
    """Return each row's log-likelihood of each choice, reading the prompt once.

    Parameters
    ----------
    model
        Any; but see below.
    batch
        Rows padded on the left.
    trie
        The choices.

    Returns
    -------
    list[list[float]] or None
        Rows by choices, in nats. None: this family cannot be told positions, or who attends to whom.
    """
    import torch

    where = positions(model, batch)
    if where is None or not _attends_as_told(model):
        return None
    longer = followed(batch, trie.tokens)
    depths = torch.tensor(trie.depths, dtype=where.dtype, device=where.device)
    behind = where.amax((0, 2))[None, :, None].expand(3, -1, 1) + 1 + depths
    longer["attention_mask"] = _mask(batch["attention_mask"], trie, model.dtype)
    logits = model(
        **longer,
        position_ids=torch.cat([where, behind], dim=2),
        use_cache=False,
        logits_to_keep=1 + len(trie.tokens),
    ).logits
    # Row by row: in float32 a batch's worth of vocabularies would be the largest thing in memory.
    return [_sums(row, trie) for row in logits]


def one_by_one(model: Any, batch: dict[str, Any], trie: Trie) -> list[list[float]]:
    """Return what `in_one_pass` does with a pass over prompt and choice for each choice; for every family."""
    columns = []
    for path in trie.paths:
        longer = followed(batch, [token for _, token in path[:-1]])
        where = positions(model, longer)
        settings = {} if where is None else {"position_ids": where}
        logits = model(**longer, **settings, use_cache=False, logits_to_keep=len(path)).logits
        chain = tuple((place, token) for place, (_, token) in enumerate(path, start=ROOT))
        columns.append([_sums(row[-len(path) :], Trie((), (), (), (chain,)))[0] for row in logits])
    return [list(row) for row in zip(*columns, strict=True)]


def positions(model: Any, batch: dict[str, Any]) -> Any:
    """Return the positions of a batch in time, height and width, or None where the family has one kind only.

    Shape (3, rows, tokens). Asked of the model itself, for rows with and without pictures alike: left to its
    own devices it would count the padding where no row has a picture.
    """
    index = getattr(getattr(model, "model", None), "get_rope_index", None)
    if index is None or "mm_token_type_ids" not in batch:
        return None
    names = ("input_ids", "mm_token_type_ids", "attention_mask", "image_grid_thw")
    return index(**{name: batch[name] for name in names if name in batch})[0]


def _attends_as_told(model: Any) -> bool:
    """Say whether a mask of ours decides alone what each layer attends to."""
    layers = getattr(model.config.get_text_config(), "layer_types", None) or ()
    return model.config._attn_implementation in ("sdpa", "eager") and set(layers) <= {"full_attention"}


def _mask(seen: Any, trie: Trie, dtype: Any) -> Any:
    """Return who attends to whom, as numbers to add: shape (rows, 1, tokens, tokens), tokens with nodes."""
    import torch

    count = len(trie.tokens)
    kin = torch.eye(count, dtype=torch.bool)
    for node, parent in enumerate(trie.parents):
        if parent != ROOT:
            kin[node] |= kin[parent]
    rows, length = seen.shape
    allowed = torch.zeros(length + count, length + count, dtype=torch.bool)
    allowed[:length, :length] = torch.ones(length, length, dtype=torch.bool).tril()
    allowed[length:, :length] = True
    allowed[length:, length:] = kin
    there = torch.cat([seen.bool(), seen.new_ones(rows, count).bool()], dim=1)
    allowed = (allowed.to(seen.device) & there[:, None, :])[:, None]
    mask = torch.zeros(allowed.shape, dtype=dtype, device=seen.device)
    return mask.masked_fill_(~allowed, torch.finfo(dtype).min)


def _sums(logits: Any, trie: Trie) -> list[float]:
    """Add up one row's log-probabilities along each choice; `logits` are of the root, then of the nodes."""
    import torch

    logits = logits.float()
    places = torch.tensor([at + 1 for path in trie.paths for at, _ in path], device=logits.device)
    tokens = torch.tensor([token for path in trie.paths for _, token in path], device=logits.device)
    told = logits[places, tokens] - logits.logsumexp(-1)[places]
    lengths = [len(path) for path in trie.paths]
    return [float(part.double().sum()) for part in told.cpu().split(lengths)]
