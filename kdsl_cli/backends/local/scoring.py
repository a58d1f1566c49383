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


@dataclass(frozen=True, slots=True)
class Past:
    """Keys and values of prefixes, to be given to a model as its cache: it is looked at and never grows.

    Attributes
    ----------
    layers
        By layer, keys and values: shape (prefixes, heads, tokens, width).
    which
        Of each row, its prefix.
    seen
        Shape (rows, tokens): whether there is a token, and not padding or a prefix of other rows.
    ends
        Of each row, the position that follows its prefix.
    """

    layers: Sequence[tuple[Any, Any]]
    which: Any
    seen: Any
    ends: Any

    def update(self, keys: Any, values: Any, layer: int, *_: Any) -> tuple[Any, Any]:
        """Return keys and values of the rows so far, those given last; called by each layer's attention."""
        import torch

        # A single prefix is the same for all rows: that takes no copies.
        known, said = (
            told.expand(len(self.which), -1, -1, -1) if len(told) == 1 else told[self.which]
            for told in self.layers[layer]
        )
        return torch.cat([known, keys], dim=2), torch.cat([said, values], dim=2)


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


def in_one_pass(model: Any, batch: dict[str, Any], trie: Trie, past: Past | None = None) -> list[list[float]]:
    """Return each row's log-likelihood of each choice, reading the prompt once.

    Parameters
    ----------
    model
        One that `shares_a_pass`.
    batch
        Rows padded on the left.
    trie
        The choices.
    past
        What stands before the rows and was read already.

    Returns
    -------
    list[list[float]]
        Rows by choices, in nats.
    """
    import torch

    where = positions(model, batch)
    if past:
        where = where + past.ends[:, None]
    longer = followed(batch, trie.tokens)
    depths = torch.tensor(trie.depths, dtype=where.dtype, device=where.device)
    behind = where.amax((0, 2))[None, :, None].expand(3, -1, 1) + 1 + depths
    allowed = _allowed(batch["attention_mask"].bool(), trie)
    if past:
        allowed = torch.cat([past.seen[:, None].expand(-1, allowed.shape[1], -1), allowed], dim=2)
    longer["attention_mask"] = _mask(allowed, model.dtype)
    logits = model(
        **longer,
        position_ids=torch.cat([where, behind], dim=2),
        past_key_values=past,
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


def shares_a_pass(model: Any) -> bool:
    """Say whether a model can be told positions, and a mask of ours decides alone who attends to whom."""
    layers = getattr(model.config.get_text_config(), "layer_types", None) or ()
    as_told = model.config._attn_implementation in ("sdpa", "eager") and set(layers) <= {"full_attention"}
    return as_told and hasattr(getattr(model, "model", None), "get_rope_index")


def _allowed(seen: Any, trie: Trie) -> Any:
    """Return who attends to whom: shape (rows, tokens, tokens), tokens with nodes."""
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
    there = torch.cat([seen, seen.new_ones(rows, count)], dim=1)
    return allowed.to(seen.device) & there[:, None, :]


def _mask(allowed: Any, dtype: Any) -> Any:
    """Return the same as numbers to add, for all heads alike."""
    import torch

    mask = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
    return mask.masked_fill_(~allowed, torch.finfo(dtype).min)[:, None]


def _sums(logits: Any, trie: Trie) -> list[float]:
    """Add up one row's log-probabilities along each choice; `logits` are of the root, then of the nodes."""
    import torch

    logits = logits.float()
    steps = [(number, at + 1, token) for number, path in enumerate(trie.paths) for at, token in path]
    choices, places, tokens = torch.tensor(steps, device=logits.device).T
    told = logits[places, tokens] - logits.logsumexp(-1)[places]
    sums = torch.zeros(len(trie.paths), dtype=torch.float64)
    return [float(one) for one in sums.index_add_(0, choices.cpu(), told.double().cpu())]
