"""Which row of a sheet holds the headings: below titles, over one row or over two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs

from memberops.tables import normal_heading

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
        others: What else each may be called, if two rows are there: as it stands in
            the lower one, or joined with what stands above.
    """

    texts: tuple[str, ...]
    first: int
    last: int
    known: int
    others: tuple[tuple[str, ...], ...] = ()

    def names(self, at: int) -> tuple[str, ...]:
        """Return all that the column at a position may be called, as shown first."""
        return (self.texts[at], *(self.others[at] if self.others else ()))

    def also(self, wanted: Sequence[int]) -> dict[str, int]:
        """
        Return the other names of columns; of several with one name ``name#2`` tells.

        Args:
            wanted: The columns, as they stand in the sheet.

        Returns:
            By name the place among *wanted*.

        >>> rows = HeadingRows(texts=("编码", "本期金额", "上期金额"), first=1, last=2,
        ...                    known=2, others=(("门店编码",), ("金额",), ("金额",)))
        >>> rows.also([0, 1, 2])
        {'门店编码': 0, '金额#1': 1, '金额#2': 2}
        """
        places: dict[str, list[int]] = {}
        for place, at in enumerate(wanted):
            for name in self.names(at)[1:]:
                places.setdefault(normal_heading(name), []).append(place)
        return {
            name if len(found) == 1 else f"{name}#{number}": place
            for name, found in places.items()
            for number, place in enumerate(found, start=1)
        }


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
    named: Callable[[str], bool] = lambda _text: False,
) -> HeadingRows | None:
    """
    Find the row, or the two rows, with most known headings; the first of equals.

    Args:
        rows: The first rows of a sheet.
        known: Tells whether a text means a column.
        merged: The merged cells, from 0; None if that is not known.
        line: Number of the heading row, or of the first, if the caller knows it.
        named: Tells whether an option names a text.

    Returns:
        None if all rows are empty. If no heading is known, the first row with text.

    >>> rows = [["十月销售", "", ""], ["门店", "数量", "金额"], ["S1", 1.0, 5.0]]
    >>> find_headings(rows, {"门店", "数量"}.__contains__, None).first
    2
    """
    best: HeadingRows | None = None
    for at in range(len(rows)) if line is None else [line - 1]:
        for found in _candidates(rows, at, _Words(known, named), merged, line):
            if any(found.texts) and (best is None or found.known > best.known):
                best = found
    return best


@attrs.frozen
class _Words:
    """What a text may mean."""

    known: Callable[[str], bool]
    named: Callable[[str], bool]

    def count(self, texts: Iterable[str]) -> int:
        return len({text for text in texts if text and self.known(text)})

    def rather(self, first: str, other: str) -> bool:
        """Whether the first means a column, and the other none or one unnamed."""
        if self.named(first) or self.named(other):
            return self.named(first) and not self.named(other)
        return self.known(first) and not self.known(other)


def _candidates(
    rows: Sequence[Sequence[Any]],
    at: int,
    words: _Words,
    merged: _Merged | None,
    line: int | None,
) -> list[HeadingRows]:
    if not 0 <= at < len(rows):
        return []
    one = _alone(rows, at, words, merged)
    spans = [each for each in merged or () if each[0][0] == at and each[1][0] <= at + 1]
    if at + 1 >= len(rows) or (merged is not None and not spans):
        return [one]
    top, bottom = _texts(rows[at]), _texts(rows[at + 1])
    spread = _spread(top, bottom, merged, at)
    both = _joined(spread, bottom, words)
    two = HeadingRows(
        texts=tuple(both),
        first=at + 1,
        last=at + 2,
        known=words.count(both),
        others=_others(both, spread, bottom),
    )
    upper = words.count(top)
    lower = words.count(bottom) if line is None else 0
    if two.known <= max(upper, lower):
        # Under a title stands a heading row that needs nothing from above. Only a
        # heading that is merged over both rows shows that they belong together.
        whole = any(first[0] == at < last[0] for first, last in spans)
        return [two] if whole and two.known == upper > 0 else [one]
    return [two]


def _texts(row: Sequence[Any]) -> list[str]:
    return [heading_text(cell) for cell in row]


def _alone(
    rows: Sequence[Sequence[Any]], at: int, words: _Words, merged: _Merged | None
) -> HeadingRows:
    """Take one row, and from merged cells above it what tells its headings apart."""
    bottom = _texts(rows[at])
    plain = HeadingRows(
        texts=tuple(bottom), first=at + 1, last=at + 1, known=words.count(bottom)
    )
    spans = [each for each in merged or () if each[0][0] == at - 1]
    if not spans:
        return plain
    above = _spread(_texts(rows[at - 1]), bottom, merged, at - 1)
    groups: dict[str, list[str]] = {}
    for over, below in zip(above, bottom, strict=True):
        groups.setdefault(below, []).append(over)
    # A title stands over all of them, or over nothing but its own columns.
    parted = {
        below
        for below, over in groups.items()
        if below and all(over) and len(set(over)) > 1
    }
    downward = {
        place
        for (_, first), (row, last) in spans
        if row >= at
        for place in range(first, last + 1)
    }
    texts = [
        _both(over, below)
        if below in parted
        or (below and words.rather(_both(over, below), below))
        or (not below and place in downward)
        else below
        for place, (over, below) in enumerate(zip(above, bottom, strict=True))
    ]
    joined = texts != bottom
    return HeadingRows(
        texts=tuple(texts),
        first=at if joined else at + 1,
        last=at + 1,
        known=max(plain.known, words.count(texts)),
        others=_others(texts, above, bottom),
    )


def _both(above: str, below: str) -> str:
    return above + below if above != below else above


def _others(
    texts: Sequence[str], above: Sequence[str], bottom: Sequence[str]
) -> tuple[tuple[str, ...], ...]:
    found = []
    for text, over, below in zip(texts, above, bottom, strict=True):
        other = below if text != below else _both(over, below)
        found.append((other,) if below and other != text else ())
    return tuple(found)


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


def _joined(top: list[str], bottom: list[str], words: _Words) -> list[str]:
    times = Counter(bottom)
    return [
        below
        if times[below] == 1 and below and words.rather(below, _both(above, below))
        else _both(above, below)
        for above, below in zip(top, bottom, strict=True)
    ]
