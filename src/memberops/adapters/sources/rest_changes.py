"""From the records of a web service to a canonical table and what changed in it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from memberops.adapters.sources.changes import SourceChanges, record_key_of
from memberops.adapters.sources.http_reading import HttpReader, RefusedReadingError
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.records import read_records
from memberops.adapters.sources.rest_moments import Change, change_of, is_later, spelled
from memberops.adapters.sources.rest_paging import (
    CURSOR_GONE,
    Harvest,
    followed,
    harvest,
)
from memberops.adapters.sources.rest_paths import look_up, plain_at, scopes
from memberops.adapters.sources.rest_resource import Lines, RestResource
from memberops.adapters.sources.rest_rows import counts, id_text, row_of
from memberops.domain import Finding, Severity
from memberops.errors import ConfigurationError, SourceError, nearest
from memberops.tables import Kind, Table
from memberops.tables import table as table_named

__all__ = ["check_resource", "read_changes"]


_NUMBERS = (Kind.MONEY, Kind.INTEGER)


@attrs.frozen(kw_only=True)
class _Cursor:
    """Where a reading was: what the next begins from, and the latest change seen."""

    at: Change | None = None
    seen: Change | None = None


def read_changes(
    reader: HttpReader,
    resource: RestResource,
    options: ReadingOptions,
    *,
    since: str | None,
) -> SourceChanges:
    """
    Read a table from a resource, or what changed in it.

    The cursor holds the latest change that the service showed, by its own clock, but
    nothing later than what its first page shows: what changed while further pages
    were read is read the next time.

    Args:
        reader: Of the server.
        resource: Where the table's records are.
        options: What becomes of their values; its columns are named as in the table.
        since: `SourceChanges.cursor` of an earlier reading; None reads all.

    Raises:
        SourceError: The service cannot be read.
    """
    table = options.converter.table
    mark = _mark(resource, options)
    findings: list[Finding] = []
    before = _Cursor()
    if since is not None and resource.since is not None:
        found = _opened(since, table.name, mark)
        if found is None:
            findings.append(_reread(table, resource, "cursor-unknown"))
        else:
            before = found
    sent = _sent(resource, before)
    try:
        got = harvest(reader, resource, sent)
    except RefusedReadingError as error:
        if sent is None or error.status not in CURSOR_GONE:
            raise
        findings.append(_reread(table, resource, "cursor-gone"))
        before, sent = _Cursor(), None
        got = harvest(reader, resource, None)
    whole = sent is None
    latest, seen = _latest(got.records, resource)
    latest = followed(reader, resource, latest)
    result, came, gone, cut = _rows(latest, resource, options)
    findings += cut
    key = record_key_of(table)
    deleted: list[tuple[str, ...]] = []
    if not whole and len(key) == 1:
        stays = set(result.frame[key[0]].astype(object))
        deleted = [
            (each,) for each in dict.fromkeys([*gone, *came]) if each not in stays
        ]
    told = [f for f in result.findings if whole or f.rule != "no-rows"]
    return SourceChanges(
        result=attrs.evolve(result, findings=(*findings, *told)),
        cursor=_closed(table.name, mark, _advanced(before, seen, got, resource)),
        deleted=deleted,
        whole=whole,
    )


def _sent(resource: RestResource, before: _Cursor) -> str | None:
    """Return what is asked for as "changed since", None for all."""
    if resource.since is None or before.at is None:
        return None
    at = before.at
    if isinstance(at, dt.datetime):
        try:
            at -= dt.timedelta(seconds=resource.since.overlap_seconds)
        except OverflowError:
            return None
    return spelled(at, resource.since.form, resource.since.zone)


def _advanced(
    before: _Cursor, seen: Change | None, got: Harvest, resource: RestResource
) -> _Cursor:
    """Return where the next reading begins; it never goes back."""
    latest = seen if is_later(seen, before.seen) else before.seen
    at = seen
    if resource.since is not None and isinstance(seen, dt.datetime):
        if got.answers > 1:
            # What the first page showed had happened before the others were read.
            first = _latest(got.first, resource)[1]
            at = first if is_later(first, before.seen) else before.seen
        if got.served_at is not None and isinstance(at, dt.datetime):
            at = min(at, got.served_at)  # a till may write days that are to come
    return _Cursor(at=at if is_later(at, before.at) else before.at, seen=latest)


def _latest(
    records: Iterable[Any], resource: RestResource
) -> tuple[list[Any], Change | None]:
    """Keep the latest of each record that came more than once; and the last change."""
    kept: dict[str, tuple[Change | None, Any]] = {}
    last: Change | None = None
    for record in records:
        own = look_up(record, resource.id)
        if own is None or isinstance(own, dict | list | bool):
            raise SourceError(
                f"{resource.path}: a record has no id at {resource.id[:80]!r}; set "
                "'id' to its path"
            )
        at = None
        if resource.since is not None:
            since = resource.since
            at = change_of(look_up(record, since.changed_at), since.form, since.zone)
            if at is None:
                raise SourceError(
                    f"{resource.path}: a record does not say at "
                    f"{since.changed_at[:80]!r} when it was changed; set 'changed_at' "
                    "to the path of a moment"
                )
        last = at if is_later(at, last) else last
        had = kept.get(str(own))
        if had is None or not is_later(had[0], at):
            kept[str(own)] = (at, record)
    return [record for _, record in kept.values()], last


def _rows(
    records: list[Any], resource: RestResource, options: ReadingOptions
) -> tuple[Any, list[str], list[str], list[Finding]]:
    """Return the result, keys that came, keys that are gone, and findings."""
    table = options.converter.table
    key = record_key_of(table)
    names = dict.fromkeys(
        name
        for lines in resource.lines
        for name in (*lines.columns, *lines.sums, *lines.constants)
    )
    rows: list[dict[str, Any]] = []
    came: list[str] = []
    gone: list[str] = []
    cut = 0
    for record in records:
        counting = counts(record, resource)
        for lines in resource.lines:
            cut += any(
                chain[-1] is True
                for path in lines.whole
                for chain in scopes(record, path)
            )
            if len(key) == 1:
                gone += _root_key(record, lines, key[0], resource)
            for chain in scopes(record, lines.each):
                row = row_of(chain, lines, resource, options)
                if len(key) == 1 and row.get(key[0]) is not None:
                    (came if counting else gone).append(id_text(row[key[0]]))
                if counting:
                    rows.append(row)
    result = read_records(rows, options, origin=resource.path, fields=list(names))
    return result, came, gone, _cut(table, resource, cut)


def _root_key(
    record: Any, lines: Lines, name: str, resource: RestResource
) -> list[str]:
    """Return the key of a record that its lines share, be there lines or not."""
    path = lines.columns.get(name, "")
    if lines.each and not path.startswith("/"):
        return []
    value = plain_at((record,), path, false_is_missing=resource.false_is_missing)
    return [] if value is None else [lines.prefix.get(name, "") + id_text(value)]


def _mark(resource: RestResource, options: ReadingOptions) -> str:
    """Return a digest of how the table is read: changed, what was read is stale."""
    text = repr((resource, attrs.evolve(options)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _closed(table: str, mark: str, cursor: _Cursor) -> str:
    def written(change: Change | None) -> str | int | None:
        return change.isoformat() if isinstance(change, dt.datetime) else change

    return json.dumps(
        {
            "v": 1,
            "table": table,
            "mark": mark,
            "at": written(cursor.at),
            "seen": written(cursor.seen),
        }
    )


def _opened(text: str, table: str, mark: str) -> _Cursor | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, Mapping):
        return None
    if (found.get("v"), found.get("table"), found.get("mark")) != (1, table, mark):
        return None

    def read(value: Any) -> Change | None:
        return value if type(value) is int else change_of(value, "iso", dt.UTC)

    return _Cursor(at=read(found.get("at")), seen=read(found.get("seen")))


def _reread(table: Table, resource: RestResource, rule: str) -> Finding:
    return Finding(
        table=table.name,
        rule=rule,
        severity=Severity.WARNING,
        source=resource.path[:80],
        message_en="the place where the last reading ended is not known any more; all "
        "was read anew",
        message_zh="上次读取的位置已失效，已重新读取全部数据",
    )


def _cut(table: Table, resource: RestResource, count: int) -> list[Finding]:
    if not count:
        return []
    return [
        Finding(
            table=table.name,
            rule="lines-cut",
            severity=Severity.ERROR,
            source=resource.path[:80],
            count=count,
            message_en="the service gave only the first lines of these records; the "
            "others are missing",
            message_zh="服务只返回了这些记录的前若干行，其余行缺失",
        )
    ]


def check_resource(resource: RestResource, table: str) -> None:
    """
    Hold what a resource names against a canonical table.

    Raises:
        ConfigurationError: It has no columns, makes texts negative, or tells of
            deletions of a table whose key has several columns.
        UnknownTableError: There is no such table.
    """
    canonical = table_named(table)
    if not any(lines.columns for lines in resource.lines):
        raise ConfigurationError(
            f"the resource of {table!r} needs 'columns', as in columns = "
            f'{{ {canonical.names[0]} = "id" }}'
        )
    numbers = [c.name for c in canonical.columns if c.kind in _NUMBERS]
    for lines in resource.lines:
        for name in lines.negative:
            if name not in numbers:
                raise ConfigurationError(
                    f"'negative' names {name[:40]!r}; {nearest(name, numbers)}"
                )
    if resource.deleted is not None and len(record_key_of(canonical)) != 1:
        raise ConfigurationError(
            f"rows of {table!r} have no key of one column, so 'deleted' cannot be used"
        )
