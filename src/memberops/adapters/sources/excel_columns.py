"""The rows of a sheet become columns, in which each different cell is kept once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.adapters.sources.excel_book import Sheet
from memberops.adapters.sources.excel_headings import HeadingRows

__all__ = ["SheetColumns", "read_columns"]

_BATCH = 1_000
_Array = npt.NDArray[Any]


class _Codes(dict[Any, int]):
    """Numbers each different cell in the order of its first coming."""

    def __missing__(self, cell: Any) -> int:
        code = self[cell] = len(self)
        return code


@attrs.frozen
class SheetColumns:
    """
    The cells below the headings of a sheet.

    Args:
        columns: For each column the codes of its rows, and the cells that they mean.
        lines: The number of each row.
        noted: By column, the codes of the texts that its file tells of and its reader
            does not; see `excel_facts`.
    """

    columns: list[tuple[_Array, list[Any]]]
    lines: _Array
    noted: dict[int, dict[str, int]]

    def filled(self, at: int) -> bool:
        """Tell whether any cell of a column is more than an empty one."""
        return len(self.columns[at][1]) > 1


@attrs.define
class _Column:
    """One column, while it is read batch by batch."""

    codes: _Codes = attrs.field(factory=lambda: _Codes({"": 0}))
    chunks: list[_Array] = attrs.field(factory=list)

    def add(self, cells: tuple[Any, ...]) -> None:
        """Add some rows; where they are all numbers, these are told apart later."""
        kinds = set(map(type, cells))
        if kinds == {float}:
            self.chunks.append(np.array(cells))
            return
        # In a dict True equals 1 and would be taken for it.
        plain: Iterable[Any] = map(_apart, cells) if bool in kinds else cells
        found = map(self.codes.__getitem__, plain)
        self.chunks.append(np.fromiter(found, np.int64, len(cells)))

    def whole(self) -> tuple[_Array, list[Any]]:
        """Return the codes of all rows, and the different cells."""
        numbers = [chunk for chunk in self.chunks if chunk.dtype == float]
        if numbers:
            places, values = pd.factorize(
                np.concatenate(numbers), use_na_sentinel=False
            )
            known = np.array([self.codes[each] for each in values.tolist()])
            at = 0
            for position, chunk in enumerate(self.chunks):
                if chunk.dtype == float:
                    self.chunks[position] = known[places[at : at + len(chunk)]]
                    at += len(chunk)
        nothing = np.zeros(0, dtype=np.int64)
        return np.concatenate([nothing, *self.chunks]), list(self.codes)


def read_columns(sheet: Sheet, found: HeadingRows) -> SheetColumns:
    """
    Read the rows of a sheet that stand below its headings.

    Args:
        sheet: The sheet.
        found: Its headings.
    """
    reading = [_Column() for _ in found.texts]
    rows = sheet.rows()
    first = sum(1 for _ in islice(rows, found.last))
    count = 0
    while batch := list(islice(rows, _BATCH)):
        for column, cells in zip(reading, zip(*batch, strict=True), strict=True):
            column.add(cells)
        count += len(batch)
    columns = [column.whole() for column in reading]
    noted = sheet.facts.noted() if sheet.facts else {}
    below = {
        text: (rows - first - 1, across - 1) for text, (rows, across) in noted.items()
    }
    return _with_noted(columns, below, first, count)


def _with_noted(
    columns: list[tuple[_Array, list[Any]]],
    noted: dict[str, tuple[_Array, _Array]],
    first: int,
    count: int,
) -> SheetColumns:
    """Put what the file tells into the columns; a row may hold nothing else."""
    width = len(columns)
    inside = {
        text: (rows[near], across[near])
        for text, (rows, across) in noted.items()
        if (near := (rows >= 0) & (across < width)).any()
    }
    last = max((int(rows.max()) + 1 for rows, _ in inside.values()), default=0)
    if last > count:
        more = np.zeros(last - count, dtype=np.int64)
        columns = [(np.concatenate([codes, more]), cells) for codes, cells in columns]
    codes_of: dict[int, dict[str, int]] = {}
    for text, (rows, across) in inside.items():
        for at in np.unique(across).tolist():
            codes, cells = columns[at]
            codes_of.setdefault(at, {})[text] = len(cells)
            codes[rows[across == at]] = len(cells)
            cells.append(text)
    lines = np.arange(first + 1, first + max(last, count) + 1)
    return SheetColumns(columns, lines, codes_of)


def _apart(cell: Any) -> Any:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return cell
