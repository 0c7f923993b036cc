"""Forms as one workbook: contents, native charts, and a sheet a form."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

from memberops.domain.values import check_as_of
from memberops.errors import InvalidValueError, MissingExtraError
from memberops.reports.cells import (
    ReportLanguage,
    check_report_language,
    clean_text,
    day_of,
    each_once,
    is_missing,
    minor_of,
    text_of,
    text_width,
)
from memberops.reports.charts import native_chart
from memberops.reports.form import Form, FormColumn, columns_for
from memberops.reports.sheets import (
    Styles,
    frozen_columns,
    header_height,
    sheet_names,
    sheet_title,
    width_for,
)

__all__ = ["MOST_ROWS", "write_workbook"]

_HEADING = 2
MOST_ROWS = 1_048_576 - _HEADING - 1
"""How many rows of a form fit on one sheet below its title, notes and headings."""
_EXACT_UNITS = 10**15
_MOST_CHARACTERS = 32_767
_FIRST_YEAR = 1900
_CHART_ROWS = 20
_CONTENTS = {"zh": "目录", "en": "Contents", "both": "目录 Contents"}
_CHARTS = {"zh": "图表", "en": "Charts", "both": "图表 Charts"}

_Cell = tuple[str, Any, int]
"""The kind of a cell, what is written in it, and the width of its text."""


def _engine() -> ModuleType:
    try:
        import xlsxwriter
    except ImportError:
        raise MissingExtraError("a workbook", "excel") from None
    else:
        module: ModuleType = xlsxwriter
        return module


@attrs.frozen
class _Part:
    """The rows of a form that go on one sheet."""

    form: Form
    sheet: str
    start: int
    stop: int


def write_workbook(
    forms: Iterable[Form],
    path: str | Path,
    *,
    as_of: dt.date,
    language: ReportLanguage = "both",
    title_en: str = "Membership report",
    title_zh: str = "会员报表",
    rows_per_sheet: int = MOST_ROWS,
) -> Path:
    """
    Write forms as one xlsx workbook.

    Headings, titles and chart titles are in both languages always; *language* chooses
    that of the words in cells, of the notes and of the sheet names. Money is a number
    in major units, rounded correctly to what a spreadsheet holds; from 10**15 minor
    units on, where a spreadsheet no longer keeps every digit, it is exact text. An
    undefined ratio is an empty cell, and the last column of its row says why. No text
    is ever a formula or a link. The same forms give the same bytes.

    Args:
        forms: In the order of the sheets.
        path: The file, ending in ``.xlsx``; one that exists is replaced.
        as_of: The day of the report, which is also the file's date of creation.
        language: ``"zh"``, ``"en"`` or ``"both"``.
        title_en: Title of the workbook in English.
        title_zh: The same in Chinese.
        rows_per_sheet: A form with more rows goes on over several sheets, which the
            contents say.

    Returns:
        The path.

    Raises:
        InvalidValueError: No form, another language, another ending, no plain date,
            or more rows a sheet than there can be.
        MissingExtraError: The extra ``excel`` is not installed.
        OSError: The file cannot be written.
    """
    shown, target = tuple(forms), Path(path)
    check_report_language(language)
    check_as_of(as_of)
    if not shown:
        raise InvalidValueError("a workbook needs at least one form")
    if target.suffix.lower() != ".xlsx":
        raise InvalidValueError(
            f"a workbook's name ends in '.xlsx', not {target.suffix[:20]!r}"
        )
    if not 0 < rows_per_sheet <= MOST_ROWS:
        raise InvalidValueError(f"'rows_per_sheet' must be from 1 to {MOST_ROWS}")
    memory = io.BytesIO()
    workbook = _engine().Workbook(
        memory,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    title = clean_text(f"{title_zh} {title_en}")
    workbook.set_properties(
        {"title": title, "created": dt.datetime(as_of.year, as_of.month, as_of.day)}  # noqa: DTZ001 - a local day
    )
    _Book(workbook, Styles(workbook), language, as_of, title).write(
        _parts(shown, language, rows_per_sheet)
    )
    workbook.close()
    target.write_bytes(memory.getvalue())
    return target


def _parts(
    forms: Sequence[Form], language: ReportLanguage, most: int
) -> tuple[_Part, ...]:
    pieces = [
        (form, start, min(start + most, len(form.frame)))
        for form in forms
        for start in range(0, max(len(form.frame), 1), most)
    ]
    names = sheet_names(
        [sheet_title(form, language) for form, _, _ in pieces],
        taken=(_CONTENTS[language], _CHARTS[language]),
    )
    return tuple(
        _Part(form, name, start, stop)
        for (form, start, stop), name in zip(pieces, names, strict=True)
    )


@attrs.frozen
class _Book:
    workbook: Any
    styles: Styles
    language: ReportLanguage
    as_of: dt.date
    title: str

    def write(self, parts: Sequence[_Part]) -> None:
        contents = self.workbook.add_worksheet(_CONTENTS[self.language])
        drawn = any(part.form.charts for part in parts)
        charts = self.workbook.add_worksheet(_CHARTS[self.language]) if drawn else None
        for part in parts:
            self._write_form(part)
        left_out = [] if charts is None else self._draw(charts, parts)
        self._write_contents(contents, parts, left_out)

    def _text(self, sheet: Any, row: int, column: int, text: str, style: Any) -> None:
        kind, said, _ = _text_cell(text, 0)
        if kind == "blank":
            sheet.write_blank(row, column, None, style)
        else:
            sheet.write_string(row, column, said, style)

    def _notes(self, form: Form) -> str:
        return clean_text(" ".join(form.notes(self.language)))

    def _write_contents(
        self, sheet: Any, parts: Sequence[_Part], left_out: Sequence[str]
    ) -> None:
        self._text(sheet, 0, 0, self.title, self.styles.title)
        day = f"截至 As of {self.as_of.isoformat()}"
        self._text(sheet, 1, 0, day, self.styles.note)
        headings = ("报表\nForm", "标题\nTitle", "行数\nRows", "说明\nNotes")
        for column, heading in enumerate(headings):
            self._text(sheet, _HEADING, column, heading, self.styles.heading)
        cell = self.styles.of(border=1, border_color="#BFBFBF", text_wrap=True)
        number = self.styles.of(
            border=1, border_color="#BFBFBF", num_format="#,##0", valign="top"
        )
        link = self.styles.of(
            border=1, border_color="#BFBFBF", font_color="#0563C1", underline=1
        )
        for row, part in enumerate(parts, _HEADING + 1):
            where = part.sheet.replace("'", "''")
            sheet.write_url(row, 0, f"internal:'{where}'!A1", link, part.sheet)
            rows = len(part.form.frame)
            extra = ""
            if part.stop - part.start < rows:
                extra = (
                    f" 第 {part.start + 1:,}–{part.stop:,} 行，共 {rows:,} 行"
                    f" (rows {part.start + 1:,}–{part.stop:,} of {rows:,})"
                )
            self._text(sheet, row, 1, clean_text(part.form.title("both")), cell)
            sheet.write_number(row, 2, part.stop - part.start, number)
            self._text(sheet, row, 3, (self._notes(part.form) + extra).strip(), cell)
        for row, note in enumerate(left_out, _HEADING + len(parts) + 2):
            self._text(sheet, row, 0, note, self.styles.note)
        for column, width in enumerate((34, 52, 10, 90)):
            sheet.set_column(column, column, width)
        sheet.set_row(_HEADING, 34)
        sheet.freeze_panes(_HEADING + 1, 0)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)

    def _write_form(self, part: _Part) -> None:
        form = part.form
        sheet = self.workbook.add_worksheet(part.sheet)
        columns = columns_for(form, self.language)
        order = "en" if self.language == "en" else "zh"
        headings = [clean_text(_both_headings(column, order)) for column in columns]
        self._text(sheet, 0, 0, clean_text(form.title("both")), self.styles.title)
        self._text(sheet, 1, 0, self._notes(form), self.styles.note)
        widths = []
        write = {
            "blank": sheet.write_blank,
            "text": sheet.write_string,
            "number": sheet.write_number,
            "day": sheet.write_datetime,
        }
        for at, column in enumerate(columns):
            self._text(sheet, _HEADING, at, headings[at], self.styles.heading)
            style = self.styles.column(column, form.currency)
            values = form.frame[column.name].iloc[part.start : part.stop]
            cells = each_once(values, partial(self._cell, form, column))
            for row, (kind, said, _) in enumerate(cells, _HEADING + 1):
                write[kind](row, at, said, style)
            widest = max((width for _, _, width in cells), default=0)
            widths.append(width_for(headings[at], widest, column))
            sheet.set_column(at, at, widths[-1])
        sheet.set_row(_HEADING, header_height(headings, widths))
        sheet.freeze_panes(_HEADING + 1, frozen_columns(columns))
        last = _HEADING + part.stop - part.start
        if columns and last > _HEADING:
            sheet.autofilter(_HEADING, 0, last, len(columns) - 1)
        sheet.repeat_rows(_HEADING)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)

    def _cell(  # noqa: PLR0911 - each kind has its own exit
        self, form: Form, column: FormColumn, value: Any
    ) -> _Cell:
        """Say what a cell is, what is written in it, and how wide its text is."""
        if is_missing(value):
            return "blank", None, 0
        if isinstance(value, str) or column.style in ("text", "reasons"):
            text = text_of(form, column, value, self.language)
            width = max((text_width(line) for line in text.split("\n")), default=0)
            return _text_cell(text, width)
        if column.style == "date":
            width = len("2026-11-05")
            day = day_of(value)
            if day is None or day.year < _FIRST_YEAR:
                return _text_cell(str(day or value), width)
            return "day", day, width
        if column.style in ("percent", "number"):
            return "number", float(value), len(f"{float(value):,.4f}")
        digits = form.currency.digits if column.style == "money" else 0
        units = minor_of(value)
        exact = form.currency.to_decimal(units) if digits else units
        if abs(units) >= _EXACT_UNITS:
            return _text_cell(str(exact), len(str(exact)))
        # A quotient of whole numbers is rounded once, to the nearest float.
        return "number", units / 10**digits, len(f"{exact:,}")

    def _draw(self, sheet: Any, parts: Sequence[_Part]) -> list[str]:
        """Put every chart on the sheet of charts, and name those that did not fit."""
        self._text(sheet, 0, 0, f"图表 Charts · {self.title}", self.styles.title)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        left_out = []
        count = 0
        for part in parts:
            for chart in part.form.charts:
                if not part.start <= chart.first <= part.stop - 1:
                    continue
                if chart.last >= part.stop:
                    name = f"{chart.title_zh} {chart.title_en}"
                    left_out.append(
                        clean_text(f"未绘制（行跨工作表） Not drawn: {name}")
                    )
                    continue
                made = native_chart(
                    self.workbook,
                    part.form,
                    chart,
                    sheet=part.sheet,
                    heading=_HEADING,
                    start=part.start,
                    language=self.language,
                )
                row, column = divmod(count, 2)
                sheet.insert_chart(2 + row * _CHART_ROWS, column * 12, made)
                count += 1
        return left_out


def _text_cell(text: str, width: int) -> _Cell:
    if not text:
        return "blank", None, width
    if (
        len(text) > _MOST_CHARACTERS // 2
        and len(text.encode("utf-16-le")) // 2 > _MOST_CHARACTERS
    ):
        text = text[: _MOST_CHARACTERS // 2] + "…"
    return "text", text, width


def _both_headings(column: FormColumn, order: str) -> str:
    if column.heading_en == column.heading_zh:
        return column.heading_en
    pair = (column.heading_zh, column.heading_en)
    return "\n".join(pair if order == "zh" else reversed(pair))
