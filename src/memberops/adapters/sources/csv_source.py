"""Canonical tables from CSV files, as tills and spreadsheets write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack
from zoneinfo import ZoneInfo

import attrs
import pandas as pd

from memberops.adapters.sources.contract import SourceContext, SourceResult
from memberops.adapters.sources.csv_file import CsvReading
from memberops.adapters.sources.csv_paths import naming, refuse_twice
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
from memberops.domain import Currency
from memberops.tables import Table
from memberops.tables import table as table_named

__all__ = ["CsvSource", "read_csv"]

ENDINGS = tuple(
    f"{kind}{packed}"
    for kind in (".csv", ".tsv", ".txt")
    for packed in ("", ".gz", ".zip")
)
"""Endings of the files that are taken from a folder."""


def read_csv(
    path: Paths,
    table: str | Table,
    *,
    currency: Currency,
    zone: ZoneInfo,
    encoding: str | None = None,
    delimiter: str | None = None,
    rejects_path: str | Path | None = None,
    overlap: Overlap = "count",
    **mapping: Unpack[Mapped],
) -> SourceResult:
    r"""
    Read one canonical table from one CSV file or several.

    Nothing is guessed and no row is lost: a row is in the frame, or among the
    rejects with its file, line, reason and raw text.

    Args:
        path: The file, plain, gzip, or zip with one file in it; or several, read in
            the order given.
        table: The canonical table, or its name.
        currency: Currency of the amounts.
        zone: Zone in which local times are read and days begin.
        encoding: Codec of the file; found if None (see `encoding`).
        delimiter: One character; found among ``, ; tab |`` if None.
        rejects_path: Where to write the rejects as a file.
        overlap: What becomes of records that several files give, in their order:
            ``"count"`` takes all, with a warning, and of a table with a key the first;
            ``"replace"`` takes the last, with the counts of what it replaced (see
            `replaced_rows`).
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
    paths = listed(path)
    with naming(paths[0].name if paths else "", canonical.name):
        reading = CsvReading(
            options=ReadingOptions.of(
                canonical, currency=currency, zone=zone, **mapping
            ),
            encoding=encoding,
            delimiter=delimiter,
        )
        refuse_twice(paths)
        replace = check_overlap(overlap)
    parts: list[SourceResult] = []
    left_out: list[pd.DataFrame] = []
    keys = None
    for one in paths:
        with naming(one.name, canonical.name):
            part, found = reading.read(one, None if replace else keys)
            if replace and reading.options.converter.drop:
                bare = attrs.evolve(reading, options=without_rules(reading.options))
                whole, _ = bare.read(one, None)
                left_out.append(left_out_by_rule(part, whole))
        keys = found if keys is None else pd.concat([keys, found])
        parts.append(part)
    parts, told = settled_files(
        parts,
        [one.name for one in paths],
        canonical,
        paths,
        replace=replace,
        left_out=left_out,
    )
    result = joined_results(parts, canonical, told)
    if rejects_path is not None:
        write_rejects(result.rejects, rejects_path)
    return result


class CsvSource:
    r"""
    A source of CSV files, for a chain file.

    With *path* it has one file (or several of one kind) and reads whatever table is
    asked for from it. Otherwise each canonical table is an option: a path, a list of
    paths, or a table with ``path`` and the options of `read_csv` for this table
    alone. A path counts from the chain's folder; it may be a folder, or hold ``*``,
    and then means files of that folder only (see `csv_paths.found_files`). Rejects
    files that this library wrote are not among them. Other options hold for all
    tables.

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
        path: Paths | None = None,
        rejects_folder: str | Path | None = None,
        **options: Any,
    ) -> None:
        given = {**options, "path": path, "rejects_folder": rejects_folder}
        self._files = TableFiles.of(
            context,
            given,
            kind="CSV",
            known=("encoding", "delimiter", "overlap", *OPTIONS),
            endings=ENDINGS,
        )

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that have files of their own."""
        return tuple(self._files.tables)

    def files(self, table: str) -> tuple[list[Path], dict[str, Any]]:
        """
        Find the files of a table, and the options by which they are read.

        Raises:
            UnknownTableError: See `read`.
            SourceError: No file fits a pattern.
        """
        return self._files.files(table)

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
        paths, options = self._files.files(table)
        return read_csv(
            paths,
            table,
            currency=self._files.context.currency,
            zone=self._files.context.zone,
            rejects_path=self._files.rejects_path(table),
            **options,
        )
