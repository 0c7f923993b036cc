"""Files by canonical table, as a chain file names them: what CSV and Excel share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pandas as pd

from memberops.adapters.sources.contract import SourceContext, SourceResult
from memberops.adapters.sources.csv_paths import found_files
from memberops.domain import Finding
from memberops.errors import (
    ConfigurationError,
    SourceError,
    UnknownTableError,
    bounded,
    nearest,
)
from memberops.tables import TABLES, Table
from memberops.tables import table as table_named

__all__ = ["Paths", "TableFiles", "joined_results", "listed"]

Paths = str | Path | Sequence[str | Path]
"""One path or several."""


def listed(path: Paths) -> list[Path]:
    """
    Return one path or several as a list.

    >>> [path.name for path in listed("sales.csv")]
    ['sales.csv']
    """
    return [Path(each) for each in ([path] if isinstance(path, str | Path) else path)]


@attrs.frozen(kw_only=True)
class TableFiles:
    """
    Which files hold which table, and how they are read.

    Args:
        context: Folder, currency and zone of the chain.
        kind: What errors call the source, such as ``"CSV"``.
        endings: Of the files that are taken from a folder.
        path: The file or files, if they hold but one table.
        rejects_folder: Where to write ``<table>-rejects.csv`` after each read.
        shared: Options that hold for all tables.
        tables: By table, its ``path`` and its options.
    """

    context: SourceContext
    kind: str
    endings: tuple[str, ...]
    path: Paths | None
    rejects_folder: str | Path | None
    shared: Mapping[str, Any]
    tables: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(
        cls,
        context: SourceContext,
        given: Mapping[str, Any],
        *,
        kind: str,
        known: Sequence[str],
        endings: tuple[str, ...],
    ) -> TableFiles:
        """
        Check the options of a chain file.

        Args:
            context: Folder, currency and zone of the chain.
            given: ``path``, ``rejects_folder``, tables, and options of reading.
            kind: What errors call the source.
            known: Names of the options of reading.
            endings: Of the files that are taken from a folder.

        Raises:
            ConfigurationError: An option has no such name, or no file is given.
        """
        names = [table.name for table in TABLES]
        places = ("path", "rejects_folder")
        shared = {name: given[name] for name in given if name not in (*names, *places)}
        _check_options(shared, (*known, *places, *names), kind)
        tables: dict[str, dict[str, Any]] = {}
        for name in names:
            if name in given:
                own = given[name]
                own = dict(own) if isinstance(own, Mapping) else {"path": own}
                _check_options(own, ("path", *known), kind)
                if not own.get("path"):
                    raise ConfigurationError(
                        f"the {kind} files of {name!r} need a 'path'"
                    )
                tables[name] = {**shared, **own}
        path = given.get("path")
        if not tables and not path:
            example = f"sales{endings[0]}"
            article = "an" if kind[0] in "AEIOU" else "a"
            raise ConfigurationError(
                f"{article} {kind} source needs a file: path={example!r}, or one by "
                f"table as in sales={example!r}; tables are {bounded(names)}"
            )
        return cls(
            context=context,
            kind=kind,
            endings=endings,
            path=path,
            rejects_folder=given.get("rejects_folder"),
            shared=shared,
            tables=tables,
        )

    def files(self, table: str) -> tuple[list[Path], dict[str, Any]]:
        """
        Find the files of a table, and its options.

        Raises:
            ConfigurationError: A pattern leads out of the folder it begins with.
            SourceError: No file fits a pattern, or a folder holds none.
            UnknownTableError: The source has no file for it, or there is no such
                table.
        """
        table_named(table)
        if table in self.tables:
            options = dict(self.tables[table])
        elif self.path:
            options = {**self.shared, "path": self.path}
        else:
            raise UnknownTableError(
                f"this {self.kind} source has no file for {table!r}; it has "
                f"{bounded(self.tables)}"
            )
        paths = listed(options.pop("path"))
        folder = self.context.folder
        found = [
            file
            for path in paths
            for file in found_files(folder, str(path), endings=self.endings)
        ]
        return found, options

    def rejects_path(self, table: str) -> Path | None:
        """Return where the rejects of a table are written, if they are."""
        if self.rejects_folder is None:
            return None
        return self.context.folder / self.rejects_folder / f"{table}-rejects.csv"


def _check_options(options: Iterable[str], known: Sequence[str], kind: str) -> None:
    article = "an" if kind[0] in "AEIOU" else "a"
    for name in options:
        if name not in known:
            raise ConfigurationError(
                f"{article} {kind} source has no option {name[:40]!r}; "
                f"{nearest(name, known)}"
            )


def joined_results(
    parts: Sequence[SourceResult], table: Table, more: Sequence[Finding] = ()
) -> SourceResult:
    """
    Put the results of several files behind one another.

    Args:
        parts: One result for each file.
        table: The canonical table.
        more: Findings about the files together.

    Raises:
        SourceError: There is no part.
    """
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
        origins=tuple(origin for part in parts for origin in part.origins),
        unlisted=sum(part.unlisted for part in parts),
        replaced=sum(part.replaced for part in parts),
    )
