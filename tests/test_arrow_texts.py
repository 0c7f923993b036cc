"""What pyarrow keeps is read exactly as a list of texts is, text by text."""

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memberops.adapters.sources import column_values, text_gathering
from memberops.adapters.sources.arrow_texts import ArrowTexts, in_order, picked
from memberops.adapters.sources.column_values import (
    NOBODY_WORDS,
    TextColumn,
    read_column,
)
from memberops.adapters.sources.finding_log import FindingLog
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.sql_rows import zoned
from memberops.adapters.sources.text_bytes import blocks_of_bytes
from memberops.adapters.sources.text_gathering import TextGatherer
from memberops.adapters.sources.text_table import TextTable, read_text_table
from memberops.domain import Currency
from memberops.tables import table

pa = pytest.importorskip("pyarrow", reason="the texts are kept by pyarrow")

_MISSING = ("NULL", "\\N", "无 值")
_COLUMNS = [
    ("sales", name) for name in ("ticket_id", "member_id", "sold_on", "sold_at")
] + [("sales", "quantity"), ("sales", "amount"), ("sales", "item_name")]
_COLUMNS += [("members", "gender"), ("members", "birth_date"), ("targets", "month")]
_TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "NULL", " NULL\u3000", "\\N", "无 值", "\u3000无 值", "T000123", "0",
         "000", "--", "-", "Guest", "ＧＵＥＳＴ", " nil ", "#N/A", "散客", "n\u0303",
         "\u212a", "0\u0301", "\x000", "王小明", "a\u0301", " T1", "T1 ", 'a"b', "1E+5",
         "+1", "\x7f", "\x1f0", "a\nb", "x" * 201, "12.50", "-0.01", "1,299.00",
         "19.999", "9" * 19, "１２", "(3.50)", "12\n3", ".5", "5.", "男", "F",
         "2026-11",
         "2026-11-05", "2026-11-05 14:03", "2026-11-05 14:03:00", "05/11/2026",
         "25/12/2026", "2026-11-05T14:03:00.25+08:00", "2026-11-05 14:03:00.123456Z",
         "2026-11-05 14:03:00.1234567", "2026-11-05 00:00:00Z", "1990-02-30",
         "2026-11-05 14:03:00+0800", "2026-11-05 14:03:00-03", "2026-11-05 14:03:0０"]
    ),
    st.text(st.sampled_from("09-. :TZ+é王\u3000\x85"), max_size=26),
    st.text(max_size=5),
)  # fmt: skip


def _kept(texts, parts=1):
    size = max(1, -(-len(texts) // parts))
    cut = [texts[at : at + size] for at in range(0, len(texts), size)]
    return ArrowTexts(pa.chunked_array(cut, pa.large_string()))


def _read(place, texts, codes):
    log = FindingLog(place[0], None, 100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(column_values, "FEWEST", 0)
        cells = read_column(
            table(place[0]).column(place[1]),
            TextColumn(codes, texts),
            currency=Currency("CNY"),
            zone=ZoneInfo("America/New_York"),
            date_format=None,
            missing=_MISSING,
            nobody=NOBODY_WORDS,
            log=log,
        )
    reasons = [None, *cells.reasons]
    return (
        cells.series(np.arange(len(codes))),
        cells.series(np.arange(len(codes))[::-2]),
        cells.missing_rows.tolist(),
        [reasons[at + 1] for at in cells.problem_rows.tolist()],
        log.findings,
    )


@given(
    st.sampled_from(_COLUMNS),
    st.lists(_TEXTS, max_size=12, unique=True),
    st.integers(1, 3),
    st.sampled_from([1, 2]),
)
@example(("sales", "member_id"), ["M1", "ＧＵＥＳＴ", "0" * 9, "é", "x"], 2, 1)
@example(("sales", "sold_at"), ["2026-11-05 14:03:00+08", "2026-11-05 14:03:00.5+08"],
         1, 2)  # fmt: skip
def test_a_column_that_pyarrow_keeps_is_read_as_a_list_is(place, texts, parts, times):
    """Values, what is missing, problems and findings are equal, for any text."""
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    texts = list(dict.fromkeys(texts))
    codes = np.repeat(np.arange(len(texts)), times)
    slow = _read(place, texts, codes)
    fast = _read(place, _kept(texts, parts), codes.astype(np.int32))
    for one, other in zip(slow[:2], fast[:2], strict=True):
        pd.testing.assert_series_equal(one, other)
    assert slow[2:] == fast[2:]


@given(st.lists(st.lists(st.sampled_from(["a", "b", "王", "", "é"]), max_size=5)))
def test_a_column_of_texts_of_their_own_keeps_the_text_of_each_row(parts):
    """However few texts repeat, each row has its own text, in the order of coming."""
    every = [text for part in parts for text in part]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_gathering, "_ROWS_AT_ONCE", 3)
        patch.setattr(text_gathering, "_ENOUGH", 2)
        gatherer = TextGatherer()
        for at, part in enumerate(parts):
            gatherer.add(_kept(part) if at % 2 else part)
        column = gatherer.column()
    assert [column.texts[code] for code in column.codes] == every
    assert picked(column.texts, column.codes) == every


def test_a_column_of_ids_is_neither_numbered_nor_copied():
    """The ids of a million tickets are in memory once, from their arrival on."""
    ids = [f"T{n:06}" for n in range(5_000)]
    gatherer = TextGatherer()
    gatherer.add(ids)
    column = gatherer.column()
    cells = read_column(
        table("sales").column("ticket_id"), column, currency=Currency("CNY"),
        zone=ZoneInfo("UTC"), date_format=None, missing=_MISSING,
        log=FindingLog("sales", None, 1),
    )  # fmt: skip
    assert in_order(column.codes, len(ids))
    assert cells.typed is column.texts
    assert cells.series(np.arange(len(ids))).tolist() == ids


def test_a_text_is_told_of_nobody():
    """What shows the texts of a column in an error or a log shows none of them."""
    kept = _kept(["王小明", "13800138000"])
    assert repr(kept) == "ArrowTexts(<2 texts>)"
    assert kept[:1] == ["王小明"]
    assert kept.tolist() == list(kept) == [kept[0], "13800138000"]


def test_a_value_that_is_none_is_not_the_word_none():
    """Nobody is given the name "None" because a cell was empty."""
    void = np.array([False, True])
    kept = _kept(["M1", "-"]).replaced(void, np.array([0]), ["M2"])
    assert [kept[0], kept[1]] == list(kept) == kept[:2] == ["M2", None]


@given(st.lists(_TEXTS, max_size=12), st.integers(1, 3))
@example(["", "2026-11-05", "2026-11-05 14:03:00", "１４:０３+08", "1:23\n+08"], 2)
def test_moments_without_a_zone_are_marked_alike(texts, parts):
    """What a database writes in UTC without saying so is marked in any keeping."""
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    codes = np.arange(len(texts))
    marked = zoned(TextColumn(codes, _kept(texts, parts)))
    assert list(marked.texts) == zoned(TextColumn(codes, texts)).texts


@given(st.lists(_TEXTS, max_size=9), st.integers(1, 4))
def test_bytes_are_those_of_the_texts(texts, rows):
    """Blocks have the bytes, lengths and edges of the texts that pyarrow keeps."""
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    found = []
    for start, block in blocks_of_bytes(_kept(texts, 2), rows):
        assert start == len(found)
        first, last = block.edges
        for at, (begin, end) in enumerate(zip(block.starts, block.ends, strict=True)):
            raw = block.signs[begin:end].tobytes()
            assert (first[at], last[at]) == ((raw[0], raw[-1]) if raw else (0, 0))
            found.append(raw.decode())
    assert found == texts


def test_texts_are_let_go_only_where_nobody_may_ask_for_them():
    """A reading without rejects holds no text any more; another shows its rejects."""
    options = ReadingOptions.of("sales", currency=Currency("CNY"), zone=ZoneInfo("UTC"))
    good = ["T1", "2026-11-05 14:03:00+00", "S1", "1", "5.00"]
    headings = ("ticket_id", "sold_at", "store_id", "quantity", "amount")
    for bad in (False, True):
        rows = [good, [*good[:4], "none" if bad else "6.00"]]
        columns = [_kept(list(each)) for each in zip(*rows, strict=True)]
        table = TextTable(
            name="till", headings=headings, lines=np.arange(1, 3),
            columns=tuple(TextColumn(np.arange(2), texts) for texts in columns),
        )  # fmt: skip
        result, _ = read_text_table(table, options, texts_for="rejects")
        assert result.frame["amount"].tolist() == [500, 600][: 2 - bad]
        assert result.rejects["raw"].tolist() == [",".join(rows[1])] * bad
        assert len(columns[1]) == 2 * bad
