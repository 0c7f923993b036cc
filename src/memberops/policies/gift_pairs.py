"""Pairs of rows that agree and lie within a window: the most, and the nearest."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

import numpy as np

from memberops.policies.gift_codes import Codes

__all__ = ["paired"]

_MOST = 250_000


def paired(
    left: tuple[Codes, Codes], right: tuple[Codes, Codes], *, window: int
) -> tuple[Codes, Codes]:
    """
    Pair rows of the same group that lie within a window, each at most once.

    In each group no other choice makes more pairs, and none of as many lies nearer
    together, all distances added up. Where both sides have as many rows and the first
    goes with the first, the second with the second and so on, that is seen for all
    groups at once. Rows that come very thick, with more than a quarter of a million
    possible pairs in one group and time, go the earliest with the earliest: as many
    pairs, but perhaps not the nearest.

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
    >>> one, two = paired((np.array([0]), np.array([10])),
    ...                   (np.array([0, 0]), np.array([1, 9])), window=9)
    >>> one.tolist(), two.tolist()
    ([0], [1])
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
    odd |= (pairs > 0) & (counts[0] != counts[1])
    found: list[tuple[int, int]] = []
    for each in np.flatnonzero(odd).tolist():
        (i, last), (j, end) = (
            (int(start[each]), int(start[each] + count[each]))
            for start, count in zip(starts, counts, strict=True)
        )
        found += _chosen(
            left[1][i:last].tolist(), right[1][j:end].tolist(), window, (i, j)
        )
    index = np.array(found, dtype="int64").reshape(-1, 2)
    plain = ~odd[group]
    return (
        np.concatenate([one[plain], index[:, 0]]),
        np.concatenate([two[plain], index[:, 1]]),
    )


def _chosen(
    left: list[int], right: list[int], window: int, start: tuple[int, int]
) -> list[tuple[int, int]]:
    """Choose the pairs of one group, stretch by stretch: none reaches over a gap."""
    moments = sorted((*left, *right))
    ends = [here for here, after in pairwise(moments) if after - here > window]
    found = []
    i = j = 0
    for end in (*ends, moments[-1]):
        last_i, last_j = bisect_right(left, end), bisect_right(right, end)
        one, two = left[i:last_i], right[j:last_j]
        choose = _nearest if len(one) * len(two) <= _MOST else _walked
        found += choose(one, two, window, (start[0] + i, start[1] + j))
        i, j = last_i, last_j
    return found


def _nearest(
    left: list[int], right: list[int], window: int, start: tuple[int, int]
) -> list[tuple[int, int]]:
    """Choose the most pairs, and of these the nearest; pairs that cross are no gain."""
    # One pair more is worth more than all distances together.
    worth = (window + 1) * (min(len(left), len(right)) + 1)
    best = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in reversed(range(len(left))):
        for j in reversed(range(len(right))):
            best[i][j] = max(best[i + 1][j], best[i][j + 1])
            apart = abs(left[i] - right[j])
            if apart <= window:
                best[i][j] = max(best[i][j], best[i + 1][j + 1] + worth - apart)
    found = []
    i = j = 0
    while i < len(left) and j < len(right):
        apart = abs(left[i] - right[j])
        if apart <= window and best[i][j] == best[i + 1][j + 1] + worth - apart:
            found.append((start[0] + i, start[1] + j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


def _walked(
    left: list[int], right: list[int], window: int, start: tuple[int, int]
) -> list[tuple[int, int]]:
    """Pair the earliest with the earliest: as many pairs as any choice makes."""
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
