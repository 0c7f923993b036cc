"""Pauses of a clock, and what they do to a due time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from memberops.errors import ScheduleError
from memberops.schedules.moments import to_microseconds
from memberops.schedules.timeline import Timeline

__all__ = [
    "NO_STOPS",
    "Pauses",
    "Stops",
    "after_stops",
    "ahead_of_stops",
    "stops_from",
]

Pauses: TypeAlias = Iterable[tuple[dt.datetime, dt.datetime | None]]
"""Pairs of aware moments, from and until; until None goes on."""


class Stops(NamedTuple):
    """Pauses in microseconds: disjoint, sorted; and since when one goes on."""

    pairs: tuple[tuple[int, int], ...]
    open_from: int | None


NO_STOPS = Stops((), None)


def stops_from(pauses: Pauses, as_of: dt.datetime | None) -> Stops:
    """
    Check pauses, end those that go on at *as_of*, and merge those that overlap.

    Raises:
        ScheduleError: A naive moment, a pause that ends before it begins, one that is
            no pair, or one that goes on without *as_of*.

    >>> noon = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    >>> stops_from([(noon, noon + dt.timedelta(seconds=1))], None)
    Stops(pairs=((0, 1000000),), open_from=None)
    """
    found: list[tuple[int, int]] = []
    going: list[int] = []
    now = None if as_of is None else to_microseconds(as_of, "as_of")
    for pause in pauses:
        begin, end = _pair(pause)
        low = to_microseconds(begin, "pause start")
        if end is not None:
            high = to_microseconds(end, "pause end")
            if high < low:
                raise ScheduleError(f"a pause ends ({end}) before it begins ({begin})")
        elif now is None:
            raise ScheduleError(
                f"the pause since {begin} goes on, so nothing is due yet: give as_of "
                "to learn the due time if the clock resumed then"
            )
        elif now <= low:
            continue
        else:
            high = now
            going.append(low)
        found.append((low, high))
    merged: list[tuple[int, int]] = []
    for low, high in sorted(found):
        if merged and low <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        elif low < high:
            merged.append((low, high))
    return Stops(tuple(merged), min(going, default=None))


def _pair(pause: object) -> tuple[dt.datetime, dt.datetime | None]:
    if isinstance(pause, tuple | list):
        match pause:
            case (dt.datetime() as begin, (dt.datetime() | None) as end):
                return begin, end
            case _:
                pass
    raise ScheduleError(
        "a pause is a pair of aware moments (from, until), until None if it goes on"
    )


def after_stops(line: Timeline, begin: int, length: int, stops: Stops) -> int:
    """
    Return when a clock that stops has run so long since a moment.

    Args:
        line: The hours of the calendar.
        begin: Microseconds.
        length: Microseconds of working time; 0 is when the clock starts to run.
        stops: When it stands still.
    """
    starts = not length
    at = line.after(begin, length, latest=starts)
    for low, high in stops.pairs:
        if low > at or (low == at and not starts):
            break
        if high > begin:
            length += line.between(max(low, begin), high)
            at = line.after(begin, length, latest=starts)
    return at


def ahead_of_stops(line: Timeline, end: int, length: int, stops: Stops) -> int:
    """
    Return when a clock that stops had still so long to run until a moment.

    The mirror of `after_stops`.
    """
    ends = not length
    at = line.ahead(end, length, earliest=ends)
    for low, high in reversed(stops.pairs):
        if high < at or (high == at and not ends):
            break
        if low < end:
            length += line.between(low, min(high, end))
            at = line.ahead(end, length, earliest=ends)
    return at
