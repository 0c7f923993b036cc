"""Texts of large frames as whole numbers, which are sorted and joined quickly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import attrs
import numpy as np
import pandas as pd

__all__ = ["Codes", "Texts", "combined", "few_texts", "read_texts"]

Codes = np.ndarray[Any, np.dtype[np.int64]]
"""Whole numbers that stand for texts, or for what several of them make together."""

_LARGEST = 2**62


@attrs.frozen(eq=False)
class Texts:
    """
    The texts that codes stand for; 0 is the empty one.

    Args:
        known: Each text once, in no order.
    """

    known: Any

    def __len__(self) -> int:
        """Return how many texts there are."""
        return len(self.known)

    def of(self, codes: Codes) -> pd.Series[str]:
        """Return the texts of codes."""
        return pd.Series(self.known.take(codes))

    def ranks(self, codes: Codes) -> Codes:
        """Return numbers that are sorted as the texts of the codes are."""
        used, place = np.unique(codes, return_inverse=True)
        ranks = np.empty(len(used), dtype="int64")
        ranks[np.asarray(self.known.take(used).argsort())] = np.arange(len(used))
        return ranks[place]


def read_texts(columns: Sequence[pd.Series[Any] | int]) -> tuple[Codes, Texts]:
    """
    Give each text of some columns a number, the same in all of them.

    Args:
        columns: Texts; a number stands for a column of so many empty ones.

    >>> codes, texts = read_texts([pd.Series(["b", None, "a"], dtype="str"), 2])
    >>> codes.tolist(), texts.of(codes).tolist(), texts.ranks(codes).tolist()
    ([1, 0, 2, 0, 0], ['b', '', 'a', '', ''], [2, 0, 1, 0, 0])
    """
    there = [each for each in columns if not isinstance(each, int)]
    nothing = pd.Series([""], dtype="str")
    given = pd.concat([nothing, *(each.astype("str") for each in there)])
    # The empty text is met first, and so has the number 0; what is missing has -1.
    numbers, known = pd.factorize(cast("Any", given.array))
    numbers = np.maximum(numbers[1:].astype("int64"), 0)
    parts, start = [], 0
    for each in columns:
        if isinstance(each, int):
            parts.append(np.zeros(each, dtype="int64"))
        else:
            parts.append(numbers[start : start + len(each)])
            start += len(each)
    return np.concatenate(parts), Texts(known)


def few_texts(texts: Sequence[str], codes: Codes) -> pd.Series[str]:
    """
    Return a column that repeats a few texts.

    >>> few_texts(["no", "yes"], np.array([1, 0, 1])).tolist()
    ['yes', 'no', 'yes']
    """
    return pd.Series(pd.array(list(texts), dtype="str").take(codes))


def combined(*columns: Codes) -> Codes:
    """
    Make one number of several, equal where all of them are equal.

    >>> combined(np.array([1, 1, 2]), np.array([5, 6, 5])).tolist()
    [12, 13, 19]
    """
    made, size = columns[0], int(columns[0].max(initial=0)) + 1
    for each in columns[1:]:
        more = int(each.max(initial=0)) + 1
        if size * more > _LARGEST:
            made = pd.factorize(made)[0].astype("int64")
            size = int(made.max(initial=0)) + 1
        made, size = made * more + each, size * more
    return made
