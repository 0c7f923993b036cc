"""The facts of a working calendar as they are written: TOML, text, dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from memberops.errors import ScheduleError, bounded, nearest
from memberops.schedules.moments import zone_named
from memberops.schedules.shifts import (
    WEEKDAYS,
    Shifts,
    Week,
    day_from,
    shifts_from,
    week_from,
)

__all__ = [
    "EVERY_HOUR",
    "calendar_values",
    "holidays_from",
    "names_china",
    "special_from",
    "week_facts",
    "zone_from",
]

EVERY_HOUR = dict.fromkeys(WEEKDAYS, ("00:00-24:00",))
_KEYS = (
    "zone", "week", "around_the_clock", "holidays", "special", "known_from",
    "known_until", "name",
)  # fmt: skip


def names_china(table: object) -> bool:
    """
    Tell whether a table of TOML asks for the calendar of China.

    >>> names_china({"china": [2026]}), names_china({"zone": "UTC"})
    (True, False)
    """
    return isinstance(table, Mapping) and "china" in table


def zone_from(zone: object) -> str:
    """
    Return the name of a zone that exists.

    >>> zone_from("Asia/Shanghai")
    'Asia/Shanghai'
    """
    return zone_named(zone).key


def week_facts(week: object) -> Week:
    """
    Read the shifts of a week, or keep those that were read before.

    >>> week_facts({"sun": ["09:00-18:00"]})[6]
    ((32400, 64800),)
    """
    if isinstance(week, tuple):  # what was made before, given back by attrs.evolve
        done: Any = week
        made: Week = done
        return made
    return week_from(week)


def holidays_from(days: object) -> tuple[dt.date, ...]:
    """
    Read holidays: dates or ISO text, in any order.

    >>> holidays_from(["2026-10-02", dt.date(2026, 10, 1)])
    (datetime.date(2026, 10, 1), datetime.date(2026, 10, 2))
    """
    if isinstance(days, str) or not isinstance(days, Iterable):
        raise ScheduleError(
            f"the holidays must be a list of dates, not a {type(days).__name__}"
        )
    return tuple(sorted({day_from(day, "holidays") for day in days}))


def special_from(days: object) -> tuple[tuple[dt.date, Shifts], ...]:
    """
    Read dated shifts, or keep those that were read before.

    >>> special_from({"2026-02-14": ["09:00-18:00"]})
    ((datetime.date(2026, 2, 14), ((32400, 64800),)),)
    """
    if isinstance(days, tuple):  # what was made before, given back by attrs.evolve
        return days
    if not isinstance(days, Mapping):
        raise ScheduleError(
            "special days are a mapping of dates to shifts, such as "
            f"{{'2026-02-14': ['09:00-18:00']}}, not a {type(days).__name__}"
        )
    found: dict[dt.date, Shifts] = {}
    for key, texts in days.items():
        day = day_from(key, "special")
        if day in found:
            raise ScheduleError(f"{day} comes twice in the special days")
        found[day] = shifts_from(texts, str(day))
    return tuple(sorted(found.items()))


def calendar_values(table: Mapping[str, Any]) -> dict[str, Any]:
    """
    Read a table of TOML into the arguments of a `WorkingCalendar`.

    Raises:
        ScheduleError: An unknown or missing key.

    >>> calendar_values({"zone": "UTC", "week": {}, "known_until": "2026-12-31"})
    {'zone': 'UTC', 'week': {}, 'known_until': datetime.date(2026, 12, 31)}
    """
    if not isinstance(table, Mapping):
        raise ScheduleError(
            f"a working calendar is a table of keys, not a {type(table).__name__}"
        )
    for key in table:
        if key not in _KEYS:
            raise ScheduleError(
                f"a working calendar has no key {bounded([key])}; "
                f"{nearest(str(key), _KEYS)}"
            )
    values = dict(table)
    if "zone" not in values:
        raise ScheduleError("a working calendar needs its 'zone'")
    always = values.pop("around_the_clock", False)
    if not isinstance(always, bool):
        raise ScheduleError("'around_the_clock' must be true or false")
    if always == ("week" in values):
        raise ScheduleError(
            "a working calendar needs either its 'week' or 'around_the_clock = true'"
        )
    if always:
        values["week"] = EVERY_HOUR
    for key in ("known_from", "known_until"):
        if key in values:
            values[key] = day_from(values[key], key)
    return values
