"""Promises of what changed since: nothing lost, nothing doubled, in any order."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.adapters.sources.changes import (
    ChangingSource,
    SourceChanges,
    merge_changes,
    record_key_of,
)
from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.records import (
    latest_records,
    read_records,
    refused_keys,
    text_of,
)
from memberops.adapters.sources.rejects import rejects_frame
from memberops.domain import Currency
from memberops.errors import ColumnTypeError, InvalidValueError, MissingColumnsError
from memberops.tables import TABLES
from memberops.testing import cards_frame, sales_frame
from test_source_options import options

CNY = Currency("CNY")


def came(frame, table, **more):
    """What one reading gave."""
    return SourceChanges(
        cursor="now",
        result=SourceResult(
            table=table,
            frame=frame,
            rejects=rejects_frame([]),
            findings=(),
            rows_read=len(frame),
        ),
        **more,
    )


def tickets(state):
    """The sales of tickets, each with its lines."""
    return sales_frame(
        [
            (ticket, "2026-11-05", "S1", "M1", quantity, f"{quantity}.00")
            for ticket, lines in state.items()
            for quantity in lines
        ]
    )


def lines_of(frame):
    """The lines by ticket, whatever the order of the tickets."""
    found = {}
    for ticket, quantity in zip(frame["ticket_id"], frame["quantity"], strict=True):
        found.setdefault(ticket, []).append(int(quantity))
    return found


LINES = st.lists(st.integers(1, 9), min_size=1, max_size=3)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("ABCDE"), LINES),
        st.tuples(st.just("delete"), st.sampled_from("ABCDE"), st.none()),
        st.tuples(st.just("read"), st.integers(0, 6), st.randoms()),
    ),
    max_size=25,
)


@given(EVENTS)
def test_any_readings_that_overlap_give_the_final_truth(events):
    """
    Tickets are written, changed and deleted between readings that overlap.

    Each reading takes what happened since the last one and some of what it took
    before; its pages repeat and are out of order.
    """
    truth, changed, kept, done = {}, [], None, 0
    for kind, what, more in [*events, ("read", 0, None)]:
        if kind == "put":
            truth[what] = more
            changed.append(what)
        elif kind == "delete":
            truth.pop(what, None)
            changed.append(what)
        else:
            again = set(changed[max(0, done - what) :])
            pages = [
                {"id": ticket, "lines": truth[ticket], "at": changed.index(ticket)}
                for ticket in again & set(truth)
            ]
            pages += pages[: what // 2]
            if more is not None:
                more.shuffle(pages)
            reading = came(
                tickets({r["id"]: r["lines"] for r in latest_records(pages, key="id")}),
                "sales",
                deleted=[[ticket] for ticket in again - set(truth)],
            )
            kept, done = merge_changes(kept, reading), len(changed)
            pd.testing.assert_frame_equal(merge_changes(kept, reading), kept)
    assert lines_of(kept) == truth


def test_the_later_version_of_a_record_is_kept_whatever_page_it_came_on():
    """A record that changed while pages were read comes twice; the newer one counts."""
    old, new = {"id": 7, "at": "2026-11-05T08:00"}, {"id": 7, "at": "2026-11-05T09:00"}
    other = {"id": 8, "at": "2026-11-05T08:30"}
    for pages in ([old, other, new], [new, other, old], [new, old, other, new]):
        kept = latest_records(pages, key="id", moment="at")
        assert sorted(each["id"] for each in kept) == [7, 8]
        assert new in kept
    assert latest_records([old, new | {"at": old["at"], "n": 1}], key="id",
                          moment="at")[0].get("n") == 1  # fmt: skip


def test_a_changed_ticket_with_fewer_lines_loses_the_others():
    """Lines have no id: all lines of the ticket are replaced together."""
    first = merge_changes(None, came(tickets({"A": [1, 2, 3], "B": [4]}), "sales"))
    second = merge_changes(first, came(tickets({"A": [2]}), "sales"))
    assert lines_of(second) == {"B": [4], "A": [2]}
    assert second["amount"].dtype == first["amount"].dtype
    assert str(first["sold_on"].dtype) == str(second["sold_on"].dtype)


def test_a_record_that_is_refused_now_leaves_the_table():
    """As in a whole reading: what cannot be read is not kept with its old figures."""
    mapped = options(
        "stores",
        columns={"store_id": "id", "name": "name"},
        drop=[{"column": "name", "equals": "shut", "reason": "shut"}],
    )
    records = [{"id": "１", "name": "a"}, {"id": 2, "name": "b"}]
    had = read_records(records, mapped, origin="acme")
    records = [{"id": "１", "name": "shut"}, {"id": None, "name": "c"}]
    now = read_records(records, mapped, origin="acme")
    refused = refused_keys(records, now, key=["id"])
    assert refused == (("1",), ())
    first = merge_changes(None, SourceChanges(result=had, cursor="1", whole=True))
    then = merge_changes(first, SourceChanges(result=now, cursor="2", refused=refused))
    assert then["store_id"].tolist() == ["2"]


def test_a_card_whose_days_changed_is_replaced_where_the_source_says_so():
    """Two terms of a card are two rows, unless the source keeps one row a card."""

    def card(start):
        return cards_frame([("C1", "M1", start, "2027-01-31")])

    first = merge_changes(None, came(card("2026-01-01"), "cards"))
    assert len(merge_changes(first, came(card("2026-02-01"), "cards"))) == 2
    one = merge_changes(first, came(card("2026-02-01"), "cards", key=["card_id"]))
    assert one["valid_from"].tolist() == [pd.Timestamp("2026-02-01")]
    gone = merge_changes(
        first, came(card("2026-02-01")[:0], "cards", deleted=[["C1", "2026-01-01"]])
    )
    assert gone.empty


def test_every_table_with_a_key_can_be_merged_and_the_others_say_so():
    """A table whose rows have no name is read whole, or replaced by a named column."""
    keyed = {table.name for table in TABLES if record_key_of(table)}
    assert {"members", "cards", "stores", "sales", "complaints"} <= keyed
    for table in TABLES:
        for name in record_key_of(table):
            assert table.column(name).kind.value in {"id", "date"}
    visits = pd.DataFrame({"case_id": ["K1"], "event": ["opened"]})
    with pytest.raises(InvalidValueError, match="read the table whole"):
        merge_changes(visits, came(visits, "case_events"))
    assert len(merge_changes(visits, came(visits, "case_events", whole=True))) == 1
    assert len(merge_changes(visits, came(visits, "case_events", key=["case_id"]))) == 1


def test_a_reading_that_contradicts_itself_is_refused():
    """Cursors are bounded text, and keys fit the table."""
    nothing = tickets({})
    for wrong in (
        {"whole": True, "deleted": [["A"]]},
        {"deleted": [["A", "B"]]},
        {"refused": [["A"]]},
    ):
        with pytest.raises(InvalidValueError):
            came(nothing, "sales", **wrong)
    with pytest.raises(MissingColumnsError):
        came(nothing, "sales", key=["tickt_id"])
    for cursor in (7, "x" * 10_001):
        with pytest.raises(InvalidValueError, match="a cursor is a text"):
            SourceChanges(result=came(nothing, "sales").result, cursor=cursor)


def test_the_repr_of_changes_shows_counts_only():
    """A cursor may hold what a source put into it; it is not shown."""
    shown = repr(came(tickets({"A": [1]}), "sales", deleted=[["B"]]))
    assert "deleted=1" in shown
    assert "now" not in shown


def test_what_is_no_plain_value_is_wrong_use():
    """A float is refused, not rounded, and a nested value is not written out."""
    for value in (1.1, {"a": 1}, [1], b"x"):
        with pytest.raises(ColumnTypeError):
            text_of(value)


def test_a_source_that_cannot_tell_changes_is_no_changing_source():
    """The protocol is told by its methods."""

    class Plain:
        def read(self, table):
            raise NotImplementedError

    class Changing(Plain):
        def changes(self, table, *, since):
            raise NotImplementedError

    assert not isinstance(Plain(), ChangingSource)
    assert isinstance(Changing(), ChangingSource)
