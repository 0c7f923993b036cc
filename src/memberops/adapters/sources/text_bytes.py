"""The bytes of many texts side by side, for what is read of them all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from memberops.adapters.sources.arrow_texts import ArrowTexts

__all__ = ["TextBytes", "blocks_of_bytes"]

_Array = npt.NDArray[Any]


@attrs.frozen(eq=False, repr=False)
class TextBytes:
    """
    Some texts as bytes; what is not ASCII is of bytes above 127, or question marks.

    Args:
        signs: The bytes of all.
        starts: Where each begins.
        ends: Where each ends.
    """

    signs: _Array
    starts: _Array
    ends: _Array

    @classmethod
    def of_list(cls, texts: Sequence[str]) -> TextBytes:
        """Take the bytes of a list of texts, one byte for each character."""
        raw = "".join(texts).encode("ascii", "replace")
        ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])[: len(ends)]
        return cls(np.frombuffer(raw, np.uint8), starts, ends)

    @classmethod
    def of_arrow(cls, chunk: Any) -> TextBytes:
        """Take the bytes of an array of pyarrow, of ``large_string`` without none."""
        _, places, data = chunk.buffers()
        if not len(chunk):
            nothing = np.zeros(0, np.int64)
            return cls(np.zeros(0, np.uint8), nothing, nothing)
        first, count = chunk.offset, len(chunk) + 1
        bounds = np.frombuffer(places, np.int64, count, first * 8)
        size = int(bounds[-1] - bounds[0])
        signs = np.zeros(0, np.uint8)
        if size:
            signs = np.frombuffer(data, np.uint8, size, int(bounds[0]))
        bounds = bounds - bounds[0]
        return cls(signs, bounds[:-1], bounds[1:])

    @property
    def lengths(self) -> _Array:
        """How many bytes each has."""
        return np.asarray(self.ends - self.starts)

    @property
    def edges(self) -> tuple[_Array, _Array]:
        """The first and the last byte of each; 0 where there is none."""
        empty = self.ends == self.starts
        if empty.all():
            nothing = np.zeros(len(empty), np.uint8)
            return nothing, nothing
        first = self.signs[np.where(empty, 0, self.starts)]
        last = self.signs[np.where(empty, 0, self.ends - 1)]
        first[empty] = last[empty] = 0
        return first, last

    def holding(self, wanted: _Array) -> _Array:
        """Tell which texts hold a byte of a set, given as 256 truth values."""
        found = np.zeros(len(self.ends), dtype=bool)
        at = np.flatnonzero(wanted[self.signs])
        found[np.searchsorted(self.ends, at, side="right")] = True
        return found

    def table(self, rows: _Array, size: int) -> _Array:
        """Give the texts of some rows, all of one size: the first bytes of all, ..."""
        if len(rows) == len(self.ends):
            return np.ascontiguousarray(self.signs.reshape(-1, size).T)
        starts = self.starts[rows]
        made = np.empty((size, len(rows)), np.uint8)
        for place in range(size):
            made[place] = self.signs[starts + place]
        return made


def blocks_of_bytes(texts: Sequence[str], rows: int) -> Iterator[tuple[int, TextBytes]]:
    """
    Part texts into blocks, so that what is made of one stays small.

    Args:
        texts: The texts.
        rows: How many a block has at most.

    Yields:
        The position of its first text, and its bytes.

    >>> [(at, block.lengths.tolist()) for at, block in blocks_of_bytes(["a", "bc"], 1)]
    [(0, [1]), (1, [2])]
    """
    if isinstance(texts, ArrowTexts):
        for first, chunk in texts.chunks():
            for start in range(0, len(chunk), rows):
                yield first + start, TextBytes.of_arrow(chunk.slice(start, rows))
        return
    for start in range(0, len(texts), rows):
        yield start, TextBytes.of_list(texts[start : start + rows])
