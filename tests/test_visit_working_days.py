"""Visits and duties keep to the working days of a calendar, make-up days included."""

import datetime as dt

from memberops.policies import Standing, VisitFact, VisitPolicy, plan_member
from memberops.schedules import (
    OfficeCalendar,
    OfficeDuty,
    Period,
    WorkingCalendar,
    shift_day,
)
from memberops.workflows import parse_settings

SATURDAY, MONDAY = dt.date(2026, 11, 7), dt.date(2026, 11, 9)
NOVEMBER = Period.month(2026, 11)
WEEK = {day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
OFFICE = WorkingCalendar.weekly("Asia/Shanghai", WEEK)


def made_up(*days):
    """Return the office's calendar with make-up days."""
    return WorkingCalendar.from_dict(
        {
            "zone": "Asia/Shanghai",
            "week": WEEK,
            "special": {day.isoformat(): ["09:00-18:00"] for day in days},
            "holidays": [MONDAY.isoformat()],
        }
    )


def day_of_welcome(policy):
    """Plan the welcome call of a member who was filed on a Saturday."""
    fact = VisitFact(member_id="M1", trigger="filed", on=SATURDAY)
    (visit,) = plan_member(
        [fact],
        standing=Standing(member_id="M1", store_id="S1"),
        period=NOVEMBER,
        as_of=SATURDAY,
        policy=policy,
    )
    return visit.day


def test_a_day_of_work_is_one_on_which_a_shift_begins():
    """The morning that a night shift ends on is no day of work of its own."""
    nights = WorkingCalendar.weekly("Asia/Shanghai", {"fri": ["22:00-06:00"]})

    assert nights.is_working_day(dt.date(2026, 11, 6))
    assert not nights.is_working_day(SATURDAY)
    assert made_up(SATURDAY).is_working_day(SATURDAY)
    assert not made_up(SATURDAY).is_working_day(MONDAY)


def test_a_working_calendar_moves_days_and_duties():
    """A calendar does wherever days of rest do: shifting a day, and office duties."""
    assert shift_day(SATURDAY, OFFICE) == MONDAY
    assert shift_day(SATURDAY, made_up()) == dt.date(2026, 11, 10)
    duty = OfficeDuty(name="list", each="month", day=7, text_en="list", text_zh="名单")
    calendar = OfficeCalendar(duties=[duty], working_days=OFFICE, shift="next")
    due = calendar.between(SATURDAY, dt.date(2026, 11, 12))
    assert [(each.day, each.nominal) for each in due] == [(MONDAY, SATURDAY)]


def test_nobody_calls_on_a_day_the_calendar_has_off():
    """A call due on Saturday is made on Monday, or on Saturday if it is made up."""
    assert day_of_welcome(VisitPolicy()) == SATURDAY
    assert day_of_welcome(VisitPolicy(rest=OFFICE)) == MONDAY
    assert day_of_welcome(VisitPolicy(rest=made_up(SATURDAY))) == SATURDAY
    assert day_of_welcome(VisitPolicy(rest=made_up())) == dt.date(2026, 11, 10)


def test_a_chain_file_lets_visits_follow_its_working_calendar():
    """``rest = "working_calendar"`` is the calendar of the same file."""
    policies = parse_settings(
        """
        name = "示例"
        currency = "CNY"
        zone = "Asia/Shanghai"
        [sources.sales]
        adapter = "csv"
        path = "sales.csv"
        [policies.working_calendar.week]
        mon = ["09:00-18:00"]
        [policies.visits]
        rest = "working_calendar"
        [policies.office_calendar]
        working_days = "working_calendar"
        """
    ).policies

    assert policies.visits.rest == policies.working_calendar
    assert policies.office_calendar.working_days == policies.working_calendar
    assert day_of_welcome(policies.visits) == MONDAY
