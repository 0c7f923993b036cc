"""Each analysis on a small chain, counted by hand from the spec's words."""

import datetime as dt

import pandas as pd
import pytest

from memberops import metrics
from memberops.domain.money import Currency
from memberops.errors import (
    ColumnTypeError,
    FrameError,
    InvalidValueError,
    MissingColumnsError,
)
from memberops.metrics import MetricPolicy
from memberops.schedules import Period, RetailCalendar

OCTOBER = Period.month(2026, 10)
HERE = ["level", "key", "period"]


def lines(rows):
    """Build sales lines: ticket, day, store, member, amount, quantity, returns."""
    names = ["ticket_id", "sold_on", "store_id", "member_id", "amount", "quantity",
             "returned_ticket_id"]  # fmt: skip
    frame = pd.DataFrame([(*row, None)[:7] for row in rows], columns=names)
    frame["sold_on"] = pd.to_datetime(frame["sold_on"])
    return frame


@pytest.fixture
def sales():
    """Return October's and earlier lines of two stores."""
    return lines(
        [
            ("T1", "2026-10-01", "S1", "M1", 10_000, 1),
            ("T1", "2026-10-01", "S1", "M1", 5_000, 2),
            ("T2", "2026-10-02", "S1", None, 20_000, 1),
            ("T3", "2026-10-31", "S2", "M1", 30_000, 3),
            ("T4", "2026-10-05", "S2", "M2", 9_999, 1),
            ("R1", "2026-10-06", "S2", "M3", -4_000, -1),
            ("T5", "2026-09-30", "S1", "M1", 8_000, 1),
            ("T6", "2025-10-31", "S2", "M2", 10_000, 1),
            ("T0", "2026-10-07", "S1", "M4", 0, 1),
        ]
    )


def row_of(frame, level="chain", key="chain"):
    """Return the one row of a level and key."""
    found = frame[(frame["level"] == level) & (frame["key"] == key)]
    assert len(found) == 1
    return found.iloc[0]


def test_spending_power_of_a_month(sales):
    """Sales, tickets and members of October, and what they are compared with."""
    row = row_of(metrics.spending_power(sales, period=OCTOBER))

    assert (
        row["sales"],
        row["sales_previous"],
        row["sales_year_before"],
    ) == (70_999, 8_000, 10_000)
    assert (
        row["tickets"],
        row["member_tickets"],
        row["consuming_members"],
    ) == (4, 3, 2)
    assert row["member_items"] == 1 + 2 + 3 + 1 - 1 + 1
    assert row["member_average_ticket_value"] == (70_999 - 20_000) / 3
    assert row["member_purchase_frequency"] == 3 / 2
    assert row["undefined"] == "sales_target_attainment: unknown"


def test_a_member_of_two_stores_is_one_member_of_the_chain(sales):
    """Distinct members are counted at each level, never added up."""
    frame = metrics.spending_power(sales, period=OCTOBER, by=("store", "chain"))

    assert (
        row_of(frame, "store", "S1")["consuming_members"],
        row_of(frame, "store", "S2")["consuming_members"],
        row_of(frame)["consuming_members"],
    ) == (1, 2, 2)


def test_a_linked_return_counts_on_the_day_of_its_ticket():
    """A November return of an October ticket lowers October, wherever it was made."""
    given = lines(
        [
            ("A", "2026-10-01", "S1", "M1", 5_000, 2),
            ("R", "2026-11-02", "S2", None, -5_000, -2, "A"),
        ]
    )
    months = [OCTOBER, Period.month(2026, 11)]

    moved = metrics.spending_power(given, period=months, by=("store", "chain"))
    kept = metrics.spending_power(
        given, period=months, policy=MetricPolicy(returns="own_day")
    )

    assert row_of(moved[moved["period"] == "2026-10"], "store", "S1")[
        ["sales", "tickets", "consuming_members"]
    ].tolist() == [0, 0, 0]
    assert row_of(moved[moved["period"] == "2026-11"])[["sales", "items"]].tolist() == [
        0,
        0,
    ]
    assert kept["sales"].tolist() == [5_000, -5_000]


def test_a_return_whose_ticket_is_absent_counts_on_its_own_day():
    """An unknown original leaves the return where it was made."""
    given = lines([("R", "2026-10-02", "S2", "M1", -500, -1, "LONG-AGO")])

    row = row_of(metrics.spending_power(given, period=OCTOBER))

    assert (row["sales"], row["tickets"], row["items"]) == (-500, 0, -1)


def test_items_sold_leave_returns_out():
    """The policy items="sold" counts the units of sale lines only."""
    given = lines(
        [
            ("A", "2026-10-01", "S1", "M1", 500, 2),
            ("R", "2026-10-02", "S1", "M1", -250, -1),
        ]
    )

    sold = metrics.spending_power(
        given, period=OCTOBER, policy=MetricPolicy(items="sold")
    )

    assert row_of(sold)["member_items"] == 2


def test_bands_include_their_lower_bound_only():
    """99.99 is below 100; 100.00 is not; a net return is in a band of its own."""
    given = lines(
        [
            ("A", "2026-10-01", "S1", "M1", 9_999, 1),
            ("B", "2026-10-01", "S1", "M2", 10_000, 1),
            ("C", "2026-10-01", "S1", "M3", 100, 1),
            ("R", "2026-10-03", "S1", "M3", -200, -1),
        ]
    )

    row = row_of(metrics.consumption_level(given, period=OCTOBER))

    assert row[
        ["members_below_0", "members_0_100", "members_100_300", "members_300_500"]
    ].tolist() == [1, 1, 1, 0]


def test_bands_follow_the_currency_s_digits():
    """A yen has no minor unit: a band edge of 100 is 100."""
    given = lines([("A", "2026-10-01", "S1", "M1", 100, 1)])

    row = row_of(
        metrics.consumption_level(
            given, period=OCTOBER, policy=MetricPolicy(currency=Currency("JPY"))
        )
    )

    assert row["members_100_300"] == 1


def test_age_is_in_completed_years_on_the_last_day():
    """Born on 1 November 2006 is 19 in October; on 31 October 2006, 20."""
    given = lines([(f"T{n}", "2026-10-01", "S1", f"M{n}", 100, 1) for n in range(1, 5)])
    members = pd.DataFrame(
        {
            "member_id": ["M1", "M2", "M3"],
            "gender": ["female", "male", "??"],
            "birth_date": pd.to_datetime(["2006-11-01", "2006-10-31", None]),
        }
    )

    row = row_of(metrics.demographics(given, period=OCTOBER, members=members))

    assert row[
        ["members_under_20", "members_20_30", "members_age_unknown"]
    ].tolist() == [1, 1, 2]
    assert row[
        ["members_female", "members_male", "members_gender_unknown"]
    ].tolist() == [1, 1, 2]
    assert row[["share_under_20", "share_20_30", "share_age_unknown"]].sum() == 1.0


def test_lapse_at_a_month_s_end_is_three_calendar_months():
    """Who last bought on 31 July has lapsed on 31 October; on 1 August, not."""
    given = lines(
        [("A", "2026-07-31", "S1", "M1", 1, 1), ("B", "2026-08-01", "S1", "M2", 1, 1)]
    )

    row = row_of(metrics.lapse(given, period=OCTOBER))

    assert (
        row["valid_members"],
        row["lapsed_at_end"],
        row["lapsed_at_start"],
        row["newly_lapsed"],
    ) == (2, 1, 0, 1)


def test_the_flows_of_lapse_tell_what_the_net_hides():
    """One newly lapsed, one won back, one left: the net is -1, the flows are told."""
    given = lines(
        [
            ("A", "2026-07-15", "S1", "NEW", 1, 1),
            ("B", "2026-01-15", "S1", "BACK", 1, 1),
            ("C", "2026-10-15", "S1", "BACK", 1, 1),
            ("D", "2026-01-15", "S1", "LEFT", 1, 1),
        ]
    )
    cards = pd.DataFrame(
        {
            "member_id": ["NEW", "BACK", "LEFT"],
            "valid_from": pd.to_datetime(["2026-01-01"] * 3),
            "valid_through": pd.to_datetime(["2026-12-31", "2026-12-31", "2026-10-20"]),
        }
    )

    row = row_of(metrics.lapse(given, period=OCTOBER, cards=cards))

    assert row[
        ["valid_members", "lapsed_at_start", "newly_lapsed", "won_back", "left",
         "lapsed_at_end", "net_lapse"]
    ].tolist() == [2, 2, 1, 1, 1, 1, -1]  # fmt: skip


def test_the_list_of_lapsed_members_agrees_with_their_number(sales):
    """Whoever is listed is counted, with the last purchase and the months since."""
    listed = metrics.lapsed_members(sales, as_of=dt.date(2026, 12, 31))
    counted = row_of(metrics.lapse(sales, period=Period.month(2026, 12)))

    assert counted["lapsed_at_end"] == len(listed)
    assert listed["member_id"].tolist() == []

    later = metrics.lapsed_members(sales, as_of=dt.date(2027, 1, 31))

    assert dict(zip(later["member_id"], later["months_since"], strict=True)) == {
        "M1": 3,
        "M2": 3,
    }
    assert later.sort_values("member_id")["lifetime_spend"].tolist() == [53_000, 19_999]


def test_stores_are_ranked_by_member_sales(sales):
    """The store with the most member sales leads; the change counts ranks upward."""
    frame = metrics.store_ranking(sales, period=OCTOBER)

    assert frame["key"].tolist() == ["S2", "S1"]
    assert frame["rank"].tolist() == [1, 2]
    assert frame["rank_previous"].tolist() == [2, 1]
    assert frame["rank_change"].tolist() == [1, -1]
    assert frame["share_of_chain"].tolist() == [35_999 / 50_999, 15_000 / 50_999]


def test_equal_stores_share_a_rank():
    """Two equal stores are both first, and the next is third."""
    given = lines(
        [(f"T{s}", "2026-10-01", s, "M1", a, 1) for s, a in
         (("S1", 5), ("S2", 9), ("S3", 9))]
    )  # fmt: skip

    frame = metrics.store_ranking(given, period=OCTOBER)

    assert list(zip(frame["key"], frame["rank"], strict=True)) == [
        ("S2", 1),
        ("S3", 1),
        ("S1", 3),
    ]
    assert frame["rank_previous"].isna().all()


@pytest.fixture
def targets():
    """Return the targets of S1 for two months and of S2 for one."""
    return pd.DataFrame(
        {
            "store_id": ["S1", "S2", "S1"],
            "month": pd.to_datetime(["2026-10-01", "2026-10-01", "2026-11-01"]),
            "target": [50_000, 50_000, 1],
        }
    )


def test_targets_add_up_over_stores_and_months(sales, targets):
    """The chain's target is the sum of its stores' targets."""
    frame = metrics.spending_power(
        sales, period=OCTOBER, by=("store", "chain"), targets=targets
    )

    assert row_of(frame)["target"] == 100_000
    assert row_of(frame)["sales_target_attainment"] == 0.70999


def test_a_store_without_a_target_leaves_the_chain_s_unknown(sales, targets):
    """A sum over some stores would flatter: attainment is undefined, and says so."""
    frame = metrics.spending_power(sales, period=OCTOBER, targets=targets[:1])

    assert pd.isna(row_of(frame)["target"])
    assert "sales_target_attainment: unknown" in row_of(frame)["undefined"]


def test_a_part_of_a_month_has_no_target(sales, targets):
    """A week is not measured against a month's target."""
    frame = metrics.spending_power(sales, period=Period.week(2026, 40), targets=targets)

    assert pd.isna(row_of(frame)["target"])


def test_measuring_once_serves_every_analysis(sales):
    """Analyses take Measures and give what they give from the lines."""
    measures = metrics.measure(sales, period=OCTOBER, by=("store", "chain"))

    for analysis in (metrics.spending_power, metrics.lapse, metrics.consumption_level,
                     metrics.demographics):  # fmt: skip
        direct = analysis(sales, period=OCTOBER, by=("store", "chain"))
        pd.testing.assert_frame_equal(direct, analysis(measures))


BAD = [
    (lambda f: f.drop(columns="amount"), MissingColumnsError, "'amount'"),
    (lambda f: f.rename(columns={"store_id": "storeid"}), MissingColumnsError,
     "did you mean 'storeid'"),
    (lambda f: f.assign(amount=f["amount"] / 100), ColumnTypeError, "minor units"),
    (lambda f: f.assign(quantity=1.5), ColumnTypeError, "whole numbers"),
    (lambda f: f.assign(member_id=[1.0, None] * 4 + [2.0]), ColumnTypeError,
     "lose digits"),
    (lambda f: f.assign(sold_on=f["sold_on"].dt.tz_localize("UTC")), ColumnTypeError,
     "zone"),
    (lambda f: f.assign(sold_on="2026-10-01"), ColumnTypeError, "to_datetime"),
    (lambda f: {"not": "a frame"}, ColumnTypeError, "must be a pandas"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "error", "says"), BAD)
def test_a_frame_that_cannot_carry_sales_is_refused(sales, change, error, says):
    """Floats as money, zoned days and unknown columns are refused with the fix."""
    with pytest.raises(error) as caught:
        metrics.spending_power(change(sales), period=OCTOBER)

    assert says in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"period": OCTOBER, "by": "stroe"}, "did you mean 'store'"),
        ({"period": OCTOBER, "by": "region"}, "needs stores="),
        ({"period": "2026-10"}, "Period"),
        ({"period": []}, "at least one period"),
        ({}, "'period' is needed"),
        ({"period": OCTOBER, "engine": "spark"}, "'auto', 'polars' or 'pandas'"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(sales, options, says):
    """Wrong use raises at once, with a hint."""
    with pytest.raises(InvalidValueError, match=says):
        metrics.spending_power(sales, **options)


def test_ids_of_different_types_are_not_matched_in_silence(sales):
    """Text ids in sales and numbers in members would find nobody: refused."""
    members = pd.DataFrame({"member_id": [1, 2]})

    with pytest.raises(ColumnTypeError, match="hold ids as text in both"):
        metrics.demographics(sales, period=OCTOBER, members=members)


@pytest.mark.parametrize(
    "options",
    [
        {"bands": (100, 100)},
        {"bands": (0, 5)},
        {"bands": (1.5,)},
        {"ages": (20, 10)},
        {"ages": ("20",)},
        {"lapse_months": 0},
        {"lapse_months": True},
    ],
)
def test_a_policy_that_cannot_be_is_refused(options):
    """Edges must rise from above zero and be exact; months are whole."""
    with pytest.raises(InvalidValueError):
        MetricPolicy(**options)


def test_no_average_before_means_no_growth_of_it():
    """A return-only period before has no ticket, so ATV growth is undefined."""
    given = lines(
        [
            ("A", "2026-10-05", "S1", "M1", 1_000, 1),
            ("R", "2026-09-05", "S1", "M1", -500, -1),
        ]
    )

    row = row_of(metrics.spending_power(given, period=OCTOBER))

    name = "member_average_ticket_value_period_over_period"
    assert pd.isna(row[name])
    assert f"{name}: zero" in row["undefined"]


def test_what_is_known_on_a_day_leaves_later_returns_out():
    """With known_through a return of the 20th is unknown on the 5th."""
    given = lines(
        [
            ("A", "2026-10-02", "S1", "M1", 2_000, 1),
            ("R", "2026-10-20", "S1", "M1", -2_000, -1, "A"),
        ]
    )

    known = metrics.tickets(given, known_through=dt.date(2026, 10, 5))
    now = metrics.tickets(given)

    assert (known["amount"].tolist(), now["amount"].tolist()) == ([2_000], [0])


@pytest.mark.parametrize("column", ["ticket_id", "sold_on", "store_id", "amount"])
def test_a_line_without_a_needed_value_is_refused(sales, column):
    """A gap would merge lines or lose them in silence: refused, and counted."""
    values = sales[column].astype("Int64" if column == "amount" else object)
    values.iloc[[0, 3]] = None
    if column == "sold_on":
        values = pd.to_datetime(values)

    with pytest.raises(FrameError, match=rf"'{column}' in 2 rows"):
        metrics.spending_power(sales.assign(**{column: values}), period=OCTOBER)
    with pytest.raises(FrameError, match=rf"'{column}' in 2 rows"):
        metrics.tickets(sales.assign(**{column: values}))


def test_a_store_that_opened_in_the_year_has_a_target_from_then_on():
    """The year to date adds up targets from each store's first month."""
    months = pd.date_range("2026-01-01", "2026-10-01", freq="MS")
    targets = pd.DataFrame(
        {
            "store_id": ["S1"] * 10 + ["S2"] * 5,
            "month": [*months, *months[5:]],
            "target": [10] * 10 + [1] * 5,
        }
    )
    given = lines(
        [("A", "2026-01-05", "S1", "M1", 1, 1), ("B", "2026-10-05", "S2", "M1", 1, 1)]
    )
    year = Period.span(dt.date(2026, 1, 1), dt.date(2026, 10, 31))

    whole = metrics.spending_power(given, period=year, targets=targets)
    gap = metrics.spending_power(given, period=year, targets=targets.drop(index=12))

    assert row_of(whole)["target"] == 105
    assert pd.isna(row_of(gap)["target"])


def test_whole_months_are_compared_with_whole_months():
    """January and February 2025 are compared with all of February 2024."""
    given = lines([("A", "2024-02-29", "S1", "M1", 1_000, 1)])
    period = Period.span(dt.date(2025, 1, 1), dt.date(2025, 2, 28))

    assert (
        row_of(metrics.spending_power(given, period=period))["sales_year_before"]
        == 1_000
    )


def test_a_member_on_one_line_makes_a_member_ticket():
    """A ticket with a member id on any of its lines is a member ticket."""
    given = lines(
        [
            ("A", "2026-10-01", "S1", None, 500, 1),
            ("A", "2026-10-01", "S1", "M1", 500, 1),
        ]
    )

    row = row_of(metrics.spending_power(given, period=OCTOBER))

    assert (row["tickets"], row["member_tickets"], row["member_sales"]) == (1, 1, 1_000)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_member_listed_twice_keeps_what_is_known(order):
    """Unknown never wins over known, in whatever order the rows come."""
    members = pd.DataFrame(
        {
            "member_id": ["M1", "M1"],
            "birth_date": pd.to_datetime(["1990-01-01", None]),
            "gender": ["male", None],
            "store_id": ["S1", None],
            "joined_on": pd.to_datetime(["2026-09-01", None]),
        }
    ).iloc[order]
    given = lines([("A", "2026-10-01", "S1", "M1", 500, 1)])

    row = row_of(metrics.demographics(given, period=OCTOBER, members=members))
    before = metrics.lapse(given, period=Period.month(2026, 8), members=members)

    assert row[["members_male", "members_30_40"]].tolist() == [1, 1]
    assert row_of(before)["valid_members"] == 0


def test_options_are_not_ignored_for_measures(sales):
    """What was decided when measuring cannot be asked anew in silence."""
    measures = metrics.measure(sales, period=OCTOBER, parts=("sales",))

    for options in ({"period": OCTOBER}, {"by": "store"}, {"policy": MetricPolicy()}):
        with pytest.raises(InvalidValueError, match="cannot be changed"):
            metrics.spending_power(measures, **options)
    with pytest.raises(InvalidValueError, match="'buyers' was not measured"):
        metrics.spending_power(measures)
    with pytest.raises(InvalidValueError, match="stores were not measured"):
        metrics.store_ranking(measures)


def test_two_periods_of_one_label_are_refused(sales):
    """Rows are told apart by their label, so two calendars are asked for apart."""
    other = RetailCalendar(pattern=(4, 4, 5))
    periods = [
        Period.retail_month(2025, 3),
        Period.retail_month(2025, 3, calendar=other),
    ]

    with pytest.raises(InvalidValueError, match="ask for them apart"):
        metrics.spending_power(sales, period=periods)


def test_a_closed_store_does_not_blank_the_chain_s_target():
    """A store that sold nothing and has no more targets is left out of the sum."""
    targets = pd.DataFrame(
        {
            "store_id": ["S1", "S1", "S2"],
            "month": pd.to_datetime(["2026-09-01", "2026-10-01", "2026-09-01"]),
            "target": [10, 20, 5],
        }
    )
    given = lines([("A", "2026-10-05", "S1", "M1", 1, 1)])
    both = Period.span(dt.date(2026, 9, 1), dt.date(2026, 10, 31))

    month = metrics.spending_power(given, period=OCTOBER, targets=targets)
    months = metrics.spending_power(given, period=both, targets=targets)

    assert [row_of(month)["target"], row_of(months)["target"]] == [20, 35]
