"""Texts that pyarrow keeps: in a fifth of the memory, and read many at once."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["ArrowTexts", "in_order", "picked"]

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
        return str(self.array[int(at)].as_py())

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

    def chunks(self) -> Iterator[tuple[int, Any]]:
        """Give the arrays that it is made of, each with the position of its first."""
        start = 0
        for chunk in self.array.chunks:
            yield start, chunk
            start += len(chunk)

    def replaced(self, mask: _Array, values: Sequence[str | None]) -> ArrowTexts:
        """
        Put values, or none, where a mask is set; what is not touched is shared.

        Args:
            mask: One for each text.
            values: One for each place where it is set.
        """
        arrow: Any = importlib.import_module("pyarrow")
        compute: Any = importlib.import_module("pyarrow.compute")
        made, done = [], 0
        for start, chunk in self.chunks():
            own = mask[start : start + len(chunk)]
            count = int(own.sum())
            if count:
                new = arrow.array(values[done : done + count], chunk.type)
                chunk = compute.replace_with_mask(chunk, arrow.array(own), new)  # noqa: PLW2901 - the same, changed
            done += count
            made.append(chunk)
        return ArrowTexts(arrow.chunked_array(made, self.array.type))

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


def picked(texts: Sequence[str], places: _Array) -> list[str]:
    """
    Take the texts at some places.

    >>> picked(["a", "b", "c"], np.array([2, 0]))
    ['c', 'a']
    """
    if isinstance(texts, ArrowTexts):
        arrow: Any = importlib.import_module("pyarrow")
        return list(texts.array.take(arrow.array(places)).to_pylist())
    return [texts[at] for at in places.tolist()]


def in_order(codes: _Array, count: int) -> bool:
    """
    Tell whether positions are those of all *count* things, one after the other.

    >>> in_order(np.array([0, 1, 2]), 3), in_order(np.array([0, 2, 1]), 3)
    (True, False)
    """
    if len(codes) != count or (count and codes[-1] != count - 1):
        return False
    return bool((codes == np.arange(count, dtype=codes.dtype)).all())
