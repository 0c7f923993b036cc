"""Cells are parted and numbered at once, exactly as they are one by one."""

import importlib.util

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memberops.adapters.sources import text_gathering
from memberops.adapters.sources.csv_rows import RowReader
from memberops.adapters.sources.encoding import open_text
from memberops.adapters.sources.text_gathering import TextGatherer

_LINES = st.lists(
    st.one_of(
        st.sampled_from(["a,b,c\n", "1,,2\r\n", "x,y,王\n", ",,\n", "\n", ",,,\n"]),
        st.text(st.sampled_from('ab,王" \x85\u2028\r\n\x00'), max_size=9),
    ),
    max_size=12,
)
_TEXTS = st.sampled_from(["", "a", "b", "王", "\0", "a\0", "e\u0301", "é", "\ud800"])


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A file to be written again and again."""
    return tmp_path_factory.mktemp("rows") / "rows.csv"


def _rows(file):
    reader = RowReader(open_text(file), delimiter=",", known=lambda _: False)
    batches = list(reader.batches())
    return (
        [row for batch in batches for row in batch.rows],
        [line for batch in batches for line in batch.first],
        [line for batch in batches for line in batch.last],
        reader.bad,
        reader.blank,
    )


@settings(max_examples=150)
@given(_LINES)
@example(["a,b,c\n"] * 3)
@example(["a,b,c\r\n", ",,\r\n", "a,b,c\r\n"])
@example(["a,b\n", "a,b,c,d\n"])
def test_lines_without_quotes_are_parted_as_csv_parts_them(file, lines):
    """Rows, their lines and what is bad are equal to those of the csv module."""
    file.write_bytes("一,二,三\n".encode() + "".join(lines).encode())
    fast = _rows(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RowReader, "_unquoted_cells", lambda *_: None)
        assert _rows(file) == fast


def test_a_cell_too_long_is_no_plain_row(file):
    """What the csv module refuses for its length is refused without quotes, too."""
    file.write_text(f"a,b\n1,2\n3,{'x' * 200_000}\n4,5\n", encoding="utf-8")
    rows, first, _, bad, _ = _rows(file)
    assert (rows, first) == ([["1", "2"], ["4", "5"]], [2, 4])
    assert [(each.line, each.rule) for each in bad] == [(3, "cell-too-long")]


@pytest.mark.parametrize("arrow", [True, False])
@settings(max_examples=60)
@given(parts=st.lists(st.lists(_TEXTS, max_size=6), max_size=6))
def test_each_text_is_kept_once_in_the_order_of_coming(arrow, parts):
    """Rows have their texts, however they are numbered and whatever they hold."""
    every = [text for part in parts for text in part]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_gathering, "_ROWS_AT_ONCE", 4)
        if not arrow:
            patch.setattr(importlib.util, "find_spec", lambda _: None)
        gatherer = TextGatherer()
        for part in parts:
            gatherer.add(part)
        column = gatherer.column()
    assert list(column.texts) == list(dict.fromkeys(every))
    assert np.array(column.texts, dtype=object)[column.codes].tolist() == every
