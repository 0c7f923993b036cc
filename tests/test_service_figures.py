"""Promises of the service figures: shares, hours, causes and the hard cases."""

import datetime as dt
import json

import pandas as pd
import pytest

from memberops.errors import ColumnTypeError, InvalidValueError, MissingColumnsError
from memberops.metrics.service import complaint_counts, service_figures
from memberops.policies import Authority, HardCasePolicy, ServiceLevels, hard_cases

START = pd.Timestamp("2026-11-02T00:00Z")
WEEK_END = dt.datetime(2026, 11, 8, 23, 59, tzinfo=dt.UTC)


def moments(*hours):
    """Return moments some hours after the start; None has not happened."""
    return pd.to_datetime(
        pd.Series(
            [None if each is None else START + pd.Timedelta(hours=each)
             for each in hours]
        ),
        utc=True,
    )  # fmt: skip


def cases(**columns):
    """Return ten cases: nine replied after 1 to 9 hours, one after 30."""
    replied = [*range(1, 10), 30]
    facts = {
        "case_id": [f"K{number}" for number in range(10)],
        "received_at": moments(*[0] * 10),
        "replied_at": moments(*replied),
        "solved_at": moments(*[10] * 5, *[None] * 5),
        "callback_at": moments(*[None] * 10),
    }
    return pd.DataFrame(facts | columns)


def test_shares_and_hours_are_those_of_a_count_by_hand():
    """Nine of ten in time, mean 7.5 hours, the ninth smallest of ten is the 90 %."""
    states = ServiceLevels().decide_frame(cases(), as_of=WEEK_END)
    figures = service_figures(states).set_index("clock")

    reply = figures.loc["reply"]
    assert (reply.met, reply.met_late, reply.on_time_share) == (9, 1, 0.9)
    assert (reply.mean_hours, reply.p90_hours) == (7.5, 9.0)
    solution = figures.loc["solution"]
    assert (solution.met, solution.breached, solution.on_time_share) == (5, 5, 0.5)
    callback = figures.loc["callback"]
    assert callback.open == 10
    assert pd.isna(callback.on_time_share)
    assert "no case is due" in callback.undefined


def test_groups_add_up_to_the_whole():
    """The counts by store sum to those of the chain."""
    facts = cases(store_id=["S1"] * 4 + ["S2"] * 6)
    states = ServiceLevels().decide_frame(facts, as_of=WEEK_END)
    whole = service_figures(states).set_index("clock")
    parts = service_figures(states, by="store_id").groupby("clock")

    for column in ("cases", "met", "met_late", "breached", "open"):
        assert parts[column].sum().to_dict() == whole[column].to_dict()


def test_the_hours_of_a_real_year_are_the_reference(shared):
    """Met and late of 20 769 tickets give the reference's share; medians agree."""
    path = shared / "reference" / "uci_incident" / "sla_headline.json"
    known = json.loads(path.read_text("utf-8"))["uci_incident"]
    tickets = pd.read_parquet(
        shared / "data" / "uci_incident" / "tickets_derived.parquet"
    )
    names = {
        "opened_at": "received_at",
        "first_response_at": "replied_at",
        "resolved_at": "solved_at",
        "closed_at": "callback_at",
    }
    tickets = tickets.rename(columns=names)
    for column in names.values():
        tickets[column] = tickets[column].dt.tz_localize("UTC")
    at = dt.datetime.fromisoformat(known["as_of"]).replace(tzinfo=dt.UTC)
    states = ServiceLevels(callback_from="solved").decide_frame(tickets, as_of=at)
    figures = service_figures(states).set_index("clock")

    met, late = known["response_met_24h"], known["response_late_24h"]
    expected = met / (met + late + known["no_response_recorded"])
    assert figures.loc["reply", "on_time_share"] == expected
    assert figures.loc["reply", "p90_hours"] > known["median_response_h"]
    assert figures.loc["solution", "mean_hours"] > known["median_solution_h"]


def test_repeats_are_counted_by_category_and_cause():
    """The same member again with the same cause is a repeat; strangers are not."""
    facts = pd.DataFrame(
        {
            "category": ["price", "price", "price", "goods", None],
            "root_cause": ["label", "label", "label", "stale", None],
            "member_id": ["M1", "M1", None, "M1", "M2"],
            "received_at": moments(5, 1, 2, 3, 4),
        }
    )
    counted = complaint_counts(facts)

    assert counted.loc[0, ["category", "cases", "members", "repeats"]].tolist() == [
        "price", 3, 1, 1,
    ]  # fmt: skip
    assert counted["cases"].sum() == 5
    assert counted["share"].sum() == pytest.approx(1)
    assert counted.loc[0, "repeat_share"] == pytest.approx(1 / 3)


def test_the_hard_cases_say_why_and_whose():
    """Late, reopened and escalated cases are listed, closed and easy ones are not."""
    facts = cases(
        handler=[f"H{number}" for number in range(10)],
        category=["price"] * 10,
        resolution=["voucher", "refund", "refund"] + [None] * 7,
        reopened=[1] + [0] * 9,
        escalated_at=moments(None, 3, *[None] * 8),
        closed_at=moments(*[None] * 9, 40),
    )
    states = ServiceLevels().decide_frame(facts, as_of=WEEK_END)
    hard = hard_cases(states, as_of=WEEK_END).set_index("case_id")

    assert list(hard.index) == ["K0", "K1", "K5", "K6", "K7", "K8"]
    assert hard.loc["K0", "why_zh"] == "重新投诉"
    assert hard.loc["K1", "why_en"] == "escalated"
    assert hard.loc["K5", "why_en"] == "solution overdue"
    assert set(hard["usual_solution"]) == {"refund"}
    assert (hard.loc["K6", "owner"], hard.loc["K6", "age_hours"]) == ("H6", 167)


def test_what_is_not_there_is_an_error():
    """Missing columns, naive moments and an empty grouping are refused."""
    states = ServiceLevels().decide_frame(cases(), as_of=WEEK_END)

    with pytest.raises(MissingColumnsError, match="store_id"):
        service_figures(states, by="store_id")
    naive = states.assign(received_at=states["received_at"].dt.tz_localize(None))
    with pytest.raises(ColumnTypeError, match="zone"):
        service_figures(naive)
    with pytest.raises(MissingColumnsError, match="category"):
        complaint_counts(states)
    with pytest.raises(InvalidValueError, match="count by"):
        complaint_counts(states, by=())
    with pytest.raises(InvalidValueError, match="zone"):
        hard_cases(states, as_of=WEEK_END.replace(tzinfo=None))


def hard(policy=None, **columns):
    """Decide the hard cases among three that are still in time."""
    received = pd.to_datetime(["2026-11-07T23:00Z"] * 3)
    frame = pd.DataFrame({"case_id": ["K0", "K1", "K2"], "received_at": received})
    found = hard_cases(frame.assign(**columns), as_of=WEEK_END, policy=policy)
    return dict(zip(found["case_id"], found["why_zh"], strict=True))


def test_a_case_beyond_the_handlers_authority_is_hard():
    """More than the limit of its category is hard, exactly the limit is not."""
    policy = HardCasePolicy(
        authority=(Authority(amount=500), Authority(category="injury"))
    )
    asked = pd.array([50_000, 50_001, None], dtype="Int64")

    found = hard(policy, asked=asked, category=["price", "price", "injury"])

    assert found == {"K1": "超出处理权限", "K2": "超出处理权限"}
    assert hard(asked=asked) == {}


def test_who_was_not_satisfied_needs_a_second_callback():
    """A dissatisfied customer makes a case hard once called, if the policy minds."""
    called = moments(40, 40, 400)
    satisfied = ["yes", "no", "no"]

    found = hard(callback_at=called, satisfied=satisfied)

    assert found == {"K1": "顾客不满意，需二次回访"}
    mild = HardCasePolicy(dissatisfied=False)
    assert hard(mild, callback_at=called, satisfied=satisfied) == {}


def test_the_thresholds_of_hard_cases_are_a_policy():
    """How late, how often reopened, and whether an escalation counts is said there."""
    due = pd.to_datetime(["2026-11-07T12:00Z", "2026-11-07T11:59Z", None], utc=True)
    late = {"reply_state": ["breached"] * 2 + ["met"], "reply_due_at": due}
    half_a_day = int((WEEK_END - due[0].to_pydatetime()).total_seconds() // 3600)

    assert set(hard(**late)) == {"K0", "K1"}
    assert set(hard(HardCasePolicy(overdue_hours=half_a_day), **late)) == {"K0", "K1"}
    assert set(hard(HardCasePolicy(overdue_hours=half_a_day + 1), **late)) == {"K1"}
    again = {"reopened": [0, 1, 2]}
    assert set(hard(HardCasePolicy(reopenings=2), **again)) == {"K2"}
    up = {"escalated_at": moments(1, 400, None)}
    assert set(hard(**up)) == {"K0"}
    assert hard(HardCasePolicy(escalated=False), **up) == {}
    with pytest.raises(InvalidValueError):
        HardCasePolicy(reopenings=0)
