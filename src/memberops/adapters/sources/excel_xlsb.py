"""
What the records of an .xlsb file tell before it is read, and its reader does not.

How large its sheets are, and which numbers are shown with zeros in front. Source of the
records' layout: [MS-XLSB] §2.4.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import ParseError

from memberops.adapters.sources.excel_facts import SheetFacts
from memberops.adapters.sources.excel_package import check_area, damaged, inflated
from memberops.adapters.sources.excel_parts import linked_parts, plain_name
from memberops.adapters.sources.excel_styles import digits_shown
from memberops.adapters.sources.limits import ReadingLimits

__all__ = ["inspect_xlsb"]

_BOOK, _STYLES = "xl/workbook.bin", "xl/styles.bin"
_LINKS = "xl/_rels/workbook.bin.rels"
_BINARY = "workbook.bin"
_ROW_HEADER = 0
_CELLS = range(1, 12)
_NUMBERS = frozenset({2, 5, 9})
_SHEET_DATA, _SHEET = 145, 156
_MOST_ROWS, _MOST_COLUMNS = 1 << 20, 1 << 14
_LONGEST = 255
_FORMAT, _STYLE, _STYLES_BEGIN, _STYLES_END = 44, 47, 617, 618


def inspect_xlsb(
    path: Path, archive: zipfile.ZipFile, limits: ReadingLimits
) -> dict[str, SheetFacts]:
    """
    Refuse an .xlsb file whose cells stand too far apart.

    Each part may hold a sheet, whatever it is called.

    Returns:
        By the name of the sheet, its numbers that are shown with zeros in front;
        nothing if no format of the book shows them.

    Raises:
        SourceError: It is above `ReadingLimits.sheet_cells`, or is damaged.
    """
    parts = archive.infolist()
    if not any(part.filename.casefold().endswith(_BINARY) for part in parts):
        return {}
    by_name = {plain_name(part.filename): part for part in parts}

    def held(name: str) -> bytes:
        found = by_name.get(name)
        return b"".join(inflated(path, archive, found, limits)) if found else b""

    digits = _digits_of_styles(held(_STYLES))
    facts = {}
    for part in parts:
        sheet = _facts(b"".join(inflated(path, archive, part, limits)), digits)
        check_area(path, sheet.rows, sheet.columns, limits)
        facts[plain_name(part.filename)] = sheet
    if not any(digits):
        return {}
    try:
        names = _names_of_sheets(held(_BOOK), linked_parts(held(_LINKS)))
    except (ParseError, ValueError) as error:
        raise damaged(path, error) from None
    return {name: facts[part] for name, part in names.items() if part in facts}


def _facts(data: bytes, digits: bytes) -> SheetFacts:
    sheet = SheetFacts(hidden=None)
    row = 0
    begun = False
    for kind, at in _records(data):
        begun |= kind == _SHEET_DATA
        if not begun:
            continue
        if kind == _ROW_HEADER:
            row = int.from_bytes(data[at : at + 4], "little") + 1
        elif kind in _CELLS:
            column = int.from_bytes(data[at : at + 4], "little") + 1
            sheet.rows = max(sheet.rows, row)
            sheet.columns = max(sheet.columns, column)
            if digits and kind in _NUMBERS:
                style = int.from_bytes(data[at + 4 : at + 7], "little")
                inside = row <= _MOST_ROWS and column <= _MOST_COLUMNS
                if inside and style < len(digits) and digits[style]:
                    sheet.note_zero(row, column, digits[style])
    return sheet


def _digits_of_styles(data: bytes) -> bytes:
    """Return for each style of cells the digits that its format asks for."""
    formats: dict[bytes, int] = {}
    digits = bytearray()
    begun = False
    for kind, at in _records(data):
        if kind == _FORMAT:
            formats[data[at : at + 2]] = digits_shown(_text(data, at + 2)[0])
        elif kind == _STYLES_BEGIN:
            begun = True
        elif kind == _STYLES_END:
            break
        elif kind == _STYLE and begun:
            digits.append(formats.get(data[at + 2 : at + 4], 0))
    return bytes(digits) if any(digits) else b""


def _names_of_sheets(data: bytes, links: dict[str, str]) -> dict[str, str]:
    """Return the part of each sheet by its name."""
    found = {}
    for kind, at in _records(data):
        if kind == _SHEET:
            link, behind = _text(data, at + 8)
            name, _ = _text(data, behind)
            found[name] = links.get(link, "")
    return found


def _text(data: bytes, at: int) -> tuple[str, int]:
    """
    Read a text that says how long it is, and tell where it ends.

    Names and formats have 255 signs at most. Were more read of a hostile one, each of a
    million records might take all that follows it.
    """
    length = int.from_bytes(data[at : at + 4], "little")
    read = data[at + 4 : at + 4 + 2 * min(length, _LONGEST)]
    return read.decode("utf-16-le", "replace"), at + 4 + 2 * length


def _records(data: bytes) -> Iterator[tuple[int, int]]:
    """Give the kind of each record and where its content begins."""
    at = 0
    while at < len(data):
        kind, at = _varying(data, at, 2)
        size, at = _varying(data, at, 4)
        yield kind, at
        at += size


def _varying(data: bytes, at: int, most: int) -> tuple[int, int]:
    value = 0
    for place in range(most):
        byte = data[at] if at < len(data) else 0
        at += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the last byte has no high bit
            break
    return value, at
