"""
How large the sheets of an old .xls file are, and what its reader does not tell.

Such a file is a small file system ("compound file") that holds one stream of records.
Only what is needed is read: the chain of sectors, the directory, and the places of
the cells.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import attrs

from memberops.adapters.sources.excel_facts import NOT_TOLD, SheetFacts
from memberops.adapters.sources.excel_package import check_area, damaged
from memberops.adapters.sources.excel_styles import digits_shown
from memberops.adapters.sources.limits import ReadingLimits
from memberops.errors import SourceError

__all__ = ["inspect_binary", "records_of"]

_NONE = 0xFFFFFFF0
_HEADER = 512
_ENTRY = 128
_STREAM, _ROOT = 2, 5
_BOF, _SHEET, _PASSWORD, _ROW, _ERROR, _FORMULA = 0x809, 0x85, 0x2F, 0x208, 0x205, 0x6
_ONE_CELL = frozenset({0x6, 0x201, 0x203, 0x204, 0x205, 0x27E, 0xFD, 0xD6})
_SEVERAL = frozenset({0xBD, 0xBE})
_FORMAT, _STYLE, _MULTIPLE = 0x41E, 0xE0, 0xBD
_NUMBERS = frozenset({0x6, 0x203, 0x27E, _MULTIPLE})
_STYLE_ENDS = 6
_OLD_VERSION = 0x500
_HIDDEN_ROW = 0x20
_ERROR_WORDS = {
    0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!",
    42: "#N/A",
}  # fmt: skip


@attrs.define
class _Styles:
    """The digits that the number formats of the book's styles ask for."""

    old: bool = False
    formats: dict[bytes, int] = attrs.field(factory=dict)
    digits: bytearray = attrs.field(factory=bytearray)

    def add(self, kind: int, body: bytes) -> None:
        """Read a format or a style; styles follow on the formats."""
        if kind == _STYLE:
            self.digits.append(self.formats.get(body[2:4], 0))
        elif digits := digits_shown(self._code(body)):
            self.formats[body[:2]] = digits

    def _code(self, body: bytes) -> str:
        if self.old:
            return body[3:].decode("latin-1")
        return body[5:].decode(
            "utf-16-le" if body[4:5] == b"\1" else "latin-1", "replace"
        )

    def note(self, kind: int, body: bytes, sheet: SheetFacts) -> None:
        """Note the cells with numbers whose format asks for digits."""
        row, column = struct.unpack_from("<HH", body)
        # Of several numbers in one record each is six bytes, from its style on.
        places = range(4, len(body) - 5, 6) if kind == _MULTIPLE else (4,)
        for across, at in enumerate(places, column + 1):
            style = int.from_bytes(body[at : at + 2], "little")
            if style < len(self.digits) and self.digits[style]:
                sheet.note_zero(row + 1, across, self.digits[style])


@attrs.frozen
class _Compound:
    data: bytes
    size: int

    def sector(self, number: int) -> bytes:
        start = (number + 1) * self.size
        return self.data[start : start + self.size]

    def chain(self, start: int, table: list[int]) -> Iterator[int]:
        """Follow a chain of sectors; one that bites its tail ends with the table."""
        for _ in range(len(table)):
            if start >= len(table):
                return
            yield start
            start = table[start]

    def stream(self, start: int, table: list[int]) -> bytes:
        return b"".join(self.sector(number) for number in self.chain(start, table))


def inspect_binary(path: Path, limits: ReadingLimits) -> dict[str, SheetFacts]:
    """
    Walk over the records of an .xls file.

    Returns:
        By the name of the sheet, its area, error cells, hidden rows, and numbers
        that are shown with zeros in front.

    Raises:
        SourceError: It is above a limit, encrypted, damaged, or no workbook.
    """
    if (size := path.stat().st_size) > limits.package_bytes:
        raise SourceError(
            f"{path.name} has {size} bytes, above the limit 'package_bytes' of "
            f"{limits.package_bytes}; raise it if that is meant"
        )
    try:
        stream = _workbook(path.read_bytes())
    except (struct.error, IndexError, ValueError) as error:
        raise damaged(path, error) from None
    if stream is None:
        raise SourceError(
            f"{path.name} is no .xls workbook, or is encrypted: "
            "save it as .xlsx without a password"
        )
    names: dict[int, str] = {}
    facts: dict[int, SheetFacts] = {}
    sheet, styles = SheetFacts(), _Styles()
    others = 0
    for kind, at, body in _records(stream):
        if kind == _PASSWORD:
            raise SourceError(f"{path.name} is encrypted: save it without a password")
        if kind == _BOF:
            # Its reader reads all sheets at once, so they are counted together.
            check_area(path, sheet.rows, sheet.columns, limits, others=others)
            others += sheet.rows * sheet.columns
            sheet = facts[at] = SheetFacts()
            styles.old = body[:2] == _OLD_VERSION.to_bytes(2, "little")
        elif kind == _SHEET and len(body) > 8:  # noqa: PLR2004 - place, state, name
            coding = "utf-16-le" if body[7] & 1 else "latin-1"
            length = body[6] * (2 if body[7] & 1 else 1)
            names[int.from_bytes(body[:4], "little")] = body[8 : 8 + length].decode(
                coding, "replace"
            )
        elif kind in (_FORMAT, _STYLE):
            styles.add(kind, body)
        else:
            _note(kind, body, sheet)
            if kind in _NUMBERS and styles.formats and len(body) > _STYLE_ENDS:
                styles.note(kind, body, sheet)
    check_area(path, sheet.rows, sheet.columns, limits, others=others)
    return {name: facts[at] for at, name in names.items() if at in facts}


def records_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """
    Give the records of an .xls file that was inspected: their kinds and bodies.

    Raises:
        ValueError: It is damaged, as `struct.error` and `IndexError` say too.
    """
    for kind, _, body in _records(_workbook(path.read_bytes()) or b""):
        yield kind, body


def _note(kind: int, body: bytes, sheet: SheetFacts) -> None:
    if kind == _ROW and len(body) > 13:  # noqa: PLR2004 - up to the options of a row
        if body[12] & _HIDDEN_ROW and sheet.hidden is not None:
            sheet.hidden.add(int.from_bytes(body[:2], "little") + 1)
        return
    several = kind in _SEVERAL
    if (kind not in _ONE_CELL and not several) or len(body) < 6:  # noqa: PLR2004
        return
    row, column = struct.unpack_from("<HH", body)
    last = int.from_bytes(body[-2:], "little") if several else column
    sheet.rows = max(sheet.rows, row + 1)
    sheet.columns = max(sheet.columns, last + 1)
    word = None
    if kind == _ERROR and len(body) > 7 and body[7]:  # noqa: PLR2004 - value and kind
        word = body[6]
    if kind == _FORMULA and body[12:14] == b"\xff\xff" and body[6] == 2:  # noqa: PLR2004
        word = body[8]
    if kind == _FORMULA and body[12:14] == b"\xff\xff" and body[6] == 3:  # noqa: PLR2004
        sheet.note(NOT_TOLD, row + 1, column + 1)
    if word is not None:
        sheet.note(_ERROR_WORDS.get(word, "#ERROR!"), row + 1, column + 1)


def _records(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        yield kind, at, stream[at + 4 : at + 4 + size]
        at += 4 + size


def _workbook(data: bytes) -> bytes | None:
    """Return the stream of records, or None if the file holds none."""
    shift, small_shift = struct.unpack_from("<HH", data, 30)
    directory, _, cutoff, small_start = struct.unpack_from("<IIII", data, 48)
    if shift not in (9, 12) or small_shift > shift:
        raise ValueError("it has sectors of an unknown size")
    file = _Compound(data, 1 << shift)
    table = _table(file)
    root, found = b"", None
    entries = file.stream(directory, table)
    for at in range(0, len(entries), _ENTRY):
        entry = entries[at : at + _ENTRY]
        length = max(int.from_bytes(entry[64:66], "little") - 2, 0)
        name = entry[:length].decode("utf-16-le", "replace").casefold()
        if entry[66:67] == bytes([_ROOT]):
            root = entry
        elif entry[66:67] == bytes([_STREAM]) and name in ("workbook", "book"):
            found = entry
    if found is None:
        return None
    start, size = struct.unpack_from("<IQ", found, 116)
    size &= 0xFFFFFFFF
    if size >= cutoff or not root:
        return file.stream(start, table)[:size]
    small_table = _numbers(file.stream(small_start, table))
    inner = file.stream(int.from_bytes(root[116:120], "little"), table)
    step = 1 << small_shift
    pieces = (inner[n * step : (n + 1) * step] for n in file.chain(start, small_table))
    return b"".join(pieces)[:size]


def _table(file: _Compound) -> list[int]:
    """Read the table that says which sector follows which."""
    places = _numbers(file.data[76:_HEADER])
    more, _ = struct.unpack_from("<II", file.data, 68)
    for _ in range(len(file.data) // file.size):
        if more >= _NONE:
            break
        numbers = _numbers(file.sector(more))
        places += numbers[:-1]
        more = numbers[-1]
    blocks = islice((at for at in places if at < _NONE), len(file.data) // file.size)
    return [number for at in blocks for number in _numbers(file.sector(at))]


def _numbers(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4]))
