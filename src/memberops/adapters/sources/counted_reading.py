"""Reading systems that date their records and keep no trace of deleted ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import attrs

from memberops.adapters.sources.changes import SourceChanges, record_key_of
from memberops.adapters.sources.http_reading import HttpReader
from memberops.adapters.sources.moment_cursor import MomentCursor, read_anew
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.records import read_records, refused_keys
from memberops.domain import Finding
from memberops.errors import SourceError, UnknownTableError, nearest
from memberops.tables import table as table_named

__all__ = [
    "Came",
    "Count",
    "check_table",
    "counted_changes",
    "pages_by_id",
    "wait_for_page",
]

Counted = tuple[int | str, int]
Count = Callable[[Counted | None], Counted]
"""Counts all records so far, or those up to where an earlier counting went."""


@attrs.frozen(kw_only=True)
class Came:
    """
    What a system gave of one table.

    Args:
        origin: The resource, as findings name it.
        rows: Fields of the table.
        gone: Keys of records that do not count.
        seen: The latest change among them.
        served_at: The system's clock when the reading began.
        findings: What there is to tell beyond rows.
        met: By what is counted, where each record that came stands: its id, or
            whatever its `Count` says up to where it went. Records made after the
            counting are watched by it too.
    """

    origin: str
    rows: Sequence[Mapping[str, Any]] = attrs.field(repr=False)
    gone: Sequence[str] = ()
    seen: dt.datetime | None = None
    served_at: dt.datetime | None = None
    findings: Sequence[Finding] = ()
    met: Mapping[str, Collection[Any]] = attrs.field(factory=dict, repr=False)


def check_table(table: str, known: Sequence[str], *, system: str) -> None:
    """
    Refuse a table that a system does not have.

    Args:
        table: What was asked for.
        known: The tables that the system has.
        system: Its name, for the error.

    Raises:
        UnknownTableError: It has none, or no canonical table has that name.

    >>> check_table("sales", ("members", "sales"), system="Medusa")
    """
    table_named(table)
    if table not in known:
        raise UnknownTableError(
            f"{system} has no {table[:40]!r}; {nearest(table, known)}"
        )


def counted_changes(
    options: ReadingOptions,
    fetch: Callable[[dt.datetime | None], Came],
    *,
    since: str | None,
    name: str,
    mark: str,
    overlap: dt.timedelta,
    fields: Sequence[str],
    counts: Mapping[str, Count],
    dated: bool = True,
    key: Sequence[str] = (),
) -> SourceChanges:
    """
    Read a table, or what changed in it; all of it where records were deleted.

    Args:
        options: Of the table; its columns are named as in it.
        fetch: Reads what changed at a moment or later, all for None.
        since: `SourceChanges.cursor` of an earlier reading; None reads all.
        name: Of the system, as findings name it.
        mark: Digest of everything else that the rows depend on.
        overlap: How much earlier than the last reading ended this one begins.
        fields: Of all rows.
        counts: What has to be as many as it was.
        dated: Whether changes can be asked for; the table is read whole if not.
        key: `SourceChanges.key`, of a table that has none of its own.

    Raises:
        SourceError: The system cannot be read.
    """
    table = options.converter.table
    findings = []
    before = MomentCursor(table=table.name, mark=mark)
    if since is not None:
        found = MomentCursor.opened(since, table=table.name, mark=mark)
        if found is None or set(found.counts) != set(counts):
            findings.append(read_anew(table.name, name))
        elif dated and any(
            counts[own](had) != had for own, had in found.counts.items()
        ):
            findings.append(read_anew(table.name, name, deleted=True))
        elif dated:
            before = found
    # Counted before reading: what is deleted from here on is missing next time.
    now = {each: count(None) for each, count in counts.items()}
    whole = before.at is None
    came = fetch(None if before.at is None else before.at - overlap)
    result = read_records(came.rows, options, origin=came.origin, fields=fields)
    cursor = attrs.evolve(
        before,
        counts=_with_met(now, came.met),
        at=before.advanced(came.seen, came.served_at),
    )
    return SourceChanges(
        result=attrs.evolve(
            result, findings=(*findings, *came.findings, *result.findings)
        ),
        cursor=cursor.text(),
        deleted=() if whole else [(own,) for own in came.gone],
        whole=whole,
        refused=refused_keys(came.rows, result, key=key or record_key_of(table)),
        key=key,  # type: ignore[arg-type] # of the converter tuple
    )


def _with_met(
    counts: Mapping[str, Counted], met: Mapping[str, Collection[Any]]
) -> dict[str, Counted]:
    """
    Count what was made, and read, after the counting too.

    >>> _with_met({"customers": (7, 3)}, {"customers": {2, 7, 8, 9}})
    {'customers': (9, 5)}
    """
    counted = {}
    for name, (far, many) in counts.items():
        later = [each for each in met.get(name, ()) if each > far]
        counted[name] = (max(later, default=far), many + len(later))
    return counted


def pages_by_id(
    ask: Callable[[Any], list[dict[str, Any]]],
    *,
    name: str,
    reader: HttpReader,
) -> Iterator[dict[str, Any]]:
    """
    Yield all records by their ids, so that none can be passed over.

    Args:
        ask: Returns the records after an id, or the first ones for None.
        name: Of the system and what is read.
        reader: Says how often a page that came before is asked for again.

    Yields:
        Records, of which some may come twice.

    Raises:
        SourceError: A page comes again and again.
    """
    last, turns = None, 0
    while found := ask(last):
        ids = [each["id"] for each in found]
        if last is not None and not max(ids) > last:
            turns += 1
            wait_for_page(reader, turns, name)
            continue
        yield from found
        last, turns = max(ids), 0


def wait_for_page(reader: HttpReader, turns: int, name: str) -> None:
    """
    Wait before a page that came again is asked for again.

    Args:
        reader: Says how often.
        turns: How often it came again.
        name: Of the system and what is read.

    Raises:
        SourceError: It came too often.
    """
    if turns >= reader.patience.attempts:
        raise SourceError(
            f"{name}: the same page came again and again; nothing was taken over, "
            "read again later"
        )
    reader.pause(turns, asked=name)
