"""Shifts: the hours of one day, read from text such as ``"09:00-12:00"``."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from memberops.errors import ScheduleError, bounded, nearest
from memberops.schedules.dates import check_day

__all__ = [
    "DAY_SECONDS",
    "WEEKDAYS",
    "Shifts",
    "Week",
    "check_neighbors",
    "day_from",
    "shift_text",
    "shifts_from",
    "week_from",
]

Shifts: TypeAlias = tuple[tuple[int, int], ...]
"""Shifts of a day, as seconds from its midnight; over 86 400 is the day after."""

Week: TypeAlias = tuple[Shifts, Shifts, Shifts, Shifts, Shifts, Shifts, Shifts]
"""The shifts of Monday to Sunday."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_SECONDS = 86_400
_LONG = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
_CLOCK = r"([01]\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?"
# Offices write the long dash too.
_SHIFT = re.compile(rf"{_CLOCK}\s*[-–]\s*{_CLOCK}")
_LAST_MINUTE = 86_340


def shifts_from(texts: object, where: str) -> Shifts:
    """
    Read the shifts of a day, in order, as seconds from its midnight.

    Times are text ``"HH:MM"`` or ``"HH:MM:SS"``. A shift whose end is not after its
    start runs into the next day; ``"24:00"`` is the end of the day.

    Args:
        texts: The shifts, such as ``["09:00-12:00", "13:30-18:00"]``; none is a
            day that is closed.
        where: What the shifts are of, for the error.

    Raises:
        ScheduleError: A shift that is no text (an unquoted 9:00 of YAML is the
            number 540), that cannot be read, that ends at 23:59 (it would lose a
            minute each midnight, zammad #3180), or that overlaps another.

    >>> shifts_from(["13:30-18:00", "09:00-12:00"], "mon")
    ((32400, 43200), (48600, 64800))
    >>> shifts_from(["22:00-06:00"], "mon")
    ((79200, 108000),)
    """
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise ScheduleError(
            f"the shifts of {where} must be a list of text, "
            f"such as ['09:00-12:00', '13:30-18:00'], not {bounded([texts])}"
        )
    shifts = tuple(sorted(_shift(text, where) for text in texts))
    for earlier, later in itertools.pairwise(shifts):
        if later[0] < earlier[1]:
            raise ScheduleError(
                f"the shifts of {where} overlap: "
                f"{shift_text(earlier)} and {shift_text(later)}"
            )
    return shifts


def _shift(text: object, where: str) -> tuple[int, int]:
    if not isinstance(text, str):
        raise ScheduleError(
            f"a shift of {where} must be text such as '09:00-18:00', "
            f"not {bounded([text])}: put it in quotes"
        )
    found = _SHIFT.fullmatch(text.strip())
    if found is None:
        raise ScheduleError(
            f"a shift of {where} cannot be read: {bounded([text])}; "
            "write 'HH:MM-HH:MM', such as '09:00-18:00', '22:00-06:00' or "
            "'00:00-24:00'"
        )
    hours = [int(part or 0) for part in found.groups()]
    start = hours[0] * 3600 + hours[1] * 60 + hours[2]
    end = hours[3] * 3600 + hours[4] * 60 + hours[5]
    if start >= DAY_SECONDS or end > DAY_SECONDS:
        raise ScheduleError(
            f"a shift of {where} leaves the day: {bounded([text])}; "
            "24:00 is the latest end"
        )
    if _LAST_MINUTE <= end < DAY_SECONDS:
        raise ScheduleError(
            f"a shift of {where} ends just before midnight: {bounded([text])} would "
            "lose time each night; write 24:00 for the end of the day"
        )
    if start == end:
        raise ScheduleError(
            f"a shift of {where} has no length: {bounded([text])}; "
            "a whole day is '00:00-24:00'"
        )
    return start, end if end > start else end + DAY_SECONDS


def shift_text(shift: tuple[int, int]) -> str:
    """
    Write a shift as `shifts_from` reads it.

    >>> shift_text((79200, 108000)), shift_text((0, 86400))
    ('22:00-06:00', '00:00-24:00')
    """
    start, end = shift
    return f"{_clock(start)}-{_clock(end if end <= DAY_SECONDS else end - DAY_SECONDS)}"


def _clock(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    text = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{text}:{rest:02d}" if rest else text


def week_from(week: object) -> Week:
    """
    Read the shifts of a week.

    Args:
        week: Shifts by weekday, ``"mon"`` to ``"sun"`` (or ``"monday"`` ...); a day
            that is not named is closed.

    Raises:
        ScheduleError: No mapping, a day that is no weekday or comes twice, shifts
            that cannot be read, or that overlap those of the day after.

    >>> week_from({"mon": ["09:00-18:00"]})[:2]
    (((32400, 64800),), ())
    """
    if not isinstance(week, Mapping):
        raise ScheduleError(
            "a week is a mapping of weekdays to shifts, such as "
            f"{{'mon': ['09:00-18:00']}}, not a {type(week).__name__}"
        )
    found: dict[int, Shifts] = {}
    for name, texts in week.items():
        number = _weekday(name)
        if number in found:
            raise ScheduleError(f"{WEEKDAYS[number]!r} comes twice in the week")
        found[number] = shifts_from(texts, WEEKDAYS[number])
    days: Any = tuple(found.get(number, ()) for number in range(len(WEEKDAYS)))
    for number, name in enumerate(WEEKDAYS):
        after = (number + 1) % len(WEEKDAYS)
        check_neighbors(days[number], days[after], name, WEEKDAYS[after])
    whole: Week = days
    return whole


def _weekday(name: object) -> int:
    word = name.lower() if isinstance(name, str) else ""
    for names in (WEEKDAYS, _LONG):
        if word in names:
            return names.index(word)
    raise ScheduleError(
        f"{bounded([name])} is no weekday; {nearest(str(name), WEEKDAYS)}"
    )


def check_neighbors(before: Shifts, after: Shifts, name: str, next_name: str) -> None:
    """
    Refuse a shift that runs into the next day and over a shift of that day.

    >>> check_neighbors(((79200, 108000),), ((32400, 64800),), "mon", "tue")
    """
    if before and after and before[-1][1] - DAY_SECONDS > after[0][0]:
        raise ScheduleError(
            f"the shift {shift_text(before[-1])} of {name} overlaps "
            f"{shift_text(after[0])} of {next_name}"
        )


def day_from(value: object, where: str) -> dt.date:
    """
    Read a date of a calendar: a date, or ISO text as the keys of TOML are.

    Raises:
        ScheduleError: It is neither.

    >>> day_from("2026-10-01", "holidays")
    datetime.date(2026, 10, 1)
    """
    if not isinstance(value, str):
        return check_day(value, where)
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise ScheduleError(
            f"{where!r} holds {bounded([value])}, which is no date: "
            "write it as 2026-10-01"
        ) from None
