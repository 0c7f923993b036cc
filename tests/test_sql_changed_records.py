"""What changed in a database is found with all rows of its record, at a fair price."""

import datetime as dt

import pytest

from memberops.adapters.sources import sql_access
from sql_scene import KINDS, NOON, SALES, rows, till_of

CHANGING = {**SALES, "cursor": "changed", "overlap": 0}
KEYS = {
    "one column": {},
    "two columns": {"key": ["store_id", "ticket_id"]},
    "joined columns": {
        "columns": {k: v for k, v in SALES["columns"].items() if k != "ticket_id"},
        "compose": {"ticket_id": ["shop", "no"]},
    },
}


@pytest.fixture(params=KINDS)
def till(request, tmp_path):
    """A till's database of each kind."""
    with till_of(request.param, request, tmp_path) as made:
        made.receipts()
        yield made


@pytest.mark.parametrize("key", KEYS)
def test_lines_come_with_their_record_and_with_no_other(till, key):
    """Rows whose key is NULL in part are of no record, and come if they changed."""
    made = rows(till, 1)[0]
    newest = till.moment(NOON - dt.timedelta(hours=1))
    old = [
        {**made, "no": no, "shop": shop, "pieces": pieces}
        for no, shop, pieces in (
            ("A", "S1", 1), ("A", "S1", 2), ("A", "S2", 3), ("B", "S1", 4),
            (None, "S1", 5), (None, "S1", 6), ("A", None, 7), ("A", "S1", 8),
        )
    ]  # fmt: skip
    till.fill("receipts", [*old, {**made, "no": "Z", "changed": newest}])
    source = till.source(tables={"sales": {**CHANGING, **KEYS[key]}})
    first = source.changes("sales", since=None)
    later = till.moment(NOON)
    till.run("UPDATE receipts SET changed = :at WHERE pieces IN (2, 5, 8)", at=later)
    second = source.changes("sales", since=first.cursor)
    assert not second.whole
    came = second.result.frame.query("ticket_id.str.endswith('A')")
    theirs = {1, 2, 8} if key != "one column" else {1, 2, 3, 8}
    assert set(came["quantity"]) == theirs
    assert len(came) == len(theirs)
    # Of the rows without number or shop only those that are of a record came.
    without = {"one column": 1 + 1, "two columns": 1, "joined columns": 1}[key]
    assert second.result.rejected == without


@pytest.mark.parametrize(
    ("key", "counted"),
    [("one column", "version"), ("two columns", "text"), ("joined columns", "text")],
)
def test_no_row_is_looked_for_through_all_others(
    tmp_path, request, monkeypatch, key, counted
):
    """Twice the rows cost SQLite about twice the steps, without any index."""
    spent = []

    def count(connection, _seconds):
        connection.set_progress_handler(lambda: spent.append(1), 100)

    monkeypatch.setattr(sql_access, "_stop_after", count)
    cost = []
    for size in (300, 600):
        folder = tmp_path / str(size)
        folder.mkdir()
        with till_of("sqlite", request, folder) as till:
            till.receipts()
            if counted == "version":
                till.run("ALTER TABLE receipts ADD COLUMN version INTEGER DEFAULT 1")
            till.fill("receipts", rows(till, size))
            cursor = "changed" if counted == "text" else "version"
            source = till.source(
                tables={"sales": {**CHANGING, "cursor": cursor, **KEYS[key]}}
            )
            first = source.changes("sales", since=None)
            if counted == "version":
                till.run("UPDATE receipts SET version = 2 WHERE no < 'T00010'")
                first = source.changes("sales", since=first.cursor)
            spent.clear()
            second = source.changes("sales", since=first.cursor)
            cost.append(len(spent))
            assert 0 < len(second.result.frame) < size / 2
    assert cost[0] > 20
    assert cost[1] < 3 * cost[0]
