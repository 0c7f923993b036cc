"""One CSV file: its headings, its rows, and the text of those that were refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.adapters.sources.amount_units import settle_units
from memberops.adapters.sources.arrow_texts import release_unused
from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.csv_rows import BadRow, RowReader
from memberops.adapters.sources.encoding import TextFile, open_text, visible
from memberops.adapters.sources.finding_log import FindingLog, Reason
from memberops.adapters.sources.headings import HeadingMap
from memberops.adapters.sources.placing import canonical_columns, place_headings
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.rejects import kept_raw, rejects_frame
from memberops.adapters.sources.text_gathering import TextGatherer
from memberops.adapters.sources.totals import closing_rows, tell_notes, tell_totals
from memberops.domain import Severity
from memberops.tables import Table, normal_heading

__all__ = ["CsvReading"]

_END = 20


@attrs.frozen(kw_only=True)
class CsvReading:
    """
    How one file is read.

    Args:
        options: What becomes of its columns.
        encoding: Codec of the file; found if None.
        delimiter: What parts the cells; found if None.
    """

    options: ReadingOptions
    encoding: str | None
    delimiter: str | None

    def read(
        self, path: Path, earlier: pd.DataFrame | None
    ) -> tuple[SourceResult, pd.DataFrame]:
        """
        Read one file.

        Args:
            path: The file.
            earlier: Keys of the rows of the files before this one.

        Returns:
            The result, and the keys of its accepted rows.
        """
        table = self.options.converter.table
        file = open_text(path, self.encoding, limits=self.options.limits)
        log = FindingLog(table.name, path.name, self.options.limits.examples)
        how = ("given", "已指定") if file.given else ("found", "自动识别")
        log.add(
            "encoding",
            f"read as {file.label} ({how[0]})",
            f"按 {file.label} 编码读取（{how[1]}）",
        )
        known = {
            *table.by_heading(),
            *(normal_heading(heading) for heading in self.options.columns.values()),
            *(normal_heading(heading) for heading in self.options.headings_joined),
        }
        reader = RowReader(
            file,
            delimiter=self.delimiter,
            known=lambda heading: normal_heading(heading) in known,
        )
        if reader.headings is None:
            log.add("file-empty", "the file is empty", "文件为空",
                    severity=Severity.WARNING)  # fmt: skip
        place = place_headings(
            reader.headings, self.options, log, line=reader.heading_line
        )
        texts, first, last = _texts(reader, place, table, log)
        damaged = len(reader.bad) + reader.more_bad.total()
        rows_read = len(first) + damaged
        _tell_about_rows(reader, rows_read, log)
        headings = reader.headings or ()
        options, foreign = settle_units(
            place, headings, self.options, log, line=reader.heading_line
        )
        columns, blocked, extra = canonical_columns(
            place, texts.__getitem__, options, log, headings=headings, blocked=foreign
        )
        done = options.converter.convert(
            columns,
            first,
            log,
            extra=extra,
            blocked=blocked,
            earlier=earlier,
            file=path.name,
            texts_for="nothing",
        )
        most = options.limits.rejects
        unlisted = log.add_unlisted(damaged + len(done.rejected), most)
        listed = done.rejected[:most]
        raws = _raw_rows(file, first[listed], last[listed])
        rejects: list[tuple[Any, ...]] = [
            (bad.line, None, bad.rule, bad.text_en, bad.text_zh, bad.raw)
            for bad in reader.bad
        ]
        rejects += [
            (int(line), why.column, why.rule, why.text_en, why.text_zh, raw)
            for line, why, raw in zip(
                first[listed], done.reasons[:most], raws, strict=True
            )
        ]
        rejects.sort(key=lambda reject: reject[0])
        result = SourceResult(
            table=table.name,
            frame=done.frame,
            rejects=rejects_frame([(path.name, *row) for row in rejects[:most]]),
            findings=log.findings,
            rows_read=rows_read,
            origins=((path.name, np.delete(first, done.rejected)),),
            unlisted=unlisted,
        )
        return result, done.keys


def _texts(
    reader: RowReader, place: HeadingMap, table: Table, log: FindingLog
) -> tuple[dict[int, TextColumn], Any, Any]:
    """Gather the columns that mean something, without the totals at the end."""
    wanted = {at for places in place.places.values() for at in places}
    wanted.update(place.extra.values())
    gatherers = {at: TextGatherer() for at in wanted}
    first, last, width = [], [], len(reader.headings or ())
    end: list[str] = []
    for batch in reader.batches() if reader.headings else ():
        for at, gatherer in gatherers.items():
            gatherer.add(batch.column(at))
        first.append(np.array(batch.first, dtype=np.int64))
        last.append(np.array(batch.last, dtype=np.int64))
        end = [*end, *batch.cells[-_END * width :]][-_END * width :]
    nothing = np.zeros(0, dtype=np.int64)
    begins, ends = np.concatenate([nothing, *first]), np.concatenate([nothing, *last])
    needed = [place.places[n][0] for n in table.required if n in place.places]
    closing = _closing(end, width, needed)
    kept = len(begins) - len(closing)
    dropped = begins[kept:].tolist()[::-1]
    pairs = list(zip(dropped, closing, strict=True))
    tell_totals([line for line, note in pairs if not note], log)
    below = reader.lone_cells_below(int(ends[-1])) if closing else []
    tell_notes([*(line for line, note in pairs if note), *below], log)
    texts = {}
    for at, gatherer in gatherers.items():
        column = gatherer.column()
        texts[at] = TextColumn(column.codes[:kept], column.texts)
    release_unused()
    return texts, begins[:kept], ends[:kept]


def _closing(cells: list[str], width: int, needed: Sequence[int]) -> list[bool]:
    """Find the totals and notes among the last rows of a file, from the end upward."""
    starts = range(len(cells) - width, -1, -width) if width else range(0)
    rows = (cells[start : start + width] for start in starts)
    return closing_rows(
        (row, any(not row[at].strip() for at in needed)) for row in rows
    )


def _tell_about_rows(reader: RowReader, rows_read: int, log: FindingLog) -> None:
    if reader.headings is not None and rows_read == 0:
        log.add(
            "no-rows",
            "the file has headings and no rows",
            "文件只有标题行，没有数据",
            severity=Severity.WARNING,
        )
    if reader.blank:
        log.add(
            "blank-rows",
            f"rows without any text, skipped: {reader.blank}",
            f"跳过 {reader.blank} 个空行",
            count=reader.blank,
        )
    reasons: dict[Reason, int] = {}
    which = [reasons.setdefault(_reason(bad), len(reasons)) for bad in reader.bad]
    log.add_rows(
        list(reasons),
        np.array(which, dtype=np.int64),
        np.array([bad.line for bad in reader.bad], dtype=np.int64),
        Severity.ERROR,
        more={_reason(bad): count for bad, count in reader.more_bad.items()},
    )


def _reason(bad: BadRow) -> Reason:
    return Reason(bad.rule, None, bad.text_en, bad.text_zh)


def _raw_rows(file: TextFile, first: Any, last: Any) -> Iterator[str]:
    """Read the file again for the raw text of some rows, given in their order."""
    before, lines = 0, list[str]()
    batches = file.batches({})
    for start, end in zip(first.tolist(), last.tolist(), strict=True):
        while before + len(lines) < end:
            # Of the lines so far only those of this row are still needed.
            kept = lines[max(start - 1 - before, 0) :]
            before += len(lines) - len(kept)
            lines = kept + next(batches)
        row = lines[start - 1 - before : end - before]
        yield kept_raw(visible("".join(row).rstrip("\r\n")))
