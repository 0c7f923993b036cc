"""The rows of a sheet become columns, in which each different cell is kept once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.adapters.sources.excel_book import Sheet
from memberops.adapters.sources.excel_headings import HeadingRows

__all__ = ["SheetColumn", "SheetColumns", "read_columns"]

# So few that the garbage collector, which counts new lists, has no cause to run.
_BATCH = 500
_BETWEEN = len("2026-11-05")
_Array = npt.NDArray[Any]


class _Codes(dict[Any, int]):
    """Numbers each different cell in the order of its first coming."""

    def __missing__(self, cell: Any) -> int:
        code = self[cell] = len(self)
        return code


@attrs.frozen
class SheetColumn:
    """
    The cells of one column below the headings.

    Args:
        codes: For each row the position of its cell.
        cells: The different cells, the first of which is an empty one.
        moments: Positions of cells that were moments, and are their text.
        noted: Positions of the texts that the file of the sheet tells of and its
            reader does not; see `excel_facts`.
    """

    codes: _Array
    cells: list[Any]
    moments: range = range(0)
    noted: dict[str, int] = attrs.field(factory=dict)

    @property
    def filled(self) -> bool:
        """Whether any cell is more than an empty one."""
        return len(self.cells) > 1


@attrs.frozen
class SheetColumns:
    """
    The cells below the headings of a sheet.

    Args:
        columns: One for each heading.
        lines: The number of each row.
    """

    columns: list[SheetColumn]
    lines: _Array


@attrs.define
class _Growing:
    """One column, while it is read batch by batch."""

    codes: _Codes = attrs.field(factory=lambda: _Codes({"": 0}))
    chunks: list[_Array] = attrs.field(factory=list)

    def add(self, cells: tuple[Any, ...]) -> None:
        """Add some rows; where all are numbers or moments, they are coded later."""
        kinds = set(map(type, cells))
        if kinds == {float}:
            self.chunks.append(np.array(cells))
        elif kinds == {dt.datetime} and (moments := _moments(cells)) is not None:
            self.chunks.append(moments)
        else:
            # In a dict True equals 1 and would be taken for it.
            plain: Iterable[Any] = map(_apart, cells) if bool in kinds else cells
            found = map(self.codes.__getitem__, plain)
            self.chunks.append(np.fromiter(found, np.int64, len(cells)))

    def whole(self) -> SheetColumn:
        """Return the codes of all rows, and the different cells."""
        self._code("f", self._codes_of)
        first = len(self.codes)
        texts: list[str] = []

        def behind(values: _Array) -> range:
            texts.extend(_texts(values))
            return range(first, first + len(values))

        self._code("M", behind)
        nothing = np.zeros(0, dtype=np.int64)
        return SheetColumn(
            np.concatenate([nothing, *self.chunks]),
            [*self.codes, *texts],
            range(first, first + len(texts)),
        )

    def _codes_of(self, values: _Array) -> list[int]:
        """Number different numbers; at once where there were none before."""
        given = values.tolist()
        if not {int, float} & set(map(type, self.codes)):
            first = len(self.codes)
            self.codes.update(zip(given, range(first, first + len(given)), strict=True))
        return list(map(self.codes.__getitem__, given))

    def _code(self, kind: str, codes_of: Callable[[_Array], Sequence[int]]) -> None:
        """Put codes into the place of the values of a kind."""
        at = [n for n, chunk in enumerate(self.chunks) if chunk.dtype.kind == kind]
        if not at:
            return
        values = np.concatenate([self.chunks[n] for n in at])
        places, different = pd.factorize(values, use_na_sentinel=False)
        codes = np.array(codes_of(different), dtype=np.int64)[places]
        ends = np.cumsum([len(self.chunks[n]) for n in at])[:-1]
        for n, part in zip(at, np.split(codes, ends), strict=True):
            self.chunks[n] = part


def _moments(cells: tuple[Any, ...]) -> _Array | None:
    """Give moments as an array, or None if this pandas cannot hold one so far away."""
    try:
        return pd.DatetimeIndex(list(cells)).to_numpy().astype("datetime64[us]")
    except pd.errors.OutOfBoundsDatetime:
        return None


def _texts(moments: _Array) -> list[str]:
    """Write moments as `datetime.isoformat` does, with a space."""
    seconds = moments.astype("datetime64[s]")
    texts = np.datetime_as_string(seconds)
    # The sign between day and time stands at one place in all of them.
    texts.view(np.uint32).reshape(len(texts), -1)[:, _BETWEEN] = ord(" ")
    written: list[str] = texts.tolist()
    for at in np.flatnonzero(seconds != moments).tolist():
        written[at] = moments[at].item().isoformat(" ")
    return written


def read_columns(sheet: Sheet, found: HeadingRows) -> SheetColumns:
    """
    Read the rows of a sheet that stand below its headings.

    Args:
        sheet: The sheet.
        found: Its headings.
    """
    reading = [_Growing() for _ in found.texts]
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
    count = _put(columns, below, count)
    return SheetColumns(columns, np.arange(first + 1, first + count + 1))


def _put(
    columns: list[SheetColumn], noted: dict[str, tuple[_Array, _Array]], count: int
) -> int:
    """
    Put what the file tells into the columns.

    Returns:
        How many rows there are: a row may hold nothing else.
    """
    inside = {
        text: (rows[near], across[near])
        for text, (rows, across) in noted.items()
        if (near := (rows >= 0) & (across < len(columns))).any()
    }
    last = max((int(rows.max()) + 1 for rows, _ in inside.values()), default=0)
    if last > count:
        more = np.zeros(last - count, dtype=np.int64)
        columns[:] = [
            attrs.evolve(each, codes=np.concatenate([each.codes, more]))
            for each in columns
        ]
    for text, (rows, across) in inside.items():
        for at in np.unique(across).tolist():
            column = columns[at]
            column.noted[text] = len(column.cells)
            column.codes[rows[across == at]] = len(column.cells)
            column.cells.append(text)
    return max(last, count)


def _apart(cell: Any) -> Any:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return cell
