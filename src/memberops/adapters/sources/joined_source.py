"""One table from several sources, such as the tills of stores of different makes."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from memberops.adapters.sources.column_values import empty_series
from memberops.adapters.sources.contract import Source, SourceResult
from memberops.adapters.sources.guarded_reading import guarded_read, note_place
from memberops.adapters.sources.overlapping_sections import settled_sections
from memberops.adapters.sources.table_files import joined_results
from memberops.domain import Finding
from memberops.errors import ConfigurationError, MemberOpsError, SourceError
from memberops.tables import Table
from memberops.tables import table as table_named

__all__ = ["JoinedSource"]


class JoinedSource:
    """
    A source that gives what several give, one behind the other.

    Rows, rejects and findings of all are kept, so nothing is lost on the way. What two
    of them give is told: of a table with a key the row of the earlier source counts
    and that of the later one is refused; rows of sales count twice, as in two files.

    Args:
        *sources: The sources, in the order of their rows.
        names: What findings and rejects call them, such as ``"sales[2]"``; if empty,
            only what two of them give is told by their numbers.

    Raises:
        ConfigurationError: There are names, and not one for each source.
        SourceError: There is no source.

    >>> from memberops.testing import sales_frame
    >>> from memberops.workflows.chain_tables import FrameSource
    >>> north = FrameSource(sales_frame([("A", "2026-10-03", "S1", "", 1, "5")]), None)
    >>> south = FrameSource(sales_frame([("B", "2026-10-04", "S2", "", 2, "7")]), None)
    >>> JoinedSource(north, south).read("sales").accepted
    2
    >>> twice = JoinedSource(north, north, names=["north", "again"]).read("sales")
    >>> print(twice.findings[-1].describe("en"))
    warning again sales: tickets that north or another earlier section gives too: 1; ...
    """

    def __init__(self, *sources: Source, names: Sequence[str] = ()) -> None:
        if not sources:
            raise SourceError("a joined source needs at least one source")
        if names and len(names) != len(sources):
            raise ConfigurationError(
                f"{len(sources)} sources have {len(names)} names: give one for each"
            )
        self._sources = sources
        self._names = tuple(names)

    def __repr__(self) -> str:
        """Show the sources."""
        return f"JoinedSource({', '.join(map(repr, self._sources))})"

    @property
    def sections(self) -> tuple[tuple[str, Source], ...]:
        """The sources with their names, in order."""
        return tuple(zip(self._called, self._sources, strict=True))

    @property
    def _called(self) -> tuple[str, ...]:
        return self._names or tuple(
            f"source {number}" for number in range(1, len(self._sources) + 1)
        )

    def read(self, table: str) -> SourceResult:
        """
        Read one canonical table of every source.

        Raises:
            SourceError: One of them cannot be read; a note says which.
            MissingColumnsError: One of them lacks a column that no row may lack.
            UnknownTableError: One of them has no such table.
        """
        canonical = table_named(table)
        parts = []
        for name, source in self.sections:
            try:
                part = guarded_read(source, table)
            except MemberOpsError as error:
                if self._names:
                    note_place(error, f"sources.{name}")
                raise
            parts.append(_named(part, name if self._names else "", name))
        settled, told = settled_sections(_alike(parts, canonical), self._called,
                                         canonical)  # fmt: skip
        return joined_results(settled, canonical, told)


def _named(part: SourceResult, prefix: str, called: str) -> SourceResult:
    """Put the name of a section before those of its files."""

    def name(file: str | None) -> str:
        return f"{prefix} {file or ''}".strip()

    origins = tuple((name(file), lines) for file, lines in part.origins)
    if sum(len(lines) for _, lines in origins) != part.accepted:
        # Where a section has no files, its rows are numbered, so that those of the
        # next section are not taken for them.
        origins = ((called, np.arange(1, part.accepted + 1)),)
    if not prefix:
        return attrs.evolve(part, origins=origins)
    findings: list[Finding] = [
        attrs.evolve(each, source=name(each.source)) for each in part.findings
    ]
    rejects = part.rejects.assign(
        file=[name(file) for file in part.rejects["file"].fillna("").tolist()]
    )
    return attrs.evolve(part, findings=findings, rejects=rejects, origins=origins)


def _alike(parts: Sequence[SourceResult], table: Table) -> list[SourceResult]:
    """Give all frames the columns that one has: a gap would make floats of amounts."""
    frames = [part.frame for part in parts]
    names = dict.fromkeys(name for frame in frames for name in frame.columns)
    wanted = [name for name in names if name in table.names]
    frames = [
        frame.assign(
            **{
                name: empty_series(table.column(name), len(frame)).set_axis(frame.index)
                for name in wanted
                if name not in frame.columns
            }
        )
        for frame in frames
    ]
    full = next((frame for frame in frames if len(frame)), None)
    if full is not None:
        # Without rows a column may have lost its type.
        frames = [frame if len(frame) else full.iloc[:0] for frame in frames]
    return [
        attrs.evolve(part, frame=frame)
        for part, frame in zip(parts, frames, strict=True)
    ]
