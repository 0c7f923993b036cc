"""
Many moments at once, where all are written as databases and services write them.

What `date_values` reads one by one takes microseconds each; a million different
moments, all as ``2026-11-05 14:03:00``, with a fraction or one offset, take less than
a second here. Whatever is not plain is left to the other reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.adapters.sources.date_values import Localized, Moment, localize

__all__ = ["FEWEST", "PlainMoments", "read_plain_moments"]

FEWEST = 2_000
"""Fewer different texts than that are not worth it."""

_PLAIN = re.compile(
    r"(?:19|20)\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?"
    r"(Z|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)


@attrs.frozen(kw_only=True, eq=False)
class PlainMoments:
    """
    What `read_plain_moments` read, one for each text.

    Args:
        instants: In UTC, without zone; NaT for texts that were to be left out.
        days: The days in the chain's zone, likewise.
        odd: For each oddity of local times, the positions of its texts.
    """

    instants: npt.NDArray[Any]
    days: npt.NDArray[Any]
    odd: dict[str, list[int]]


def read_plain_moments(
    texts: Sequence[str], void: npt.NDArray[Any], zone: ZoneInfo
) -> PlainMoments | None:
    """
    Read moments if all are plain and have the same offset, or none.

    Args:
        texts: The different texts of a column.
        void: For each, whether it means "no value".
        zone: Zone in which a local time is read.

    Returns:
        The moments; None if but one is not plain, so that nothing is lost.

    >>> read = read_plain_moments(["2026-11-05 14:03:00", ""], np.array([False, True]),
    ...                           ZoneInfo("Asia/Shanghai"))
    >>> read.instants.tolist()[0].isoformat(), read.days.astype("M8[D]").tolist()[0]
    ('2026-11-05T06:03:00', datetime.date(2026, 11, 5))
    """
    full = np.flatnonzero(~void)
    plain = [texts[at] for at in full.tolist()]
    offset = _common_offset(plain)
    if offset is None:
        return None
    walls = [text[: len(text) - len(offset)] for text in plain] if offset else plain
    try:
        wall = np.array(walls, dtype="datetime64[us]")
    except ValueError:  # such as the 30th of February
        return None
    odd: dict[str, list[int]] = {}
    if offset:
        instants = wall - _length(offset)
        local = pd.DatetimeIndex(instants).tz_localize("UTC").tz_convert(zone)
        days = local.tz_localize(None).to_numpy(dtype="datetime64[us]")
    else:
        instants, days = _localized(wall, zone, full, odd), wall
    return PlainMoments(
        instants=_spread(instants, full, len(texts)),
        days=_spread(days.astype("datetime64[D]"), full, len(texts)),
        odd=odd,
    )


def _common_offset(texts: Sequence[str]) -> str | None:
    """Return the offset that all plain texts have, ``""`` if none has one."""
    offset: str | None = None
    for text in texts:
        match = _PLAIN.fullmatch(text)
        if match is None:
            return None
        own = match[1] or ""
        if own != offset:
            if offset is not None:
                return None
            offset = own
    return offset


def _length(offset: str) -> np.timedelta64:
    digits = offset.strip("+-Z").replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return np.timedelta64(-minutes if offset.startswith("-") else minutes, "m")


def _localized(
    wall: npt.NDArray[Any],
    zone: ZoneInfo,
    positions: npt.NDArray[Any],
    odd: dict[str, list[int]],
) -> npt.NDArray[Any]:
    """Place local times in a zone; those that it has twice or skips one by one."""
    placed = pd.DatetimeIndex(wall).tz_localize(
        zone, ambiguous="NaT", nonexistent="NaT"
    )
    instants = placed.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[us]")
    instants = instants.copy()
    for at in np.flatnonzero(np.isnat(instants)):
        moment = wall[at].item()
        found = localize(Moment(moment.date(), moment.time()), zone)
        if isinstance(found, Localized):
            instants[at] = found.instant.replace(tzinfo=None)
            if found.oddity:
                odd.setdefault(found.oddity, []).append(int(positions[at]))
    return instants


def _spread(
    values: npt.NDArray[Any], positions: npt.NDArray[Any], length: int
) -> npt.NDArray[Any]:
    every = np.full(length, "NaT", dtype="datetime64[us]")
    every[positions] = values
    return every
