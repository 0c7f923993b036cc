"""How large the sheets of .ods files are, and what their reader does not tell."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from xml.parsers import expat

import attrs
import numpy as np

from memberops.adapters.sources.excel_facts import (
    NOT_TOLD,
    UNCALCULATED,
    SheetFacts,
)
from memberops.adapters.sources.excel_package import check_area, damaged, inflated
from memberops.adapters.sources.limits import ReadingLimits

__all__ = ["inspect_ods"]

_CONTENT, _STYLES = "content.xml", "styles.xml"
_DIGITS = "number:min-integer-digits"
_SHOWS_ZEROS = re.compile(rb"""min-integer-digits=["'](?:[2-9]|[1-9][0-9])["']""")
_MOST_DIGITS = 32
_ZEROS = re.compile(r"0[0-9]{1,31}")
_OVERLAP = 100
_MOST = 10**9
_VALUES = {
    "office:value", "office:date-value", "office:time-value", "office:boolean-value",
    "office:string-value",
}  # fmt: skip


@attrs.define
class _OdsArea:
    """
    The area that the repeated rows and cells of an .ods file come to.

    Its reader reads all sheets at once, so they are counted together.
    """

    path: Path
    limits: ReadingLimits
    rows: int = 0
    columns: int = 0
    others: int = 0
    waiting: int = 0
    times: int = 1
    across: int = 0
    last: int = 0
    sheets: dict[str, SheetFacts] = attrs.field(factory=dict)
    facts: SheetFacts = attrs.field(factory=SheetFacts)
    first: int = 0
    bare: str | None = None
    noted: list[tuple[str, int, int]] = attrs.field(factory=list)
    number: float | None = None
    text: str = ""
    shown: list[tuple[int, int, int]] = attrs.field(factory=list)
    parser: expat.XMLParserType = attrs.field(factory=expat.ParserCreate, repr=False)

    def listen(self) -> None:
        """Look at what cells are shown as, which takes time and is seldom of use."""
        self.parser.CharacterDataHandler = self._hear

    def _hear(self, data: str) -> None:
        if self.number is not None and len(self.text) <= _MOST_DIGITS:
            self.text += data

    def start(self, name: str, given: dict[str, str]) -> None:
        """Begin a table, a row, a cell or its text."""
        match name.rpartition(":")[2]:
            case "table":
                self.others += self.rows * self.columns
                self.rows = self.columns = self.waiting = 0
                self.facts = SheetFacts(hidden=None)
                self.sheets.setdefault(given.get("table:name", ""), self.facts)
            case "table-row":
                self.times = _count(given, "table:number-rows-repeated")
                self.across = self.last = 0
                self.noted, self.shown = [], []
            case "table-cell" | "covered-table-cell":
                self.first = self.across + 1
                self.across += _count(given, "table:number-columns-repeated")
                if self.parser.CharacterDataHandler is not None:
                    self.number, self.text = _number(given), ""
                if "office:value-type" in given or "table:formula" in given:
                    self.last = self.across
                if "table:formula" in given and not _VALUES & given.keys():
                    texts = given.get("office:value-type") == "string"
                    self.bare = NOT_TOLD if texts else UNCALCULATED
            case "p":
                self.last = self.across
                self.text = ""  # not that of a remark, which stands before it
                if self.bare == NOT_TOLD:
                    self.bare = None
            case "number" if _count(given, _DIGITS) > 1:
                self.listen()

    def end(self, name: str) -> None:
        """End a cell, or a row: empty ones count only if another stands below them."""
        match name.rpartition(":")[2]:
            case "table-cell" | "covered-table-cell" if self.bare is not None:
                self.noted.append((self.bare, self.first, self.across))
                self.bare = None
            case "table-cell" | "covered-table-cell" if self.number is not None:
                if _ZEROS.fullmatch(self.text) and int(self.text) == self.number:
                    self.shown.append((len(self.text), self.first, self.across))
                self.number = None
            case "table-row" if not self.last:
                self.waiting += self.times
            case "table-row":
                self.rows += self.waiting + self.times
                self.waiting = 0
                self.columns = max(self.columns, self.last)
                check_area(
                    self.path, self.rows, self.columns, self.limits, others=self.others
                )
                self._note()

    def _note(self) -> None:
        rows = range(self.rows - self.times + 1, self.rows + 1)
        for text, first, last in self.noted:
            self.facts.note_area(text, rows, range(first, last + 1))
        for digits, first, last in self.shown:
            if self.times == 1 and first == last:
                self.facts.note_zero(self.rows, first, digits)
                continue
            down, across = np.meshgrid(rows, range(first, last + 1), indexing="ij")
            self.facts.note_zeros(
                down.ravel(), across.ravel(), np.full(down.size, digits)
            )


def _count(given: dict[str, str], name: str) -> int:
    text = given.get(name, "1")
    if len(text) > _MOST_DIGITS:
        return _MOST
    return min(int(text), _MOST) if text.isdecimal() else 1


def _number(given: dict[str, str]) -> float | None:
    try:
        return float(given["office:value"])
    except (KeyError, ValueError):
        return None


def inspect_ods(
    path: Path, archive: zipfile.ZipFile, limits: ReadingLimits
) -> dict[str, SheetFacts]:
    """
    Refuse an .ods file whose cells stand too far apart, or repeat too often.

    Returns:
        By the name of the sheet, its formulas that were never calculated, and its
        numbers that are shown with zeros in front.

    Raises:
        SourceError: It is above `ReadingLimits.sheet_cells`, or is damaged.
    """
    if _CONTENT not in archive.namelist():
        return {}
    area = _OdsArea(path, limits)
    if _STYLES in archive.namelist():
        rest = b""
        for block in inflated(path, archive, archive.getinfo(_STYLES), limits):
            if _SHOWS_ZEROS.search(rest + block):
                area.listen()
            rest = block[-_OVERLAP:]
    parser = area.parser
    parser.StartElementHandler = area.start
    parser.EndElementHandler = area.end
    try:
        for block in inflated(path, archive, archive.getinfo(_CONTENT), limits):
            parser.Parse(block, False)  # noqa: FBT003 - expat names it no other way
        parser.Parse(b"", True)  # noqa: FBT003 - the same
    except expat.ExpatError as error:
        raise damaged(path, error) from None
    return area.sheets
