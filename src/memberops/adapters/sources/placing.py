"""Which column of a source is read for which of the table, and what that tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np

from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.currency_column import may_name_currency
from memberops.adapters.sources.finding_log import FindingLog, Reason
from memberops.adapters.sources.headings import (
    HeadingMap,
    check_names,
    map_headings,
    nearest_heading,
    shown_heading,
)
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.return_lines import may_mark_returns
from memberops.domain import Severity
from memberops.errors import SourceError, bounded

__all__ = ["canonical_columns", "place_headings"]


def place_headings(
    headings: Sequence[str] | None,
    options: ReadingOptions,
    log: FindingLog,
    *,
    line: int | None = None,
    also: Mapping[str, int] | None = None,
) -> HeadingMap:
    """
    Match headings with the columns of a table, and tell what is odd about them.

    Args:
        headings: As they stand; None if the source is empty.
        options: What the caller chose.
        log: Takes the findings.
        line: Where the headings stand.
        also: See `map_headings`.

    Raises:
        ConfigurationError: An option names an unknown column.
        MissingColumnsError: A required column cannot be had.
        SourceError: The headings look like data, or are more than the limit.
    """
    table = options.converter.table
    made = (*options.converter.constants, *options.made)
    if headings is None:
        check_names("columns", options.columns, table)
        check_names("constants", options.converter.constants, table)
        return HeadingMap(
            places={name: (0,) for name in table.names if name not in made},
            extra=dict.fromkeys((*options.headings_ruled, *options.headings_joined), 0),
            ignored=(),
            repeated=(),
        )
    if len(headings) > options.limits.columns:
        raise SourceError(
            f"there are {len(headings)} columns, above the limit 'columns' of "
            f"{options.limits.columns}; raise it if that is meant"
        )
    place = map_headings(
        headings,
        table,
        columns=options.columns,
        constants=made,
        extra={*options.headings_ruled, *options.headings_joined},
        also=also,
    )
    place = _with_telling(place, headings, options, also or {})
    if place.repeated:
        shown = bounded(place.repeated)
        log.add(
            "heading-repeated",
            f"the heading line has {shown} more than once",
            f"标题行中 {shown} 重复出现",
            severity=Severity.WARNING,
            row=line,
            count=len(place.repeated),
        )
    _tell_about_likely(place, options, log, line)
    if place.ignored:
        shown = bounded(place.ignored, limit=12)
        log.add(
            "heading-ignored",
            f"these columns mean nothing here and are not read: {shown}",
            f"以下列不在表中，未读取：{shown}",
            row=line,
            count=len(place.ignored),
        )
    return place


def _with_telling(
    place: HeadingMap,
    headings: Sequence[str],
    options: ReadingOptions,
    also: Mapping[str, int],
) -> HeadingMap:
    """Add unread columns that may tell what a row is: its currency, or a return."""
    own, extra = options.converter, dict(place.extra)
    read = {at for places in place.places.values() for at in places}
    read |= set(extra.values())
    told = set()
    for at, heading in enumerate(headings):
        if at in read or heading in extra:
            continue
        names = [heading, *(name for name, place in also.items() if place == at)]
        named = [name for name in names if may_name_currency(name, own.table)]
        if named and own.currency_column is None:
            extra[named[0]] = at
            told.add(shown_heading(heading))  # when it is known what it holds
        elif any(may_mark_returns(name, own.table, own.returns) for name in names):
            extra[heading] = at
    ignored = tuple(each for each in place.ignored if each not in told)
    return attrs.evolve(place, extra=extra, ignored=ignored)


def _tell_about_likely(
    place: HeadingMap, options: ReadingOptions, log: FindingLog, line: int | None
) -> None:
    """Warn if a heading that is not read looks like one of an empty column."""
    had = {*place.places, *options.converter.constants, *options.made}
    for column in options.converter.table.columns:
        if column.name in had or column.derived_from:
            continue
        if like := nearest_heading(column, place.ignored):
            log.add(
                "heading-likely",
                f"no column is read as {column.heading_en} ({column.name}), which "
                f"stays empty; if {like!r} means it, say "
                f"columns={{{column.name!r}: {like!r}}}",
                f"没有读到“{column.heading_zh}”（{column.name}），该列留空；如果"
                f"“{like}”就是该列，请写明 columns={{{column.name!r}: {like!r}}}",
                severity=Severity.WARNING,
                row=line,
                column=column.name,
            )


def canonical_columns(
    place: HeadingMap,
    text_of: Callable[[int], TextColumn],
    options: ReadingOptions,
    log: FindingLog,
    *,
    headings: Sequence[str] = (),
    blocked: Mapping[str, Reason] | None = None,
) -> tuple[dict[str, TextColumn], dict[str, Reason], dict[str, TextColumn]]:
    """
    Take the text of each canonical column: chosen, joined, and put in our words.

    Args:
        place: What `place_headings` gave.
        text_of: The text of the column at a position.
        options: What the caller chose.
        log: Takes the findings.
        headings: As they stand, to be told.
        blocked: Columns that cannot be used, as `settle_units` found.

    Returns:
        The columns, those that cannot be used with the reason, and the columns that
        rules name, or that may tell what a row is.
    """
    unusable = dict(blocked or {})
    columns, several = _chosen(place, text_of, headings, log, told=unusable)
    extra = {name: text_of(at) for name, at in place.extra.items()}
    columns |= options.joined(extra)
    return options.translated(columns), {**several, **unusable}, extra


def _chosen(
    place: HeadingMap,
    text_of: Callable[[int], TextColumn],
    headings: Sequence[str],
    log: FindingLog,
    *,
    told: Mapping[str, Reason],
) -> tuple[dict[str, TextColumn], dict[str, Reason]]:
    """Choose the column of the source for each canonical one, if there is but one."""
    columns: dict[str, TextColumn] = {}
    blocked: dict[str, Reason] = {}
    for name, places in place.places.items():
        if name in told:
            continue
        first = text_of(places[0])
        columns[name] = first
        if len(places) == 1:
            continue
        shown = bounded(shown_heading(headings[at]) for at in places if headings)
        if all(_same(first, text_of(at)) for at in places[1:]):
            log.add(
                "heading-twin",
                f"the columns {shown} are equal; the first is read",
                f"{shown} 各列内容相同，读取第一列",
                column=name,
            )
            continue
        del columns[name]
        blocked[name] = Reason(
            "heading-conflict",
            name,
            f"the columns {shown} all mean {name} and differ; say which one to read "
            f"with columns={{{name!r}: heading}} (heading#2 is the second such one)",
            f"{shown} 各列都可作为 {name}，但内容不同；请用 "
            f"columns={{{name!r}: 标题}} 指定（标题#2 表示第二个同名列）",
        )
        log.add(
            "heading-conflict",
            blocked[name].text_en,
            blocked[name].text_zh,
            severity=Severity.ERROR,
            column=name,
            count=len(first.codes),
        )
    return columns, blocked


def _same(left: TextColumn, right: TextColumn) -> bool:
    pairs = np.unique(np.stack([left.codes, right.codes]), axis=1)
    return all(
        left.texts[a].strip() == right.texts[b].strip() for a, b in pairs.T.tolist()
    )
