"""The worked examples of the manual, and what an undefined ratio is."""

from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.errors import InvalidValueError, MissingColumnsError
from memberops.metrics import (
    LAPSE,
    SPENDING_POWER,
    MetricPolicy,
    Ratio,
    consumption_figures,
    demographic_figures,
    evaluate,
    growth,
    ratio,
    working,
)
from memberops.metrics.formulas import with_figures

BASE = {
    "sales": 500_000,
    "target": 480_000,
    "sales_year_before": 400_000,
    "sales_previous": 350_000,
    "member_sales": 400_000,
    "member_sales_year_before": 300_000,
    "member_sales_previous": 250_000,
    "tickets": 1500,
    "member_tickets": 1000,
    "member_tickets_year_before": 937,
    "member_tickets_previous": 714,
    "consuming_members": 800,
    "member_items": 1350,
}
FOURTEEN = [
    ("sales_target_attainment", "percent", "104.2"),
    ("sales_year_over_year", "percent", "25.0"),
    ("sales_period_over_period", "percent", "42.9"),
    ("member_sales_share", "percent", "80.0"),
    ("member_sales_year_over_year", "percent", "33.3"),
    ("member_sales_period_over_period", "percent", "60.0"),
    ("member_average_ticket_value", "number", "400.00"),
    ("member_ticket_share", "percent", "66.7"),
    ("member_tickets_year_over_year", "percent", "6.7"),
    ("member_tickets_period_over_period", "percent", "40.1"),
    ("member_purchase_frequency", "number", "1.25"),
    ("member_attach_rate", "number", "1.35"),
]


def shown(value, style):
    """Show a ratio as the manual prints it."""
    return value.percent() if style == "percent" else value.decimal(2)


@pytest.mark.parametrize(("name", "style", "expected"), FOURTEEN)
def test_the_manual_s_examples_of_spending_power(name, style, expected):
    """HQ §5.3: each example of the fourteen comes out as it is printed."""
    assert Decimal(expected) == shown(evaluate(SPENDING_POWER, BASE)[name], style)


@pytest.mark.parametrize(
    ("name", "sales", "tickets", "expected"),
    [
        ("member_average_ticket_value_year_over_year", 320, 1, "25.0"),
        ("member_average_ticket_value_period_over_period", 350, 1, "14.3"),
    ],
)
def test_the_manual_s_growth_of_the_ticket_value(name, sales, tickets, expected):
    """HQ §5.3: 400 against 320 a year before is 25 %, against 350 is 14.3 %."""
    suffix = "_year_before" if name.endswith("year_over_year") else "_previous"
    base = {
        "member_sales": 400_000,
        "member_tickets": 1000,
        f"member_sales{suffix}": sales,
        f"member_tickets{suffix}": tickets,
    }

    assert Decimal(expected) == evaluate(SPENDING_POWER, base)[name].percent()


def test_there_are_fourteen_in_the_manual_s_order():
    """The fourteen are fourteen, sales first and the attach rate last."""
    names = [figure.name for figure in SPENDING_POWER]

    assert (
        len(set(names)),
        names[0],
        names[-1],
    ) == (14, "sales_target_attainment", "member_attach_rate")


def test_the_manual_s_example_of_consumption():
    """HQ §5.1: 20 % consuming; 5, 60, 15, 15 and 5 % in the bands."""
    bands = ("0_100", "100_300", "300_500", "500_1000", "1000_up")
    counts = (100, 1200, 300, 300, 100)
    base = {"valid_members": 10_000, "consuming_members": 2000} | {
        f"members_{band}": count for band, count in zip(bands, counts, strict=True)
    }
    shares = evaluate(consumption_figures(MetricPolicy()), base)

    assert Decimal("20.0") == shares["consuming_member_share"].percent()
    assert [shares[f"share_{band}"].percent() for band in bands] == [5, 60, 15, 15, 5]


def test_the_manual_s_example_of_gender_and_age():
    """HQ §5.2: 90 and 10 % by gender; 20, 50, 20, 10 % by age."""
    base = {
        "consuming_members": 1000,
        "members_male": 900,
        "members_female": 100,
        "members_under_20": 200,
        "members_20_30": 500,
        "members_30_40": 200,
        "members_40_up": 100,
    }
    shares = evaluate(demographic_figures(MetricPolicy()), base)
    names = ("male", "female", "under_20", "20_30", "30_40", "40_up")

    assert [shares[f"share_{n}"].percent() for n in names] == [90, 10, 20, 50, 20, 10]


def test_the_manual_s_example_of_lapse():
    """HQ §5.4: 80 lapsed against 70 among 1000 is 1.0 %."""
    base = {"valid_members": 1000, "lapsed_at_end": 80, "lapsed_at_start": 70}

    assert Decimal("1.0") == evaluate(LAPSE, base)["lapse_rate"].percent()


def test_a_ratio_over_zero_is_undefined_with_a_reason():
    """Over zero there is no value, no infinity, and the reason is told."""
    nothing = ratio(5, 0)

    assert (nothing.value, nothing.reason, nothing.percent()) == (None, "zero", None)
    assert (
        nothing.explain("en"),
        nothing.explain("zh"),
    ) == ("the denominator is zero", "分母为零")


def test_an_unknown_part_makes_a_ratio_unknown():
    """A missing base figure is unknown, never zero."""
    assert (
        evaluate(SPENDING_POWER, {"sales": 5})["sales_target_attainment"].reason
        == "unknown"
    )


def test_the_growth_of_growths_is_exact():
    """Ratios can be compared with each other without rounding between."""
    assert Fraction(1, 7) == growth(ratio(400_000, 1000), ratio(350_000, 1000)).value


@pytest.mark.parametrize("bad", [1.5, True, float("nan"), "5"])
def test_a_formula_refuses_what_is_not_exact(bad):
    """Floats, bools and text are no figures; the message says what is."""
    with pytest.raises(InvalidValueError, match="whole number, Decimal or Fraction"):
        ratio(bad, 1)


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(1, 8, "0.13"), (-1, 8, "-0.13"), (535, 200, "2.68"), (201, 200, "1.01")],
)
def test_ratios_round_half_up_once(numerator, denominator, expected):
    """Halves round away from zero, from the exact quotient."""
    assert Decimal(expected) == Ratio(numerator, denominator).decimal(2)


whole = st.integers(-(2**62), 2**62)


@examples(2 / 3)
@given(
    rows=st.lists(
        st.tuples(whole, whole, whole, st.one_of(st.none(), whole)), max_size=5
    )
)
def test_numbers_and_frames_are_read_by_one_formula(rows):
    """A figure of a frame is the plain figure of its row, correctly rounded."""
    columns = ["valid_members", "lapsed_at_end", "lapsed_at_start", "other"]
    frame = pd.DataFrame(rows, columns=columns).astype("Int64")

    got = with_figures(frame, LAPSE)

    for row, value, why in zip(rows, got["lapse_rate"], got["undefined"], strict=True):
        plain = evaluate(LAPSE, dict(zip(columns, row, strict=True)))["lapse_rate"]
        if plain.value is None:
            assert pd.isna(value)
            assert why == f"lapse_rate: {plain.reason}"
        else:
            assert plain.numerator / plain.denominator == value
            assert why == ""


def test_a_missing_base_figure_is_named():
    """Formulas ask for their base figures by name."""
    with pytest.raises(MissingColumnsError, match="lapsed_at_end"):
        with_figures(pd.DataFrame({"valid_members": [1]}), LAPSE)


def test_the_working_shows_inputs_formula_and_result():
    """Who made a figure can show how, in both languages."""
    frame = pd.DataFrame(
        {"level": ["chain"], "key": ["chain"], "period": ["2026-07"],
         "valid_members": [1000], "lapsed_at_end": [80], "lapsed_at_start": [70]}
    )  # fmt: skip

    row = working(frame, LAPSE).iloc[0]

    assert (row["numerator"], row["denominator"], row["value"]) == (10, 1000, 0.01)
    assert row["formula_zh"] == "(期末流失会员数 - 期初流失会员数) ÷ 有效会员数"
