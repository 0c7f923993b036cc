"""Canonical tables from workbooks: .xlsx, .xls, .xlsb and .ods, cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Unpack
from zoneinfo import ZoneInfo

import attrs
import pandas as pd

from memberops.adapters.sources.contract import SourceContext, SourceResult
from memberops.adapters.sources.csv_paths import naming, refuse_twice
from memberops.adapters.sources.excel_book import Workbook, open_workbook
from memberops.adapters.sources.excel_calendar import counts_from_1904
from memberops.adapters.sources.excel_meanings import HeadingMeanings
from memberops.adapters.sources.excel_sheet import SheetHead, sheet_head, sheet_table
from memberops.adapters.sources.excel_zeros_apart import zeros_apart
from memberops.adapters.sources.finding_log import FindingLog
from memberops.adapters.sources.overlapping_files import settled_files
from memberops.adapters.sources.reading_options import (
    OPTIONS,
    Mapped,
    ReadingOptions,
)
from memberops.adapters.sources.rejects import write_rejects
from memberops.adapters.sources.replaced_rows import (
    Overlap,
    check_overlap,
    left_out_by_rule,
    without_rules,
)
from memberops.adapters.sources.table_files import (
    Paths,
    TableFiles,
    joined_results,
    listed,
)
from memberops.adapters.sources.text_table import TextTable, read_text_table
from memberops.domain import Currency
from memberops.errors import ConfigurationError, SourceError, bounded
from memberops.tables import Table
from memberops.tables import table as table_named

__all__ = ["ENDINGS", "ExcelSource", "SheetNames", "read_excel", "read_sheets"]

ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
"""Endings of the files that are taken from a folder."""

SheetNames = str | int | Sequence[str | int]
"""A sheet by its name or its number from 1, or several."""


def read_excel(
    path: Paths,
    table: str | Table,
    *,
    sheet: SheetNames | None = None,
    heading_line: int | None = None,
    currency: Currency,
    zone: ZoneInfo,
    rejects_path: str | Path | None = None,
    overlap: Overlap = "count",
    **mapping: Unpack[Mapped],
) -> SourceResult:
    """
    Read one canonical table from one workbook or several.

    Nothing is guessed and no row is lost: a row is in the frame, or among the
    rejects with its sheet, its row number, its reason and its text. Titles above the
    headings, empty rows and totals at the end are left out and told. Dates are read
    from cells that are dates, numbers as their exact decimal text, and a number that
    has lost digits is refused.

    Args:
        path: The workbook, or several, read in the order given.
        table: The canonical table, or its name.
        sheet: The sheet by its name or its number from 1; several are read one behind
            the other; ``"*"`` means all whose tabs are shown. If None, the one whose
            headings fit best; two that fit equally are refused.
        heading_line: The row of the headings, from 1; found if None.
        currency: Currency of the amounts.
        zone: Zone in which local times are read and days begin.
        rejects_path: Where to write the rejects as a file.
        overlap: What becomes of records that several sheets or workbooks give: see
            `memberops.read_csv`.
        **mapping: How its columns become those of the table: see
            `memberops.adapters.sources.reading_options.Mapped`.

    Raises:
        ConfigurationError: An option names what does not exist, one file is given
            twice, or several sheets fit and none was named.
        MissingColumnsError: A required column is in no heading; with the nearest.
        MissingExtraError: The extra ``excel`` is not installed.
        SourceError: A file cannot be opened, is damaged, or is above a limit.
        UnknownTableError: No canonical table has that name.

    >>> import xlsxwriter
    >>> with xlsxwriter.Workbook("stores.xlsx") as book:
    ...     tab = book.add_worksheet("门店")
    ...     _ = [tab.write_row(at, 0, row) for at, row in enumerate(
    ...         [["门店名单"], ["门店编号", "店名"], [101, "一店"], ["", "二店"]])]
    >>> stores = read_excel("stores.xlsx", "stores", currency=Currency("CNY"),
    ...                     zone=ZoneInfo("Asia/Shanghai"))
    >>> stores.frame["store_id"].tolist(), stores.rejects["line"].tolist()
    (['101'], [4])
    """
    canonical = table_named(table) if isinstance(table, str) else table
    paths = listed(path)
    with naming(paths[0].name if paths else "", canonical.name):
        options = ReadingOptions.of(canonical, currency=currency, zone=zone, **mapping)
        refuse_twice(paths)
        replace = check_overlap(overlap)
    parts: list[SourceResult] = []
    names: list[str] = []
    left_out: list[pd.DataFrame] = []
    keys: pd.DataFrame | None = None
    for one in paths:
        with naming(one.name, canonical.name):
            texts = read_sheets(one, options, sheet=sheet, heading_line=heading_line)
            dated = _of_its_calendar(options, one)
            for text in texts:
                part, found = read_text_table(
                    text, dated, earlier=None if replace else keys
                )
                keys = found if keys is None else pd.concat([keys, found])
                parts.append(part)
                if replace and dated.converter.drop:
                    whole, _ = read_text_table(text, without_rules(dated))
                    left_out.append(left_out_by_rule(part, whole))
                names.append(text.name)
    apart = zeros_apart(parts, names, canonical)
    parts, told = settled_files(
        parts, names, canonical, paths, replace=replace, left_out=left_out
    )
    result = joined_results(parts, canonical, [*told, *apart])
    if rejects_path is not None:
        write_rejects(result.rejects, rejects_path)
    return result


class ExcelSource:
    """
    A source of workbooks, for a chain file.

    With *path* it has one file (or several of one kind) and reads whatever table is
    asked for from it: the sheet whose headings fit best. Otherwise each canonical
    table is an option: a path, a list of paths, or a table with ``path`` and the
    options of `read_excel` for this table alone. A path counts from the chain's
    folder; it may be a folder, or hold ``*``. Other options hold for all tables.

    Args:
        context: Folder, currency and zone of the chain.
        path: The file or files, if they hold but one table each.
        rejects_folder: Where to write ``<table>-rejects.csv`` after each read.
        **options: Tables, and options of `read_excel`.

    Raises:
        ConfigurationError: An option has no such name, or no file is given.

    >>> context = SourceContext(folder=Path(), currency=Currency("CNY"),
    ...                         zone=ZoneInfo("Asia/Shanghai"))
    >>> ExcelSource(context, stores={"path": "*.xlsx", "sheet": "门店"}).tables
    ('stores',)
    """

    def __init__(
        self,
        context: SourceContext,
        *,
        path: Paths | None = None,
        rejects_folder: str | Path | None = None,
        **options: Any,
    ) -> None:
        given = {**options, "path": path, "rejects_folder": rejects_folder}
        self._files = TableFiles.of(
            context,
            given,
            kind="Excel",
            known=("sheet", "heading_line", "overlap", *OPTIONS),
            endings=ENDINGS,
        )

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that have files of their own."""
        return tuple(self._files.tables)

    def read(self, table: str) -> SourceResult:
        """
        Read one canonical table.

        Raises:
            UnknownTableError: The source has no file for it, or there is no such
                table.
            ConfigurationError: An option cannot be used; see `read_excel`.
            MissingColumnsError: A required column is in no heading.
            SourceError: A file cannot be opened or read at all.
        """
        paths, options = self._files.files(table)
        return read_excel(
            paths,
            table,
            currency=self._files.context.currency,
            zone=self._files.context.zone,
            rejects_path=self._files.rejects_path(table),
            **options,
        )


def read_sheets(
    path: Path,
    options: ReadingOptions,
    *,
    sheet: SheetNames | None = None,
    heading_line: int | None = None,
) -> list[TextTable]:
    """
    Read the sheets of a workbook that hold a table, as text.

    Args:
        path: The workbook.
        options: What becomes of their columns.
        sheet: See `read_excel`.
        heading_line: See `read_excel`.

    Raises:
        ConfigurationError: No sheet has that name, or several fit.
        SourceError: The file cannot be opened, or is above a limit.
    """
    if heading_line is not None and heading_line < 1:
        raise ConfigurationError("'heading_line' counts from 1")
    table = options.converter.table
    book = open_workbook(path, options.limits)
    meanings = HeadingMeanings.of(options)

    def head(name: str) -> SheetHead:
        return sheet_head(
            book.sheet(name), meanings.known, line=heading_line, named=meanings.named
        )

    log = FindingLog(table.name, path.name, options.limits.examples)
    # One after the other: of a workbook of many sheets one at a time is in memory.
    heads: Iterable[SheetHead] = (
        [_best(book, head, log, table.name)]
        if sheet is None
        else map(head, _named(book, sheet))
    )
    texts = []
    for number, each in enumerate(heads):
        name = f"{path.name}[{each.sheet.name}]"
        own = FindingLog(table.name, name, options.limits.examples)
        own.findings += log.findings if number == 0 else []
        texts.append(
            sheet_table(
                each,
                own,
                name=name,
                words=meanings.words,
                needed=meanings.needed,
                shown=meanings.shown,
            )
        )
    return texts


def _of_its_calendar(options: ReadingOptions, path: Path) -> ReadingOptions:
    """Read day numbers by the calendar of the workbook, where they are asked for."""
    formats = options.converter.date_formats
    if "excel" not in formats.values() or not counts_from_1904(path, options.limits):
        return options
    own = {n: "excel-1904" if f == "excel" else f for n, f in formats.items()}
    converter = attrs.evolve(options.converter, date_formats=own)
    return attrs.evolve(options, converter=converter)


def _best(
    book: Workbook, head: Callable[[str], SheetHead], log: FindingLog, table: str
) -> SheetHead:
    """Choose the sheet whose headings fit best; several that fit equally are asked."""
    shown = [name for name in book.names if name not in book.hidden] or list(book.names)
    if book.hidden and shown != list(book.names):
        log.add(
            "sheet-hidden",
            f"sheets that are hidden and not read: {bounded(book.hidden)}; name one "
            "with 'sheet' if it is meant",
            f"以下工作表被隐藏，未读取：{bounded(book.hidden)}；"
            "如需读取，请用 sheet 指定",
            count=len(book.hidden),
        )
    heads: list[SheetHead] = []
    scores: list[int] = []
    for name in shown:
        found = head(name)
        if found.headings is None:
            continue
        heads.append(found)
        scores.append(found.headings.known)
        for each in heads:
            if each is not heads[scores.index(max(scores))]:
                each.sheet.close()
    if not heads:
        raise SourceError(f"{book.path.name} has no sheet with text")
    first = heads[scores.index(max(scores))]
    equal = [
        each.sheet.name
        for each, score in zip(heads, scores, strict=True)
        if score == max(scores)
    ]
    if len(equal) > 1:
        raise ConfigurationError(
            f"{len(equal)} sheets of {book.path.name} fit {table} equally: "
            f"{bounded(equal)}; name one with sheet=..., several with a list, or all "
            'that are shown with sheet="*"'
        )
    if len(heads) > 1:
        others = bounded(each.sheet.name for each in heads if each is not first)
        log.add(
            "sheet-chosen",
            f"read is the sheet {first.sheet.name!r}, whose headings fit best; "
            f"not read: {others}",
            f"读取标题最相符的工作表“{first.sheet.name}”；未读取：{others}",
            count=len(heads) - 1,
        )
    return first


def _named(book: Workbook, sheet: SheetNames) -> list[str]:
    if sheet == "*":
        return [name for name in book.names if name not in book.hidden]
    names = []
    for each in [sheet] if isinstance(sheet, str | int) else sheet:
        if isinstance(each, str):
            names.append(each)
        elif isinstance(each, bool) or not 1 <= each <= len(book.names):
            raise ConfigurationError(
                f"{book.path.name} has sheets 1 to {len(book.names)}, not {each!r}"
            )
        else:
            names.append(book.names[each - 1])
    if len(set(names)) < len(names) or not names:
        raise ConfigurationError("'sheet' names one sheet twice, or none")
    return names
