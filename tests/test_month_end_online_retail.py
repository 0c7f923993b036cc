"""
The month end on real sales agrees with results that another engine computed.

Two years of an online shop (UCI Online Retail): countries stand for stores, customers
for members. The reference was made with SQL before this library existed.
"""

import datetime as dt
from fractions import Fraction
from functools import cache

import pandas as pd
import polars as pl
import pytest

from csv_reading import findings
from memberops import FeeWaiver, Period, metrics, open_chain

MONTHS = Period.months("2010-12", "2011-12")
CHAIN_FILE = """
name = "Online Retail"
currency = {{ code = "GBP", digits = 3 }}
zone = "Europe/London"
language = "en"

[sources.sales]
adapter = "csv"
path = '{path}'

[[sources.sales.drop]]
column = "unit_price"
at_most = "0"
reason = "no price: gifts and stock adjustments"

[[sources.sales.drop]]
column = "ticket_id"
starts_with = "A"
reason = "bad debt adjustments"

[policies.metrics]
items = "sold"

[policies.fee_waiver]
year = "calendar"
"""


@pytest.fixture(scope="module")
def chain(shared, tmp_path_factory):
    """The chain, as a file describes it."""
    file = tmp_path_factory.mktemp("online-retail") / "chain.toml"
    path = shared / "data/onlineretail/onlineretail.csv.gz"
    file.write_text(CHAIN_FILE.format(path=path), encoding="utf-8")
    return open_chain(file, entry_points=False)


@pytest.fixture(scope="module")
def tables(chain):
    """The tables, read once."""
    return chain.read()


@pytest.fixture(scope="module")
def sold(tables):
    """The sales, as they were read."""
    return tables.results["sales"]


@pytest.fixture(scope="module")
def counted(shared):
    """The same file, read as text and counted by another engine."""
    path = shared / "data" / "onlineretail" / "onlineretail.csv.gz"
    price = pl.col("UnitPrice").cast(pl.Decimal(20, 3))
    return pl.read_csv(path, infer_schema=False).with_columns(
        dropped=(price <= 0) | pl.col("InvoiceNo").str.starts_with("A"),
        amount=(price * 1000).cast(pl.Int64) * pl.col("Quantity").cast(pl.Int64),
        day=pl.col("InvoiceDate").str.slice(0, 10),
    )


@pytest.fixture(scope="module")
def month_end(chain, tables):
    """The month end of a month; the same again takes time."""
    return cache(lambda month: chain.month_end(month, tables=tables))


@pytest.fixture(scope="module")
def measures(chain, tables):
    """Every month, counted in one pass."""
    return metrics.measure(
        tables["sales"],
        period=MONTHS,
        by=("store", "chain"),
        policy=chain.policies.metrics,
    )


@pytest.fixture(scope="module")
def reference(shared):
    """Read a table of the reference, as text, so that no digit is lost."""

    def read(name, key):
        file = shared / "reference/online_retail" / f"{name}.csv"
        rows = pd.read_csv(file, dtype="str", keep_default_na=False)
        return {row[key][:7]: row for row in rows.to_dict("records")}

    return read


def chain_rows(frame):
    """Return the chain's rows by month."""
    rows = frame[frame["level"] == "chain"]
    return {row["period"]: row for row in rows.to_dict("records")}


def same(exact, text):
    """Say whether an exact figure has the digits that the reference printed."""
    if text == "":
        return exact is None
    return exact is not None and abs(exact - Fraction(text)) <= Fraction(1, 2 * 10**10)


def exact_figures(frame, figures):
    """Return each figure of the chain as an exact fraction, by month and name."""
    shown = metrics.working(frame[frame["level"] == "chain"], figures)
    return {
        (row.period, row.figure): Fraction(int(row.numerator), int(row.denominator))
        if row.denominator
        else None
        for row in shown.itertuples()
    }


def test_every_line_is_read_or_dropped_by_a_stated_rule(tables):
    """541,909 lines: what is left out is a finding with its rule, and kept."""
    result = tables.results["sales"]
    assert result.rows_read == 541_909
    assert result.accepted + result.rejected == 541_909
    told = {
        finding.column: finding
        for finding in tables.findings
        if finding.rule == "dropped-by-reading"
    }
    assert set(told) == {"unit_price", "ticket_id"}
    assert sum(finding.count for finding in told.values()) == result.rejected
    assert set(result.rejects["rule"]) == {"dropped-by-reading"}
    assert "bad debt adjustments" in told["ticket_id"].message_en
    # 2,515 lines have the price zero, two of the three bad debts a negative one.
    assert told["unit_price"].count == 2_517
    assert told["ticket_id"].count == 1


def test_online_retail_loads_without_a_lost_row(sold, counted):
    """541,909 rows: what is dropped is stated, and the rest is exact."""
    kept = counted.filter(~pl.col("dropped"))
    frame = sold.frame
    assert sold.rows_read == 541_909 == counted.height
    assert sold.accepted == kept.height
    assert int(frame["amount"].sum()) == kept["amount"].sum()
    assert frame["ticket_id"].tolist() == kept["InvoiceNo"].to_list()
    assert frame["sold_on"].dt.strftime("%Y-%m-%d").tolist() == kept["day"].to_list()
    assert frame["member_id"].isna().sum() == kept["CustomerID"].null_count()
    assert frame["store_id"].nunique() == kept["Country"].n_unique()
    returns = frame[frame["ticket_id"].str.startswith("C")]
    assert len(returns) > 0
    assert (returns["quantity"] < 0).all()
    assert (returns["amount"] < 0).all()


def test_online_retail_states_what_it_dropped(sold, counted):
    """The findings count the dropped rows, and the rejects hold them as they are."""
    told = {f.column: f.count for f in findings(sold, "dropped-by-reading")}
    assert sum(told.values()) == counted["dropped"].sum() == sold.rejected
    assert told["ticket_id"] == 1
    assert {finding.severity for finding in sold.findings} == {"info"}
    raw = sold.rejects["raw"]
    assert raw[raw.str.startswith("A563185,B,Adjust bad debt")].size == 1
    lines = counted.with_row_index("line", offset=2).filter("dropped")["line"]
    wrong = raw.str.split(",").str[0].tolist()
    assert wrong == counted.filter("dropped")["InvoiceNo"].to_list()
    assert len(lines) == sold.rejects["line"].nunique()


def test_every_months_sums_and_counts_equal_the_reference(measures, reference):
    """Sales, tickets, members and units of 13 months, to the last digit."""
    rows = chain_rows(metrics.spending_power(measures))
    expected = reference("monthly_metrics", "month")
    assert set(rows) == set(expected) == {month.label for month in MONTHS}
    for month, row in rows.items():
        wanted = expected[month]
        assert Fraction(row["sales"], 1000) == Fraction(wanted["sales_net"])
        assert Fraction(row["member_sales"], 1000) == Fraction(
            wanted["member_sales_net"]
        )
        counts = {
            "tickets": "tickets",
            "member_tickets": "member_tickets",
            "consuming_members": "consuming_members",
            "items": "units",
            "member_items": "member_units",
        }
        for ours, theirs in counts.items():
            assert row[ours] == Fraction(wanted[theirs]), (month, ours)


def test_every_months_ratios_equal_the_reference_to_ten_digits(measures, reference):
    """Share, ATV, frequency and attach rate, of members and of all customers."""
    frame = metrics.spending_power(measures)
    ours = exact_figures(frame, metrics.SPENDING_POWER)
    rows = chain_rows(frame)
    for month, wanted in reference("monthly_metrics", "month").items():
        row = rows[month]
        atv = ours[month, "member_average_ticket_value"] / 1000
        assert same(atv, wanted["member_avg_ticket_net"])
        assert same(ours[month, "member_sales_share"], wanted["member_share_net"])
        assert same(ours[month, "member_purchase_frequency"], wanted["frequency"])
        attach_rate = ours[month, "member_attach_rate"]
        assert same(attach_rate, wanted["member_attach_rate_units"])
        assert same(
            metrics.ratio(row["sales"], row["tickets"] * 1000).value,
            wanted["avg_ticket_net"],
        )
        assert same(
            metrics.ratio(row["items"], row["tickets"]).value,
            wanted["attach_rate_units"],
        )


def test_growth_on_the_month_and_the_year_before_equals_the_reference(
    measures, reference
):
    """MoM and YoY of 13 months; undefined where there is nothing to compare with."""
    ours = exact_figures(metrics.spending_power(measures), metrics.SPENDING_POWER)
    names = {
        "sales": "sales_net",
        "member_sales": "member_sales_net",
        "member_tickets": "member_tickets",
        "member_average_ticket_value": "member_avg_ticket_net",
    }
    compared = 0
    for month, wanted in reference("monthly_mom_yoy", "month").items():
        for name, theirs in names.items():
            for word, short in (
                ("period_over_period", "mom"),
                ("year_over_year", "yoy"),
            ):
                text = wanted[f"{theirs}_{short}"]
                assert same(ours[month, f"{name}_{word}"], text), (month, name, word)
                compared += text != ""
    assert compared == 4 * (12 + 1)


def test_lapse_at_every_months_end_equals_the_reference(measures, reference):
    """Everyone who ever bought is valid; lapsed after three calendar months."""
    rows = chain_rows(metrics.lapse(measures))
    expected = reference("churn_month_end", "as_of")
    before = 0
    for month, row in rows.items():
        wanted = expected[month]
        assert row["valid_members"] == int(wanted["members_ever"]), month
        assert row["lapsed_at_end"] == int(wanted["churned_month_gap_ge3"]), month
        assert row["lapsed_at_start"] == before, month
        flows = row["newly_lapsed"] - row["won_back"] - row["left"]
        assert row["lapsed_at_end"] == before + flows
        before = row["lapsed_at_end"]


@pytest.mark.parametrize("year", [2010, 2011])
def test_the_years_waivers_equal_the_reference(chain, tables, reference, year):
    """3 purchases or 1000 net in a calendar year: each count of the reference."""
    (wanted,) = [
        row
        for row in reference("member_year_summary", "year").values()
        if row["year"] == str(year)
    ]
    sales = tables["sales"]
    of_year = sales[(sales["sold_on"].dt.year == year) & sales["member_id"].notna()]
    ids = of_year["member_id"].unique()
    assert len(ids) == int(wanted["members_with_rows"])
    cards = pd.DataFrame(
        {
            "card_id": ids,
            "member_id": ids,
            "valid_from": pd.Timestamp(year, 1, 1),
            "valid_through": pd.Timestamp(year, 12, 31),
        }
    )
    waiver = chain.policies.fee_waiver
    tickets = metrics.tickets(sales, policy=chain.policies.metrics)
    figures = waiver.figures(tickets, cards, as_of=dt.date(year, 12, 31))
    decided = waiver.decide_frame(figures)
    assert decided["waived"].sum() == int(wanted["waiver_net"])
    assert (~decided["waived"]).sum() == int(wanted["not_waived_net"])
    assert (decided["purchases"] >= 3).sum() == int(wanted["ge3_purchases"])
    assert (decided["spend"] >= 1_000_000).sum() == int(wanted["ge1000_net"])
    assert decided["purchases"].sum() == int(wanted["purchases"])
    assert Fraction(int(decided["spend"].sum()), 1000) == Fraction(wanted["spend_net"])


def test_the_first_card_years_waivers_equal_the_reference(chain, tables, shared):
    """Cards that began with the first purchase and ran a full year: who is waived."""
    file = shared / "reference/online_retail/card_year_summary.csv"
    (wanted,) = pd.read_csv(file).to_dict("records")
    tickets = metrics.tickets(tables["sales"], policy=chain.policies.metrics)
    bought = tickets[(tickets["amount"] > 0) & (tickets["member_id"] != "")]
    first = bought.groupby("member_id")["sold_on"].min()
    last = first + pd.DateOffset(years=1) - pd.Timedelta(days=1)
    cards = pd.DataFrame(
        {"member_id": first.index, "valid_from": first, "valid_through": last}
    ).reset_index(drop=True)
    cards["card_id"] = cards["member_id"]
    end = pd.Timestamp("2011-12-09")
    completed = cards[cards["valid_through"] <= end]
    assert len(completed) == wanted["card_years_completed"]
    waiver = FeeWaiver(currency=chain.currency)
    figures = waiver.figures(tickets, completed, as_of=end.date())
    decided = waiver.decide_frame(figures)
    assert decided["waived"].sum() == wanted["waived"]
    assert (~decided["waived"]).sum() == wanted["fee_due"]
    assert (decided["purchases"] >= 3).sum() == wanted["ge3"]
    assert (decided["spend"] >= 1_000_000).sum() == wanted["ge1000"]


@pytest.mark.parametrize("month", ["2011-09", "2011-11"])
def test_a_months_pack_equals_the_reference(month_end, tables, reference, month):
    """What the office gets in its forms is what the reference says."""
    pack = month_end(month)
    wanted = reference("monthly_metrics", "month")[month]
    row = chain_rows(pack.frame("spending_power"))[month]
    assert Fraction(row["sales"], 1000) == Fraction(wanted["sales_net"])
    assert Fraction(row["member_sales"], 1000) == Fraction(wanted["member_sales_net"])
    assert row["member_tickets"] == int(wanted["member_tickets"])
    growth = reference("monthly_mom_yoy", "month")[month]["sales_net_mom"]
    assert row["sales_period_over_period"] == pytest.approx(float(growth), abs=5e-11)
    assert pd.isna(row["sales_year_over_year"])
    lapse = reference("churn_month_end", "as_of")[month]
    lapsed = chain_rows(pack.frame("lapse"))[month]["lapsed_at_end"]
    assert (
        lapsed
        == int(lapse["churned_month_gap_ge3"])
        == len(pack.frame("lapsed_members"))
    )
    ranking = pack.frame("store_ranking")
    ranking = ranking[ranking["period"] == month]
    assert ranking["store_id"].iloc[0] == "United Kingdom"
    assert ranking["member_sales"].sum() == row["member_sales"]
    sales = tables["sales"]
    known = sales["sold_on"] <= pd.Timestamp(pack.month.through)
    assert len(ranking) == sales["store_id"][known].nunique()


def test_the_year_to_date_is_the_sum_of_its_months(chain, tables, measures):
    """A pack has the calendar year to date beside the month; in December, the year."""
    months = chain_rows(metrics.spending_power(measures))
    pack = chain.month_end("2011-12", tables=tables)
    year = chain_rows(pack.frame("spending_power"))["2011"]
    of_2011 = [row for label, row in months.items() if label.startswith("2011")]
    assert len(of_2011) == 12
    for name in ("sales", "member_sales", "tickets", "member_tickets", "items"):
        assert year[name] == sum(row[name] for row in of_2011)
    # Members are counted anew: whoever bought in several months counts once.
    assert year["consuming_members"] == 4_219


def test_what_is_assumed_without_other_tables_is_a_finding(month_end):
    """Sales alone are enough, and the pack says what it made of that."""
    pack = month_end("2011-11")
    rules = {finding.rule for finding in pack.findings}
    assert {
        "members-from-sales",
        "targets-unknown",
        "form-absent",
        "sale-after-month",
        "day-without-sales",
    } <= rules
    assert "expiring_members" not in pack.names
    assert "demographics" not in pack.names
    # The shop rested on the four Saturdays of November 2011.
    (silent,) = [f for f in pack.findings if f.rule == "day-without-sales"]
    assert silent.count == 4
    assert "2011-11-05" in silent.message_zh
