"""From the headings of a file to the columns of a canonical table."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import attrs

from memberops.domain.values import mask
from memberops.errors import (
    ConfigurationError,
    MissingColumnsError,
    SourceError,
    bounded,
    nearest,
)
from memberops.tables import Column, Kind, Table, normal_heading

__all__ = [
    "HeadingMap",
    "check_names",
    "map_headings",
    "nearest_heading",
    "shown_heading",
]

_DIGITS = re.compile(r"\d{5,}")
_LONGEST = 40
_LONGEST_ALIKE = 100


@attrs.frozen(kw_only=True)
class HeadingMap:
    """
    Where each canonical column stands in a file.

    Args:
        places: Positions of the columns of the file that mean a canonical column;
            more than one position is a conflict unless their cells are equal.
        extra: Positions of other headings that the caller asked for.
        ignored: Headings that mean no column.
        repeated: Headings that stand in the file more than once.
    """

    places: dict[str, tuple[int, ...]]
    extra: dict[str, int]
    ignored: tuple[str, ...]
    repeated: tuple[str, ...]


def shown_heading(heading: str) -> str:
    """
    Cut a heading for a message; long numbers are masked, they may be data.

    >>> shown_heading("电话13812345678")
    '电话*******5678'
    """
    text = _DIGITS.sub(lambda match: str(mask(match[0])), heading.strip())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def check_names(option: str, names: Iterable[str], table: Table) -> None:
    """
    Refuse an option that names a column which the table does not have.

    Raises:
        ConfigurationError: Naming the nearest column.
    """
    for name in names:
        if name not in table.names:
            raise ConfigurationError(
                f"{option!r} names {str(name)[:40]!r}, which is no column of "
                f"{table.name}; {nearest(str(name), table.names)}"
            )


def _preferred(
    column: Column, found: tuple[int, ...], normal: Sequence[str]
) -> tuple[int, ...] | None:
    """
    Choose among headings that all mean a column: its own name before its aliases.

    Of ids the earlier alias wins as well (a store's code before the country it lies
    in). Amounts are never chosen between: the caller says which one was paid.
    """
    if column.kind is Kind.MONEY:
        return None
    order = [normal_heading(heading) for heading in column.headings]
    own = set(order[:3])
    named = tuple(at for at in found if normal[at] in own)
    if len(named) == 1:
        return named
    if column.kind is not Kind.ID or named:
        return None
    ranks = [order.index(normal[at]) for at in found]
    first = tuple(
        at for at, rank in zip(found, ranks, strict=True) if rank == min(ranks)
    )
    return first if len(first) == 1 else None


def map_headings(
    headings: Sequence[str],
    table: Table,
    *,
    columns: Mapping[str, str],
    constants: Iterable[str] = (),
    extra: Iterable[str] = (),
    also: Mapping[str, int] | None = None,
) -> HeadingMap:
    """
    Match the headings of a file with the columns of a table.

    Args:
        headings: As they stand in the file.
        table: The canonical table.
        columns: Headings that the caller chose, by canonical column; ``"金额#2"``
            means the second column with that heading.
        constants: Columns that the caller gives a value for.
        extra: Headings that are wanted although they mean no column.
        also: Places of columns by other names that *columns* and *extra* may use.

    Raises:
        ConfigurationError: An option names an unknown column, or a column is both
            in the file's mapping and a constant.
        MissingColumnsError: A required column cannot be had; with the nearest.
        SourceError: The first line seems to hold data, not headings.

    >>> from memberops.tables import table
    >>> found = map_headings(["店名", "门店编号", "备注"], table("stores"), columns={})
    >>> found.places, found.ignored
    ({'name': (0,), 'store_id': (1,)}, ('备注',))
    """
    check_names("columns", columns, table)
    check_names("constants", constants, table)
    if both := sorted(set(columns) & set(constants)):
        raise ConfigurationError(
            f"{both[0]!r} is in 'columns' and in 'constants': choose one"
        )
    normal = [normal_heading(heading) for heading in headings]
    # Brackets count: 金额(分) beside 金额(元) is no heading that stands twice.
    written = [" ".join(heading.split()).casefold() for heading in headings]
    times = Counter(written)
    places: dict[str, tuple[int, ...]] = {
        name: (_find(heading, normal, headings, table, also or {}),)
        for name, heading in columns.items()
    }
    wanted = {text: _find(text, normal, headings, table, also or {}) for text in extra}
    known = table.by_heading()
    ignored = []
    for position, form in enumerate(normal):
        column = known.get(form)
        if column and column.name not in (*columns, *constants):
            places[column.name] = (*places.get(column.name, ()), position)
        elif position not in wanted.values() and (position,) not in places.values():
            ignored.append(shown_heading(headings[position]) or f"({position + 1})")
    if not places and any(map(_is_data, headings)):
        raise SourceError(
            f"the first line has no known heading of {table.name} and looks like "
            "data: the file needs a heading line"
        )
    for name, found in places.items():
        if len(found) > 1 and (best := _preferred(table.column(name), found, normal)):
            read = {best[0], *wanted.values()}
            ignored += [shown_heading(headings[at]) for at in found if at not in read]
            places[name] = best
    _check_required(table, {*places, *constants}, headings)
    return HeadingMap(
        places=places,
        extra=wanted,
        ignored=tuple(ignored),
        repeated=tuple(
            shown_heading(headings[written.index(form)])
            for form in dict.fromkeys(written)
            if form and times[form] > 1
        ),
    )


def nearest_heading(column: Column, unread: Iterable[str]) -> str | None:
    """
    Return the unread heading that looks like one of a column, if any does.

    >>> from memberops.tables import table
    >>> store = table("members").column("store_id")
    >>> nearest_heading(store, ["备注", "登记门店"]), nearest_heading(store, ["备注"])
    ('登记门店', None)
    """
    known = {normal_heading(heading) for heading in column.headings}
    for heading in unread:
        if len(heading) > _LONGEST_ALIKE:
            continue
        form = normal_heading(heading)
        whole = any(each in form for each in known if len(each) > 1)
        if form and (whole or difflib.get_close_matches(form, known, n=1, cutoff=0.75)):
            return heading
    return None


def _find(
    wanted: str,
    normal: Sequence[str],
    headings: Sequence[str],
    table: Table,
    also: Mapping[str, int],
) -> int:
    if list(headings).count(wanted) == 1:  # 金额* may stand beside 金额
        return list(headings).index(wanted)
    text, mark, number = wanted.rpartition("#")
    numbered = mark and number.isdecimal() and normal_heading(wanted) not in normal
    form = normal_heading(text if numbered else wanted)
    nth = int(number) if numbered else 1
    positions = [place for place, other in enumerate(normal) if other == form and form]
    if 1 <= nth <= len(positions):
        return positions[nth - 1]
    other = f"{form}#{nth}" if numbered else form
    if other in also:
        return also[other]
    shown = [shown_heading(heading) for heading in headings]
    error = MissingColumnsError(table.name, [wanted], shown)
    told = (
        f"an option names the heading {wanted[:_LONGEST]!r}, which is not "
        f"there; {nearest(wanted, shown)}{_oddity(headings)}"
    )
    error.args = (told,)
    raise error


def _oddity(headings: Sequence[str]) -> str:
    """Say what may be wrong with a heading line that has but one cell."""
    text = headings[0].strip() if len(headings) == 1 else ""
    mark = next((mark for mark in ";\t|，；" if mark in text), None)
    if mark:
        return (
            f"; the heading line is one cell and holds {mark!r}: "
            f"say delimiter={mark!r} if that parts the columns"
        )
    if text.startswith("<"):
        return "; the file seems to be HTML or XML: open it and save it as CSV"
    if not text:
        return ""
    return (
        "; the heading line is one cell: its 'delimiter' or 'encoding' may be another, "
        "or the line above the headings has to go"
    )


def _is_data(heading: str) -> bool:
    return any(char.isdigit() for char in heading)


def _check_required(table: Table, present: set[str], headings: Sequence[str]) -> None:
    missing = [
        column
        for column in table.columns
        if column.required
        and column.name not in present
        and not (column.derived_from and present.issuperset(column.derived_from))
    ]
    if not missing:
        return
    shown = [shown_heading(heading) for heading in headings]
    error = MissingColumnsError(table.name, [column.name for column in missing], shown)
    # The column's own headings are nearer to those of a file than its identifier.
    hints = "; ".join(_hint(column, shown) for column in missing[:3])
    names = bounded(column.name for column in missing)
    told = f"there is no column for {names} of {table.name} ({hints})"
    error.args = (told + _oddity(headings),)
    raise error


def _hint(column: Column, headings: Sequence[str]) -> str:
    forms = {normal_heading(h): h for h in headings if len(h) <= _LONGEST_ALIKE}
    for known in column.headings:
        if match := difflib.get_close_matches(normal_heading(known), forms, n=1):
            return (
                f"{column.name} / {column.heading_zh}: did you mean "
                f"{forms[match[0]]!r}? Then say columns={{{column.name!r}: ...}}, "
                f'in TOML columns = {{ {column.name} = "..." }}'
            )
    return f"{column.name} / {column.heading_zh}: {nearest(column.name, headings)}"
