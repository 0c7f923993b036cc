"""
Many moments at once, those that are written as databases and services write them.

What `date_values` reads one by one takes microseconds each; a million different
moments as ``2026-11-05 14:03:00``, with a fraction or an offset, take less than a
second here. Whatever is not plain is left to the other reader, text by text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.adapters.sources.date_values import Localized, Moment, localize
from memberops.adapters.sources.text_bytes import TextBytes, blocks_of_bytes

__all__ = ["FEWEST", "PlainMoments", "read_plain_moments"]

FEWEST = 100
"""Fewer different texts than that are not worth it."""

_Array = npt.NDArray[Any]

_BLOCK = 1 << 15
_DAY, _MINUTE, _SECOND, _LONGEST = 10, 16, 19, 40
_SECOND_IN_MICROS = 1_000_000
_DATE = (slice(0, 4), slice(5, 7), slice(8, 10))
_FIRST_YEAR, _LAST_YEAR = 1900, 2099
_OFFSET_SIZES = (0, 1, 3, 5, 6)
"""Of nothing, Z, +08, +0800 and +08:00."""

_MOST_DIGITS = 6
_FITS = (2, 4)
"""So many digits fit into eight bits, and into sixteen."""

_MONTHS = np.arange(f"{_FIRST_YEAR}-01", f"{_LAST_YEAR + 1}-02", dtype="datetime64[M]")
_FIRSTS = _MONTHS.astype("datetime64[D]").astype(np.int64)
_LENGTHS = np.diff(_FIRSTS)
"""The first day of each month that is read, and how many days it has."""


@attrs.frozen(kw_only=True, eq=False)
class PlainMoments:
    """
    What `read_plain_moments` read, one for each text.

    Args:
        plain: Which texts were read.
        instants: In UTC, without zone; NaT for the others, and for days alone.
        days: The days in the chain's zone, likewise.
        odd: For each oddity of local times, the positions of its texts.
        zoned: Which texts say how far they are ahead of UTC.
        local: Which have a time and do not say it.
    """

    plain: _Array
    instants: _Array
    days: _Array
    odd: dict[str, list[int]]
    zoned: _Array
    local: _Array


def read_plain_moments(
    texts: Sequence[str], zone: ZoneInfo, *, dated: bool
) -> PlainMoments:
    """
    Read the moments among some texts that are plain.

    Args:
        texts: The different texts of a column.
        zone: Zone in which a local time is read.
        dated: Whether days are asked for: then a day alone is plain, too, and no
            local time is odd.

    >>> read = read_plain_moments(["2026-11-05 14:03:00", "5 Nov", "2026-11-05"],
    ...                           ZoneInfo("Asia/Shanghai"), dated=False)
    >>> read.plain.tolist(), read.instants[0].item().isoformat()
    ([True, False, False], '2026-11-05T06:03:00')
    >>> read.days.astype("M8[D]")[0].item()
    datetime.date(2026, 11, 5)
    """
    instants = np.full(len(texts), "NaT", dtype="datetime64[us]")
    days = instants.copy()
    odd: dict[str, list[int]] = {}
    placed_by = np.zeros((2, len(texts)), dtype=bool)
    for start, block in blocks_of_bytes(texts, _BLOCK):
        wall, ahead = _walls_of(block, dated=dated)
        local = np.flatnonzero(~np.isnat(wall) & np.isnat(ahead)) + start
        zoned = np.flatnonzero(~np.isnat(wall) & ~np.isnat(ahead)) + start
        placed_by[0, zoned] = True
        placed_by[1, local] = block.lengths[local - start] > _DAY
        days[local] = wall[local - start]
        if not dated:
            instants[local] = _localized(days[local], zone, local, odd)
        if len(zoned):
            exact = wall[zoned - start] - ahead[zoned - start]
            placed = pd.DatetimeIndex(exact).tz_localize("UTC").tz_convert(zone)
            instants[zoned] = exact
            days[zoned] = placed.tz_localize(None).to_numpy(dtype="datetime64[us]")
        own = days[start : start + len(wall)]
        own[:] = own.astype("datetime64[D]")
    return PlainMoments(
        plain=~np.isnat(days),
        instants=instants,
        days=days,
        odd=odd,
        zoned=placed_by[0],
        local=placed_by[1],
    )


def _walls_of(block: TextBytes, *, dated: bool) -> tuple[_Array, _Array]:
    """Read what the clock showed, and how far it was ahead of UTC, if that is said."""
    lengths = block.lengths
    wall = np.full(len(lengths), "NaT", dtype="datetime64[us]")
    ahead = np.full(len(lengths), "NaT", dtype="timedelta64[us]")
    sizes = np.flatnonzero(np.bincount(np.minimum(lengths, _LONGEST + 1)))
    for size in sizes.tolist():
        if size == _MINUTE or (dated and size == _DAY):
            rows = np.flatnonzero(lengths == size)
            wall[rows] = _walls(block.table(rows, size))
        elif _SECOND <= size <= _LONGEST:
            rows = np.flatnonzero(lengths == size)
            signs = block.table(rows, size)
            more, own = _tails(signs[_SECOND:])
            wall[rows] = _walls(signs[:_SECOND]) + more
            ahead[rows] = own
    return wall, ahead


def _number(signs: _Array, good: _Array) -> _Array:
    """Read digits, one row of bytes for each place; what is none is not good."""
    small, middle = len(signs) <= _FITS[0], len(signs) <= _FITS[1]
    kind: Any = np.uint8 if small else np.int16 if middle else np.int64
    total = np.zeros(signs.shape[1], dtype=kind)
    for row in signs:
        digit = row - ord("0")  # unsigned: what is no digit is more than 9
        np.logical_and(good, digit <= 9, out=good)  # noqa: PLR2004 - digits
        total *= kind(10)
        total += digit.astype(kind)
    return total


def _walls(signs: _Array) -> _Array:
    """Read texts of one length, digit by digit; NaT for what is not plain."""
    size = len(signs)
    good = (signs[4] == signs[7]) & np.isin(signs[4], [*b"-/."])
    if size > _DAY:
        good &= np.isin(signs[10], [*b" T"]) & (signs[13] == ord(":"))
    if size > _MINUTE:
        good &= signs[16] == ord(":")
    year, month, day = (_number(signs[at], good) for at in _DATE)
    good &= (year >= _FIRST_YEAR) & (year <= _LAST_YEAR) & (month >= 1)
    good &= (month <= 12) & (day >= 1)  # noqa: PLR2004 - months
    months = (year - np.int16(_FIRST_YEAR)) * np.int16(12) + month - np.int16(1)
    months[~good] = 0
    good &= day <= _LENGTHS[months]
    seconds = (_FIRSTS[months] + day - 1) * 86_400
    if size > _DAY:
        hour, minute = _number(signs[11:13], good), _number(signs[14:16], good)
        good &= (hour < 24) & (minute < 60)  # noqa: PLR2004 - of a day, of an hour
        seconds += hour.astype(np.int64) * 3600 + minute.astype(np.int64) * 60
    if size > _MINUTE:
        second = _number(signs[17:19], good)
        good &= second < 60  # noqa: PLR2004 - of a minute
        seconds += second
    walls = (seconds * _SECOND_IN_MICROS).astype("datetime64[us]")
    walls[~good] = np.datetime64("NaT")
    return np.asarray(walls)


def _tails(signs: _Array) -> tuple[_Array, _Array]:
    """Read what follows the second: a fraction, and how far the clock was ahead."""
    size, count = signs.shape
    if count > 1 and (signs == signs[:, :1]).all():
        more, ahead = (np.repeat(one, count) for one in _tails(signs[:, :1]))
        return more, ahead
    more = np.full(count, "NaT", dtype="timedelta64[us]")
    ahead = more.copy()
    for width in _OFFSET_SIZES:
        digits = size - width - 1  # of the fraction, behind its point
        if not -1 <= digits <= _MOST_DIGITS or digits == 0:
            continue
        zone, own, good = _offset(signs[size - width :], count)
        if digits > 0:
            good &= signs[0] == ord(".")
        fraction = _number(signs[1 : size - width], good)
        micros = fraction[good].astype(np.int64) * 10 ** (_MOST_DIGITS - max(digits, 0))
        more[good] = micros.astype("timedelta64[us]")
        if zone:
            ahead[good] = own[good]
    return more, ahead


def _offset(signs: _Array, count: int) -> tuple[bool, _Array, _Array]:
    """Read an offset from UTC: whether there is one, its size, and which are good."""
    good = np.ones(count, dtype=bool)
    minutes = np.zeros(count, dtype=np.int64)
    if len(signs) == 1:
        good &= signs[0] == ord("Z")
    elif len(signs):
        good &= np.isin(signs[0], [*b"+-"])
        hour = _number(signs[1:3], good)
        good &= hour < 24  # noqa: PLR2004 - of a day
        minute = _number(signs[3:][-2:], good)
        good &= minute < 60  # noqa: PLR2004 - of an hour
        if len(signs) == _OFFSET_SIZES[-1]:
            good &= signs[3] == ord(":")
        minutes = hour.astype(np.int64) * 60 + minute
        minutes *= np.where(signs[0] == ord("-"), -1, 1)
    return bool(len(signs)), (minutes * 60_000_000).astype("timedelta64[us]"), good


def _localized(
    wall: _Array, zone: ZoneInfo, positions: _Array, odd: dict[str, list[int]]
) -> _Array:
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
