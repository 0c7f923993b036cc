"""Which further tables a file holds: a sheet of members often has their cards too."""

from __future__ import annotations

from collections.abc import Mapping

from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.text_table import TextTable
from memberops.tables import TABLES, Table
from memberops.tables import table as table_named
from memberops.workflows.doctor_columns import likely, placed

__all__ = ["second_tables"]

_OWN = 2


def second_tables(text: TextTable, first: str) -> list[str]:
    """
    Name the tables that a file holds besides the one that it seems to be.

    Such a table has all its required columns, some that the first one has not (of
    members beside cards a name is enough), and a key that is in no two rows: members
    of a sales export are none, for they buy again.

    Args:
        text: The file, or its first rows.
        first: The table that fits it best.

    >>> headings = ["会员号", "姓名", "卡号", "有效期起", "有效期止"]
    >>> text = TextTable.of_rows(
    ...     "file", headings, [["M1", "a", "1", "2026-01-01", "2026-12-31"]])
    >>> second_tables(text, "members")
    ['cards']
    """
    own = set(_places(table_named(first), text, near=False).values())
    found = []
    for table in TABLES:
        if table.name == first or not table.key:
            continue
        places = _places(table, text, near=True)
        if not {*table.required, *table.key} <= set(places):
            continue
        more = {name: at for name, at in places.items() if at not in own}
        if not _adds(table, more, first):
            continue
        if _unique([text.columns[places[name]] for name in table.key]):
            found.append(table.name)
    return found


def _adds(table: Table, more: Mapping[str, int], first: str) -> bool:
    """Tell whether columns that the first table has not are enough for another one."""
    people = (first, table.name) == ("cards", "members")
    named = people and any(table.column(name).personal for name in more)
    return named or len(set(more.values())) >= _OWN


def _places(table: Table, text: TextTable, *, near: bool) -> dict[str, int]:
    """Find the columns of a table, also by headings that only look alike."""
    places, _, _ = placed(table, text.headings)
    if near and set(table.key) & set(places):
        alike = likely(table, text.headings, places)
        places |= {name: at for name, (at, _) in alike.items()}
    return places


def _unique(columns: list[TextColumn]) -> bool:
    rows = list(zip(*(column.codes.tolist() for column in columns), strict=True))
    full = all(text.strip() for column in columns for text in column.texts)
    return bool(rows) and full and len(set(rows)) == len(rows)
