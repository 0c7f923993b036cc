"""Promises of working time: the cases of other systems, and the bugs of theirs."""

import datetime as dt
import json
import os
import pickle
import time
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pandas as pd
import pytest

from disagreements import DISAGREEMENTS
from memberops.errors import ScheduleError
from memberops.schedules import (
    WorkingCalendar,
    add_many,
    china_calendar,
    due_frame,
    wall_moment,
)
from steps import at_most

HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAYS = DAYS[:5]
# What the upstream test asserts where the file expects the exact answer.
UPSTREAM = {"SLA-Z5.6": "2016-11-09T09:27:00Z"}


def moment(text):
    """Read a moment of a case; the cases without a zone are in UTC."""
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def at(text, zone="Asia/Shanghai"):
    """Read a time on the wall of a zone."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def calendar_of(facts):
    """Make the calendar that a case names."""

    def shifts(pairs):
        return ["-".join(pair) for pair in pairs]

    return WorkingCalendar.weekly(
        facts["tz"],
        {DAYS[int(day)]: shifts(pairs) for day, pairs in facts["week"].items()},
        holidays=facts["holidays"],
        special={day: shifts(p) for day, p in facts.get("special", {}).items()},
    )


def office(zone="Asia/Shanghai", hours=("09:00-18:00",), days=WEEKDAYS, **more):
    """Make a calendar with the same shifts on each of some days."""
    return WorkingCalendar.weekly(zone, dict.fromkeys(days, hours), **more)


@pytest.fixture(scope="module")
def file(shared):
    """The cases of other systems."""
    text = (shared / "cases" / "peer_cases.json").read_text(encoding="utf-8")
    return json.loads(text)


def our_answer(case, calendars):  # noqa: PLR0911 -- one for each kind of case
    """Answer the question of a case, in the words of its expectation."""
    given = case.get("input", case)
    name = given.get("calendar")
    if case["kind"] == "local_to_utc":
        wall = dt.datetime.fromisoformat(given["local"])
        return wall_moment(wall.date(), wall.time(), given["tz"])
    if name == "Mon-Fri 00:00-24:00":
        calendar = office("UTC", ["00:00-24:00"])
    else:
        calendar = calendar_of(calendars[name])
    pauses = [tuple(map(moment, pause)) for pause in given.get("pauses", [])]
    start = moment(given["start"] if "start" in given else given["end"])
    match case["kind"]:
        case "due_at":
            budget = dt.timedelta(minutes=given["business_minutes"])
            return calendar.add(start, budget, pauses=pauses).at
        case "elapsed_business_seconds":
            spent = calendar.elapsed(start, moment(given["end"]), pauses=pauses)
            return spent.total_seconds()
        case "add_business_days":
            return calendar.add_days(start, given["days"], same_time=True).at
        case "subtract_business_days":
            return calendar.add_days(start, -given["days"], same_time=True).at
        case "add_business_days_end_of_day":
            return calendar.add_days(start, given["days"], end_of_day=True).at
        case "business_days_plus_pauses":
            n = given["days"]
            plain = calendar.add_days(start, n, same_time=True).at
            due = calendar.add_days(start, n, same_time=True, pauses=pauses).at
            return {
                "due": due,
                "waited_seconds": calendar.elapsed(plain, due).total_seconds(),
                "with_end_of_day": calendar.add_days(
                    start, n, end_of_day=True, pauses=pauses
                ).at,
                "without_pausing": plain,
            }
    raise AssertionError(case["kind"])


def expected(value):
    """Read an expectation as `our_answer` gives it."""
    if isinstance(value, dict):
        return {key: expected(each) for key, each in value.items()}
    return moment(value) if isinstance(value, str) else value


def test_every_case_agrees_or_is_a_known_disagreement(file):
    """All 55 answer as expected; the listed ones differ from what upstream asserts."""
    cases = [case for case in file["cases"] if case["area"] == "sla"]
    differ = set()
    for case in cases:
        answer = our_answer(case, file["calendars"])
        asserted = UPSTREAM.get(case["id"], case["expect"])
        assert answer == expected(case["expect"]), case["id"]
        if answer != expected(asserted):
            differ.add(case["id"])

    assert len(cases) == 55
    assert differ == {name for name, _ in DISAGREEMENTS if name.startswith("SLA-")}


def test_the_cases_as_columns_are_the_cases_one_by_one(file):
    """The 36 due times come out the same through `add_many`, pauses included."""
    for case in file["cases"]:
        if case["kind"] != "due_at":
            continue
        calendar = calendar_of(file["calendars"][case["calendar"]])
        pauses = [[micros(moment(each)) for each in pair] for pair in case["pauses"]]
        columns = np.array(pauses, dtype=np.int64).reshape(-1, 2)
        budget = dt.timedelta(minutes=case["business_minutes"])
        due = add_many(
            calendar,
            np.array([micros(moment(case["start"]))]),
            budget,
            pauses=(np.zeros(len(columns), np.int64), columns[:, 0], columns[:, 1]),
        )
        assert due.tolist() == [micros(moment(case["expect"]))], case["id"]


def micros(when):
    """Count the microseconds since 1970."""
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (when - epoch) // dt.timedelta(microseconds=1)


# The service-level clock


def test_t01_naive_moment_read_in_another_zone_is_refused():
    """A naive start is refused with the fix (frappe/helpdesk #3776, biz #142)."""
    with pytest.raises(ScheduleError, match=r"naive.*replace\(tzinfo=ZoneInfo"):
        office().add(dt.datetime(2026, 11, 23, 9), HOUR)  # noqa: DTZ001 -- the bug


def test_t03_hold_is_added_in_working_time_not_to_the_creation():
    """A night on hold moves a due time by its working hours (helpdesk #2449)."""
    start = at("2026-11-23 16:00")
    hold = (at("2026-11-23 17:00"), at("2026-11-24 10:00"))

    due = office().add(start, 2 * HOUR, pauses=[hold])

    assert due.at == at("2026-11-24 11:00")


def test_t04_created_on_a_non_working_day_counts_from_the_opening():
    """Saturday's case starts Monday 09:00 (helpdesk #2075)."""
    assert office().add(at("2026-11-21 15:00"), HOUR).at == at("2026-11-23 10:00")


def test_t05_lunch_break_stops_the_clock():
    """Two shifts a day, no holiday trick (helpdesk #2212, osTicket #6847)."""
    calendar = office(hours=["09:00-12:00", "13:30-18:00"])

    assert calendar.add(at("2026-11-23 11:30"), HOUR).at == at("2026-11-23 14:00")
    assert not calendar.is_open(at("2026-11-23 12:00"))


def test_t06_around_the_clock_loses_no_minute_at_midnight():
    """A year of 24/7 has all its minutes (zammad #3180)."""
    calendar = office("Europe/Berlin", ["00:00-24:00"], DAYS)
    start = at("2026-01-01 00:00", "UTC")

    assert calendar == WorkingCalendar.around_the_clock("Europe/Berlin")
    assert calendar.elapsed(start, start + 365 * 24 * HOUR) == 365 * 24 * HOUR
    assert calendar.add(start, 9999 * HOUR).at == start + 9999 * HOUR


@pytest.mark.parametrize("end", ["23:59", "23:59:59"])
def test_t06_a_day_that_ends_before_midnight_is_refused(end):
    """The spelling that loses the minute is an error that says 24:00 (zammad #3180)."""
    with pytest.raises(ScheduleError, match="write 24:00"):
        office(hours=[f"00:00-{end}"])


def test_t08_only_published_days_are_holidays(file):
    """No day that nobody meant: China 2026 is the published list (zammad #390)."""
    published = file["calendars"]["shanghai_cn2026"]
    found = {str(day) for day in china_calendar(2026).holidays}

    assert found <= set(published["holidays"])
    missing = set(published["holidays"]) - found
    assert all(dt.date.fromisoformat(day).weekday() >= 5 for day in missing)


def test_t09_a_reminder_falls_within_hours():
    """An hour before a due time at opening is the evening before (zammad #4432)."""
    due = at("2026-11-24 09:00")

    assert office().subtract(due, HOUR).at == at("2026-11-23 17:00")


def test_t10_an_escalation_before_due_respects_every_segment():
    """One hour before 14:00 with lunch is 11:30, not midnight (glpi #22678, #15429)."""
    calendar = office(hours=["09:00-12:00", "13:30-18:00"])

    assert calendar.subtract(at("2026-11-24 14:00"), HOUR).at == at("2026-11-24 11:30")
    assert calendar.subtract(at("2026-11-24 09:30"), HOUR).at == at("2026-11-23 17:30")


@pytest.mark.parametrize("day", range(7))
def test_t11_any_set_of_weekdays_works(day):
    """With only one weekday open, hours fall on that weekday (osTicket #6739)."""
    calendar = office(days=DAYS[day : day + 1])
    opened = at("2026-11-23 09:00") + day * 24 * HOUR

    assert calendar.add(at("2026-11-23 00:00"), 10 * HOUR).at == opened + 169 * HOUR


def test_t12_both_ends_after_hours_give_the_hours_between():
    """Neither zero nor a day too much (businesstime #13, #26, #7, #3)."""
    calendar = office()
    evening, next_evening = at("2026-11-23 20:00"), at("2026-11-24 20:00")
    after_close = at("2026-11-23 18:01")

    assert calendar.elapsed(evening, next_evening) == 9 * HOUR
    assert calendar.elapsed(after_close, at("2026-11-24 10:00")) == HOUR
    assert calendar.elapsed(at("2026-11-23 09:00"), at("2026-11-23 09:01")) == MINUTE
    assert calendar.elapsed(evening, at("2026-11-23 22:00")) == 0 * HOUR


def test_t13_an_event_before_opening_counts_only_hours():
    """From 06:00 to 10:00 is one working hour (businesstime #5)."""
    spent = office().elapsed(at("2026-11-23 06:00"), at("2026-11-23 10:00"))

    assert spent == HOUR


def test_t14_overnight_shift_crosses_midnight_and_the_week():
    """17:00-01:00 is eight hours, Sunday's too (Business_Duration #7, #2, #8)."""
    calendar = office(hours=["17:00-01:00"], days=DAYS)
    start = at("2026-11-22 17:00")  # a Sunday

    assert calendar.elapsed(start, at("2026-11-23 01:00")) == 8 * HOUR
    assert calendar.add(start, 9 * HOUR).at == at("2026-11-23 18:00")
    assert calendar.is_open(at("2026-11-23 00:59"))
    assert not calendar.is_open(at("2026-11-23 01:00"))


def test_t14_a_night_shift_belongs_to_the_day_it_begins_on():
    """A holiday cancels the night that begins on it, not the one that ends on it."""
    calendar = office(hours=["22:00-06:00"], days=DAYS, holidays=["2026-11-24"])

    assert calendar.is_open(at("2026-11-24 05:00"))
    assert not calendar.is_open(at("2026-11-24 23:00"))
    assert not calendar.is_open(at("2026-11-25 05:00"))


@pytest.mark.parametrize("week", [{}, {"mon": []}, dict.fromkeys(DAYS, ())])
def test_t15_a_calendar_that_never_opens_is_refused_at_once(week):
    """No endless loop, an error in no time (businesstimedelta #9, osTicket #4807)."""
    with at_most(1000), pytest.raises(ScheduleError, match="never opens"):
        WorkingCalendar.weekly("Asia/Shanghai", week)


def test_t15_dated_shifts_that_are_used_up_end_at_once():
    """Past the last dated shift nothing is due, forward, backward or in days."""
    calendar = WorkingCalendar.weekly(
        "Asia/Shanghai", {}, special={"2026-02-14": ["09:00-18:00"]}
    )
    start = at("2026-02-14 12:00")
    asked = (
        lambda: calendar.add(start, 7 * HOUR),
        lambda: calendar.subtract(start, 4 * HOUR),
        lambda: calendar.add_days(start, 1, same_time=True),
        lambda: calendar.next_opening(start),
        lambda: add_many(calendar, np.array([micros(start)]), 7 * HOUR),
    )

    assert calendar.add(start, 6 * HOUR).at == at("2026-02-14 18:00")
    for ask in asked:
        with at_most(1000), pytest.raises(ScheduleError):
            ask()


def test_t15_a_holiday_every_day_of_a_year_ends_after_it():
    """A year of holidays delays, it does not loop (businesstimedelta #9)."""
    first = dt.date(2026, 1, 1)
    shut = [first + dt.timedelta(days=number) for number in range(365)]
    calendar = office(holidays=shut, days=DAYS)

    assert calendar.add(at("2026-01-01 09:00"), HOUR).at == at("2027-01-01 10:00")
    assert calendar.subtract(at("2026-12-31 18:00"), HOUR).at == at("2025-12-31 17:00")


def test_t16_history_uses_the_offset_of_its_day():
    """Summer and winter hours both begin at 09:00 there (dbt_zendesk #25, #154)."""
    calendar = office("Europe/Berlin")

    assert (
        str(calendar.next_opening(at("2026-07-01 00:00", "UTC")).time()) == "07:00:00"
    )
    assert (
        str(calendar.next_opening(at("2026-12-01 00:00", "UTC")).time()) == "08:00:00"
    )


# Zones


class Pytz(dt.tzinfo):
    """A zone that behaves as one of pytz: local mean time until it is normalized."""

    def utcoffset(self, _when):
        """Eight hours and six minutes: Shanghai before 1901."""
        return dt.timedelta(hours=8, minutes=6)

    def dst(self, _when):
        """No daylight saving."""
        return dt.timedelta()

    def normalize(self, when):
        """Give the right offset, as pytz does."""
        return when.replace(tzinfo=dt.timezone(8 * HOUR))


def test_t32_a_pytz_zone_in_the_constructor_is_refused():
    """+08:06 never enters a due time (cpython #105015)."""
    with pytest.raises(ScheduleError, match="not localized"):
        office().add(dt.datetime(2026, 11, 23, 9, tzinfo=Pytz()), HOUR)
    with pytest.raises(ScheduleError, match="IANA"):
        office(Pytz())


def test_t32_local_mean_time_of_1900_keeps_its_seconds():
    """Shanghai in 1900 is 8:05:43 ahead; the hours follow the wall."""
    first = office().next_opening(dt.datetime(1900, 1, 1, tzinfo=dt.UTC))

    assert first == dt.datetime(1900, 1, 1, 0, 54, 17, tzinfo=dt.UTC)


def test_t33_shanghai_had_daylight_saving_until_1991():
    """Local midnight of 1990-07-01 is 15:00Z: nine hours ahead, not eight."""
    midnight = wall_moment(dt.date(1990, 7, 1), dt.time(0), "Asia/Shanghai")

    assert midnight == dt.datetime(1990, 6, 30, 15, tzinfo=dt.UTC)
    opened = office().next_opening(dt.datetime(1990, 7, 1, 15, tzinfo=dt.UTC))
    assert opened == dt.datetime(1990, 7, 2, 0, tzinfo=dt.UTC)


def test_t34_shanghai_has_no_daylight_saving_today():
    """Every opening of 2026 is at 01:00Z (ical4j #720)."""
    calendar, opened, times = office(), at("2026-01-01 00:00"), set()
    for _ in range(200):
        opened = calendar.next_opening(opened)
        times.add(opened.time())

    assert times == {dt.time(1)}


@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24"])
def test_t35_a_target_of_24_hours_is_24_hours_over_a_clock_change(day):
    """Neither 23 nor 25, whichever zone the start is written in (spec, domain §6)."""
    calendar = WorkingCalendar.around_the_clock("Europe/Berlin")
    start = at(f"{day} 12:00", "Europe/Berlin")

    due = calendar.add(start, 24 * HOUR)

    assert due.at - start.astimezone(dt.UTC) == 24 * HOUR
    assert calendar.elapsed(start, due.local) == 24 * HOUR
    assert due.local.hour != 12


@pytest.mark.parametrize(
    ("shift", "day", "minutes"),
    [
        ("01:00-04:00", "2026-03-29", 120),
        ("01:00-02:30", "2026-03-29", 90),
        ("02:30-04:00", "2026-03-29", 30),
        ("02:00-03:00", "2026-03-29", 0),
        ("01:00-04:00", "2026-10-25", 240),
        ("01:00-02:30", "2026-10-25", 90),
        ("02:30-04:00", "2026-10-25", 150),
        ("22:00-06:00", "2026-03-28", 420),
        ("22:00-06:00", "2026-10-24", 540),
    ],
)
def test_t36_shift_edges_in_a_gap_are_later_and_in_a_fold_the_first(
    shift, day, minutes
):
    """Berlin skips 02:00-03:00 in March and repeats it in October (biz's rule)."""
    calendar = office("Europe/Berlin", [shift], DAYS, holidays=[])
    only = attrs.evolve(
        calendar, week=((),) * 7, special={day: [shift], "2027-01-01": [shift]}
    )
    start = at(f"{day} 00:00", "Europe/Berlin")

    assert only.elapsed(start, start + 48 * HOUR) == minutes * MINUTE


def test_t36_midnight_that_is_skipped_loses_nothing():
    """São Paulo skipped 00:00-01:00 on 2018-11-04: 24/7 still has every minute."""
    calendar = WorkingCalendar.around_the_clock("America/Sao_Paulo")
    start = at("2018-11-01 00:00", "UTC")

    assert calendar.elapsed(start, start + 168 * HOUR) == 168 * HOUR


@pytest.mark.parametrize(
    "host",
    [
        "UTC",
        "Asia/Shanghai",
        "America/New_York",
        "Pacific/Kiritimati",
        "Asia/Kathmandu",
    ],
)
def test_t37_the_zone_of_the_machine_does_not_matter(host, monkeypatch):
    """A store in Shanghai answers the same on a machine anywhere."""
    monkeypatch.setitem(os.environ, "TZ", host)
    time.tzset()
    try:
        due = office().add(at("2026-11-20 17:30"), HOUR)
        assert str(due.local) == "2026-11-23 09:30:00+08:00"
        assert due.explain().startswith("due 2026-11-23 09:30 (Asia/Shanghai)")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_t38_a_frame_keeps_zone_and_microseconds():
    """The due column is UTC in microseconds, to the last one, whatever came in."""
    starts = pd.Series(
        pd.to_datetime(["2026-11-23T01:00:00.000001Z"]).tz_convert("Asia/Tokyo")
    )
    due = due_frame(office(), starts, HOUR)["due"]

    assert str(due.dtype) == "datetime64[us, UTC]"
    assert due[0].isoformat() == "2026-11-23T02:00:00.000001+00:00"


# China


def test_t40_make_up_sundays_of_2019_are_worked():
    """2019-04-28 and 2019-05-05 are working Sundays (holidays #3293)."""
    calendar = china_calendar(2019)

    for day in ("2019-04-28", "2019-05-05"):
        assert calendar.is_open(at(f"{day} 10:00")), day
    assert not calendar.is_open(at("2019-05-12 10:00"))


def test_t41_a_worked_day_of_the_year_before_is_in_its_own_year():
    """30 December 2006 was worked for 2007's holiday (holidays #2196)."""
    assert china_calendar(2006).is_open(at("2006-12-30 10:00"))
    dated = {day.year for day, _ in china_calendar(2007).special}
    assert dated == {2007}


def test_t42_a_year_not_published_is_provisional():
    """The holidays of 2027 are guesses until the notice (workalendar #761)."""
    calendar = china_calendar([2026, 2027])

    assert calendar.known_until == dt.date(2026, 12, 31)
    assert not calendar.add(at("2026-12-31 09:00"), 9 * HOUR).provisional
    assert calendar.add(at("2026-12-31 17:00"), 2 * HOUR).provisional
    assert calendar.add(at("2027-06-01 09:00"), HOUR).provisional
    assert china_calendar(2027).add(at("2027-06-01 09:00"), HOUR).provisional


def test_t42_a_year_before_the_first_is_provisional_too():
    """History that the calendar does not hold is not passed off as known."""
    assert china_calendar(2026).subtract(at("2026-01-04 09:30"), HOUR).provisional


def test_t43_every_day_of_2026_is_worked_or_not_as_published(file):
    """Each weekday and make-up day of a year, from another source's list."""
    published = calendar_of(file["calendars"]["shanghai_cn2026"])
    ours, noon = china_calendar(2026), at("2026-01-01 12:00")

    for number in range(365):
        when = noon + number * 24 * HOUR
        assert ours.is_open(when) == published.is_open(when), when


def test_t44_the_worked_weekend_and_the_rest_day_are_not_confused():
    """2026-02-14 is worked so that 2026-02-20 rests (chinese-calendar #129, #68)."""
    calendar = china_calendar(2026)

    assert calendar.is_open(at("2026-02-14 10:00"))
    assert not calendar.is_open(at("2026-02-20 10:00"))


def test_t44_an_office_may_rest_on_make_up_weekends():
    """Not every office works them (chinese-calendar #53)."""
    calendar = china_calendar(2026, make_up_days=False)

    assert not calendar.is_open(at("2026-02-14 10:00"))
    assert not calendar.is_open(at("2026-02-20 10:00"))


def test_t45_a_target_over_spring_festival_2026():
    """From Friday 13 to Saturday 14 February, then only on Tuesday the 24th."""
    calendar = china_calendar(2026)
    start = at("2026-02-13 17:00")

    assert calendar.add(start, 2 * HOUR).at == at("2026-02-14 10:00")
    assert calendar.add(start, 11 * HOUR).at == at("2026-02-24 10:00")
    assert calendar.add_days(start, 2, same_time=True).at == at("2026-02-24 17:00")
    assert calendar.add(at("2026-02-27 17:00"), 2 * HOUR).at == at("2026-02-28 10:00")


def test_t46_a_store_that_opens_on_a_public_holiday():
    """Dated shifts beat the holiday, and also a make-up day."""
    calendar = china_calendar(
        2026, special={"2026-10-01": ["10:00-22:00"], "2026-10-10": []}
    )

    assert calendar.is_open(at("2026-10-01 21:00"))
    assert not calendar.is_open(at("2026-10-02 12:00"))
    assert not calendar.is_open(at("2026-10-10 12:00"))


def test_a_store_open_on_weekends_keeps_its_saturday_on_make_up_days():
    """A make-up Saturday has the store's own Saturday hours, or those given."""
    week = dict.fromkeys(WEEKDAYS, ("09:00-18:00",)) | {"sat": ["10:00-16:00"]}
    own = china_calendar(2026, week=week)
    given = china_calendar(2026, week=week, make_up_shifts=["08:00-12:00"])

    assert own.next_closing(at("2026-02-14 11:00")) == at("2026-02-14 16:00")
    assert given.next_closing(at("2026-02-14 11:00")) == at("2026-02-14 12:00")


@pytest.mark.parametrize(
    ("years", "words"),
    [
        ([2024, 2026], "follow each other"),
        ([], "follow each other"),
        (1999, "2001 or more"),
        ("2026", "whole number"),
    ],
)
def test_years_of_china_that_make_no_calendar_are_refused(years, words):
    """A gap, none, a year before the first notice, text."""
    with pytest.raises(ScheduleError, match=words):
        china_calendar(years)


def test_a_calendar_travels_and_is_a_value():
    """Pickled, evolved and rebuilt from TOML it is equal and answers the same."""
    calendar = china_calendar(2026)
    start = at("2026-09-30 17:00")
    due = calendar.add(start, 2 * HOUR)
    again = pickle.loads(pickle.dumps(due))  # noqa: S301 -- our own bytes

    assert again == due
    assert again.calendar.add(start, 2 * HOUR) == due
    assert attrs.evolve(calendar, name="x") != calendar
    assert attrs.evolve(calendar, name="") == calendar
    assert WorkingCalendar.from_dict({"china": [2026]}) == calendar
    assert hash(calendar) == hash(china_calendar(2026))
