"""Workbooks become canonical tables: exactly, with every row accounted for."""

import datetime as dt
import struct
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import examples
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
    rules,
    workbook,
)
from memberops.adapters import load_adapters
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.excel_book import Workbook
from memberops.adapters.sources.excel_calendar import counts_from_1904
from memberops.adapters.sources.excel_cells import exact_number
from memberops.adapters.sources.excel_source import ExcelSource
from memberops.adapters.sources.limits import ReadingLimits
from memberops.adapters.sources.values import read_amount
from memberops.domain import Currency
from memberops.errors import (
    ConfigurationError,
    MissingColumnsError,
    SourceError,
    UnknownTableError,
)
from memberops.testing.contracts import check_source

DATA = Path(__file__).parent / "data"
MEMBERS = ["会员号", "姓名", "手机", "入会日期"]


def test_a_plain_sheet_is_read_exactly():
    """Ids are text, amounts whole fen, days days, and no row is lost."""
    rows = [SALES, GOOD, [7.0, dt.date(2026, 11, 6), 101, 2, 19.9]]

    result = read(rows)

    assert result.rows_read == result.accepted == 2
    assert result.frame["ticket_id"].tolist() == ["T1", "7"]
    assert result.frame["store_id"].tolist() == ["S1", "101"]
    assert result.frame["amount"].tolist() == [500, 1990]
    assert [str(day.date()) for day in result.frame["sold_on"]] == [
        "2026-11-05", "2026-11-06",
    ]  # fmt: skip


@pytest.mark.parametrize("system", [False, True], ids=["1900", "1904"])
def test_dates_of_both_calendars_are_the_days_that_the_sheet_shows(system):
    """A workbook that counts from 1904 gives the same days as one from 1900."""
    path = workbook({"a": [SALES, GOOD]}, date_1904=system)

    assert str(read(path).frame["sold_on"][0].date()) == "2026-11-05"


@pytest.mark.parametrize("system", [False, True], ids=["1900", "1904"])
def test_day_numbers_are_read_by_the_calendar_of_their_workbook(system):
    """A cell with a number, not a date, counts from where its workbook begins."""
    number = 46331 - (1462 if system else 0)
    path = workbook({"a": [SALES, ["T1", number, "S1", 1, 5]]}, date_1904=system)

    assert str(read(path, date_format="excel").frame["sold_on"][0].date()) == (
        "2026-11-05"
    )


def test_the_calendar_of_binary_and_open_workbooks_is_found():
    """Each format has its own place for it; a book that says nothing is of 1900."""
    limits = ReadingLimits()
    for name in ("small.xls", "small.xlsb"):
        assert not counts_from_1904(DATA / name, limits)
    old = (DATA / "small.xls").read_bytes()
    mode = struct.pack("<HHH", 0x22, 2, 0)
    assert old.count(mode) == 1
    Path("old.xls").write_bytes(old.replace(mode, struct.pack("<HHH", 0x22, 2, 1)))
    with zipfile.ZipFile(DATA / "small.xlsb") as parts:
        held = {each: parts.read(each) for each in parts.namelist()}
    at = held["xl/workbook.bin"].index(b"\x99\x01") + 3
    book = bytearray(held["xl/workbook.bin"])
    book[at] |= 1
    archive("new.xlsb", {**held, "xl/workbook.bin": bytes(book)})
    null_date = '<table:null-date table:date-value="1904-01-01"/>'
    archive("open.ods", {"content.xml": f"<a>{null_date}</a>"})
    for name in ("old.xls", "new.xlsb", "open.ods"):
        assert counts_from_1904(Path(name), limits), name
    assert not counts_from_1904(ods(ods_row("a")), limits)


def test_a_moment_at_midnight_has_its_time_where_others_of_the_column_have():
    """A whole serial number among moments is a midnight, not a day without time."""
    heads = ["小票号", "销售时间", "门店", "数量", "金额"]
    moments = [dt.datetime(2026, 11, 5, 14, 3), dt.datetime(2026, 11, 6)]  # noqa: DTZ001

    result = read([heads, *([f"T{m.day}", m, "S1", 1, 5] for m in moments)])

    assert [moment.isoformat() for moment in result.frame["sold_at"]] == [
        "2026-11-05T06:03:00+00:00", "2026-11-05T16:00:00+00:00",
    ]  # fmt: skip


def test_a_day_and_a_time_in_two_columns_are_joined():
    """A cell that holds a time of day can be joined with a day."""
    heads = ["小票号", "日期", "时间", "门店", "数量", "金额"]
    rows = [heads, ["T1", dt.date(2026, 11, 5), dt.time(14, 3), "S1", 1, 5]]

    result = read(rows, join={"sold_at": ["日期", "时间"]})

    assert result.frame["sold_at"][0].isoformat() == "2026-11-05T06:03:00+00:00"


@settings(max_examples=50)
@given(st.integers(-(10**10), 10**10))
def test_an_amount_of_two_digits_is_never_off_by_a_fen(minor):
    """What a cell keeps of an amount is read as that amount."""
    text, _ = exact_number(float(Decimal(minor).scaleb(-2)))

    assert Decimal(text) == Decimal(minor).scaleb(-2)


@examples(2)
@given(
    st.from_regex(r"[0-9]{1,20}(\.[0-9]{0,4})?", fullmatch=True),
    st.sampled_from([("CNY", 2), ("JPY", 0), ("KWD", 3)]),
)
def test_plain_amounts_are_read_as_the_decimals_that_they_are(text, money):
    """The short way to read a cell gives what exact arithmetic gives."""
    code, digits = money
    exact = Decimal(text).scaleb(digits)
    found = read_amount(text, Currency(code))

    if exact > 2**63 - 1:
        assert found.rule == "number-too-large"
    elif exact != int(exact):
        assert found.rule == "amount-digits"
    else:
        assert found == int(exact)


@given(
    st.lists(st.integers(1, 10**7), min_size=2, max_size=8),
)
def test_noise_of_sums_is_taken_away_only_with_what_the_sheet_shows(parts):
    """The text is within the noise of the number, and no float is cut to fewer."""
    value = sum(part / 100 for part in parts)
    text, noisy = exact_number(value)

    assert abs(Decimal(text) - Decimal(value)) < Decimal(10) ** -6
    assert noisy or float(text) == value


def test_noise_is_counted_and_a_third_digit_is_refused():
    """0.1+0.2 is 0.30 with a finding; 19.995 is no amount of fen."""
    rows = [SALES, [*GOOD[:4], 5.005], ["T2", *GOOD[1:]], ["T3", *GOOD[1:]]]

    def sums(_book, tabs):
        tabs["a"].write_formula(2, 4, "=0.1+0.2", None, 0.1 + 0.2)

    result = read(workbook({"a": rows}, more=sums))

    assert result.frame["amount"].tolist() == [30, 500]
    assert result.rejects[["line", "rule"]].to_numpy().tolist() == [
        [2, "amount-digits"]
    ]
    assert one(result, "number-noise").count == 1


@pytest.mark.parametrize("phone", [12345700000, "1.23457E+10", 1.2345678912345678e18])
def test_a_phone_that_lost_its_digits_is_empty_with_the_reason(phone):
    """As text, as a rounded number, or beyond 15 digits: it is no phone any more."""
    day = dt.date(2026, 1, 5)
    rows = [MEMBERS, ["M1", "甲", phone, day], ["M2", "乙", 13800138000, day]]

    result = read(rows, "members")

    assert result.frame["phone"].isna().tolist() == [True, False]
    assert result.frame["phone"][1] == "13800138000"
    told = [each for each in result.findings if each.rule == "number-destroyed"]
    assert told
    assert not any("12345" in each.describe("en") for each in told)


def test_an_id_that_lost_its_digits_rejects_its_row():
    """Two cards must not become one because a sheet keeps 15 digits."""
    cards = [["会员号", "姓名", "手机", "入会日期"], [6222021234567890123, "甲"]]

    result = read(cards, "members")

    assert result.rejects["rule"].tolist() == ["number-destroyed"]


def test_titles_totals_and_empty_rows_are_left_out_and_told():
    """What is no row of the table costs no reject, and the office sees it."""
    rows = [
        ["十月销售明细"], [], SALES, GOOD, [], ["T2", *GOOD[1:]],
        ["合计", "", "", 2, 10], [], ["总计：", "", "", 2, 10], [],
        ["制表人：李四"],
    ]  # fmt: skip

    result = read(rows)

    assert result.accepted == result.rows_read == 2
    assert one(result, "headings-below-titles").row == 3
    assert one(result, "blank-rows").count == 3
    assert one(result, "totals-row").count == 2
    assert "7, 9" in one(result, "totals-row").describe("zh")
    assert "11" in one(result, "note-below-totals").describe("zh")


def test_a_whole_row_is_no_total_whatever_its_id_is():
    """A ticket that is called Total and has all it needs is a ticket."""
    result = read([SALES, ["Total", *GOOD[1:]]])

    assert result.accepted == 1


def test_rejects_give_the_sheet_and_its_row():
    """An office finds the bad row in its own sheet, whatever stands above it."""
    result = read([["标题"], SALES, GOOD, ["T2", "没有", "S1", 1, 5]])

    assert result.rejects[["file", "line", "rule"]].to_numpy().tolist() == [
        ["book.xlsx[销售]", 4, "date-unreadable"]
    ]
    assert result.rejects["raw"][0] == "T2,没有,S1,1,5"


def test_two_heading_rows_are_joined_where_cells_are_merged():
    """门店 over two rows, 销售 over 数量 and 金额: each column has its meaning."""
    rows = [["", "", "", "", ""], ["", "", "", "数量", "金额"], GOOD]

    def merge(_book, tabs):
        for at, text in enumerate(SALES[:3]):
            tabs["a"].merge_range(0, at, 1, at, text)
        tabs["a"].merge_range(0, 3, 0, 4, "销售")

    result = read(workbook({"a": rows}, more=merge))

    assert result.accepted == 1
    assert one(result, "headings-joined").row == 1


def test_a_joined_heading_can_be_named_by_both_its_parts():
    """Where 金额 stands under 本期 and under 上期, the joined text says which."""
    rows = [["", "", "", "", "", ""], ["", "", "", "", "金额", "金额"], [*GOOD, 9]]

    def merge(_book, tabs):
        for at, text in enumerate(SALES[:4]):
            tabs["a"].merge_range(0, at, 1, at, text)
        tabs["a"].write_string(0, 4, "本期")
        tabs["a"].write_string(0, 5, "上期")

    path = workbook({"a": rows}, more=merge)

    with pytest.raises(MissingColumnsError):
        read(path)
    assert read(path, columns={"amount": "本期金额"}).frame["amount"].tolist() == [500]


def test_a_title_that_is_merged_over_all_columns_is_no_heading():
    """The headings below a wide title stay as they are."""

    def merge(_book, tabs):
        tabs["a"].merge_range(0, 0, 0, 4, "十月销售")

    result = read(workbook({"a": [[], SALES, GOOD]}, more=merge))

    assert result.accepted == 1
    assert one(result, "headings-below-titles").row == 2


def test_of_several_sheets_the_one_that_fits_is_read_and_told():
    """Notes and hidden sheets are passed over; the finding says what was not read."""
    sheets = {"说明": [["请勿改动"]], "明细": [SALES, GOOD], "旧": [SALES, GOOD, GOOD]}
    path = workbook(sheets, more=lambda _book, tabs: tabs["旧"].hide())

    result = read(path)

    assert result.accepted == 1
    assert "'明细'" in one(result, "sheet-chosen").describe("en")
    assert "'旧'" in one(result, "sheet-hidden").describe("zh")


def test_sheets_that_fit_equally_are_asked_for_and_can_all_be_read():
    """A sheet a month: none is dropped in silence, and a second key is refused."""
    path = workbook({"9月": [SALES, GOOD], "10月": [SALES, ["T2", *GOOD[1:]]]})

    with pytest.raises(ConfigurationError, match="9月"):
        read(path)
    assert read(path, sheet="10月").frame["ticket_id"].tolist() == ["T2"]
    assert read(path, sheet=1).frame["ticket_id"].tolist() == ["T1"]
    assert read(path, sheet="*").frame["ticket_id"].tolist() == ["T1", "T2"]
    assert read(path, sheet=["10月", 1]).accepted == 2


@pytest.mark.parametrize("sheet", [None, "*"])
def test_of_many_sheets_the_cells_of_one_are_in_memory_at_a_time(sheet, monkeypatch):
    """A year of months in one workbook costs the memory of a month."""
    year = {f"{n}月": [SALES, [f"T{n}", *GOOD[1:]]] for n in range(1, 5)}
    year |= {"明细": [[*SALES, "会员号"], [*GOOD, "M1"]]} if sheet is None else {}
    opened, held = [], []
    make = Workbook.sheet

    def remembered(book, name):
        held.append(sum(any(each.rows()) for each in opened))
        opened.append(make(book, name))
        return opened[-1]

    monkeypatch.setattr(Workbook, "sheet", remembered)
    result = read(workbook(year), sheet=sheet)

    assert result.accepted == (4 if sheet else 1)
    assert len(held) == len(year)
    assert max(held) == (0 if sheet else 1)


@pytest.mark.parametrize("sheet", ["11月", 0, 3, True, [1, "9月"], []])
def test_a_sheet_that_is_not_there_is_wrong_use(sheet):
    """The error names the sheets that there are."""
    path = workbook({"9月": [SALES, GOOD], "10月": [SALES, GOOD]})

    with pytest.raises((ConfigurationError, SourceError), match=r"sheet"):
        read(path, sheet=sheet)


def test_errors_of_formulas_are_told_where_the_xml_tells_them():
    """#REF! in an optional cell is a warning, in a required one a reject."""
    heads = [*SALES, "会员号"]
    rows = [heads, [*GOOD, "M1"], ["T2", *GOOD[1:], "M2"]]

    def errors(_book, tabs):
        tabs["a"].write_formula(1, 5, "=1/0", None, "#DIV/0!")
        tabs["a"].write_formula(2, 4, "=A0", None, "#REF!")

    result = read(workbook({"a": rows}, more=errors))

    assert result.rejects[["line", "column"]].to_numpy().tolist() == [[3, "amount"]]
    assert "#REF!" in result.rejects["reason_en"][0]


def test_hidden_rows_are_read_with_a_warning():
    """A filter that hid rows changes no figure, and is told."""
    path = workbook(
        {"a": [SALES, GOOD, ["T2", *GOOD[1:]]]},
        more=lambda _book, tabs: tabs["a"].set_row(2, None, None, {"hidden": True}),
    )

    result = read(path)

    assert result.accepted == 2
    assert one(result, "rows-hidden").count == 1


def test_a_date_among_ids_is_told():
    """A spreadsheet made a date of the id 3-1."""
    result = read([SALES, [dt.date(2026, 3, 1), *GOOD[1:]]])

    assert one(result, "id-dates").count == 1


def test_truth_values_and_ones_are_kept_apart():
    """True is not taken for 1 because both came first or last."""
    rows = [SALES, [True, *GOOD[1:]], [1, *GOOD[1:]]]

    assert read(rows).frame["ticket_id"].tolist() == ["yes", "1"]


def test_the_heading_line_can_be_given():
    """Where no heading is known, the caller says which row they are in."""
    rows = [["a"], ["x1", "x2"], ["S1", "一店"]]

    result = read(rows, "stores", heading_line=2, columns={"store_id": "x1"})

    assert result.frame["store_id"].tolist() == ["S1"]
    with pytest.raises(ConfigurationError):
        read(rows, "stores", heading_line=0)


@pytest.mark.parametrize("name", ["small.xls", "small.xlsb"])
def test_binary_workbooks_are_read_as_the_others(name):
    """Moments, ids, amounts and empty cells are those that were written."""
    result = read(DATA / name)

    assert result.frame["ticket_id"].tolist() == ["T1", "T2"]
    assert result.frame["amount"].tolist() == [1990, 10]
    assert result.frame["member_id"].fillna("").tolist() == ["13800138000", ""]
    assert [moment.isoformat() for moment in result.frame["sold_at"]] == [
        "2026-11-05T06:03:07+00:00", "2026-11-06T01:00:00+00:00",
    ]  # fmt: skip
    assert ("rows-hidden" in rules(result)) == (name == "small.xls")
    assert ("hidden-unknown" in rules(result)) == (name == "small.xlsb")


def test_an_ods_file_is_read_as_the_others():
    """Dates, numbers and texts of OpenDocument; trailing repeated rows cost nothing."""
    empty = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell '
    empty += 'table:number-columns-repeated="16000"/></table:table-row>'
    path = ods(ods_row(*SALES) + ods_row(*GOOD) + empty)

    result = read(path)

    assert result.frame["amount"].tolist() == [500]
    assert str(result.frame["sold_on"][0].date()) == "2026-11-05"


def test_the_source_of_a_chain_file_keeps_the_promises_of_every_source(tmp_path):
    """A folder of workbooks, a table each, and rejects in a file."""
    workbook({"a": [SALES, GOOD, ["T2", "没有", "S1", 1, 5]]}, name=tmp_path / "a.xlsx")
    (tmp_path / "~$a.xlsx").write_bytes(b"lock")
    rows = [MEMBERS, ["M1", "王小明", 13800138000], ["", "李四", 13900139000]]
    workbook({"会员": rows}, name=tmp_path / "members.xlsx")
    context = SourceContext(folder=tmp_path, currency=CNY, zone=SHANGHAI)
    make = load_adapters(entry_points=False).sources["excel"].factory
    source = make(context, sales="a*.xlsx", members="members.xlsx", rejects_folder=".")

    assert check_source(source, "sales").rejected == 1
    assert check_source(source, "members").rejected == 1
    assert (tmp_path / "sales-rejects.csv").exists()
    with pytest.raises(UnknownTableError):
        source.read("stores")


@pytest.mark.parametrize("options", [{}, {"sales": {}}, {"sheets": 1}, {"encoding": 1}])
def test_options_of_the_source_are_checked_when_it_is_made(options):
    """A misspelt option is told before anything is read."""
    context = SourceContext(folder=Path(), currency=CNY, zone=SHANGHAI)

    with pytest.raises(ConfigurationError):
        ExcelSource(context, **options)
