"""A source that keeps what it read in a folder, so that a re-run needs no network."""

from __future__ import annotations

import datetime as dt
import json
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import attrs
from pandas.api import types

from memberops.adapters.sources.changes import (
    ChangingSource,
    RecordKey,
    SourceChanges,
    merge_changes,
)
from memberops.adapters.sources.contract import REJECT_COLUMNS, Source, SourceResult
from memberops.adapters.sources.snapshot_counts import TableRefresh, count_changes
from memberops.adapters.sources.snapshot_findings import (
    departed,
    earlier_findings,
    kept_is_damaged,
    merged_rejects,
    options_changed,
    since_when,
    told_before,
)
from memberops.adapters.sources.snapshot_folder import KeptTable, SnapshotFolder
from memberops.adapters.sources.snapshot_losses import LossLimits
from memberops.domain import Finding
from memberops.errors import MemberOpsError, SourceError, bounded
from memberops.tables import Kind
from memberops.tables import table as table_named

__all__ = ["SnapshotSource"]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - written down, never reckoned with


class SnapshotSource:
    """
    A source in front of another one, that reads what a refresh put into a folder.

    `read` needs no network: it gives the tables as of the last `refresh`. A refresh
    asks a `ChangingSource` for what changed, and reads any other source whole.

    Args:
        source: Where the tables come from.
        folder: Where they are kept, as Parquet (extra ``parquet``), each table with a
            manifest. It holds personal data: only its owner may read the files.
        origin: What tells one way to read the source from another, such as a digest
            of its options. Tables that were kept under another one are not read
            before they are refreshed, whole.
        losses: How much of a table may go without being asked for.
        now: Tells the time that is written into the snapshot.

    >>> import pandas as pd
    >>> from memberops.adapters.sources.frame_rows import read_frame
    >>> class Till:
    ...     frame = pd.DataFrame({"store_id": ["S1"], "name": ["一店"]})
    ...     def read(self, table):
    ...         return read_frame(self.frame, table)
    >>> kept = SnapshotSource(Till(), "snapshot")
    >>> print(kept.refresh(["stores"])[0].describe("en"))
    stores: 1 new, 0 changed, 0 gone; 1 rows kept, 0 rejected (read whole)
    >>> kept.read("stores").frame["name"].tolist()
    ['一店']
    """

    def __init__(
        self,
        source: Source,
        folder: str | Path,
        *,
        origin: str = "",
        losses: LossLimits | None = None,
        now: Callable[[], dt.datetime] = _now,
    ) -> None:
        self._source = source
        self._folder = SnapshotFolder(Path(folder))
        self._origin = origin
        self._losses = losses or LossLimits()
        self._now = now

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that the folder holds."""
        return self._folder.tables

    def read(self, table: str) -> SourceResult:
        """
        Read a table of the folder, as of its last refresh.

        Raises:
            SourceError: The table was never refreshed, was kept under other options
                of its source, or is damaged.
            UnknownTableError: No canonical table has that name.
            MissingExtraError: The extra ``parquet`` is not installed.
        """
        table_named(table)
        kept = self._folder.read(table)
        if kept is None:
            raise SourceError(
                f"the snapshot folder {self._folder.path.name!r} holds no {table}: "
                "run 'memberops refresh', or Chain.refresh()"
            )
        if kept.origin != self._origin:
            raise SourceError(
                f"the snapshot of {table} was read under other options than the chain "
                "file has now: run 'memberops refresh', which reads it whole"
            )
        return SourceResult(
            table=table,
            frame=kept.frame,
            rejects=kept.rejects[list(REJECT_COLUMNS)].reset_index(drop=True),
            findings=(
                since_when(table, kept.refreshed_at, len(kept.frame)),
                *kept.findings,
                *map(told_before, kept.earlier),
            ),
            rows_read=len(kept.frame)
            + len(kept.rejects)
            + kept.unlisted
            + kept.replaced,
            unlisted=kept.unlisted,
            replaced=kept.replaced,
        )

    def refused(self, table: str) -> tuple[tuple[str, ...], tuple[RecordKey, ...]]:
        """
        Name the records of the rejects that `read` gives.

        Returns:
            The columns by which the source names records, and for each reject the
            key of its record; an empty one where that is not known.

        Raises:
            SourceError: The table is damaged.
        """
        kept = self._folder.read(table)
        if kept is None:
            return (), ()
        told = kept.rejects["record"].tolist()
        return kept.key, tuple(tuple(json.loads(each)) if each else () for each in told)

    def refresh(
        self, tables: Iterable[str], *, whole: bool = False, allow_loss: bool = False
    ) -> tuple[TableRefresh, ...]:
        """
        Bring tables of the folder up to date, one after the other.

        Each is replaced as a whole when it was read; where one fails, those before it
        are refreshed and the others are as they were. A record that was good and is
        refused now leaves the table, as it would in a whole reading, with a finding.

        Args:
            tables: Their names.
            whole: Read all of them, not what changed.
            allow_loss: Take over a table that has lost more than `LossLimits` allow.

        Raises:
            SourceError: The source cannot be read, or gave so little that it may not
                read all any more; the folder cannot be written to, or somebody else
                refreshes the table. The table is as it was.
            UnknownTableError: No canonical table has that name.
            MissingExtraError: The extra ``parquet`` is not installed.
        """
        names = [table_named(name).name for name in tables]
        return tuple(
            self._refresh(name, whole=whole, allow_loss=allow_loss) for name in names
        )

    def _refresh(self, table: str, *, whole: bool, allow_loss: bool) -> TableRefresh:
        with self._folder.locked(table):
            kept, notes = self._kept(table)
            changes = self._changes(table, None if whole else kept)
            before = None if kept is None else kept.frame
            _fits(table, changes.result)
            frame = merge_changes(before, changes)
            new, changed, gone = count_changes(before, frame, changes.record_key)
            if not allow_loss and before is not None:
                # Lines of sales are rows, but what is gone is counted in tickets.
                key = [*changes.record_key]
                had = len(before.drop_duplicates(key) if key else before)
                self._losses.check(changes, had=had, gone=gone, rows=len(frame))
            rejects = merged_rejects(kept, changes)
            made = KeptTable(
                table=table,
                frame=frame,
                rejects=rejects,
                findings=(
                    *notes,
                    *changes.result.findings,
                    *departed(before, frame, changes),
                ),
                earlier=()
                if kept is None
                else earlier_findings(kept, changes, rejects),
                cursor=changes.cursor or None,
                key=changes.record_key,
                origin=self._origin,
                refreshed_at=self._now().astimezone(dt.UTC),
                unlisted=changes.result.unlisted,
                replaced=changes.result.replaced if changes.whole else 0,
            )
            self._folder.write(made)
        return TableRefresh(
            table=table,
            new=new,
            changed=changed,
            gone=gone,
            rows=len(frame),
            rejected=len(made.rejects) + made.unlisted,
            whole=changes.whole,
            findings=made.findings,
        )

    def _kept(self, table: str) -> tuple[KeptTable | None, tuple[Finding, ...]]:
        """Give what was kept, if it can be built upon; else say why it cannot."""
        try:
            kept = self._folder.read(table)
        except SourceError:
            return None, (kept_is_damaged(table),)
        if kept is not None and kept.origin != self._origin:
            return attrs.evolve(kept, cursor=None), (options_changed(table),)
        return kept, ()

    def _changes(self, table: str, kept: KeptTable | None) -> SourceChanges:
        """Ask for what changed since, or for all where there is nothing to add to."""
        source = self._source
        if not isinstance(source, ChangingSource):
            result = _asked(table, SourceResult, lambda: source.read(table))
            return SourceChanges(result=result, cursor="", whole=True)
        # Which of the refused rows that are not listed came right, only all tell.
        since = None if kept is None or kept.unlisted else kept.cursor
        changes = _asked(
            table, SourceChanges, lambda: source.changes(table, since=since)
        )
        if since is not None and kept is not None and kept.key != changes.record_key:
            # Rows that were kept under another key cannot be found by this one.
            since = None
            changes = _asked(
                table, SourceChanges, lambda: source.changes(table, since=None)
            )
        result = changes.result
        if since and not changes.whole and result.rejected and not changes.refused:
            # Which of the records that were kept are refused now, only all tell.
            since = None
            changes = _asked(
                table, SourceChanges, lambda: source.changes(table, since=None)
            )
        if since is None and not changes.whole:
            changes = attrs.evolve(changes, whole=True, deleted=())
        return changes


_Answer = TypeVar("_Answer", SourceResult, SourceChanges)


def _asked(table: str, kind: type[_Answer], ask: Callable[[], _Answer]) -> _Answer:
    """Ask a source, which may be a plugin's: what it raises may quote a row."""
    try:
        answer: object = ask()
    except MemberOpsError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises
        raise SourceError(
            f"the source of {table} failed with {type(error).__name__}{_place(error)}"
        ) from None
    if not isinstance(answer, kind):
        raise SourceError(
            f"the source of {table} gave a {type(answer).__name__}, no {kind.__name__}"
        )
    return answer


def _place(error: Exception) -> str:
    """Name the last line of code, without what it held."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    return f" in {Path(last.filename).name}, line {last.lineno}" if last else ""


def _fits(table: str, result: SourceResult) -> None:
    """Refuse what a source, which may be a plugin's, cannot mean."""
    if result.table != table:
        raise SourceError(f"the source of {table} gave {result.table[:40]!r}")
    canonical, frame = table_named(table), result.frame
    canonical.check_columns(frame.columns, canonical.required)
    for column in canonical.columns if len(frame) else ():
        if column.name not in frame.columns:
            continue
        dtype = frame[column.name].dtype
        if not _KINDS[column.kind](dtype):
            raise SourceError(
                f"the source of {table} gave {column.name!r} as {str(dtype)[:40]}, "
                f"which no {column.kind.value} is"
            )
    if canonical.key and (twice := int(frame.duplicated([*canonical.key]).sum())):
        raise SourceError(
            f"the source of {table} gave {twice} rows whose {bounded(canonical.key)} "
            "another row has"
        )


def _text(dtype: Any) -> bool:
    return bool(types.is_string_dtype(dtype) or types.is_object_dtype(dtype))


_KINDS: dict[Kind, Callable[[Any], bool]] = {
    Kind.ID: _text,
    Kind.TEXT: _text,
    Kind.CHOICE: _text,
    Kind.INTEGER: types.is_integer_dtype,
    Kind.MONEY: types.is_integer_dtype,
    Kind.DATE: types.is_datetime64_any_dtype,
    Kind.INSTANT: types.is_datetime64_any_dtype,
}
