"""A real year of tickets: counts and snapshots equal an independent count."""

import datetime as dt
import json

import pandas as pd
import pytest

from memberops.policies import ServiceLevels

LEVELS = ServiceLevels(callback_from="solved")
"""A reply in 24 h, a solution in 48 h, and a callback in 7 days of the solution."""


@pytest.fixture(scope="module")
def tickets(shared):
    """Return the tickets as cases; the close stands in for the callback."""
    frame = pd.read_parquet(
        shared / "data" / "uci_incident" / "tickets_derived.parquet"
    )
    columns = {
        "opened_at": "received_at",
        "first_response_at": "replied_at",
        "resolved_at": "solved_at",
        "closed_at": "callback_at",
    }
    cases = frame.rename(columns=columns)
    for column in columns.values():
        cases[column] = cases[column].dt.tz_localize("UTC")
    return cases


@pytest.fixture(scope="module")
def headline(shared):
    """Return the counts of the reference."""
    path = shared / "reference" / "uci_incident" / "sla_headline.json"
    return json.loads(path.read_text("utf-8"))["uci_incident"]


def moment(text):
    """Return a moment of the reference; its wall clock is read as UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def counts(states, name):
    """Count the states of a clock: met, late, overdue and pending."""
    found = states[f"{name}_state"].value_counts()
    return {
        "met": found["met"],
        "late": found["met_late"],
        "overdue_open": found["breached"],
        "pending": found["running"] + found["due_soon"],
    }


def test_the_whole_year_is_decided_in_one_call(tickets, headline):
    """20 769 tickets at the end: met, late and missing, as the reference counts."""
    states = LEVELS.decide_frame(tickets, as_of=moment(headline["as_of"]))
    reply, solution, callback = (
        counts(states, name) for name in ("reply", "solution", "callback")
    )

    assert len(states) == headline["tickets"] == 20_769
    assert reply == {
        "met": headline["response_met_24h"],
        "late": headline["response_late_24h"],
        "overdue_open": headline["no_response_recorded"],
        "pending": 0,
    }
    assert solution == {
        "met": headline["solution_met_48h"],
        "late": headline["solution_late_48h"],
        "overdue_open": headline["no_resolution_recorded"],
        "pending": 0,
    }
    assert callback == {
        "met": headline["closed_within_7d_of_solution"],
        "late": headline["closed_late_7d_after_solution"],
        "overdue_open": 0,
        "pending": 0,
    }
    not_started = (states["callback_state"] == "not_started").sum()
    assert not_started == headline["no_resolution_recorded"]


def test_callbacks_counted_from_the_receipt_and_first_touches_agree(tickets, headline):
    """The other readings of the reference: 7 days of the receipt, any first touch."""
    end = moment(headline["as_of"])
    early = ServiceLevels().decide_frame(tickets, as_of=end)
    touched = tickets.assign(replied_at=tickets["first_touch_at"].dt.tz_localize("UTC"))
    touches = LEVELS.decide_frame(touched, as_of=end)

    late = (early["callback_state"] == "met_late").sum()
    assert late == headline["closed_late_7d_after_open"]
    found = (touches["reply_state"] == "met_late").sum()
    assert found == headline["first_touch_late_24h"]


def test_exactly_the_target_is_met(tickets, headline):
    """The one reply at exactly 24 h and the one solution at exactly 48 h are met."""
    states = LEVELS.decide_frame(tickets, as_of=moment(headline["as_of"]))
    for name, known in (
        ("reply", headline["response_exactly_24h"]),
        ("solution", headline["solution_exactly_48h"]),
    ):
        exact = states[
            (states[f"{name}_remaining_seconds"] == 0)
            & states[f"{name}_state"].isin(["met", "met_late"])
        ]
        assert len(exact) == known
        assert set(exact[f"{name}_state"]) == {"met"}


def test_the_four_snapshots_are_the_reference(tickets, shared):
    """At four moments of the year every state has the reference's count."""
    path = shared / "reference" / "uci_incident" / "uci_snapshots.csv"
    snapshots = pd.read_csv(path)
    assert len(snapshots) == 4
    for snapshot in snapshots.itertuples():
        at = moment(snapshot.as_of)
        states = LEVELS.decide_frame(tickets, as_of=at)
        opened = states[states["reply_state"] != "not_started"]
        assert len(opened) == snapshot.opened
        for ours, theirs in (
            ("reply", "response"), ("solution", "solution"), ("callback", "callback"),
        ):  # fmt: skip
            for state, count in counts(opened, ours).items():
                assert count == getattr(snapshot, f"{theirs}_{state}"), (
                    at,
                    ours,
                    state,
                )


def test_the_months_of_receipt_are_the_reference(tickets, headline, shared):
    """What was met, by the month of the receipt."""
    path = shared / "reference" / "uci_incident" / "uci_by_month.csv"
    expected = pd.read_csv(path).set_index("month")
    states = LEVELS.decide_frame(tickets, as_of=moment(headline["as_of"]))
    month = states["received_at"].dt.strftime("%Y-%m-01")
    for ours, theirs in (
        ("reply", "response"), ("solution", "solution"), ("callback", "callback"),
    ):  # fmt: skip
        met = (states[f"{ours}_state"] == "met").groupby(month).sum()
        assert met.to_dict() == expected[f"{theirs}_met"].to_dict()
