"""Stock reconciliations of ERPNext, which say what is there and not what moved."""

import datetime as dt
from urllib.parse import quote, urlencode

import pytest

from memberops.adapters.sources.changes import merge_changes
from memberops.adapters.sources.erpnext_records import Documents
from memberops.ledger import Ledger
from memberops.ledger.flow_tables import read_movements
from test_erpnext_tables import HERE, LATER, MOVED, a_change, site, source_of
from test_pos_recorded import rows

pytest.importorskip("httpx2", reason="needs the extra 'pos'")

__all__ = ["site"]

STOCK = "Stock Ledger Entry"


def a_count(found, at, **more):
    """Return what ERPNext writes of a count: the change is 0, whatever was found."""
    return a_change(
        0.0, "Stock Reconciliation", posting_time=at, qty_after_transaction=found,
        creation=f"2026-11-05 {at}.1", **more,
    )  # fmt: skip


def a_sale(quantity, at, **more):
    """Return what was sold, or brought back."""
    return a_change(
        quantity, "Sales Invoice", posting_time=at, creation=f"2026-11-05 {at}.1",
        **more,
    )  # fmt: skip


def balance(frame):
    """Return what is in the warehouse when all has moved."""
    came = frame.loc[frame["destination"] == HERE, "quantity"].sum()
    return int(came - frame.loc[frame["source"] == HERE, "quantity"].sum())


@pytest.fixture
def counted(site):
    """A shop that opened with 10, sold 3, took 1 back, and then counted 7."""
    site.records[STOCK] = {
        "MAT-1": a_count(10.0, "9:00:00"),
        "MAT-2": a_sale(-3.0, "10:00:00"),
        "MAT-3": a_sale(1.0, "11:00:00"),
        "MAT-4": a_count(7.0, "12:00:00"),
        "MAT-5": a_count(5.0, "12:00:00", warehouse="一店 - A"),
        "MAT-6": a_count(2.0, "12:00:00", item_code="BAG"),
        "MAT-7": a_count(7.0, "13:00:00"),
    }
    return site


def test_a_count_moves_what_it_differs_by(counted):
    """The first one opens the stock; one that finds what is due moves nothing."""
    counted.faults = ["", "429", "half", "", "500"]
    result = source_of(counted).read("gift_movements")
    assert rows(result.frame, MOVED) == [
        ("stock-MAT-1", "opening", "opening", HERE, 10),
        ("stock-MAT-2", "issue", HERE, "member", 3),
        ("stock-MAT-3", "return", "member", HERE, 1),
        ("stock-MAT-4", "adjustment", HERE, "adjustment", 1),
        ("stock-MAT-5", "opening", "opening", "warehouse:一店 - A", 5),
        ("stock-MAT-6", "opening", "opening", HERE, 2),
    ]
    assert result.rejected == 0


def test_a_ledger_takes_what_erpnext_counted(counted):
    """Whatever the order of the rows, and twice."""
    frame = source_of(counted, items=["CUP"]).read("gift_movements").frame
    postings, findings = read_movements(frame.iloc[::-1])
    assert findings == ()
    ledger = Ledger()
    for _ in range(2):
        for each in sorted(postings, key=lambda posting: posting.effective_at):
            ledger.post(each)
    now = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    assert ledger.balance("CUP", HERE, as_of=now) == 7
    assert ledger.balance("CUP", "warehouse:一店 - A", as_of=now) == 5


@pytest.mark.parametrize(
    "change",
    [
        {"MAT-8": a_sale(-2.0, "11:30:00", modified=LATER)},
        {"MAT-2": a_sale(-3.0, "10:00:00", modified=LATER, is_cancelled=1)},
        pytest.param(
            {"MAT-4": a_count(7.0, "12:00:00", modified=LATER, is_cancelled=1)},
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            {"MAT-8": a_count(3.0, "8:00:00", modified=LATER)},
            marks=pytest.mark.nightly,
        ),
    ],
    ids=["late", "canceled", "count-canceled", "late-count"],
)
def test_what_is_entered_late_changes_what_a_count_differed_by(counted, change):
    """A count after it comes again, though ERPNext did not touch it itself."""
    source = source_of(counted)
    # What the cursor knows of is long ago when the change comes.
    counted.records[STOCK]["MAT-0"] = a_sale(
        1.0, "7:00:00", item_code="TRAY", modified="2026-11-07 23:00:00.000000"
    )
    before = source.changes("gift_movements", since=None)
    late = {
        name: {**each, "modified": "2026-11-08 09:00:00.000000"}
        for name, each in change.items()
    }
    counted.records[STOCK] |= late
    part = source.changes("gift_movements", since=before.cursor)
    assert not part.whole
    merged = merge_changes(before.result.frame, part)
    whole = source_of(counted).read("gift_movements").frame
    assert sorted(rows(merged, MOVED)) == sorted(rows(whole, MOVED))
    assert balance(merged[merged["gift_id"] == "CUP"]) == 7


def test_an_entry_that_waits_for_its_name_counts_already(counted):
    """So that the count does not change when the entry comes, at the next hour."""
    waiting = {"0f3a": a_sale(-2.0, "11:30:00", to_rename=1)}
    counted.records[STOCK] |= waiting
    frame = source_of(counted).read("gift_movements").frame
    kept = frame.set_index("posting_id")["quantity"]
    assert kept.get("stock-MAT-4") == 1
    assert frame.set_index("posting_id").loc["stock-MAT-4", "source"] == "adjustment"
    assert "stock-0f3a" not in kept


def test_an_old_version_does_not_date_the_name_that_it_gives(site):
    """An entry that got its name a day after it was made is not missed."""
    site.records[STOCK] = {
        "MAT-1": a_sale(3.0, "9:00:00"),
        "a1b2": a_sale(1.0, "10:00:00", to_rename=1),
    }
    source = source_of(site)
    before = source.changes("gift_movements", since=None)
    site.records[STOCK] = {
        "MAT-1": a_sale(3.0, "9:00:00", modified="2026-11-06 11:00:00.000000")
    }
    before = source.changes("gift_movements", since=before.cursor)
    site.records[STOCK]["MAT-2"] = a_sale(1.0, "10:00:00")
    part = source.changes("gift_movements", since=before.cursor)
    assert not part.whole
    assert "stock-MAT-2" in set(part.result.frame["posting_id"])


def test_no_address_is_longer_than_servers_take(site):
    """Codes of items stand in it, each Chinese character as nine."""
    site.records[STOCK] = {
        f"MAT-{number}": a_count(2.0, "9:00:00", item_code=f"纪念品保温杯{number:03}")
        for number in range(70)
    }
    result = source_of(site).read("gift_movements")
    assert (len(result.frame), result.rejected) == (70, 0)
    lengths = [
        len(urlencode(params, quote_via=quote))
        for doctype, params in site.asked
        if doctype == STOCK
    ]
    # Each item is in two lists more than the first, and the limit is 4094.
    assert len(lengths) > 8
    assert max(lengths) < 3500


def test_few_documents_are_kept_and_each_of_those_is_asked_for_once(site):
    """A large shop has more stock entries than memory holds."""
    asked = []

    class Known(Documents):
        def _asked(self, doctype, name):
            asked.append(name)
            return {"name": name}

    documents = Known(None)
    for number in range(3000):
        for _ in range(2):
            assert documents.get("Stock Entry", f"V-{number}")["name"]
    assert len(asked) == 3000
    assert len(documents._known) <= 1000
    assert not site.asked
