"""Gaps, times of day and odd words in the frames of membership policies."""

import datetime as dt

import pandas as pd
import pytest

from memberops.domain import Card
from memberops.errors import ColumnTypeError, ConfigurationError, InvalidValueError
from memberops.policies import (
    AllOf,
    AnyOf,
    AtLeast,
    CardState,
    FeeWaiver,
    PremiumPolicy,
    ProfileAudit,
    StatusRule,
    StatusRules,
    Tier,
    TierPolicy,
    check_submissions,
    expiring_members,
    possible_duplicates,
    tier_outlook,
    waiver_evidence,
)
from memberops.policies.lunar_words import read_lunar_birthday
from memberops.schedules import Period
from memberops.workflows import parse_settings

NOVEMBER = Period.month(2026, 11)
CARD = Card(
    card_id="C1",
    member_id="M1",
    valid_from=dt.date(2026, 1, 1),
    valid_through=dt.date(2026, 12, 31),
)


def days(*texts):
    """A column of days, None for a gap."""
    return pd.Series(pd.to_datetime(list(texts))).astype("datetime64[us]")


def submissions(submitted_on, as_of):
    """The states of the stores S1 and S2 when S1 submitted at the moments given."""
    submitted = pd.DataFrame(
        {
            "store_id": pd.Series(["S1"] * len(submitted_on), dtype="str"),
            "submitted_on": pd.Series(submitted_on, dtype="datetime64[us]"),
        }
    )
    lists = pd.DataFrame({"store_id": ["S1"], "member_id": ["M1"]})
    stores = pd.DataFrame({"store_id": ["S1", "S2"]})
    return check_submissions(
        submitted, lists, stores, month=NOVEMBER, as_of=as_of, required=("member_id",)
    ).stores


def test_before_any_list_came_every_store_is_awaited_and_then_missing():
    """With no list yet all stores are awaited through the due day, then missing."""
    for came in ([], ["2026-11-20"]):
        early = submissions(pd.to_datetime(came), dt.date(2026, 11, 3))
        late = submissions(pd.to_datetime(came), dt.date(2026, 11, 5))
        assert early["state"].tolist() == ["awaited"] * 2
        assert late["state"].tolist() == ["missing"] * 2
        assert late["days_late"].tolist() == [2, 2]


def test_a_list_that_came_in_the_afternoon_came_on_that_day():
    """The time of day of a submission does not make it late, or unknown."""
    found = submissions([pd.Timestamp("2026-11-03 17:00")], dt.date(2026, 11, 3))
    assert found["state"].tolist() == ["on_time", "awaited"]
    assert str(found["submitted_on"][0]) == "2026-11-03 00:00:00"


def test_lists_are_due_on_the_day_of_the_premium_policy():
    """The day by which lists are due is told once, in the policy."""
    stores = pd.DataFrame({"store_id": ["S1"]})
    check = check_submissions(
        pd.DataFrame({"store_id": ["S1"], "submitted_on": days("2026-11-02")}),
        pd.DataFrame({"store_id": ["S1"]}),
        stores,
        month=NOVEMBER,
        as_of=dt.date(2026, 11, 5),
        required=(),
    )
    assert check.due.day == PremiumPolicy().due_day


def test_a_ticket_without_a_day_is_named_and_does_not_count():
    """The evidence lists a ticket that lacks its day; the figures are those without."""
    tickets = pd.DataFrame(
        {
            "ticket_id": ["T1", "T2"],
            "member_id": ["M1", "M1"],
            "sold_on": days("2026-05-01", None),
            "amount": [100, 200],
        }
    )
    cards = pd.DataFrame(
        {
            "card_id": ["C1", "C2"],
            "member_id": ["M1", "M1"],
            "valid_from": days("2026-01-01", "2026-01-01"),
            "valid_through": days("2026-12-31", None),
        }
    )
    found = waiver_evidence(FeeWaiver(), CARD, tickets, as_of=dt.date(2026, 11, 5))
    frame = FeeWaiver().figures(tickets, cards, as_of=dt.date(2026, 11, 5))
    assert [(line.ticket_id, line.rule) for line in found.lines] == [
        ("T1", "purchase"),
        ("T2", "no_day"),
    ]
    assert (found.purchases, found.spend.minor) == (1, 100)
    assert frame[["card_id", "purchases", "spend"]].to_numpy().tolist() == [
        ["C1", 1, 100]
    ]
    assert found.to_frame()["sold_on"].isna().tolist() == [False, True]


def test_evidence_never_cuts_a_fraction_off_an_amount():
    """Amounts that are no whole minor units are refused, as the figures refuse them."""
    tickets = pd.DataFrame(
        {"member_id": ["M1"], "sold_on": days("2026-05-01"), "amount": [99999.99]}
    )
    with pytest.raises(ColumnTypeError, match="minor units"):
        waiver_evidence(FeeWaiver(), CARD, tickets, as_of=dt.date(2026, 11, 5))


def test_the_list_of_expiring_members_is_what_the_card_state_says():
    """No card is listed that is pending through the run month, or lacks a day."""
    cards = pd.DataFrame(
        {
            "card_id": ["C1", "C2", "C3", "C4"],
            "member_id": ["M1", "M2", "M3", "M4"],
            "valid_from": days("2026-11-01", "2026-10-15", "2025-12-01", "2025-12-01"),
            "valid_through": days("2026-11-30", "2026-11-30", "2026-11-30", None),
            "purchases": [0] * 4,
            "spend": [0] * 4,
        }
    )
    month = Period.month(2026, 10)
    listed = expiring_members(
        cards.drop(columns=["purchases", "spend"]),
        cards,
        month=month,
        waiver=FeeWaiver(),
    )
    states = CardState().decide_frame(cards.iloc[:3], as_of=month.through)
    expiring = states.loc[states["state"] == "expiring", "card_id"]
    assert listed["card_id"].tolist() == expiring.tolist() == ["C2", "C3"]


@pytest.mark.parametrize("gap", [None, float("nan"), pd.NaT, pd.NA])
def test_whatever_pandas_has_for_a_gap_is_an_empty_field(gap):
    """A profile read from a frame is audited as the frame is."""
    audit = ProfileAudit(required=("name", "birth_date"), plausible=("birth_date",))
    answer = audit.decide({"name": gap, "birth_date": gap}, as_of=NOVEMBER.start)
    frame = audit.decide_frame(
        pd.DataFrame(
            {"member_id": ["M1"], "name": pd.Series([gap], dtype=object)}
        ).assign(birth_date=pd.NaT),
        as_of=NOVEMBER.start,
    )
    assert answer.outcome == "incomplete"
    assert [reason.rule for reason in answer.reasons] == [
        "missing:name",
        "missing:birth_date",
    ]
    assert frame["missing"].tolist() == ["name; birth_date"]


def test_a_day_with_a_time_is_that_day_everywhere():
    """Noon of a day is in the day: no birth of today lies in the future."""
    noon = pd.to_datetime(["2026-11-05 12:00"])
    day = dt.date(2026, 11, 5)
    audit = ProfileAudit(required=("name",), plausible=("birth_date",))
    people = pd.DataFrame(
        {
            "member_id": ["M1"],
            "name": [None],
            "store_id": ["S1"],
            "birth_date": noon,
            "joined_on": noon,
        }
    )
    assert audit.decide_frame(people, as_of=day)["implausible"].tolist() == [""]
    assert len(audit.daily_list(people, as_of=day, entered=Period.day(day))) == 1
    rows = pd.DataFrame({"join": noon, "start": noon, "end": noon})
    assert StatusRules().decide_frame(rows, as_of=day)["status"].tolist() == ["New"]


def test_a_card_without_a_kind_is_an_ordinary_one():
    """A gap in the kind reads as where no kind is said."""
    rules = StatusRules(
        rules=[
            StatusRule("Plain", "start", "end", kinds=["standard"]),
            StatusRule("Any", "start", "end"),
        ]
    )
    rows = pd.DataFrame(
        {
            "start": days("2026-01-01", "2026-01-01", "2026-01-01"),
            "end": days("2026-12-31", "2026-12-31", "2026-12-31"),
            "kind": pd.Series(["standard", None, "gold"], dtype="str"),
        }
    )
    found = rules.decide_frame(rows, as_of=dt.date(2026, 5, 1))
    assert found["status"].tolist() == ["Plain", "Plain", "Any"]


def test_no_member_falls_below_the_floor_for_a_misspelled_level():
    """An unknown level is told, and the floor that was given on purpose holds."""
    policy = TierPolicy(levels=(Tier("r"), Tier("v", AtLeast("purchases", 3))))
    day = dt.date(2026, 11, 5)
    rows = pd.DataFrame(
        {
            "purchases": [0, 0, 3],
            "level": ["VIP", "VIP", "VIP"],
            "since": days("2026-01-01", "2026-01-01", "2026-01-01"),
            "floor": pd.Series(["v", None, None], dtype="str"),
        }
    )
    decided = policy.decide_frame(rows, as_of=day)
    assert decided["tier"].tolist() == ["v", "r", "v"]
    assert decided["change"].tolist() == ["unknown_level"] * 3
    outlook = tier_outlook(policy, decided, as_of=day)
    assert outlook["review_on"].isna().tolist() == [True, True, False]


def test_names_that_only_fill_the_field_make_nobody_a_duplicate():
    """Two members called 未知 or N/A are not one person."""
    people = pd.DataFrame(
        {
            "member_id": ["M1", "M2", "M3", "M4", "M5", "M6"],
            "name": ["未知", "未知", "N/A", "n/a", "李雷", "李雷"],
            "phone": [None] * 6,
            "birth_date": days(*["1990-01-01"] * 6),
        }
    )
    assert possible_duplicates(people)["member_id"].tolist() == ["M5", "M6"]


@pytest.mark.parametrize(
    ("text", "month", "day"),
    [
        ("八月廿", 8, 20),
        ("八月廿三", 8, 23),
        ("十二月卅", 12, 30),
        ("元月初一", 1, 1),
        ("八月15日", 8, 15),
        ("8月十五", 8, 15),
    ],
)
def test_lunar_days_are_read_as_people_write_them(text, month, day):
    """廿, 卅, 元月 and figures among the words name the day that they name."""
    found = read_lunar_birthday(text)
    assert found is not None
    assert (found.month, found.day, found.leap) == (month, day, False)


def test_steps_of_spend_are_amounts():
    """A threshold may have a part of the main unit, to the last minor unit."""
    policy = PremiumPolicy(spend_steps=("100.50",), spend_weight=1, least_points=1)
    day = dt.date(2026, 11, 1)
    rows = pd.DataFrame(
        {
            "store_id": ["S1", "S1"],
            "member_id": ["M1", "M2"],
            "spend": [10049, 10050],
            "purchases": [0, 0],
            "referrals": [0, 0],
            "last_purchase_on": days(None, None),
        }
    )
    assert policy.select(rows, as_of=day)["member_id"].tolist() == ["M2"]
    for wrong in ((), (0,), ("2", "1"), (1.5,), ("x",)):
        with pytest.raises(InvalidValueError):
            PremiumPolicy(spend_steps=wrong)


def test_a_purchase_later_than_the_day_asked_for_is_not_known_yet():
    """It keeps nobody alive, in one case and in a frame."""
    policy = PremiumPolicy(purchase_steps=(1,), least_points=1)
    day, later = dt.date(2026, 1, 1), dt.date(2026, 1, 2)
    answer = policy.decide(
        spend=0, purchases=9, referrals=0, last_purchase_on=later, as_of=day
    )
    rows = pd.DataFrame(
        {
            "store_id": ["S1"],
            "member_id": ["M1"],
            "spend": [0],
            "purchases": [9],
            "referrals": [0],
            "last_purchase_on": days("2026-01-02"),
        }
    )
    assert answer.outcome == "not_premium"
    assert policy.select(rows, as_of=day).empty
    assert len(policy.select(rows, as_of=later)) == 1


def test_no_level_is_one_that_nobody_can_have():
    """A level whose rule always meets that of a higher one is refused, no other."""
    for low, high in (
        (AtLeast("spend", 5000), AtLeast("spend", 100)),
        (AtLeast("purchases", 3), AnyOf(AtLeast("purchases", 3), AtLeast("spend", 1))),
        (AllOf(AtLeast("purchases", 3), AtLeast("spend", 5)), AtLeast("spend", 5)),
    ):
        with pytest.raises(InvalidValueError, match="nobody can have the level 'v'"):
            TierPolicy(levels=(Tier("r"), Tier("v", low), Tier("s", high)))
        TierPolicy(levels=(Tier("r"), Tier("s", high), Tier("v", low)))


def test_a_rule_of_a_chain_file_asks_for_more_than_nothing():
    """A threshold of 0, which everybody meets, is refused by its path."""
    text = (
        'name="x"\ncurrency="CNY"\nzone="Asia/Shanghai"\n'
        '[sources.sales]\nadapter="csv"\npath="s.csv"\n'
        "[policies.fee_waiver]\nrule={spend=0}\n"
    )
    with pytest.raises(ConfigurationError, match=r"rule\.spend must be above 0"):
        parse_settings(text)
