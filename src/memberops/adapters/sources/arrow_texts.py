"""Texts that pyarrow keeps: in a fifth of the memory, and read many at once."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["ArrowTexts", "in_order", "no_texts", "picked", "release_unused"]

_Array = npt.NDArray[Any]

_BLOCK = 1 << 14


class ArrowTexts(Sequence[str]):
    """
    A sequence of texts that is no list: one is made a `str` only where it is asked for.

    Args:
        array: A chunked array of pyarrow, of ``large_string``; values made of texts
            may be none.

    >>> import pyarrow as pa
    >>> texts = ArrowTexts(pa.chunked_array([["S01", "S02"]], pa.large_string()))
    >>> texts[1], list(texts), len(texts)
    ('S02', ['S01', 'S02'], 2)
    """

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...

    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        """Make one text, or a list of some."""
        if isinstance(at, slice):
            return list(self.array[at].to_pylist())
        text: str = self.array[int(at)].as_py()
        return text

    def __len__(self) -> int:
        """Count them."""
        return len(self.array)

    def __iter__(self) -> Iterator[str]:
        """Make each text, some thousands at a time."""
        for start in range(0, len(self), _BLOCK):
            yield from self.array.slice(start, _BLOCK).to_pylist()

    def __repr__(self) -> str:
        """Show no text: it may be of a person."""
        return f"ArrowTexts(<{len(self)} texts>)"

    def tolist(self) -> list[str | None]:
        """Make a list of all."""
        return list(self.array.to_pylist())

    def let_go(self) -> None:
        """Hold no text any longer, whoever holds this."""
        self.array = self.array[:0]

    def chunks(self) -> Iterator[tuple[int, Any]]:
        """Give the arrays that it is made of, each with the position of its first."""
        start = 0
        for chunk in self.array.chunks:
            yield start, chunk
            start += len(chunk)

    def replaced(
        self, void: _Array, places: _Array, values: Sequence[str | None]
    ) -> ArrowTexts:
        """
        Put none, or other values, in the place of some; what is not touched is shared.

        Args:
            void: Tells for each text whether there is none.
            places: The positions of others, in order.
            values: What comes there.
        """
        arrow: Any = importlib.import_module("pyarrow")
        compute: Any = importlib.import_module("pyarrow.compute")
        made: list[Any] = []
        for start, chunk in self.chunks():
            end = start + len(chunk)
            first, last = np.searchsorted(places, [start, end]).tolist()
            own = void[start:end]
            if own.any():
                none = arrow.scalar(None, chunk.type)
                chunk = compute.if_else(arrow.array(own), none, chunk)  # noqa: PLW2901 - the same, changed
            if first < last:
                mask = np.zeros(end - start, dtype=bool)
                mask[places[first:last] - start] = True
                new = arrow.array(values[first:last], chunk.type)
                chunk = compute.replace_with_mask(chunk, arrow.array(mask), new)  # noqa: PLW2901 - again
            made.append(chunk)
        return ArrowTexts(arrow.chunked_array(made, self.array.type))

    def ended(self, end: str, *, unless: str) -> ArrowTexts:
        """Put an end to each text, unless it has a pattern of pyarrow (RE2)."""
        arrow: Any = importlib.import_module("pyarrow")
        compute: Any = importlib.import_module("pyarrow.compute")
        has = compute.match_substring_regex(self.array, unless)
        added = arrow.scalar(end, self.array.type)
        nothing = arrow.scalar("", self.array.type)
        longer = compute.binary_join_element_wise(self.array, added, nothing)
        return ArrowTexts(compute.if_else(has, self.array, longer))

    def series(self, codes: _Array) -> pd.Series[Any]:
        """Make a series of text of the type that pandas gives it, none as missing."""
        array = self.array
        if not in_order(codes, len(array)):
            arrow: Any = importlib.import_module("pyarrow")
            array = array.combine_chunks() if array.num_chunks > 1 else array
            array = array.take(arrow.array(codes))
        kind: Any = pd.Series([], dtype="str").dtype
        make = getattr(
            kind, "__from_arrow__", None
        )  # the objects of pandas 2 have none
        made = array.to_numpy(zero_copy_only=False) if make is None else make(array)
        found: pd.Series[Any] = pd.Series(made, dtype=kind, copy=False)
        return found


def no_texts(rows: int) -> pd.Series[Any]:
    """
    Make a series of text that has none in any row, and takes next to no memory.

    >>> no_texts(2).isna().tolist()
    [True, True]
    """
    kind: Any = pd.Series([], dtype="str").dtype
    arrow: Any = sys.modules.get("pyarrow")  # pandas has loaded it, if it has any
    if arrow is None or getattr(kind, "storage", "") != "pyarrow":
        return pd.Series([None] * rows, dtype=kind)
    # Zeros that nobody has written are no memory yet.
    parts = [np.zeros(rows // 8 + 1, np.uint8), np.zeros(rows + 1, np.int64)]
    buffers = [*map(arrow.py_buffer, parts), arrow.py_buffer(b"")]
    array = arrow.Array.from_buffers(arrow.large_string(), rows, buffers)
    found: pd.Series[Any] = pd.Series(
        kind.__from_arrow__(array), dtype=kind, copy=False
    )
    return found


def picked(texts: Sequence[str], places: _Array) -> list[str]:
    """
    Take the texts at some places.

    >>> picked(["a", "b", "c"], np.array([2, 0]))
    ['c', 'a']
    """
    if not isinstance(texts, ArrowTexts):
        return [texts[at] for at in places.tolist()]
    if len(places) and (places[1:] < places[:-1]).any():
        order = np.argsort(places)
        found = np.empty(len(places), dtype=object)
        found[order] = picked(texts, places[order])
        return list(found)
    arrow: Any = importlib.import_module("pyarrow")
    made: list[str] = []
    # Part by part: pyarrow would join them all, to take one text.
    for start, chunk in texts.chunks():
        first, last = np.searchsorted(places, [start, start + len(chunk)]).tolist()
        if first < last:
            own = arrow.array(places[first:last] - start)
            made += chunk.take(own).to_pylist()
    return made


def in_order(codes: _Array, count: int) -> bool:
    """
    Tell whether positions are those of all *count* things, one after the other.

    >>> in_order(np.array([0, 1, 2]), 3), in_order(np.array([0, 2, 1]), 3)
    (True, False)
    """
    if len(codes) != count or (count and codes[-1] != count - 1):
        return False
    return bool((codes == np.arange(count, dtype=codes.dtype)).all())


def release_unused() -> None:
    """Have pyarrow give back the memory that it keeps for later, if it is in use."""
    arrow: Any = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
