"""Rows of text from wherever: a sheet, a query, a web answer, read as a file is."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.adapters.sources.amount_units import settle_units
from memberops.adapters.sources.canonical_rows import TextsFor
from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.finding_log import FindingLog
from memberops.adapters.sources.heading_units import HeadingUnit
from memberops.adapters.sources.placing import canonical_columns, place_headings
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.rejects import kept_raw, rejects_frame
from memberops.domain import Finding, Severity

__all__ = ["TextTable", "read_text_table"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TextTable:
    """
    A table as a source holds it, before anything is made of its text.

    Args:
        name: Of the file, sheet or resource, as findings name it.
        headings: One for each column.
        columns: The text, one column for each heading.
        lines: Where each row stands in the source, counted from 1.
        heading_line: Where the headings stand; None if they are names of fields.
        notes: Findings of whoever made the table.
        unit: A unit of amounts that stands above the headings.
        also: Places of columns by other names that an option may use.
    """

    name: str
    headings: tuple[str, ...]
    columns: tuple[TextColumn, ...]
    lines: npt.NDArray[Any]
    heading_line: int | None = None
    notes: tuple[Finding, ...] = ()
    unit: HeadingUnit | None = None
    also: Mapping[str, int] = attrs.field(factory=dict)

    @classmethod
    def of_rows(
        cls,
        name: str,
        headings: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        first_line: int = 1,
    ) -> TextTable:
        """Make a table of rows of text that follow one another."""
        columns = []
        for at in range(len(headings)):
            codes, texts = pd.factorize(
                np.array([row[at] for row in rows] or [], dtype=object)
            )
            columns.append(TextColumn(codes.astype(np.int64), list(texts)))
        return cls(
            name=name,
            headings=tuple(headings),
            columns=tuple(columns),
            lines=np.arange(first_line, first_line + len(rows)),
        )

    def raw(self, row: int) -> str:
        """Write a row as comma-separated text."""
        out = io.StringIO()
        cells = [column.texts[column.codes[row]] for column in self.columns]
        csv.writer(out, lineterminator="").writerow(cells)
        return kept_raw(out.getvalue())


def read_text_table(
    text: TextTable,
    options: ReadingOptions,
    *,
    earlier: pd.DataFrame | None = None,
    texts_for: TextsFor = "anything",
) -> tuple[SourceResult, pd.DataFrame]:
    """
    Read one canonical table of rows of text, with the rules and findings of files.

    Args:
        text: The rows.
        options: What becomes of their columns.
        earlier: Keys of the rows that were read before these.
        texts_for: What the text is needed for afterwards; at least for rejects.

    Returns:
        The result, and the keys of its accepted rows.

    Raises:
        ConfigurationError: An option names what the source does not have.
        MissingColumnsError: A required column is in no heading.

    >>> from zoneinfo import ZoneInfo
    >>> from memberops.domain import Currency
    >>> stores = ReadingOptions.of("stores", currency=Currency("CNY"),
    ...                            zone=ZoneInfo("Asia/Shanghai"))
    >>> rows = TextTable.of_rows("Sheet1", ["门店编号", "店名"],
    ...                          [["S01", "一店"], ["", "二店"]], first_line=2)
    >>> result, _ = read_text_table(rows, stores)
    >>> result.accepted, result.rejects[["line", "raw"]].values.tolist()
    (1, [[3, ',二店']])
    """
    table = options.converter.table
    log = FindingLog(table.name, text.name, options.limits.examples)
    place = place_headings(
        text.headings, options, log, line=text.heading_line, also=text.also
    )
    if not len(text.lines):
        log.add(
            "no-rows",
            "there are headings and no rows",
            "只有标题，没有数据",
            severity=Severity.WARNING,
        )
    options, foreign = settle_units(
        place, text.headings, options, log, line=text.heading_line, above=text.unit
    )
    columns, blocked, extra = canonical_columns(
        place,
        text.columns.__getitem__,
        options,
        log,
        headings=text.headings,
        blocked=foreign,
    )
    done = options.converter.convert(
        columns,
        text.lines,
        log,
        extra=extra,
        blocked=blocked,
        earlier=earlier,
        file=text.name,
        texts_for=texts_for,
    )
    most = options.limits.rejects
    unlisted = log.add_unlisted(len(done.rejected), most)
    rejects = rejects_frame(
        [
            (text.name, int(text.lines[at]), why.column, why.rule, why.text_en,
             why.text_zh, text.raw(int(at)))
            for at, why in zip(
                done.rejected[:most], done.reasons[:most], strict=True
            )
        ]
    )  # fmt: skip
    result = SourceResult(
        table=table.name,
        frame=done.frame,
        rejects=rejects,
        findings=(*text.notes, *log.findings),
        rows_read=len(text.lines),
        origins=((text.name, _without(text.lines, done.rejected)),),
        unlisted=unlisted,
    )
    return result, done.keys


def _without(lines: npt.NDArray[Any], rejected: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.delete(lines, rejected) if len(rejected) else lines
