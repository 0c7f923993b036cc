"""
The XML of a sheet is looked at before it is read: how far it goes, and what is hidden.

The reader of workbooks gives error cells, and cells with a formula that was never
calculated, as empty ones. Here they are noted, with the hidden rows.
"""

from __future__ import annotations

import re

import attrs
import numpy as np

from memberops.adapters.sources.excel_facts import UNCALCULATED, SheetFacts
from memberops.adapters.sources.excel_places import (
    Places,
    column_number,
    places_of_cells,
    styles_of_cells,
    walked_places,
)

__all__ = ["SheetScan"]

_ENDS = (b"</row>", b":row>", b"</c>", b":c>")
_ROW = re.compile(rb"<(?:\w+:)?row\b([^<>]*)>")
_ROW_NUMBER = re.compile(rb'\sr\s*=\s*["\']([0-9]+)')
_HIDDEN = re.compile(rb'\shidden\s*=\s*["\'](?:1|true)["\']')
_PLACE = re.compile(rb'\br\s*=\s*["\']([A-Za-z]+)([0-9]+)["\']')
_CELL_TAGS = (b"<c ", b"<c>", b"<c/", b":c ", b":c>", b":c/")
_IS_ERROR = re.compile(rb'\bt\s*=\s*["\']e["\']')
_KIND = re.compile(rb'\bt\s*=\s*["\'](str|b)["\']')
_FORMULA = rb"f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:\w+:)?f\s*>)\s*"
_VALUE = rb"<(?:\w+:)?v(?:\s[^<>]*)?(?:/>|>([^<]*))"
_ERROR = re.compile(
    rb"[^<>]*>\s*(?:<(?:\w+:)?" + _FORMULA + rb")?<(?:\w+:)?v>([^<]{1,20})<"
)
_CALCULATED = re.compile(_FORMULA + rb"(" + _VALUE + rb")?")
_ZEROS = (b"0", b"0.0")
_DIGITS_OF_ROW = 7
_LETTERS_OF_COLUMN = 3
_FAR = 10**9


@attrs.define
class SheetScan:
    """
    Looks at the XML of one sheet, block by block.

    Args:
        asks: Whether the book asks for all formulas to be calculated when it is
            opened. Programs that write formulas and never calculate do so; some of
            them write 0 or an empty text where the value belongs. Then these are no
            values in a column of which no formula has another one.
        zeros: The digits that the number format of each style asks for; see
            `excel_styles`. Empty if none does.
        facts: What was found.
    """

    asks: bool = False
    zeros: bytes = b""
    facts: SheetFacts = attrs.field(factory=SheetFacts)
    _row: int = 0
    _column: int = 0
    _valued: set[int] = attrs.field(factory=set)
    _void: list[tuple[int, int]] = attrs.field(factory=list)

    def feed(self, data: bytes) -> bytes:
        """Look at a block, and return the bytes of the row that is not whole."""
        whole = data[: _end_of_rows(data)]
        places = places_of_cells(whole)
        if places is None or not len(places.starts):
            # Rows without a cell are counted too: the next may name no place.
            self._count_widely(whole)
            places, self._row, self._column = walked_places(
                whole, self._row, self._column
            )
        else:
            self._reach(int(places.rows.max()), int(places.columns.max()))
            self._row, self._column = int(places.rows[-1]), int(places.columns[-1])
        if b"hidden" in whole:
            self._note_hidden(whole)
        if len(places.starts):
            if b'"e"' in whole or (b"'" in whole and b"'e'" in whole):
                self._note_errors(whole, places)
            self._note_formulas(whole, places)
            if self.zeros:
                self._note_zeros(whole, places)
        return data[len(whole) :]

    def settle(self) -> None:
        """Note at the end the values that are none."""
        void = [each for each in self._void if each[1] not in self._valued]
        if void:
            self.facts.note(UNCALCULATED, *zip(*void, strict=True))
        self._void.clear()

    def _reach(self, row: int, column: int) -> None:
        self.facts.rows = max(self.facts.rows, row)
        self.facts.columns = max(self.facts.columns, column)

    def _count_widely(self, whole: bytes) -> None:
        """Take all that looks like a place for one, and count cells without one."""
        found = _PLACE.findall(whole)
        rows = {digits for _, digits in found}
        if len(found) < sum(map(whole.count, _CELL_TAGS)):
            for row in re.split(rb"<(?:\w+:)?row\b", whole)[1:]:
                named = _ROW_NUMBER.search(row.partition(b">")[0])
                number = int(named[1][:9]) if named else 0
                self._reach(
                    max(self.facts.rows + 1, number), sum(map(row.count, _CELL_TAGS))
                )
        for letters in {letters for letters, _ in found}:
            far = len(letters) > _LETTERS_OF_COLUMN
            self._reach(0, _FAR if far else column_number(letters))
        longest = max(map(len, rows), default=0)
        last = max((row for row in rows if len(row) == longest), default=b"0")
        self._reach(_FAR if longest > _DIGITS_OF_ROW else int(last), 0)

    def _note_hidden(self, whole: bytes) -> None:
        hidden = self.facts.hidden or set()
        for tag in _ROW.findall(whole):
            if _HIDDEN.search(tag) and (named := _ROW_NUMBER.search(tag)):
                hidden.add(int(named[1][:9]))
        self.facts.hidden = hidden

    def _note_errors(self, whole: bytes, places: Places) -> None:
        ends = np.array([match.end() for match in _IS_ERROR.finditer(whole)], np.int64)
        cells, first = np.unique(
            np.searchsorted(places.starts, ends) - 1, return_index=True
        )
        starts = places.starts[cells].tolist()
        found: dict[str, list[int]] = {}
        for at, start, end in zip(
            cells.tolist(), starts, ends[first].tolist(), strict=True
        ):
            if at < 0 or whole.find(b">", start) < end:
                continue
            if value := _ERROR.match(whole, end):
                found.setdefault(value[1].decode("ascii", "replace"), []).append(at)
        for text, chosen in found.items():
            self.facts.note(text, places.rows[chosen], places.columns[chosen])

    def _note_zeros(self, whole: bytes, places: Places) -> None:
        styles = styles_of_cells(whole, places)
        # Behind the last style stands a 0 for those that the book does not have.
        digits = np.frombuffer(self.zeros + b"\0", np.uint8)
        digits = digits[np.minimum(styles, len(self.zeros))]
        at = np.flatnonzero(digits)
        if len(at):
            self.facts.note_zeros(places.rows[at], places.columns[at], digits[at])

    def _note_formulas(self, whole: bytes, places: Places) -> None:
        """Note the formulas that have no value; an empty text is one."""
        if not len(places.formulas):
            return
        cells = np.searchsorted(places.starts, places.formulas) - 1
        never: list[int] = []
        last, kind = -1, b""
        for at, start in zip(cells.tolist(), places.formulas.tolist(), strict=True):
            found = _CALCULATED.match(whole, start)
            if found is None or at < 0:
                continue
            if at != last:  # a hostile cell has a million formulas: look at it once
                last, kind = at, _kind(whole, int(places.starts[at]), start)
            written, value = found.groups()
            # A program that writes "false" has calculated it.
            if value and not (self.asks and value in _ZEROS and kind != b"b"):
                if self.asks:
                    self._valued.add(int(places.columns[at]))
                continue
            text = kind == b"str"
            if written and self.asks and (value or text):
                self._void.append((int(places.rows[at]), int(places.columns[at])))
            elif not (written and text):
                never.append(at)
        if never:
            self.facts.note(UNCALCULATED, places.rows[never], places.columns[never])


def _kind(whole: bytes, start: int, end: int) -> bytes:
    """Read what kind of value a cell says that it has, if a text or a truth value."""
    found = _KIND.search(whole, start, end)
    return found[1] if found else b""


def _end_of_rows(data: bytes) -> int:
    """Find the end of the last whole row, or at least of a whole cell or tag."""
    for end in _ENDS:
        if (at := data.rfind(end)) >= 0:
            return at + len(end)
    return max(data.rfind(b"<"), 0)
