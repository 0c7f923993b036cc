"""Which row of a sheet holds the headings: below titles, over one row or over two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

__all__ = ["HeadingRows", "find_headings", "heading_text"]

MOST_ROWS = 40
"""How many rows at the top of a sheet are looked at for headings."""

_Merged = Sequence[tuple[tuple[int, int], tuple[int, int]]]


@attrs.frozen(kw_only=True)
class HeadingRows:
    """
    The headings of a sheet.

    Args:
        texts: One for each column of the sheet; empty where there is none.
        first: Number of their row, from 1.
        last: Number of their last row: the same, or the next where two are joined.
        known: How many of them mean a column.
    """

    texts: tuple[str, ...]
    first: int
    last: int
    known: int


def heading_text(cell: Any) -> str:
    r"""
    Write a cell of a heading row on one line.

    >>> heading_text("销售\n金额 "), heading_text(2026.0)
    ('销售 金额', '2026')
    """
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())


def find_headings(
    rows: Sequence[Sequence[Any]],
    known: Callable[[str], bool],
    merged: _Merged | None,
    *,
    line: int | None = None,
) -> HeadingRows | None:
    """
    Find the row, or the two rows, with most known headings; the first of equals.

    Args:
        rows: The first rows of a sheet.
        known: Tells whether a text means a column.
        merged: The merged cells, from 0; None if that is not known.
        line: Number of the heading row, if the caller knows it.

    Returns:
        None if all rows are empty. If no heading is known, the first row with text.

    >>> rows = [["十月销售", "", ""], ["门店", "数量", "金额"], ["S1", 1.0, 5.0]]
    >>> find_headings(rows, {"门店", "数量"}.__contains__, None).first
    2
    """
    best: HeadingRows | None = None
    for at in range(len(rows)) if line is None else [line - 1]:
        for found in _candidates(rows, at, known, merged):
            if any(found.texts) and (best is None or found.known > best.known):
                best = found
    return best


def _candidates(
    rows: Sequence[Sequence[Any]],
    at: int,
    known: Callable[[str], bool],
    merged: _Merged | None,
) -> list[HeadingRows]:
    if not 0 <= at < len(rows):
        return []
    top = [heading_text(cell) for cell in rows[at]]
    one = HeadingRows(
        texts=tuple(top), first=at + 1, last=at + 1, known=_count(top, known)
    )
    spans = [each for each in merged or () if each[0][0] == at and each[1][0] <= at + 1]
    if at + 1 >= len(rows) or (merged is not None and not spans):
        return [one]
    bottom = [heading_text(cell) for cell in rows[at + 1]]
    both = _joined(_spread(top, bottom, merged, at), bottom, known)
    two = HeadingRows(
        texts=tuple(both), first=at + 1, last=at + 2, known=_count(both, known)
    )
    if two.known <= max(one.known, _count(bottom, known)):
        # Under a title stands a heading row that needs nothing from above. Only a
        # heading that is merged over both rows shows that they belong together.
        whole = any(first[0] == at < last[0] for first, last in spans)
        return [two] if whole and two.known == one.known > 0 else [one]
    return [two]


def _count(texts: Sequence[str], known: Callable[[str], bool]) -> int:
    return len({text for text in texts if text and known(text)})


def _spread(
    top: list[str], bottom: list[str], merged: _Merged | None, at: int
) -> list[str]:
    """Write the text of a merged cell over all its columns."""
    texts = list(top)
    if merged is None:
        for place in range(1, len(texts)):
            if not texts[place] and bottom[place]:
                texts[place] = texts[place - 1]
    for (row, first), (_, last) in merged or ():
        for place in range(first, min(last + 1, len(texts)) if row == at else first):
            texts[place] = texts[first]
    return texts


def _joined(
    top: list[str], bottom: list[str], known: Callable[[str], bool]
) -> list[str]:
    texts = []
    for above, below in zip(top, bottom, strict=True):
        both = above + below if above != below else above
        alone = below and bottom.count(below) == 1 and known(below)
        texts.append(below if alone and not known(both) else both)
    return texts
