"""One sheet becomes a table of text, with a finding for all that was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import attrs
import numpy as np

from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.excel_book import Sheet
from memberops.adapters.sources.excel_cells import CellText
from memberops.adapters.sources.excel_columns import SheetColumn, read_columns
from memberops.adapters.sources.excel_facts import NOT_TOLD, UNCALCULATED
from memberops.adapters.sources.excel_headings import (
    MOST_ROWS,
    HeadingRows,
    find_headings,
)
from memberops.adapters.sources.excel_zeros import (
    show_zeros,
    tell_zeros,
    widths_of_rows,
)
from memberops.adapters.sources.finding_log import FindingLog
from memberops.adapters.sources.heading_units import HeadingUnit, unit_above
from memberops.adapters.sources.text_table import TextTable
from memberops.adapters.sources.totals import closing_rows, tell_notes, tell_totals
from memberops.domain import Severity
from memberops.errors import SourceError, bounded

__all__ = ["SheetHead", "sheet_head", "sheet_table"]


@attrs.frozen(kw_only=True)
class SheetHead:
    """
    The beginning of a sheet.

    Args:
        sheet: The sheet.
        headings: Where its headings are; None if it has no text.
        unit: The unit that a line above them gives all amounts.
    """

    sheet: Sheet
    headings: HeadingRows | None
    unit: HeadingUnit | None = None


def sheet_head(
    sheet: Sheet,
    known: Callable[[str], bool],
    *,
    line: int | None = None,
    named: Callable[[str], bool] = lambda _text: False,
) -> SheetHead:
    """
    Look at the first rows of a sheet for its headings.

    Args:
        sheet: The sheet.
        known: Tells whether a text means a column.
        line: Number of the heading row, if the caller knows it.
        named: Tells whether an option names a text.
    """
    most = MOST_ROWS if line is None else line + 1
    rows = list(islice(sheet.rows(), most))
    found = find_headings(rows, known, sheet.merged, line=line, named=named)
    above = rows[: found.last - 1] if found else []
    unit = unit_above(cell for row in above for cell in row if isinstance(cell, str))
    return SheetHead(sheet=sheet, headings=found, unit=unit)


def sheet_table(
    head: SheetHead,
    log: FindingLog,
    *,
    name: str,
    words: Callable[[Sequence[str]], bool],
    needed: Callable[[Sequence[str]], bool],
    shown: Callable[[Sequence[str]], bool] = lambda _names: True,
) -> TextTable:
    """
    Read the rows below the headings of a sheet.

    Args:
        head: What `sheet_head` gave.
        log: Takes the findings.
        name: What findings and rejects call the sheet.
        words: Tells of the names of a column whether it holds ids or texts.
        needed: Tells of the names of a column whether no row may lack it.
        shown: Tells of the names of a column whether its numbers are read with the
            zeros in front that their format shows.

    Raises:
        SourceError: The sheet has no text.
    """
    found = head.headings
    if found is None:
        raise SourceError(f"the sheet {head.sheet.name!r} has no text")
    if found.first > 1 or found.last > found.first:
        _tell_headings(found, log)
    read = read_columns(head.sheet, found)
    head.sheet.close()
    wanted = [
        at for at, text in enumerate(found.texts) if text or read.columns[at].filled
    ]
    columns = {at: read.columns[at] for at in wanted}
    read.columns.clear()
    lines = read.lines
    kept = _kept_rows(columns, lines, log)
    required = {at for at in wanted if needed(found.names(at))}
    kept = _without_totals(columns, lines, kept, required, log)
    _tell_hidden(head.sheet, lines[kept], log)
    zeros = head.sheet.facts.zeros() if head.sheet.facts else {}
    texts = []
    for at in wanted:
        column = columns.pop(at)
        heading = found.texts[at]
        codes = column.codes if len(kept) == len(lines) else column.codes[kept]
        told = bounded([heading])
        if at + 1 in zeros and shown(found.names(at)):
            widths = widths_of_rows(lines, *zeros.pop(at + 1))[kept]
            tell_zeros(show_zeros(codes, column.cells, widths), told, log)
        times = np.bincount(codes, minlength=len(column.cells)).tolist()
        writer = CellText(words=words(found.names(at)))
        written = writer.write_all(column.cells, times, column.moments)
        texts.append(TextColumn(codes, written))
        _tell_oddities(writer, told, log)
        _tell_formulas(column.noted, times, told, log)
    return TextTable(
        name=name,
        headings=tuple(found.texts[at] for at in wanted),
        columns=tuple(texts),
        lines=lines[kept],
        heading_line=found.first,
        notes=tuple(log.findings),
        unit=head.unit,
        also=found.also(wanted),
    )


def _kept_rows(columns: dict[int, SheetColumn], lines: Any, log: FindingLog) -> Any:
    """Leave out the rows without any text; those at the end are not told."""
    filled = np.zeros(len(lines), dtype=bool)
    for column in columns.values():
        if filled.all():
            break
        void = [isinstance(cell, str) and not cell.strip() for cell in column.cells]
        filled |= ~np.array(void, dtype=bool)[column.codes]
    kept = np.flatnonzero(filled)
    blank = int(kept[-1]) + 1 - len(kept) if len(kept) else 0
    if blank:
        log.add(
            "blank-rows",
            f"rows without any text, skipped: {blank}",
            f"跳过 {blank} 个空行",
            count=blank,
        )
    return kept


def _without_totals(
    columns: dict[int, SheetColumn],
    lines: Any,
    kept: Any,
    required: set[int],
    log: FindingLog,
) -> Any:
    """Leave out the totals at the end."""

    def upward() -> Iterator[tuple[list[Any], bool]]:
        for row in kept[::-1]:
            cells = {at: each.cells[each.codes[row]] for at, each in columns.items()}
            lacks = any(not str(cells[at]).strip() for at in required)
            yield list(cells.values()), lacks

    notes = closing_rows(upward())
    dropped = [int(lines[row]) for row in kept[::-1][: len(notes)]]
    tell_totals([n for n, note in zip(dropped, notes, strict=True) if not note], log)
    tell_notes([n for n, note in zip(dropped, notes, strict=True) if note], log)
    return kept[: len(kept) - len(notes)]


def _tell_headings(found: HeadingRows, log: FindingLog) -> None:
    above = found.first - 1
    if found.last > found.first:
        log.add(
            "headings-joined",
            f"the headings stand in rows {found.first} and {found.last}, and are "
            f"joined; rows above that are not read: {above}",
            f"标题占第 {found.first}、{found.last} 两行，已合并；其上 {above} 行未读取",
            row=found.first,
        )
    else:
        log.add(
            "headings-below-titles",
            f"the headings stand in row {found.first}; rows above that are not read: "
            f"{above}",
            f"标题在第 {found.first} 行；其上 {above} 行未读取",
            row=found.first,
        )


def _tell_hidden(sheet: Sheet, lines: Any, log: FindingLog) -> None:
    if sheet.facts is None or sheet.facts.hidden is None:
        log.add(
            "hidden-unknown",
            "this format does not tell which rows are hidden and which cells are "
            "errors: hidden rows are read, cells with errors are empty",
            "该格式无法判断隐藏行和错误单元格：隐藏行照常读取，错误单元格视为空",
        )
        return
    hidden = int(np.isin(lines, list(sheet.facts.hidden)).sum())
    if hidden:
        log.add(
            "rows-hidden",
            f"rows that are hidden in the sheet, and are read all the same: {hidden}; "
            "if a filter hid them, clear it and look at them",
            f"表中有 {hidden} 个隐藏行，照常读取；如因筛选而隐藏，请取消筛选后核对",
            severity=Severity.WARNING,
            count=hidden,
        )


def _tell_oddities(writer: CellText, shown: str, log: FindingLog) -> None:
    """Tell what was odd about the numbers and dates of a column."""
    if writer.destroyed:
        log.add(
            "number-destroyed",
            f"numbers of {shown} that lost digits in the spreadsheet, as 1.23457E+10 "
            f"did, and cannot be read: {writer.destroyed}; export the column as text",
            f"{shown} 列有 {writer.destroyed} 个数字在电子表格中丢失了位数"
            "（如 1.23457E+10），无法读取；请把该列设为文本后重新导出",
            severity=Severity.WARNING,
            count=writer.destroyed,
        )
    if writer.noisy:
        log.add(
            "number-noise",
            f"numbers of {shown} with binary noise behind 15 digits, as sums have: "
            f"{writer.noisy}; the 15 digits that the spreadsheet shows are read",
            f"{shown} 列有 {writer.noisy} 个数字在第 15 位之后带有二进制误差；"
            "按表中显示的 15 位读取",
            count=writer.noisy,
        )
    if writer.words and writer.days:
        log.add(
            "id-dates",
            f"cells of {shown} that are dates: {writer.days}; a spreadsheet makes "
            "dates of ids such as 3-1: export the column as text",
            f"{shown} 列有 {writer.days} 个单元格是日期；电子表格会把 3-1 之类的编号"
            "变成日期，请把该列设为文本后重新导出",
            severity=Severity.WARNING,
            count=writer.days,
        )


def _tell_formulas(
    noted: dict[str, int], times: list[int], shown: str, log: FindingLog
) -> None:
    """Tell which formulas of a column have no value."""
    never = times[noted[UNCALCULATED]] if UNCALCULATED in noted else 0
    if never:
        log.add(
            "formula-uncalculated",
            f"cells of {shown} with a formula that was never calculated, as programs "
            f"leave it that write workbooks: {never}; they are refused, not read as "
            "empty or 0: open the workbook in a spreadsheet program and save it",
            f"{shown} 列有 {never} 个公式单元格从未计算（由程序导出的工作簿常如此）；"
            "不按空值或 0 读取，一律拒收：请用电子表格软件打开并保存后再读取",
            severity=Severity.WARNING,
            count=never,
        )
    nothing = times[noted[NOT_TOLD]] if NOT_TOLD in noted else 0
    if nothing:
        log.add(
            "formula-empty",
            f"cells of {shown} with a formula whose value is nothing: {nothing}; "
            "this format does not tell whether they were ever calculated: open the "
            "workbook in a spreadsheet program, look at them, and save it",
            f"{shown} 列有 {nothing} 个公式单元格的值为空；该格式无法判断公式是否"
            "计算过：请用电子表格软件打开核对并保存",
            severity=Severity.WARNING,
            count=nothing,
        )
