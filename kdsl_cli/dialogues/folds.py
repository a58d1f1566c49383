"""Folds: parts of a training sample, for judging what was learnt on what it was not learnt from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def fold_numbers(
    labels: Sequence[str], groups: Sequence[str | None], n_folds: int, seed: int
) -> npt.NDArray[np.int64]:
    """Part dialogues into folds: groups stay whole, labels spread evenly, the same for the same seed.

    Every label's groups are dealt like cards: shuffled, then one by one to the fold that holds the fewest
    dialogues of that label, so that a label with four samples still stands in four folds.

    Parameters
    ----------
    labels, groups
        One a dialogue. A group of None is a group of its own; a group counts under its first label.
    n_folds
        At least 2. With fewer groups than folds some folds stay empty.
    seed
        Another seed, another parting.

    Returns
    -------
    array
        (n_dialogues,) int, 0 to ``n_folds - 1``.

    Examples
    --------
    >>> numbers = fold_numbers(["a", "a", "a", "a", "b", "b"], [None, "g", "g", None, None, None], 2, seed=0)
    >>> bool(numbers[1] == numbers[2]), sorted(numbers[4:].tolist())
    (True, [0, 1])
    """
    rng = np.random.default_rng(seed)
    members: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(f"{place}\0" if group is None else group, []).append(place)
    names = sorted(members, key=lambda name: members[name][0])
    dealt = [names[i] for i in rng.permutation(len(names))]
    # Large groups first: the small ones then even out what they upset. The sort is stable, so chance stays.
    dealt.sort(key=lambda name: -len(members[name]))
    sizes = np.zeros(n_folds, dtype=np.int64)
    held: dict[str, npt.NDArray[np.int64]] = {}
    numbers = np.zeros(len(labels), dtype=np.int64)
    for name in dealt:
        of_label = held.setdefault(labels[members[name][0]], np.zeros(n_folds, dtype=np.int64))
        fold = min(range(n_folds), key=lambda f: (of_label[f], sizes[f], f))
        of_label[fold] += len(members[name])
        sizes[fold] += len(members[name])
        numbers[members[name]] = fold
    return numbers
