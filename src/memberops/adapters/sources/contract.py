"""
What every source gives: a canonical frame, what it refused, and what it found.

A source of a plugin needs nothing but this module: it takes a `SourceContext`,
answers `Source.read` with a `SourceResult`, and so can stand in for any other.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

import attrs

from memberops.domain import Currency, Finding
from memberops.errors import FrameError, InvalidValueError, bounded

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

__all__ = [
    "REJECT_COLUMNS",
    "Source",
    "SourceContext",
    "SourceFactory",
    "SourceResult",
]

REJECT_COLUMNS = ("file", "line", "column", "rule", "reason_en", "reason_zh", "raw")
"""Columns of `SourceResult.rejects`: a row for each rejected row that is listed."""


@attrs.frozen(kw_only=True)
class SourceContext:
    """
    What a source may know of the chain that reads it.

    Args:
        folder: Folder that relative paths count from.
        currency: Currency of the amounts, with the digits of its minor unit.
        zone: Zone in which a local time is read and a day begins.

    >>> SourceContext(folder=Path("data"), currency=Currency("CNY"),
    ...               zone=ZoneInfo("Asia/Shanghai")).currency.code
    'CNY'
    """

    folder: Path = attrs.field(converter=Path)
    currency: Currency = attrs.field(validator=attrs.validators.instance_of(Currency))
    zone: ZoneInfo = attrs.field(validator=attrs.validators.instance_of(ZoneInfo))


def _findings(findings: Any) -> tuple[Finding, ...]:
    return tuple(findings)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SourceResult:
    """
    What reading one table gave; each row that was read is told for, always.

    ``rows_read == accepted + rejected + replaced``; the last is 0 unless later files
    were asked to replace earlier ones.

    The frames may hold personal values; the repr shows counts only.

    Args:
        table: Name of the canonical table, such as ``"sales"``.
        frame: The accepted rows in canonical form (see `memberops.tables`).
        rejects: One row for each rejected row, with the columns `REJECT_COLUMNS`; the
            first ones where there are more than a source lists.
        findings: What was noticed, rejected rows included.
        rows_read: Data rows that the source held, headings not counted.
        origins: By file, the line of each accepted row, in the order of *frame*;
            empty where the source has no files.
        unlisted: How many rows were rejected beyond those of *rejects*; a finding
            tells of them.
        replaced: How many good rows a later file gave again, which counts in their
            place; findings tell of them.

    Raises:
        InvalidValueError: The counts do not add up: a row was lost or doubled; or
            *unlisted* or *replaced* is no count.
        FrameError: *rejects* lacks a column of `REJECT_COLUMNS`.
    """

    table: str
    frame: pd.DataFrame
    rejects: pd.DataFrame = attrs.field()
    findings: tuple[Finding, ...] = attrs.field(converter=_findings)
    rows_read: int = attrs.field()
    origins: tuple[tuple[str, npt.NDArray[np.int64]], ...] = ()
    unlisted: int = 0
    replaced: int = 0

    @rejects.validator
    def _check_rejects(self, _attribute: object, value: Any) -> None:
        missing = [name for name in REJECT_COLUMNS if name not in value.columns]
        if missing:
            raise FrameError(f"the rejects of {self.table} lack {bounded(missing)}")

    @rows_read.validator
    def _check_rows_read(self, _attribute: object, value: Any) -> None:
        for name in ("unlisted", "replaced"):
            rest: object = getattr(self, name)
            if isinstance(rest, bool) or not isinstance(rest, int) or rest < 0:
                raise InvalidValueError(f"{self.table}: {name!r} is a count from 0 on")
        if value != self.accepted + self.rejected + self.replaced:
            more = f", {self.replaced} replaced" if self.replaced else ""
            raise InvalidValueError(
                f"{self.table}: {value} rows read, but {self.accepted} accepted "
                f"and {self.rejected} rejected{more}: each row must be one or the other"
            )

    def origin(self, at: int) -> tuple[str | None, int]:
        """
        Tell the file and line of an accepted row, or its number where there is none.

        Args:
            at: Position of the row in `frame`, from 0.
        """
        rest = at
        for file, lines in self.origins:
            if rest < len(lines):
                return file, int(lines[rest])
            rest -= len(lines)
        return None, at + 1

    def without(self, gone: npt.NDArray[np.bool_], **told: Any) -> SourceResult:
        """
        Return the result without some of its accepted rows.

        Args:
            gone: For each row of `frame` whether it goes.
            **told: The fields that count those rows from now on, such as *replaced*.

        Raises:
            InvalidValueError: The fields do not count them all.

        >>> import numpy as np
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"store_id": ["S1", "S2", "S3"]})
        >>> stores = SourceResult(table="stores", frame=frame, findings=(),
        ...     rejects=pd.DataFrame(columns=[*REJECT_COLUMNS]), rows_read=3,
        ...     origins=(("a.csv", np.array([2, 4])), ("b.csv", np.array([7]))))
        >>> kept = stores.without(np.array([True, False, False]), replaced=1)
        >>> kept.frame["store_id"].tolist(), kept.origin(0), kept.origin(1)
        (['S2', 'S3'], ('a.csv', 4), ('b.csv', 7))
        """
        origins, start = [], 0
        for file, lines in self.origins:
            origins.append((file, lines[~gone[start : start + len(lines)]]))
            start += len(lines)
        frame = self.frame[~gone].reset_index(drop=True)
        return attrs.evolve(self, frame=frame, origins=tuple(origins), **told)

    @property
    def accepted(self) -> int:
        """How many rows are in `frame`."""
        return len(self.frame)

    @property
    def rejected(self) -> int:
        """How many rows were rejected, listed in `rejects` or not."""
        return len(self.rejects) + self.unlisted

    def __repr__(self) -> str:
        """Show the counts, never a value."""
        replaced = f"replaced={self.replaced}, " if self.replaced else ""
        return (
            f"SourceResult(table={self.table!r}, rows_read={self.rows_read}, "
            f"accepted={self.accepted}, rejected={self.rejected}, {replaced}"
            f"findings={len(self.findings)})"
        )


@runtime_checkable
class Source(Protocol):
    """Something that canonical tables can be read from."""

    def read(self, table: str) -> SourceResult:
        """
        Read one canonical table.

        Args:
            table: Name of the table, such as ``"sales"``.

        Raises:
            UnknownTableError: No canonical table has that name.
            SourceError: The source cannot be opened or read at all.
        """


class SourceFactory(Protocol):
    """What a plugin's `Adapter` holds: it makes a source, and opens nothing yet."""

    def __call__(self, context: SourceContext, **options: Any) -> Source:
        """Make a source from the chain's context and the options of its chain file."""
