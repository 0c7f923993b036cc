"""Promises about closed cases, and moments that two readings must agree on."""

import datetime as dt
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from memberops.domain import CaseEvent, Complaint, Currency
from memberops.errors import InvalidValueError
from memberops.policies import ServiceLevels, Target, hard_cases, read_cases
from memberops.policies.case_rows import case_rows
from memberops.policies.case_standing import case_states
from memberops.schedules import WorkingCalendar
from memberops.testing import sales_frame
from memberops.workflows import Chain

SHANGHAI = ZoneInfo("Asia/Shanghai")
RECEIVED = dt.datetime(2026, 11, 5, 9, tzinfo=SHANGHAI)
MONTH_LATER = RECEIVED + dt.timedelta(days=30)
DAYS = ("mon", "tue", "wed", "thu", "fri")


def case(*told):
    """Return a case with events so many hours after its receipt."""
    events = [
        CaseEvent(kind=kind, at=RECEIVED + dt.timedelta(hours=hours), **facts)
        for kind, hours, facts in ((*each, {})[:3] for each in told)
    ]
    return Complaint(case_id="K1", received_at=RECEIVED, events=events)


def tables(*told):
    """Return the same case as its two frames."""
    made = case(*told)
    complaints = pd.DataFrame(
        {"case_id": ["K1"], "store_id": ["S1"], "received_at": [RECEIVED]}
    )
    words = {True: "yes", False: "no", None: ""}
    events = pd.DataFrame(
        {
            "case_id": "K1",
            "kind": [each.kind.value for each in made.events],
            "at": [each.at for each in made.events],
            "satisfied": [words[each.satisfied] for each in made.events],
        }
    )
    return complaints, events


def chain_of(*told, zone=SHANGHAI):
    """Return a chain that has the case."""
    complaints, events = tables(*told)
    sales = sales_frame([("T1", "2026-03-01", "S1", "M1", 1, "10.00")])
    return Chain.from_frames(
        sales=sales, complaints=complaints, case_events=events, zone=zone
    )


UNANSWERED = (
    ("solved", 1), ("callback", 2, {"satisfied": True}), ("closed", 3),
)  # fmt: skip
UNSOLVED = (("replied", 1), ("closed", 3))
AGAIN = (*UNSOLVED, ("reopened", 10))


@pytest.mark.parametrize(
    "told", [UNANSWERED, UNSOLVED, (("escalated", 1), ("closed", 3))]
)
def test_a_closed_case_owes_nothing_in_any_question(told):
    """No clock runs, the board leaves it out, and it is neither hard nor called."""
    answer = ServiceLevels().decide(case(*told), as_of=MONTH_LATER)
    assert answer.next_action is None
    assert answer.outcome == "closed"
    assert answer.changes_at is None
    assert not any(clock.is_open or clock.is_late for clock in answer.clocks)
    chain = chain_of(*told)
    assert chain.sla(as_of=MONTH_LATER).frame().empty
    assert chain.hard_cases(as_of=MONTH_LATER).frame().empty
    states, _ = case_states(*tables(*told), as_of=MONTH_LATER)
    assert not states["to_call"].any()


def test_what_was_late_when_the_case_was_closed_stays_told():
    """A clock past its target at the closing says so, and neither met nor open."""
    answer = ServiceLevels().decide(case(("closed", 30)), as_of=MONTH_LATER)
    reply, solution = answer["reply"], answer["solution"]
    assert (reply.state.value, solution.state.value) == ("closed_late", "closed")
    assert reply.overdue_wall == dt.timedelta(hours=6)
    assert reply.is_late
    assert not solution.is_late
    assert "未完成即结案" in answer.explain("zh")


def test_a_reopening_takes_the_closing_back_in_every_question():
    """Reopened unsolved, the case is owed its solution and its callback again."""
    answer = ServiceLevels().decide(case(*AGAIN), as_of=MONTH_LATER)
    assert answer["solution"].state.value == "breached"
    chain = chain_of(*AGAIN)
    assert chain.sla(as_of=MONTH_LATER).frame()["case_id"].tolist() == ["K1"]
    assert chain.hard_cases(as_of=MONTH_LATER).frame()["case_id"].tolist() == ["K1"]
    states, _ = case_states(*tables(*AGAIN), as_of=MONTH_LATER)
    assert states["to_call"].all()
    # The seven hours in which it was closed are not the office's.
    solution = answer["solution"]
    assert solution.elapsed_wall - solution.elapsed == dt.timedelta(hours=7)


def test_a_callback_after_the_closing_still_counts():
    """What was done after the closing is done, in time or late."""
    told = (("replied", 1), ("solved", 2), ("closed", 3), ("callback", 200))
    answer = ServiceLevels().decide(case(*told), as_of=MONTH_LATER)
    assert answer["callback"].state.value == "met_late"


@pytest.mark.parametrize("told", [UNANSWERED, UNSOLVED, AGAIN, (("closed", 30),)])
def test_the_frames_read_a_closing_as_the_single_case(told):
    """Each column of states is what `decide` says."""
    levels = ServiceLevels()
    answer = levels.decide(case(*told), as_of=MONTH_LATER)
    frame = levels.frame(*tables(*told), as_of=MONTH_LATER).cases.iloc[0]
    rows, _ = case_rows(*tables(*told), as_of=MONTH_LATER)
    for name in ("reply", "solution", "callback"):
        assert frame[f"{name}_state"] == answer[name].state.value
        if rows["simple"][0]:
            row = levels.decide_frame(rows, as_of=MONTH_LATER).iloc[0]
            assert row[f"{name}_state"] == answer[name].state.value
    assert frame["outcome"] == answer.outcome
    assert pd.isna(rows["closed_at"][0]) == (told is AGAIN)
    hard = hard_cases(levels.decide_frame(rows, as_of=MONTH_LATER), as_of=MONTH_LATER)
    assert len(hard) == (told is AGAIN)


@pytest.mark.parametrize(
    ("hour", "minute", "fold", "expected"),
    [(2, 10, 1, ["EARLY"]), (2, 58, 0, ["EARLY"])],
)
def test_the_board_of_a_repeated_hour_knows_which_hour_it_is(
    hour, minute, fold, expected
):
    """On the night the clocks go back, received cases are there and later ones not."""
    berlin = ZoneInfo("Europe/Berlin")
    moments = ["2026-10-25T00:50Z", "2026-10-25T01:55Z"]
    complaints = pd.DataFrame(
        {
            "case_id": ["EARLY", "FUTURE"],
            "store_id": "S1",
            "received_at": pd.to_datetime(moments),
        }
    )
    sales = sales_frame([("T1", "2026-03-01", "S1", "M1", 1, "10.00")])
    chain = Chain.from_frames(sales=sales, complaints=complaints, zone=berlin)
    as_of = dt.datetime(2026, 10, 25, hour, minute, tzinfo=berlin, fold=fold)
    assert chain.sla(as_of=as_of).frame()["case_id"].tolist() == expected


def test_a_forecast_changes_at_the_midnight_that_looks_at_a_later_opening():
    """From Friday 00:00 the opening meant is Monday's, which finds Saturday late."""
    office = WorkingCalendar.weekly(
        "Asia/Shanghai", {day: ["09:00-18:00"] for day in DAYS}
    )
    levels = ServiceLevels(office=office, due_soon=0, callback_hours=None)
    received = dt.datetime(2026, 11, 5, 10, tzinfo=SHANGHAI)
    made = Complaint(
        case_id="K1",
        received_at=received,
        events=[CaseEvent(kind="replied", at=received)],
    )
    thursday = dt.datetime(2026, 11, 5, 23, tzinfo=SHANGHAI)
    answer = levels.decide(made, as_of=thursday)
    assert answer.breaching_before_opening == ()
    assert answer.changes_at == dt.datetime(2026, 11, 6, tzinfo=SHANGHAI)
    then = levels.decide(made, as_of=answer.changes_at)
    assert then.breaching_before_opening == ("solution",)


def test_a_promise_cannot_pause():
    """What is due at a promised moment is refused as a clock that stands still."""
    with pytest.raises(InvalidValueError, match="cannot pause"):
        ServiceLevels(pausing=("promised_reply",))
    with pytest.raises(InvalidValueError, match="cannot pause"):
        Target(name="own", hours=1, starts="promised_reply", stops=("replied",),
               pausable=True)  # fmt: skip


def test_blanks_around_ids_are_taken_away_once_for_all_readings():
    """Single cases and frames know the same cases, events and owners, and tell it."""
    complaints, events = tables(("transferred", 1, {"to": "A2"}), ("replied", 2))
    complaints = complaints.assign(case_id="K1 ", handler="A1 ")
    events = events.assign(by="A1 ", to=[" A2", ""])
    cases, found = read_cases(complaints, events, currency=Currency("CNY"))
    answer = ServiceLevels().decide(cases[0], as_of=MONTH_LATER)
    frame = ServiceLevels().frame(complaints, events, as_of=MONTH_LATER)
    row = frame.cases.iloc[0]
    assert (cases[0].case_id, row["case_id"]) == ("K1", "K1")
    assert (cases[0].handler, row["handler"]) == ("A1", "A2")
    assert row["reply_state"] == answer["reply"].state.value == "met"
    assert row["next_owner"] == answer.next_action.owner == "A2"
    assert {each.rule for each in found} == {"blanks-around"}
    assert {each.rule for each in frame.findings} == {"blanks-around"}
