"""
Many moments at once, those that are written as databases and services write them.

What `date_values` reads one by one takes microseconds each; a million different
moments as ``2026-11-05 14:03:00``, with a fraction or an offset, take less than a
second here. Whatever is not plain is left to the other reader, text by text.
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

FEWEST = 100
"""Fewer different texts than that are not worth it."""

_Array = npt.NDArray[Any]

_BLOCK = 1 << 17
_DAY, _MINUTE, _SECOND, _LONGEST = 10, 16, 19, 40
_FIRST_YEAR, _LAST_YEAR = 1900, 2099
_TAIL = re.compile(
    r"(?:\.(\d{1,6}))?(?:(Z)|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)?", re.ASCII
)


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
    for start in range(0, len(texts), _BLOCK):
        block = slice(start, start + _BLOCK)
        wall, ahead = _walls_of(texts[block], dated=dated)
        local = np.flatnonzero(~np.isnat(wall) & np.isnat(ahead)) + start
        zoned = np.flatnonzero(~np.isnat(wall) & ~np.isnat(ahead)) + start
        placed_by[0, zoned] = True
        placed_by[1, local] = [len(texts[at]) > _DAY for at in local.tolist()]
        days[local] = wall[local - start]
        if not dated:
            instants[local] = _localized(days[local], zone, local, odd)
        if len(zoned):
            exact = wall[zoned - start] - ahead[zoned - start]
            placed = pd.DatetimeIndex(exact).tz_localize("UTC").tz_convert(zone)
            instants[zoned] = exact
            days[zoned] = placed.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return PlainMoments(
        plain=~np.isnat(days),
        instants=instants,
        days=days.astype("datetime64[D]").astype("datetime64[us]"),
        odd=odd,
        zoned=placed_by[0],
        local=placed_by[1],
    )


def _walls_of(texts: Sequence[str], *, dated: bool) -> tuple[_Array, _Array]:
    """Read what the clock showed, and how far it was ahead of UTC, if that is said."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    wall = np.full(len(texts), "NaT", dtype="datetime64[us]")
    ahead = np.full(len(texts), "NaT", dtype="timedelta64[us]")
    for size in (_DAY, _MINUTE) if dated else (_MINUTE,):
        at = np.flatnonzero(lengths == size)
        wall[at] = _walls([texts[each] for each in at.tolist()], size)
    at = np.flatnonzero((lengths >= _SECOND) & (lengths <= _LONGEST))
    chosen = [texts[each] for each in at.tolist()]
    if (lengths[at] == _SECOND).all():
        wall[at] = _walls(chosen, _SECOND)
        return wall, ahead
    more, own, codes = _tails([text[_SECOND:] for text in chosen])
    wall[at] = _walls([text[:_SECOND] for text in chosen], _SECOND) + more[codes]
    ahead[at] = own[codes]
    return wall, ahead


def _walls(texts: list[str], size: int) -> _Array:
    """Read texts of one length, digit by digit; NaT for what is not plain."""
    raw = "".join(texts).encode("ascii", "replace")  # one byte for each character
    # One column of the file's text after the other, side by side in memory.
    signs = np.frombuffer(raw, np.uint8).reshape(-1, size).T.copy()
    good = (signs[4] == signs[7]) & np.isin(signs[4], [*b"-/."])
    if size > _DAY:
        good &= np.isin(signs[10], [*b" T"]) & (signs[13] == ord(":"))
    if size > _MINUTE:
        good &= signs[16] == ord(":")
    digits = signs - ord("0")  # unsigned: what is no digit is more than 9

    def number(*places: int) -> _Array:
        total = np.zeros(len(good), dtype=np.int64)
        for place in places:
            np.logical_and(good, digits[place] <= 9, out=good)  # noqa: PLR2004 - digits
            total = total * 10 + digits[place]
        return total

    year, month, day = number(0, 1, 2, 3), number(5, 6), number(8, 9)
    good &= (year >= _FIRST_YEAR) & (year <= _LAST_YEAR) & (month >= 1)
    good &= (month <= 12) & (day >= 1)  # noqa: PLR2004 - months
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    good &= days.astype("datetime64[M]") == months
    seconds = np.zeros(len(good), dtype=np.int64)
    if size > _DAY:
        hour, minute = number(11, 12), number(14, 15)
        good &= (hour < 24) & (minute < 60)  # noqa: PLR2004 - of a day, of an hour
        seconds = hour * 3600 + minute * 60
    if size > _MINUTE:
        second = number(17, 18)
        good &= second < 60  # noqa: PLR2004 - of a minute
        seconds = seconds + second
    walls = days.astype("datetime64[us]") + seconds.astype("timedelta64[s]")
    return np.where(good, walls, np.datetime64("NaT", "us"))


def _tails(texts: list[str]) -> tuple[_Array, _Array, _Array]:
    """Read what follows the second: for each different text, and where it stands."""
    codes, distinct = pd.factorize(np.array(texts, dtype=object))
    more = np.full(len(distinct), "NaT", dtype="timedelta64[us]")
    ahead = more.copy()
    for at, text in enumerate(distinct):
        match = _TAIL.fullmatch(text)
        if match is None:
            continue
        more[at] = int((match[1] or "").ljust(6, "0"))
        if match[2] or match[3]:
            minutes = int(match[4] or 0) * 60 + int(match[5] or 0)
            ahead[at] = (-minutes if match[3] == "-" else minutes) * 60_000_000
    return more, ahead, codes


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
