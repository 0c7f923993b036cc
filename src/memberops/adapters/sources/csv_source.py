"""Canonical tables from CSV files, as tills and spreadsheets write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pandas as pd

from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.contract import (
    REJECT_COLUMNS,
    SourceContext,
    SourceResult,
)
from memberops.adapters.sources.conversion import MISSING_WORDS, Converter
from memberops.adapters.sources.csv_rows import RowReader
from memberops.adapters.sources.date_values import check_date_format
from memberops.adapters.sources.drop_rules import DropRule, drop_rules
from memberops.adapters.sources.encoding import TextFile, open_text, visible
from memberops.adapters.sources.finding_log import FindingLog, Reason
from memberops.adapters.sources.headings import (
    HeadingMap,
    check_names,
    map_headings,
    shown_heading,
)
from memberops.adapters.sources.limits import ReadingLimits
from memberops.adapters.sources.rejects import write_rejects
from memberops.domain import Currency, Severity
from memberops.errors import (
    ConfigurationError,
    SourceError,
    UnknownTableError,
    bounded,
    nearest,
)
from memberops.tables import TABLES, Kind, Table, normal_heading
from memberops.tables import table as table_named

__all__ = ["CsvSource", "read_csv"]


def read_csv(
    path: str | Path | Sequence[str | Path],
    table: str | Table,
    *,
    currency: Currency,
    zone: ZoneInfo,
    encoding: str | None = None,
    delimiter: str | None = None,
    columns: Mapping[str, str] | None = None,
    date_format: str | Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
    drop: Iterable[DropRule | Mapping[str, Any]] = (),
    missing: Iterable[str] = MISSING_WORDS,
    limits: ReadingLimits | Mapping[str, Any] | None = None,
    rejects_path: str | Path | None = None,
) -> SourceResult:
    """
    Read one canonical table from one CSV file or several.

    Nothing is guessed and no row is lost: a row is in the frame, or among the
    rejects with its file, line, reason and raw text.

    Args:
        path: The file, plain or gzip; or several, read in the order given.
        table: The canonical table, or its name.
        currency: Currency of the amounts.
        zone: Zone in which local times are read and days begin.
        encoding: Codec of the file; found if None (see `encoding`).
        delimiter: One character; found among ``, ; tab |`` if None.
        columns: The file's heading for a canonical column, where it is not a usual
            one; ``"金额#2"`` is the second column with that heading.
        date_format: ``"day-first"``, ``"month-first"``, ``"excel"`` or a pattern
            such as ``"%d/%m/%y"``, for all date columns or by column. Only needed
            for dates that do not begin with the year and prove no order.
        constants: Values, as text, of columns that the file lacks.
        drop: Rows to leave out knowingly (`DropRule`, or its fields).
        missing: Words that mean "no value", besides the empty cell.
        limits: Bounds of reading.
        rejects_path: Where to write the rejects as a file.

    Raises:
        ConfigurationError: An option names what does not exist.
        MissingColumnsError: A required column is in no heading; with the nearest.
        SourceError: A file cannot be opened, is no text, or has no headings.
        UnknownTableError: No canonical table has that name.

    >>> _ = Path("sales.csv").write_text(
    ...     "小票号,销售日期,门店,数量,金额\\n"
    ...     'T1,2026年11月5日,S01,2,"￥1,299.00"\\n'
    ...     "T2,2026/11/5,S01,两,8.00\\n", encoding="utf-8")
    >>> sales = read_csv("sales.csv", "sales", currency=Currency("CNY"),
    ...                  zone=ZoneInfo("Asia/Shanghai"))
    >>> sales.accepted, sales.frame["amount"].tolist()
    (1, [129900])
    >>> print(sales.findings[-1].describe("en"))
    error sales.csv sales row 3 quantity: '两': it is no number; the row is rejected...
    """
    canonical = table_named(table) if isinstance(table, str) else table
    reading = _Reading(
        converter=Converter(
            table=canonical,
            currency=currency,
            zone=zone,
            date_formats=_date_formats(date_format, canonical),
            constants=dict(constants or {}),
            drop=drop_rules(drop),
            missing=tuple(missing),
        ),
        encoding=encoding,
        delimiter=delimiter,
        columns=dict(columns or {}),
        limits=ReadingLimits.of(limits),
    )
    paths = [path] if isinstance(path, str | Path) else list(path)
    parts: list[SourceResult] = []
    keys = None
    for one in paths:
        part, found = reading.read(Path(one), keys)
        keys = found if keys is None else pd.concat([keys, found])
        parts.append(part)
    result = _joined(parts, canonical)
    if rejects_path is not None:
        write_rejects(result.rejects, rejects_path)
    return result


class CsvSource:
    """
    A source of CSV files, for a chain file.

    Each canonical table is an option: a path, a list of paths, or a table with
    ``path`` and the options of `read_csv` for this table alone. A path counts from
    the chain's folder and may hold ``*``. Other options hold for all tables.

    Args:
        context: Folder, currency and zone of the chain.
        rejects_folder: Where to write ``<table>-rejects.csv`` after each read.
        **options: Tables, and options of `read_csv`.

    Raises:
        ConfigurationError: An option has no such name, or no table is given.

    >>> _ = Path("stores.csv").write_text("门店编号,店名\\nS01,一店\\n", "utf-8")
    >>> context = SourceContext(folder=Path(), currency=Currency("CNY"),
    ...                         zone=ZoneInfo("Asia/Shanghai"))
    >>> CsvSource(context, stores="stores.csv").read("stores").accepted
    1
    """

    def __init__(
        self,
        context: SourceContext,
        *,
        rejects_folder: str | Path | None = None,
        **options: Any,
    ) -> None:
        self._context = context
        self._rejects = rejects_folder
        names = [table.name for table in TABLES]
        shared = {name: options[name] for name in options if name not in names}
        _check_options(shared, (*_OPTIONS, "rejects_folder", *names))
        self._tables: dict[str, dict[str, Any]] = {}
        for name in names:
            if name not in options:
                continue
            given = options[name]
            own = dict(given) if isinstance(given, Mapping) else {"path": given}
            _check_options(own, ("path", *_OPTIONS))
            if not own.get("path"):
                raise ConfigurationError(f"the CSV files of {name!r} need a 'path'")
            self._tables[name] = {**shared, **own}
        if not self._tables:
            raise ConfigurationError(
                f"a CSV source needs a file for a table, such as sales='sales.csv'; "
                f"tables are {bounded(names)}"
            )

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that it has files for."""
        return tuple(self._tables)

    def read(self, table: str) -> SourceResult:
        """
        Read one canonical table.

        Raises:
            UnknownTableError: The source has no file for it, or there is no such
                table.
            ConfigurationError: An option cannot be used; see `read_csv`.
            MissingColumnsError: A required column is in no heading.
            SourceError: A file cannot be opened or read at all.
        """
        table_named(table)
        if table not in self._tables:
            raise UnknownTableError(
                f"this CSV source has no file for {table!r}; it has "
                f"{bounded(self._tables)}"
            )
        options = dict(self._tables[table])
        given = options.pop("path")
        paths = [given] if isinstance(given, str | Path) else list(given)
        target = None
        if self._rejects is not None:
            target = self._context.folder / self._rejects / f"{table}-rejects.csv"
        return read_csv(
            [found for path in paths for found in self._found(str(path))],
            table,
            currency=self._context.currency,
            zone=self._context.zone,
            rejects_path=target,
            **options,
        )

    def _found(self, path: str) -> list[Path]:
        whole = self._context.folder / path
        if not set("*?[") & set(path) or whole.exists():
            return [whole]
        found = sorted(self._context.folder.glob(path))
        if not found:
            raise SourceError(f"no file fits {path!r} in the chain's folder")
        return found


_OPTIONS = (
    "encoding", "delimiter", "columns", "date_format", "constants", "drop",
    "missing", "limits",
)  # fmt: skip


def _check_options(options: Iterable[str], known: Sequence[str]) -> None:
    for name in options:
        if name not in known:
            raise ConfigurationError(
                f"a CSV source has no option {name[:40]!r}; {nearest(name, known)}"
            )


def _date_formats(
    given: str | Mapping[str, str] | None, table: Table
) -> dict[str, str]:
    dated = [c.name for c in table.columns if c.kind in (Kind.DATE, Kind.INSTANT)]
    if given is None:
        return {}
    formats = dict.fromkeys(dated, given) if isinstance(given, str) else dict(given)
    check_names("date_format", formats, table)
    return {name: check_date_format(text) for name, text in formats.items()}


class _Codes(dict[str, int]):
    """Numbers each different text in the order of its first coming."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code


@attrs.frozen(kw_only=True)
class _Reading:
    """How one file is read."""

    converter: Converter
    encoding: str | None
    delimiter: str | None
    columns: Mapping[str, str]
    limits: ReadingLimits

    def read(
        self, path: Path, earlier: pd.DataFrame | None
    ) -> tuple[SourceResult, pd.DataFrame]:
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
            rejects=_rejects_frame([(path.name, *row) for row in rejects]),
            findings=log.findings,
            rows_read=rows_read,
        )
        return result, done.keys

    def _place(self, reader: RowReader, log: FindingLog) -> HeadingMap:
        table = self.converter.table
        constants = self.converter.constants
        if reader.headings is None:
            check_names("columns", self.columns, table)
            check_names("constants", constants, table)
            names: dict[str, tuple[int, ...]] = {
                name: (0,) for name in table.names if name not in constants
            }
            extra = {r.column: 0 for r in self.converter.drop}
            return HeadingMap(places=names, extra=extra, ignored=(), repeated=())
        place = map_headings(
            reader.headings,
            table,
            columns=self.columns,
            constants=constants,
            extra={r.column for r in self.converter.drop} - set(table.names),
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
            f"{reader.blank} rows without any text are skipped",
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


def _rejects_frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * len(REJECT_COLUMNS)
    return pd.DataFrame(
        {
            name: pd.Series(list(cells), dtype="int64" if name == "line" else "str")
            for name, cells in zip(REJECT_COLUMNS, columns, strict=True)
        }
    )


def _joined(parts: Sequence[SourceResult], table: Table) -> SourceResult:
    if not parts:
        raise SourceError(f"no file was given for {table.name}")
    if len(parts) == 1:
        return parts[0]
    return SourceResult(
        table=table.name,
        frame=pd.concat([part.frame for part in parts], ignore_index=True),
        rejects=pd.concat([part.rejects for part in parts], ignore_index=True),
        findings=[finding for part in parts for finding in part.findings],
        rows_read=sum(part.rows_read for part in parts),
    )
