"""Formulas, errors and odd XML of workbooks: nothing is read for what it is not."""

import datetime as dt
import re
import time
import zipfile
from pathlib import Path
from unittest import mock

import attrs
import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from excel_files import GOOD, SALES, archive, ods, ods_row, one, read, rules, workbook
from memberops.adapters.sources.excel_book import open_workbook
from memberops.adapters.sources.excel_cells import (
    CellText,
    exact_number,
    looks_rounded,
)
from memberops.adapters.sources.excel_columns import read_columns
from memberops.adapters.sources.excel_headings import HeadingRows
from memberops.adapters.sources.excel_places import places_of_cells, walked_places
from memberops.adapters.sources.excel_scan import SheetScan
from memberops.adapters.sources.limits import ReadingLimits
from memberops.errors import SourceError

DATA = Path(__file__).parent / "data"
HEADS = [*SALES, "会员号", "单价"]
PREFIXED = (
    b'<worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
)
NOT_ASKING = (rb'(<calcPr [^>]*)fullCalcOnLoad="1"', rb"\1")
SHEET = "xl/worksheets/sheet1.xml"


def never_calculated(formulas, *, rows=2):
    """Write good rows with openpyxl, which never calculates, and formulas."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(HEADS)
    for number in range(rows):
        sheet.append([f"T{number}", *GOOD[1:], f"M{number}", 5])
    for place, formula in formulas.items():
        sheet[place] = formula
    book.save("openpyxl.xlsx")
    return Path("openpyxl.xlsx")


def changed(path, *pairs):
    """Write a workbook again with patterns replaced in its sheet, or in its book."""
    with zipfile.ZipFile(path) as given_parts:
        parts = {part: given_parts.read(part) for part in given_parts.namelist()}
    for old, new in pairs:
        part = "xl/workbook.xml" if b"calcPr" in old else SHEET
        parts[part], count = re.subn(old, new, parts[part])
        assert count
    return archive(f"changed-{Path(path).name}", parts)


def never(result):
    """How many cells are told as never calculated, by the words of the finding."""
    return [f.count for f in result.findings if f.rule == "formula-uncalculated"]


def test_a_formula_that_was_never_calculated_is_neither_empty_nor_zero():
    """A required cell rejects its row, an optional one is empty; both are told."""
    result = read(never_calculated({"E2": "=D2*5", "F3": '="M"&1', "G3": "=E3/D3"}))

    assert result.rejects[["line", "column"]].to_numpy().tolist() == [[2, "amount"]]
    assert "#CALC!" in result.rejects["reason_en"][0]
    assert result.frame["member_id"].isna().tolist() == [True]
    assert result.frame["unit_price"].isna().tolist() == [True]
    assert never(result) == [1, 1, 1]


def test_an_id_that_was_never_calculated_rejects_its_row():
    """No ticket is called #CALC!, and none is called #REF!."""
    result = read(never_calculated({"A2": '="T"&1', "F3": "#REF!"}))

    assert result.rejects[["line", "rule"]].to_numpy().tolist() == [[2, "cell-error"]]
    assert result.frame["member_id"].isna().tolist() == [True]


def test_rows_of_nothing_but_formulas_are_not_lost():
    """The reader of workbooks ends above them; they are rejected, with their lines."""
    last = {f"{letter}4": f"={letter}2" for letter in "ABCDEFG"}
    result = read(never_calculated({**last, "A6": "=A2", "B6": "=B2"}))

    assert (result.rows_read, result.accepted) == (4, 2)
    assert result.rejects["line"].tolist() == [4, 6]


@pytest.mark.parametrize(
    ("pairs", "accepted"),
    [
        ([(rb"<v ?/>", b"<v></v>")], 1),
        ([(rb"<v ?/>", b"")], 1),
        ([(rb"<f>[^<]*</f>", b'<f t="shared" si="0"/>')], 1),
        ([(rb"<(/?)(c|row|f|v)\b", rb"<\1x:\2"), (b"<worksheet ", PREFIXED)], 1),
        ([(rb"<(c|row) r=\"[A-Z]*\d+\"", rb"<\1")], 1),
        ([(rb"<c r=(\"[A-Z]*\d+\")", rb"<c s='0' r = \1")], 1),
        ([(rb'<c r="E2"', b'<c t="str" r="E2"'), (rb"<v ?/>", b"<v>5</v>")], 2),
        ([(rb"<v ?/>", b"<v>0</v>"), NOT_ASKING], 2),
        ([(rb"<v ?/>", b"<v>0</v>")], 1),
    ],
    ids=["empty", "none", "shared", "prefix", "unplaced", "spaced", "text", "zero",
         "zero-asks"],
)  # fmt: skip
def test_formulas_are_found_however_they_are_written(pairs, accepted):
    """The sheet of another program says the same in other words."""
    result = read(changed(never_calculated({"E2": "=D2*5"}), *pairs))

    assert result.accepted == accepted
    assert never(result) == [1] * (2 - accepted)
    assert result.rejects["line"].tolist() == [2] * (2 - accepted)


def test_zeros_of_a_writer_that_never_calculates_are_no_values():
    """It asks for calculation; a column in which it gave one value has them all."""
    rows = [HEADS, [*GOOD[:4], "", "M1"], ["T2", *GOOD[1:4], "", "M2"]]

    def formulas(values):
        def write(_book, tabs):
            for row, value in enumerate(values, 1):
                tabs["a"].write_formula(row, 4, f"=D{row + 1}*0", None, value)

        return workbook({"a": rows}, more=write)

    assert read(formulas([0, 0])).rejects["line"].tolist() == [2, 3]
    assert never(read(formulas([0, ""]))) == [2]
    result = read(formulas([0, 7]))
    assert result.frame["amount"].tolist() == [0, 700]
    assert not never(result)


def test_a_formula_whose_value_is_an_empty_text_is_empty():
    """A program that calculates writes so what =IF(A1="","",A1) gives."""
    path = never_calculated({"F2": '=""'})

    result = read(changed(path, (rb'r="F2">', b'r="F2" t="str">'), NOT_ASKING))

    assert result.accepted == 2
    assert not never(result)


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("/>", "formula-uncalculated"),
        (' office:value-type="float"/>', "formula-uncalculated"),
        (' office:value-type="string"/>', "formula-empty"),
        (' office:value-type="string" office:string-value=""/>', None),
        (' office:value-type="float" office:value="7"/>', None),
        (' office:value-type="string"><text:p>7</text:p></table:table-cell>', None),
    ],
)
def test_formulas_of_ods_without_a_value_are_told(cell, told):
    """An .ods cell has its value once it is calculated; odfpy leaves it out."""
    formula = f'<table:table-cell table:formula="of:=D2*5"{cell}'
    end = "</table:table-row>"
    rows = ods_row(*SALES) + ods_row(*GOOD[:4]).replace(end, formula + end)

    result = read(ods(rows + ods_row("T2", *GOOD[1:])))

    assert [f.rule for f in result.findings if "formula" in f.rule] == (
        [told] if told else []
    )
    assert result.rejects["line"].tolist() == ([] if "7" in cell else [2])
    assert "hidden-unknown" in rules(result)


def test_a_formula_of_xls_without_a_value_is_told():
    """An .xls cell does not tell whether a formula gave nothing or never ran."""
    assert one(read(DATA / "small.xls"), "formula-empty").count == 1


def test_errors_among_ids_are_no_ids():
    """#REF! is no ticket, and #DIV/0! is no member; text that begins so stays."""
    rows = [HEADS, [*GOOD, "#1"], ["T2", *GOOD[1:], "#A!"], ["T3", *GOOD[1:], "M3"]]

    def errors(_book, tabs):
        tabs["a"].write_formula(3, 5, "=1/0", None, "#DIV/0!")
        tabs["a"].write_formula(2, 0, "=A0", None, "#REF!")

    result = read(workbook({"a": rows}, more=errors))

    assert result.rejects[["line", "rule"]].to_numpy().tolist() == [[3, "cell-error"]]
    assert result.frame["member_id"].fillna("").tolist() == ["#1", ""]


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"NaN"])
def test_numbers_that_are_none_are_refused(number):
    """What a damaged writer left is neither an id nor an amount."""
    path = workbook({"a": [SALES, [7, *GOOD[1:]], ["T2", *GOOD[1:]]]})

    result = read(changed(path, (b"<v>7</v>", b"<v>" + number + b"</v>")))

    assert result.rejects["line"].tolist() == [2]


def test_all_error_cells_of_a_long_sheet_are_noted():
    """None of a hundred and twenty thousand errors is read as an empty cell."""
    scan = SheetScan()
    cells = "".join(
        f'<row r="{n}"><c r="B{n}" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
        for n in range(1, 5_001)
    ).encode()
    for _ in range(24):
        assert scan.feed(cells) == b""

    (text, (rows, columns)) = next(iter(scan.facts.noted().items()))
    assert (text, len(rows), set(columns)) == ("#DIV/0!", 120_000, {2})
    assert rows[:5_000].tolist() == list(range(1, 5_001))


@pytest.mark.parametrize(
    "places",
    [
        b'r="E2"r="XFD1048576"',
        b'r="E2" r="XFD1048576"',
        b"r='E2' r='XFD1048576'",
        b'r="E2" r = "XFD1048576"',
        b'r="E2" a=">" r="XFD1048576"',
        b'r="E2"><f>1</f></c><x:c r="XFD1048576"',
    ],
    ids=["joined", "twice", "quoted", "spaced", "ended", "prefixed"],
)
def test_a_cell_with_two_places_is_measured_by_the_further_one(places):
    """The reader takes the last place, which a hostile file hides behind another."""
    path = workbook({"a": [SALES, GOOD]})

    with pytest.raises(SourceError, match="sheet_cells"):
        read(changed(path, (b'r="E2"', places)))


@pytest.mark.parametrize("tag", [b"<c ", b'<c t="e" ', b"<row hidden ", b"<f t "])
def test_tags_that_never_end_cost_no_more_than_their_length(tag):
    """Each is looked at once: a block of them is read as fast as another."""
    scan = SheetScan()

    scan.feed(b'<row r="1"><c r="A1"/>' + tag * 40_000 + b"</row>")

    assert scan.facts.columns >= 1


@examples(2)
@given(
    st.lists(
        st.tuples(st.integers(1, 10**6), st.integers(1, 700), st.booleans(),
                  st.sampled_from(["", ' s="1"', ' t="str"', ' s="1" t="n"'])),
        max_size=8,
    )
)  # fmt: skip
def test_places_at_once_are_those_of_tags_one_by_one(cells):
    """All bytes together tell what a walk over the tags tells."""
    letters = openpyxl.utils.get_column_letter
    block = "".join(
        f'<row r="{row}" spans="1:9"><c r="{letters(column)}{row}"{more}>'
        f"{'<f>A1</f>' if formula else ''}<v>r=1 or :c</v></c></row>"
        for row, column, formula, more in cells
    ).encode()

    quick, (slow, *_) = places_of_cells(block), walked_places(block)

    assert quick is not None
    for name in ("starts", "rows", "columns", "formulas"):
        np.testing.assert_array_equal(getattr(quick, name), getattr(slow, name))


@examples(3)
@given(
    st.lists(
        st.one_of(
            st.floats(),
            st.integers(10**13, 10**16).map(lambda n: n / 10),
            st.integers(-(10**7), 10**13).map(lambda n: n / 100),
            st.integers(0, 10**16).map(float),
            st.integers(10**4, 10**9).map(lambda n: float(n * 10**6)),
        ),
        max_size=20,
        unique=True,
    ),
    st.booleans(),
)
def test_numbers_are_written_together_as_one_by_one(numbers, words):
    """No short way changes a digit or misses a rounded number."""
    writer = CellText(words=words)

    texts = writer.write_all(["", *numbers], [1] * (len(numbers) + 1))

    rounded = [words and looks_rounded(number) for number in numbers]
    for number, text, lost in zip(numbers, texts[1:], rounded, strict=True):
        assert ("E" in text) if lost else text == exact_number(number)[0]
    alone = [
        exact_number(n) for n, lost in zip(numbers, rounded, strict=True) if not lost
    ]
    assert writer.noisy == sum(noisy for _, noisy in alone)
    assert writer.destroyed == sum(rounded) + sum("E" in text for text, _ in alone)


@attrs.frozen
class Rows:
    """A sheet as far as `read_columns` asks it."""

    cells: list
    facts: None = None

    def rows(self):
        """Its rows, as a reader of workbooks gives them."""
        return map(list, self.cells)


@examples(2)
@given(
    st.lists(
        st.one_of(
            st.lists(st.floats(), min_size=2, max_size=3),
            st.lists(st.datetimes(dt.datetime(1900, 1, 1)), min_size=2, max_size=3),  # noqa: DTZ001 - as in a sheet
            st.lists(
                st.sampled_from(["", "1", 1, 1.0, 0.0, True, dt.date(2026, 1, 1)]),
                max_size=3,
            ),
        ),
        max_size=5,
    )
)
def test_columns_hold_what_stands_in_each_row(runs):
    """However the cells of a column are coded, each row means its own cell."""
    cells = [cell for run in runs for cell in run]
    with mock.patch("memberops.adapters.sources.excel_columns._BATCH", 2):
        (column,) = read_columns(
            Rows([["head"], *([cell] for cell in cells)]),
            HeadingRows(texts=("head",), first=1, last=1, known=1),
        ).columns

    def shown(cell):
        if isinstance(cell, bool):
            return "yes" if cell else "no"
        if isinstance(cell, int | float):
            return repr(float(cell) + 0.0)
        return cell.isoformat(" ") if isinstance(cell, dt.datetime) else cell

    assert [shown(column.cells[code]) for code in column.codes] == list(
        map(shown, cells)
    )
    for at in column.moments:
        assert column.cells[at] in map(shown, cells)


def test_what_a_file_tells_stands_in_its_own_column_behind_an_empty_one():
    """A table that begins in column C has its errors where the sheet shows them."""

    def fill(book, tabs):
        sheet = tabs["销售"]
        for row, cells in enumerate([SALES, ["T1", 0, "S1", 1, 5]], 3):
            sheet.write_row(row, 2, cells)
        sheet.write(4, 3, "2026-11-05")
        sheet.write_row(5, 2, ["", "2026-11-05", "S1", 1, 5])
        sheet.write_formula(5, 2, "=1/0", None, "#DIV/0!")
        sheet.write_row(6, 2, ["T3", "2026-11-05", "", 1, 7])
        sheet.write_formula(6, 4, "=1+1", None, 2)

    path = changed(
        workbook({"销售": []}, more=fill), (rb"<f>1\+1</f><v>2</v>", b"<f>1+1</f>")
    )
    result = read(path)

    assert result.frame["ticket_id"].tolist() == ["T1"]
    assert result.rejects[["line", "column", "rule"]].to_numpy().tolist() == [
        [6, "ticket_id", "cell-error"],
        [7, "store_id", "cell-error"],
    ]


def test_a_formula_that_is_false_was_calculated():
    """In a book that asks to be calculated, "false" is no 0 of a mere writer."""
    scan = SheetScan(asks=True)

    scan.feed(b'<row r="2"><c r="A2" t="b"><f>1=2</f><v>0</v></c></row>')
    scan.settle()

    assert scan.facts.noted() == {}


@pytest.mark.parametrize(
    "cell",
    [
        b'<c r="A2">' + b"<f/>" * 100_000,
        b'<c t="e" r="A2"><f/>' + b" " * 400_000,
        b'<c r="A2" t="inlineStr"><is><t>' + b":f " * 130_000 + b"</t></is>",
    ],
    ids=["formulas", "spaces", "text"],
)
def test_what_a_cell_holds_is_looked_at_once(cell):
    """A cell of 400 KB costs no more than many small ones; it once took minutes."""
    scan = SheetScan()
    before = time.process_time()

    scan.feed(b'<row r="2">' + cell + b"</c></row>")

    assert time.process_time() - before < 5


def test_rows_without_cells_are_counted_at_the_end_of_a_block():
    """Behind a block of empty rows a row that names no place stands below them."""
    scan = SheetScan()

    scan.feed(b'<row r="1"><c r="A1"><v>1</v></c></row>')
    scan.feed(b'<row r="8"></row>')
    scan.feed(b'<row><c t="e"><v>#REF!</v></c></row>')

    (rows, columns) = scan.facts.noted()["#REF!"]
    assert (rows.tolist(), columns.tolist()) == ([9], [1])


def test_a_workbook_whose_parts_are_named_with_backslashes_tells_as_much():
    """Some programs write so: errors and formulas are found there too."""
    path = never_calculated({"D3": "=1+1"})
    with zipfile.ZipFile(path) as given_parts:
        parts = {part: given_parts.read(part) for part in given_parts.namelist()}

    renamed = {part.replace("/", "\\"): data for part, data in parts.items()}
    assert never(read(archive("backslashes.xlsx", renamed))) == [1]


_CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**12),
    st.sampled_from(["x", " y", "<&>", 'r="A1"', "=f", "=bare", "#N/A", "#DIV/0!"]),
)


def plainly(cell):
    """Write a cell of either reader in one way."""
    words = {True: "yes", False: "no"}
    return words[cell] if isinstance(cell, bool) else str(cell).removesuffix(".0")


@examples(0.3)
@given(
    st.lists(st.lists(_CELLS, min_size=4, max_size=4), min_size=1, max_size=8),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_each_cell_stands_where_another_reader_finds_it(rows, down, right):
    """Wherever a table begins, cells, errors and formulas are those of openpyxl."""

    def fill(_book, tabs):
        for at, row in enumerate(rows, down):
            for place, cell in enumerate(row, right):
                if cell in ("=f", "=bare"):
                    given = "" if cell == "=bare" else 7
                    tabs["a"].write_formula(at, place, "=3+4", None, given)
                elif isinstance(cell, str) and cell[0] == "#":
                    tabs["a"].write_formula(at, place, "=NA()", None, cell)
                elif isinstance(cell, str):
                    tabs["a"].write_string(at, place, cell)
                elif cell is not None:
                    tabs["a"].write(at, place, cell)
        tabs["a"].write_string(down + len(rows), right + 3, "end")

    path = workbook({"a": []}, more=fill)
    other = openpyxl.load_workbook(path, data_only=True)["a"]
    wanted = {
        (cell.row, cell.column): plainly(cell.value)
        for line in other.iter_rows()
        for cell in line
        if cell.value is not None
    }

    nothing = HeadingRows(texts=("",) * other.max_column, first=0, last=0, known=0)
    found = read_columns(open_workbook(path, ReadingLimits()).sheet("a"), nothing)
    given_cells = {
        (line, place): plainly(column.cells[code])
        for place, column in enumerate(found.columns, 1)
        for line, code in zip(found.lines.tolist(), column.codes.tolist(), strict=True)
    }
    told = {place for place, text in given_cells.items() if text == "#CALC!"}
    assert {k: v for k, v in given_cells.items() if v and k not in told} == wanted
    assert len(told) <= sum(row.count("=bare") for row in rows)
