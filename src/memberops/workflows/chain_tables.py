"""The tables of a chain as they were read: frames, rejects and findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pandas as pd

from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.frame_rows import read_frame
from memberops.domain import Finding
from memberops.errors import UnknownTableError, nearest
from memberops.tables import TABLES
from memberops.tables import table as table_named

__all__ = ["ChainTables", "FrameSource"]


@attrs.frozen(eq=False, repr=False)
class FrameSource:
    """
    A source that holds one frame: for hosts that have the rows already.

    Args:
        frame: A frame of any engine that narwhals takes, with canonical column names.
            When it is read it is brought into canonical form, and its rows are
            judged as those of a file (`memberops.adapters.sources.frame_rows`).
        zone: Zone in which a moment has its day, where the frame has moments alone;
            Asia/Shanghai if None.

    >>> source = FrameSource(pd.DataFrame({"store_id": ["S1"], "name": ["一店"]}))
    >>> source.read("stores")
    SourceResult(table='stores', rows_read=1, accepted=1, rejected=0, findings=0)
    """

    frame: Any
    zone: ZoneInfo | None = None

    def read(self, table: str) -> SourceResult:
        """
        Give the frame as the table asked for.

        Raises:
            MissingColumnsError: The frame lacks a column that no row may lack.
            ColumnTypeError: It is no frame, or a column has a type that its table
                forbids.
            UnknownTableError: No canonical table has that name.
        """
        return read_frame(self.frame, table, zone=self.zone)


def _frozen(results: Mapping[str, SourceResult]) -> Mapping[str, SourceResult]:
    return MappingProxyType(dict(results))


@attrs.frozen(eq=False, repr=False)
class ChainTables:
    """
    What was read: by table, the rows and what was found in them.

    Args:
        results: By canonical table; a table without a source is not in it.

    >>> tables = ChainTables({"stores": FrameSource(
    ...     pd.DataFrame({"store_id": ["S1"]})).read("stores")})
    >>> len(tables["stores"]), "cards" in tables, tables.get("cards") is None
    (1, False, True)
    """

    results: Mapping[str, SourceResult] = attrs.field(converter=_frozen)

    def __getitem__(self, table: str) -> pd.DataFrame:
        """
        Return the accepted rows of a table.

        Raises:
            UnknownTableError: The chain has no source for it, or there is no such
                table.
        """
        if table not in self.results:
            table_named(table)
            raise UnknownTableError(
                f"the chain has no source for {table!r}; {nearest(table, self.results)}"
            )
        return self.results[table].frame

    def __contains__(self, table: object) -> bool:
        """Tell whether a table was read."""
        return table in self.results

    def __iter__(self) -> Iterator[str]:
        """Go through the names of what was read, in the order of the tables."""
        return (table.name for table in TABLES if table.name in self.results)

    def __len__(self) -> int:
        """Count the tables that were read."""
        return len(self.results)

    def get(self, table: str) -> pd.DataFrame | None:
        """Return the accepted rows of a table, or None if it has no source."""
        return self.results[table].frame if table in self.results else None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the sources found, table by table."""
        return tuple(
            finding for name in self for finding in self.results[name].findings
        )

    @property
    def rejects(self) -> dict[str, pd.DataFrame]:
        """By table, the rows that were refused; raw, so perhaps personal."""
        return {name: self.results[name].rejects for name in self}

    def __repr__(self) -> str:
        """Show the counts, never a value."""
        counts = (
            f"{name}: {self.results[name].accepted} of {self.results[name].rows_read}"
            for name in self
        )
        return f"ChainTables({', '.join(counts)})"
