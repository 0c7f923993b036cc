"""Local hours: when a channel is open, and when it is quiet (HQ §6.3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from memberops.errors import InvalidValueError, ScheduleError, bounded

__all__ = [
    "ContactWindow",
    "QuietHours",
    "Slot",
    "clock_start",
    "instant",
    "less",
    "window_text",
    "zone_of",
    "zones_of",
]

Interval = tuple[dt.datetime, dt.datetime]

_DAY = dt.timedelta(days=1)


def zone_of(name: str) -> ZoneInfo:
    """
    Return the zone of an IANA name.

    Raises:
        ScheduleError: No such zone.

    >>> zone_of("Asia/Shanghai").key
    'Asia/Shanghai'
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ScheduleError(
            f"no zone is called {bounded([name])}: give an IANA name such as "
            "'Asia/Shanghai'"
        ) from None


def zones_of(names: str) -> tuple[ZoneInfo, ZoneInfo]:
    """
    Return the zones of a member and of the member's store.

    Args:
        names: The member's zone; behind a space the store's, if that is another.

    Raises:
        ScheduleError: No such zone.

    >>> [zone.key for zone in zones_of("Asia/Urumqi Asia/Shanghai")]
    ['Asia/Urumqi', 'Asia/Shanghai']
    >>> [zone.key for zone in zones_of("Asia/Urumqi")]
    ['Asia/Urumqi', 'Asia/Urumqi']
    """
    own, _, store = names.partition(" ")
    zone = zone_of(own)
    return zone, zone_of(store) if store else zone


def _wall(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, dt.time) or value.tzinfo is not None:
        raise InvalidValueError(
            f"{attribute.name!r} must be a local time such as time(10, 30)"
        )


@attrs.frozen
class ContactWindow:
    """
    Local hours in which a channel may be used, from *opens* until before *closes*.

    >>> str(ContactWindow(dt.time(10), dt.time(11, 30)))
    '10:00-11:30'
    """

    opens: dt.time = attrs.field(validator=_wall)
    closes: dt.time = attrs.field(validator=_wall)

    @closes.validator
    def _check_order(self, _attribute: object, value: Any) -> None:
        if value <= self.opens:
            raise InvalidValueError(
                "a window closes after it opens on the same day; "
                "make two of one that runs past midnight"
            )

    def __str__(self) -> str:
        """Write the hours as people do."""
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


@attrs.frozen
class QuietHours:
    """
    Local hours in which nobody is contacted; they may run past midnight.

    Equal times are refused: whether they mean never or always has silenced systems
    for good.

    >>> QuietHours(dt.time(21), dt.time(8)).begins.hour
    21
    """

    begins: dt.time = attrs.field(validator=_wall)
    ends: dt.time = attrs.field(validator=_wall)

    @ends.validator
    def _check_apart(self, _attribute: object, value: Any) -> None:
        if value == self.begins:
            raise InvalidValueError(
                "quiet hours that end when they begin mean nothing or everything: "
                "give quiet=None for none"
            )

    def around(self, day: dt.date, zone: ZoneInfo) -> tuple[Interval, ...]:
        """
        Return the quiet intervals, in UTC, that may touch a local day.

        A time that the clock shows twice, or not at all, is read as the quieter.
        """
        found = []
        for begin in (day - _DAY, day, day + _DAY):
            end = begin if self.begins < self.ends else begin + _DAY
            late = self.ends.replace(fold=1)
            early = self.begins.replace(fold=1)
            found.append(
                (min(instant(begin, self.begins, zone), instant(begin, early, zone)),
                 max(instant(end, self.ends, zone), instant(end, late, zone)))
            )  # fmt: skip
        return tuple(found)


@attrs.frozen(kw_only=True)
class Slot:
    """A stretch of time, in UTC: from *starts_at* until before *ends_at*."""

    starts_at: dt.datetime
    ends_at: dt.datetime


def instant(day: dt.date, time: dt.time, zone: ZoneInfo) -> dt.datetime:
    """
    Return the moment, in UTC, of a local time.

    >>> instant(dt.date(2026, 11, 5), dt.time(10), zone_of("Asia/Shanghai")).hour
    2
    """
    return dt.datetime.combine(day, time, tzinfo=zone).astimezone(dt.UTC)


def clock_start(moment: dt.datetime, size: dt.timedelta, zone: ZoneInfo) -> dt.datetime:
    """
    Return, in UTC, when the clock's minute or hour that holds a moment began.

    An hour that the clock shows twice is two.

    >>> moment = dt.datetime(2026, 11, 5, 4, 10, tzinfo=dt.UTC)
    >>> hour = dt.timedelta(hours=1)
    >>> clock_start(moment, hour, zone_of("Asia/Kathmandu")).minute
    15
    """
    local = moment.astimezone(zone)
    past = dt.timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    return local.astimezone(dt.UTC) - past % size


def less(interval: Interval, hole: Interval) -> list[Interval]:
    """
    Take a hole out of an interval: nothing, one part or two are left.

    >>> at = [dt.datetime(2026, 11, 5, hour, tzinfo=dt.UTC) for hour in range(4)]
    >>> len(less((at[0], at[3]), (at[1], at[2])))
    2
    """
    (start, end), (begin, stop) = interval, hole
    if stop <= start or begin >= end:
        return [interval]
    parts = [(start, min(begin, end)), (max(stop, start), end)]
    return [(first, last) for first, last in parts if first < last]


def window_text(slots: Iterable[Slot], zone: ZoneInfo) -> str:
    """
    Write slots as local hours; empty if there are none.

    >>> ten = dt.datetime(2026, 11, 5, 10, tzinfo=dt.UTC)
    >>> window_text([Slot(starts_at=ten, ends_at=ten.replace(hour=11))],
    ...             zone_of("Asia/Shanghai"))
    '18:00-19:00'
    """
    return ", ".join(
        f"{slot.starts_at.astimezone(zone):%H:%M}-{slot.ends_at.astimezone(zone):%H:%M}"
        for slot in slots
    )
