"""Promises of working time: equal to an oracle that ticks, minute by minute."""

import datetime as dt
import random
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import examples
from memberops.errors import ColumnTypeError, InvalidValueError, ScheduleError
from memberops.schedules import (
    WorkingCalendar,
    add_many,
    due_frame,
    elapsed_many,
    subtract_many,
    wall_moment,
)
from steps import at_most

UTC = dt.UTC
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
SECOND = dt.timedelta(seconds=1)
MICRO = dt.timedelta(microseconds=1)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
MISSING = np.iinfo(np.int64).min
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Where and when the tests look: days on which the clocks change, and common ones.
PLACES = (
    ("Asia/Shanghai", dt.date(2026, 2, 13)),
    ("Asia/Shanghai", dt.date(1991, 4, 13)),
    ("Europe/Berlin", dt.date(2026, 3, 28)),
    ("Europe/Berlin", dt.date(2026, 10, 24)),
    ("America/New_York", dt.date(2026, 3, 7)),
    ("America/New_York", dt.date(2026, 10, 31)),
    ("Australia/Lord_Howe", dt.date(2026, 4, 4)),
    ("Australia/Lord_Howe", dt.date(2026, 10, 3)),
    ("America/Sao_Paulo", dt.date(2018, 11, 3)),
    ("America/Sao_Paulo", dt.date(2018, 2, 17)),
    ("America/St_Johns", dt.date(2026, 12, 30)),
    ("Asia/Kathmandu", dt.date(2026, 12, 31)),
    ("Africa/Casablanca", dt.date(2026, 2, 14)),
)
SPAN = 5


class Ticking:
    """
    A calendar by brute force: one flag for every minute of some days.

    It knows shifts as minutes of wall-clock time, turns each edge into a moment by
    the standard library's own rule for ``fold=0``, and counts minutes one by one.
    """

    def __init__(self, zone, first, shifts_of):
        """Mark the open minutes of the days from *first*, SPAN of them."""
        self.base = dt.datetime.combine(first - 2 * DAY, dt.time(), UTC)
        self.open = np.zeros((SPAN + 4) * 1440, dtype=bool)
        for number in range(-1, SPAN + 1):
            day = first + number * DAY
            for begin, end in shifts_of(day):
                low, high = (self.place(zone, day, each) for each in (begin, end))
                self.open[max(low, 0) : max(high, 0)] = True

    def place(self, zone, day, minutes):
        """Find the minute at which the wall shows so many minutes of a day."""
        wall = dt.datetime.combine(day, dt.time()) + minutes * MINUTE
        return (wall.replace(tzinfo=zone, fold=0) - self.base) // MINUTE

    def moment(self, place):
        """Return the moment of a minute."""
        return self.base + int(place) * MINUTE

    def due(self, start, budget):
        """Tick until the budget is used; None if the days do not suffice."""
        ticks = np.flatnonzero(self.open[start:])
        if budget == 0:
            return start + ticks[0] if len(ticks) else None
        return start + ticks[budget - 1] + 1 if len(ticks) >= budget else None

    def begun(self, end, budget):
        """Tick back until the budget is used; None if the days do not suffice."""
        ticks = np.flatnonzero(self.open[:end])
        if budget == 0:
            return ticks[-1] + 1 if len(ticks) else None
        return ticks[-budget] if len(ticks) >= budget else None


def text(shift):
    """Write a shift of minutes as a calendar reads it."""
    begin, end = shift
    end = end if end <= 1440 else end - 1440
    return f"{begin // 60:02d}:{begin % 60:02d}-{end // 60:02d}:{end % 60:02d}"


def draw_shifts(draw):
    """Draw up to three shifts of a day, minutes; the last may run into the night."""
    edges = sorted(draw.sample(range(300, 1441, 15), 2 * draw.randrange(4)))
    shifts = list(zip(edges[::2], edges[1::2], strict=True))
    kind = draw.randrange(6)
    if kind == 0:
        return [(0, 1440)]
    if kind == 1 and shifts and shifts[-1][0] >= 300:
        shifts[-1] = shifts[-1][0], 1440 + draw.randrange(15, 300, 15)
    return shifts


def draw_case(seed):
    """Draw a calendar, with its ticking twin, from a number."""
    draw = random.Random(seed)  # noqa: S311 -- test data
    zone, first = draw.choice(PLACES)
    kind = draw.randrange(8)
    if kind == 0:
        week = [[(0, 1440)]] * 7
    elif kind == 1:
        week = [[(600, 1320)]] * 5 + [[], []]
    else:
        week = [draw_shifts(draw) for _ in range(7)]
    for number, day in enumerate(week):
        after = week[(number + 1) % 7]
        if day and day[-1][1] > 1440 and after and after[0][0] < day[-1][1] - 1440:
            week[number] = [*day[:-1], (day[-1][0], 1440)]
    near = [first + number * DAY for number in range(SPAN)]
    holidays = {day for day in near if draw.random() < 0.15}
    special = {day: [(360, 720), (780, 1080)] for day in near if draw.random() < 0.15}

    def shifts_of(day):
        if day in special:
            return special[day]
        return [] if day in holidays else week[day.weekday()]

    calendar = (
        WorkingCalendar.weekly(
            zone,
            {name: list(map(text, day)) for name, day in zip(WEEK, week, strict=True)},
            holidays=holidays,
            special={day: list(map(text, shifts)) for day, shifts in special.items()},
        )
        if any(week) or special
        else None
    )
    return calendar, Ticking(ZoneInfo(zone), first, shifts_of), draw


def agrees_with_the_oracle(seed):
    """Ask a calendar and its twin the same questions."""
    calendar, ticking, draw = draw_case(seed)
    if calendar is None:
        return
    low, high = 2 * 1440, (SPAN + 1) * 1440
    start, end = sorted(draw.randrange(low, high) for _ in range(2))
    begin, until = ticking.moment(start), ticking.moment(end)
    spent = int(ticking.open[start:end].sum())
    assert calendar.elapsed(begin, until) == spent * MINUTE
    assert calendar.is_open(begin) == bool(ticking.open[start])
    budget = draw.randrange(spent + 60)
    due = ticking.due(start, budget)
    if due is not None and due < high:
        assert calendar.add(begin, budget * MINUTE).at == ticking.moment(due)
    begun = ticking.begun(end, budget)
    if begun is not None and begun >= low:
        assert calendar.subtract(until, budget * MINUTE).at == ticking.moment(begun)


@settings(max_examples=2_000)
@given(st.integers(0, 2**32))
def test_working_time_equals_an_oracle_that_ticks(seed):
    """P1: due, start, elapsed and open, minute for minute, over clock changes."""
    agrees_with_the_oracle(seed)


@pytest.mark.nightly
@settings(max_examples=100_000)
@given(st.integers(0, 2**64))
def test_working_time_equals_an_oracle_that_ticks_at_night(seed):
    """P1 with 100 000 examples."""
    agrees_with_the_oracle(seed)


def test_the_oracle_draws_what_it_should():
    """The drawn calendars have nights, breaks, closed days and all the zones."""
    seen, kinds = set(), set()
    for seed in range(300):
        calendar, _, _ = draw_case(seed)
        if calendar is None:
            continue
        seen.add(calendar.zone)
        days = [*calendar.week, *(shifts for _, shifts in calendar.special)]
        kinds |= {len(day) for day in days}
        kinds |= {"night" for day in days if day and day[-1][1] > 86_400}
        kinds |= {"holiday"} if calendar.holidays else set()
        kinds |= {"special"} if calendar.special else set()

    assert seen == {zone for zone, _ in PLACES}
    assert kinds >= {0, 1, 2, 3, "night", "holiday", "special"}


@pytest.mark.parametrize("zone", sorted({zone for zone, _ in PLACES}))
def test_a_year_made_at_once_is_its_days_one_by_one(zone):
    """Over a century, clock changes and night shifts included."""
    calendar = WorkingCalendar.weekly(
        zone,
        {"fri": ["22:00-06:00"], "sun": ["01:30-02:30", "12:00-24:00"]},
        holidays=["1950-05-06"],
    )
    first, last = dt.date(1920, 1, 1), dt.date(2019, 12, 31)
    single = dt.timedelta()
    for number in range((last - first).days + 1):
        day = first + number * DAY
        single += sum(
            (max(end - begin, 0) * MICRO for begin, end in calendar.timeline.day(day)),
            dt.timedelta(),
        )

    assert (
        calendar.elapsed(
            wall_moment(first, dt.time(8), zone),
            wall_moment(last + DAY, dt.time(8), zone),
        )
        == single
    )


seconds = st.integers(0, 12 * 86_400)


@examples(2)
@given(st.integers(0, 2**32), seconds, seconds, seconds)
def test_elapsed_undoes_add_and_adds_up(seed, first, second, third):
    """P2: elapsed(start, add(start, b)) == b; additive; monotone; to the second."""
    calendar, ticking, draw = draw_case(seed)
    if calendar is None or not any(calendar.week):
        return
    a, b, c = (ticking.base + each * SECOND for each in sorted((first, second, third)))
    budget = draw.randrange(3 * 86_400) * SECOND
    due = calendar.add(a, budget)

    assert calendar.elapsed(a, due.at) == budget
    assert calendar.elapsed(calendar.subtract(a, budget).at, a) == budget
    assert calendar.elapsed(a, b) + calendar.elapsed(b, c) == calendar.elapsed(a, c)
    assert calendar.elapsed(c, a) == -calendar.elapsed(a, c)
    assert due.at <= calendar.add(a, budget + SECOND).at
    assert due.at <= calendar.add(b, budget).at
    assert sum((each.length for each in due.segments), dt.timedelta()) == budget


@examples(2)
@given(st.integers(0, 2**32), seconds, st.lists(st.tuples(seconds, seconds)))
def test_a_pause_moves_due_by_its_working_time(seed, first, drawn):
    """P3: by exactly that, overlapping pauses once, and elapsed leaves them out."""
    calendar, ticking, draw = draw_case(seed)
    if calendar is None or not any(calendar.week):
        return
    start = ticking.base + first * SECOND
    budget = draw.randrange(1, 3 * 86_400) * SECOND
    pauses = [
        (ticking.base + low * SECOND, ticking.base + (low + length) * SECOND)
        for low, length in drawn
    ]
    due = calendar.add(start, budget, pauses=pauses)

    assert calendar.elapsed(start, due.at, pauses=pauses) == budget
    extra = calendar.elapsed(start, due.at) - budget
    assert due.at == calendar.add(start, budget + extra).at
    back = calendar.subtract(due.at, budget, pauses=pauses)
    assert calendar.elapsed(back.at, due.at, pauses=pauses) == budget
    length = sum((each.length for each in due.segments), dt.timedelta())
    assert length == budget
    plain = calendar.add(start, budget).at
    one = calendar.add(start, budget, pauses=[(start, plain)]).at
    assert calendar.elapsed(plain, one) == budget


def ask_in_few_steps(calendars):
    """Ask random calendars; each answers or refuses, and soon."""
    for seed in range(calendars):
        calendar, ticking, draw = draw_case(seed)
        if calendar is not None:
            try:
                with at_most(20_000):
                    calendar.add(ticking.base, draw.randrange(100_000) * MINUTE)
                    calendar.add_days(ticking.base, 9, same_time=True)
            except ScheduleError:
                assert not any(calendar.week)


def test_every_calendar_answers_or_refuses_soon():
    """P5: random calendars, those of a few dated shifts too, none loops for long."""
    ask_in_few_steps(100)


@pytest.mark.nightly
def test_every_calendar_answers_or_refuses_soon_at_night():
    """P5 with 10 000 calendars."""
    ask_in_few_steps(10_000)


@given(st.integers(0, 2**32), st.lists(seconds, min_size=1, max_size=6))
def test_columns_are_the_cases_one_by_one(seed, drawn):
    """Scalar equals frame: add, subtract and elapsed, with pauses and gaps."""
    calendar, ticking, draw = draw_case(seed)
    if calendar is None or not any(calendar.week):
        return
    starts = [ticking.base + each * SECOND for each in drawn]
    ends = [start + draw.randrange(-86_400, 3 * 86_400) * SECOND for start in starts]
    budgets = [draw.choice((0, draw.randrange(86_400))) * SECOND for _ in starts]
    pauses = [draw_pauses(draw, start) for start in starts]
    rows = [(n, *each) for n, found in enumerate(pauses) for each in found]
    draw.shuffle(rows)
    columns = (
        np.array([row[0] for row in rows], dtype=np.int64),
        micros(row[1] for row in rows),
        micros(row[2] for row in rows),
    )
    lengths = np.array([budget // MICRO for budget in budgets], dtype=np.int64)
    asked = list(zip(starts, ends, budgets, pauses, strict=True))

    due = add_many(calendar, micros(starts), lengths, pauses=columns)
    assert (
        due.tolist()
        == micros(
            calendar.add(start, budget, pauses=own).at
            for start, _, budget, own in asked
        ).tolist()
    )
    begun = subtract_many(calendar, micros(starts), lengths, pauses=columns)
    assert (
        begun.tolist()
        == micros(
            calendar.subtract(start, budget, pauses=own).at
            for start, _, budget, own in asked
        ).tolist()
    )
    spent = elapsed_many(calendar, micros(starts), micros(ends), pauses=columns)
    assert spent.tolist() == [
        calendar.elapsed(start, end, pauses=own) // MICRO
        for start, end, _, own in asked
    ]


def micros(moments):
    """Turn moments into a column of microseconds."""
    return np.array([(each - EPOCH) // MICRO for each in moments], dtype=np.int64)


def draw_pauses(draw, start):
    """Draw pauses that do not overlap."""
    edges = sorted(draw.sample(range(-86_400, 2 * 86_400), 2 * draw.randrange(4)))
    return [
        (start + low * SECOND, start + high * SECOND)
        for low, high in zip(edges[::2], edges[1::2], strict=True)
    ]


# What the promises above leave open

OFFICE = WorkingCalendar.weekly(
    "Asia/Shanghai",
    dict.fromkeys(WEEK[:5], ("09:00-12:00", "13:30-18:00")),
    known_from=dt.date(2026, 1, 1),
    known_until=dt.date(2026, 12, 31),
)


def at(words, zone="Asia/Shanghai"):
    """Read a time on the wall of a zone."""
    return dt.datetime.fromisoformat(words).replace(tzinfo=ZoneInfo(zone))


def test_a_target_that_lands_on_closing_is_that_instant():
    """A second more is a second after the next opening."""
    start = at("2026-11-20 17:00")

    assert OFFICE.add(start, HOUR).at == at("2026-11-20 18:00")
    assert OFFICE.add(start, HOUR + SECOND).at == at("2026-11-23 09:00:01")
    assert OFFICE.add(at("2026-11-20 18:00"), 0 * HOUR).at == at("2026-11-23 09:00")


def test_a_pause_outside_hours_moves_nothing():
    """Nights, weekends and lunch cost nothing on hold."""
    start, night = at("2026-11-20 17:00"), at("2026-11-20 20:00")

    pause = [(night, night + 24 * HOUR)]

    assert OFFICE.add(start, 2 * HOUR).at == at("2026-11-23 10:00")
    assert OFFICE.add(start, 2 * HOUR, pauses=pause).at == at("2026-11-23 10:00")


def test_a_pause_that_goes_on_needs_as_of():
    """Then the answer says so, and is the due time if the clock resumed then."""
    start = at("2026-11-23 09:00")
    pauses = [(at("2026-11-23 10:00"), None)]

    with pytest.raises(ScheduleError, match="give as_of"):
        OFFICE.add(start, 2 * HOUR, pauses=pauses)
    due = OFFICE.add(start, 2 * HOUR, pauses=pauses, as_of=at("2026-11-23 14:30"))
    assert due.paused
    assert due.at == at("2026-11-23 15:30")
    early = OFFICE.add(start, HOUR, pauses=pauses, as_of=at("2026-11-23 14:30"))
    assert (early.paused, early.at) == (False, at("2026-11-23 10:00"))
    not_yet = OFFICE.add(start, 2 * HOUR, pauses=pauses, as_of=at("2026-11-23 09:30"))
    assert (not_yet.paused, not_yet.at) == (False, at("2026-11-23 11:00"))


def test_a_pause_that_touches_the_answer_does_not_move_it():
    """Forward one that begins at the due time, backward one that ends there."""
    ten, eleven = at("2026-11-23 10:00"), at("2026-11-23 11:00")
    pauses = [(ten, eleven)]

    assert OFFICE.add(at("2026-11-23 09:00"), HOUR, pauses=pauses).at == ten
    assert OFFICE.subtract(at("2026-11-23 12:00"), HOUR, pauses=pauses).at == eleven
    assert OFFICE.add(ten, 0 * HOUR, pauses=pauses).at == eleven
    assert OFFICE.subtract(eleven, 0 * HOUR, pauses=pauses).at == ten

    columns = (
        np.array([0, 1]),
        np.repeat(micros([ten]), 2),
        np.repeat(micros([eleven]), 2),
    )
    lengths = np.array([HOUR // MICRO, 0])
    starts, ends = [at("2026-11-23 09:00"), ten], [at("2026-11-23 12:00"), eleven]
    due = add_many(OFFICE, micros(starts), lengths, pauses=columns)
    assert due.tolist() == micros([ten, eleven]).tolist()
    begun = subtract_many(OFFICE, micros(ends), lengths, pauses=columns)
    assert begun.tolist() == micros([eleven, ten]).tolist()


def test_elapsed_lets_an_open_pause_reach_the_end():
    """The clock stands still since ten."""
    pauses = [(at("2026-11-23 10:00"), None)]

    assert (
        OFFICE.elapsed(at("2026-11-23 09:00"), at("2026-11-24 12:00"), pauses=pauses)
        == HOUR
    )


@pytest.mark.parametrize(
    ("start", "days", "same_time", "end_of_day"),
    [
        ("2026-11-20 11:00", 1, "2026-11-23 11:00", "2026-11-23 18:00"),
        ("2026-11-20 11:00", 0, "2026-11-20 11:00", "2026-11-20 18:00"),
        ("2026-11-20 12:30", 0, "2026-11-20 13:30", "2026-11-20 18:00"),
        ("2026-11-20 19:00", 1, "2026-11-24 09:00", "2026-11-24 18:00"),
        ("2026-11-21 11:00", 1, "2026-11-24 09:00", "2026-11-24 18:00"),
        ("2026-11-23 07:00", 1, "2026-11-24 09:00", "2026-11-24 18:00"),
        ("2026-11-23 11:00", -1, "2026-11-20 11:00", "2026-11-20 18:00"),
        ("2026-11-22 11:00", -1, "2026-11-19 18:00", "2026-11-19 18:00"),
    ],
)
def test_business_days_count_days_on_which_a_shift_begins(
    start, days, same_time, end_of_day
):
    """Same time of day, or the closing; outside hours from the next opening."""
    begin = at(start)

    assert OFFICE.add_days(begin, days, same_time=True).at == at(same_time)
    assert OFFICE.add_days(begin, days, end_of_day=True).at == at(end_of_day)


def test_the_same_time_stays_within_the_hours_of_the_target_day():
    """Before opening it is the opening, in a break its end, after closing that."""
    calendar = WorkingCalendar.weekly(
        "Asia/Shanghai",
        {"mon": ["08:00-20:00"], "tue": ["10:00-12:00", "14:00-18:00"]},
    )

    for time_, due in (("08:30", "10:00"), ("13:00", "14:00"), ("19:00", "18:00")):
        found = calendar.add_days(at(f"2026-11-23 {time_}"), 1, same_time=True)
        assert found.at == at(f"2026-11-24 {due}")


def test_a_business_day_of_a_night_shift_ends_the_morning_after():
    """02:00 belongs to the day before, and so does its target."""
    calendar = WorkingCalendar.weekly(
        "Asia/Shanghai", dict.fromkeys(WEEK, ("22:00-06:00",))
    )
    start = at("2026-11-24 02:00")

    assert calendar.add_days(start, 1, same_time=True).at == at("2026-11-25 02:00")
    assert calendar.add_days(start, 1, end_of_day=True).at == at("2026-11-25 06:00")


def test_the_next_edges_are_strictly_later():
    """At an opening the next opening is another one; around the clock there is none."""
    opening = at("2026-11-20 09:00")
    always = WorkingCalendar.around_the_clock("Asia/Shanghai")

    assert OFFICE.next_opening(opening) == at("2026-11-20 13:30")
    assert OFFICE.next_opening(at("2026-11-20 18:00")) == at("2026-11-23 09:00")
    assert OFFICE.next_closing(at("2026-11-20 18:00")) == at("2026-11-23 12:00")
    for ask in (always.next_opening, always.next_closing):
        with pytest.raises(ScheduleError, match="around the clock"):
            ask(opening)


def test_an_answer_beyond_the_published_holidays_is_provisional():
    """It says so in both languages; one that ends within is not."""
    start = at("2026-12-31 17:00")
    within, beyond = OFFICE.add(start, HOUR), OFFICE.add(start, 2 * HOUR)

    assert not within.provisional
    assert "provisional" not in within.explain()
    assert beyond.provisional
    assert "provisional" in beyond.explain()
    assert "暂定" in beyond.explain("zh")
    assert OFFICE.is_known(start, within.at)
    assert not OFFICE.is_known(start, beyond.at)
    assert OFFICE.subtract(at("2026-01-01 10:00"), 2 * HOUR).provisional


def test_an_explanation_names_the_hours_that_were_counted():
    """Every stretch, local, to the minute; pauses and breaks are left out."""
    pauses = [(at("2026-11-20 16:00"), at("2026-11-20 17:00"))]
    due = OFFICE.add(at("2026-11-20 11:00"), 5 * HOUR, pauses=pauses)

    assert due.explain() == (
        "due 2026-11-23 09:30 (Asia/Shanghai): 5:00:00 of working time: "
        "2026-11-20 11:00 to 2026-11-20 12:00, 2026-11-20 13:30 to 2026-11-20 16:00, "
        "2026-11-20 17:00 to 2026-11-20 18:00, 2026-11-23 09:00 to 2026-11-23 09:30"
    )
    assert due.explain("zh").startswith("到期 2026-11-23 09:30 (Asia/Shanghai)")
    long = OFFICE.add(at("2026-11-20 11:00"), 200 * HOUR)
    assert "more" in long.explain()
    assert len(long.explain()) < 600


def test_hours_survive_a_change_of_the_calendar():
    """A due time keeps the calendar that made it; another calendar is another value."""
    later = WorkingCalendar.weekly(
        "Asia/Shanghai",
        dict.fromkeys(WEEK[:5], ("09:00-12:00", "13:30-18:00")),
        holidays=["2026-11-23"],
    )
    start = at("2026-11-20 17:00")
    due = OFFICE.add(start, 2 * HOUR)

    assert later.add(start, 2 * HOUR).at == at("2026-11-24 10:00")
    assert due.calendar.add(start, 2 * HOUR) == due


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "needs its 'zone'"),
        ({"zone": "UTC"}, "either its 'week' or"),
        ({"zone": "UTC", "week": {}, "around_the_clock": True}, "either its 'week' or"),
        ({"zone": "UTC", "around_the_clock": "yes"}, "true or false"),
        ({"zone": "UTC", "weak": {}}, "did you mean 'week'"),
        ({"china": [2026], "known_until": "2027-12-31"}, "no key 'known_until'"),
        ({"china": [2026], "make_up_days": "no"}, "true or false"),
        ({"zone": "Asia/Shangai", "week": {"mon": ["09:00-18:00"]}}, "no time zone"),
        ({"zone": "+08:00", "week": {"mon": ["09:00-18:00"]}}, "IANA"),
        ({"zone": 8, "week": {"mon": ["09:00-18:00"]}}, "IANA"),
        ({"zone": "UTC", "week": {"mond": ["09:00-18:00"]}}, "did you mean 'mon'"),
        ({"zone": "UTC", "week": {"mon": [540]}}, "put it in quotes"),
        ({"zone": "UTC", "week": {"mon": "09:00-18:00"}}, "list of text"),
        ({"zone": "UTC", "week": {"mon": ["9-18"]}}, "HH:MM-HH:MM"),
        ({"zone": "UTC", "week": {"mon": ["09:00-24:30"]}}, "leaves the day"),
        ({"zone": "UTC", "week": {"mon": ["24:00-06:00"]}}, "leaves the day"),
        ({"zone": "UTC", "week": {"mon": ["09:00-09:00"]}}, "no length"),
        ({"zone": "UTC", "week": [["09:00-18:00"]]}, "mapping of weekdays"),
        (
            {"zone": "UTC", "week": {"mon": ["09:00-12:00", "11:00-18:00"]}},
            "mon overlap: 09:00-12:00 and 11:00-18:00",
        ),
        (
            {"zone": "UTC", "week": {"sun": ["22:00-06:00"], "mon": ["05:00-08:00"]}},
            "22:00-06:00 of sun overlaps 05:00-08:00 of mon",
        ),
        (
            {
                "zone": "UTC",
                "week": {"mon": ["22:00-06:00"]},
                "special": {"2026-11-24": ["05:00-08:00"]},
            },
            "22:00-06:00 of 2026-11-23 overlaps 05:00-08:00 of 2026-11-24",
        ),
        (
            {"zone": "UTC", "week": {"mon": ["09:00-18:00"], "monday": []}},
            "'mon' comes twice",
        ),
        (
            {"zone": "UTC", "week": {"mon": ["09:00-18:00"]}, "holidays": ["1.10."]},
            "write it as 2026-10-01",
        ),
        (
            {"zone": "UTC", "week": {"mon": ["09:00-18:00"]}, "holidays": "2026-10-01"},
            "list of dates",
        ),
        (
            {
                "zone": "UTC",
                "week": {"mon": ["09:00-18:00"]},
                "special": ["2026-10-01"],
            },
            "mapping of dates",
        ),
    ],
)
def test_a_table_that_makes_no_calendar_is_refused(table, words):
    """Unknown keys, zones and days, shifts that overlap or cannot be read."""
    with pytest.raises(ScheduleError, match=words):
        WorkingCalendar.from_dict(table)


def test_questions_that_have_no_answer_are_refused():
    """Naive and missing moments, negative time, pauses that end first, far years."""
    start = at("2026-11-23 09:00")
    for wrong in (dt.datetime(2026, 11, 23), pd.NaT, dt.date(2026, 11, 23), None):  # noqa: DTZ001 -- refused
        with pytest.raises(ScheduleError, match="'start'"):
            OFFICE.add(wrong, HOUR)
    with pytest.raises(ScheduleError, match="0 or longer"):
        OFFICE.add(start, -HOUR)
    with pytest.raises(ScheduleError, match="timedelta"):
        OFFICE.add(start, 3600)
    with pytest.raises(ScheduleError, match=r"ends .* before it begins"):
        OFFICE.add(start, HOUR, pauses=[(start, start - HOUR)])
    with pytest.raises(ScheduleError, match="pair"):
        OFFICE.add(start, HOUR, pauses=[(start,)])
    with pytest.raises(ScheduleError, match="1900 to 2199"):
        OFFICE.add(dt.datetime(2300, 1, 1, tzinfo=UTC), HOUR)
    with pytest.raises(ScheduleError, match="1900 to 2199"):
        OFFICE.add(start, dt.timedelta(days=999_999))
    with pytest.raises(ScheduleError, match="1900 to 2199"):
        OFFICE.add_days(start, 999_999, same_time=True)
    with pytest.raises(ScheduleError, match="either same_time"):
        OFFICE.add_days(start, 1)
    with pytest.raises(ScheduleError, match="0 or more business days"):
        OFFICE.add_days(start, -1, same_time=True, pauses=[(start, start)])
    with pytest.raises(InvalidValueError):
        OFFICE.add(start, HOUR).explain("de")
    with pytest.raises(ScheduleError, match="without a zone"):
        wall_moment(dt.date(2026, 1, 1), dt.time(1, tzinfo=UTC), "UTC")


def test_pandas_moments_are_moments():
    """A Timestamp of a zone is taken to the microsecond."""
    stamp = pd.Timestamp("2026-11-23 09:00:00.000001", tz="Asia/Shanghai")

    assert OFFICE.add(stamp, HOUR).at == at("2026-11-23 10:00:00.000001")


def test_the_far_past_and_future_of_a_calendar():
    """1900 and 2199 answer; a thousand weeks ahead is exact."""
    assert OFFICE.is_open(at("1900-01-02 10:00"))
    assert OFFICE.is_open(at("2199-12-31 10:00"))
    weeks = OFFICE.add(at("2026-11-23 09:00"), 1000 * 37.5 * HOUR + MINUTE)
    assert weeks.at == at("2026-11-23 09:01") + 7000 * DAY


@pytest.mark.parametrize("engine", ["pandas", "polars"])
def test_a_frame_of_due_times_keeps_rows_and_gaps(engine):
    """Same engine, same order, missing moments stay missing, provisional by row."""
    index = [7, 7, 3]
    moments = ["2026-11-20T09:30Z", None, "2026-12-31T09:30Z"]
    starts = pd.Series(pd.to_datetime(moments), index=index, name="opened")
    column = starts if engine == "pandas" else pl.Series("opened", starts)

    frame = due_frame(OFFICE, column, HOUR, name="reply_due")

    assert list(frame.columns) == ["reply_due", "provisional"]
    due = frame["reply_due"].to_list()
    assert due[0] == at("2026-11-23 09:30")
    assert due[1] is None or due[1] is pd.NaT
    assert due[2] == at("2027-01-01 09:30")
    assert frame["provisional"].to_list() == [False, False, True]
    if engine == "pandas":
        assert list(frame.index) == index


def test_columns_that_hold_no_moments_are_refused():
    """No zone, floats, wrong lengths, a pause of no case or over another."""
    one = np.array([0], dtype=np.int64)
    with pytest.raises(ColumnTypeError, match="with a zone"):
        due_frame(OFFICE, pd.Series(pd.to_datetime(["2026-11-20"])), HOUR)
    with pytest.raises(ScheduleError, match="int64"):
        add_many(OFFICE, np.array([0.5]), HOUR)
    with pytest.raises(ScheduleError, match="one value for each"):
        add_many(OFFICE, one, np.array([1, 2]))
    with pytest.raises(ScheduleError, match="0 or longer"):
        add_many(OFFICE, one, np.array([-1]))
    with pytest.raises(ScheduleError, match="same length"):
        elapsed_many(OFFICE, one, np.array([1, 2]))
    with pytest.raises(ScheduleError, match="no case"):
        add_many(OFFICE, one, HOUR, pauses=(one + 1, one, one + 1))
    double = np.array([0, 0])
    with pytest.raises(ScheduleError, match="overlap"):
        add_many(OFFICE, one, HOUR, pauses=(double, double, double + 9))
    with pytest.raises(ScheduleError, match="before it begins"):
        add_many(OFFICE, one, HOUR, pauses=(one, one + 1, one))


def test_missing_and_no_moments_stay_so():
    """The lowest int64 is missing in and out; an empty column is empty."""
    gap = np.array([MISSING], dtype=np.int64)
    none = np.array([], dtype=np.int64)

    assert add_many(OFFICE, gap, HOUR).tolist() == [MISSING]
    assert elapsed_many(OFFICE, gap, gap).tolist() == [MISSING]
    assert add_many(OFFICE, none, HOUR, pauses=(none, none, none)).tolist() == []
    assert elapsed_many(OFFICE, none, none).tolist() == []
