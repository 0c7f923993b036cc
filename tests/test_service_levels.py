"""Promises of the service levels: every clock of a case, worked out from its events."""

import datetime as dt
import json
from zoneinfo import ZoneInfo

import attrs
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.domain import CaseEvent, Complaint, Currency, EventKind, Money
from memberops.errors import (
    ColumnTypeError,
    CurrencyMismatchError,
    InvalidValueError,
    MissingColumnsError,
    ScheduleError,
)
from memberops.policies import Authority, Level, ServiceLevels, Target
from memberops.schedules import WorkingCalendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
RECEIVED = dt.datetime(2026, 11, 5, 9, tzinfo=SHANGHAI)
TICK = dt.timedelta(microseconds=1)
OFFICE = WorkingCalendar.weekly(
    "Asia/Shanghai",
    {
        day: ["09:00-12:00", "13:00-18:00"]
        for day in ("mon", "tue", "wed", "thu", "fri")
    },
    holidays=["2026-11-09"],
)
PAUSING = ServiceLevels(pausing=("solution",))


def hours(count):
    """Return hours as a time."""
    return dt.timedelta(hours=count)


def after(count):
    """Return the moment some hours after the receipt."""
    return RECEIVED + hours(count)


def event(kind, count, **facts):
    """Return an event some hours after the receipt."""
    return CaseEvent(kind=kind, at=after(count), **facts)


def case(*events, **facts):
    """Return a case with events."""
    return Complaint(case_id="K1", received_at=RECEIVED, events=events, **facts)


def states(answer):
    """Return the state of each clock by name and number."""
    return {(clock.name, clock.number): clock.state.value for clock in answer.clocks}


def test_the_defaults_are_those_of_the_manual():
    """Reply in 24 h, solution in 48 h, callback in 7 days, all from the receipt."""
    answer = ServiceLevels().decide(case(), as_of=RECEIVED)

    assert {clock.name: clock.due_at for clock in answer.clocks} == {
        "reply": after(24),
        "solution": after(48),
        "callback": after(7 * 24),
    }


@pytest.mark.parametrize(
    ("late", "stopped", "open_"), [(0, "met", "due_soon"), (1, "met_late", "breached")]
)
def test_late_means_strictly_more_than_the_target(late, stopped, open_):
    """Exactly 24 hours is met, a microsecond more is late, replied or not."""
    at = after(24) + late * TICK
    replied = case(CaseEvent(kind="replied", at=at))

    assert ServiceLevels().decide(replied, as_of=at)["reply"].state == stopped
    assert ServiceLevels().decide(case(), as_of=at)["reply"].state == open_


def test_a_clock_closing_at_the_target_is_late_only_when_more_time_is_worked():
    """What is due at closing and done before the next opening used just its time."""
    levels = ServiceLevels(reply_hours=8, solution_hours=16, calendar=OFFICE)
    night = case(event("replied", 12))
    morning = case(CaseEvent(kind="replied", at=after(24) + TICK))

    assert levels.decide(night, as_of=after(30))["reply"].state == "met"
    assert levels.decide(morning, as_of=after(30))["reply"].state == "met_late"
    assert levels.decide(case(), as_of=after(24))["reply"].state == "due_soon"
    assert levels.decide(case(), as_of=after(24) + TICK)["reply"].state == "breached"


def test_due_soon_is_the_last_quarter():
    """A reply of 24 hours is due soon from hour 18 on, by the default share."""
    before = ServiceLevels().decide(case(), as_of=after(18) - TICK)

    assert before["reply"].state == "running"
    assert before.changes_at == after(18)
    assert ServiceLevels().decide(case(), as_of=after(18))["reply"].state == "due_soon"


def test_nothing_is_known_before_it_happened():
    """Facts after the moment asked for are not used, and a case not received waits."""
    full = case(event("replied", 2), event("solved", 3))
    early = ServiceLevels().decide(full, as_of=after(1))
    sooner = ServiceLevels().decide(full, as_of=RECEIVED - TICK)

    assert early["reply"].state == "running"
    assert set(states(sooner).values()) == {"not_started"}
    assert sooner.outcome == "not_started"


def test_t01_a_naive_moment_is_refused():
    """A time without a zone is an error that says how to attach one."""
    naive = RECEIVED.replace(tzinfo=None)

    with pytest.raises(InvalidValueError, match="zone"):
        ServiceLevels().decide(case(), as_of=naive)
    with pytest.raises(InvalidValueError, match="zone"):
        Complaint(case_id="K1", received_at=naive)
    with pytest.raises(InvalidValueError, match="zone"):
        CaseEvent(kind="replied", at=naive)


def test_t01_the_due_time_is_said_in_the_zone_of_the_case():
    """The sentence names the local time with its offset, whatever the host's zone."""
    answer = ServiceLevels().decide(case(), as_of=RECEIVED.astimezone(dt.UTC))

    assert "2026-11-06 09:00+08:00" in answer.reasons[0].text_en
    assert "2026-11-06 09:00+08:00" in answer.explain("zh")


def test_t02_a_pause_still_running_at_the_solution_counts():
    """Paused, then solved without an answer: the wait is taken off (42 days)."""
    solved = case(event("waiting_for_customer", 10), event("solved", 10 + 42 * 24))
    answer = PAUSING.decide(solved, as_of=after(2000))["solution"]

    assert (answer.state, answer.elapsed) == ("met", hours(10))
    assert answer.paused == hours(42 * 24)
    assert answer.elapsed_wall == hours(10 + 42 * 24)


def test_t03_a_hold_over_holidays_moves_the_due_time_by_working_time_only():
    """A pause from Friday to Tuesday over a holiday holds just Friday's hours."""
    levels = ServiceLevels(
        reply_hours=8, solution_hours=16, calendar=OFFICE, pausing=("solution",)
    )
    friday = RECEIVED + hours(24)
    held = case(
        CaseEvent(kind="waiting_for_customer", at=friday + hours(8)),  # 17:00
        CaseEvent(kind="customer_answered", at=friday + hours(4 * 24 + 0)),
    )
    answer = levels.decide(held, as_of=friday + hours(4 * 24))["solution"]

    assert answer.paused == hours(1)
    # Thursday 8 h and Friday 7 h are used, so one hour is left on Tuesday at 9.
    assert answer.due_at == dt.datetime(2026, 11, 10, 10, tzinfo=SHANGHAI)


def test_t04_a_case_received_on_a_holiday_counts_from_the_next_opening():
    """A complaint of Sunday before a holiday is due on Tuesday at closing."""
    levels = ServiceLevels(reply_hours=8, solution_hours=16, calendar=OFFICE)
    sunday = Complaint(
        case_id="K2", received_at=dt.datetime(2026, 11, 8, 11, tzinfo=SHANGHAI)
    )
    answer = levels.decide(sunday, as_of=sunday.received_at)

    assert answer["reply"].due_at == dt.datetime(2026, 11, 10, 18, tzinfo=SHANGHAI)
    assert answer.opens_at == dt.datetime(2026, 11, 10, 9, tzinfo=SHANGHAI)


def test_t07_a_shorter_update_target_leaves_the_first_reply_alone():
    """The next-reply clock never moves the due time of the first reply."""
    levels = ServiceLevels(next_reply_hours=2)
    asked = case(event("customer_message", 1))
    answer = levels.decide(asked, as_of=after(4))

    assert answer["reply"].due_at == after(24)
    assert answer["next_reply"].state == "breached"


def test_t10_a_level_before_the_due_time_lies_in_working_hours():
    """An hour before a due time of 10:00 is 09:00, two hours before is 17:00."""
    levels = ServiceLevels(
        reply_hours=9,
        solution_hours=16,
        calendar=OFFICE,
        levels=(
            Level(name="warning", hours=-2, to="handler"),
            Level(name="late", hours=1, to="manager"),
        ),
    )
    friday = dt.datetime(2026, 11, 6, 9, tzinfo=SHANGHAI)
    quiet = ServiceLevels.decide(levels, case(), as_of=friday - hours(16) - TICK)
    warned = levels.decide(case(), as_of=friday - hours(16))

    assert quiet["reply"].due_at == dt.datetime(2026, 11, 6, 10, tzinfo=SHANGHAI)
    assert quiet["reply"].levels == ()
    assert [level.name for level in warned["reply"].levels] == ["warning"]
    late = levels.decide(case(), as_of=dt.datetime(2026, 11, 6, 11, tzinfo=SHANGHAI))
    assert [level.to for level in late["reply"].levels] == ["handler", "manager"]


def test_t17_a_new_priority_or_policy_keeps_the_pauses():
    """Everything is worked out anew from the events: no pause and no start is lost."""
    urgent = Target(
        name="solution",
        hours=30,
        stops=("solved",),
        priorities=("high",),
        pausable=True,
    )
    levels = attrs.evolve(PAUSING, targets=(urgent,), version="2")
    moved = case(
        event("waiting_for_customer", 5),
        event("customer_answered", 15),
        event("reclassified", 20, priority="high"),
        event("policy_changed", 20, policy="service-levels 1"),
    )
    before = levels.decide(moved, as_of=after(19))
    now = levels.decide(moved, as_of=after(20))

    assert before["solution"].due_at == after(48 + 10)
    assert now["solution"].due_at == after(30 + 10)
    assert [reason.rule for reason in now.reasons][-2:] == [
        "reclassified",
        "policy_changed",
    ]
    assert (now.policy, now.version) == ("service-levels", "2")


def test_t18_a_case_closed_and_reopened_keeps_its_first_reply():
    """Reopening changes the solution's clock and nothing of the reply."""
    opened = case(
        event("replied", 3),
        event("solved", 20),
        event("closed", 21),
        event("reopened", 100),
    )
    answer = ServiceLevels().decide(opened, as_of=after(110))

    assert answer["reply"].stopped_at == after(3)
    assert answer["reply"].state == "met"
    assert answer["solution"].state == "running"


@pytest.mark.parametrize(
    ("reopening", "due", "elapsed", "state"),
    [
        ("keep", 48, 20, "met"),
        ("resume", 128, 30, "running"),
        ("continue", 48, 110, "breached"),
        ("restart", 148, 10, "running"),
    ],
)
def test_a_reopening_follows_the_policy(reopening, due, elapsed, state):
    """Solved at 20, reopened at 100, asked at 110: each way counts as it says."""
    opened = case(event("solved", 20), event("reopened", 100))
    clock = ServiceLevels(reopening=reopening).decide(opened, as_of=after(110))[
        "solution"
    ]

    assert (clock.due_at, clock.elapsed, clock.state) == (
        after(due),
        hours(elapsed),
        state,
    )


def test_a_reopened_case_is_judged_at_its_last_solution():
    """Two reopenings, resumed: both closed times are taken off."""
    opened = case(
        event("solved", 20),
        event("reopened", 100),
        event("solved", 110),
        event("reopened", 200),
        event("solved", 218),
    )
    clock = ServiceLevels().decide(opened, as_of=after(300))["solution"]

    assert (clock.state, clock.elapsed, clock.elapsed_wall) == (
        "met",
        hours(48),
        hours(218),
    )


def test_t19_a_blank_condition_is_refused():
    """A blank category does not mean all; no category named does."""
    with pytest.raises(InvalidValueError, match="must not be empty"):
        Target(name="reply", hours=1, stops=("replied",), categories=("",))
    with pytest.raises(InvalidValueError, match="not one word"):
        Target(name="reply", hours=1, stops=("replied",), categories="goods")


def test_t20_a_reply_target_longer_than_the_solution_is_refused():
    """The usual ones, and those of one category, are checked against each other."""
    with pytest.raises(InvalidValueError, match="solved after its reply"):
        ServiceLevels(reply_hours=72)
    quick = Target(name="solution", hours=4, stops=("solved",), categories=("food",))
    with pytest.raises(InvalidValueError, match="solved after its reply"):
        ServiceLevels(targets=(quick,))
    assert ServiceLevels(reply_hours=48)


def test_a_pause_holds_only_the_clocks_that_the_policy_names():
    """The reply's clock runs on while the solution's stands still."""
    waiting = case(event("waiting_for_customer", 2))
    answer = PAUSING.decide(waiting, as_of=after(30))

    assert answer["solution"].state == "paused"
    assert answer["solution"].remaining == hours(46)
    assert answer["solution"].due_at == after(30 + 46)
    assert answer["reply"].state == "breached"


def test_a_breach_stays_a_breach_while_paused():
    """Waiting for the customer does not heal what was late before."""
    waiting = case(event("waiting_for_customer", 60))
    clock = PAUSING.decide(waiting, as_of=after(80))["solution"]

    assert (clock.state, clock.remaining) == ("breached", hours(-12))
    assert clock.overdue_wall == hours(32)


def test_a_message_of_the_customer_ends_the_wait():
    """An answer that nobody recorded as such still is one."""
    answered = case(event("waiting_for_customer", 2), event("customer_message", 12))

    assert PAUSING.decide(answered, as_of=after(20))["solution"].due_at == after(58)


def test_the_callback_can_start_at_the_solution():
    """Then it has not started before, and a reopening takes its start back."""
    levels = ServiceLevels(callback_from="solved")
    solved = case(event("solved", 30), event("reopened", 40), event("solved", 60))

    assert levels.decide(case(), as_of=after(1))["callback"].state == "not_started"
    assert levels.decide(solved, as_of=after(35))["callback"].due_at == after(30 + 168)
    assert levels.decide(solved, as_of=after(45))["callback"].state == "not_started"
    assert levels.decide(solved, as_of=after(70))["callback"].due_at == after(60 + 168)


@pytest.mark.parametrize(("origin", "due"), [("received", 70), ("solved", 90)])
def test_a_dissatisfied_customer_gets_a_second_callback(origin, due):
    """Not satisfied reopens the case; the second callback has a clock of its own."""
    levels = ServiceLevels(callback_from=origin)
    back = case(
        event("replied", 1),
        event("solved", 40),
        event("callback", 70, satisfied=False),
        event("solved", 90),
    )
    reopened = levels.decide(back, as_of=after(80))
    again = levels.decide(back, as_of=after(95))
    done = levels.decide(
        back.add(event("callback", 100, satisfied=True)), as_of=after(101)
    )

    assert reopened["callback"].state == "met"
    assert reopened["solution"].is_open
    assert again["second_callback"].due_at == after(due + 168)
    assert again.next_action.clock == "second_callback"
    assert again.next_action.owner == "headquarters"
    assert done["second_callback"].state == "met"
    assert done.next_action is None


def test_each_dissatisfaction_opens_a_callback():
    """A customer not satisfied twice is called three times."""
    back = case(
        event("callback", 10, satisfied=False),
        event("callback", 20, satisfied=False),
    )
    answer = ServiceLevels().decide(back, as_of=after(30))

    assert states(answer)["second_callback", 1] == "met"
    assert states(answer)["second_callback", 2] == "running"


def test_a_promised_reply_is_a_target_of_its_own():
    """The promise made to the customer is due when it says, and a reply meets it."""
    promised = case(event("replied", 1), event("promised_reply", 2, until=after(10)))
    answer = ServiceLevels().decide(promised, as_of=after(10))
    late = ServiceLevels().decide(promised, as_of=after(10) + TICK)

    assert answer["promised_reply"].due_at == after(10)
    assert answer["promised_reply"].state == "due_soon"
    assert late["promised_reply"].state == "breached"


def test_a_promise_renewed_in_time_replaces_the_old_one_and_a_late_one_does_not():
    """Agreeing a new time before the old one is over is fair; after it, it is late."""
    fair = case(
        event("promised_reply", 2, until=after(10)),
        event("promised_reply", 9, until=after(20)),
    )
    late = case(
        event("promised_reply", 2, until=after(10)),
        event("promised_reply", 11, until=after(20)),
    )
    kept = ServiceLevels().decide(fair, as_of=after(12))
    broken = ServiceLevels().decide(late, as_of=after(12))

    assert [c.state for c in kept.clocks if c.name == "promised_reply"] == ["running"]
    assert states(broken)["promised_reply", 1] == "breached"


def test_each_unanswered_message_opens_a_next_reply_once():
    """A second message moves no clock, and a solution stops it (chatwoot #10178)."""
    levels = ServiceLevels(next_reply_hours=4)
    asked = case(
        event("customer_message", 1),
        event("customer_message", 3),
        event("replied", 6),
        event("customer_message", 7),
        event("solved", 8),
    )
    answer = levels.decide(asked, as_of=after(50))

    assert states(answer)["next_reply", 1] == "met_late"
    assert states(answer)["next_reply", 2] == "met"
    assert ("next_reply", 3) not in states(answer)


def test_a_case_beyond_authority_is_escalated_at_once():
    """By amount or category; then a reply time is agreed, then the rest goes on."""
    levels = ServiceLevels(
        authority=(Authority(amount=500), Authority(category="injury", to="director"))
    )
    asked = case(asked=Money.of("500.01", Currency("CNY")), handler="H1")
    answer = levels.decide(asked, as_of=RECEIVED + TICK)
    told = asked.add(event("escalated", 1, to="M1"))
    agreed = told.add(event("promised_reply", 2, until=after(5)))

    assert answer.next_action.clock == "escalation"
    assert answer["escalation"].state == "breached"
    assert levels.decide(told, as_of=after(1)).next_action.owner == "M1"
    assert "约定回复时间" in levels.decide(told, as_of=after(1)).next_action.text("zh")
    assert levels.decide(agreed, as_of=after(3)).next_action.clock == "promised_reply"
    hurt = case(category="injury")
    assert levels.decide(hurt, as_of=RECEIVED)["escalation"].is_open
    small = case(asked=Money.of("500.00", Currency("CNY")))
    assert "escalation" not in {
        clock.name for clock in levels.decide(small, as_of=RECEIVED).clocks
    }
    dollars = case(asked=Money.of("1", Currency("USD")))
    with pytest.raises(CurrencyMismatchError, match="USD"):
        levels.decide(dollars, as_of=RECEIVED)


def test_a_transfer_changes_the_owner_and_not_the_clock():
    """The reply counts from the receipt; a target may count from the transfer."""
    team = Target(name="takeover", hours=2, starts="transferred", stops=("replied",))
    levels = ServiceLevels(targets=(team,))
    moved = case(event("transferred", 5, to="H2"), handler="H1")
    answer = levels.decide(moved, as_of=after(6))

    assert answer["reply"].due_at == after(24)
    assert answer["takeover"].due_at == after(7)
    assert answer.next_action.owner == "H2"


def test_the_most_pressing_clock_is_the_next_action():
    """What is late comes first, then what is due first; a wait comes last."""
    late = ServiceLevels().decide(case(event("replied", 1)), as_of=after(49))
    waiting = PAUSING.decide(
        case(event("replied", 1), event("waiting_for_customer", 2)), as_of=after(3)
    )
    only = attrs.evolve(PAUSING, callback_hours=None).decide(
        case(event("replied", 1), event("waiting_for_customer", 2)), as_of=after(3)
    )

    assert (late.next_action.clock, late.next_action.owner) == ("solution", "handler")
    assert waiting.next_action.clock == "callback"
    assert only.next_action.text("en") == "await the customer's answer"


def test_the_forecast_names_what_breaches_before_the_office_opens():
    """At closing time: what will be late tomorrow at opening though it is not yet."""
    levels = ServiceLevels(
        office=OFFICE,
        targets=(Target(name="reply", hours=24, stops=("replied",)),),
    )
    evening = dt.datetime(2026, 11, 5, 18, tzinfo=SHANGHAI)
    early = attrs.evolve(case(), received_at=RECEIVED - hours(1))

    answer = levels.decide(early, as_of=evening)
    assert answer.opens_at == dt.datetime(2026, 11, 6, 9, tzinfo=SHANGHAI)
    assert answer.breaching_before_opening == ("reply",)
    assert levels.decide(case(), as_of=evening).breaching_before_opening == ()
    assert answer.breaching_by(after(60)) == ("reply", "solution")
    assert ServiceLevels().decide(early, as_of=evening).opens_at is None


def test_targets_in_days_keep_the_time_or_end_with_the_day():
    """A standard order is delivered the next day; working days skip the holiday."""
    order = ServiceLevels(
        reply_hours=None,
        solution_hours=None,
        callback_hours=None,
        targets=(
            Target(
                name="delivery",
                days=1,
                day_ends="end_of_day",
                calendar=WorkingCalendar.around_the_clock("Asia/Shanghai"),
                stops=("delivered",),
            ),
            Target(name="refund", days=2, calendar=OFFICE, stops=("solved",)),
        ),
    )
    answer = order.decide(case(), as_of=after(1))

    assert answer["delivery"].due_at == dt.datetime(2026, 11, 7, tzinfo=SHANGHAI)
    assert answer["refund"].due_at == dt.datetime(2026, 11, 10, 9, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("levels", "name", "due"),
    [
        (ServiceLevels.enquiry(), "reply", dt.timedelta(minutes=30)),
        (ServiceLevels.email(), "reply", hours(24)),
        (ServiceLevels.store_wait(), "wait", dt.timedelta(minutes=5)),
        (ServiceLevels.order("Asia/Shanghai"), "delivery", hours(39)),
    ],
)
def test_other_services_are_policies_of_the_same_kind(levels, name, due):
    """Enquiry 30 min, email 24 h, wait 5 min, order the next day (HQ §6.2)."""
    answer = levels.decide(case(), as_of=RECEIVED)

    assert [clock.name for clock in answer.clocks] == [name]
    assert answer[name].due_at == RECEIVED + due


def test_a_daylight_saving_change_neither_lengthens_nor_shortens():
    """24 hours over a change are 24 hours, on the shorter and the longer day."""
    berlin = ZoneInfo("Europe/Berlin")
    always = WorkingCalendar.around_the_clock("Europe/Berlin")
    for day in (dt.datetime(2026, 3, 28, 12, tzinfo=berlin),
                dt.datetime(2026, 10, 24, 12, tzinfo=berlin)):  # fmt: skip
        one = Complaint(case_id="K1", received_at=day)
        expected = day.astimezone(dt.UTC) + hours(24)
        for levels in (ServiceLevels(), ServiceLevels(calendar=always)):
            assert levels.decide(one, as_of=day)["reply"].due_at == expected


def test_a_repeated_hour_keeps_its_order():
    """An event in the second 02:30 of an autumn night comes after the first."""
    berlin = ZoneInfo("Europe/Berlin")
    first = dt.datetime(2026, 10, 25, 2, 30, tzinfo=berlin)
    second = first.replace(fold=1)
    one = Complaint(
        case_id="K1",
        received_at=first,
        events=[CaseEvent(kind="replied", at=second)],
    )

    assert ServiceLevels().decide(one, as_of=first)["reply"].state == "running"
    answer = ServiceLevels().decide(one, as_of=second)
    assert answer["reply"].elapsed == hours(1)


def test_an_answer_beyond_the_published_calendar_is_provisional():
    """The clock says so, in both languages."""
    known = attrs.evolve(OFFICE, known_until=dt.date(2026, 11, 6))
    answer = ServiceLevels(calendar=known, solution_hours=24).decide(
        case(), as_of=RECEIVED
    )

    assert answer["solution"].provisional
    assert "provisional" in answer.explain("en")
    assert "暂定" in answer.explain("zh")


def test_a_target_can_follow_another():
    """A target after another starts at its stop."""
    follow = Target(name="letter", hours=10, after="solution", stops=("closed",))
    levels = ServiceLevels(targets=(follow,))
    solved = case(event("solved", 5), event("closed", 16))

    assert levels.decide(case(), as_of=after(1))["letter"].state == "not_started"
    assert levels.decide(solved, as_of=after(6))["letter"].due_at == after(15)
    assert levels.decide(solved, as_of=after(20))["letter"].state == "met_late"


def broken_policies():
    """Give each policy that must be refused, with what its error names."""
    first = Target(name="a", hours=1, after="b", stops=("closed",))
    second = Target(name="b", hours=1, after="a", stops=("closed",))
    all_cases = Target(name="x", hours=1, stops=("closed",))
    return {
        "circle": ("a after b after a", lambda: ServiceLevels(targets=(first, second))),
        "unknown target": ("'b', which no", lambda: ServiceLevels(targets=(first,))),
        "itself": (
            "circle",
            lambda: ServiceLevels(targets=(attrs.evolve(first, after="a"),)),
        ),
        "never reached": (
            "never reached",
            lambda: ServiceLevels(targets=(all_cases, all_cases)),
        ),
        "unknown pause": (
            "did you mean 'solution'",
            lambda: ServiceLevels(pausing=("soluton",)),
        ),
        "unknown event": (
            "did you mean 'replied'",
            lambda: Target(name="x", hours=1, stops=("replyed",)),
        ),
        "unknown start": (
            "did you mean 'received'",
            lambda: Target(name="x", hours=1, starts="recieved", stops=("closed",)),
        ),
        "no time": ("give one of", lambda: Target(name="x", stops=("closed",))),
        "two times": (
            "give one of",
            lambda: Target(name="x", hours=1, days=1, stops=("closed",)),
        ),
        "negative": ("below zero", lambda: ServiceLevels(reply_hours=-1)),
        "float": ("not a float", lambda: ServiceLevels(reply_hours=0.5)),
        "days alone": (
            "needs a calendar",
            lambda: Target(name="x", days=1, stops=("closed",)),
        ),
        "no stop": ("what stops it", lambda: Target(name="x", hours=1, stops=())),
        "share": ("0 to 1", lambda: ServiceLevels(due_soon=2)),
        "reopening": ("'restart'", lambda: ServiceLevels(reopening="restrt")),
        "callback": ("callback_from", lambda: ServiceLevels(callback_from="sold")),
        "no limit": ("category or an amount", Authority),
        "both starts": (
            "not both",
            lambda: Target(
                name="x", hours=1, starts="solved", after="y", stops=("closed",)
            ),
        ),
    }


@pytest.mark.parametrize("name", broken_policies())
def test_a_policy_that_cannot_be_is_refused(name):
    """Each wrong policy fails when it is made, naming the thing and the fix."""
    hint, make = broken_policies()[name]

    with pytest.raises(InvalidValueError, match=hint):
        make()


def test_an_unknown_zone_is_refused():
    """A zone that does not exist fails when the policy is made."""
    with pytest.raises(ScheduleError, match="zone"):
        ServiceLevels.order("Asia/Shanghia")


@pytest.mark.parametrize(
    ("facts", "hint"),
    [
        ({"kind": "replyed"}, "did you mean 'replied'"),
        ({"kind": "promised_reply"}, "until"),
        ({"kind": "promised_reply", "until": RECEIVED - TICK}, "until"),
        ({"kind": "replied", "satisfied": True}, "callback"),
        ({"kind": "solved", "to": "H2"}, "transferred"),
        ({"kind": "reclassified"}, "category"),
    ],
)
def test_an_event_that_cannot_be_is_refused(facts, hint):
    """Unknown kinds and facts that do not fit the kind are errors."""
    with pytest.raises(InvalidValueError, match=hint):
        CaseEvent(at=RECEIVED, **facts)


def test_an_unknown_clock_names_the_nearest():
    """Asking for a clock that the case has not is an error with a hint."""
    answer = ServiceLevels().decide(case(), as_of=RECEIVED)

    with pytest.raises(InvalidValueError, match="did you mean 'reply'"):
        answer["rply"]


def test_an_event_before_the_receipt_is_a_finding_and_counts_as_at_it():
    """Bad data is told and does not stop the office: elapsed is zero, not negative."""
    early = case(event("replied", -2), event("customer_answered", 1))
    answer = ServiceLevels().decide(early, as_of=after(3))

    assert [finding.rule for finding in answer.findings] == [
        "before-receipt",
        "answer-not-awaited",
    ]
    assert answer["reply"].elapsed == hours(0)
    assert "K1" in answer.findings[0].describe("zh")


def test_the_same_event_twice_is_one():
    """A fact delivered twice changes nothing."""
    once = case(event("callback", 3, satisfied=False))

    assert once.add(event("callback", 3, satisfied=False)) == once


def test_personal_values_are_never_shown():
    """Neither a repr nor a sentence nor a finding shows name, phone or words."""
    one = case(
        CaseEvent(kind="replied", at=after(-1), note="王小明说"),
        customer_name="王小明",
        customer_phone="13812345678",
        statement="我叫王小明",
    )
    answer = ServiceLevels().decide(one, as_of=after(1))
    shown = " ".join(
        [repr(one), repr(answer), answer.explain("zh"), answer.explain("en")]
        + [finding.describe("en") for finding in answer.findings]
    )

    assert "王小明" not in shown
    assert "13812345678" not in shown


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_state_is_said_in_both_languages(language):
    """Each of the seven states has a sentence of its own."""
    levels = attrs.evolve(PAUSING, callback_from="solved")
    said = {}
    for one, moment in [
        (case(), 1), (case(), 20), (case(), 30), (case(event("replied", 2)), 3),
        (case(event("replied", 30)), 31), (case(event("waiting_for_customer", 1)), 2),
    ]:  # fmt: skip
        answer = levels.decide(one, as_of=after(moment))
        for clock, reason in zip(answer.clocks, answer.reasons, strict=False):
            said.setdefault(clock.state, reason.text(language).split(" ")[0])

    assert len(said) == 7
    with pytest.raises(InvalidValueError, match="'zh' or 'en'"):
        answer.explain("fr")


KINDS = [kind for kind in EventKind if kind is not EventKind.RECLASSIFIED]


@st.composite
def some_events(draw, kinds=KINDS):
    """Draw events within about ten days, on whole hours so that many coincide."""
    found = []
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=8)):
        at = draw(st.integers(0, 240))
        facts = {}
        if kind is EventKind.CALLBACK:
            facts["satisfied"] = draw(st.sampled_from([True, False, None]))
        if kind is EventKind.PROMISED_REPLY:
            facts["until"] = after(at + draw(st.integers(0, 48)))
        found.append(event(kind, at, **facts))
    return found


POLICIES = st.builds(
    ServiceLevels,
    next_reply_hours=st.sampled_from([None, 4]),
    callback_from=st.sampled_from(["received", "solved"]),
    calendar=st.sampled_from([None, OFFICE]),
    pausing=st.sampled_from([(), ("solution",), ("reply", "solution", "callback")]),
    reopening=st.sampled_from(["keep", "resume", "continue", "restart"]),
    due_soon=st.sampled_from([0, "0.25", 1]),
    levels=st.sampled_from(
        [
            (),
            (
                Level(name="early", hours=-3, to="handler"),
                Level(name="late", hours=5, to="manager"),
            ),
        ]
    ),
)


def shown(answer):
    """Return what a change must change: states, levels, and the forecast."""
    clocks = [(clock.name, clock.state, clock.levels) for clock in answer.clocks]
    return clocks, answer.breaching_before_opening


@examples(2)
@given(
    events=some_events(),
    levels=POLICIES,
    at=st.integers(0, 300),
    share=st.floats(0, 1),
)
def test_an_answer_holds_until_it_says(events, levels, at, share):
    """Nothing changes before changes_at without new facts, and something does at it."""
    known = case(*(each for each in events if each.at <= after(at)))
    answer = levels.decide(known, as_of=after(at))
    until = answer.changes_at
    if until is None:
        for later in (1, 100, 5000):
            assert shown(levels.decide(known, as_of=after(at + later))) == shown(answer)
        return
    start = after(at).astimezone(dt.UTC)
    assert until > start
    between = start + dt.timedelta(
        microseconds=int(((until - start) // TICK - 1) * share)
    )
    assert shown(levels.decide(known, as_of=between)) == shown(answer)
    assert shown(levels.decide(known, as_of=until - TICK)) == shown(answer)
    assert shown(levels.decide(known, as_of=until)) != shown(answer)


@examples(2)
@given(
    events=some_events(),
    order=st.randoms(use_true_random=False),
    levels=POLICIES,
    at=st.integers(0, 300),
)
def test_the_order_in_which_facts_arrive_does_not_matter(events, order, levels, at):
    """Events of different moments may be recorded in any order."""
    distinct = list({each.at: each for each in events}.values())
    mixed = distinct.copy()
    order.shuffle(mixed)
    first = levels.decide(case(*distinct), as_of=after(at))
    second = levels.decide(case(*mixed), as_of=after(at))

    assert first.clocks == second.clocks


@examples(2)
@given(events=some_events(), levels=POLICIES, at=st.integers(0, 300))
def test_a_clock_adds_up(events, levels, at):
    """Used and left make the target; a clock is late exactly when it is below zero."""
    for clock in levels.decide(case(*events), as_of=after(at)).clocks:
        if clock.started_at is None:
            assert clock.state == "not_started"
            continue
        assert clock.elapsed + clock.remaining == clock.budget
        assert clock.is_late == (clock.remaining < dt.timedelta(0))
        assert clock.elapsed >= dt.timedelta(0)
        if clock.calendar is None:
            assert clock.elapsed + clock.paused == clock.elapsed_wall


def test_the_cases_of_zammad_and_glpi_with_pauses(shared):
    """Due times with pauses of other systems' tests come out of the events too."""
    facts = json.loads((shared / "cases" / "peer_cases.json").read_text("utf-8"))
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    tried = 0
    for one in facts["cases"]:
        if one["area"] != "sla" or one["kind"] != "due_at":
            continue
        table = facts["calendars"][one["calendar"]]
        calendar = WorkingCalendar.weekly(
            table["tz"],
            {
                days[int(day)]: ["-".join(shift) for shift in shifts]
                for day, shifts in table["week"].items()
            },
            holidays=table["holidays"],
            special={
                day: ["-".join(shift) for shift in shifts]
                for day, shifts in table.get("special", {}).items()
            },
        )
        start = dt.datetime.fromisoformat(one["start"])
        expected = dt.datetime.fromisoformat(one["expect"])
        events = []
        for begin, end in one["pauses"]:
            events += [
                CaseEvent(
                    kind="waiting_for_customer", at=dt.datetime.fromisoformat(begin)
                ),
                CaseEvent(kind="customer_answered", at=dt.datetime.fromisoformat(end)),
            ]
        levels = ServiceLevels(
            reply_hours=None,
            solution_hours=None,
            callback_hours=None,
            targets=(
                Target(
                    name="solution",
                    minutes=str(one["business_minutes"]),
                    stops=("solved",),
                    calendar=calendar,
                    pausable=True,
                ),
            ),
        )
        ticket = Complaint(case_id=one["id"], received_at=start, events=events)
        answer = levels.decide(ticket, as_of=max(start, expected))
        assert answer["solution"].due_at == expected, one["id"]
        tried += 1

    assert tried >= 30


FRAMED = ("reply", "solution", "callback")
STOPS = {"reply": "replied", "solution": "solved", "callback": "callback"}


@st.composite
def framed_cases(draw):
    """Draw a case that a row can hold, with its row: pauses included."""
    order = [EventKind.REPLIED, EventKind.SOLVED, EventKind.CALLBACK]
    found = [event(kind, draw(st.integers(-3, 240))) for kind in order
             if draw(st.booleans())]  # fmt: skip
    solved = next((e.at for e in found if e.kind is EventKind.SOLVED), after(10_000))
    waits = sorted(draw(st.sets(st.integers(0, 200), max_size=5)))
    waits = [at for at in waits if after(at) < solved]
    for place, at in enumerate(waits):
        kind = "customer_answered" if place % 2 else "waiting_for_customer"
        found.append(event(kind, at))
    mark = draw(st.sampled_from(["food", "toys", None]))
    return case(*found, category=mark)


def row_of(one, levels, as_of):
    """Return the row of a frame for a case, worked out with the calendar alone."""
    row = {
        f"{kind}_at": next((e.at for e in one.events if e.kind == kind), None)
        for kind in ("replied", "solved", "callback")
    }
    row |= {"received_at": one.received_at, "category": one.category}
    since, pauses = None, []
    for each in one.history(as_of):
        if each.kind is EventKind.WAITING_FOR_CUSTOMER:
            since = each.at
        elif each.kind is EventKind.CUSTOMER_ANSWERED and since is not None:
            pauses.append((since, each.at))
            since = None
    row["paused_since"] = since
    clocks = levels.decide(one, as_of=as_of).clocks
    for clock in clocks:
        if clock.name not in FRAMED or clock.started_at is None:
            continue
        end = clock.stopped_at or as_of
        seconds = dt.timedelta(0)
        for begin, until in pauses:
            low, high = max(begin, clock.started_at), min(until, end)
            if low < high and clock.target.pausable:
                seconds += (
                    high - low
                    if clock.calendar is None
                    else clock.calendar.elapsed(low, high)
                )
        row[f"{clock.name}_paused_seconds"] = int(seconds.total_seconds())
    return row


def frame_of(cases, levels, as_of):
    """Return the frame of some cases."""
    frame = pd.DataFrame([row_of(one, levels, as_of) for one in cases])
    for name in frame.columns:
        if name.endswith(("_at", "_since")):
            frame[name] = pd.to_datetime(frame[name], utc=True)
    for name in FRAMED:
        column = f"{name}_paused_seconds"
        values = frame[column] if column in frame else pd.Series(0, frame.index)
        frame[column] = values.fillna(0).astype("int64")
    return frame


def due_is_open(clock):
    """
    Tell if a row that says only how long the pauses were leaves the due moment open.

    With no time left, a pause may lie before the due moment or begin at it.
    """
    return bool(clock.paused) and clock.remaining <= dt.timedelta(0)


FOOD = Target(name="reply", hours=6, stops=("replied",), categories=("food",))
DAYS = Target(name="reply", days=1, stops=("replied",), calendar=OFFICE)


@examples(2 / 3)
@given(
    cases=st.lists(framed_cases(), min_size=1, max_size=6),
    levels=POLICIES,
    targets=st.sampled_from([(), (FOOD,), (DAYS,)]),
    at=st.integers(0, 300),
)
def test_the_frame_says_what_the_single_case_says(cases, levels, targets, at):
    """States, due times, time left, levels and changes agree, row by row."""
    levels = attrs.evolve(levels, targets=targets, next_reply_hours=None)
    as_of, ahead = after(at), after(at + 30)
    states = levels.decide_frame(
        frame_of(cases, levels, as_of), as_of=as_of, forecast=ahead
    )
    for one, row in zip(cases, states.to_dict("records"), strict=True):
        answer = levels.decide(one, as_of=as_of)
        by_then = [clock.name for clock in answer.clocks if clock.is_breached_by(ahead)]
        for name in FRAMED:
            clock = answer[name]
            assert row[f"{name}_state"] == clock.state.value
            assert row[f"{name}_breached_by_forecast"] == (name in by_then)
            if clock.started_at is None:
                assert pd.isna(row[f"{name}_due_at"])
                assert pd.isna(row[f"{name}_remaining_seconds"])
                continue
            left = clock.remaining // dt.timedelta(seconds=1)
            assert row[f"{name}_remaining_seconds"] == left
            if not due_is_open(clock):
                assert row[f"{name}_due_at"] == clock.due_at
            if clock.target.levels:
                reached = sorted(clock.levels, key=lambda level: level.offset)
                last = reached[-1].name if reached else ""
                assert row[f"{name}_level"] == last
        turns = [clock.changes_at for clock in answer.clocks if clock.changes_at]
        until = min(turns, default=None)
        assert (None if pd.isna(row["changes_at"]) else row["changes_at"]) == until
        next_clock = answer.next_action.clock if answer.next_action else None
        shown_clock = None if pd.isna(row["next_clock"]) else row["next_clock"]
        if next_clock is None or shown_clock is None:
            assert next_clock == shown_clock
        else:
            first, second = answer[next_clock], answer[shown_clock]
            if due_is_open(first) or due_is_open(second):
                continue
            assert (first.due_at, first.is_late) == (second.due_at, second.is_late)


@pytest.mark.parametrize("engine", ["polars", "pyarrow", "duckdb"])
def test_frames_of_other_engines_give_the_same_states(engine):
    """The cases may come from any engine; the answer is a pandas frame."""
    module = pytest.importorskip(engine, reason=f"needs the extra that has {engine}")
    cases = [case(event("replied", 30)), case(event("solved", 3)), case()]
    plain = frame_of(cases, ServiceLevels(), after(40))
    if engine == "polars":
        other = module.from_pandas(plain)
    elif engine == "pyarrow":
        other = module.Table.from_pandas(plain)
    else:
        other = module.from_df(plain)
    expected = ServiceLevels().decide_frame(plain, as_of=after(40))
    found = ServiceLevels().decide_frame(other, as_of=after(40))

    for name in ("reply_state", "solution_state", "callback_state"):
        assert found[name].tolist() == expected[name].tolist()


def test_a_frame_without_zone_or_receipt_is_refused():
    """Naive columns, missing columns and a missing receipt are errors that say so."""
    good = frame_of([case()], ServiceLevels(), RECEIVED)
    naive = good.assign(received_at=good["received_at"].dt.tz_localize(None))
    empty = good.assign(received_at=pd.Series([pd.NaT], dtype="datetime64[us, UTC]"))

    with pytest.raises(ColumnTypeError, match="zone"):
        ServiceLevels().decide_frame(naive, as_of=RECEIVED)
    with pytest.raises(ColumnTypeError, match="row 1"):
        ServiceLevels().decide_frame(empty, as_of=RECEIVED)
    with pytest.raises(MissingColumnsError, match="solved_at"):
        ServiceLevels().decide_frame(good.drop(columns="solved_at"), as_of=RECEIVED)
    with pytest.raises(InvalidValueError, match="zone"):
        ServiceLevels().decide_frame(good, as_of=RECEIVED.replace(tzinfo=None))
    by_category = ServiceLevels(targets=(FOOD,))
    with pytest.raises(MissingColumnsError, match="category"):
        by_category.decide_frame(good.drop(columns="category"), as_of=RECEIVED)
    text = good.assign(solution_paused_seconds=1.5)
    with pytest.raises(ColumnTypeError, match="whole"):
        PAUSING.decide_frame(text, as_of=RECEIVED)
    below = good.assign(solution_paused_seconds=-1)
    with pytest.raises(InvalidValueError, match="below zero"):
        PAUSING.decide_frame(below, as_of=RECEIVED)


def test_an_empty_frame_stays_empty():
    """No cases give no rows and all columns."""
    none = frame_of([case()], ServiceLevels(), RECEIVED).iloc[:0]
    states = ServiceLevels().decide_frame(none, as_of=RECEIVED)

    assert len(states) == 0
    assert "callback_state" in states.columns


def test_a_dissatisfaction_recorded_twice_opens_one_second_callback():
    """A callback without satisfaction and the reopening after it are one matter."""
    back = case(event("callback", 10, satisfied=False), event("reopened", 11))
    answer = ServiceLevels().decide(back, as_of=after(20))

    numbers = [each for name, each in states(answer) if name == "second_callback"]
    assert numbers == [1]


def test_a_wait_after_the_due_time_does_not_move_it_in_a_frame():
    """A solution late at 48 h and waiting since 60 h was due at 48 h."""
    frame = frame_of([case(event("waiting_for_customer", 60))], PAUSING, after(80))
    row = PAUSING.decide_frame(frame, as_of=after(80)).iloc[0]

    assert row.solution_due_at == after(48)
    assert (row.solution_state, row.solution_remaining_seconds) == (
        "breached",
        -12 * 3600,
    )


def test_what_happened_before_a_clock_started_does_not_stop_it_in_a_frame():
    """A callback before the solution is not the callback after it."""
    levels = ServiceLevels(callback_from="solved")
    one = case(event("callback", 10), event("solved", 20))
    row = levels.decide_frame(frame_of([one], levels, after(30)), as_of=after(30))

    assert row.callback_state.tolist() == ["running"]


def test_a_solution_before_the_receipt_starts_the_callback_at_the_receipt():
    """A frame reads a moment before the receipt as the single case does."""
    levels = ServiceLevels(callback_from="solved")
    one = case(event("solved", -5))
    row = levels.decide_frame(frame_of([one], levels, after(1)), as_of=after(1))

    assert row.callback_due_at.tolist() == [after(168)]
    assert levels.decide(one, as_of=after(1))["callback"].due_at == after(168)


def test_a_forecast_names_only_what_is_still_in_time():
    """A reply late already is not announced as one that will be."""
    answer = ServiceLevels().decide(case(), as_of=after(30))

    assert answer.breaching_by(after(50)) == ("solution",)


def test_an_empty_calendar_is_refused():
    """A calendar that never opens fails at once: no clock ever loops over it."""
    with pytest.raises(ScheduleError, match="never opens"):
        ServiceLevels(calendar=WorkingCalendar.weekly("Asia/Shanghai", {}))
