"""The workbook: reopened by another library, every cell is what it should be."""

import datetime as dt
import hashlib
import io
import re
import sys
import tempfile
import time
import zipfile
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import openpyxl
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memberops.domain import Currency, Finding
from memberops.errors import InvalidValueError, MissingExtraError
from memberops.metrics import (
    SPENDING_POWER,
    consumption_level,
    demographics,
    lapse,
    measure,
    spending_power,
    store_ranking,
)
from memberops.reports import (
    Chart,
    Form,
    FormColumn,
    consumption_level_form,
    demographics_form,
    findings_form,
    lapse_form,
    spending_power_form,
    store_ranking_form,
    working_form,
    write_workbook,
)
from memberops.reports.sheets import sheet_names
from memberops.schedules import Period
from memberops.testing import SyntheticChain

AS_OF = dt.date(2026, 10, 31)
HEADING = 3
PAYLOADS = [
    "=1+1", "=cmd|'/C calc'!A0", '=HYPERLINK("http://x","y")', "+1+1", "-1+1",
    "@SUM(1)", "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", "＝1+1", "＋1", "－1", "＠SUM(1)",
    "'=1+1", '"=1+1', "{=1+1}", "http://example.com", "mailto:a@b.c",
    "internal:Sheet1!A1", "external:c:\\x.xlsx", "file:///etc/hosts", "ftp://x/y",
    "0001", "1e5", "TRUE", "#N/A", "2026-10-01", "a\x00b", "a\x0bb", "x\ufffe",
    "_x0041_", "<b>&amp;</b>", "]]>", "\u202e=1+1", "\u200b=1+1", "\ufeff=1+1",
    "a;=1+1", "😀" * 3, "%0A=1",
]  # fmt: skip


@pytest.fixture(scope="module")
def month():
    """Forms of a synthetic chain with 14 stores, of one month."""
    chain = SyntheticChain(seed=3, stores=14, regions=3, members=400, months=14)
    frames = chain.frames()
    last = chain.last_day
    measures = measure(
        frames.sales,
        period=Period.month(last.year, last.month),
        by=("store", "region", "chain"),
        members=frames.members,
        cards=frames.cards,
        stores=frames.stores,
    )
    stores = frames.stores
    power = spending_power(measures, targets=frames.targets)
    return [
        consumption_level_form(consumption_level(measures), stores=stores),
        demographics_form(demographics(measures), stores=stores),
        spending_power_form(power, stores=stores),
        lapse_form(lapse(measures), stores=stores),
        store_ranking_form(store_ranking(measures), stores=stores),
        findings_form(
            [
                Finding(
                    table="sales",
                    rule="amount-missing",
                    row=7,
                    message_en="no amount",
                    message_zh="缺少金额",
                )
            ]
        ),
        working_form(power, SPENDING_POWER, stores=stores),
    ]


def column(name, style, **options):
    """Make a column that is called the same in both languages."""
    return FormColumn(
        name=name, heading_en=name, heading_zh=name, style=style, **options
    )


def small(frame, *columns, **options):
    """Make a small form."""
    values = {
        "name": "small",
        "title_en": "Small",
        "title_zh": "小表",
        "columns": columns,
        "frame": frame,
        "currency": Currency("CNY"),
    }
    return Form(**(values | options))


def opened(forms, folder, **options):
    """Write forms and open the workbook again."""
    path = write_workbook(forms, folder / "book.xlsx", **({"as_of": AS_OF} | options))
    return openpyxl.load_workbook(path)


def test_every_form_has_a_sheet_and_a_line_in_the_contents(month, tmp_path):
    """Contents first, then charts, then the forms, each linked by name."""
    book = opened(month, tmp_path)
    assert book.sheetnames[:2] == ["目录 Contents", "图表 Charts"]
    assert len(book.sheetnames) == 2 + len(month)
    contents = book["目录 Contents"]
    for row, form in enumerate(month, HEADING + 1):
        assert contents.cell(row, 1).value == book.sheetnames[row - 2]
        assert contents.cell(row, 1).hyperlink.location.endswith("!A1")
        assert form.title_zh in contents.cell(row, 2).value
        assert form.title_en in contents.cell(row, 2).value
        assert contents.cell(row, 3).value == len(form.frame)


@pytest.mark.parametrize("language", ["zh", "en", "both"])
def test_headings_and_titles_are_in_both_languages(month, tmp_path, language):
    """Whatever the language of the words, each heading is read by both."""
    book = opened(month, tmp_path, language=language)
    for form, sheet in zip(month, book.worksheets[2:], strict=True):
        assert form.title_zh in sheet["A1"].value
        assert form.title_en in sheet["A1"].value
        shown = [
            each
            for each in form.columns
            if language == "both" or each.language in (None, language)
        ]
        headings = [cell.value for cell in sheet[HEADING]]
        assert len(headings) == len(shown)
        for each, heading in zip(shown, headings, strict=True):
            assert set(heading.split("\n")) == {each.heading_zh, each.heading_en}
        assert sheet.freeze_panes.endswith(str(HEADING + 1))


def test_every_cell_holds_the_figure_of_the_form(month, tmp_path):
    """Reading the sheets back gives the forms: exact money, ratios, words, gaps."""
    book = opened(month, tmp_path)
    compared = 0
    for form, sheet in zip(month, book.worksheets[2:], strict=True):
        for at, each in enumerate(form.columns, 1):
            for row, value in enumerate(form.frame[each.name], HEADING + 1):
                cell = sheet.cell(row, at)
                assert cell.data_type != "f"
                compared += 1
                if pd.isna(value) or value == "":
                    assert cell.value is None
                elif each.style == "money" and form.frame[each.name].dtype != "float":
                    assert Decimal(repr(cell.value)) * 100 == int(value)
                    assert cell.number_format == "#,##0.00"
                elif each.style == "money":
                    assert abs(Decimal(repr(cell.value)) * 100 - Decimal(value)) <= 0.5
                elif each.style == "percent":
                    assert cell.value == pytest.approx(value, rel=1e-15)
                    assert cell.number_format == "0.0%"
                elif each.style == "integer":
                    assert cell.value == value
    assert compared > 2000


def test_chain_region_and_unassigned_are_words(tmp_path):
    """Level and key are words in the language of the workbook."""
    frame = lapse_frame()
    for language, words in {
        "zh": ["连锁", "未分配"],
        "en": ["Chain", "Unassigned"],
        "both": ["连锁 Chain", "未分配 Unassigned"],
    }.items():
        sheet = opened([lapse_form(frame)], tmp_path, language=language).worksheets[2]
        assert [sheet.cell(row, 2).value for row in (4, 5)] == words


def lapse_frame():
    """Two rows of lapse, one of them without a valid member."""
    return pd.DataFrame(
        {
            "level": ["chain", "store"],
            "key": ["chain", "unassigned"],
            "period": "2026-07",
            "valid_members": [1000, 0],
            "lapsed_at_start": [70, 0],
            "newly_lapsed": [15, 0],
            "won_back": [3, 0],
            "left": [2, 0],
            "lapsed_at_end": [80, 0],
            "net_lapse": [10, 0],
            "lapse_rate": [0.01, float("nan")],
            "undefined": ["", "lapse_rate: zero"],
        }
    )


def test_an_undefined_ratio_is_an_empty_cell_with_its_reason_beside(tmp_path):
    """Nothing is shown as zero that is not known; the row says why."""
    reasons = {
        "zh": "流失率：分母为零",
        "en": "Lapse rate: the denominator is zero",
        "both": "流失率 Lapse rate：分母为零（the denominator is zero）",
    }
    for language, said in reasons.items():
        book = opened([lapse_form(lapse_frame())], tmp_path, language=language)
        sheet = book.worksheets[2]
        last = sheet.max_column
        assert [sheet.cell(4, at).value for at in (last - 1, last)] == [0.01, None]
        assert [sheet.cell(5, at).value for at in (last - 1, last)] == [None, said]


def references(path):
    """Yield what the charts of a workbook refer to, and the values they keep."""
    space = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if re.match(r"xl/charts/chart\d+", n)]
        for name in sorted(names, key=lambda n: int(re.findall(r"\d+", n)[0])):
            root = ET.fromstring(archive.read(name))  # noqa: S314 - our own file
            title = "".join(
                each.text
                for each in root.iter(
                    "{http://schemas.openxmlformats.org/drawingml/2006/main}t"
                )
            )
            series = []
            for each in root.iter(f"{space}ser"):
                parts = {}
                for part in ("tx", "cat", "val"):
                    found = each.find(f"{space}{part}")
                    points = {
                        int(point.get("idx")): point.find(f"{space}v").text
                        for point in found.iter(f"{space}pt")
                    }
                    parts[part] = (next(found.iter(f"{space}f")).text, points)
                series.append(parts)
            yield title, series


def cells(book, reference):
    """Return the values of the cells that a reference names."""
    sheet, area = reference.rsplit("!", 1)
    found = book[sheet.strip("'").replace("''", "'")][area.replace("$", "")]
    if not isinstance(found, tuple):
        return [found.value]
    return [cell.value for row in found for cell in row]


def test_charts_are_native_and_draw_the_right_cells(month, tmp_path):
    """Each series refers to the cells of its figures, names and headings."""
    book = opened(month, tmp_path)
    path = tmp_path / "book.xlsx"
    drawn = list(references(path))
    charts = [(form, each) for form in month for each in form.charts]
    assert len(drawn) == len(charts) >= 9
    for (title, series), (form, each) in zip(drawn, charts, strict=True):
        assert title == f"{each.title_zh} {each.title_en}"
        rows = form.frame.iloc[each.first : each.last + 1]
        values = rows[list(each.columns)].astype("float64")
        if any(form.column(n).style == "money" for n in each.columns):
            values = (values + 0.5).floordiv(1) / 100
        wanted = values.to_numpy() if each.series == "rows" else values.to_numpy().T
        assert len(series) == len(wanted)
        headings = [form.column(n).heading("both", between="\n") for n in each.columns]
        labels = [
            form.column(each.label).word(word, "both") for word in rows[each.label]
        ]
        names, categories = labels, headings
        if each.series == "columns":
            names, categories = headings, labels
        for parts, numbers, name in zip(series, wanted, names, strict=True):
            found = cells(book, parts["val"][0])
            shown = [float("nan") if value is None else value for value in found]
            assert shown == pytest.approx(list(numbers), nan_ok=True)
            kept = parts["val"][1]
            assert {at: float(v) for at, v in kept.items() if v is not None} == {
                at: pytest.approx(v) for at, v in enumerate(numbers) if not pd.isna(v)
            }
            assert cells(book, parts["cat"][0]) == categories
            assert cells(book, parts["tx"][0]) == [name]


def test_charts_keep_to_their_cells_when_columns_are_left_out(month, tmp_path):
    """In one language a sheet may have fewer columns; charts still find theirs."""
    first = column("only", "text", language="en")
    number = column("n", "integer")
    name = column("who", "text")
    chart = Chart(
        kind="pie", title_en="N", title_zh="数", series="columns", columns=("n",),
        label="who", first=1, last=2,
    )  # fmt: skip
    frame = pd.DataFrame({"only": ["x"] * 3, "n": [1, 2, 3], "who": ["a", "b", "c"]})
    form = small(frame, first, number, name, charts=[chart])
    book = opened([form], tmp_path, language="zh")
    ((_, (series,)),) = references(tmp_path / "book.xlsx")
    assert cells(book, series["val"][0]) == [2, 3]
    assert cells(book, series["cat"][0]) == ["b", "c"]


def test_no_text_becomes_a_formula_a_link_or_a_number(tmp_path):
    """Forty hostile texts, in cells, headings, titles and notes, stay text."""
    hostile = "=1+1"
    form = small(
        pd.DataFrame({"note": PAYLOADS, "n": range(len(PAYLOADS))}),
        FormColumn(name="note", heading_en=hostile, heading_zh="＝1", style="text"),
        column("n", "integer"),
        title_en=hostile,
        title_zh=hostile,
        notes_en=(hostile,),
        notes_zh=(hostile,),
        charts=[
            Chart(
                kind="bar", title_en=hostile, title_zh=hostile, series="columns",
                columns=("n",), label="note", first=0, last=5,
            )
        ],
    )  # fmt: skip
    book = opened([form], tmp_path, title_en=hostile, title_zh=hostile)
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in ("s", "n"), cell.value
                if cell.data_type == "n":
                    assert cell.value is None or isinstance(cell.value, int)
    sheet = book.worksheets[2]
    assert sheet["A3"].value == "＝1\n=1+1"
    for row, payload in enumerate(PAYLOADS, HEADING + 1):
        cell = sheet.cell(row, 1)
        assert cell.data_type == "s"
        assert cell.hyperlink is None
        clean = payload.replace("\r", "\n")
        for char in ("\x00", "\x0b", "\ufffe"):
            clean = clean.replace(char, "")
        # The reader leaves the escape that keeps "_x0041_" from becoming "A".
        assert (cell.value or "").replace("_x005F_", "_") == clean
    with zipfile.ZipFile(tmp_path / "book.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    formulas = [
        name
        for name, part in parts.items()
        if name.startswith("xl/worksheets/") and b"<f" in part
    ]
    links = [
        name
        for name, part in parts.items()
        if name.endswith(".rels") and (b"example.com" in part or b"a@b.c" in part)
    ]
    titles = [title for title, _ in references(tmp_path / "book.xlsx")]
    assert (formulas, links, titles) == ([], [], [" =1+1 =1+1"])


@settings(max_examples=25)
@given(
    digits=st.integers(0, 6),
    amounts=st.lists(st.integers(-(10**15) + 1, 10**15 - 1), min_size=1, max_size=40),
)
def test_money_is_the_nearest_number_to_the_exact_amount(digits, amounts):
    """Read back, every amount below 10**15 minor units is exact to the last one."""
    form = small(
        pd.DataFrame({"pay": amounts}),
        column("pay", "money"),
        currency=Currency("XTS", digits=digits),
    )
    read = read_back([form])["A"][HEADING:]
    for amount, cell in zip(amounts, read, strict=True):
        assert Decimal(repr(cell.value)).scaleb(digits) == amount
        assert cell.value == float(Decimal(amount).scaleb(-digits))


def read_back(forms, **options):
    """Write forms without charts and return the first form's sheet."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_workbook(forms, Path(folder) / "x.xlsx", as_of=AS_OF, **options)
        data = path.read_bytes()
    return openpyxl.load_workbook(io.BytesIO(data)).worksheets[1]


def test_amounts_that_a_spreadsheet_would_round_are_exact_text():
    """From 10**15 minor units on, amounts and counts are written out as text."""
    amounts = [10**15 - 1, 10**15, -(10**15), 2**63 - 1]
    frame = pd.DataFrame({"pay": amounts, "n": amounts})
    sheet = read_back([small(frame, column("pay", "money"), column("n", "integer"))])
    assert [cell.value for cell in sheet["A"][HEADING:]] == [
        9999999999999.99,
        "10000000000000.00",
        "-10000000000000.00",
        "92233720368547758.07",
    ]
    assert sheet["B7"].value == "9223372036854775807"


def test_an_average_is_rounded_half_up_to_the_minor_unit():
    """400.00 / 3 is 133.33 and 0.125 is 0.13, as a till would say it."""
    frame = pd.DataFrame({"pay": [40_000 / 3, 12.5, -12.5]})
    sheet = read_back([small(frame, column("pay", "money"))])
    assert [cell.value for cell in sheet["A"][HEADING:]] == [133.33, 0.13, -0.13]


def test_dates_are_dates_and_old_ones_are_text():
    """A day can be sorted and filtered; a year before 1900 has no number."""
    days = pd.to_datetime(["2026-11-05", "1899-12-31", None])
    sheet = read_back([small(pd.DataFrame({"day": days}), column("day", "date"))])
    assert sheet["A4"].value == dt.datetime(2026, 11, 5)  # noqa: DTZ001 - a cell
    assert sheet["A4"].number_format == "yyyy-mm-dd"
    assert sheet["A5"].value == "1899-12-31"
    assert sheet["A6"].value is None


def test_the_same_forms_give_the_same_bytes(month, tmp_path, monkeypatch):
    """Neither the clock nor the zone of the machine is in the file."""
    written = []
    for zone in ("UTC", "Asia/Shanghai"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        path = write_workbook(month, tmp_path / f"{len(written)}.xlsx", as_of=AS_OF)
        written.append(path.read_bytes())
    monkeypatch.undo()
    time.tzset()
    # Of the bytes themselves a failing assertion would show megabytes.
    assert len({hashlib.sha256(each).hexdigest() for each in written}) == 1
    properties = openpyxl.load_workbook(io.BytesIO(written[0])).properties
    assert properties.created == dt.datetime(2026, 10, 31)  # noqa: DTZ001 - as kept


def test_a_long_form_goes_on_over_sheets_and_says_so(tmp_path):
    """No row is lost; the contents say which rows are where, and what is not drawn."""
    frame = pd.DataFrame({"who": list("abcdefgh"), "n": range(8)})
    charts = [
        Chart(
            kind="column", title_en=name, title_zh=name, series="columns",
            columns=("n",), label="who", first=first, last=last,
        )
        for name, first, last in (("within", 3, 5), ("across", 2, 3))
    ]  # fmt: skip
    form = small(frame, column("who", "text"), column("n", "integer"), charts=charts)
    book = opened([form], tmp_path, rows_per_sheet=3)
    parts = book.worksheets[2:]
    assert [sheet.title for sheet in parts] == [
        "小表 Small",
        "小表 Small (2)",
        "小表 Small (3)",
    ]
    read = [row[1].value for sheet in parts for row in sheet.iter_rows(min_row=4)]
    assert read == list(range(8))
    said = [cell.value or "" for cell in book["目录 Contents"]["D"]]
    assert "第 4–6 行，共 8 行 (rows 4–6 of 8)" in said[4]
    ((title, (series,)),) = references(tmp_path / "book.xlsx")
    assert title == "within within"
    assert cells(book, series["val"][0]) == [3, 4, 5]
    notes = [cell.value or "" for cell in book["目录 Contents"]["A"]]
    assert any("across" in note for note in notes)


def test_columns_are_wide_enough_for_chinese(tmp_path):
    """A Chinese character takes two places, and very long text is wrapped."""
    frame = pd.DataFrame({"a": ["人民路旗舰店二楼东区"], "b": ["长" * 400], "c": [1]})
    columns = (column("a", "text"), column("b", "text"), column("c", "integer"))
    sheet = opened([small(frame, *columns)], tmp_path).worksheets[1]
    widths = [sheet.column_dimensions[letter].width for letter in "ABC"]
    assert widths[0] >= 20
    assert 40 <= widths[1] <= 60
    assert 8 <= widths[2] <= 12
    assert sheet["B4"].alignment.wrap_text


def test_text_longer_than_a_cell_is_cut_with_a_sign(tmp_path):
    """A spreadsheet takes 32767 characters; more would be lost in silence."""
    frame = pd.DataFrame({"a": ["x" * 40_000]})
    sheet = opened([small(frame, column("a", "text"))], tmp_path).worksheets[1]
    assert sheet["A4"].value.endswith("…")
    assert len(sheet["A4"].value) <= 32_767


@given(st.lists(st.text(max_size=60), max_size=12))
@example(["history", "'", "", "目录 contents", "a" * 30 + "'", "😀" * 20])
def test_sheet_names_are_allowed_and_differ(titles):
    """Whatever the titles, each name is one that every spreadsheet takes."""
    names = sheet_names(titles, taken=("目录 Contents",))
    assert len(names) == len(titles)
    assert len({name.casefold() for name in (*names, "目录 contents")}) == 1 + len(
        names
    )
    for name in names:
        assert 0 < len(name.encode("utf-16-le")) // 2 <= 31
        assert not set(name) & set("[]:*?/\\")
        assert name.strip("'") == name
        assert name.casefold() != "history"


def test_forms_with_hostile_or_equal_titles_have_sheets_of_their_own(tmp_path):
    """Two forms of one title, and titles that no sheet can have, are written."""
    frame = pd.DataFrame({"n": [1]})
    titles = ["a/b", "a/b", "'", "History", "x" * 50, "x" * 50]
    forms = [
        small(frame, column("n", "integer"), title_en=title, title_zh=title)
        for title in titles
    ]
    book = opened(forms, tmp_path, language="en")
    assert len(set(book.sheetnames)) == 1 + len(titles)


def test_no_personal_value_is_anywhere_in_the_file(tmp_path):
    """A phone number that was not revealed is in no part of the archive."""
    frame = pd.DataFrame({"phone": ["13812345678"], "n": [1]})
    form = small(
        frame,
        column("phone", "text", personal=True, mask="tail"),
        column("n", "integer"),
    )
    path = write_workbook([form], tmp_path / "x.xlsx", as_of=AS_OF)
    with zipfile.ZipFile(path) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert (content.count(b"*******5678"), content.count(b"1381234")) == (1, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"forms": []},
        {"path": "book.xls"},
        {"language": "fr"},
        {"as_of": dt.datetime(2026, 10, 31)},  # noqa: DTZ001 - refused
        {"as_of": "2026-10-31"},
        {"rows_per_sheet": 0},
        {"rows_per_sheet": 1_048_576},
    ],
)
def test_wrong_use_is_refused_before_anything_is_written(tmp_path, wrong):
    """No form, another ending, language or day: an error, and no file."""
    form = small(pd.DataFrame({"n": [1]}), column("n", "integer"))
    given = {"forms": [form], "path": "book.xlsx", "as_of": AS_OF} | wrong
    forms, name = given.pop("forms"), given.pop("path")
    with pytest.raises(InvalidValueError):
        write_workbook(forms, tmp_path / name, **given)
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_the_error_says_what_to_install(tmp_path, monkeypatch):
    """The extra is named in the error, and importing the package needs none."""
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    form = small(pd.DataFrame({"n": [1]}), column("n", "integer"))
    with pytest.raises(MissingExtraError, match=r"memberops\[excel\]"):
        write_workbook([form], tmp_path / "book.xlsx", as_of=AS_OF)


@pytest.mark.parametrize(
    ("language", "first", "contents"),
    [("en", "Findings", "Contents"), ("zh", "数据问题", "目录"),
     ("both", "数据问题 Findings", "目录 Contents")],
)  # fmt: skip
def test_sheets_are_named_in_the_language_asked_for(
    tmp_path, language, first, contents
):
    """In English no sheet has a Chinese name; the contents name the sheets as such."""
    path = tmp_path / "names.xlsx"
    forms = [findings_form([])]
    write_workbook(forms, path, as_of=dt.date(2026, 10, 31), language=language)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == [contents, first]
    assert book[contents]["A4"].value == first
