"""The office calendar: what is due on which day (HQ §6.3, §4.2; REG §6)."""

import datetime as dt

import pytest

from memberops.errors import ScheduleError
from memberops.schedules.office import OFFICE_DUTIES, OfficeCalendar, OfficeDuty
from memberops.schedules.recurrence import RestDays


def due(first, last, **options):
    """List (day, name) of what is due."""
    days = OfficeCalendar(**options).between(first, last)
    return [(each.day.isoformat(), each.duty.name) for each in days]


def test_a_month_of_the_manuals():
    """The 3rd, 5th, 28th and 30th, each Monday and Friday: November 2026."""
    found = due(dt.date(2026, 11, 1), dt.date(2026, 11, 30))

    assert found == [
        ("2026-11-02", "weekly_records"),
        ("2026-11-03", "premium_list"),
        ("2026-11-05", "expiring_list"),
        ("2026-11-06", "weekly_meeting"),
        ("2026-11-09", "weekly_records"),
        ("2026-11-13", "weekly_meeting"),
        ("2026-11-16", "weekly_records"),
        ("2026-11-20", "weekly_meeting"),
        ("2026-11-23", "weekly_records"),
        ("2026-11-27", "weekly_meeting"),
        ("2026-11-28", "visit_plan"),
        ("2026-11-28", "lapse_records"),
        ("2026-11-28", "monthly_meeting"),
        ("2026-11-30", "consolidated_plan"),
        ("2026-11-30", "visit_total"),
        ("2026-11-30", "weekly_records"),
    ]


@pytest.mark.parametrize(("year", "day"), [(2026, 28), (2028, 29)])
def test_february_has_no_30th(year, day):
    """HQ consolidates on the last day of February, in leap years too."""
    calendar = OfficeCalendar()

    found = calendar.day_of("consolidated_plan", year=year, month=2)

    assert found == dt.date(year, 2, day)
    assert calendar.day_of("visit_plan", year=year, month=2) == dt.date(year, 2, 28)


def test_quarter_and_year_end_once_each():
    """The review falls at each quarter's end, the yearly meeting at the year's."""
    found = due(dt.date(2026, 1, 1), dt.date(2026, 12, 31))

    reviews = [day for day, name in found if name == "quarterly_review"]
    assert reviews == ["2026-03-31", "2026-06-30", "2026-09-30", "2026-12-31"]
    assert [day for day, name in found if name == "yearly_meeting"] == ["2026-12-31"]


def test_a_deadline_on_a_day_of_rest_comes_before_it():
    """28 November 2026 is a Saturday: the plan is due on Friday."""
    calendar = OfficeCalendar(working_days=RestDays(weekdays=(6, 7)))

    assert calendar.day_of("visit_plan", year=2026, month=11) == dt.date(2026, 11, 27)
    (one,) = (
        each
        for each in calendar.between(dt.date(2026, 11, 27), dt.date(2026, 11, 27))
        if each.duty.name == "visit_plan"
    )
    assert one.nominal == dt.date(2026, 11, 28)


def test_each_duty_speaks_both_languages():
    """No duty lacks a text, and names are unique."""
    for duty in OFFICE_DUTIES:
        assert duty.text_en
        assert duty.text_zh
    assert len({duty.name for duty in OFFICE_DUTIES}) == len(OFFICE_DUTIES)


def test_wrong_use_is_refused():
    """A weekday 8, an unknown cycle, a name twice or unknown are errors."""
    plain = {"name": "x", "text_en": "x", "text_zh": "x"}
    with pytest.raises(ScheduleError, match="1 to 7"):
        OfficeDuty(each="week", day=8, **plain)
    with pytest.raises(ScheduleError, match="did you mean 'month'"):
        OfficeDuty(each="mnth", day=8, **plain)
    with pytest.raises(ScheduleError, match="name of its own"):
        OfficeCalendar(duties=[OFFICE_DUTIES[0], OFFICE_DUTIES[0]])
    with pytest.raises(ScheduleError, match="did you mean 'visit_plan'"):
        OfficeCalendar().day_of("visit_pln", year=2026, month=1)
    with pytest.raises(ScheduleError, match="5 times"):
        OfficeCalendar().day_of("weekly_records", year=2026, month=11)
