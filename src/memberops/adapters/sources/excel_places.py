"""
Where the cells in the XML of a sheet say that they are, many at once.

A program that writes workbooks begins each cell with its place: ``<c r="A1"``. Where
all cells of a block do so and no place comes twice, the places are found by looking at
all bytes together. In any other block nothing is found here, and it is read tag by tag.
"""

from __future__ import annotations

import re
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

__all__ = [
    "Places", "column_number", "places_of_cells", "styles_of_cells", "walked_places",
]  # fmt: skip

_LESS, _COLON, _EQUALS, _QUOTE, _SPACE = (ord(sign) for sign in '<:="' + " ")
_SLASH, _GREATER, _APOSTROPHE, _ZERO, _NINE = (ord(sign) for sign in "/>'09")
_C, _F, _R, _S, _T = (ord(sign) for sign in "cfrst")
_BEFORE_A, _LETTERS = ord("a") - 1, 26
_MOST_LETTERS, _MOST_DIGITS = 4, 9
_PADDING = 32
# What stands between < and > holds neither: so each tag is looked at once, and not
# again from each < of a text that has no > for a million signs.
_TAG = re.compile(rb"<(?:\w+:)?(?:(row|c)|(f))(?=[\s/>])([^<>]*)>")
_OWN = re.compile(rb"""(?<![\w:.-])r\s*=\s*["']([A-Za-z]*)([0-9]*)["']""")
_STYLE = re.compile(rb"""\ss\s*=\s*["']([0-9]{1,9})["']""")
_Array = npt.NDArray[Any]


@attrs.frozen
class Places:
    """
    The cells of a block of XML.

    Args:
        starts: Where each cell begins in the block, in rising order.
        rows: The number of its row.
        columns: The number of its column.
        formulas: Where the name of each element of a formula begins.
        ends: Where the name of each cell's place ends, with a quote; None where cells
            are written in several ways.
    """

    starts: _Array
    rows: _Array
    columns: _Array
    formulas: _Array
    ends: _Array | None = None


def places_of_cells(block: bytes) -> Places | None:
    """
    Find the places of all cells of a block, or None if they are written otherwise.

    >>> found = places_of_cells(b'<row r="7"><c r="B7" s="1"><v>1</v></c></row>')
    >>> found.rows.tolist(), found.columns.tolist()
    ([7], [2])
    >>> places_of_cells(b'<row r="7"><c s="1" r="B7"><v>1</v></c></row>') is None
    True
    """
    signs = np.frombuffer(block + bytes(_PADDING), np.uint8)
    here, following = signs[: len(block)], signs[1 : len(block) + 1]
    opening = (here == _LESS) | (here == _COLON)
    starts = _tags(signs, np.flatnonzero(opening & (following == _C)))
    begun = (signs[starts + 2] == _SPACE) & (signs[starts + 3] == _R)
    begun &= (signs[starts + 4] == _EQUALS) & (signs[starts + 5] == _QUOTE)
    spaced = np.flatnonzero((here == _R) & (following <= _SPACE))
    apart = signs[spaced + 2]
    if not begun.all() or ((apart <= _SPACE) | (apart == _EQUALS)).any():
        return None
    # Of two places of one cell the reader takes the last: each must be a known one.
    named = np.flatnonzero((here == _R) & (following == _EQUALS))
    before, third = signs[named - 1], signs[named + 2]
    quoted = (third == _QUOTE) | (third == _APOSTROPHE) | (third <= _SPACE)
    quoted &= ~_are_letters(before) & (before != _COLON)
    more = np.count_nonzero(quoted) - len(starts) - block.count(b'<row r="')
    if more and more != block.count(b':row r="'):
        return None
    read = _read_places(signs, starts + 6)
    if read is None:
        return None
    formulas = _tags(signs, np.flatnonzero(opening & (following == _F)))
    # One for each <, or a text of a million ":f " would be looked through from each.
    owners = np.searchsorted(np.flatnonzero(here == _LESS), formulas, side="right")
    formulas = formulas[np.unique(owners, return_index=True)[1]]
    rows, columns, ends = read
    return Places(starts, rows, columns, formulas + 1, ends)


def _are_letters(signs: _Array) -> _Array:
    numbers = (signs | _SPACE) - np.uint8(_BEFORE_A)
    return (numbers >= 1) & (numbers <= _LETTERS)


def _tags(signs: _Array, starts: _Array) -> _Array:
    """Keep those whose name is one letter."""
    third = signs[starts + 2]
    ends = (third <= _SPACE) | (third == _SLASH) | (third == _GREATER)
    kept: _Array = starts[ends]
    return kept


def _read_places(signs: _Array, at: _Array) -> tuple[_Array, _Array, _Array] | None:
    """Read letters and digits up to a quote, and tell where it stands."""
    columns: _Array = np.zeros(len(at), dtype=np.int64)
    for _ in range(_MOST_LETTERS):
        values: _Array = (signs[at] | _SPACE) - np.uint8(_BEFORE_A)
        more: _Array = (values >= 1) & (values <= _LETTERS)
        if not more.any():
            break
        columns = np.where(more, columns * _LETTERS + values, columns)
        at = at + more
    rows, at = _read_number(signs, at)
    whole = (signs[at] == _QUOTE) & (rows > 0) & (columns > 0)
    return (rows, columns, at) if whole.all() else None


def _read_number(signs: _Array, at: _Array) -> tuple[_Array, _Array]:
    """Read digits, and tell where they end."""
    numbers: _Array = np.zeros(len(at), dtype=np.int64)
    for _ in range(_MOST_DIGITS):
        values: _Array = signs[at] - np.uint8(_ZERO)
        more: _Array = values <= _NINE - _ZERO
        if not more.any():
            break
        numbers = np.where(more, numbers * 10 + values, numbers)
        at = at + more
    return numbers, at


def styles_of_cells(block: bytes, places: Places) -> _Array:
    """
    Find the number of the style of each cell; that of a cell that names none is 0.

    Args:
        block: The XML.
        places: Its cells.

    >>> block = b'<c r="A1" s="12"/><c r="B1"/><c r="C1" t="s" s="3"><v>0</v></c>'
    >>> styles_of_cells(block, places_of_cells(block)).tolist()
    [12, 0, 3]
    """
    signs = np.frombuffer(block + bytes(_PADDING), np.uint8)
    if places.ends is not None:
        found = _styles_behind(signs, places.ends)
        if found is not None:
            return found
    here, following = signs[: len(block)], signs[1 : len(block) + 1]
    starts = places.starts
    styles: _Array = np.zeros(len(starts), dtype=np.int64)
    spaced = signs[np.flatnonzero((here == _S) & (following <= _SPACE)) + 2]
    if ((spaced <= _SPACE) | (spaced == _EQUALS)).any():
        ends = [*starts[1:].tolist(), len(block)]
        for cell, (start, end) in enumerate(zip(starts.tolist(), ends, strict=True)):
            closed = block.find(b">", start, end)
            if style := _STYLE.search(block, start, end if closed < 0 else closed):
                styles[cell] = int(style[1])
        return styles
    named = np.flatnonzero((here == _S) & (following == _EQUALS))
    named = named[(signs[named - 1] <= _SPACE) & (named > starts[0])]
    owners = np.searchsorted(starts, named) - 1
    # What stands behind a > is a text, or belongs to the tag of a row.
    closes = np.flatnonzero(here == _GREATER)
    own = np.searchsorted(closes, named) == np.searchsorted(closes, starts[owners])
    values, at = _read_number(signs, named[own] + 3)
    quoted = (signs[at] == _QUOTE) | (signs[at] == _APOSTROPHE)
    styles[owners[own]] = np.where(quoted, values, 0)
    return styles


def _styles_behind(signs: _Array, ends: _Array) -> _Array | None:
    """Read the styles where each is named behind the place, as most programs do."""
    first, second, third, fourth = (signs[ends + step] for step in range(1, 5))
    given = (first == _SPACE) & (third == _EQUALS) & (fourth == _QUOTE)
    named = given & (second == _S)
    # Or there is nothing, or a kind (s, str, inlineStr) and nothing behind it.
    other = (first == _GREATER) | (first == _SLASH)
    longer, longest = (_are_letters(signs[ends + step]) for step in (6, 8))
    for length, own in ((1, ~longer), (3, longer), (9, longer & longest)):
        last = ends + (length + 5)
        closed = (signs[last] == _QUOTE) & (signs[last + 1] == _GREATER)
        other |= given & (second == _T) & own & closed
    values, at = _read_number(signs, ends[named] + 5)
    if not (named | other).all() or not (signs[at] == _QUOTE).all():
        return None
    styles: _Array = np.zeros(len(ends), dtype=np.int64)
    styles[named] = values
    return styles


def walked_places(
    block: bytes, row: int = 0, column: int = 0
) -> tuple[Places, int, int]:
    """
    Find the places of all cells of a block, tag by tag, as their reader does.

    A row or a cell that names no place stands behind the one before it.

    Args:
        block: The XML.
        row: The number of the row before it.
        column: The number of the cell before it.

    Returns:
        The places, and the numbers of the last row and cell.

    >>> found, *last = walked_places(b"<row><c/><c r='D3'/><c/></row>", 4)
    >>> found.rows.tolist(), found.columns.tolist(), last
    ([5, 3, 5], [1, 4, 5], [5, 5])
    """
    starts: list[int] = []
    rows: list[int] = []
    columns: list[int] = []
    formulas: list[int] = []
    for tag in _TAG.finditer(block):
        kind, formula, attributes = tag.groups()
        if formula:
            formulas.append(tag.start(2))
            continue
        letters, digits = (_OWN.findall(attributes) or [(b"", b"")])[-1]
        number = int(digits) if digits and len(digits) <= _MOST_DIGITS else 0
        if kind == b"row":
            row, column = (number or row + 1), 0
            continue
        few = letters and len(letters) <= _MOST_LETTERS
        column = column_number(letters) if few else column + 1
        starts.append(tag.start())
        rows.append(number or row)
        columns.append(column)
    found = [starts, rows, columns, formulas]
    return Places(*(np.array(each, dtype=np.int64) for each in found)), row, column


def column_number(letters: bytes) -> int:
    """
    Count a column by its letters.

    >>> column_number(b"A"), column_number(b"AA"), column_number(b"XFD")
    (1, 27, 16384)
    """
    number = 0
    for letter in letters.upper():
        number = number * _LETTERS + letter - ord("A") + 1
    return number
