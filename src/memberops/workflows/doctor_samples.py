"""The beginning of a file as text, before anything is known of it."""

from __future__ import annotations

from itertools import chain, islice
from pathlib import Path

import attrs
import numpy as np
import pandas as pd

from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.csv_paths import naming
from memberops.adapters.sources.csv_rows import RowReader, cells_of
from memberops.adapters.sources.csv_source import ENDINGS as TEXT_ENDINGS
from memberops.adapters.sources.encoding import open_text
from memberops.adapters.sources.excel_book import open_workbook
from memberops.adapters.sources.excel_sheet import sheet_head, sheet_table
from memberops.adapters.sources.excel_source import ENDINGS as BOOK_ENDINGS
from memberops.adapters.sources.finding_log import FindingLog
from memberops.adapters.sources.limits import ReadingLimits
from memberops.adapters.sources.text_table import TextTable
from memberops.domain import Finding
from memberops.errors import SourceError
from memberops.tables import TABLES, normal_heading

__all__ = ["BOOK_ENDINGS", "TITLE", "files_of", "sample_tables"]

TITLE = "title-line"
"""Rule of the note that a title stands above the headings."""

_BATCHES = 10
_TOP = 10
_LEAST = 2
_ANY = frozenset(form for table in TABLES for form in table.by_heading())


def files_of(path: Path) -> list[Path]:
    """
    Return a file, or the files of a folder that may hold tables, by name.

    Raises:
        SourceError: The folder holds none.
    """
    if not path.is_dir():
        return [path]
    endings = (*TEXT_ENDINGS, *BOOK_ENDINGS)
    found = [
        each
        for each in sorted(path.iterdir())
        if each.is_file()
        and not each.name.startswith((".", "~$"))
        and not each.name.endswith("-rejects.csv")
        and each.name.lower().endswith(endings)
    ]
    if not found:
        raise SourceError(f"the folder {path.name or '.'!r} holds no CSV or Excel file")
    return found


def sample_tables(path: Path) -> list[tuple[str, TextTable]]:
    """
    Read what a file holds, as far as a proposal needs it.

    Args:
        path: A CSV file, of which some thousand rows are read, or a workbook, of
            which the sheets that are shown are read.

    Returns:
        For a workbook the name of each sheet with text, else ``""``; and its text.

    Raises:
        SourceError: The file cannot be opened or read at all.
    """
    with naming(path.name, "doctor"):
        if path.name.lower().endswith(BOOK_ENDINGS):
            return _sheets(path)
        return [("", _text(path))]


def _known(text: str) -> bool:
    return normal_heading(text) in _ANY


def _text(path: Path) -> TextTable:
    file = open_text(path)
    reader = RowReader(file, delimiter=None, known=_known)
    if reader.headings is None:
        raise SourceError("the file is empty")
    rows = [row for batch in islice(reader.batches(), _BATCHES) for row in batch.rows]
    note = Finding(
        table="", source=path.name, rule="encoding",
        message_en=f"read as {file.label}", message_zh=f"按 {file.label} 编码读取",
    )  # fmt: skip
    table = TextTable.of_rows(path.name, reader.headings, rows)
    return TextTable(
        name=table.name,
        headings=table.headings,
        columns=table.columns,
        lines=table.lines,
        heading_line=reader.heading_line,
        notes=(note, *_title(path, reader)),
    )


def _title(path: Path, reader: RowReader) -> tuple[Finding, ...]:
    """Note that known headings stand below the first line, which has hardly any."""
    first = sum(map(_known, reader.headings or ()))
    lines = chain.from_iterable(open_text(path).batches({}))
    for at, line in enumerate(islice(lines, _TOP), 1):
        known = max(sum(map(_known, cells_of(line, mark))) for mark in ",\t;|")
        if at > reader.heading_line and known >= _LEAST and known > 2 * first:
            top = reader.heading_line
            return (
                Finding(
                    table="", source=path.name, rule=TITLE,
                    message_en=f"line {top} seems to be a title, and line {at} has "
                    "the headings: take out what stands above them",
                    message_zh=f"第 {top} 行像是表名，标题在第 {at} 行："
                    "请删去标题行以上的内容",
                ),
            )  # fmt: skip
    return ()


def _sheets(path: Path) -> list[tuple[str, TextTable]]:
    book = open_workbook(path, ReadingLimits())
    found = []
    for name in book.names:
        if name in book.hidden:
            continue
        head = sheet_head(book.sheet(name), _known)
        if head.headings is None:
            continue
        log = FindingLog("", f"{path.name}[{name}]", 1)
        text = sheet_table(
            head,
            log,
            name=f"{path.name}[{name}]",
            words=lambda _heading: False,
            needed=lambda _heading: False,
        )
        columns = tuple(map(_as_of_rows, text.columns))
        text = attrs.evolve(text, columns=columns)
        found.append((name if len(book.names) > 1 else "", text))
    if not found:
        raise SourceError("no sheet that is shown has text")
    return found


def _as_of_rows(column: TextColumn) -> TextColumn:
    """
    Keep the texts that rows have, each once and as they come, as those of a file are.

    A column of a sheet has an empty one in any case, those of totals that were left
    out, and 1 twice where it is a number in one cell and a text in another.
    """
    same, different = pd.factorize(np.array(column.texts, dtype=object))
    codes, used = pd.factorize(same[column.codes])
    return TextColumn(codes, [different[at] for at in used.tolist()])
