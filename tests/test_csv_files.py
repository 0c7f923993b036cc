"""Files as they come: encodings, delimiters, damaged rows, compressed files."""

import gzip
import io
import os
import time
import zipfile
from pathlib import Path

import pytest

from csv_reading import GOOD, SALES, findings, read, said
from memberops.errors import ConfigurationError, SourceError
from memberops.workflows import propose_mapping

ROW = "T1,2026-11-05,一店,1,5.00\n"


@pytest.mark.parametrize(
    ("codec", "label"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("gb18030", "GB18030"),
        ("gbk", "GB18030"),
        ("utf-16", "UTF-16"),
        ("utf-32", "UTF-32"),
    ],
)
def test_the_encoding_is_found_and_told(codec, label):
    """A Chinese file is read in whatever usual encoding, and a finding names it."""
    result = read((SALES + ROW).encode(codec))
    assert result.frame["store_id"].tolist() == ["一店"]
    english, chinese = said(result, "encoding")
    assert english == f"info file.csv sales: read as {label} (found) (encoding)"
    assert f"按 {label} 编码读取（自动识别）" in chinese


def test_a_given_encoding_wins():
    """Big5 is never found by itself; given, it is used, and that is told."""
    text = "store_id,month,target\n總店,2026-11,9\n"
    result = read(text.encode("big5"), "targets", encoding="big5")
    assert result.frame["store_id"].tolist() == ["總店"]
    assert "BIG5 (given)" in said(result, "encoding")[0]


@pytest.mark.parametrize("encoding", ["utf9", "hex"])
def test_an_unknown_encoding_is_refused_with_the_nearest(encoding):
    """A codec that Python does not have, or that gives no text, is a bad option."""
    with pytest.raises(ConfigurationError, match="no encoding is called"):
        read(SALES, encoding=encoding)


def test_a_wrong_wide_encoding_is_a_source_error():
    """UTF-16 said of a file that is not is told, not raised from within Python."""
    with pytest.raises(SourceError, match="is no utf-16"):
        read(SALES + GOOD, encoding="utf-16")


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "utf-16"])
def test_bad_bytes_cost_their_line_only(codec):
    """One damaged line among Chinese ones is rejected by number, the rest is right."""
    good = "".join(f"T{n},2026-11-05,一店,1,5.00\n" for n in range(5))
    lines = (SALES + good).encode(codec)
    plain = "utf-16-le" if codec == "utf-16" else codec
    bad = "T9,2026-11-05,x,1,1\n".encode(plain)
    # 0xFF is in neither encoding, and 0xDC00 is half a character of UTF-16.
    bad = bad.replace(b"x\0", b"\x00\xdc").replace(b"x", b"\xff\xff")
    result = read(lines + bad + "T8,2026-11-05,二店,1,5.00\n".encode(plain))
    assert result.frame["store_id"].tolist() == ["一店"] * 5 + ["二店"]
    assert result.rejects["line"].tolist() == [7]
    assert result.rejects["rule"].tolist() == ["bad-bytes"]
    english, chinese = said(result, "bad-bytes")
    assert "row 7: the line has bytes that the encoding does not have" in english
    assert "第 7 行: 该行含有编码无法识别的字节；该行不予接收" in chinese
    assert "\\xff" in result.rejects["raw"][0]


def test_one_bad_byte_does_not_turn_utf8_into_other_characters():
    """A UTF-8 file whose bad line happens to be valid GB18030 is still UTF-8."""
    good = "".join(f"T{n},2026-11-05,上海店,1,5.00\n" for n in range(4))
    bad = "T9,2026-11-05,门店,1,1\n".encode("gbk")
    data = (SALES + good).encode() + bad
    result = read(data)
    assert set(result.frame["store_id"]) == {"上海店"}
    assert result.rejects["line"].tolist() == [6]


def test_nul_bytes_are_rejected():
    """A line with NUL bytes is rejected, and its raw text can be stored."""
    result = read(SALES + "T1,2026-11-05,S\x001,1,5.00\n" + GOOD)
    assert result.accepted == 1
    assert result.rejects["raw"].tolist() == ["T1,2026-11-05,S\\x001,1,5.00"]
    assert "row 2: the line has NUL bytes" in said(result, "nul-byte")[0]
    assert "空字节" in said(result, "nul-byte")[1]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter):
    """The delimiter that gives known headings is taken, whatever else is in them."""
    text = (SALES + GOOD).replace(",", delimiter)
    assert read(text).accepted == 1
    assert read(text, delimiter=delimiter).accepted == 1


def test_a_separator_line_of_a_spreadsheet_is_obeyed():
    """The line ``sep=;`` that spreadsheets write is no heading line."""
    result = read("sep=;\n" + (SALES + GOOD).replace(",", ";"))
    assert result.accepted == 1


def test_a_delimiter_is_one_character():
    """A delimiter of two characters, or a quote, is a bad option."""
    for wrong in (",,", '"', ""):
        with pytest.raises(ConfigurationError, match="must be one character"):
            read(SALES, delimiter=wrong)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_known(end):
    """Files of Windows, Unix and old Macs give the same rows and lines."""
    text = (SALES + GOOD + "T2,x,S1,1,5.00\n").replace("\n", end)
    result = read(text)
    assert result.accepted == 1
    assert result.rejects["line"].tolist() == [3]


def test_ragged_rows_are_neither_cut_nor_filled():
    """A row with a cell too many or too few is rejected with both counts."""
    result = read(SALES + GOOD + "T2,2026-11-05,S1,1\n" + "T3,2026-11-05,S1,1,5,6\n")
    assert result.rows_read == 3
    assert result.accepted == 1
    english, chinese = said(result, "too-few-cells")
    assert english == (
        "error file.csv sales row 3: the row has 4 cells, the heading line has 5; "
        "the row is rejected (too-few-cells)"
    )
    assert chinese == (
        "错误 file.csv sales 第 3 行: 该行有 4 个单元格，标题行有 5 个；该行不予接收 "
        "(too-few-cells)"
    )
    assert "the row has 6 cells" in said(result, "too-many-cells")[0]
    assert result.rejects["raw"].tolist() == ["T2,2026-11-05,S1,1",
                                              "T3,2026-11-05,S1,1,5,6"]  # fmt: skip


@pytest.mark.parametrize(
    "broken",
    [
        'T0,2026-11-05,S1,1,"5.00',
        'T0,2026-11-05,"S1,1,5.00',
        '"T0,2026-11-05,S1,1,5.00',
        'T0,2026-11-05,"S1"x,1,5.00',
    ],
)
@pytest.mark.parametrize("after", [0, 1, 3, 3000])
def test_an_unclosed_quote_costs_one_line(broken, after):
    """The rows below a quote that never closes are read as if it were not there."""
    rows = "".join(f"T{n},2026-11-05,S1,1,5.00\n" for n in range(1, after + 1))
    result = read(SALES + broken + "\n" + rows)
    assert result.frame["ticket_id"].tolist() == [f"T{n}" for n in range(1, after + 1)]
    assert result.rejects["line"].tolist() == [2]
    assert result.rejects["raw"].tolist() == [broken]
    rule = "quote-broken" if '"S1"x' in broken else "quote-unclosed"
    assert "row 2: " in said(result, rule)[0]
    assert "引号" in said(result, rule)[1]


def test_two_lone_quotes_do_not_swallow_what_is_between():
    """A second lone quote far below does not make one row of all between."""
    rows = [f"T{n},2026-11-05,S1,1,5.00\n" for n in range(9)]
    rows[1] = 'T1,2026-11-05,"S1,1,5.00\n'
    rows[6] = 'T6,2026-11-05,S1",1,5.00\n'
    result = read(SALES + "".join(rows))
    assert result.frame["ticket_id"].tolist() == ["T0", "T2", "T3", "T4", "T5", "T7",
                                                  "T8"]  # fmt: skip
    assert result.rejects["rule"].tolist() == ["quote-unclosed", "id-quote"]
    assert result.rows_read == 9


def test_a_cell_may_hold_line_breaks():
    """A quoted cell over several lines is one row; lines are counted physically."""
    head = "小票号,销售日期,门店,数量,金额,商品名称\n"
    result = read(
        head + 'T1,2026-11-05,S1,1,5.00,"杯子\n大号, 蓝\n"\nT2,x,S1,1,5.00,盘\n'
    )
    assert result.frame["item_name"].tolist() == ["杯子\n大号, 蓝"]
    assert result.rejects["line"].tolist() == [5]
    result = read(head + 'T1,x,S1,1,5.00,"杯子\n大号"\n')
    assert result.rejects["raw"].tolist() == ['T1,x,S1,1,5.00,"杯子\n大号"']


def test_blank_rows_are_counted_not_read():
    """Empty lines and rows of delimiters are no rows, and a finding counts them."""
    result = read(SALES + "\n" + GOOD + ",,,,\n\n")
    assert (result.rows_read, result.accepted) == (1, 1)
    (finding,) = findings(result, "blank-rows")
    assert finding.count == 3


def test_an_empty_file_is_a_finding():
    """A file without a byte gives an empty frame and says so."""
    for data in (b"", b"\n\n", b"\xef\xbb\xbf"):
        result = read(data)
        assert (result.rows_read, result.accepted) == (0, 0)
        assert said(result, "file-empty") == (
            "warning file.csv sales: the file is empty (file-empty)",
            "警告 file.csv sales: 文件为空 (file-empty)",
        )
    assert result.frame["amount"].dtype == "int64"


def test_a_file_of_headings_alone_is_a_finding():
    """A file without rows gives the typed, empty frame and says so."""
    result = read(SALES)
    assert result.accepted == 0
    assert "the file has headings and no rows" in said(result, "no-rows")[0]
    assert "没有数据" in said(result, "no-rows")[1]
    typed = {name: str(kind) for name, kind in result.frame.dtypes.items()}
    full = read(SALES + GOOD)
    assert typed == {name: str(kind) for name, kind in full.frame.dtypes.items()}


@pytest.mark.parametrize("data", [b'"\xd0\xa1,\n', '"小票号,销售日期\n'.encode()])
def test_a_damaged_heading_line_is_a_source_error(data):
    """Without a heading line nothing can be read, so that is no finding."""
    with pytest.raises(SourceError, match=r"heading line of file.csv \(line 1\)"):
        read(data)


def test_gzip_is_read_whatever_its_name():
    """A compressed file is known by its first bytes; a broken one is told."""
    packed = gzip.compress((SALES + GOOD).encode("gbk"))
    assert read(packed, name="sales.csv.gz").accepted == 1
    assert read(packed, name="sales.csv").accepted == 1
    with pytest.raises(SourceError, match=r"sales.csv.gz cannot be read"):
        read(packed[:-12], name="sales.csv.gz")


def test_a_missing_file_names_the_nearest():
    """A mistyped file name is answered with the name that is there."""
    Path("sales.csv").write_text("")
    with pytest.raises(SourceError, match=r"did you mean 'sales\.csv'"):
        _read_path("sale.csv")


def test_sizes_are_bounded():
    """A file or line beyond the limits is refused before it fills the memory."""
    bomb = gzip.compress(b"0" * 5_000_000)
    with pytest.raises(SourceError, match="larger than 1000000 bytes"):
        read(bomb, limits={"file_bytes": 1_000_000})
    with pytest.raises(SourceError, match="line of more than 1000 bytes"):
        read(bomb, limits={"line_bytes": 1_000})
    with pytest.raises(ConfigurationError, match="did you mean 'line_bytes'"):
        read(bomb, limits={"line_byte": 1_000})
    long = SALES + f"T1,2026-11-05,{'S' * 200_000},1,5\n"
    assert read(long).rejects["rule"].tolist() == ["cell-too-long"]


def test_a_file_that_changes_under_the_reader_is_refused():
    """Two passes over a file see the same file, or the reading fails."""
    from memberops.adapters.sources.encoding import open_text

    path = Path("sales.csv")
    path.write_text(SALES, encoding="utf-8")
    file = open_text(path)
    path.write_text(SALES + GOOD, encoding="utf-8")
    with pytest.raises(SourceError, match="changed while it was read"):
        list(file.batches({}))
    path.write_text(SALES, encoding="utf-8")
    os.utime(path, ns=(0, file.stamp[1]))
    assert list(file.batches({})) == [[SALES]]


def test_many_unclosed_quotes_cost_no_quadratic_time():
    """A file in which each line opens a quote is read in time linear in its length."""
    before = time.process_time()  # minutes, where it is wrong
    result = read(SALES + 'T1,2026-11-05,"S1,1,5.00\n' * 4000)
    assert result.rejected == 4000
    assert time.process_time() - before < 20


def _read_path(name):
    from zoneinfo import ZoneInfo

    from memberops.adapters.sources.csv_source import read_csv
    from memberops.domain import Currency

    return read_csv(
        name, "sales", currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
    )


def test_a_damaged_heading_line_says_what_is_wrong_with_it():
    """Neither a long cell nor a mark that is missing is called bytes of an encoding."""
    row = "T1,2026-11-05,S1,1,5\n"
    for data, told, options in (
        (f"{SALES.strip()},{'X' * 200_000}\n{row}", "more than 131072 char", {}),
        ((SALES + row).encode("utf-16-le"), "encoding='utf-16-le'", {}),
        (f'"小票号,日期\n{row}', "a quote that does not close", {}),
        ((SALES + row).encode("gbk"), "leave the option 'encoding' out",
         {"encoding": "utf-8"}),
    ):  # fmt: skip
        with pytest.raises(SourceError, match=told) as caught:
            read(data, **options)
        said_of_bytes = "bytes that the encoding" in str(caught.value)
        assert said_of_bytes is bool(options)
        assert ("'encoding' out" in str(caught.value)) is bool(options)


def test_a_line_of_very_many_headings_is_refused_and_some_thousands_are_read():
    """Each is compared with all headings of the table: there is a limit."""
    more = ",".join(f"x{at}" for at in range(3_000))
    text = f"{SALES.strip()},{more}\nT1,2026-11-05,S1,1,5{',' * 3_000}\n"
    with pytest.raises(SourceError, match="3005 columns, above the limit 'columns'"):
        read(text)
    with pytest.raises(SourceError, match="more than 2000 columns"):
        propose_mapping("file.csv")
    few = f"{SALES.strip()},{','.join(f'x{at}' for at in range(50))}\n"
    row = f"T1,2026-11-05,S1,1,5{',' * 50}\n"
    assert read(few + row, limits={"columns": 55}).accepted == 1
    with pytest.raises(SourceError, match="55 columns"):
        read(few + row, limits={"columns": 54})


def test_totals_at_the_end_are_told_and_no_rejects():
    """As in a workbook: 合计 below the rows is a note; in the middle it is refused."""
    total = "合计,,,1,5.00\n"
    for ends, count in ((total, 1), ("小计：,,,1,5\n\nTotal,,,1,￥5.00\n", 2)):
        result = read(SALES + ROW + ends)
        assert (result.rows_read, result.accepted) == (1, 1)
        (told,) = findings(result, "totals-row")
        assert (told.count, told.severity.value) == (count, "info")
        assert "row 3" in told.message_en
    middle = read(SALES + total + ROW)
    assert (middle.rejected, middle.accepted) == (1, 1)
    store = read("门店编号,店名\nS1,一店\n合计,总店\n", "stores")
    assert store.frame["store_id"].tolist() == ["S1", "合计"]
    many = SALES + "".join(f"T{n},2026-11-05,S1,1,5\n" for n in range(1_000)) + total
    assert (read(many).rows_read, read(many).rejected) == (1_000, 0)


def test_a_compressed_file_does_not_grow_without_bounds():
    """A few kilobytes that unpack to many megabytes are refused, and how to go on."""
    bomb = SALES.encode() + b",,,,\n" * 3_500_000
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("sales.csv", bomb)
    for packed in (gzip.compress(bomb, 1), archive.getvalue()):
        with pytest.raises(SourceError, match="'package_ratio'"):
            read(packed)
    small = SALES + ",,,,\n" * 100_000 + GOOD
    assert read(gzip.compress(small.encode())).accepted == 1


@pytest.mark.parametrize("note", ["制表人：李四,,,,", "制表人：李四"])
def test_a_note_below_the_totals_is_no_bad_row(note):
    """Who made the list is told and not read; without totals it is a bad row."""
    result = read(SALES + GOOD + f"合计,,,1,5.00\n{note}\n")
    assert (result.accepted, result.rejected) == (1, 0)
    assert said(result, "note-below-totals")[0].endswith(
        "not read: 1 (row 4) (note-below-totals)"
    )
    assert [found.count for found in findings(result, "totals-row")] == [1]
    assert read(SALES + GOOD + f"{note}\n").rejected == 1
    assert read(SALES + f"合计,,,1,5.00\n{note}\n" + GOOD).rejected == 2


def test_headings_of_two_units_are_not_the_same_heading_twice():
    """金额(分) and 金额(元) are a conflict at most; 金额 twice stands twice."""
    units = read("小票号,日期,门店,数量,金额(分),金额(元)\nT1,2026-11-05,S1,1,500,5\n")
    assert findings(units, "heading-repeated") == []
    twice = read("小票号,日期,门店,数量,金额, 金额\nT1,2026-11-05,S1,1,5,5\n")
    assert "金额" in said(twice, "heading-repeated")[1]
