"""Ids that a workbook keeps as numbers are read with the zeros that it shows."""

import datetime as dt
import re
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from excel_files import (
    GOOD,
    SALES,
    archive,
    ods,
    ods_row,
    one,
    read,
    rules,
    workbook,
)
from memberops.adapters.sources import excel_package
from memberops.adapters.sources.excel_binary import inspect_binary
from memberops.adapters.sources.excel_places import (
    places_of_cells,
    styles_of_cells,
    walked_places,
)
from memberops.adapters.sources.excel_styles import ZeroFormats, digits_shown
from memberops.adapters.sources.excel_xlsb import _text
from memberops.adapters.sources.limits import ReadingLimits
from memberops.domain import Severity
from memberops.errors import SourceError

DATA = Path(__file__).parent / "data"
DAY = dt.date(2026, 11, 5)
SHEET, STYLES = "xl/worksheets/sheet1.xml", "xl/styles.xml"
PREFIXED = (
    b'<worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
)
# What a spreadsheet program shows, by ECMA-376-1 18.8.31; or, of what is no id with
# zeros in front, the number.
SHOWN = [
    ("00000", 42, "00042"),
    ("00000000", 42, "00000042"),
    ("00000", 12345, "12345"),
    ("00000", 123456, "123456"),
    ("00000", 0, "00000"),
    ("00", 7, "07"),
    ("#000", 7, "007"),
    ("00000;-00000", 42, "00042"),
    ("00000_ ", 42, "00042"),
    ("[$-804]000000", 10001, "010001"),
    ("[$-zh-CN]000000", 10001, "010001"),
    ("[Red]00000", 42, "00042"),
    ("[Color 10][$-804]00000", 42, "00042"),
    ("0" * 32, 42, "42".zfill(32)),
    ("0" * 33, 42, "42"),
    ("0", 42, "42"),
    ("General", 42, "42"),
    ("0.00", 42, "42"),
    ("0,000", 42, "42"),
    ('"M"00000', 42, "42"),
    ("[>50]00000;000", 42, "42"),
    ("00000", -42, "-42"),
    ("00000", 4.5, "4.5"),
]


def zeros(cells, *, rows=2, heads=SALES):
    """Write good rows with openpyxl, and cells by place: a number and its format."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(heads)
    for number in range(rows):
        sheet.append([f"T{number}", DAY, "S1", 1, 5, *heads[5:]])
    for place, (value, code) in cells.items():
        sheet[place] = value
        sheet[place].number_format = code
    book.save("zeros.xlsx")
    return Path("zeros.xlsx")


def changed(path, part, *pairs):
    """Write a workbook again with patterns replaced in a part of it."""
    with zipfile.ZipFile(path) as held:
        parts = {name: held.read(name) for name in held.namelist()}
    for old, new in pairs:
        parts[part], count = re.subn(old, new, parts[part])
        assert count
    return archive("changed.xlsx", parts)


@pytest.mark.parametrize("writer", ["openpyxl", "xlsxwriter"])
def test_an_id_has_the_zeros_that_the_sheet_shows(writer):
    """A format of zeros alone fills up whole numbers; any other changes nothing."""

    def formatted(book, tabs):
        for row, (code, value, _) in enumerate(SHOWN, 1):
            form = book.add_format({"num_format": code})
            tabs["a"].write_number(row, 0, value, form)

    if writer == "openpyxl":
        cells = {f"A{row}": (v, code) for row, (code, v, _) in enumerate(SHOWN, 2)}
        path = zeros(cells, rows=len(SHOWN))
    else:
        rows = [SALES, *(["", DAY, "S1", 1, 5] for _ in SHOWN)]
        path = workbook({"a": rows}, more=formatted)

    result = read(path)

    assert result.frame["ticket_id"].tolist() == [text for _, _, text in SHOWN]
    assert one(result, "ids-zero-format").count == sum(
        text.startswith("0") for _, _, text in SHOWN
    )


def test_a_column_in_which_some_numbers_show_their_zeros_is_warned_of():
    """00042 as text and as number are one id; a bare 42 beside them is told."""
    path = zeros({"A2": ("00042", "@"), "A3": (42, "00000"), "A4": (42, "0"),
                  "A5": (42, "000"), "A6": (12345, "0")}, rows=5)  # fmt: skip

    result = read(path)

    ids = ["00042", "00042", "42", "042", "12345"]
    assert result.frame["ticket_id"].tolist() == ids
    told = one(result, "ids-zero-format")
    assert (told.count, told.severity) == (2, Severity.WARNING)
    assert "read so: 1:" in told.describe("en")
    assert "另有 1 个" in told.describe("zh")


def test_files_of_which_only_some_show_their_zeros_are_warned_of():
    """A ticket that one file shows as 00042 and another as 42 would count twice."""

    def rows(*ids):
        return [SALES, *([each, DAY, "S1", 1, 5] for each in ids)]

    def book(name, *ids, code="00000"):
        def more(book, tabs):
            form = book.add_format({"num_format": code})
            store = book.add_format({"num_format": "000"})
            for row, number in enumerate(ids, 1):
                tabs["a"].write_number(row, 0, number, form)
                tabs["a"].write_number(row, 2, 7, store)

        return workbook({"a": rows(*ids)}, name=name, more=more)

    shown, other = book("a.xlsx", 42, 43), book("c.xlsx", 12345, 44)
    bare = book("b.xlsx", 43, 43, 12346, code="0")

    result = read((shown, bare, other))

    told = one(result, "ids-zeros-differ")
    assert (told.source, told.column, told.count) == ("b.xlsx[a]", "ticket_id", 1)
    assert told.severity is Severity.WARNING
    assert "a.xlsx[a]" in told.message_en
    assert "a.xlsx[a]" in told.message_zh
    assert "ids-zeros-differ" in rules(read((shown, bare), overlap="replace"))
    assert "ids-zeros-differ" not in rules(read((shown, other)))
    texts = workbook({"a": rows("00044", "45")}, name="d.xlsx")
    assert "ids-zeros-differ" not in rules(read((shown, texts)))


def test_only_ids_and_texts_are_filled_up():
    """Phones and members are; amounts, quantities and prices are numbers."""
    heads = [*SALES, "会员号", "单价"]
    cells = {"C2": (7, "000"), "D2": (2, "000"), "E2": (5, "000"), "F2": (9, "0000"),
             "G2": (5, "0000")}  # fmt: skip

    result = read(zeros(cells, heads=heads, rows=1))

    row = result.frame.iloc[0]
    assert (row["store_id"], row["member_id"]) == ("007", "0009")
    assert (row["quantity"], row["amount"], row["unit_price"]) == (2, 500, 500)
    told = [f for f in result.findings if f.rule == "ids-zero-format"]
    assert [f.severity for f in told] == [Severity.INFO] * 2


def test_the_parts_of_an_id_and_what_a_rule_looks_at_are_filled_up():
    """A ticket is made of what the sheet shows, and a drop rule names what it shows."""
    heads = [*SALES[1:], "流水", "状态"]
    rows = [heads, *([DAY, "S1", 1, 5] for _ in range(2))]

    def more(book, tabs):
        form = book.add_format({"num_format": "0000"})
        for row, state in enumerate((1, 9), 1):
            tabs["a"].write_number(row, 4, row, form)
            tabs["a"].write_number(row, 5, state, form)

    result = read(
        workbook({"a": rows}, more=more),
        compose={"ticket_id": ["门店", "流水"]},
        drop=[{"column": "状态", "equals": ["0009"], "reason": "void"}],
    )

    assert result.frame["ticket_id"].tolist() == ["S1-0001"]


def test_a_number_that_lost_its_digits_stays_refused_under_zeros():
    """A format does not bring back what 1.23457E+10 has lost."""
    rows = [["会员号", "姓名", "手机"], ["M1", "甲"], ["M2", "乙"]]

    def more(book, tabs):
        form = book.add_format({"num_format": "0" * 12})
        tabs["a"].write_number(1, 2, 12345700000, form)
        tabs["a"].write_number(2, 2, 1380013800, form)

    result = read(workbook({"a": rows}, more=more), "members")

    assert result.frame["phone"].isna().tolist() == [True, False]
    assert result.frame["phone"][1] == "001380013800"
    assert "number-destroyed" in rules(result)


@pytest.mark.parametrize(
    "pairs",
    [
        [(rb"<(/?)(c|row|v)\b", rb"<\1x:\2"), (b"<worksheet ", PREFIXED)],
        [(rb"<(c|row) r=\"[A-Z]*\d+\"", rb"<\1")],
        [(rb'\bs="(\d+)"', rb"s = '\1'")],
        [(rb'\bs="(\d+)"', rb"s='\1'")],
        [(rb'\bs="(\d+)"', rb's="00\1"')],
        [(rb'(r="\w+") (s="\d+") (t="n")', rb"\1 \3 \2")],
        [(rb'(r="\w+") (s="\d+")', rb"\2 \1")],
    ],
    ids=["prefix", "unplaced", "spaced", "apostrophes", "zeros", "last", "first"],
)
def test_formats_are_found_however_the_sheet_is_written(pairs):
    """The sheet of another program says the same in other words."""
    path = zeros({"A2": (42, "00000"), "A3": (42, "0")})

    assert read(changed(path, SHEET, *pairs)).frame["ticket_id"].tolist() == [
        "00042", "42",
    ]  # fmt: skip


def test_a_style_belongs_to_the_cell_that_names_it():
    """That of a row, and a text that looks like one, is no cell's."""
    block = (
        b'<row r="1"><c r="A1"><v>1</v></c></row><row r="2" s="4"><c r="A2" s="2"/>'
        b'<c r="B2" t="inlineStr"><is><t> s="3" </t></is></c><c r="C2" s="x"/></row>'
    )
    for each in (block, block.replace(b' s="2"', b' s ="2"')):
        assert styles_of_cells(each, walked_places(each)[0]).tolist() == [0, 2, 0, 0]
    assert styles_of_cells(block, places_of_cells(block)).tolist() == [0, 2, 0, 0]
    for kind in ("s", "str", "inlineStr", "xy"):
        for style in ("7", "78", "789"):
            each = f'<c r="A1" t="{kind}" s="{style}"></c><c r="A2" t="{kind}"></c>'
            places = places_of_cells(each.encode())
            assert styles_of_cells(each.encode(), places).tolist() == [int(style), 0]


def test_a_default_style_of_zeros_holds_for_cells_that_name_none():
    """A cell without a style has the first one of the workbook."""
    path = zeros({"A2": (42, "00000")}, rows=1)
    number = rb'(<cellXfs[^>]*><xf numFmtId=")0"'
    path = changed(path, STYLES, (number, rb'\g<1>165"'))

    assert read(changed(path, SHEET, (rb'(r="A2") s="\d+"', rb"\1"))).frame[
        "ticket_id"
    ].tolist() == ["00042"]


def test_styles_that_are_damaged_or_too_much_cost_no_time():
    """What is no style gives none, and a part above the bound is refused."""
    good = b'<a><numFmts><numFmt numFmtId="9" formatCode="000"/></numFmts><cellXfs>'
    xf = b'<xf numFmtId="9"/><xf/>'
    for data, digits in [
        (good + xf + b"</cellXfs><xf/></a>", b"\x03\x00"),
        (good + xf + b"</a>", b"\x03\x00"),
        (b"no xml", b""),
        ('<!DOCTYPE a [<!ENTITY e "1">]>'.encode("utf-16") + good, b""),
        (good + b"<xf/></cellXfs></a>", b""),
    ]:
        formats = ZeroFormats()
        formats.feed(data)
        formats.feed(data)
        assert formats.digits() == digits


def test_formats_longer_than_any_program_writes_cost_nothing():
    """A code has 255 signs at most: a longer one takes neither time nor memory."""
    code = "0-" * 500_000
    tracemalloc.start()
    try:
        assert digits_shown(code) == 0
        assert tracemalloc.get_traced_memory()[1] < len(code)
    finally:
        tracemalloc.stop()
    # A text of a record says itself how long it is.
    long = struct.pack("<I", 400) + "0".encode("utf-16-le") * 500
    assert _text(long, 0) == ("0" * 255, 804)


def test_a_count_of_thousands_of_digits_is_refused_as_damage():
    """A repetition that no number holds is too much, not an error of Python."""
    row = ods_row(42, *GOOD[1:], times="9" * 5000)

    with pytest.raises(SourceError, match="sheet_cells"):
        read(ods(ods_row(*SALES) + row))


def test_more_styles_than_any_program_writes_are_refused(monkeypatch):
    """The reader's memory is bounded, and the error says what helps."""
    monkeypatch.setattr(excel_package, "_MOST_OF_STYLES", 100)

    with pytest.raises(SourceError, match="new workbook"):
        read(zeros({}))


def test_a_workbook_without_such_formats_says_nothing():
    """Ids that are numbers are no cause for a finding."""
    result = read(zeros({"A2": (42, "0"), "A3": (43, "General")}))

    assert result.frame["ticket_id"].tolist() == ["42", "43"]
    assert "ids-zero-format" not in rules(result)
    assert np.issubdtype(result.frame["amount"].dtype, np.integer)


def test_an_xls_file_is_read_as_it_is_shown_too():
    """Its format and its number stand in records of their own, or many in one."""
    data = (DATA / "small.xls").read_bytes()
    for old, new in [
        (b"\x07\x00\x00General", b"\x07\x00\x000000000"),
        (struct.pack("<d", 13800138000), struct.pack("<d", 42)),
    ]:
        assert data.count(old) == 1
        data = data.replace(old, new)
    Path("small.xls").write_bytes(data)

    sales = read(Path("small.xls")).frame
    stores = read(Path("small.xls"), "stores", columns={"store_id": "数量"}).frame

    assert sales["member_id"].fillna("").tolist() == ["0000042", ""]
    assert sales["quantity"].tolist() == [2, 1]
    assert stores["store_id"].tolist() == ["0000002", "0000001"]
    noted = inspect_binary(Path("small.xls"), ReadingLimits())["销售"].zeros()
    assert [noted[at][0].tolist() for at in (4, 5, 6)] == [[3], [3, 4, 5], [3, 4, 5]]


@pytest.mark.parametrize("part", ["content.xml", "styles.xml"])
def test_an_ods_file_is_read_as_it_is_shown_too(part):
    """It holds what a cell shows, which is not that of a remark at the cell."""
    number = "urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0"
    style = (
        f'<office:automatic-styles xmlns:number="{number}"><number:number-style>'
        '<number:number number:min-integer-digits="5"/></number:number-style>'
        "</office:automatic-styles>"
    )
    good = ods_row("T", *GOOD[1:])
    cells = [
        ods_row(42, *GOOD[1:]).replace("<text:p>42<", "<text:p>00042<"),
        ods_row(43, *GOOD[1:]).replace(
            "<text:p>43<",
            "<office:annotation><text:p>1</text:p></office:annotation><text:p>00043<",
        ),
        ods_row(44, *GOOD[1:], times=2).replace("<text:p>44<", "<text:p>00044<"),
        ods_row(45, *GOOD[1:]).replace("<text:p>45<", "<text:p>M00045<"),
        ods_row(46, *GOOD[1:]).replace("<text:p>46<", "<text:p>00064<"),
        good.replace("<text:p>5<", "<text:p>00005<"),
    ]
    path = ods(ods_row(*SALES) + "".join(cells))
    with zipfile.ZipFile(path) as held:
        parts = {name: held.read(name).decode() for name in held.namelist()}
    parts.setdefault("styles.xml", "<office:body/>")
    parts[part] = parts[part].replace("<office:body", style + "<office:body", 1)

    result = read(archive("shown.ods", parts))

    assert result.frame["ticket_id"].tolist() == [
        "00042", "00043", "00044", "00044", "45", "46", "T",
    ]  # fmt: skip
    assert set(result.frame["amount"]) == {500}
    assert one(result, "ids-zero-format").count == 4
    assert "ids-zero-format" not in rules(read(path))


def test_an_xlsb_file_is_read_as_it_is_shown_too():
    """Its formats, its styles and its cells stand in records of three parts."""
    with zipfile.ZipFile(DATA / "small.xlsb") as held:
        parts = {name: held.read(name) for name in held.namelist()}
    styles, begin = parts["xl/styles.bin"], b"\xe9\x04\x04\x04\x00\x00\x00/\x10\x00\x00"
    day, twelve = "yyyy\\-mm\\-dd".encode("utf-16-le"), b"0\x00" * 12
    for old, new in [
        (day + b"\xe8", twelve + b"\xe8"),
        (begin + b"\x00\x00", begin + b"\xa6\x00"),
    ]:
        assert styles.count(old) == 1
        styles = styles.replace(old, new)
    path = archive("shown.xlsb", {**parts, "xl/styles.bin": styles})

    result = read(path)

    ids = result.frame["member_id"].fillna("").tolist()
    assert ids == ["013800138000", ""]
    assert result.frame["quantity"].tolist() == [2, 1]
    stores = read(path, "stores", columns={"store_id": "数量"}).frame
    assert stores["store_id"].tolist() == ["000000000002", "000000000001"]
    assert "hidden-unknown" in rules(result)


def test_ids_that_are_shown_with_more_than_zeros_are_told():
    """M00042 is read as 42, which a warning says; a phone with blanks is itself."""
    more = [('"M"00000', 42), ('"M"00000', 123456), ("\\M0", 42), ("000-000", 42),
            ("0" * 33, 42), ('[Red]"M"00', 42), ("[<=99999]00000;00000-0000", 42),
            ("[<=99]0;00000", 420), ('[>5]"M"0;0', 42)]  # fmt: skip
    same = [("000 0000 0000", 13800138000), ('0_ "', 42), ("#,##0", 42),
            ('0" "', 42), ("0;0", 42), ('"M"@', 42), ("000-000", 100000),
            ('"M"00', "42"), ("[<=99999]00000;00000-0000", 12345),
            ("[<=99]0;General", 42), ("[Red]0", 42)]  # fmt: skip
    cells = {f"A{row}": (v, code) for row, (code, v) in enumerate([*more, *same], 2)}

    result = read(zeros({**cells, "D3": (5, '"M"0')}, rows=len(cells)))

    ids = [str(value) for _, value in [*more, *same]]
    assert result.frame["ticket_id"].tolist() == ids
    told = one(result, "ids-shown-otherwise")
    assert (told.count, told.severity) == (len(more), Severity.WARNING)
