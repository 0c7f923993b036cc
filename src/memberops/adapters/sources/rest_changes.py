"""From the records of a web service to a canonical table and what changed in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import attrs

from memberops.adapters.sources.changes import (
    RecordKey,
    SourceChanges,
    record_key_of,
    record_keys,
)
from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.http_reading import HttpReader, RefusedReadingError
from memberops.adapters.sources.order_tickets import unexplained
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.rest_cursor import RestCursor, mark_of
from memberops.adapters.sources.rest_following import followed
from memberops.adapters.sources.rest_gathering import Gathering
from memberops.adapters.sources.rest_listing import as_it_is
from memberops.adapters.sources.rest_paging import CURSOR_GONE, harvest
from memberops.adapters.sources.rest_record import RecordReader, RecordRows
from memberops.adapters.sources.rest_resource import RestResource
from memberops.adapters.sources.text_table import TextTable, read_text_table
from memberops.domain import Finding, Severity
from memberops.errors import ConfigurationError, SourceError, nearest
from memberops.tables import Kind, Table
from memberops.tables import table as table_named

__all__ = ["check_resource", "read_changes"]

_NUMBERS = (Kind.MONEY, Kind.INTEGER)
_NAMING = (Kind.ID, Kind.DATE)
_WHERE = {
    False: ("'paging', and its 'next'", "paging 及其 next"),
    True: ("'params' of 'follow', for larger pages", "follow 的 params（每页条数）"),
}


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
        SourceError: The service cannot be read, or of all records that it lists it
            has none when it is asked for more of them.
    """
    table = options.converter.table
    key = resource.key or record_key_of(table)
    findings: list[Finding] = []
    mark = mark_of(resource, options, reader.address)
    none = RestCursor(table=table.name, mark=mark)
    before = none
    if since is not None and resource.since is not None:
        found = RestCursor.opened(since, table=table.name, mark=mark)
        if found is None:
            findings.append(_reread(table, resource, "cursor-unknown"))
        else:
            before = found
    rows = RecordReader(resource, options, key)

    def gathering() -> Gathering:
        made = as_it_is if resource.waits else rows.read
        return Gathering(resource, made, most=reader.patience.records)

    sent = before.asked(resource)
    try:
        got = harvest(reader, resource, sent, gathering)
    except RefusedReadingError as error:
        if sent is None or error.status not in CURSOR_GONE:
            raise
        findings.append(_reread(table, resource, "cursor-gone"))
        before, sent = none, None
        got = harvest(reader, resource, None, gathering)
    whole = sent is None
    made = list(_made(reader, resource, rows, got, whole=whole))
    table_rows = [row for each in made for row in each.rows]
    text = TextTable.of_rows(resource.path, rows.fields, table_rows)
    result = read_text_table(text, options)[0]
    findings += _cut(table, resource, sum(each.cut for each in made))
    findings += unexplained(sum(each.differs for each in made), resource.path[:80])
    findings += _gone_since(table, resource, sum(each.left for each in made))
    unread = Counter({(resource.path, got.unread): 1} if got.unread else {})
    findings += _unread(table, resource, unread + reader.unread)
    findings += rows.watch.findings() if whole else []
    findings += [f for f in result.findings if whole or f.rule != "no-rows"]
    refused = [rows.key_of(table_rows[at - 1]) for at in result.rejects["line"]]
    return SourceChanges(
        result=attrs.evolve(result, findings=tuple(findings)),
        cursor=before.advanced(got).text(),
        deleted=() if whole else _gone(made, table_rows, rows, result, key),
        whole=whole,
        refused=refused if key and not result.unlisted else (),
        key=resource.key,  # type: ignore[arg-type] # of the converter tuple
    )


def _made(
    reader: HttpReader,
    resource: RestResource,
    rows: RecordReader,
    got: Gathering,
    *,
    whole: bool,
) -> Iterable[RecordRows]:
    """Yield the rows of each record, with what has to be asked for more."""
    left = there = 0
    records: Iterable[Any] = got.records()
    if resource.together is not None:
        records = resource.together(reader, list(records))
    for each in records:
        if not resource.waits:
            yield each
            continue
        record = followed(reader, resource, each)
        left += record is None
        there += record is not None and record is not each
        yield rows.left(each) if record is None else rows.read(record)
    if whole and left > 1 and not there:
        raise _none_there(resource, left)


def _none_there(resource: RestResource, count: int) -> SourceError:
    asked = " or ".join(each.path[:80] for each in resource.follow[:3])
    return SourceError(
        f"{resource.path}: the service has none of {count} records that it lists when "
        f"it is asked for the rest of them at {asked}; check that path, and whether a "
        "server between refuses their ids. Nothing was taken over"
    ).in_chinese(
        f"{resource.path}：列表中的 {count} 条记录在 {asked} 查询明细时均不存在；"
        "请检查该路径，以及中间的服务器是否拒绝这些编号。未读入任何数据"
    )


def _gone(
    made: list[RecordRows],
    table_rows: list[tuple[str, ...]],
    rows: RecordReader,
    result: SourceResult,
    key: tuple[str, ...],
) -> list[RecordKey]:
    """Name the records that came, and of which the table has no row now."""
    if not key:
        return []
    named = dict.fromkeys(
        [each for one in made for each in one.gone]
        + [each for each in map(rows.key_of, table_rows) if each]
    )
    stays = set(record_keys(result.frame, key))
    return [each for each in named if each not in stays]


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


def _gone_since(table: Table, resource: RestResource, count: int) -> list[Finding]:
    if not count:
        return []
    return [
        Finding(
            table=table.name,
            rule="records-gone",
            severity=Severity.WARNING,
            source=resource.path[:80],
            count=count,
            message_en="the service listed these records and had them no more when it "
            "was asked for the rest of them; if it happens each time, a server between "
            "may refuse their ids",
            message_zh="服务的列表中有这些记录，但查询其明细时已不存在；如果每次都如此，"
            "可能是中间的服务器不接受这些编号",
        )
    ]


def _unread(
    table: Table, resource: RestResource, unread: Counter[tuple[str, str]]
) -> list[Finding]:
    asked_more = {each.path for each in resource.follow}
    return [
        Finding(
            table=table.name,
            rule="pages-unread",
            severity=Severity.WARNING,
            source=path[:80],
            count=count,
            message_en=f"the last answer seems to say by {sign[:80]!r} that there is "
            f"more than was read: see {_WHERE[path in asked_more][0]}",
            message_zh=f"最后一次应答中的 {sign[:80]!r} 似乎表示还有未读取的数据；"
            f"请检查 {_WHERE[path in asked_more][1]}",
        )
        for (path, sign), count in unread.items()
    ]


def check_resource(resource: RestResource, table: str) -> None:
    """
    Hold what a resource names against a canonical table.

    Raises:
        ConfigurationError: It has no columns, makes texts negative, tells changes of
            a table whose key has several columns without a *key* of its own, or
            names a key that the table does not have.
        UnknownTableError: There is no such table.
    """
    canonical = table_named(table)
    key = resource.key or record_key_of(canonical)
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
    naming = [c.name for c in canonical.columns if c.kind in _NAMING]
    for name in resource.key:
        if name not in naming:
            raise ConfigurationError(
                f"'key' names {name[:40]!r}, which is no id or day of {table!r}; "
                f"{nearest(name, naming)}"
            )
    if resource.since is not None and len(key) > 1 and not resource.key:
        # A record whose day was corrected would stand there twice.
        raise ConfigurationError(
            f"rows of {table!r} are known by {' and '.join(key)}: say by 'key' which "
            f"of them a record keeps when it is corrected, as in key = [{key[0]!r}]"
        )
    if not key and (resource.since is not None or resource.deleted is not None):
        raise ConfigurationError(
            f"rows of {table!r} have no key, so neither 'since' nor 'deleted' can be "
            "used"
        )
