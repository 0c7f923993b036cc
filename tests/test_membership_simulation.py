"""Promises of the simulation: each policy's answers over history, and who changes."""

import datetime as dt

import attrs
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Currency
from memberops.errors import (
    CurrencyMismatchError,
    InvalidValueError,
    MissingColumnsError,
)
from memberops.policies import (
    Exclusion,
    FeeWaiver,
    KindFee,
    MembershipFee,
    simulate,
    waiver_evidence,
)
from memberops.schedules import Period
from test_fee_waiver import in_engine, ledgers

POLICIES = {
    "today": FeeWaiver(),
    "calendar": FeeWaiver(year="calendar", version="2"),
    "staff out": FeeWaiver(
        purchases=1, exclusions=[Exclusion("ticket_kind", ["staff"])], version="3"
    ),
    "second year free": FeeWaiver(free_years=2, version="4"),
}
FEES = MembershipFee(renewal=100, by_kind=[KindFee("gold", 250)])
COUNTS = ["cards", "waived", "fee_due", "fee_income", "fee_waived", "changed"]
CARDS = pa.schema(
    [(n, pa.string()) for n in ("card_id", "member_id", "kind", "store_id")]
    + [(n, pa.date32()) for n in ("valid_from", "valid_through", "anchor")]
)
TICKETS = pa.schema(
    [
        ("member_id", pa.string()),
        ("sold_on", pa.date32()),
        ("amount", pa.int64()),
        ("ticket_kind", pa.string()),
    ]
)


@pytest.mark.parametrize("engine", ["pandas", "polars", "polars-lazy", "pyarrow"])
@examples(1 / 15)
@given(ledgers(), st.data())
def test_the_simulation_is_the_sum_of_single_decisions(engine, ledger, data):
    """Each figure is what one-by-one decisions by the evidence of each card give."""
    cards, tickets, as_of = ledger
    cards = [
        attrs.evolve(
            each,
            kind=data.draw(st.sampled_from(["standard", "gold"])),
            store_id=data.draw(st.sampled_from(["S1", "S2", None])),
        )
        for each in cards
    ]
    tickets = [
        ticket | {"ticket_kind": data.draw(st.sampled_from([None, "staff"]))}
        for ticket in tickets
    ]
    rows = [{name: getattr(each, name) for name in CARDS.names} for each in cards]
    found = simulate(
        POLICIES,
        tickets=in_engine(tickets, TICKETS, engine),
        cards=in_engine(rows, CARDS, engine),
        as_of=as_of,
        fees=FEES,
        tiers=pd.DataFrame({"member_id": ["M1"], "tier": ["vip"]}),
    )
    ended = [each for each in cards if each.valid_through <= as_of]
    sold = in_engine(tickets, TICKETS, "pandas")
    answers = {}
    for name, waiver in POLICIES.items():
        for each in ended:
            decision = waiver_evidence(waiver, each, sold, as_of=as_of).decision
            answers[name, each.card_id] = decision
    for row in found.by_policy.to_dict("records"):
        mine = {e.card_id: answers[row["policy"], e.card_id].waived for e in ended}
        due = [each for each in ended if not mine[each.card_id]]
        free = [each for each in ended if mine[each.card_id]]
        changed = [
            e for e in ended if mine[e.card_id] != answers["today", e.card_id].waived
        ]
        assert [row[name] for name in COUNTS] == [
            len(ended),
            len(free),
            len(due),
            sum(FEES.renewal_minor(each.kind) for each in due),
            sum(FEES.renewal_minor(each.kind) for each in free),
            len(changed),
        ]
    for name in POLICIES:
        whole = found.by_policy[found.by_policy["policy"] == name][COUNTS].sum()
        for part in (found.by_store, found.by_tier):
            assert part[part["policy"] == name][COUNTS].sum().equals(whole)
    differing = {
        each.card_id
        for each in ended
        if len({answers[name, each.card_id].waived for name in POLICIES}) > 1
    }
    assert set(found.changed["card_id"]) == differing
    for row in found.changed.to_dict("records"):
        for name in POLICIES:
            decision = answers[name, row["card_id"]]
            assert row[f"waived_{name}"] == decision.waived
            said = row[f"{name}_zh"]
            free = decision.grounds.units[0][0] == "free_years"
            assert said == (
                "已免年费：在免费年度内" if free else decision.explain("zh")
            ) or (free and said.startswith("已免年费"))


def frames() -> dict:
    """Make two members of two stores, one of whom a lower threshold frees."""
    return {
        "cards": pd.DataFrame(
            {
                "card_id": ["C1", "C2", "C3"],
                "member_id": ["M1", "M2", "M3"],
                "valid_from": pd.to_datetime(["2025-01-01"] * 2 + ["2025-06-01"]),
                "valid_through": pd.to_datetime(["2025-12-31"] * 2 + ["2026-05-31"]),
            }
        ),
        "tickets": pd.DataFrame(
            {
                "member_id": ["M1", "M2", "M2"],
                "sold_on": pd.to_datetime(["2025-12-31", "2025-01-01", "2026-01-01"]),
                "amount": [60_000, 40_000, 90_000],
            }
        ),
        "members": pd.DataFrame(
            {"member_id": ["M1", "M2"], "store_id": ["S1", "S2"], "name": "王小明"}
        ),
        "stores": pd.DataFrame(
            {"store_id": ["S1", "S2"], "region_id": ["east", "west"]}
        ),
        "tiers": pd.DataFrame({"member_id": ["M1"], "tier": ["vip"]}),
        "as_of": dt.date(2026, 3, 1),
        "fees": MembershipFee(renewal=100),
    }


def test_who_would_pay_by_store_and_tier():
    """Each store, region and tier has its cards, its fees and its changes."""
    found = simulate(
        {"today": FeeWaiver(), "lower": FeeWaiver(spend=500, version="2")}, **frames()
    )

    assert found.by_store.to_dict("list") == {
        "policy": ["today", "today", "lower", "lower"],
        "policy_id": ["fee-waiver"] * 4,
        "version": ["1", "1", "2", "2"],
        "store_id": ["S1", "S2", "S1", "S2"],
        "region_id": ["east", "west", "east", "west"],
        "cards": [1, 1, 1, 1],
        "waived": [0, 0, 1, 0],
        "fee_due": [1, 1, 0, 1],
        "fee_income": [10_000, 10_000, 0, 10_000],
        "fee_waived": [0, 0, 10_000, 0],
        "changed": [0, 0, 1, 0],
    }
    assert found.by_tier[["policy", "tier", "fee_income"]].to_numpy().tolist() == [
        ["today", "", 10_000],
        ["today", "vip", 10_000],
        ["lower", "", 10_000],
        ["lower", "vip", 0],
    ]
    (row,) = found.changed.to_dict("records")
    assert (row["card_id"], row["tier"], row["fee_lower"]) == ("C1", "vip", 0)
    assert row["today_zh"] == (
        "期满时还差 2 次消费或 400.00 元（本期已于 2025-12-31 结束，不能再补）"
    )
    assert row["lower_en"] == "fee waived: spend 600.00 (500.00 needed)"
    assert "王小明" not in found.changed.to_string()


def test_fees_tickets_and_a_period_of_their_own():
    """Each policy may have its fee and tickets; a period leaves out other terms."""
    given_ = frames() | {"as_of": dt.date(2026, 8, 1)}
    policies = {"today": FeeWaiver(), "dearer": FeeWaiver()}
    given_["fees"] = {
        "today": MembershipFee(renewal=100),
        "dearer": MembershipFee(renewal=150),
    }
    none = given_["tickets"].head(0)
    given_["tickets"] = {"today": given_["tickets"], "dearer": none}
    whole = simulate(policies, **given_)
    assert whole.by_policy["fee_income"].tolist() == [30_000, 45_000]
    one = simulate(policies, period=Period.year(2025), **given_)
    assert one.by_policy["cards"].tolist() == [2, 2]
    empty = simulate(policies, period=Period.year(2001), **given_)
    assert empty.by_policy["cards"].tolist() == [0, 0]
    assert len(empty.changed) == len(empty.by_store) == 0


def test_currencies_are_never_mixed():
    """A waiver in yen with fees in yuan, or beside one in yuan, is refused."""
    yen = FeeWaiver(currency=Currency("JPY"))
    with pytest.raises(CurrencyMismatchError, match="JPY"):
        simulate({"today": yen}, **frames())
    fees = {"a": FEES, "b": MembershipFee(renewal=100, currency=Currency("JPY"))}
    with pytest.raises(CurrencyMismatchError, match="different currencies"):
        simulate({"a": FeeWaiver(), "b": yen}, **(frames() | {"fees": fees}))


def test_wrong_use_says_what_to_do():
    """No policies, no names, and missing fees, tickets or columns are errors."""
    given_ = frames()
    for bad in ({}, [FeeWaiver()], {"today": "x"}, {1: FeeWaiver()}):
        with pytest.raises(InvalidValueError, match=r"polic"):
            simulate(bad, **given_)
    with pytest.raises(InvalidValueError, match="'today' has no fees"):
        simulate({"today": FeeWaiver()}, **given_ | {"fees": {}})
    with pytest.raises(InvalidValueError, match="'today' has no tickets"):
        simulate({"today": FeeWaiver()}, **given_ | {"tickets": {}})
    with pytest.raises(MissingColumnsError, match="tier"):
        simulate({"today": FeeWaiver()}, **given_ | {"tiers": given_["members"]})
