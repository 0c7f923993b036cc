"""Promises of mistakes that are told with the way out: levels, triggers, terms."""

import datetime as dt

import pandas as pd
import pytest

from memberops.errors import ConfigurationError, InvalidValueError, MissingColumnsError
from memberops.policies import (
    AtLeast,
    Exclusion,
    FeeWaiver,
    FixedTerm,
    VisitPolicy,
    kept,
    plan_visits,
)
from memberops.schedules import Period
from memberops.workflows import open_chain

CHAIN = """
name = "x"
currency = "CNY"
[sources.sales]
adapter = "csv"
path = "sales.csv"
[[policies.tiers.levels]]
name = "regular"
[[policies.tiers.levels]]
name = "vip"
"""


def test_a_threshold_beside_a_level_is_told_where_it_belongs(tmp_path):
    """The path, and the rule as it is written; no misspelled rule is swallowed."""
    file = tmp_path / "chain.toml"
    file.write_text(f'{CHAIN}spend = "5000"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        open_chain(file)
    assert "policies.tiers.levels.2.spend is not known" in str(caught.value)
    assert 'rule = { spend = "5000" }' in str(caught.value)


def planned(triggers):
    """Plan the visits of facts with these triggers."""
    facts = pd.DataFrame(
        {"member_id": "M1", "trigger": triggers, "on": pd.Timestamp("2026-11-01")}
    )
    return plan_visits(
        facts,
        pd.DataFrame({"member_id": ["M1"]}),
        period=Period.month(2026, 11),
        as_of=dt.date(2026, 11, 1),
        policy=VisitPolicy(),
    )


def test_an_unknown_trigger_is_named_with_the_nearest():
    """In both languages, with the number of facts."""
    (told,) = [
        each
        for each in planned(["purchse", "purchse", "purchase"]).findings
        if each.rule == "trigger-unknown"
    ]
    assert told.count == 2
    assert "'purchse'; did you mean 'purchase'?" in told.message_en
    assert "purchse" in told.message_zh


def test_what_stands_for_a_trigger_is_bounded_and_masked():
    """A phone number or a name in the wrong column is not shown."""
    strange = ["13812345678", "王小明", *("x" + "y" * n for n in range(1, 200))]
    (told,) = [
        each for each in planned(strange).findings if each.rule == "trigger-unknown"
    ]
    for message in (told.message_en, told.message_zh):
        assert "13812345678" not in message
        assert "王小明" not in message
        assert len(message) < 400


def test_a_year_that_would_always_roll_over_is_refused():
    """29 February is the first day of most years that begin on the 28th."""
    with pytest.raises(InvalidValueError, match="03-01"):
        FixedTerm.yearly("02-28", rollover="02-29")
    late = FixedTerm.yearly("02-28", rollover="03-01")
    assert late.term(dt.date(2027, 2, 28)).through == dt.date(2028, 2, 27)
    # Where the year begins in March, its last day rolls over, leap year or not.
    march = FixedTerm.yearly("03-01", rollover="02-29")
    assert march.term(dt.date(2027, 2, 28)).through == dt.date(2028, 2, 29)


def test_a_threshold_of_zero_holds_for_whatever_is_known():
    """In Python it is meant so, as documented; an unknown figure never meets it."""
    everybody = AtLeast("purchases", 0)
    assert everybody.read({"purchases": 0}).met
    assert not everybody.read({"purchases": None}).met


def test_an_unknown_figure_and_an_absent_exclusion_are_refused_by_name():
    """What no table tells is an error with its name, not a waiver for nobody."""
    tickets = pd.DataFrame({"ticket_id": ["T1"], "member_id": ["M1"]})
    with pytest.raises(MissingColumnsError, match="ticket_knd"):
        kept(tickets, [Exclusion("ticket_knd", ["gift_card"])])
    with pytest.raises(MissingColumnsError, match="referrals"):
        FeeWaiver(rule=AtLeast("referrals", 1)).decide_frame(
            pd.DataFrame({"card_id": ["C1"]})
        )
