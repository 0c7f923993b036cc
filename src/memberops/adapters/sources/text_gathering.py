"""Texts that come piece by piece become one column, in little memory."""

from __future__ import annotations

import importlib
import importlib.util
from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from memberops.adapters.sources.arrow_texts import ArrowTexts
from memberops.adapters.sources.column_values import TextColumn

__all__ = ["TextGatherer"]

_ROWS_AT_ONCE = 1 << 14
_ENOUGH = 1 << 12
"""So many rows tell whether nearly each has a text of its own."""


class TextGatherer:
    """
    One column; the different texts are numbered in the order of their first coming.

    Where pyarrow is installed it does the numbering, some ten times as fast, and keeps
    the texts. A column in which most rows have a text of their own, as that of tickets,
    is not numbered by it: each row keeps its text.

    >>> gatherer = TextGatherer()
    >>> gatherer.add(["a", "b", "a"])
    >>> column = gatherer.column()
    >>> column.codes.tolist(), list(column.texts)
    ([0, 1, 0], ['a', 'b'])
    """

    def __init__(self) -> None:
        found = importlib.util.find_spec("pyarrow") is not None
        self._arrow: Any = importlib.import_module("pyarrow") if found else None
        self._waiting: list[str] = []
        self._coded: list[Any] = []  # dictionary arrays of pyarrow
        self._each: list[Any] = []  # or its arrays of the text of each row
        self._known: defaultdict[str, int] = defaultdict(count().__next__)
        self._codes: list[npt.NDArray[Any]] = []

    def add(self, texts: Sequence[str]) -> None:
        """Add the texts of some rows."""
        if isinstance(texts, ArrowTexts):
            self._settle()
            if len(texts) and self._arrow is not None:
                # A copy: what a driver gives takes twice the memory that it needs.
                chunks = texts.array.chunks
                self._take(self._arrow.concat_arrays([*chunks, chunks[0][:0]]))
            elif len(texts):
                self._number(list(texts))
            return
        self._waiting.extend(texts)
        if len(self._waiting) >= _ROWS_AT_ONCE:
            self._settle()

    def column(self) -> TextColumn:
        """Return the column; the gatherer is empty then."""
        self._settle()
        if self._each:
            kept, self._each = self._arrow.chunked_array(self._each), []
            return TextColumn(np.arange(len(kept), dtype=np.int32), ArrowTexts(kept))
        if self._coded:
            chunks = self._arrow.chunked_array(self._coded).unify_dictionaries().chunks
            self._coded = []
            texts = self._arrow.chunked_array([chunks[0].dictionary])
            kind = np.min_scalar_type(max(len(chunks[0].dictionary) - 1, 0))
            codes = np.concatenate(
                [chunk.indices.to_numpy().astype(kind) for chunk in chunks]
            )
            return TextColumn(codes, ArrowTexts(texts))
        codes = np.concatenate([np.zeros(0, np.int32), *self._codes])
        known, self._codes = list(self._known), []
        self._known.clear()
        return TextColumn(codes, known)

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
                self._take(values)
                return
        self._number(texts)

    def _take(self, values: Any) -> None:
        """Keep an array of pyarrow, which holds a text for each row."""
        if self._each:
            self._each.append(values)
        else:
            coded = values.dictionary_encode()
            if len(values) < _ENOUGH or 2 * len(coded.dictionary) < len(values):
                self._coded.append(coded)
                return
            earlier, self._coded = self._coded, []
            self._each = [*(each.dictionary_decode() for each in earlier), values]

    def _number(
        self, texts: Sequence[str], codes: npt.NDArray[Any] | None = None
    ) -> None:
        numbers = map(self._known.__getitem__, texts)
        places = np.fromiter(numbers, np.int32, len(texts))
        self._codes.append(places if codes is None else places[codes])

    def _without_arrow(self) -> None:
        """Go on in Python, with what has come so far."""
        for each in self._each:
            self._number(each.to_pylist())
        for chunk in self._coded:
            self._number(chunk.dictionary.to_pylist(), chunk.indices.to_numpy())
        self._each, self._coded, self._arrow = [], [], None
