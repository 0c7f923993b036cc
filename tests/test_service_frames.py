"""Promises of the service levels of whole frames: each row is the single answer."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Currency, EventKind
from memberops.errors import (
    ColumnTypeError,
    CurrencyMismatchError,
    InvalidValueError,
    MissingColumnsError,
)
from memberops.policies import Authority, Level, ServiceLevels, Target, read_cases
from memberops.schedules import WorkingCalendar

CNY = Currency("CNY")
TICK = dt.timedelta(microseconds=1)
HOUR = dt.timedelta(hours=1)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# An office by day, a store at night over a clock change, one that never closes.
PLACES = (
    (
        "Asia/Shanghai",
        WorkingCalendar.weekly(
            "Asia/Shanghai",
            dict.fromkeys(WEEK[:5], ("09:00-12:00", "13:30-18:00")),
            holidays=["2026-10-26"],
            special={"2026-10-24": ["10:00-16:00"]},
            known_until=dt.date(2026, 10, 27),
        ),
    ),
    (
        "Europe/Berlin",
        WorkingCalendar.weekly(
            "Europe/Berlin",
            {"fri": ["22:00-06:00"], "sat": ["12:00-24:00"], "sun": ["01:30-02:30"]}
            | dict.fromkeys(WEEK[:4], ("08:00-12:00", "20:00-02:00")),
        ),
    ),
    ("America/New_York", WorkingCalendar.around_the_clock("America/New_York")),
    ("Australia/Lord_Howe", None),
)
BASE = dt.datetime(2026, 10, 23, tzinfo=dt.UTC)
LEVELS = (
    Level(name="early", hours=-3, to="handler"),
    Level(name="late", hours=5, to="manager"),
    Level(name="before", hours="-0.5", to="handler"),
)
AUTHORITY = (Authority(category="injury", to="director"), Authority(amount=500))


def more_targets(calendar):
    """Give targets of every further kind: conditions, days, chains, repetition."""
    days = calendar or WorkingCalendar.around_the_clock("UTC")
    return (
        Target(
            name="reply", hours=6, stops=("replied",), categories=("food", "injury")
        ),
        Target(
            name="solution",
            hours=30,
            stops=("solved", "closed"),
            priorities=("high",),
            calendar=calendar,
            reopening="continue",
            pausable=True,
        ),
        Target(
            name="refund",
            days=2,
            day_ends="end_of_day",
            calendar=days,
            stops=("closed",),
            pausable=True,
            reopening="resume",
            levels=LEVELS,
        ),
        Target(
            name="visit",
            days=1,
            calendar=days,
            starts="transferred",
            stops=("callback", "closed"),
            channels=("store",),
            reopening="restart",
        ),
        Target(
            name="letter", hours=10, after="second_callback", stops=("closed", "solved")
        ),
        Target(
            name="archive", hours=3, after="letter", stops=("closed",), pausable=True
        ),
        Target(
            name="question",
            minutes=90,
            starts="customer_answered",
            stops=("replied",),
            repeats=True,
            pausable=True,
            calendar=calendar,
        ),
    )


@st.composite
def policies(draw):
    """Draw a policy in which every kind of clock comes up."""
    calendar = draw(st.sampled_from(PLACES))[1]
    pausing = st.sampled_from(
        [(), ("solution",), ("reply", "solution", "callback", "second_callback"),
         ("next_reply", "second_callback", "solution")]
    )  # fmt: skip
    return ServiceLevels(
        reply_hours=draw(st.sampled_from([6, "7.5"])),
        next_reply_hours=4,
        solution_hours=48,
        callback_from=draw(st.sampled_from(["received", "solved"])),
        calendar=calendar,
        pausing=draw(pausing),
        reopening=draw(st.sampled_from(["keep", "resume", "continue", "restart"])),
        due_soon=draw(st.sampled_from([0, "0.25", 1])),
        levels=draw(st.sampled_from([(), LEVELS])),
        authority=draw(st.sampled_from([(), AUTHORITY])),
        escalation_minutes=draw(st.sampled_from([0, 30])),
        targets=draw(st.sampled_from([(), more_targets(calendar)])),
    )


MOMENTS = st.one_of(
    # On whole hours many events coincide; others fall anywhere.
    st.integers(-2, 120).map(lambda count: BASE + count * HOUR),
    st.integers(0, 120 * 3_600_000_000).map(lambda count: BASE + count * TICK),
)
COMMON = [
    EventKind.WAITING_FOR_CUSTOMER, EventKind.CUSTOMER_ANSWERED, EventKind.REPLIED,
    EventKind.CALLBACK, EventKind.SOLVED, EventKind.REOPENED,
    EventKind.CUSTOMER_MESSAGE,
]  # fmt: skip


@st.composite
def events(draw, case_id):
    """Draw what happened to a case: all kinds, those that matter most often."""
    kinds = st.one_of(st.sampled_from(COMMON), st.sampled_from(list(EventKind)))
    found = []
    for kind in draw(st.lists(kinds, max_size=10)):
        row = {"case_id": case_id, "kind": kind.value, "at": draw(MOMENTS)}
        if kind is EventKind.CALLBACK:
            row["satisfied"] = draw(st.sampled_from(["yes", "no", None]))
        elif kind is EventKind.PROMISED_REPLY:
            row["until"] = row["at"] + draw(st.integers(0, 48)) * HOUR
        elif kind in {EventKind.TRANSFERRED, EventKind.ESCALATED}:
            row["to"] = draw(st.sampled_from(["H2", "M1", None]))
        elif kind is EventKind.RECLASSIFIED:
            row["category"] = draw(st.sampled_from(["food", "injury", "toys"]))
            row["priority"] = draw(st.sampled_from(["high", "low", None]))
        found.append(row)
    return found


@st.composite
def frames(draw):
    """Draw the two canonical frames of up to five cases."""
    cases, rows = [], []
    for number in range(draw(st.integers(1, 5))):
        case_id = f"K{number}"
        cases.append(
            {
                "case_id": case_id,
                "received_at": draw(MOMENTS),
                "channel": draw(st.sampled_from(["store", "phone", None])),
                "category": draw(st.sampled_from(["food", "toys", None])),
                "priority": draw(st.sampled_from(["high", None])),
                "handler": draw(st.sampled_from(["H1", None])),
                "asked": draw(st.sampled_from([None, 50_000, 50_001])),
            }
        )
        rows += draw(events(case_id))
    order = draw(st.permutations(range(len(rows))))
    return complaints_of(cases), events_of([rows[place] for place in order])


def complaints_of(cases):
    """Return the frame of complaints."""
    frame = pd.DataFrame(cases)
    frame["received_at"] = pd.to_datetime(frame["received_at"], utc=True)
    if "asked" in frame:
        frame["asked"] = frame["asked"].astype("Int64")
    return frame


def events_of(rows):
    """Return the frame of events, with all its columns."""
    names = ["case_id", "kind", "at", "to", "until", "satisfied", "category",
             "priority"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=names)
    for name in ("at", "until"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def known(value):
    """Return None for anything missing."""
    return None if value is None or pd.isna(value) else value


def highest(clock):
    """Name the highest level that a clock has reached."""
    reached = sorted(clock.levels, key=lambda level: level.offset)
    return reached[-1].name if reached else None


def agree(levels, complaints, case_events, as_of, ahead):
    """Hold each row of both frames to the single answer."""
    found = levels.frame(complaints, case_events, as_of=as_of, forecast=ahead)
    cases, findings = read_cases(complaints, case_events, currency=CNY)
    assert found.findings == findings
    assert found.cases["case_id"].tolist() == [case.case_id for case in cases]
    rows = iter(found.clocks.to_dict("records"))
    for case, row in zip(cases, found.cases.to_dict("records"), strict=True):
        answer = levels.decide(case, as_of=as_of)
        for clock in answer.clocks:
            one_clock(clock, next(rows), case.case_id, ahead)
        for name in levels.plan.names:
            same = [clock for clock in answer.clocks if clock.name == name]
            shown_clock(row, name, same[-1] if same else None, ahead)
        assert row["outcome"] == answer.outcome
        turns = [clock.changes_at for clock in answer.clocks if clock.changes_at]
        assert known(row["changes_at"]) == min(turns, default=None)
        action = answer.next_action
        shown = [known(row[f"next_{each}"])
                 for each in ("clock", "owner", "due_at", "en", "zh")]  # fmt: skip
        assert shown == (
            [None] * 5
            if action is None
            else [action.clock, action.owner, action.due_at, action.text_en,
                  action.text_zh]
        )  # fmt: skip
    assert next(rows, None) is None


def one_clock(clock, row, case_id, ahead):
    """Hold a row of the frame of clocks to a clock."""
    started = clock.started_at is not None
    assert {name: known(row[name]) for name in row if name != "owner"} == {
        "case_id": case_id,
        "clock": clock.name,
        "number": clock.number,
        "state": clock.state.value,
        "started_at": clock.started_at,
        "stopped_at": clock.stopped_at,
        "due_at": clock.due_at,
        "elapsed": clock.elapsed if started else None,
        "remaining": clock.remaining,
        "paused": clock.paused if started else None,
        "overdue": clock.overdue_wall if started else None,
        "late": clock.is_late,
        "provisional": clock.provisional,
        "level": highest(clock),
        "breached_by_forecast": clock.is_breached_by(ahead),
        "changes_at": clock.changes_at,
    }


def shown_clock(row, name, clock, ahead):
    """Hold the columns of a clock in the frame of cases to the last of that name."""
    if clock is None:
        assert known(row[f"{name}_state"]) is None
        assert known(row[f"{name}_due_at"]) is None
        return
    second = dt.timedelta(seconds=1)
    started = clock.started_at is not None
    shown = [known(row[f"{name}_{each}"]) for each in
             ("state", "due_at", "started_at", "stopped_at", "remaining_seconds",
              "paused_seconds", "late", "breached_by_forecast")]  # fmt: skip
    assert shown == [
        clock.state.value,
        clock.due_at,
        clock.started_at,
        clock.stopped_at,
        clock.remaining // second if started else None,
        clock.paused // second if started else None,
        clock.is_late,
        clock.is_breached_by(ahead),
    ]
    if clock.target.levels:
        assert (row[f"{name}_level"] or None) == highest(clock)


@examples(1 / 5)
@given(frames(), policies(), MOMENTS, st.integers(0, 60))
def test_the_frames_say_what_the_single_case_says(drawn, levels, as_of, ahead):
    """Every column of every clock of every case, whatever happened to it."""
    agree(levels, *drawn, as_of, as_of + ahead * HOUR)


@pytest.mark.nightly
@settings(max_examples=5_000)
@given(frames(), policies(), MOMENTS, st.integers(0, 60))
def test_the_frames_say_what_the_single_case_says_at_night(drawn, levels, as_of, ahead):
    """The same with 5 000 examples."""
    agree(levels, *drawn, as_of, as_of + ahead * HOUR)


def one(*rows, **facts):
    """Return the two frames of one case and its events: kind, hours, facts."""
    complaints = complaints_of([{"case_id": "K1", "received_at": BASE, **facts}])
    made = [
        {"case_id": "K1", "kind": kind, "at": BASE + at * HOUR, **more}
        for kind, at, more in rows
    ]
    return complaints, events_of(made)


def test_a_frame_has_every_message_promise_and_second_callback():
    """Two questions, a promise kept, a callback that did not satisfy: all clocks."""
    frames = one(
        ("customer_message", 1, {}),
        ("replied", 3, {}),
        ("customer_message", 9, {}),
        ("promised_reply", 10, {"until": BASE + 14 * HOUR}),
        ("replied", 12, {}),
        ("solved", 20, {}),
        ("callback", 30, {"satisfied": "no"}),
    )
    found = ServiceLevels(next_reply_hours=2).frame(*frames, as_of=BASE + 40 * HOUR)
    clocks = found.clocks.set_index(["clock", "number"])

    assert clocks["state"].astype(str).to_dict() == {
        ("reply", 1): "met",
        ("next_reply", 1): "met",
        ("next_reply", 2): "met_late",
        ("solution", 1): "running",
        ("callback", 1): "met",
        ("second_callback", 1): "running",
        ("promised_reply", 1): "met",
    }
    assert clocks.loc[("solution", 1), "elapsed"] == 30 * HOUR
    assert clocks.loc[("solution", 1), "paused"] == 10 * HOUR
    row = found.cases.iloc[0]
    assert (row["next_clock"], row["next_owner"]) == ("solution", "handler")
    assert row["next_due_at"] == BASE + 58 * HOUR
    assert row["outcome"] == "running"


def test_a_frame_escalates_at_once_beyond_authority():
    """By the amount in minor units; and an authority of another currency is refused."""
    levels = ServiceLevels(authority=(Authority(amount=500),))
    beyond, within = one(asked=50_001), one(asked=50_000)

    row = levels.frame(*beyond, as_of=BASE + HOUR).cases.iloc[0]
    assert (row["next_clock"], row["escalation_state"]) == ("escalation", "breached")
    row = levels.frame(*within, as_of=BASE + HOUR).cases.iloc[0]
    assert (row["next_clock"], known(row["escalation_state"])) == ("reply", None)
    with pytest.raises(CurrencyMismatchError, match="USD"):
        levels.frame(*beyond, as_of=BASE, currency="USD")


def test_frames_without_events_or_cases_have_all_columns():
    """No event is a case of which nothing is known; no case is an empty frame."""
    complaints, none = one()
    found = ServiceLevels().frame(complaints, as_of=BASE + HOUR)
    empty = ServiceLevels().frame(complaints.iloc[:0], none, as_of=BASE)

    assert found.cases["reply_state"].tolist() == ["running"]
    assert list(empty.cases.columns) == list(found.cases.columns)
    assert list(empty.clocks.columns) == list(found.clocks.columns)
    assert (len(empty.cases), len(empty.clocks)) == (0, 0)


def test_the_rows_of_frames_name_no_customer():
    """Name, phone and words stay in the frame of complaints."""
    complaints, none = one(
        customer_name="王小明", customer_phone="13812345678", statement="我叫王小明"
    )
    found = ServiceLevels().frame(complaints, none, as_of=BASE)
    shown = found.cases.to_csv() + found.clocks.to_csv() + repr(found)

    assert "王小明" not in shown
    assert "13812345678" not in shown


def test_a_moment_without_a_zone_is_refused_by_frames():
    """As of, forecast and columns; an absent column is named."""
    complaints, none = one()
    naive = complaints.assign(
        received_at=complaints["received_at"].dt.tz_localize(None)
    )

    with pytest.raises(InvalidValueError, match="zone"):
        ServiceLevels().frame(complaints, none, as_of=BASE.replace(tzinfo=None))
    with pytest.raises(ColumnTypeError, match="zone"):
        ServiceLevels().frame(naive, none, as_of=BASE)
    with pytest.raises(MissingColumnsError, match="received_at"):
        ServiceLevels().frame(complaints[["case_id"]], none, as_of=BASE)
