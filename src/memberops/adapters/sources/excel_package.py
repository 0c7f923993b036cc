"""
What a workbook would cost and what its reader does not tell, before it is opened.

A workbook is a zip archive. A few kilobytes of it can hold gigabytes, and a sheet of
two cells far apart can take all memory. So each part is inflated once in small blocks
and counted by what comes out, not by what its header says. On the way the error cells
and the hidden rows are noted, which the reader gives as empty cells and plain rows.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import attrs

from memberops.adapters.sources.limits import ReadingLimits
from memberops.errors import SourceError

__all__ = ["SheetFacts", "check_parts", "column_number", "inflated", "inspect_package"]

_BLOCK = 1 << 20
_CELL = re.compile(rb' r="([A-Za-z]+)([0-9]+)"')
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_ROW_NUMBER = re.compile(rb'\sr\s*=\s*["\']([0-9]+)')
_HIDDEN = re.compile(rb'\shidden\s*=\s*["\'](?:1|true)["\']')
_ERROR = re.compile(
    rb'<(?:\w+:)?c\b([^>]*\bt\s*=\s*["\']e["\'][^>]*)>'
    rb"(?:<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</[^>]*>))?\s*<(?:\w+:)?v>([^<]{1,20})<"
)
_ANY_CELL = re.compile(rb'\br\s*=\s*["\']([A-Za-z]+)([0-9]+)["\']')
_ODD = (b"r='", b"r =", b"\tr=", b"\nr=", b"\rr=")
_CELL_TAGS = (b"<c ", b"<c>", b"<c/", b":c ", b":c>", b":c/")
_SHEET = re.compile(r"(?:^|/)worksheets/[^/]+\.xml$", re.IGNORECASE)
_DIGITS_OF_ROW = 7
_LETTERS_OF_COLUMN = 3
_MOST_NOTED = 100_000


@attrs.define
class SheetFacts:
    """
    What the XML of a sheet tells that its reader does not.

    Args:
        rows: Number of the last row.
        columns: Number of the last column.
        errors: Text of the error cells, such as ``#N/A``, by row and column from 1.
        hidden: Numbers of the hidden rows.
    """

    rows: int = 0
    columns: int = 0
    errors: dict[tuple[int, int], str] = attrs.field(factory=dict)
    hidden: set[int] = attrs.field(factory=set)


def column_number(letters: bytes) -> int:
    """
    Count a column by its letters.

    >>> column_number(b"A"), column_number(b"AA"), column_number(b"XFD")
    (1, 27, 16384)
    """
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def check_parts(path: Path, archive: zipfile.ZipFile, limits: ReadingLimits) -> None:
    """
    Refuse an archive whose list of parts is already too much.

    Raises:
        SourceError: It has too many parts, or one whose name leads out of it, comes
            twice, is encrypted or is itself too large by its own word.
    """
    parts = archive.infolist()
    if len(parts) > limits.package_parts:
        raise SourceError(
            f"{path.name} has {len(parts)} parts, more than the limit "
            f"'package_parts' of {limits.package_parts}"
        )
    seen = set()
    for part in parts:
        name = part.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or ":" in name:
            raise SourceError(f"{path.name} has a part whose name leads out of it")
        if name in seen:
            raise SourceError(f"{path.name} has two parts of one name")
        seen.add(name)
        if part.flag_bits & 1:
            raise SourceError(f"{path.name} is encrypted: save it without a password")
    told = sum(part.file_size for part in parts)
    if told > limits.package_bytes:
        raise too_large(path, told, limits)


def too_large(path: Path, size: int, limits: ReadingLimits) -> SourceError:
    """Say that an archive is too large."""
    return SourceError(
        f"{path.name} holds {size} bytes or more when it is unpacked, above the limit "
        f"'package_bytes' of {limits.package_bytes}; raise it if that is meant"
    )


def inflated(
    path: Path, archive: zipfile.ZipFile, part: zipfile.ZipInfo, limits: ReadingLimits
) -> Iterator[bytes]:
    """
    Give a part of an archive in blocks, and refuse one that grows too much.

    Raises:
        SourceError: It is more than `ReadingLimits.package_ratio` times as large as
            it is compressed, or is damaged, or differs from what its header says.
    """
    size = 0
    # A part of a few bytes may well be a hundred times smaller than its text.
    most = max(limits.package_ratio * part.compress_size, _BLOCK)
    try:
        with archive.open(part) as stream:
            while block := stream.read(_BLOCK):
                size += len(block)
                if size > most:
                    raise SourceError(
                        f"{path.name} has a part that unpacks to more than "
                        f"{limits.package_ratio} times its size (the limit "
                        "'package_ratio'): it looks like a zip bomb"
                    )
                yield block
    except (
        OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError,
        RuntimeError,
    ) as error:  # fmt: skip
        if isinstance(error, SourceError):
            raise
        raise damaged(path, error) from None


def damaged(path: Path, error: BaseException) -> SourceError:
    """Say that a workbook is damaged."""
    return SourceError(
        f"{path.name} is a damaged workbook: {str(error)[:120] or 'it ends too early'}"
    )


def inspect_package(path: Path, limits: ReadingLimits) -> dict[str, SheetFacts]:
    """
    Check a zipped workbook (.xlsx, .xlsb, .ods), and note what its sheets tell.

    Args:
        path: The workbook.
        limits: Its bounds.

    Returns:
        By the name of the part, what is known of each sheet of an .xlsx.

    Raises:
        SourceError: It is no archive, or it is above a limit; with the figures.
    """
    facts: dict[str, SheetFacts] = {}
    total = 0
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise damaged(path, error) from None
    with archive:
        check_parts(path, archive, limits)
        for part in archive.infolist():
            sheet = SheetFacts() if _SHEET.search(part.filename) else None
            plain = part.filename.endswith((".xml", ".rels"))
            rest = b""
            for block in inflated(path, archive, part, limits):
                total += len(block)
                if total > limits.package_bytes:
                    raise too_large(path, total, limits)
                if not plain:
                    continue
                data = rest + block
                if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
                    raise SourceError(
                        f"{path.name} declares entities, which no spreadsheet program "
                        "writes: it looks like an XML bomb"
                    )
                rest = data[-16:]
                if sheet is not None:
                    rest = _note(data, sheet)
                    if len(rest) > limits.line_bytes:
                        raise SourceError(
                            f"{path.name} has a cell of more than "
                            f"{limits.line_bytes} bytes (the limit 'line_bytes')"
                        )
                    check_area(path, sheet.rows, sheet.columns, limits)
            if sheet is not None:
                _note(rest + b"</row>", sheet)
                check_area(path, sheet.rows, sheet.columns, limits)
                facts[part.filename] = sheet
    return facts


def check_area(path: Path, rows: int, columns: int, limits: ReadingLimits) -> None:
    """
    Refuse a sheet whose cells stand too far apart to be kept in memory.

    Raises:
        SourceError: Its area is above `ReadingLimits.sheet_cells`.
    """
    if rows * columns > limits.sheet_cells:
        raise SourceError(
            f"{path.name} has a sheet of {rows} rows × {columns} columns, above the "
            f"limit 'sheet_cells' of {limits.sheet_cells}: clear the cells far below "
            "or far to the right, or save the sheet as CSV"
        )


def _note(data: bytes, sheet: SheetFacts) -> bytes:
    """Note what whole rows tell, and return the bytes of the row that is not whole."""
    cut = data.rfind(b"row>") + 4
    cut = cut if cut > 4 else data.rfind(b"<")  # noqa: PLR2004 - not found is 3
    whole = data[: max(cut, 0)]
    pattern = _ANY_CELL if any(odd in whole for odd in _ODD) else _CELL
    rows, columns = set(), set()
    places = pattern.findall(whole)
    if len(places) < sum(map(whole.count, _CELL_TAGS)):
        _count_unplaced(whole, sheet)
    for letters, digits in places:
        columns.add(letters)
        rows.add(digits)
    for letters in columns:
        far = len(letters) > _LETTERS_OF_COLUMN
        number = 10**9 if far else column_number(letters)
        sheet.columns = max(sheet.columns, number)
    longest = max(map(len, rows), default=0)
    last = max((row for row in rows if len(row) == longest), default=b"0")
    far = longest > _DIGITS_OF_ROW
    sheet.rows = max(sheet.rows, 10**9 if far else int(last))
    if b"hidden" in whole:
        for tag in _ROW.findall(whole):
            if _HIDDEN.search(tag) and (named := _ROW_NUMBER.search(tag)):
                sheet.hidden.add(int(named[1][:9]))
    if b'"e"' in whole or b"'e'" in whole:
        for attributes, text in _ERROR.findall(whole):
            place = _ANY_CELL.search(attributes)
            if place and len(sheet.errors) < _MOST_NOTED:
                at = int(place[2][:9]), column_number(place[1][:4])
                sheet.errors[at] = text.decode("ascii", "replace")
    return data[len(whole) :]


def _count_unplaced(whole: bytes, sheet: SheetFacts) -> None:
    """Count cells that name no place: each stands behind the one before it."""
    for row in re.split(rb"<(?:\w+:)?row\b", whole)[1:]:
        named = _ROW_NUMBER.search(row.partition(b">")[0])
        sheet.rows = max(sheet.rows + 1, int(named[1][:9]) if named else 0)
        sheet.columns = max(sheet.columns, sum(map(row.count, _CELL_TAGS)))
