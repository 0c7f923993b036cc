"""Canonical tables from CSV files, as tills and spreadsheets write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack
from zoneinfo import ZoneInfo

import pandas as pd

from memberops.adapters.sources.contract import SourceContext, SourceResult
from memberops.adapters.sources.csv_file import CsvReading
from memberops.adapters.sources.csv_paths import equal_files, naming, refuse_twice
from memberops.adapters.sources.reading_options import (
    OPTIONS,
    Mapped,
    ReadingOptions,
)
from memberops.adapters.sources.rejects import is_rejects_file, write_rejects
from memberops.domain import Currency, Finding
from memberops.errors import (
    ConfigurationError,
    SourceError,
    UnknownTableError,
    bounded,
    nearest,
)
from memberops.tables import TABLES, Table
from memberops.tables import table as table_named

__all__ = ["CsvSource", "read_csv"]

_Paths = str | Path | Sequence[str | Path]


def read_csv(
    path: _Paths,
    table: str | Table,
    *,
    currency: Currency,
    zone: ZoneInfo,
    encoding: str | None = None,
    delimiter: str | None = None,
    rejects_path: str | Path | None = None,
    **mapping: Unpack[Mapped],
) -> SourceResult:
    r"""
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
        rejects_path: Where to write the rejects as a file.
        **mapping: How its columns become those of the table: see
            `memberops.adapters.sources.reading_options.Mapped`.

    Raises:
        ConfigurationError: An option names what does not exist, or one file is
            given twice.
        MissingColumnsError: A required column is in no heading; with the nearest.
        SourceError: A file cannot be opened, is no text, or has no headings.
        UnknownTableError: No canonical table has that name.

    >>> _ = Path("sales.csv").write_text(
    ...     "小票号,销售日期,门店,数量,金额\n"
    ...     'T1,2026年11月5日,S01,2,"￥1,299.00"\n'
    ...     "T2,2026/11/5,S01,两,8.00\n", encoding="utf-8")
    >>> sales = read_csv("sales.csv", "sales", currency=Currency("CNY"),
    ...                  zone=ZoneInfo("Asia/Shanghai"))
    >>> sales.accepted, sales.frame["amount"].tolist()
    (1, [129900])
    >>> print(sales.findings[-1].describe("en"))
    error sales.csv sales row 3 quantity: a text of 1 character: it is no number; ...
    """
    canonical = table_named(table) if isinstance(table, str) else table
    given = [path] if isinstance(path, str | Path) else list(path)
    paths = [Path(each) for each in given]
    with naming(paths[0].name if paths else "", canonical.name):
        reading = CsvReading(
            options=ReadingOptions.of(
                canonical, currency=currency, zone=zone, **mapping
            ),
            encoding=encoding,
            delimiter=delimiter,
        )
        refuse_twice(paths)
    parts: list[SourceResult] = []
    keys = None
    for one in paths:
        with naming(one.name, canonical.name):
            part, found = reading.read(one, keys)
        keys = found if keys is None else pd.concat([keys, found])
        parts.append(part)
    result = _joined(parts, canonical, equal_files(paths, canonical.name))
    if rejects_path is not None:
        write_rejects(result.rejects, rejects_path)
    return result


class CsvSource:
    r"""
    A source of CSV files, for a chain file.

    With *path* it has one file (or several of one kind) and reads whatever table is
    asked for from it. Otherwise each canonical table is an option: a path, a list of
    paths, or a table with ``path`` and the options of `read_csv` for this table
    alone. A path counts from the chain's folder and may hold ``*``; rejects files
    that this library wrote do not fit a ``*``. Other options hold for all tables.

    Args:
        context: Folder, currency and zone of the chain.
        path: The file or files, if they hold but one table.
        rejects_folder: Where to write ``<table>-rejects.csv`` after each read.
        **options: Tables, and options of `read_csv`.

    Raises:
        ConfigurationError: An option has no such name, or no file is given.

    >>> _ = Path("stores.csv").write_text("门店编号,店名\nS01,一店\n", "utf-8")
    >>> context = SourceContext(folder=Path(), currency=Currency("CNY"),
    ...                         zone=ZoneInfo("Asia/Shanghai"))
    >>> CsvSource(context, path="stores.csv").read("stores").accepted
    1
    >>> CsvSource(context, stores={"path": "*.csv", "delimiter": ","}).tables
    ('stores',)
    """

    def __init__(
        self,
        context: SourceContext,
        *,
        path: _Paths | None = None,
        rejects_folder: str | Path | None = None,
        **options: Any,
    ) -> None:
        self._context = context
        self._rejects = rejects_folder
        names = [table.name for table in TABLES]
        self._shared = {name: options[name] for name in options if name not in names}
        _check_options(self._shared, (*_OPTIONS, "path", "rejects_folder", *names))
        self._path = path
        self._tables: dict[str, dict[str, Any]] = {}
        for name in names:
            if name in options:
                given = options[name]
                own = dict(given) if isinstance(given, Mapping) else {"path": given}
                _check_options(own, ("path", *_OPTIONS))
                if not own.get("path"):
                    raise ConfigurationError(f"the CSV files of {name!r} need a 'path'")
                self._tables[name] = {**self._shared, **own}
        if not self._tables and not path:
            raise ConfigurationError(
                "a CSV source needs a file: path='sales.csv', or one by table as in "
                f"sales='sales.csv'; tables are {bounded(names)}"
            )

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that have files of their own."""
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
        if table in self._tables:
            options = dict(self._tables[table])
        elif self._path:
            options = {**self._shared, "path": self._path}
        else:
            raise UnknownTableError(
                f"this CSV source has no file for {table!r}; it has "
                f"{bounded(self._tables)}"
            )
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
        found = [
            each
            for each in sorted(self._context.folder.glob(path))
            if not is_rejects_file(each)
        ]
        if not found:
            raise SourceError(f"no file fits {path!r} in the chain's folder")
        return found


_OPTIONS = ("encoding", "delimiter", *OPTIONS)


def _check_options(options: Iterable[str], known: Sequence[str]) -> None:
    for name in options:
        if name not in known:
            raise ConfigurationError(
                f"a CSV source has no option {name[:40]!r}; {nearest(name, known)}"
            )


def _joined(
    parts: Sequence[SourceResult], table: Table, more: Sequence[Finding]
) -> SourceResult:
    if not parts:
        raise SourceError(f"no file was given for {table.name}")
    if len(parts) == 1:
        return parts[0]
    return SourceResult(
        table=table.name,
        frame=pd.concat([part.frame for part in parts], ignore_index=True),
        rejects=pd.concat([part.rejects for part in parts], ignore_index=True),
        findings=[finding for part in parts for finding in part.findings] + list(more),
        rows_read=sum(part.rows_read for part in parts),
    )
