"""Seeded draws and whole-array calendar steps for made-up data."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

__all__ = [
    "MONTHLY_SEASON",
    "Bools",
    "Days",
    "Floats",
    "Ints",
    "anniversaries",
    "chance",
    "first_days",
    "generator",
    "moments",
    "pick",
    "texts",
    "weekday",
]

Bools = np.ndarray[Any, np.dtype[np.bool_]]
Days = np.ndarray[Any, np.dtype[np.datetime64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

MONTHLY_SEASON = (
    1.15, 0.90, 0.95, 0.95, 1.05, 1.00, 0.95, 0.97, 1.02, 1.10, 1.20, 1.25,
)  # fmt: skip
"""How much each calendar month sells, relative to an average one, from January."""


def generator(seed: int, purpose: str) -> np.random.Generator:
    """
    Return a stream of draws that depends on the seed and on what it is for.

    Each purpose has its own stream, so that one more draw for one table changes no
    other table.

    >>> bool(generator(1, "members").random() == generator(1, "members").random())
    True
    """
    entropy = [seed, zlib.crc32(purpose.encode())]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def pick(
    draw: np.random.Generator, shares: Sequence[float] | Floats, size: int
) -> Ints:
    """Draw *size* positions into *shares*, each as often as its share of the sum."""
    edges = np.cumsum(np.asarray(shares, dtype=np.float64))
    found = np.searchsorted(edges, draw.random(size) * edges[-1], side="right")
    positions: Ints = np.minimum(found, len(edges) - 1).astype(np.int64)
    return positions


def chance(draw: np.random.Generator, share: float, size: int) -> Bools:
    """Draw *size* answers of yes or no, yes as often as *share*."""
    return draw.random(size) < share


def first_days(first_month: dt.date, months: int) -> Days:
    """
    Return the first day of each of *months* months, and of the one after.

    >>> import datetime as dt
    >>> first_days(dt.date(2026, 11, 1), 2).tolist()[-1]
    datetime.date(2027, 1, 1)
    """
    start = np.datetime64(first_month, "M")
    return (start + np.arange(months + 1)).astype("datetime64[D]")


def anniversaries(anchors: Days, months: int) -> Days:
    """
    Add months to whole days, clamping to the end of a shorter month.

    >>> anchors = np.array(["2024-01-31", "2024-02-29"], dtype="datetime64[D]")
    >>> anniversaries(anchors, 12).astype(str).tolist()
    ['2025-01-31', '2025-02-28']
    """
    month = anchors.astype("datetime64[M]")
    into_month = anchors - month.astype("datetime64[D]")
    start = (month + months).astype("datetime64[D]")
    longest = (month + months + 1).astype("datetime64[D]") - start
    result: Days = start + np.minimum(into_month, longest - np.timedelta64(1, "D"))
    return result


def weekday(days: Days) -> Ints:
    """
    Return 0 for Monday to 6 for Sunday.

    >>> weekday(np.array(["2026-11-02", "2026-11-08"], dtype="datetime64[D]")).tolist()
    [0, 6]
    """
    # 1 January 1970 was a Thursday
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7


def moments(
    minutes: Ints, zone: str, *, missing: Bools | None = None
) -> pd.Series[Any]:
    """
    Make moments in UTC of local minutes counted from 1970.

    >>> moments(np.array([9 * 60]), "Asia/Shanghai")[0]
    Timestamp('1970-01-01 01:00:00+0000', tz='UTC')
    """
    local = minutes.astype("datetime64[m]").astype("datetime64[us]")
    if missing is not None:
        local[missing] = np.datetime64("NaT")
    return pd.Series(local).dt.tz_localize(zone).dt.tz_convert("UTC")


def texts(values: Any, *, missing: Bools | None = None) -> pd.Series[Any]:
    """Make a text column; None is missing, and so is what *missing* marks."""
    column = np.array(values, dtype=object)
    if missing is not None:
        column[missing] = None
    return pd.Series(column, dtype="str")
