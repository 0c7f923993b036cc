"""
Strict rows of a CSV file, with their line numbers.

A damaged line costs that line and no more: a quote that never closes does not
swallow the rows below it, and a row with too many or too few cells is never cut or
filled up.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat

import attrs

from memberops.adapters.sources.encoding import TextFile, visible
from memberops.adapters.sources.rejects import kept_raw
from memberops.errors import ConfigurationError, SourceError

__all__ = ["BadRow", "RowBatch", "RowReader", "cells_of"]

_DELIMITERS = (",", ";", "\t", "|")
_BATCH = 1_000
_UNCLOSED = "it has a quote that does not close, or text behind one that does"
_LONG = f"it has a cell of more than {csv.field_size_limit()} characters"
_BYTES = "it has bytes that the encoding does not have"
_NULS = (
    "it has NUL bytes; if the file is UTF-16 without a mark at its beginning, say "
    "encoding='utf-16-le' (or 'utf-16-be')"
)
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


@attrs.frozen(kw_only=True)
class BadRow:
    """A row that could not be taken apart, with its reason and raw text."""

    line: int
    rule: str
    text_en: str
    text_zh: str
    raw: str


@attrs.frozen(kw_only=True)
class RowBatch:
    """
    Rows of equal width, with the first and last physical line of each.

    Args:
        first: The first line of each row.
        last: The last.
        width: How many cells a row has.
        cells: The cells of all rows, row after row.
    """

    first: Sequence[int]
    last: Sequence[int]
    width: int
    cells: list[str]

    @property
    def rows(self) -> list[list[str]]:
        """The rows, each with its cells."""
        starts = range(0, len(self.cells), self.width)
        return [self.cells[start : start + self.width] for start in starts]

    def column(self, at: int) -> list[str]:
        """Give the cells at one place of each row."""
        return self.cells[at :: self.width]


class _Unclosed(Exception):  # noqa: N818 - a signal inside this module, not an error
    """A quote has been open for more lines than a row may span."""


class _Feed:
    """Physical lines that can be taken back."""

    def __init__(self, batches: Iterator[list[str]], most: int) -> None:
        self._batches = batches
        self._most = most
        self._waiting: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if not self._waiting:
            self._waiting.extend(next(self._batches))
        line = self._waiting.popleft()
        self.taken.append(line)
        if len(self.taken) > self._most:
            raise _Unclosed
        return line

    def take(self, count: int) -> list[str]:
        """Take at most *count* lines at once; none only at the end of the file."""
        if not self._waiting:
            self._waiting.extend(next(self._batches, ()))
        waiting = self._waiting
        count = min(count, len(waiting))
        self.taken = [waiting.popleft() for _ in range(count)]
        return self.taken

    def give_back(self, keep: int) -> None:
        """Take back the lines after the first *keep* of those taken."""
        self._waiting.extendleft(reversed(self.taken[keep:]))
        del self.taken[keep:]


class RowReader:
    """
    Reads one CSV file row by row; make a new one for each pass.

    Args:
        file: The file.
        delimiter: What parts the cells; found in the heading line if None.
        known: Tells whether a text is a known heading; the delimiter that gives
            most of them is taken.

    Attributes:
        headings: The cells of the heading line, or None if the file is empty.
        heading_line: Where it ends.
        bad: The rows that could not be taken apart so far, the first ones where they
            are more than the limit 'rejects'.
        more_bad: How many more there were, by reason; each with the line of 0 and no
            text.
        blank: How many rows had no text in any cell; they are not counted as rows.
    """

    def __init__(
        self, file: TextFile, *, delimiter: str | None, known: Callable[[str], bool]
    ) -> None:
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
            raise ConfigurationError(
                f"'delimiter' must be one character, not {delimiter[:10]!r}"
            )
        self._damage: dict[int, str] = {}
        self._feed = _Feed(file.batches(self._damage), file.limits.row_lines)
        self._name = file.path.name
        self._most_bad = file.limits.rejects
        self._texts: dict[tuple[str, int], tuple[str, str]] = {}
        self._given = file.given
        self._line = 0
        self._delimiter = delimiter or ","
        self.bad: list[BadRow] = []
        self.more_bad: Counter[BadRow] = Counter()
        self.blank = 0
        self.headings = self._read_headings(delimiter, known)
        self.heading_line = self._line

    def _read_headings(
        self, delimiter: str | None, known: Callable[[str], bool]
    ) -> list[str] | None:
        for line in self._feed:
            named = _SEPARATOR_LINE.fullmatch(line) if self._line == 0 else None
            if line.strip() and not named:
                self._delimiter = delimiter or _sniff(line, known, self._delimiter)
                break
            if named:
                self._delimiter = named[1]
            self._line += 1
            self._feed.taken.clear()
        else:
            return None
        self._feed.give_back(0)
        problem, headings = "", list[str]()
        try:
            headings = next(
                csv.reader(self._feed, delimiter=self._delimiter, strict=True)
            )
        except _Unclosed:
            problem = _UNCLOSED
        except csv.Error as error:
            problem = _LONG if "field limit" in str(error) else _UNCLOSED
        first = self._line + 1
        self._line += len(self._feed.taken)
        if rule := self._rule_of_damage(first, self._line):
            problem = _NULS if rule == "nul-byte" else _BYTES
            if rule != "nul-byte" and self._given:
                problem += "; leave the option 'encoding' out to have it found"
        if not headings or problem:
            raise SourceError(
                f"the heading line of {self._name} (line {first}) is damaged: "
                f"{problem or 'it has no cell'}"
            )
        return headings

    def batches(self) -> Iterator[RowBatch]:
        """Give the good rows in batches, and gather the bad ones in `bad`."""
        while lines := self._feed.take(_BATCH):
            count = len(lines)
            if (cells := self._plain_cells(lines)) is not None:
                first = range(self._line + 1, self._line + 1 + count)
                self._line += count
                yield RowBatch(first=first, last=first, width=self._width, cells=cells)
            else:
                self._feed.give_back(0)
                batch = self._careful_rows(self._line + count)
                if batch.cells:
                    yield batch

    def lone_cells_below(self, line: int) -> list[int]:
        """Take lines of one cell below a line, such as notes, from the bad rows."""
        lone = [
            bad.line
            for bad in self.bad
            if bad.line > line
            and bad.rule == "too-few-cells"
            and self._delimiter not in bad.raw
        ]
        taken = set(lone)
        self.bad = [bad for bad in self.bad if bad.line not in taken]
        return lone

    @property
    def _width(self) -> int:
        return len(self.headings or ())

    def _plain_cells(self, lines: list[str]) -> list[str] | None:
        """Read lines that are one good row each; None if any of them is not."""
        first = self._line + 1
        if self._damage and self._rule_of_damage(first, self._line + len(lines)):
            return None
        if (cells := self._unquoted_cells(lines)) is not None:
            return cells
        try:
            rows = list(csv.reader(lines, delimiter=self._delimiter, strict=True))
        except csv.Error:
            return None
        if len(rows) != len(lines) or set(map(len, rows)) != {self._width}:
            return None
        return list(chain.from_iterable(rows)) if all(map(any, rows)) else None

    def _unquoted_cells(self, lines: list[str]) -> list[str] | None:
        """Part lines without quotes all at once; None if `csv` has more to say."""
        between, width = self._delimiter, self._width
        text = "".join(lines)
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        lengths = list(map(len, lines))
        if (
            '"' in text
            or "\r" in text
            or width == 1
            or set(map(str.count, lines, repeat(between))) != {width - 1}
            or min(lengths) <= width + 1  # perhaps a row without any text
            or max(lengths) > csv.field_size_limit()
        ):
            return None
        return text.removesuffix("\n").replace("\n", between).split(between)

    def _careful_rows(self, through: int) -> RowBatch:
        """Read rows one by one until the line *through* is read or passed."""
        feed, width = self._feed, self._width
        first_lines, last_lines, good = [], [], list[str]()
        reader = csv.reader(feed, delimiter=self._delimiter, strict=True)
        while self._line < through:
            feed.taken.clear()
            try:
                cells = next(reader)
            except (csv.Error, _Unclosed) as error:
                self._reject_first(error)
                reader = csv.reader(feed, delimiter=self._delimiter, strict=True)
                continue
            count = len(feed.taken)
            if count > 1 and (len(cells) != width or self._swallows(feed.taken, width)):
                self._reject_first(None)
                # The reader is between rows, and goes on with what was given back.
                continue
            first, self._line = self._line + 1, self._line + count
            if self._damage and self._rule_of_damage(first, self._line):
                self._reject(first, self._rule_of_damage(first, self._line), feed.taken)
            elif not any(cells):
                self.blank += 1
            elif len(cells) != width:
                rule = "too-many-cells" if len(cells) > width else "too-few-cells"
                self._reject(first, rule, feed.taken, len(cells))
            else:
                first_lines.append(first)
                last_lines.append(self._line)
                good.extend(cells)
        return RowBatch(first=first_lines, last=last_lines, width=width, cells=good)

    def _rule_of_damage(self, first: int, last: int) -> str:
        for line in range(first, last + 1):
            if line in self._damage:
                return self._damage[line]
        return ""

    def _swallows(self, lines: list[str], width: int) -> bool:
        """Tell whether a row over several lines looks like several whole rows."""
        if width == 1:
            return False
        counts = [line.count(self._delimiter) for line in lines]
        return max(counts[1:-1], default=0) >= width - 1 or min(counts) >= width - 1

    def _reject_first(self, error: Exception | None) -> None:
        several = len(self._feed.taken) > 1 or isinstance(error, _Unclosed)
        text = str(error or "")
        self._feed.give_back(1)
        self._line += 1
        rule = "quote-broken"
        if several or "unexpected end" in text:
            rule = "quote-unclosed"
        elif "field limit" in text:
            rule = "cell-too-long"
        rule = self._rule_of_damage(self._line, self._line) or rule
        self._reject(self._line, rule, self._feed.taken)

    def _reject(self, line: int, rule: str, lines: list[str], count: int = 0) -> None:
        for damaged in range(line, line + len(lines)):
            self._damage.pop(damaged, None)
        # One text for all rows of a reason: there may be a million of them.
        if (rule, count) not in self._texts:
            text_en, text_zh = (
                text.format(count=count, width=self._width) for text in _TEXTS[rule]
            )
            self._texts[rule, count] = text_en, text_zh
        text_en, text_zh = self._texts[rule, count]
        bad = BadRow(line=0, rule=rule, text_en=text_en, text_zh=text_zh, raw="")
        if len(self.bad) >= self._most_bad:
            self.more_bad[bad] += 1
            return
        raw = kept_raw(visible("".join(lines).rstrip("\r\n")))
        self.bad.append(attrs.evolve(bad, line=line, raw=raw))


def _sniff(line: str, known: Callable[[str], bool], fallback: str) -> str:
    def worth(delimiter: str) -> tuple[int, int, bool]:
        cells = cells_of(line, delimiter)
        return sum(map(known, cells)), len(cells), delimiter == fallback

    return max((fallback, *_DELIMITERS), key=worth)


def cells_of(line: str, delimiter: str) -> list[str]:
    """
    Part one line into cells, leniently.

    >>> cells_of('a;"b;c"', ";")
    ['a', 'b;c']
    """
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


_TEXTS = {
    "bad-bytes": (
        "the line has bytes that the encoding does not have",
        "该行含有编码无法识别的字节",
    ),
    "nul-byte": ("the line has NUL bytes", "该行含有空字节（NUL）"),
    "quote-unclosed": (
        "a quote opens in this line and does not close within its row",
        "该行的引号没有在本条记录内闭合",
    ),
    "quote-broken": (
        "text follows a closing quote: a quote inside a cell must be doubled",
        "引号闭合后还有文字：单元格内的引号应写成两个",
    ),
    "cell-too-long": ("a cell is too long", "单元格过长"),
    "too-many-cells": (
        "the row has {count} cells, the heading line has {width}",
        "该行有 {count} 个单元格，标题行有 {width} 个",
    ),
    "too-few-cells": (
        "the row has {count} cells, the heading line has {width}",
        "该行有 {count} 个单元格，标题行有 {width} 个",
    ),
}
