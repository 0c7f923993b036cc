"""Which texts mean nothing, or nobody."""

from __future__ import annotations

import importlib
import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from memberops.adapters.sources.arrow_texts import ArrowTexts, picked
from memberops.adapters.sources.finding_log import FindingLog
from memberops.adapters.sources.text_bytes import blocks_of_bytes
from memberops.adapters.sources.values import narrow
from memberops.errors import bounded

if TYPE_CHECKING:
    from memberops.adapters.sources.column_values import TextColumn

__all__ = ["NOBODY_WORDS", "nobody_texts", "void_texts"]

NOBODY_WORDS = (
    "-", "0", "none", "null", "nil", "nan", "n/a", "#n/a", "<na>", "guest",
    "walk-in", "anonymous", "无", "散客", "非会员", "游客", "匿名", "普通顾客",
)  # fmt: skip
"""Member ids that mean no member, as tills write them; case and width do not count."""

_Array = npt.NDArray[Any]

_BLOCK = 1 << 16
_FOREIGN = np.arange(256) > ord("~")
_SEEN = (np.arange(256) > ord(" ")) & ~_FOREIGN


def void_texts(text: TextColumn, missing: Iterable[str]) -> _Array:
    """
    Tell which texts mean "no value": the empty one, and some words.

    Args:
        text: A column.
        missing: The words.
    """
    words = frozenset(missing) | {""}
    if isinstance(text.texts, ArrowTexts):
        return _among(text.texts, words)
    stripped = map(str.strip, text.texts)
    return np.fromiter(map(words.__contains__, stripped), bool, len(text.texts))


def nobody_texts(
    text: TextColumn,
    words: Iterable[str],
    *,
    asked: _Array,
    log: FindingLog | None = None,
) -> _Array:
    """
    Tell which texts name no member: the words, and rows of zeros or dashes.

    Args:
        text: A column that names members.
        words: Words that mean "no member".
        asked: Which texts are asked about.
        log: Takes the finding.
    """
    known = {narrow(word).casefold() for word in words} - {""}
    runs = {re.escape(mark) + "+" for mark in known & {"0", "-"}}
    forms = "|".join(sorted(runs | {re.escape(word) for word in known}))
    found = np.zeros(len(text.texts), dtype=bool)
    if not forms:
        return found
    if isinstance(text.texts, ArrowTexts):
        likely = np.flatnonzero(asked & _edged_like(text.texts, known))
    else:
        likely = np.flatnonzero(asked)
    # All at once: a chain has as many different texts here as members.
    texts = [each.replace("\0", " ") for each in picked(text.texts, likely)]
    together = narrow("\0" + "\0".join(texts) + "\0").casefold()
    shown, at, last = set[str](), 0, 0
    for match in re.finditer(rf"\0\s*({forms})\s*(?=\0)", together):
        at += together.count("\0", last, match.start())
        last = match.start()
        found[likely[at]] = True
        shown.add(match[1])
    rows = np.bincount(text.codes, minlength=len(text.texts))
    if log is not None and rows[found].any():
        told = bounded(sorted(shown), limit=12)
        log.add(
            "member-nobody",
            f"rows whose member id stands for nobody ({told}) and that name no "
            "member; 'nobody' says which words do",
            f"会员号表示“无会员”的行（{told}），不计为会员；哪些词如此，由 nobody 指定",
            column="member_id",
            count=int(rows[found].sum()),
        )
    return found


def _among(texts: ArrowTexts, words: Collection[str]) -> _Array:
    """Tell which texts are one of some words, spaces at their ends aside."""
    found = np.zeros(len(texts), dtype=bool)
    arrow: Any = importlib.import_module("pyarrow")
    compute: Any = importlib.import_module("pyarrow.compute")
    known = arrow.array([*words], arrow.large_string())
    for start, chunk in texts.chunks():
        same = compute.is_in(chunk, value_set=known)
        found[start : start + len(chunk)] = same.to_numpy(zero_copy_only=False)
    for start, block in blocks_of_bytes(texts, _BLOCK):
        first, last = block.edges
        # Of a text between plain signs there is no space to be taken.
        unseen = (~_SEEN[first] | ~_SEEN[last]) & (block.ends > block.starts)
        rows = np.flatnonzero(unseen) + start
        stripped = map(str.strip, picked(texts, rows))
        found[rows] = np.fromiter(map(words.__contains__, stripped), bool, len(rows))
    return found


def _edged_like(texts: ArrowTexts, words: Collection[str]) -> _Array:
    """
    Tell which texts may be one of some words, or a run of its sign, in any spelling.

    Looked at are the first and the last sign alone. Words are narrow and casefolded;
    what is not ASCII, or has a space at an end, may be any word.
    """
    ends = [~_SEEN, ~_SEEN]
    for own, at in zip(ends, (0, -1), strict=True):
        own[[ord(word[at]) for word in words if word[at].isascii()]] = True
        own[[ord(word[at].upper()) for word in words if word[at].isascii()]] = True
    found = np.zeros(len(texts), dtype=bool)
    for start, block in blocks_of_bytes(texts, _BLOCK):
        first, last = block.edges
        own = found[start : start + len(first)]
        own[:] = (ends[0][first] & ends[1][last]) | block.holding(_FOREIGN)
    return found
