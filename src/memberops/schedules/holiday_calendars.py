"""Working calendars of countries, from the published holidays and make-up days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from memberops.errors import MissingExtraError, ScheduleError, bounded, nearest
from memberops.schedules.calendar_facts import holidays_from, special_from, week_facts
from memberops.schedules.dates import check_whole
from memberops.schedules.shifts import Shifts
from memberops.schedules.working_time import WorkingCalendar

__all__ = ["china_calendar", "china_table"]

_OFFICE = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-18:00",))
_FIRST_NOTICE = 2001
_KEYS = (
    "china", "zone", "week", "make_up_days", "make_up_shifts", "holidays", "special",
    "name",
)  # fmt: skip


def china_calendar(
    years: int | Iterable[int],
    *,
    zone: str = "Asia/Shanghai",
    week: Mapping[str, Iterable[str]] | None = None,
    make_up_days: bool = True,
    make_up_shifts: Iterable[str] | None = None,
    holidays: Iterable[dt.date | str] = (),
    special: Mapping[Any, Iterable[str]] | None = None,
    name: str = "",
) -> WorkingCalendar:
    """
    Return a working calendar with the public holidays of mainland China.

    The State Council publishes, each autumn, the holidays of the next year and the
    weekends that are worked instead. The package ``holidays`` (extra ``cn``) carries
    both, and *guesses* years not yet published: such years have no make-up days yet,
    and the calendar marks every answer that reaches them as provisional
    (`known_until` is the end of the last published year).

    Only days of the week are rest days here: a store that opens on weekends also
    opens on a weekend inside a holiday unless the day itself is a public holiday.

    Args:
        years: One year or consecutive ones, from 2001, the first with a notice.
        zone: IANA name.
        week: Shifts by weekday; an office by default, Monday to Friday 09:00-18:00.
        make_up_days: Whether the worked weekends are worked here; some offices rest
            (chinese-calendar #53).
        make_up_shifts: The shifts of a worked weekend. By default its own, if the
            week has any on that weekday, else those of the first working weekday.
        holidays: More days closed, such as the chain's own.
        special: Dated shifts that beat all else: a store open on a public holiday.
        name: As in `WorkingCalendar`.

    Raises:
        MissingExtraError: The extra ``cn`` is not installed.
        ScheduleError: Years before 2001 or with a gap; else as `WorkingCalendar`.

    >>> office = china_calendar(2026)
    >>> before = dt.datetime(2026, 9, 30, 9, tzinfo=dt.UTC)  # 17:00 there
    >>> print(office.add(before, dt.timedelta(hours=2)).local)
    2026-10-08 10:00:00+08:00
    >>> office.known_until
    datetime.date(2026, 12, 31)
    """
    first, last = _bounds(years)
    try:
        from holidays import country_holidays
    except ImportError:
        raise MissingExtraError("the holidays of China", "cn") from None
    # A notice may name worked days of the December before it.
    book = country_holidays("CN", years=range(first, last + 2))
    worked = sorted(day for day in book.weekend_workdays if first <= day.year <= last)
    shifts = week_facts(_OFFICE if week is None else week)
    dated = dict(special_from({} if special is None else special))
    if make_up_days:
        usual = next((each for each in shifts if each), ())
        given = _given(make_up_shifts)
        for day in worked:
            own = shifts[day.weekday()] or usual
            dated.setdefault(day, own if given is None else given)
    known = first - 1
    noticed = {day.year for day in worked}
    while known + 1 in noticed:
        known += 1
    return WorkingCalendar(
        zone=zone,
        week=shifts,
        holidays=holidays_from(
            [
                *(day for day in book if first <= day.year <= last),
                *holidays,
            ]
        ),
        special=tuple(sorted(dated.items())),
        known_from=dt.date(first, 1, 1),
        known_until=dt.date(known, 12, 31),
        name=name,
    )


def china_table(table: Mapping[str, Any]) -> WorkingCalendar:
    """
    Return the `china_calendar` of a table of TOML, whose ``china`` lists the years.

    Raises:
        ScheduleError: An unknown key; else as `china_calendar`.

    >>> china_table({"china": [2025, 2026], "make_up_days": False}).special
    ()
    """
    for key in table:
        if key not in _KEYS:
            raise ScheduleError(
                f"a working calendar of China has no key {bounded([key])}; "
                f"{nearest(str(key), _KEYS)}"
            )
    values = dict(table)
    if not isinstance(values.get("make_up_days", True), bool):
        raise ScheduleError("'make_up_days' must be true or false")
    return china_calendar(values.pop("china"), **values)


def _given(texts: Iterable[str] | None) -> Shifts | None:
    if texts is None:
        return None
    return special_from({dt.date.min: texts})[0][1]


def _bounds(years: int | Iterable[int]) -> tuple[int, int]:
    each = list(years) if isinstance(years, Iterable) else [years]
    found = sorted({check_whole(year, "years", least=_FIRST_NOTICE) for year in each})
    if not found or found[-1] - found[0] + 1 != len(found):
        raise ScheduleError(
            "the years of a calendar must follow each other, such as 2025, 2026; "
            f"not {bounded(found) or 'none'}"
        )
    return found[0], found[-1]
