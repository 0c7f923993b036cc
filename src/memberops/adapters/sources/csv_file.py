"""One CSV file: its headings, its rows, and the text of those that were refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.conversion import Converter
from memberops.adapters.sources.csv_rows import RowReader
from memberops.adapters.sources.encoding import TextFile, open_text, visible
from memberops.adapters.sources.finding_log import FindingLog, Reason
from memberops.adapters.sources.headings import (
    HeadingMap,
    check_names,
    map_headings,
    nearest_heading,
    shown_heading,
)
from memberops.adapters.sources.joined_text import joined_text
from memberops.adapters.sources.limits import ReadingLimits
from memberops.adapters.sources.rejects import rejects_frame
from memberops.domain import Severity
from memberops.errors import bounded
from memberops.tables import normal_heading

__all__ = ["CsvReading"]


class _Codes(dict[str, int]):
    """Numbers each different text in the order of its first coming."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code


@attrs.frozen(kw_only=True)
class CsvReading:
    """
    How one file is read.

    Args:
        converter: Makes values of the text.
        encoding: Codec of the file; found if None.
        delimiter: What parts the cells; found if None.
        columns: Headings that the caller chose, by canonical column.
        joins: Headings of day and time, by canonical column of moments.
        limits: Bounds of reading.
    """

    converter: Converter
    encoding: str | None
    delimiter: str | None
    columns: Mapping[str, str]
    joins: Mapping[str, tuple[str, ...]]
    limits: ReadingLimits

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
        table = self.converter.table
        file = open_text(path, self.encoding, limits=self.limits)
        log = FindingLog(table.name, path.name, self.limits.examples)
        how = ("given", "已指定") if file.given else ("found", "自动识别")
        log.add(
            "encoding",
            f"read as {file.label} ({how[0]})",
            f"按 {file.label} 编码读取（{how[1]}）",
        )
        known = {
            *table.by_heading(),
            *(normal_heading(heading) for heading in self.columns.values()),
            *(normal_heading(heading) for heading in self._joined),
        }
        reader = RowReader(
            file,
            delimiter=self.delimiter,
            known=lambda heading: normal_heading(heading) in known,
        )
        if reader.headings is None:
            log.add("file-empty", "the file is empty", "文件为空",
                    severity=Severity.WARNING)  # fmt: skip
        place = self._place(reader, log)
        texts, first, last = _texts(reader, place)
        rows_read = len(first) + len(reader.bad)
        _tell_about_rows(reader, rows_read, log)
        columns, blocked = _columns(place, texts, reader.headings or [], log)
        for name, parts in self.joins.items():
            day, time = (texts[place.extra[heading]] for heading in parts)
            missing = self.converter.missing
            columns[name] = joined_text(day, time, missing=missing)
        done = self.converter.convert(
            columns,
            first,
            log,
            extra={name: texts[at] for name, at in place.extra.items()},
            blocked=blocked,
            earlier=earlier,
            file=path.name,
        )
        raws = _raw_rows(file, first[done.rejected], last[done.rejected])
        rejects: list[tuple[Any, ...]] = [
            (bad.line, None, bad.rule, bad.text_en, bad.text_zh, bad.raw)
            for bad in reader.bad
        ]
        rejects += [
            (int(line), why.column, why.rule, why.text_en, why.text_zh, raw)
            for line, why, raw in zip(
                first[done.rejected], done.reasons, raws, strict=True
            )
        ]
        rejects.sort(key=lambda reject: reject[0])
        result = SourceResult(
            table=table.name,
            frame=done.frame,
            rejects=rejects_frame([(path.name, *row) for row in rejects]),
            findings=log.findings,
            rows_read=rows_read,
        )
        return result, done.keys

    @property
    def _joined(self) -> tuple[str, ...]:
        return tuple(heading for parts in self.joins.values() for heading in parts)

    def _place(self, reader: RowReader, log: FindingLog) -> HeadingMap:
        table = self.converter.table
        constants = self.converter.constants
        if reader.headings is None:
            check_names("columns", self.columns, table)
            check_names("constants", constants, table)
            names: dict[str, tuple[int, ...]] = {
                name: (0,)
                for name in table.names
                if name not in constants and name not in self.joins
            }
            extra = {r.column: 0 for r in self.converter.drop}
            extra |= dict.fromkeys(self._joined, 0)
            return HeadingMap(places=names, extra=extra, ignored=(), repeated=())
        place = map_headings(
            reader.headings,
            table,
            columns=self.columns,
            constants=(*constants, *self.joins),
            extra=({r.column for r in self.converter.drop} - set(table.names))
            | set(self._joined),
        )
        if place.repeated:
            names_shown = bounded(place.repeated)
            log.add(
                "heading-repeated",
                f"the heading line has {names_shown} more than once",
                f"标题行中 {names_shown} 重复出现",
                severity=Severity.WARNING,
                row=reader.heading_line,
                count=len(place.repeated),
            )
        self._tell_about_likely(reader, place, log)
        if place.ignored:
            names_shown = bounded(place.ignored, limit=12)
            log.add(
                "heading-ignored",
                f"these columns mean nothing here and are not read: {names_shown}",
                f"以下列不在表中，未读取：{names_shown}",
                row=reader.heading_line,
                count=len(place.ignored),
            )
        return place

    def _tell_about_likely(
        self, reader: RowReader, place: HeadingMap, log: FindingLog
    ) -> None:
        """Warn if a heading that is not read looks like one of an empty column."""
        table = self.converter.table
        had = {*place.places, *self.converter.constants, *self.joins}
        for column in table.columns:
            if column.name in had or column.derived_from:
                continue
            if like := nearest_heading(column, place.ignored):
                log.add(
                    "heading-likely",
                    f"no column is read as {column.heading_en} ({column.name}), which "
                    f"stays empty; if {like!r} means it, say "
                    f"columns={{{column.name!r}: {like!r}}}",
                    f"没有读到“{column.heading_zh}”（{column.name}），该列留空；如果"
                    f"“{like}”就是该列，请写明 columns={{{column.name!r}: {like!r}}}",
                    severity=Severity.WARNING,
                    row=reader.heading_line,
                    column=column.name,
                )


def _texts(
    reader: RowReader, place: HeadingMap
) -> tuple[dict[int, TextColumn], Any, Any]:
    wanted = {at for places in place.places.values() for at in places}
    wanted.update(place.extra.values())
    numbers = {at: _Codes() for at in wanted}
    chunks: dict[int, list[Any]] = {at: [] for at in wanted}
    first, last = [], []
    for batch in reader.batches() if reader.headings else ():
        cells = list(zip(*batch.rows, strict=True))
        for at, codes in numbers.items():
            chunks[at].append(np.fromiter(map(codes.__getitem__, cells[at]), np.int64))
        first.append(np.array(batch.first, dtype=np.int64))
        last.append(np.array(batch.last, dtype=np.int64))
    nothing = np.zeros(0, dtype=np.int64)
    texts = {
        at: TextColumn(np.concatenate([nothing, *chunks[at]]), list(codes))
        for at, codes in numbers.items()
    }
    return texts, np.concatenate([nothing, *first]), np.concatenate([nothing, *last])


def _columns(
    place: HeadingMap,
    texts: Mapping[int, TextColumn],
    headings: Sequence[str],
    log: FindingLog,
) -> tuple[dict[str, TextColumn], dict[str, Reason]]:
    """Choose the column of the file for each canonical one, if there is but one."""
    columns: dict[str, TextColumn] = {}
    blocked: dict[str, Reason] = {}
    for name, places in place.places.items():
        columns[name] = texts[places[0]]
        shown = bounded(shown_heading(headings[at]) for at in places if headings)
        if len(places) == 1:
            continue
        if all(_same(texts[places[0]], texts[at]) for at in places[1:]):
            log.add(
                "heading-twin",
                f"the columns {shown} are equal; the first is read",
                f"{shown} 各列内容相同，读取第一列",
                column=name,
            )
            continue
        del columns[name]
        blocked[name] = Reason(
            "heading-conflict",
            name,
            f"the columns {shown} all mean {name} and differ; say which one to read "
            f"with columns={{{name!r}: heading}} (heading#2 is the second such one)",
            f"{shown} 各列都可作为 {name}，但内容不同；请用 "
            f"columns={{{name!r}: 标题}} 指定（标题#2 表示第二个同名列）",
        )
        log.add(
            "heading-conflict",
            blocked[name].text_en,
            blocked[name].text_zh,
            severity=Severity.ERROR,
            column=name,
            count=len(texts[places[0]].codes),
        )
    return columns, blocked


def _same(left: TextColumn, right: TextColumn) -> bool:
    pairs = np.unique(np.stack([left.codes, right.codes]), axis=1)
    return all(
        left.texts[a].strip() == right.texts[b].strip() for a, b in pairs.T.tolist()
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
    which = [
        reasons.setdefault(Reason(b.rule, None, b.text_en, b.text_zh), len(reasons))
        for b in reader.bad
    ]
    log.add_rows(
        list(reasons),
        np.array(which, dtype=np.int64),
        np.array([bad.line for bad in reader.bad], dtype=np.int64),
        Severity.ERROR,
    )


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
        yield visible("".join(row).rstrip("\r\n"))
