"""
Many ids, words and numbers at once, those that are plain.

Most cells of most files are ``T000012345`` or ``1299.00``: what `values` reads one by
one is checked here for many texts together. What is not plain is left to `values`,
text by text, so that no answer differs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from memberops.adapters.sources.arrow_texts import ArrowTexts, picked
from memberops.adapters.sources.text_bytes import TextBytes, blocks_of_bytes

__all__ = ["plain_numbers", "plain_words"]

_Array = npt.NDArray[Any]

_SIZES = (4096, 256, 16)
_BLOCK = 1 << 16
_LONGEST_WORD = 200
_SAFE_DIGITS = 18
_POWERS = 10 ** np.arange(_SAFE_DIGITS + 1, dtype=np.int64)
_POINT, _MINUS, _ZERO, _SPACE, _SHARP = (ord(sign) for sign in ".-0 #")
_ENDS_OF_ERRORS = [ord(sign) for sign in "!?A"]
_ERROR = re.compile(r"\|#[^|]*[!?A]\|")
_FOREIGN = np.arange(256) > ord("~")
_ODD = np.array([not (at < 128 and chr(at).isalnum()) for at in range(256)])  # noqa: PLR2004 - ASCII
_SPOILING = (np.arange(256) < _SPACE) | np.isin(np.arange(256), [*b'"+\x7f'])


def plain_words(texts: Sequence[str]) -> _Array:
    """
    Tell which texts `values.read_id` and `values.read_text` give back as they are.

    Texts are checked in blocks; a block that is not plain as a whole is parted.

    >>> plain_words(["T001", "王小明", "Li Lei", " T1", "Ｔ1", "1E+5", 'a"b', "#REF!"])
    array([ True,  True,  True, False, False, False, False, False])
    """
    plain = np.zeros(len(texts), dtype=bool)
    if not isinstance(texts, ArrowTexts):
        _mark_words(texts, 0, len(texts), plain, _SIZES)
        return plain
    for start, block in blocks_of_bytes(texts, _BLOCK):
        own = plain[start : start + len(block.ends)]
        if not _ODD[block.signs].any():
            own[:] = block.lengths <= _LONGEST_WORD
            continue
        first, last = block.edges
        own[:] = (first != _SPACE) & (last != _SPACE)
        own &= (first != _SHARP) | ~np.isin(last, _ENDS_OF_ERRORS)
        own &= ~block.holding(_SPOILING) & (block.lengths <= _LONGEST_WORD)
        if foreign := np.flatnonzero(own & block.holding(_FOREIGN)).tolist():
            own[foreign] = plain_words(picked(texts, np.array(foreign) + start))
    return plain


def _mark_words(
    texts: Sequence[str], start: int, end: int, plain: _Array, sizes: tuple[int, ...]
) -> None:
    size, smaller = (sizes[0], sizes[1:]) if sizes else (1, ())
    for first in range(start, end, size):
        last = min(first + size, end)
        if _are_words(texts[first:last]):
            plain[first:last] = True
        elif size > 1:
            _mark_words(texts, first, last, plain, smaller)


def _are_words(texts: Sequence[str]) -> bool:
    # Nothing that cannot be seen, no space at an end, and neither a quote nor the
    # plus of a number in scientific notation; no error of a spreadsheet, as #REF!;
    # wide characters are not normal.
    joined = "|".join(["", *texts, ""])
    return (
        joined.isprintable()
        and "+" not in joined
        and '"' not in joined
        and ("|#" not in joined or not _ERROR.search(joined))
        and "| " not in joined
        and " |" not in joined
        and (joined.isascii() or unicodedata.is_normalized("NFKC", joined))
        and max(map(len, texts)) <= _LONGEST_WORD
    )


def plain_numbers(texts: Sequence[str], digits: int) -> tuple[_Array, _Array]:
    """
    Read the texts that are digits, with a minus, or a point and few digits behind it.

    Args:
        texts: The texts.
        digits: How many digits stand behind the point at most; the numbers are in
            units of the last.

    Returns:
        The numbers, 0 where a text is not plain; and which are.

    >>> values, plain = plain_numbers(["1299.00", "-0.5", "7", "1,299", "1.234"], 2)
    >>> values.tolist(), plain.tolist()
    ([129900, -50, 700, 0, 0], [True, True, True, False, False])
    """
    values = np.zeros(len(texts), dtype=np.int64)
    plain = np.zeros(len(texts), dtype=bool)
    for start, block in blocks_of_bytes(texts, _BLOCK):
        own = np.flatnonzero(block.ends > block.starts)
        if len(own):
            full = TextBytes(block.signs, block.starts[own], block.ends[own])
            values[own + start], plain[own + start] = _block_of_numbers(full, digits)
    return values, plain


def _block_of_numbers(block: TextBytes, digits: int) -> tuple[_Array, _Array]:
    """Read texts that are not empty, and so follow one another without a gap."""
    signs, starts, ends = block.signs, block.starts, block.ends
    numerals = signs - _ZERO  # unsigned: what is no digit is more than 9
    are_digits = numerals <= 9  # noqa: PLR2004 - the largest digit
    before = np.cumsum(are_digits)  # digits up to here
    last = before[ends - 1]
    count = np.diff(last, prepend=0)
    negative = signs[starts] == _MINUS
    points = signs == _POINT
    pointed = np.add.reduceat(points, starts, dtype=np.int64)
    # Digits behind the last point, or none if there is no point.
    behind = np.zeros(len(ends), dtype=np.int64)
    at = np.flatnonzero(points)
    owner = np.searchsorted(ends, at, side="right")
    behind[owner] = last[owner] - before[at]
    plain = (
        (count + negative + pointed == ends - starts)
        & (pointed <= 1)
        & ((pointed == 0) | (behind > 0))
        & (behind <= digits)
        & (count > behind)
        & (count - behind + digits <= _SAFE_DIGITS)
    )
    place: _Array = np.repeat(last, ends - starts) - before
    weights = _POWERS[np.minimum(place, _SAFE_DIGITS)]
    shares = np.where(are_digits, numerals, 0) * weights
    totals = np.add.reduceat(shares, starts)
    scaled = totals * _POWERS[np.clip(digits - behind, 0, _SAFE_DIGITS)]
    return np.where(plain, np.where(negative, -scaled, scaled), 0), plain
