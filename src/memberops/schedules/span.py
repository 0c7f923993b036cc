"""Open hours as sorted whole numbers, and the work between any two moments."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["ALWAYS", "Micros", "Span"]

Micros: TypeAlias = npt.NDArray[np.int64]
"""Microseconds: moments since 1970-01-01T00:00Z, or lengths."""

ALWAYS = 1 << 62


class Span:
    """
    All open hours of some years: disjoint, sorted, with the work before each.

    Every number is a count of microseconds; `worked` counts from an origin that
    belongs to this span only.

    Args:
        pieces: Beginnings and ends of open hours, two columns, in any order.
        low: The first moment for which the span knows all hours.
        high: The last such moment.
    """

    __slots__ = (
        "before", "before_array", "closes", "closes_array", "high", "low",
        "opens", "opens_array", "through", "through_array",
    )  # fmt: skip

    def __init__(self, pieces: Micros, low: int, high: int) -> None:
        self.low = low
        self.high = high
        # A shift that daylight saving swallows ends where it begins, or earlier.
        pairs = pieces[pieces[:, 0] < pieces[:, 1]]
        pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
        opens, closes = pairs[:, 0], np.maximum.accumulate(pairs[:, 1])
        first = np.ones(len(opens), dtype=bool)
        first[1:] = opens[1:] > closes[:-1]
        self.opens_array: Micros = opens[first]
        self.closes_array: Micros = closes[np.roll(first, -1)]
        self.through_array: Micros = np.cumsum(self.closes_array - self.opens_array)
        self.before_array: Micros = self.through_array - (
            self.closes_array - self.opens_array
        )
        self.opens: list[int] = self.opens_array.tolist()
        self.closes: list[int] = self.closes_array.tolist()
        self.through: list[int] = self.through_array.tolist()
        self.before: list[int] = self.before_array.tolist()

    def worked(self, moment: int) -> int:
        """Count the work from the origin to a moment."""
        place = bisect_right(self.opens, moment) - 1
        if place < 0:
            return 0
        end = self.closes[place]
        return self.before[place] + min(moment, end) - self.opens[place]

    def earliest(self, work: int) -> int | None:
        """Return the first moment at which so much work is done: maybe a closing."""
        place = bisect_left(self.through, work)
        if place == len(self.through):
            return None
        return self.opens[place] + work - self.before[place]

    def latest(self, work: int) -> int | None:
        """Return the last moment at which no more work is done: maybe an opening."""
        place = bisect_right(self.through, work)
        if place == len(self.through):
            return None
        return self.opens[place] + work - self.before[place]

    def worked_many(self, moments: Micros) -> Micros:
        """Count the work from the origin to each moment."""
        if not len(self.opens):
            return np.zeros_like(moments)
        place = np.searchsorted(self.opens_array, moments, side="right") - 1
        at = np.maximum(place, 0)
        done = (
            self.before_array[at]
            + np.minimum(moments, self.closes_array[at])
            - self.opens_array[at]
        )
        return np.where(place < 0, 0, done)

    def inverse_many(self, work: Micros, *, latest: npt.NDArray[np.bool_]) -> Micros:
        """Return `latest` of each amount of work where asked, else `earliest`."""
        place = np.searchsorted(self.through_array, work, side="left")
        if latest.any():
            right = np.searchsorted(self.through_array, work, side="right")
            place = np.where(latest, right, place)
        at = np.minimum(place, len(self.opens) - 1)
        found = self.opens_array[at] + work - self.before_array[at]
        return np.where(place < len(self.opens), found, ALWAYS + 1)
