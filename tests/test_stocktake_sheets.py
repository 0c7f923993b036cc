"""Count sheets out of the ledger, and back with all that people write into them."""

import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Gift, Movement, Posting, Stocktake
from memberops.errors import (
    ColumnTypeError,
    InvalidValueError,
    MissingColumnsError,
    UnknownGiftError,
    UnknownPlaceError,
)
from memberops.ledger import (
    Ledger,
    LedgerRules,
    count_frame,
    count_sheet,
    differences,
    read_counts,
)

NOON = dt.datetime(2026, 10, 31, 12, tzinfo=dt.UTC)
LATER = NOON + dt.timedelta(hours=6)
PAST = dt.date(2026, 9, 1)
RULES = LedgerRules(
    gifts=[Gift(gift_id="CUP"), Gift(gift_id="TEA", has_lots=True),
           Gift(gift_id="PEN")],
    places=["warehouse", "store:S01", "store:S02"],
)  # fmt: skip


def stocked(rules=RULES):
    """Make a ledger with cups and two lots of tea, one of them expired."""
    ledger = Ledger(rules)
    moves = [("CUP", "store:S01", 10, None, None), ("CUP", "warehouse", 50, None, None),
             ("TEA", "store:S01", 4, "A", PAST), ("TEA", "store:S01", 6, "B", None),
             ("CUP", "store:S02:shelf", 3, None, None)]  # fmt: skip
    for number, (gift, place, quantity, lot, through) in enumerate(moves):
        ledger.post(Posting(posting_id=f"P{number}", kind="receipt",
            effective_at=NOON - dt.timedelta(hours=number + 1), movements=[Movement(
                gift_id=gift, source="supplier", destination=place, quantity=quantity,
                lot_id=lot, valid_through=through)]))  # fmt: skip
    return ledger


def called(*places, **facts):
    """Make a stocktake of places."""
    return Stocktake(stocktake_id="C1", places=places, cutoff=NOON, **facts)


def read(rows, ledger=None, places=("store:S01",), **columns):
    """Read rows of place, gift, lot and counted."""
    frame = pd.DataFrame(rows, columns=["place", "gift_id", "lot_id", "counted"],
                         dtype="object")  # fmt: skip
    frame = frame.assign(**({"stocktake_id": "C1", "counted_by": "E1"} | columns))
    ledger = stocked() if ledger is None else ledger
    return read_counts(frame, called(*places), ledger, as_of=LATER)


def test_a_sheet_lists_all_that_the_books_have_at_the_cutoff():
    """Each gift and lot at the places counted, expired ones too, and nothing later."""
    ledger = stocked()
    ledger.post(Posting(posting_id="after", kind="issue", effective_at=LATER,
        movements=[Movement(gift_id="CUP", source="store:S01", destination="member",
                            quantity=1)]))  # fmt: skip
    sheet = count_sheet(ledger, called("store"))
    assert sheet[["place", "gift_id", "book"]].to_numpy().tolist() == [
        ["store:S01", "CUP", 10], ["store:S01", "TEA", 4], ["store:S01", "TEA", 6],
        ["store:S02:shelf", "CUP", 3]]  # fmt: skip
    assert sheet["lot_id"].tolist()[1:3] == ["A", "B"]
    assert sheet["valid_through"][1] == pd.Timestamp(PAST)
    assert sheet["counted"].isna().all()
    early = count_sheet(ledger, called("store:S01"), position=1)
    assert early["gift_id"].tolist() == ["CUP"]
    assert early["position"].tolist() == [1]


def test_a_sheet_of_a_place_that_nobody_knows_is_refused():
    """A mistyped store has no empty sheet; one without stock has."""
    with pytest.raises(UnknownPlaceError, match="did you mean 'store:S0"):
        count_sheet(stocked(), called("store:S09"))
    assert count_sheet(stocked(), called("store:S02:window")).empty


def test_counts_that_are_no_frame_are_told_so():
    """A list is refused in words, whatever it holds."""
    with pytest.raises(InvalidValueError, match="a frame of the table 'counts'"):
        read_counts([1], called("store"), stocked(), as_of=LATER)


def test_a_balance_of_what_nobody_lists_is_no_zero():
    """A mistyped gift or place is told; what is listed and not there is zero."""
    ledger = stocked()
    with pytest.raises(UnknownGiftError, match="did you mean 'PEN'"):
        ledger.balance("PNE", "warehouse")
    with pytest.raises(UnknownPlaceError, match="store:S0"):
        ledger.balance("CUP", "store:S09")
    assert ledger.balance("PEN", "store") == 0
    assert ledger.balance("CUP", "member:M1") == 0


def test_gifts_that_the_books_do_not_have_get_a_line_everywhere():
    """A surplus of what the books have none of is counted, in each listed store."""
    sheet = count_sheet(stocked(), called("store", "warehouse"), also=["PEN", "CUP"])
    pens = sheet[sheet["gift_id"] == "PEN"]
    assert pens["place"].tolist() == ["store:S01", "store:S02", "warehouse"]
    assert pens["book"].tolist() == [0, 0, 0]
    assert sheet.duplicated(["place", "gift_id", "lot_id"]).sum() == 0


def test_a_blind_sheet_has_no_book_quantity_at_all():
    """Open-mSupply 12226: who counts blind cannot see the books in the frame."""
    ledger = stocked()
    blind = count_sheet(ledger, called("store:S01", blind=True))
    seen = count_sheet(ledger, called("store:S01"))
    assert [name for name in seen if name not in blind] == ["book"]
    assert not blind.isin([10, 4, 6]).any().any()


def test_a_sheet_that_comes_back_empty_is_uncounted_and_blocks_nothing():
    """Open-mSupply 11408: lines without a count are lines, not zeros and not errors."""
    ledger = stocked()
    sheet = count_sheet(ledger, called("store:S01"))
    reading = read_counts(sheet, called("store:S01"), ledger, as_of=LATER)
    assert (reading.rows_read, reading.accepted, reading.findings) == (3, 3, ())
    assert {str(each.state) for each in differences(ledger, reading.lines)} == {
        "not_counted"}  # fmt: skip


def test_counts_go_out_and_come_back_the_same():
    """A frame of count lines is read as the same lines, through CSV too."""
    ledger = stocked()
    sheet = count_sheet(ledger, called("store:S01"))
    sheet["counted"] = pd.array([0, 4, None], dtype="Int64")
    reading = read_counts(sheet, called("store:S01"), ledger, as_of=LATER)
    frame = count_frame(reading.lines)
    again = read_counts(frame, called("store:S01"), ledger, as_of=LATER)
    assert again.lines == reading.lines
    assert [each.counted for each in again.lines] == [0, 4, None]
    pd.testing.assert_frame_equal(count_frame(again.lines), frame)


@pytest.mark.parametrize(
    ("row", "rule", "column"),
    [
        (("store:S01", "CPU", None, 1), "gift-unknown", "gift_id"),
        (("store:S09", "CUP", None, 1), "place-elsewhere", "place"),
        (("warehouse", "CUP", None, 1), "place-elsewhere", "place"),
        (("shop 1", "CUP", None, 1), "place-unknown", "place"),
        (("member", "CUP", None, 1), "place-unknown", "place"),
        ((None, "CUP", None, 1), "id-missing", "place"),
        (("store:S01", 7, None, 1), "id-invalid", "gift_id"),
        (("store:S01", "TEA", None, 1), "lot-missing", "lot_id"),
        (("store:S01", "CUP", None, 1.0), "count-not-whole", "counted"),
        (("store:S01", "CUP", None, True), "count-not-whole", "counted"),
        (("store:S01", "CUP", None, "1"), "count-not-whole", "counted"),
        (("store:S01", "CUP", None, Decimal(1)), "count-not-whole", "counted"),
        (("store:S01", "CUP", None, -1), "count-out-of-range", "counted"),
        (("store:S01", "CUP", None, 2**63), "count-out-of-range", "counted"),
    ],
)
def test_a_bad_row_is_told_with_row_and_column_and_good_ones_go_on(row, rule, column):
    """A finding names row and column in both languages; read = accepted + rejected."""
    good = ("store:S01", "TEA", "A", 4)
    reading = read([good, row, ("store:S01", "TEA", "B", None)])
    (finding,) = reading.findings
    assert (finding.rule, finding.row, finding.column) == (rule, 2, column)
    assert finding.message_en.isascii()
    assert not finding.message_zh.isascii()
    assert (reading.accepted, reading.rejected_rows, reading.rows_read) == (2, (2,), 3)
    assert [line.counted for line in reading.lines] == [4, None]


def test_a_place_that_the_ledger_does_not_list_is_unknown():
    """A session of all stores takes no count of a store that does not exist."""
    reading = read([("store:S03", "CUP", None, 1)], places=("store",))
    assert [each.rule for each in reading.findings] == ["place-unknown"]
    assert "did you mean 'store:S0" in reading.findings[0].message_en


def test_the_same_line_twice_counts_for_nothing():
    """Nobody knows which of two counts holds: both rows are named, neither is used."""
    reading = read([("store:S01", "CUP", None, 5), ("store:S01", "TEA", "A", 4),
                    ("store:S01", "CUP", None, 5)])  # fmt: skip
    assert [(each.rule, each.row) for each in reading.findings] == [
        ("line-twice", 1), ("line-twice", 3)]  # fmt: skip
    assert "row 3" in reading.findings[0].message_en
    assert [line.gift_id for line in reading.lines] == ["TEA"]
    both = read([("store:S01", "CUP", None, 5), ("store:S01", "CUP", None, 6)],
                recount=[0, 1])  # fmt: skip
    assert both.accepted == 2


def test_moments_and_expiries_that_cannot_be_are_told():
    """Counts of the future, naive instants, other expiries, recounts of the past."""
    cup = ("store:S01", "CUP", None, 5)
    tea = ("store:S01", "TEA", "A", 5)
    soon = LATER + dt.timedelta(microseconds=1)
    cases = [
        ([cup], {"counted_at": [soon]}, ["count-in-future"]),
        ([cup], {"counted_at": ["noon"]}, ["instant-invalid"]),
        ([cup, cup], {"counted_at": [NOON, LATER], "recount": [1, 0]},
         ["recount-earlier"]),
        ([tea], {"valid_through": [dt.date(2027, 1, 1)]}, ["lot-conflict"]),
        ([cup], {"valid_through": [PAST]}, ["lot-missing"]),
        ([cup], {"stocktake_id": ["C2"]}, ["other-stocktake"]),
        ([cup], {"recount": [-1]}, ["count-out-of-range"]),
        ([cup], {"position": [6]}, ["position-ahead"]),
        ([cup], {"position": [5]}, []),
    ]  # fmt: skip
    for rows, columns, rules in cases:
        assert [each.rule for each in read(rows, **columns).findings] == rules
    assert read([tea]).lines[0].valid_through == PAST
    with pytest.raises(ColumnTypeError, match="tz_localize"):
        read([cup], counted_at=pd.to_datetime(["2026-10-31"]))
    with pytest.raises(MissingColumnsError, match="counted"):
        read_counts(pd.DataFrame({"place": []}), called("store"), stocked(),
                    as_of=LATER)  # fmt: skip


CELLS = st.one_of(
    st.none(), st.integers(-2, 12), st.booleans(), st.floats(0, 3),
    st.just(float("nan")),
    st.sampled_from(["", "3", "CUP"]),
)  # fmt: skip
ROWS = st.tuples(
    st.sampled_from(["store:S01", "store:S02", "warehouse", "", None, 3]),
    st.sampled_from(["CUP", "TEA", "PEN", "X", None]),
    st.sampled_from(["A", "B", "N", None, float("nan")]),
    CELLS,
)  # fmt: skip
LEDGER = stocked()


@examples(2 / 3)
@given(st.lists(ROWS, max_size=8))
def test_every_row_is_a_line_or_a_finding(rows):
    """Read = accepted + rejected, whatever stands in the sheet; the rest is used."""
    reading = read(rows, LEDGER)
    assert reading.rows_read == len(rows) == reading.accepted + reading.rejected
    assert {each.row for each in reading.findings} == set(reading.rejected_rows)
    for each in differences(LEDGER, reading.lines):
        assert each.line.counted is None or each.line.counted >= 0
