"""Promises of fees: exact parts, rounded once, each among the reasons."""

import datetime as dt
import json
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disagreements import DISAGREEMENTS
from memberops.domain import Currency, Money
from memberops.errors import (
    ColumnTypeError,
    CurrencyMismatchError,
    InvalidValueError,
    ScheduleError,
)
from memberops.policies import KindFee, MembershipFee, fraction_left
from memberops.schedules import Period

CNY = Currency("CNY")
DAY = dt.date(2026, 11, 5)
days = st.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31))
prices = st.integers(0, 10**7).map(lambda minor: Decimal(minor).scaleb(-2))
shares = st.one_of(
    st.fractions(0, 1, max_denominator=100),
    st.integers(0, 10**18).map(lambda part: Fraction(part, 10**18)),
)


@pytest.fixture(scope="module")
def cases(shared):
    """The fee cases of other systems."""
    text = (shared / "cases" / "peer_cases.json").read_text(encoding="utf-8")
    return {case["id"]: case for case in json.loads(text)["cases"]}


def test_pro_rata_of_other_systems(cases):
    """Each exact fraction agrees; what was rounded without the first day does not."""
    wanted = [c for c in cases.values() if c["kind"] == "prorate_fraction"]
    assert len(wanted) >= 4
    differ = set()
    for case in wanted:
        first, last = map(dt.date.fromisoformat, case["input"]["period"])
        joined = dt.date.fromisoformat(case["input"]["invoice"])
        ours = fraction_left(joined, Period.span(first, last))
        assert ours == Fraction(case["expect"]["inclusive_exact"]), case["id"]
        rounded = Decimal(ours.numerator) / Decimal(ours.denominator)
        rounded = rounded.quantize(Decimal("0.01"), ROUND_HALF_UP)
        if rounded != Decimal(case["expect"]["upstream_2dp"]):
            differ.add(case["id"])
    assert differ == {name for name, _ in DISAGREEMENTS if name.startswith("MEM-P")}


def test_a_discount_is_for_each_term(cases):
    """FEE-1: a quarter off three terms of 100 is 225, not 75."""
    case = cases["FEE-1"]["input"]
    fee = MembershipFee(renewal=case["fee_per_term"])
    charge = fee.charge(as_of=DAY, terms=case["terms"], discount=case["discount"])

    assert charge.amount == Money.of(cases["FEE-1"]["expect"], CNY)


def test_an_upgrade_counts_what_was_paid(cases):
    """FEE-2: who has paid 7.50 of 30 pays 22.50, whatever the old kind lists at."""
    case = cases["FEE-2"]["input"]
    fee = MembershipFee(
        renewal=20, by_kind=[KindFee("full", case["full"])], upgrade_credit="paid"
    )
    paid = Money.of(case["already_paid"], CNY)
    credit = fee.unused_value("standard", Period.year(2026), as_of=DAY, paid=paid)
    charge = fee.charge(as_of=DAY, kind="full", credit=credit)

    assert charge.amount == Money.of(cases["FEE-2"]["expect"], CNY)


@given(days, days)
def test_the_days_left_and_the_days_gone_are_the_period(first, day):
    """The part left counts the day itself; with the days before it is the whole."""
    period = Period.span(first, first + dt.timedelta(days=364))
    left = fraction_left(day, period)

    gone = min(max((day - period.start).days, 0), 365)
    assert left + Fraction(gone, 365) == 1
    assert fraction_left(period.through, period) == Fraction(1, 365)


@given(
    prices, prices, st.integers(1, 5), st.integers(0, 6), shares, prices, days,
    st.booleans(), st.booleans(), st.booleans(),
)  # fmt: skip
def test_the_sum_is_rounded_once(
    renewal, joining, terms, waived, share, paid, day, joins, prorate, both
):
    """The amount is the exact sum of its parts, rounded half up at the end only."""
    period = Period.year(2026)
    fee = MembershipFee(
        renewal=renewal, joining=joining, prorate=prorate, discount_joining=both
    )
    charge = fee.charge(
        as_of=day, terms=terms, joining=joins, period=period, discount=share,
        waived_terms=waived, credit=Money.of(paid, CNY),
    )  # fmt: skip
    weights = [fraction_left(day, period) if prorate else Fraction(1)]
    weights += [Fraction(1)] * (terms - 1)
    open_fee = Fraction(renewal) * sum(weights[waived:])
    entry = Fraction(joining) if joins else 0
    price = (open_fee + entry * both) * (1 - share) + entry * (not both)
    exact = 100 * max(price - Fraction(paid), 0)

    assert charge.exact == exact
    assert charge.amount.minor == int(exact + Fraction(1, 2))
    assert charge.outcome == ("charged" if charge.amount.minor else "free")
    *parts, total = charge.reasons
    told = sum(Fraction(dict(part.figures)["exact_minor"]) for part in parts)
    assert told == Fraction(dict(total.figures)["exact_minor"]) == exact
    assert abs(charge.unspent.minor - 100 * max(Fraction(paid) - price, 0)) <= 0.5


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["standard", "gold"]),
            st.integers(-1, 4),
            st.booleans(),
            st.integers(-1, 5),
            st.dates(dt.date(2025, 12, 1), dt.date(2027, 2, 1)),
        ),
        min_size=1,
        max_size=5,
    ),
    prices, prices, shares, st.booleans(), st.booleans(),
)  # fmt: skip
def test_fees_scalar_equals_frame(rows, renewal, joining, share, prorate, both):
    """A frame charges what each pays alone, and nothing where that is refused."""
    fee = MembershipFee(
        renewal=renewal, joining=joining, prorate=prorate, discount_joining=both,
        by_kind=[KindFee("gold", 200, "9.99")],
    )  # fmt: skip
    period = Period.year(2026)
    names = ["kind", "terms", "joining", "waived_terms", "day"]
    frame = pd.DataFrame(rows, columns=names)
    left = [fraction_left(day, period) * 365 for *_, day in rows]
    frame = frame.assign(days_left=[int(days) for days in left], period_days=365)
    found = fee.charge_frame(frame, discount=share)
    expected = []
    for kind, terms, joins, waived, day in rows:
        try:
            charge = fee.charge(
                as_of=day, kind=kind, terms=terms, joining=joins, waived_terms=waived,
                period=period, discount=share,
            )  # fmt: skip
            expected.append(charge.amount.minor)
        except ScheduleError:
            expected.append(None)

    assert [None if pd.isna(n) else n for n in found["amount"]] == expected
    assert found["undefined"].ne("").tolist() == [n is None for n in expected]
    with pytest.raises(ColumnTypeError, match="whole numbers"):
        fee.charge_frame(frame.assign(terms=1.5))


def test_a_frame_of_fees_never_wraps_around():
    """Discounts of many digits, and fees beyond 64 bits, are exact or not given."""
    row = pd.DataFrame({"terms": [3], "days_left": [100], "period_days": [365]})
    fee = MembershipFee(renewal="9999.99", prorate=True)
    third = Fraction("0.3333333333")
    exact = 999_999 * (2 + Fraction(100, 365)) * (1 - third)
    found = fee.charge_frame(row, discount="0.3333333333")
    assert found["amount"].tolist() == [int(exact + Fraction(1, 2))]

    share = "0.1234567890123456"
    plain = MembershipFee(renewal="999.99").charge_frame(row, discount=share)
    exact = 99_999 * 3 * (1 - Fraction(share))
    assert plain["amount"].tolist() == [int(exact + Fraction(1, 2))]

    most = pd.DataFrame({"terms": [2**62]})
    beyond = MembershipFee(renewal=9).charge_frame(most)
    assert beyond["amount"].isna().all()
    assert "more than" in beyond["undefined"][0]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"terms": 0}, "terms"),
        ({"terms": -3}, "terms"),
        ({"joining": 5}, "joining"),
        ({"waived_terms": -1}, "waived_terms"),
        ({"days_left": 400}, "days_left"),
        ({"days_left": -1}, "days_left"),
        ({"days_left": 0, "period_days": 0}, "period_days"),
        ({"terms": None}, "missing"),
        ({"kind": " gold"}, "kind"),
    ],
)
def test_a_row_that_cannot_be_charged_says_why(wrong, said):
    """It has no amount and a reason; the row beside it is charged as ever."""
    good = {
        "kind": "standard", "terms": 1, "joining": 1, "waived_terms": 0,
        "days_left": 73, "period_days": 365,
    }  # fmt: skip
    rows = pd.DataFrame([good, good | wrong]).astype(
        {name: "Int64" for name in good if name != "kind"}
    )
    fee = MembershipFee(renewal=100, joining=20, prorate=True)
    found = fee.charge_frame(rows)

    assert found["amount"][0] == 4_000  # a fifth of the year, and 20 for joining
    assert found["undefined"][0] == ""
    assert pd.isna(found["amount"][1])
    assert said in found["undefined"][1]


@given(days, days, prices, st.integers(0, 2))
def test_a_fee_by_the_days_left_says_when_it_changes(first, day, price, waived):
    """What is to be paid is the same until the day that the answer names."""
    period = Period.span(first, first + dt.timedelta(days=20))
    fee = MembershipFee(renewal=price, prorate=True)

    def told(asked):
        charge = fee.charge(as_of=asked, terms=2, period=period, waived_terms=waived)
        return charge.exact, charge.explain()

    ahead = [day + dt.timedelta(days=n) for n in range(1, 60)]
    other = next((later for later in ahead if told(later) != told(day)), None)
    changes_on = fee.charge(
        as_of=day, terms=2, period=period, waived_terms=waived
    ).changes_on
    if other is not None:
        assert changes_on is not None
        assert changes_on <= other
    if changes_on is not None:
        assert period.start < changes_on <= period.end
    assert fee.charge(as_of=day).changes_on is None


def test_a_credit_is_never_more_than_was_paid():
    """What was paid is asked for; three terms bought at once count as three."""
    year, last = Period.year(2026), dt.date(2026, 12, 31)
    whole = MembershipFee(renewal=100, prorate=True, upgrade_credit="paid")
    paid = whole.charge(as_of=last, period=year).amount
    assert paid == Money.of("0.27", CNY)
    assert whole.unused_value("standard", year, as_of=last, paid=paid) == 27
    assert whole.unused_value("standard", year, as_of=last, waived=True) == 0
    over = last + dt.timedelta(days=1)
    assert whole.unused_value("standard", year, as_of=over, paid=paid) == 0
    with pytest.raises(InvalidValueError, match="what was paid"):
        whole.unused_value("standard", year, as_of=last)
    with pytest.raises(CurrencyMismatchError, match="CNY"):
        whole.unused_value(
            "standard", year, as_of=last, paid=Money.of(1, Currency("USD"))
        )

    fee, held = (
        MembershipFee(renewal=365),
        Period.span(year.start, year.start.replace(year=2029) - dt.timedelta(days=1)),
    )
    bought = fee.charge(as_of=year.start, terms=3).amount
    unused = fee.unused_value("standard", held, as_of=year.start, terms=3)
    assert unused == bought.minor == 109_500
    with pytest.raises(ScheduleError, match="terms"):
        fee.unused_value("standard", held, as_of=year.start, terms=0)


def test_an_upgrade_counts_the_unused_value_of_the_old_kind():
    """The old kind's own fee counts for the days left, not the last payment."""
    fee = MembershipFee(
        renewal=365, by_kind=[KindFee("gold", 730), KindFee("black", 3650)]
    )
    year, day = Period.year(2026), dt.date(2026, 7, 2)  # 183 days left
    first = fee.unused_value("standard", year, as_of=day)
    assert first == 18_300
    gold = fee.charge(as_of=day, kind="gold", credit=first)
    assert gold.amount == Money.of("547.00", CNY)
    second = fee.unused_value("gold", year, as_of=day)
    assert second == 36_600
    assert fee.unused_value("gold", year, as_of=day, waived=True) == 0
    down = fee.charge(as_of=day, credit=fee.unused_value("black", year, as_of=day))
    assert (down.outcome, down.unspent) == ("free", Money.of("1465.00", CNY))


def test_each_part_is_told_in_both_languages():
    """Joining, fee, waiver, discount and credit each have a reason."""
    fee = MembershipFee(renewal=100, joining=20, prorate=True, version="2027")
    charge = fee.charge(
        as_of=dt.date(2026, 7, 2), terms=2, joining=True, period=Period.year(2026),
        discount="0.1", credit=Money.of(5, CNY),
    )  # fmt: skip

    assert charge.explain("zh") == (
        "入会费 20.00 元；会费 150.14 元（2 期，首期按天 183/365）；折扣 -15.01 元；"
        "抵扣 -5.00 元；合计 150.12 元"
    )
    assert charge.explain("en").endswith("credit -5.00; total 150.12")
    assert (charge.policy, charge.version) == ("membership-fee", "2027")
    free = fee.charge(as_of=DAY, waived_terms=1)
    assert free.outcome == "free"
    assert free.explain("zh") == "会费 100.00 元；免年费 -100.00 元；合计 0.00 元"


def test_who_comes_back_soon_pays_no_joining_fee():
    """The joining fee is due once, and again only after the days of the policy."""
    ended = dt.date(2026, 10, 1)
    for rejoin, after, due in ((None, 900, False), (30, 30, False), (30, 31, True)):
        fee = MembershipFee(rejoin_days=rejoin)
        day = ended + dt.timedelta(days=after)
        assert fee.joins(last_ended=ended, as_of=day) is due
    assert MembershipFee().joins(last_ended=None, as_of=DAY)


def test_what_cannot_be_a_fee_is_refused():
    """Floats, amounts below 0, too many digits, odd shares and credits are errors."""
    for bad in (1.5, -1, "x", True):
        with pytest.raises(InvalidValueError):
            MembershipFee(renewal=bad)
    with pytest.raises(InvalidValueError, match="decimal digits"):
        MembershipFee(renewal="1.001")
    with pytest.raises(InvalidValueError, match="decimal digits"):
        MembershipFee(by_kind=[KindFee("gold", "1.001")])
    with pytest.raises(InvalidValueError, match="twice"):
        MembershipFee(by_kind=[KindFee("gold", 1), KindFee("gold", 2)])
    with pytest.raises(InvalidValueError, match="KindFee"):
        MembershipFee(by_kind=[("gold", 1)])
    with pytest.raises(InvalidValueError, match="'unused' or 'paid'"):
        MembershipFee(upgrade_credit="all")
    fee = MembershipFee(renewal=100)
    for share in (0.25, "1.5", "-0.1", "x", None):
        with pytest.raises(InvalidValueError, match=r"discount|share"):
            fee.charge(as_of=DAY, discount=share)
    with pytest.raises(ScheduleError, match="'terms' must be 1"):
        fee.charge(as_of=DAY, terms=0)
    with pytest.raises(CurrencyMismatchError, match="CNY"):
        fee.charge(as_of=DAY, credit=Money.of(1, Currency("USD")))
    for credit in (Fraction(-1), 5):
        with pytest.raises(InvalidValueError, match="credit"):
            fee.charge(as_of=DAY, credit=credit)
