"""When levels are reviewed: on days of the year, or every so many days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal

from memberops.errors import InvalidValueError, bounded
from memberops.schedules.dates import add_days

__all__ = ["Downgrade", "review_after", "review_before", "review_days"]

Downgrade = Literal["none", "at_review", "every"]
"""When a level may fall: never, on the days of the year that are given, or every N
days since it was reached or last reviewed."""

_COMMON_YEAR = 2001


def review_days(values: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """
    Check days of the year and put them in order (converter).

    Raises:
        InvalidValueError: A day that not each year has.
    """
    result = tuple(tuple(value) for value in values)
    for value in result:
        try:
            month, day = value
            dt.date(_COMMON_YEAR, month, day)
        except (TypeError, ValueError):
            raise InvalidValueError(
                "'reviews' are days that each year has, as (month, day): ((12, 31),), "
                f"not {bounded([value])}"
            ) from None
    return tuple(sorted((month, day) for month, day in result))


def review_after(
    after: dt.date,
    downgrade: Downgrade,
    *,
    reviews: Sequence[tuple[int, int]],
    every_days: int,
) -> dt.date | None:
    """
    Return the first review of a level that counts from a day.

    >>> review_after(dt.date(2026, 12, 31), "at_review", reviews=((12, 31),),
    ...              every_days=365)
    datetime.date(2027, 12, 31)
    """
    if downgrade == "none":
        return None
    if downgrade == "every":
        return add_days(after, every_days)
    return min(day for day in _days(after.year, reviews) if day > after)


def review_before(
    as_of: dt.date,
    downgrade: Downgrade,
    *,
    reviews: Sequence[tuple[int, int]],
    every_days: int,
) -> dt.date | None:
    """
    Return the day before which a level must have begun to be due for review.

    >>> review_before(dt.date(2026, 11, 5), "at_review", reviews=((12, 31),),
    ...               every_days=365)
    datetime.date(2025, 12, 31)
    """
    if downgrade == "none":
        return None
    if downgrade == "every":
        return add_days(as_of, 1 - every_days)
    return max(day for day in _days(as_of.year, reviews) if day <= as_of)


def _days(year: int, reviews: Sequence[tuple[int, int]]) -> list[dt.date]:
    return [
        dt.date(each, month, day)
        for each in (year - 1, year, year + 1)
        for month, day in reviews
    ]
