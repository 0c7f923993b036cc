"""Texts that come piece by piece become one column, each different text kept once."""

from __future__ import annotations

import importlib
import importlib.util
from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from memberops.adapters.sources.column_values import TextColumn

__all__ = ["TextGatherer"]

_ROWS_AT_ONCE = 1 << 16


class TextGatherer:
    """
    One column; the different texts are numbered in the order of their first coming.

    Where pyarrow is installed it does the numbering, some ten times as fast.

    >>> gatherer = TextGatherer()
    >>> gatherer.add(["a", "b", "a"])
    >>> column = gatherer.column()
    >>> column.codes.tolist(), column.texts
    ([0, 1, 0], ['a', 'b'])
    """

    def __init__(self) -> None:
        found = importlib.util.find_spec("pyarrow") is not None
        self._arrow: Any = importlib.import_module("pyarrow") if found else None
        self._waiting: list[str] = []
        self._coded: list[Any] = []  # dictionary arrays of pyarrow
        self._known: defaultdict[str, int] = defaultdict(count().__next__)
        self._codes: list[npt.NDArray[Any]] = []

    def add(self, texts: Sequence[str]) -> None:
        """Add the texts of some rows."""
        self._waiting.extend(texts)
        if len(self._waiting) >= _ROWS_AT_ONCE:
            self._settle()

    def column(self) -> TextColumn:
        """Return the column; the gatherer is empty then."""
        self._settle()
        if self._coded:
            chunks = self._arrow.chunked_array(self._coded).unify_dictionaries().chunks
            self._coded = []
            codes = [chunk.indices.to_numpy() for chunk in chunks]
            texts = chunks[0].dictionary.to_pylist()
        else:
            codes, texts = [np.zeros(0, np.int32), *self._codes], list(self._known)
            self._codes = []
            self._known.clear()
        return TextColumn(np.concatenate(codes).astype(np.int64), texts)

    def _settle(self) -> None:
        texts, self._waiting = self._waiting, []
        if not texts:
            return
        if self._arrow is not None:
            try:
                values = self._arrow.array(texts, self._arrow.large_string())
            except UnicodeEncodeError:  # half of a pair of surrogates
                self._without_arrow()
            else:
                self._coded.append(values.dictionary_encode())
                return
        self._number(texts)

    def _number(
        self, texts: Sequence[str], codes: npt.NDArray[Any] | None = None
    ) -> None:
        numbers = map(self._known.__getitem__, texts)
        places = np.fromiter(numbers, np.int32, len(texts))
        self._codes.append(places if codes is None else places[codes])

    def _without_arrow(self) -> None:
        """Go on in Python, with what has come so far."""
        coded, self._coded, self._arrow = self._coded, [], None
        for chunk in coded:
            self._number(chunk.dictionary.to_pylist(), chunk.indices.to_numpy())
