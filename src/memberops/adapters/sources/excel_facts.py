"""What the file of a sheet tells of its cells that its reader does not."""

from __future__ import annotations

from array import array
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

__all__ = ["ERRORS", "NOT_TOLD", "UNCALCULATED", "SheetFacts"]

ERRORS = frozenset(
    {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A",
     "#GETTING_DATA", "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#UNKNOWN!",
     "#CONNECT!", "#BUSY!", "#PYTHON!"}
)  # fmt: skip
"""Errors as spreadsheet programs write them."""

UNCALCULATED = "#CALC!"
"""What a cell is read as whose formula was never calculated."""

NOT_TOLD = ""
"""What a cell is read as whose formula is nothing, calculated or not."""

_ANOTHER = "#ERROR!"
_Numbers = npt.NDArray[np.int64]


@attrs.define
class SheetFacts:
    """
    What the file of a sheet tells that its reader does not.

    Args:
        rows: Number of the last row.
        columns: Number of the last column.
        hidden: Numbers of the hidden rows; None if the format does not tell, and
            errors neither.
    """

    rows: int = 0
    columns: int = 0
    hidden: set[int] | None = attrs.field(factory=set)
    _noted: dict[str, list[_Numbers]] = attrs.field(factory=dict, repr=False)
    _areas: list[tuple[str, range, range]] = attrs.field(factory=list, repr=False)
    _zeros: list[tuple[Any, Any, Any]] = attrs.field(factory=list, repr=False)
    _single: array[int] = attrs.field(factory=lambda: array("i"), repr=False)

    def note(self, text: str, rows: Any, columns: Any) -> None:
        """Note that cells, by numbers from 1, are a text that their reader hides."""
        known = text in ERRORS or text in (UNCALCULATED, NOT_TOLD)
        places = np.array([rows, columns], dtype=np.int64).reshape(2, -1)
        self._noted.setdefault(text if known else _ANOTHER, []).append(places)

    def note_area(self, text: str, rows: range, columns: range) -> None:
        """Note that all cells of an area, by numbers from 1, are such a text."""
        self._areas.append((text, rows, columns))

    def note_zeros(self, rows: Any, columns: Any, digits: Any) -> None:
        """Note how many digits the formats of cells, by numbers from 1, ask for."""
        places = np.array([rows, columns], dtype=np.int32).reshape(2, -1)
        shown = np.array(digits, dtype=np.uint8).reshape(-1)
        self._zeros.append((places[0], places[1], shown))

    def note_zero(self, row: int, column: int, digits: int) -> None:
        """Note how many digits the format of one cell asks for."""
        self._single.extend((row, column, digits))

    def zeros(self) -> dict[int, tuple[Any, Any]]:
        """Return the rows and the digits that were noted, by the column's number."""
        if self._single:
            self.note_zeros(*np.array(self._single).reshape(-1, 3).T)
            self._single = array("i")
        if not self._zeros:
            return {}
        parts = list(zip(*self._zeros, strict=True))
        rows, columns, digits = (np.concatenate(part) for part in parts)
        order = np.argsort(columns, kind="stable")
        different, begins = np.unique(columns[order], return_index=True)
        own = np.split(order, begins[1:])
        return {
            number: (rows[at], digits[at])
            for number, at in zip(different.tolist(), own, strict=True)
        }

    def noted(self) -> dict[str, tuple[_Numbers, _Numbers]]:
        """Return the rows and the columns of the cells that were noted, by text."""
        while self._areas:  # one element may stand for a million cells
            text, rows, columns = self._areas.pop()
            down, across = np.meshgrid(rows, columns, indexing="ij")
            self.note(text, down.ravel(), across.ravel())
        found = {}
        for text, places in self._noted.items():
            rows, columns = np.concatenate(places, axis=1)
            found[text] = rows, columns
        return found
