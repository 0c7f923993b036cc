"""Promises of the checks across tables: one finding a rule, counted, no person."""

import attrs
import pandas as pd
import pytest

from memberops import Period, Severity
from memberops.testing import (
    cards_frame,
    members_frame,
    sales_frame,
    stores_frame,
    targets_frame,
)
from memberops.workflows import CHECKS, Chain, ChainTables, run_checks

OCTOBER = Period.month(2026, 10)


def daily(store, *, skip=(), member=None):
    """Return one sale on each day of October but some."""
    return [
        (f"{store}-{day:02}", f"2026-10-{day:02}", store, member, 1, "10.00")
        for day in range(1, 32)
        if day not in skip
    ]


def found(month=OCTOBER, *, rule=None, **frames):
    """Run every check; return the findings by rule, or the one of a rule."""
    frames.setdefault("sales", sales_frame(daily("S1")))
    tables = Chain.from_frames(**frames).read()
    findings = run_checks(tables, month)
    if rule is None:
        return {finding.rule: finding for finding in findings}
    (finding,) = [each for each in findings if each.rule == rule]
    assert finding.message_zh != finding.message_en
    return finding


def test_good_tables_have_no_findings():
    """A chain without contradictions gets an empty page."""
    sales = sales_frame(
        [
            *daily("S1", member="M1"),
            ("R1", "2026-10-09", "S1", "M1", -1, "-10.00", "S1-03"),
        ]
    )
    assert (
        found(
            sales=sales,
            members=members_frame([("M1", "female", None, "S1", "2025-01-01")]),
            cards=cards_frame(
                [
                    ("C1", "M1", "2025-01-01", "2025-12-31"),
                    ("C1", "M1", "2026-01-01", "2026-12-31"),
                ]
            ),
            stores=stores_frame([("S1", "east", "一店")]),
            targets=targets_frame([("S1", "2026-10", "300")]),
        )
        == {}
    )


def test_a_sale_of_an_unknown_store_is_told_with_the_store():
    """The store and how many lines, not one finding a line."""
    finding = found(
        rule="store-unknown",
        sales=sales_frame([*daily("S1"), *daily("S9")]),
        stores=stores_frame([("S1",)]),
    )
    assert (finding.table, finding.column, finding.count) == ("sales", "store_id", 31)
    assert finding.severity is Severity.WARNING
    assert "does not have S9" in finding.message_en
    assert "S9-01, S9-02, S9-03, S9-04, S9-05 and 26 more" in finding.message_en
    assert "等，另有 26 个" in finding.message_zh


def test_a_member_of_an_unknown_store_is_told():
    """A home store that does not exist belongs to no region."""
    finding = found(
        rule="store-unknown",
        members=members_frame(
            [("M1", None, None, "S9"), ("M2", None, None, "S1"), ("M3",)]
        ),
        stores=stores_frame([("S1",)]),
    )
    assert (finding.table, finding.count) == ("members", 1)


def test_ids_that_differ_in_their_zeros_are_told_with_the_unknown_ones():
    """42 of one file is often 00042 of another, which a format shows."""
    days = [("T1", "0042"), ("T2", "0042"), ("T3", "77"), ("T4", "42")]
    sales = sales_frame(
        [(ticket, "2026-10-03", "01", own, 1, "5.00") for ticket, own in days]
    )
    frames = {"sales": sales, "members": members_frame([("42",), ("0",)])}

    member = found(rule="member-unknown", **frames)
    store = found(rule="store-unknown", stores=stores_frame([("1",)]), **frames)

    assert "only by zeros in front: 2 of 3" in member.message_en
    assert "3 行中有 2 行" in member.message_zh
    assert "only by zeros in front: 4 of 4" in store.message_en
    for known in ("S1", "02", "10"):
        other = stores_frame([(known,)])
        assert (
            "zeros"
            not in found(rule="store-unknown", stores=other, **frames).message_en
        )


def test_sales_and_cards_of_unknown_members_are_told_without_the_member():
    """Neither the member's id nor a card number in full is in the text."""
    findings = run_checks(
        Chain.from_frames(
            sales=sales_frame(
                [*daily("S1"), ("T1", "2026-10-03", "S1", "13812345678", 1, "5.00")]
            ),
            members=members_frame([("M1",)]),
            cards=cards_frame(
                [("13812345678", "13812345678", "2026-01-01", "2026-12-31")]
            ),
        ).read(),
        OCTOBER,
    )
    sale, card = [each for each in findings if each.rule == "member-unknown"]
    assert (sale.table, sale.count) == ("sales", 1)
    assert (card.table, card.count) == ("cards", 1)
    assert "tickets: T1" in sale.message_en
    assert "卡号：*******5678" in card.message_zh
    for finding in findings:
        assert "13812345678" not in f"{finding}"


@pytest.mark.parametrize(
    ("rule", "second"),
    [
        ("ticket-several-days", ("T1", "2026-10-04", "S1", "M1", 1, "5.00")),
        ("ticket-several-stores", ("T1", "2026-10-03", "S2", "M1", 1, "5.00")),
        ("ticket-several-members", ("T1", "2026-10-03", "S1", "M2", 1, "5.00")),
        ("ticket-several-members", ("T1", "2026-10-03", "S1", None, 1, "5.00")),
    ],
)
def test_lines_of_one_ticket_agree(rule, second):
    """A ticket number used twice is told once, however many lines there are."""
    first = ("T1", "2026-10-03", "S1", "M1", 1, "5.00")
    findings = found(sales=sales_frame([first, first, second, second, *daily("S3")]))
    assert {each for each in findings if each.startswith("ticket")} == {rule}
    assert findings[rule].count == 1
    assert "T1" in findings[rule].message_zh


def test_cards_of_a_member_do_not_overlap():
    """Also where a long card covers several later ones; the last day counts."""
    finding = found(
        rule="card-overlap",
        cards=cards_frame(
            [
                ("C5", "M2", "2027-01-01", "2027-12-31"),
                ("C1", "M1", "2025-01-01", "2026-12-31"),
                ("C2", "M1", "2025-03-01", "2025-04-30"),
                ("C3", "M1", "2026-12-31", "2027-12-30"),
                ("C4", "M2", "2026-01-01", "2026-12-31"),
            ]
        ),
    )
    assert finding.count == 2


def test_cards_that_end_before_they_begin_are_told():
    """A plugin's source may hold what files and frames refuse."""
    good = Chain.from_frames(
        sales=sales_frame(daily("S1")),
        cards=cards_frame([("C1", "M1", "2026-05-01", "2026-05-30")]),
    ).read()
    cards = good.results["cards"]
    bad = cards.frame.assign(valid_through=pd.Timestamp("2026-04-30"))
    tables = ChainTables({**good.results, "cards": attrs.evolve(cards, frame=bad)})
    (finding,) = [
        each
        for each in run_checks(tables, OCTOBER)
        if each.rule == "validity-backwards"
    ]
    assert (finding.table, finding.count) == ("cards", 1)


def test_a_return_names_a_ticket_that_is_there_and_the_members_own():
    """Absent tickets, another member's, and one of no member are told apart."""
    sales = sales_frame(
        [
            *daily("S1", member="M1"),
            ("N1", "2026-10-02", "S1", None, 1, "5.00"),
            ("R1", "2026-10-09", "S1", "M1", -1, "-10.00", "GONE"),
            ("R2", "2026-10-09", "S1", "M2", -1, "-10.00", "S1-03"),
            ("R3", "2026-10-09", "S1", "M1", -1, "-5.00", "N1"),
            ("R4", "2026-10-09", "S1", None, -1, "-5.00", "N1"),
            ("R5", "2026-10-09", "S1", "M1", -1, "-10.00", "S1-04"),
        ]
    )
    findings = found(sales=sales)
    assert findings["returned-ticket-absent"].count == 1
    assert "R1" in findings["returned-ticket-absent"].message_en
    assert findings["returned-ticket-of-another"].count == 2
    assert "R2, R3" in findings["returned-ticket-of-another"].message_en


def test_a_store_that_sold_needs_a_target():
    """One target missing makes the region's and the chain's attainment unknown."""
    finding = found(
        rule="target-missing",
        sales=sales_frame([*daily("S1"), *daily("S2")]),
        targets=targets_frame([("S1", "2026-10", "300"), ("S2", "2026-09", "300")]),
    )
    assert finding.count == 1
    assert "no target: S2 (2026-10);" in finding.message_en


def test_a_month_before_without_a_target_is_told_too():
    """S9 has none and sold in March only: the year to date is unknown, so say why."""
    sales = sales_frame(
        [*daily("S1"), *[("T1", "2026-03-03", "S9", None, 1, "5.00")],
         ("T2", "2025-12-03", "S8", None, 1, "5.00")]
    )  # fmt: skip
    finding = found(
        rule="target-missing",
        sales=sales,
        targets=targets_frame([("S1", "2026-10", "300")]),
    )
    assert finding.count == 1
    assert "S9 (2026-03)" in finding.message_en
    assert "S9（2026-03）" in finding.message_zh


def test_sales_after_the_month_are_told_and_not_more():
    """Future rows are no error: the file may be of a later day."""
    sales = sales_frame([*daily("S1"), ("T1", "2026-11-02", "S1", None, 1, "5.00")])
    finding = found(rule="sale-after-month", sales=sales)
    assert (finding.count, finding.severity) == (1, Severity.INFO)
    assert "2026-11-02" in finding.message_zh


def test_days_on_which_nobody_sold_are_told():
    """A day without a sale in the whole chain looks like a missing file."""
    before = [
        ("B1", "2026-09-30", "S1", None, 1, "1.00"),
        ("B2", "2026-09-30", "S2", None, 1, "1.00"),
    ]
    sales = sales_frame(
        [*before, *daily("S1", skip=(3, 4)), *daily("S2", skip=(3, 4, 5))]
    )
    findings = found(sales=sales)
    assert findings["day-without-sales"].count == 2
    assert "2026-10-03, 2026-10-04" in findings["day-without-sales"].message_en
    # Days on which the chain rested are nobody's gap.
    assert findings["store-without-sales"].count == 1
    assert "S2 (1)" in findings["store-without-sales"].message_zh


def test_a_store_that_opened_in_the_month_is_missed_from_its_first_day_on():
    """The days before it opened are no gap."""
    opened = daily("S2", skip=(*range(1, 20), 25))
    finding = found(
        rule="store-without-sales", sales=sales_frame([*daily("S1"), *opened])
    )
    assert finding.count == 1
    assert "S2 (1)" in finding.message_en


def test_a_month_without_any_sale_is_told():
    """Asking for a month that the file does not hold says so."""
    finding = found(Period.month(2026, 12), rule="month-without-sales")
    assert "2026-12" in finding.message_zh


def test_findings_are_bounded_whatever_the_size():
    """A thousand broken rows of each kind give a page, not a book."""
    rows = 1000
    sales = pd.DataFrame(
        {
            "ticket_id": [f"T{n % 500}" for n in range(rows)],
            "sold_on": pd.date_range("2026-10-01", periods=rows, freq="D"),
            "store_id": [f"S{n}" for n in range(rows)],
            "member_id": [f"M{n}" for n in range(rows)],
            "quantity": 1,
            "amount": 100,
            "returned_ticket_id": [f"X{n}" for n in range(rows)],
        }
    )
    cards = cards_frame(
        [("C" * 200 + f"{n}", "M1", "2026-01-01", "2026-12-31") for n in range(rows)]
    )
    tables = Chain.from_frames(
        sales=sales,
        cards=cards,
        members=members_frame([("M",)]),
        stores=stores_frame([("S",)]),
        targets=targets_frame([("S", "2026-10", "1")]),
    ).read()
    findings = run_checks(tables, OCTOBER)
    assert len(findings) == len({(each.table, each.rule) for each in findings})
    for finding in findings:
        assert len(finding.message_en) < 500
        assert len(finding.message_zh) < 500


def test_each_check_is_a_function_of_the_tables_and_the_month():
    """A new rule is a new function; each leaves the tables as they were."""
    tables = Chain.from_frames(
        sales=sales_frame(daily("S1", member="M1")),
        cards=cards_frame([("C1", "M1", "2026-01-01", "2026-12-31")]),
        members=members_frame([("M1",)]),
    ).read()
    before = {name: tables[name].copy() for name in tables}
    for check in CHECKS:
        assert list(check(tables, OCTOBER)) == list(check(tables, OCTOBER))
    for name, frame in before.items():
        pd.testing.assert_frame_equal(tables[name], frame)


def test_the_order_of_the_rows_does_not_matter():
    """The same rows in another order give the same findings."""
    sales = sales_frame(
        [
            *daily("S1", member="M1"),
            ("R2", "2026-10-09", "S1", "M2", -1, "-10.00", "S1-03"),
            ("R3", "2026-10-09", "S2", "M2", -1, "-10.00", "GONE"),
            ("R3", "2026-10-09", "S1", "M2", -1, "-10.00", "GONE"),
        ]
    )
    turned = sales.iloc[::-1].reset_index(drop=True)
    assert found(sales=sales) == found(sales=turned)
