"""Rows of totals at the end of a table: no records, in a sheet or in a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from memberops.adapters.sources.finding_log import FindingLog

__all__ = ["closing_rows", "is_totals", "tell_notes", "tell_totals"]

_WORDS = frozenset(
    {"合计", "总计", "小计", "共计", "累计", "总和", "total", "totals", "grandtotal",
     "subtotal", "sum"}
)  # fmt: skip
_FIGURE = re.compile(r"[-−(]?[¥￥$€£]?[-−]?[\d,.]+%?\)?元?", re.ASCII)
_SHOWN_ROWS = 5
_MOST_NOTES = 5


def is_totals(cells: Sequence[Any], *, lacks: bool) -> bool:
    """
    Tell whether a row holds totals.

    Such a row begins with the word for one, and lacks what a row needs or has only
    figures besides.

    Args:
        cells: The cells of the row.
        lacks: Whether a cell is empty that no row may lack.

    >>> is_totals(["合计：", "", "3", "1,299.00"], lacks=False)
    True
    >>> is_totals(["合计", "一店", "3"], lacks=False)
    False
    """
    filled = [text for cell in cells if (text := str(cell).strip())]
    if not filled:
        return False
    first = filled[0].strip(":：").replace(" ", "").casefold()
    return first in _WORDS and (lacks or all(map(_FIGURE.fullmatch, filled[1:])))


def closing_rows(rows: Iterable[tuple[Sequence[Any], bool]]) -> list[bool]:
    """
    Find the totals at the end of a table, and the notes below them.

    A note is a row of one text, such as who made the list, in which a cell is empty
    that no row may lack. Without totals above it, it is a row like any other.

    Args:
        rows: The rows from the last one upward, each with whether it lacks a cell
            that no row may lack.

    Returns:
        For each of the last rows from the end upward, whether it is a note.

    >>> closing_rows([(["制表人：李", "", ""], True), (["合计", "", "9"], True),
    ...               (["T1", "S1", "9"], False)])
    [True, False]
    """
    found: list[bool] = []
    for cells, lacks in rows:
        if is_totals(cells, lacks=lacks):
            found.append(False)
            continue
        filled = [text for cell in cells if (text := str(cell).strip())]
        note = lacks and len(filled) == 1 and not _FIGURE.fullmatch(filled[0])
        if not note or False in found or len(found) == _MOST_NOTES:
            break
        found.append(True)
    return found if False in found else []


def tell_notes(lines: Sequence[int], log: FindingLog) -> None:
    """Tell which notes below the totals are not read, if there are any."""
    if not lines:
        return
    rows = ", ".join(map(str, sorted(lines)[:_SHOWN_ROWS]))
    log.add(
        "note-below-totals",
        f"notes below the totals, not read: {len(lines)} (row {rows})",
        f"合计行以下的 {len(lines)} 行备注未读取（第 {rows} 行）",
        count=len(lines),
    )


def tell_totals(lines: Sequence[int], log: FindingLog) -> None:
    """Tell which rows of totals are not read, if there are any."""
    if not lines:
        return
    rows = ", ".join(map(str, sorted(lines)[:_SHOWN_ROWS]))
    log.add(
        "totals-row",
        f"rows of totals at the end, not read: {len(lines)} (row {rows})",
        f"表尾的 {len(lines)} 个合计行未读取（第 {rows} 行）",
        count=len(lines),
    )
