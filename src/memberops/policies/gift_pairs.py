"""Pairs of rows that agree and lie within a window: as many as there can be."""

from __future__ import annotations

import numpy as np

from memberops.policies.gift_codes import Codes

__all__ = ["paired"]


def paired(
    left: tuple[Codes, Codes], right: tuple[Codes, Codes], *, window: int
) -> tuple[Codes, Codes]:
    """
    Pair rows of the same group that lie within a window, each at most once.

    In each group the earliest goes with the earliest that it can: no other choice
    makes more pairs. Where the first goes with the first, the second with the
    second and so on, that is seen for all groups at once.

    Args:
        left: Groups, numbered from 0, and moments of one side, sorted by both.
        right: The same of the other side.
        window: How far apart two moments may be.

    Returns:
        The positions of the left and the right rows that were paired.

    >>> one, two = paired((np.array([0, 0, 1]), np.array([1, 9, 5])),
    ...                   (np.array([0, 1]), np.array([8, 5])), window=2)
    >>> one.tolist(), two.tolist()
    ([2, 1], [1, 0])
    """
    groups = 1 + max(int(each[0].max(initial=-1)) for each in (left, right))
    counts = [np.bincount(each[0], minlength=groups) for each in (left, right)]
    starts = [np.cumsum(each) - each for each in counts]
    pairs = np.minimum(*counts)
    group = np.repeat(np.arange(groups), pairs)
    place = np.arange(len(group)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
    one, two = (start[group] + place for start in starts)
    far = np.abs(left[1][one] - right[1][two]) > window
    odd = np.zeros(groups, dtype=bool)
    odd[group[far]] = True
    found: list[tuple[int, int]] = []
    for each in np.flatnonzero(odd).tolist():
        (i, last), (j, end) = (
            (int(start[each]), int(start[each] + count[each]))
            for start, count in zip(starts, counts, strict=True)
        )
        found += _walked(
            left[1][i:last].tolist(), right[1][j:end].tolist(), window, (i, j)
        )
    index = np.array(found, dtype="int64").reshape(-1, 2)
    plain = ~odd[group]
    return (
        np.concatenate([one[plain], index[:, 0]]),
        np.concatenate([two[plain], index[:, 1]]),
    )


def _walked(
    left: list[int], right: list[int], window: int, start: tuple[int, int]
) -> list[tuple[int, int]]:
    """Walk along both sides of one group."""
    found = []
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] < right[j] - window:
            i += 1
        elif right[j] < left[i] - window:
            j += 1
        else:
            found.append((start[0] + i, start[1] + j))
            i, j = i + 1, j + 1
    return found
