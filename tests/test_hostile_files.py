"""Files that mean harm or are broken: a typed error, or a bounded cost."""

import gzip
import struct
import zipfile
from pathlib import Path

import pytest

from csv_reading import SALES as HEADS
from csv_reading import read as read_text
from excel_files import (
    CNY,
    GOOD,
    SALES,
    SHANGHAI,
    archive,
    ods,
    ods_row,
    one,
    read,
    workbook,
)
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.csv_source import CsvSource, read_csv
from memberops.adapters.sources.excel_areas import inspect_ods
from memberops.adapters.sources.excel_binary import inspect_binary
from memberops.adapters.sources.excel_facts import SheetFacts
from memberops.adapters.sources.limits import ReadingLimits
from memberops.adapters.sources.rejects import write_rejects
from memberops.errors import (
    ConfigurationError,
    InvalidValueError,
    MissingColumnsError,
    SourceError,
)
from memberops.testing.contracts import check_source

DATA = Path(__file__).parent / "data"


def rewritten(change, *, name="evil.xlsx"):
    """Write a good workbook again, with its parts changed."""
    path = workbook({"a": [SALES, GOOD]})
    with zipfile.ZipFile(path) as given:
        parts = {part: given.read(part) for part in given.namelist()}
    return archive(name, change(parts) or parts)


def sheet_with(*pairs):
    """Replace bytes in the XML of the sheet."""

    def change(parts):
        for old, new in pairs:
            assert old in parts["xl/worksheets/sheet1.xml"]
            parts["xl/worksheets/sheet1.xml"] = parts[
                "xl/worksheets/sheet1.xml"
            ].replace(old, new)

    return rewritten(change)


def test_a_part_that_unpacks_to_a_hundred_times_its_size_is_refused():
    """A bomb of 50 MB in 50 KB costs no more than its first blocks."""
    path = sheet_with((b"</sheetData>", b" " * 50_000_000 + b"</sheetData>"))

    with pytest.raises(SourceError, match=r"package_ratio.*zip bomb$") as caught:
        read(path)
    assert "damaged" not in str(caught.value)


def test_the_sizes_of_parts_are_added_up():
    """Many parts that are each within the ratio are together above the limit."""
    path = workbook({"a": [SALES, GOOD]})

    with pytest.raises(SourceError, match=r"package_bytes.* of 1000"):
        read(path, limits={"package_bytes": 1_000})


@pytest.mark.parametrize("size", [100, 2**31])
def test_a_header_that_lies_about_a_size_is_found_out(size):
    """The sizes in the directory are not believed, neither small nor large ones."""
    path = workbook({"a": [SALES, GOOD]})
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02")
    while place >= 0:
        name = data[place + 46 : place + 70]
        if name.startswith(b"xl/worksheets"):
            data[place + 24 : place + 28] = struct.pack("<I", size)
        place = data.find(b"PK\x01\x02", place + 4)
    path.write_bytes(data)

    with pytest.raises(SourceError, match=r"book.xlsx"):
        read(path)


@pytest.mark.parametrize(
    "names",
    [
        ["../evil.xml"],
        ["/etc/evil.xml"],
        ["C:\\evil.xml"],
        [f"p{n}" for n in range(1100)],
    ],
    ids=["parent", "root", "drive", "many"],
)
def test_names_that_lead_out_and_masses_of_parts_are_refused(names):
    """Nothing is unpacked to disk, and a list of parts is bounded."""
    path = rewritten(lambda parts: parts | dict.fromkeys(names, b"x"))

    with pytest.raises(SourceError, match=r"leads out|package_parts"):
        read(path)


def test_entities_are_refused():
    """A billion laughs is told as what it is."""
    bomb = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><worksheet'

    with pytest.raises(SourceError, match="entities"):
        read(sheet_with((b"<worksheet", bomb)))


def test_entities_of_ods_are_refused():
    """The same in OpenDocument."""
    path = ods(ods_row(*SALES))
    with zipfile.ZipFile(path) as given:
        content = given.read("content.xml")
    content = content.replace(b"<office:document", b"<!DOCTYPE a><office:document", 1)

    with pytest.raises(SourceError, match="entities"):
        read(archive("evil.ods", {"content.xml": content}))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'r="E2"', b'r="XFD1048576"'),
        (b'r="E2"', b"r='XFD1048576'"),
        (b' r="E2"', b'\nr = "xfd1048576"'),
        (b"</row></sheetData>", b"<c/>" * 20_000 + b'</row><row r="900000"><c/></row>'
         b"</sheetData>"),
    ],
    ids=["plain", "quoted", "spaced", "unplaced"],
)  # fmt: skip
def test_cells_far_apart_are_refused_before_they_take_all_memory(old, new):
    """Two cells at the ends of a sheet would be seventeen thousand million."""
    with pytest.raises(SourceError, match="sheet_cells"):
        read(sheet_with((old, new)))


def test_repeated_cells_of_ods_are_refused():
    """One element can stand for a million rows of a thousand cells."""
    rows = ods_row(*SALES) + ods_row(*GOOD * 10, times=1_000_000)

    with pytest.raises(SourceError, match="sheet_cells"):
        read(ods(rows))


def test_far_cells_of_binary_workbooks_are_refused():
    """An .xls or .xlsb file is measured by its records."""
    for name in ("small.xls", "small.xlsb"):
        with pytest.raises(SourceError, match="sheet_cells"):
            read(DATA / name, limits={"sheet_cells": 5})
    assert inspect_binary(DATA / "small.xls", ReadingLimits())["销售"].rows == 5


@pytest.mark.parametrize("name", ["small.xls", "small.xlsb", "book.xlsx", "book.ods"])
def test_a_broken_workbook_is_a_typed_error_or_is_read(name):
    """Cut off anywhere, or with bytes turned over: no crash, no other error."""
    workbook({"a": [SALES, GOOD]})
    ods(ods_row(*SALES) + ods_row(*GOOD))
    whole = (DATA / name if (DATA / name).exists() else Path(name)).read_bytes()
    path, refused = Path(f"broken-{name}"), 0
    for step in range(1, 40):
        at = len(whole) * step // 40
        turned = bytearray(whole)
        turned[at] ^= 0xFF
        for data in (whole[:at], bytes(turned)):
            path.write_bytes(data)
            try:
                result = read(path)
            except (SourceError, MissingColumnsError, ConfigurationError):
                refused += 1
            else:
                assert result.rows_read == result.accepted + result.rejected
    assert refused > 20


def test_what_is_no_workbook_says_what_to_do():
    """A web page or a text called .xlsx is told apart, and so is a folder."""
    Path("page.xlsx").write_text("<html>")
    Path("folder.xlsx").mkdir()
    archive("other.xlsx", {"a.txt": "x"})

    for name in ("page.xlsx", "other.xlsx", "folder.xlsx", "none.xlsx"):
        with pytest.raises(SourceError, match=name):
            read(Path(name))


def test_formula_cells_are_values_and_formula_texts_cannot_run():
    """A formula gives its value; a text that looks like one is guarded in rejects."""
    evil = '=HYPERLINK("http://x","y")'
    result = read([SALES, [evil, "没有", "S1", 1, 5], [evil, *GOOD[1:]]])

    assert result.frame["ticket_id"].tolist() == []
    write_rejects(result.rejects, "rejects.csv")
    for line in Path("rejects.csv").read_text("utf-8-sig").splitlines()[1:]:
        assert ",=" not in line
        assert ',"=' not in line


def test_an_archive_of_one_text_is_read_and_of_several_refused():
    """A .zip from a till is read as it is, within the limit of the text."""
    text = (HEADS + "T1,2026-11-05,S1,1,5\n").encode("gb18030")
    packed = archive("a.csv.zip", {"sales.csv": text, "__MACOSX/._sales.csv": b"x"})
    options = {"currency": CNY, "zone": SHANGHAI}

    assert read_csv(packed, "sales", **options).accepted == 1
    with pytest.raises(SourceError, match="2 files"):
        read_csv(archive("b.zip", {"a.csv": text, "b.csv": text}), "sales", **options)
    with pytest.raises(SourceError, match="read_excel"):
        read_csv(workbook({"a": [SALES, GOOD]}), "sales", **options)


@pytest.mark.parametrize("packed", [gzip.compress, None], ids=["gzip", "zip"])
def test_a_compressed_text_stops_at_its_limit(packed):
    """A hundred megabytes of spaces behind a few kilobytes are not all unpacked."""
    text = HEADS.encode() + b" " * 30_000_000
    if packed:
        Path("bomb.csv").write_bytes(packed(text))
    else:
        archive("bomb.csv", {"a.csv": text})

    with pytest.raises(SourceError, match=r"line_bytes|file_bytes"):
        read_csv(
            "bomb.csv", "sales", currency=CNY, zone=SHANGHAI,
            limits={"file_bytes": 20_000_000, "package_ratio": 10**6},
        )  # fmt: skip


def source(path, folder):
    """A source of one path in a folder."""
    context = SourceContext(folder=folder, currency=CNY, zone=SHANGHAI)
    return CsvSource(context, path=path)


def test_a_folder_is_all_its_files_and_no_others(tmp_path):
    """Hidden files, lock files, other kinds and rejects of ours are passed over."""
    for name in ("a.csv", "b.CSV", ".c.csv", "~$d.csv", "e.doc"):
        (tmp_path / name).write_text(HEADS + f"{name},2026-11-05,S1,1,5\n")

    assert check_source(source(".", tmp_path), "sales").accepted == 2
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="holds no file"):
        source("empty", tmp_path).read("sales")


def test_a_pattern_stays_in_the_folder_that_it_begins_with(tmp_path):
    """A link out of it is refused by name, and .. behind a wildcard as wrong use."""
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
    (outside / "secret.csv").write_text(HEADS + "T1,2026-11-05,S1,1,5\n")
    (inside / "a.csv").write_text(HEADS + "T2,2026-11-05,S1,1,5\n")

    assert source("*.csv", inside).read("sales").accepted == 1
    assert source("../out/*.csv", inside).read("sales").accepted == 1
    assert source(str(outside / "*.csv"), inside).read("sales").accepted == 1
    with pytest.raises(ConfigurationError, match=r"behind a wildcard"):
        source("*/../../out/*.csv", inside).read("sales")
    (inside / "b.csv").symlink_to(outside / "secret.csv")
    for path in ("*.csv", "."):
        with pytest.raises(SourceError, match=r"b\.csv is a link out"):
            source(path, inside).read("sales")
    assert source("b.csv", inside).read("sales").accepted == 1


def test_an_encoding_that_lies_costs_lines_and_not_the_file():
    """A mark of UTF-8 before GB18030: the lines that it cannot read are rejected."""
    lines = HEADS + "T1,2026-11-05,S1,1,5\n"
    data = (
        b"\xef\xbb\xbf" + lines.encode() + "T2,2026-11-05,门店,1,5\n".encode("gb18030")
    )

    result = read_text(data)

    assert result.accepted == 1
    assert result.rejects["rule"].tolist() == ["bad-bytes"]


def test_findings_of_very_many_bad_rows_are_bounded():
    """Of one rule there are a hundred findings, and one that counts the rest."""
    rows = "".join(f"T{n},2026-13-{n},S1,1,5\n" for n in range(20_000))

    result = read_text(HEADS + rows)

    assert result.rejected == 20_000
    bad = [f for f in result.findings if f.rule.startswith("date-")]
    assert len(bad) <= 2 * (100 + 1)
    assert sum(finding.count for finding in bad) == 20_000


@pytest.mark.nightly
def test_a_million_bad_rows_are_bounded():
    """The same with a million rows, each wrong in its own way."""
    rows = "".join(f"T{n},没有{n},S{n},1,{n}.005\n" for n in range(1_000_000))

    result = read_text(HEADS + rows)

    assert result.rejected == 1_000_000
    assert len(result.findings) < 400
    assert max(len(finding.describe("en")) for finding in result.findings) < 2_000


@pytest.mark.parametrize("name", ["package_bytes", "package_ratio", "sheet_cells"])
def test_a_limit_is_a_whole_number_above_zero(name):
    """A limit of nothing or of text is wrong use."""
    for value in (0, -1, "5", True):
        with pytest.raises(InvalidValueError):
            ReadingLimits.of({name: value})


def test_text_of_a_workbook_in_findings_is_bounded():
    """A cell of a million characters as a heading makes no long finding."""
    result = read([[*SALES, "备" * 32_000], [*GOOD, 1]])

    assert len(one(result, "heading-ignored").describe("zh")) < 300


@pytest.mark.parametrize(
    "part", ["xl/data/sheet1.xml", "xl/worksheets/sheet1.dat", "xl/Tabs\\one.xml"]
)
def test_a_sheet_is_measured_wherever_its_archive_keeps_it(part):
    """A workbook names the parts of its sheets as it likes: none is left unmeasured."""

    def moved(parts):
        sheet = parts.pop("xl/worksheets/sheet1.xml")
        links = "xl/_rels/workbook.xml.rels"
        target = part.removeprefix("xl/").encode()
        parts[links] = parts[links].replace(b"worksheets/sheet1.xml", target)
        parts[part] = sheet.replace(b'r="E2"', b'r="XFD1048576"')

    with pytest.raises(SourceError, match="sheet_cells"):
        read(rewritten(moved))


def test_a_binary_sheet_is_measured_wherever_its_archive_keeps_it():
    """The same in .xlsb, also beside a part that makes it look like OpenDocument."""
    with zipfile.ZipFile(DATA / "small.xlsb") as given:
        parts = {name: given.read(name) for name in given.namelist()}
    name = next(each for each in parts if "worksheets/sheet" in each)
    links = "xl/_rels/workbook.bin.rels"
    target = name.removeprefix("xl/").encode()
    assert target in parts[links]
    parts[links] = parts[links].replace(target, b"x.xml")
    parts["xl/x.xml"] = parts.pop(name)
    with zipfile.ZipFile(ods(ods_row("a"))) as given:
        parts["content.xml"] = given.read("content.xml")

    with pytest.raises(SourceError, match="sheet_cells"):
        read(archive("moved.xlsb", parts), limits={"sheet_cells": 5})


def test_sheets_that_are_read_at_once_are_measured_together():
    """Each sheet of an .ods or .xls file is within the limit; all are not."""
    row = ods_row(*SALES)
    table = '</table:table><table:table table:name="{}">'

    assert read(ods(row + ods_row(*GOOD)), limits={"sheet_cells": 10}).accepted == 1
    with pytest.raises(SourceError, match="30 cells or more together"):
        read(
            ods((table.format("b") + row * 2).join([row * 2] * 3)),
            limits={"sheet_cells": 25},
        )


def test_an_element_that_stands_for_a_million_formulas_costs_one(monkeypatch):
    """What repeats is noted as an area, and laid out only where its sheet is read."""
    monkeypatch.setattr(SheetFacts, "note", lambda *_: pytest.fail("laid out"))
    bare = '<table:table-cell table:formula="of:=1" office:value-type="float"/>'
    rows = (
        f'<table:table-row table:number-rows-repeated="900000">{bare}</table:table-row>'
    )
    path = ods(rows)

    with zipfile.ZipFile(path) as packed:
        (facts,) = inspect_ods(path, packed, ReadingLimits()).values()
    assert facts.hidden is None
