"""How large the sheets of .ods and .xlsb files are, before they are read."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

import attrs

from memberops.adapters.sources.excel_facts import UNCALCULATED, SheetFacts
from memberops.adapters.sources.excel_package import check_area, damaged, inflated
from memberops.adapters.sources.limits import ReadingLimits

__all__ = ["inspect_ods", "inspect_xlsb"]

_CONTENT = "content.xml"
_MOST = 10**9
_ROW_HEADER = 0
_CELLS = range(1, 12)


@attrs.define
class _OdsArea:
    """The area that the repeated rows and cells of an .ods file come to."""

    path: Path
    limits: ReadingLimits
    rows: int = 0
    columns: int = 0
    waiting: int = 0
    times: int = 1
    across: int = 0
    last: int = 0
    sheets: dict[str, SheetFacts] = attrs.field(factory=dict)
    facts: SheetFacts = attrs.field(factory=SheetFacts)
    never: list[int] = attrs.field(factory=list)

    def start(self, name: str, given: dict[str, str]) -> None:
        """Begin a table, a row or a cell."""
        match name.rpartition(":")[2]:
            case "table":
                self.rows = self.columns = self.waiting = 0
                self.facts = SheetFacts(hidden=None)
                self.sheets.setdefault(given.get("table:name", ""), self.facts)
            case "table-row":
                self.times = _count(given, "table:number-rows-repeated")
                self.across = self.last = 0
                self.never = []
            case "table-cell" | "covered-table-cell":
                self.across += _count(given, "table:number-columns-repeated")
                if "office:value-type" in given or "table:formula" in given:
                    self.last = self.across
                if "table:formula" in given and "office:value-type" not in given:
                    self.never.append(self.across)
            case "p":
                self.last = self.across

    def end(self, name: str) -> None:
        """End a row: empty ones count only if another stands below them."""
        if name.rpartition(":")[2] != "table-row":
            return
        if not self.last:
            self.waiting += self.times
            return
        self.rows += self.waiting + self.times
        self.waiting = 0
        if self.never:
            self.facts.note(UNCALCULATED, [self.rows] * len(self.never), self.never)
        self.columns = max(self.columns, self.last)
        check_area(self.path, self.rows, self.columns, self.limits)


def _count(given: dict[str, str], name: str) -> int:
    text = given.get(name, "1")
    return min(int(text), _MOST) if text.isdecimal() else 1


def inspect_ods(
    path: Path, archive: zipfile.ZipFile, limits: ReadingLimits
) -> dict[str, SheetFacts]:
    """
    Refuse an .ods file whose cells stand too far apart, or repeat too often.

    Returns:
        By the name of the sheet, its formulas that were never calculated.

    Raises:
        SourceError: It is above `ReadingLimits.sheet_cells`, or is damaged.
    """
    if _CONTENT not in archive.namelist():
        return {}
    area = _OdsArea(path, limits)
    parser = expat.ParserCreate()
    parser.StartElementHandler = area.start
    parser.EndElementHandler = area.end
    try:
        for block in inflated(path, archive, archive.getinfo(_CONTENT), limits):
            parser.Parse(block, False)  # noqa: FBT003 - expat names it no other way
        parser.Parse(b"", True)  # noqa: FBT003 - the same
    except expat.ExpatError as error:
        raise damaged(path, error) from None
    return area.sheets


def inspect_xlsb(path: Path, archive: zipfile.ZipFile, limits: ReadingLimits) -> None:
    """
    Refuse an .xlsb file whose cells stand too far apart.

    Raises:
        SourceError: It is above `ReadingLimits.sheet_cells`.
    """
    for part in archive.infolist():
        if not ("worksheets/" in part.filename and part.filename.endswith(".bin")):
            continue
        data = b"".join(inflated(path, archive, part, limits))
        row = rows = columns = 0
        for kind, at in _records(data):
            if kind == _ROW_HEADER:
                row = int.from_bytes(data[at : at + 4], "little") + 1
            elif kind in _CELLS:
                rows = max(rows, row)
                columns = max(columns, int.from_bytes(data[at : at + 4], "little") + 1)
        check_area(path, rows, columns, limits)


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
