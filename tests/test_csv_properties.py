"""Whatever a file holds, each row is accepted or rejected, once."""

import random
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import examples
from csv_reading import SALES, read
from memberops.adapters.sources.contract import REJECT_COLUMNS, SourceResult
from memberops.errors import FrameError, InvalidValueError, MemberOpsError

DIRT = st.one_of(
    st.sampled_from(["", " ", "x", "1,5", "46331", "5/11/26", "2026-02-30", "\u200b",
                     "-", "1.2E+10", "=1+1", "元", "５", "\ufeff"]),
    st.text(
        st.characters(exclude_characters='"\r\n\0', exclude_categories=["Cs"]),
        max_size=6,
    ),
)  # fmt: skip
AMOUNT = st.decimals(-(10**6), 10**6, places=2).map(lambda amount: f"{amount}")
GOOD = st.builds(
    "{},2026-{:02}-{:02},S{},{},{}".format,
    st.integers(0, 10**6),
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(1, 3),
    st.integers(-9, 9),
    AMOUNT,
)
MIXED = st.builds(
    lambda row, at, cell: ",".join(
        cell if place == at else text for place, text in enumerate(row.split(","))
    ),
    GOOD,
    st.integers(0, 4),
    DIRT,
)
LINES = st.lists(st.one_of(GOOD, MIXED, DIRT), max_size=30)


def rows_of(result):
    """The accepted rows, as a bag."""
    return sorted(map(repr, result.frame.itertuples(index=False)))


@given(LINES)
@settings(max_examples=50)
def test_each_line_is_accepted_or_rejected_once(lines):
    """Rejects and accepted rows together are the file's lines that hold any text."""
    result = read(SALES + "".join(line + "\n" for line in lines))
    held = [
        (number, line)
        for number, line in enumerate(lines, 2)
        if line.replace(",", "")
    ]  # fmt: skip
    assert result.rows_read == len(held) == result.accepted + result.rejected
    rejected = list(result.rejects[["line", "raw"]].itertuples(index=False, name=None))
    assert set(rejected) <= set(held)
    assert len(set(rejected)) == len(rejected)
    kept = [line for number, line in held if number not in dict(rejected)]
    assert len(kept) == result.accepted
    for line, row in zip(kept, result.frame.itertuples(), strict=True):
        first = unicodedata.normalize("NFKC", line.split(",")[0])
        assert row.ticket_id == first.strip()


@given(st.lists(GOOD, max_size=30))
@settings(max_examples=30)
def test_good_rows_are_accepted_unchanged(lines):
    """Clean rows come through in order, exactly."""
    result = read(SALES + "\n".join(lines))
    assert result.accepted == len(lines)
    cells = [line.split(",") for line in lines]
    frame = result.frame
    assert frame["ticket_id"].tolist() == [row[0] for row in cells]
    assert frame["sold_on"].dt.strftime("%Y-%m-%d").tolist() == [c[1] for c in cells]
    assert frame["quantity"].tolist() == [int(row[3]) for row in cells]
    assert frame["amount"].tolist() == [int(Decimal(row[4]) * 100) for row in cells]


@given(LINES, st.randoms(use_true_random=False), st.integers(0, 30))
@examples(1 / 2)
def test_order_and_splitting_change_nothing(lines, chance, cut):
    """Rows shuffled, or parted into two files, are accepted as before."""
    whole = read(SALES + "\n".join(lines))
    shuffled = lines[:]
    random.Random(chance.random()).shuffle(shuffled)  # noqa: S311 - no secret
    assert rows_of(read(SALES + "\n".join(shuffled))) == rows_of(whole)
    first = read(SALES + "\n".join(lines[:cut]))
    second = read(SALES + "\n".join(lines[cut:]))
    assert sorted(rows_of(first) + rows_of(second)) == rows_of(whole)
    assert first.rows_read + second.rows_read == whole.rows_read


QUOTED = st.text('",T1 5x', max_size=12)


@given(st.lists(st.one_of(st.none(), QUOTED), min_size=1, max_size=20))
@examples(2)
def test_stray_quotes_never_swallow_a_good_row(parts):
    """Good rows between lines with any number of quotes are all accepted, once."""
    lines = [
        part if part is not None else f'G{n},2026-11-05,"S, {n}",1,5'
        for n, part in enumerate(parts)
    ]
    result = read(SALES + "\n".join(lines))
    planted = [f"G{n}" for n, part in enumerate(parts) if part is None]
    accepted = result.frame["ticket_id"].tolist()
    assert [ticket for ticket in accepted if ticket.startswith("G")] == planted


@given(st.binary(max_size=300), st.booleans())
@examples(2)
def test_no_bytes_break_the_reader(data, headed):
    """Any bytes give a result that adds up, or an error of this library."""
    text = SALES.encode() + data if headed else data
    try:
        result = read(text)
    except MemberOpsError:
        assert not headed
    else:
        assert result.rows_read == result.accepted + result.rejected


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "shift_jis", "utf-16-le"])
@given(data=st.binary(max_size=60))
@examples(1 / 2)
def test_no_bytes_break_a_given_encoding(encoding, data):
    """Under whatever given encoding, bad bytes are rejected lines."""
    head = "ticket_id,sold_on,store_id,quantity,amount\n".encode(encoding)
    result = read(head + data, encoding=encoding)
    assert result.rows_read == result.accepted + result.rejected


def test_a_result_that_loses_a_row_cannot_be_made():
    """The counts are checked when a result is made, by whatever source."""
    good = read(SALES + "T1,2026-11-05,S1,1,5\n")
    parts = {
        "table": "sales",
        "frame": good.frame,
        "rejects": good.rejects,
        "findings": good.findings,
    }
    assert SourceResult(**parts, rows_read=1).accepted == 1
    with pytest.raises(InvalidValueError, match="2 rows read, but 1 accepted"):
        SourceResult(**parts, rows_read=2)
    parts["rejects"] = good.rejects.drop(columns=list(REJECT_COLUMNS[:1]))
    with pytest.raises(FrameError, match="lack 'file'"):
        SourceResult(**parts, rows_read=1)
