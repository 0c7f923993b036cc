"""The audit sample, what was done of visits, and supplies that run out."""

import datetime as dt
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Currency
from memberops.errors import ColumnTypeError, InvalidValueError
from memberops.policies.audit_sample import AuditPolicy, audit_sample
from memberops.policies.coverage import (
    members_without_plan,
    visit_coverage,
    visits_by_store,
)
from memberops.policies.refill import Supply, supply_facts
from memberops.schedules import Period

WEEK = Period.week(2026, 45)
MONDAY = dt.date(2026, 11, 2)


def days(*texts):
    """Make a column of days."""
    return pd.Series(pd.to_datetime(list(texts))).astype("datetime64[us]")


def visits(number, store="S1", day="2026-11-03"):
    """Make after-sale visits of a store."""
    frame = pd.DataFrame({
        "visit_id": [f"{store}V{n}" for n in range(number)],
        "store_id": store,
        "member_id": [f"{store}M{n}" for n in range(number)],
    })  # fmt: skip
    frame["on"] = days(*[day] * number)
    return frame


def tickets(rows):
    """Make tickets from (ticket, store, member, day, amount)."""
    names = ["ticket_id", "store_id", "member_id", "sold_on", "amount"]
    frame = pd.DataFrame(rows, columns=names)
    frame["sold_on"] = days(*frame["sold_on"])
    return frame


@examples(1 / 2)
@given(sizes=st.lists(st.integers(0, 40), min_size=1, max_size=3),
       percent=st.integers(0, 100), seed=st.integers(0, 9))  # fmt: skip
def test_the_draw_is_the_share_of_each_store_in_any_row_order(sizes, percent, seed):
    """Each store gives its share, rounded up; shuffled or doubled rows change none."""
    every = pd.concat([visits(size, f"S{n}") for n, size in enumerate(sizes)])
    policy = AuditPolicy(visit_share=Fraction(percent, 100))
    options = {"period": WEEK, "seed": "2026-W45", "policy": policy}

    drawn = audit_sample(visits=every, **options).rows
    shuffled = pd.concat([every, every.head(3)]).sample(frac=1, random_state=seed)

    assert drawn.equals(audit_sample(visits=shuffled, **options).rows)
    counts = drawn["store_id"].value_counts()
    for number, size in enumerate(sizes):
        assert counts.get(f"S{number}", 0) == -(-size * percent // 100)


def test_another_seed_draws_others_and_each_is_as_likely():
    """Over 80 seeds each of 10 visits is drawn, none more than twice its share."""
    every = visits(10)
    found = [
        audit_sample(visits=every, period=WEEK, seed=str(n)).rows["source_id"].iloc[0]
        for n in range(80)
    ]

    counts = pd.Series(found).value_counts()
    assert len(counts) == 10
    assert counts.max() <= 16


def test_a_draw_of_last_week_only():
    """Visits outside the week are not drawn, its first and last day are."""
    all_ = AuditPolicy(visit_share=1)
    every = pd.concat([
        visits(1, "S1", "2026-11-01"), visits(1, "S2", "2026-11-02"),
        visits(1, "S3", "2026-11-08"), visits(1, "S4", "2026-11-09"),
    ])  # fmt: skip

    rows = audit_sample(visits=every, period=WEEK, seed="x", policy=all_).rows

    assert rows["store_id"].tolist() == ["S2", "S3"]
    assert rows["why_zh"].iloc[0] == "抽样：门店回访的 100%"


def test_many_tickets_a_day_on_one_card_are_abnormal():
    """Five tickets of a day, over all stores, are told; four, or returns, are not."""
    day = "2026-11-03"
    rows = [(f"A{n}", "S1" if n < 3 else "S2", "M1", day, 100) for n in range(5)]
    rows += [(f"B{n}", "S1", "M2", day, 100) for n in range(4)]
    rows += [("B9", "S1", "M2", day, -100)]
    rows += [(f"C{n}", "S1", None, day, 100) for n in range(9)]

    found = audit_sample(tickets=tickets(rows), period=WEEK, seed="x").rows

    assert found[["store_id", "member_id", "cause"]].to_numpy().tolist() == [
        ["S1", "M1", "many_tickets"],
        ["S2", "M1", "many_tickets"],
    ]
    assert found["why_en"].iloc[0] == "5 tickets on 2026-11-03"


def test_spend_far_outside_the_stores_own_is_abnormal():
    """
    Members 1..20 spend 1..20: Q1 = 5, Q3 = 15, so the fence is 15 + 3 x 10 = 45.

    One who spends 45 in place of 20 is inside, one who spends 46 is not; and a
    store of large buyers has its own fence.
    """

    def found(last):
        rows = [(f"T{n}", "S1", f"M{n}", "2026-11-03", n) for n in range(1, 20)]
        rows += [("T20", "S1", "M20", "2026-11-03", last)]
        rows += [(f"U{n}", "S2", f"N{n}", "2026-11-03", 1000 * n) for n in range(20)]
        answer = audit_sample(tickets=tickets(rows), period=WEEK, seed="x")
        assert answer.findings == ()
        return answer.rows["member_id"].tolist()

    assert found(45) == []
    assert found(46) == ["M20"]


def test_abnormal_spend_is_told_in_the_currency_not_in_its_minor_units():
    """A fence of 45 minor units is 0.45 yuan to a reader, and 45 yen in Japan."""
    rows = [(f"T{n}", "S1", f"M{n}", "2026-11-03", n) for n in range(1, 20)]
    rows += [("T20", "S1", "M20", "2026-11-03", 46)]

    def said(**options):
        drawn = audit_sample(tickets=tickets(rows), period=WEEK, seed="x", **options)
        return drawn.rows["why_zh"].item(), drawn.rows["why_en"].item()

    assert said() == (
        "消费 0.46 元，超出门店界限 0.45 元",
        "spend ¥0.46 above the store's fence ¥0.45",
    )
    assert "45" in said(currency=Currency("JPY"))[1]
    assert "0.45" not in said(currency=Currency("JPY"))[1]


def test_a_store_too_small_is_not_judged_and_it_is_told():
    """With 19 members, or no spread, the spend has no fence: a finding says so."""
    small = [(f"T{n}", "S1", f"M{n}", "2026-11-03", 10**n) for n in range(10)]
    flat = [(f"U{n}", "S2", f"N{n}", "2026-11-03", 5) for n in range(25)]

    answer = audit_sample(tickets=tickets(small + flat), period=WEEK, seed="x")

    assert answer.rows.empty
    assert [(f.rule, f.count) for f in answer.findings] == [("spend-not-judged", 2)]


def test_discounts_without_a_sale_are_abnormal():
    """A discount needs its ticket, or a sale there that day, above zero."""
    sales = tickets([
        ("T1", "S1", "M1", "2026-11-03", 100), ("T2", "S1", "M2", "2026-11-03", 0),
        ("T3", "S1", "M3", "2026-11-03", 100),
    ])  # fmt: skip
    used = pd.DataFrame({
        "discount_id": ["D1", "D2", "D3", "D4"],
        "store_id": "S1",
        "member_id": ["M1", "M2", "M3", "M3"],
        "ticket_id": ["T1", "T2", None, "T9"],
    })  # fmt: skip
    used["on"] = days(*["2026-11-03"] * 4)

    rows = audit_sample(tickets=sales, discounts=used, period=WEEK, seed="x").rows

    assert rows["source_id"].tolist() == ["D2", "D4"]
    assert set(rows["cause"]) == {"discount_without_sale"}
    with pytest.raises(InvalidValueError, match="give tickets too"):
        audit_sample(discounts=used, period=WEEK, seed="x")
    with pytest.raises(InvalidValueError, match="exact"):
        AuditPolicy(visit_share=0.1)


def plan_frame():
    """Make a plan of two stores: four visits to make, one dropped."""
    frame = pd.DataFrame({
        "visit_id": ["V1", "V2", "V3", "V4", "V5"],
        "store_id": ["S1", "S1", "S1", "S2", "S1"],
        "member_id": ["M1", "M2", "M3", "M4", "M5"],
        "kind": "care", "channel": "phone", "by": "store",
        "state": ["planned", "moved", "planned", "planned", "dropped"],
    })  # fmt: skip
    frame["day"] = days("2026-11-02", "2026-11-03", "2026-11-20", "2026-11-03", None)
    frame["last_on"] = days("2026-11-04", "2026-11-04", *["2026-11-25"] * 3)
    return frame


def test_coverage_keeps_its_figures_and_says_what_is_undefined():
    """S1: 2 planned until the 5th, both done, 1 in time; S2 has done none."""
    records = pd.DataFrame({
        "visit_id": ["V1", "V1", "V2", "V4", "V9"],
        "outcome": ["not_reached", "done", "done", "not_reached", "done"],
        "answered": [False, True, False, False, True],
    })  # fmt: skip
    records["done_on"] = days("2026-11-02", "2026-11-04", "2026-11-05",
                              "2026-11-03", "2026-11-03")  # fmt: skip

    answer = visit_coverage(plan_frame(), records, as_of=dt.date(2026, 11, 5))

    first, second = answer.rows.to_dict("records")
    assert first == {
        "store_id": "S1", "planned": 2, "done": 2, "on_time": 1, "answered": 1,
        "coverage": 1.0, "on_time_share": 0.5, "answer_share": 0.5, "undefined": "",
    }  # fmt: skip
    assert (second["planned"], second["done"], second["coverage"]) == (1, 0, 0.0)
    assert pd.isna(second["on_time_share"])
    assert second["undefined"] == "on_time_share: done = 0; answer_share: done = 0"
    assert [(f.rule, f.count) for f in answer.findings] == [("visit-unknown", 1)]


def test_the_plan_of_all_stores_names_the_silent_one():
    """HQ consolidates: visits by store, and the store that handed in none."""
    rows = visits_by_store(plan_frame(), stores=["S1", "S2", "S3"])

    names = ["store_id", "visits", "moved", "dropped"]
    assert rows[names].to_numpy().tolist() == [
        ["S1", 3, 1, 1],
        ["S2", 1, 0, 0],
        ["S3", 0, 0, 0],
    ]


def test_members_nobody_plans_to_contact():
    """Listed: no visit ahead, and none for 30 days or ever; 29 days are too few."""
    members = pd.DataFrame({"member_id": ["M1", "M2", "M3", "M4", "M9"]})
    contacts = pd.DataFrame({"member_id": ["M1", "M2", "M2"]})
    contacts["on"] = days("2026-10-06", "2026-10-07", "2026-01-01")

    rows = members_without_plan(
        members, plan_frame(), contacts, days=30, as_of=dt.date(2026, 11, 5)
    )

    assert rows["member_id"].tolist() == ["M1", "M4", "M9"]
    assert rows["days"].tolist()[0] == 30
    assert rows["days"].isna().tolist() == [False, True, True]


@settings(max_examples=30)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(1, 400), st.integers(1, 9), st.integers(1, 9),
            st.dates(dt.date(2024, 1, 1), dt.date(2028, 1, 1)),
        ), min_size=1, max_size=8,
    )
)  # fmt: skip
def test_a_supply_runs_out_when_a_dose_is_not_covered(rows):
    """By count: the last day covered is the last with enough left; frame == one."""
    frame = pd.DataFrame(
        [row[:3] for row in rows], columns=["units", "dose_units", "dose_days"]
    ).assign(member_id="M1")
    frame["started_on"] = days(*[row[3] for row in rows])

    facts = supply_facts(frame)

    for (units, dose, in_days, start), on in zip(rows, facts["on"], strict=True):
        covered = 0
        while Fraction(dose, in_days) * (covered + 1) <= units:
            covered += 1
        supply = Supply(member_id="M1", started_on=start, units=units,
                        dose_units=dose, dose_days=in_days)  # fmt: skip
        assert supply.fact().on == on.date() == start + dt.timedelta(days=covered - 1)


def test_doses_are_whole_numbers():
    """A float dose or a supply of nothing is refused, with the way to write it."""
    frame = pd.DataFrame({"member_id": ["M1"], "units": [60], "dose_units": [0.5]})
    frame["started_on"] = days("2026-11-01")

    with pytest.raises(ColumnTypeError, match="dose_days=2"):
        supply_facts(frame)
    with pytest.raises(InvalidValueError, match="1 or more"):
        Supply(member_id="M1", started_on=MONDAY, units=0)
