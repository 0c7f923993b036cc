"""Workbooks that tests write, and ways to read them."""

import datetime as dt
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import xlsxwriter

from memberops.adapters.sources.excel_source import read_excel
from memberops.domain import Currency

CNY, SHANGHAI = Currency("CNY"), ZoneInfo("Asia/Shanghai")
SALES = ["小票号", "销售日期", "门店", "数量", "金额"]
GOOD = ["T1", dt.date(2026, 11, 5), "S1", 1, 5]
FORMATS = {
    dt.datetime: "yyyy-mm-dd hh:mm:ss",
    dt.date: "yyyy-mm-dd",
    dt.time: "hh:mm",
    dt.timedelta: "[h]:mm",
}


def put(sheet, rows, formats, *, first=0):
    """Write rows of values; a text that begins with = is a text."""
    for at, row in enumerate(rows, first):
        for place, value in enumerate(row):
            if type(value) in formats:
                sheet.write_datetime(at, place, value, formats[type(value)])
            elif isinstance(value, str):
                if value:
                    sheet.write_string(at, place, value)
            elif value is not None:
                sheet.write(at, place, value)


def workbook(sheets, *, name="book.xlsx", more=None, **options):
    """Write a workbook of sheets by name; *more* may add to it."""
    with xlsxwriter.Workbook(name, options) as book:
        formats = {k: book.add_format({"num_format": v}) for k, v in FORMATS.items()}
        tabs = {}
        for title, rows in sheets.items():
            tabs[title] = book.add_worksheet(title)
            put(tabs[title], rows, formats)
        if more:
            more(book, tabs)
    return Path(name)


def read(path, table="sales", **options):
    """Read a workbook, or rows as the one sheet of a workbook."""
    if isinstance(path, list):
        path = workbook({"销售": path})
    return read_excel(path, table, currency=CNY, zone=SHANGHAI, **options)


def rules(result):
    """The rules of the findings, in their order."""
    return [finding.rule for finding in result.findings]


def one(result, rule):
    """The one finding of a rule."""
    (finding,) = [each for each in result.findings if each.rule == rule]
    return finding


def archive(name, parts, *, level=9):
    """Write a zip archive of parts by name."""
    with zipfile.ZipFile(
        name, "w", zipfile.ZIP_DEFLATED, compresslevel=level
    ) as packed:
        for part, data in parts.items():
            packed.writestr(part, data)
    return Path(name)


def ods(rows, *, name="book.ods"):
    """Write an .ods file of one sheet from the XML of its rows."""
    office = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<?xml version="1.0"?><office:document-content xmlns:office="{office}:office:'
        f'1.0" xmlns:table="{office}:table:1.0" xmlns:text="{office}:text:1.0">'
        f'<office:body><office:spreadsheet><table:table table:name="销售">{rows}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<?xml version="1.0"?><manifest:manifest xmlns:manifest='
        f'"{office}:manifest:1.0"/>'
    )
    return archive(
        name,
        {"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest},
    )


def ods_row(*cells, times=1):
    """Write the XML of one row of an .ods file."""
    return (
        f'<table:table-row table:number-rows-repeated="{times}">'
        + "".join(map(_ods_cell, cells))
        + "</table:table-row>"
    )


def _ods_cell(value):
    match value:
        case dt.date():
            given = f'office:value-type="date" office:date-value="{value}"'
        case int() | float():
            given = f'office:value-type="float" office:value="{value}"'
        case _:
            given = 'office:value-type="string"'
    return f"<table:table-cell {given}><text:p>{value}</text:p></table:table-cell>"
