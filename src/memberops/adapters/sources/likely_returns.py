"""Lines that look like returns although their amounts are positive."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from memberops.adapters.sources.column_values import Cells, TextColumn
from memberops.adapters.sources.headings import shown_heading
from memberops.adapters.sources.return_words import plain_word, return_word
from memberops.adapters.sources.values import narrow

__all__ = [
    "MOST_WORDS",
    "LikelyReturns",
    "likely_returns",
    "listed_words",
    "names_kinds",
    "positive_rows",
]

_Array = npt.NDArray[Any]
_YES = frozenset({"是", "y", "yes", "true", "√"})
_ASKING = re.compile("退|return|refund", re.IGNORECASE)
_LIKELY = re.compile(
    "类|類|型|方向|性质|标志|标识|标记|状态|狀態|业务|操作|方式|单据|交易|种|退|收发"
    "|type|kind|direct|status|state|flag|return|refund|sign|operation|action|event"
    "|categ|class|nature|mode|movement|transaction",
    re.IGNORECASE,
)
_FREE = re.compile(
    "备注|備註|说明|原因|描述|附言|留言|remark|note|reason|comment|memo|descr",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{5}")
MOST_WORDS = 6
"""So many words are shown."""
_MOST_KINDS = 10_000
"""A column of more different texts tells no kinds of lines."""
_MOST_QUOTED = 200
"""In a column of more different texts people write what they like."""


@attrs.frozen(kw_only=True)
class LikelyReturns:
    """
    Lines that a column seems to mark as returns, and whose amounts are positive.

    Args:
        heading: Of the column.
        count: How many lines there are.
        condition: Of `ReturnRule`, ``"equals"`` or ``"starts_with"``: what takes them.
        words: What would stand in it; the first few.
    """

    heading: str
    count: int
    condition: str
    words: tuple[str, ...]

    @property
    def listed(self) -> str:
        """The words, as TOML has them."""
        return listed_words(self.words)

    @property
    def option(self) -> str:
        """
        What a chain file has to say to make them returns.

        >>> LikelyReturns(heading="类型", count=2, condition="equals", words=("退货",)
        ...               ).option
        'returns = { column = "类型", equals = ["退货"] }'
        """
        column = shown_heading(self.heading)
        return (
            f'returns = {{ column = "{column}", {self.condition} = [{self.listed}] }}'
        )


def likely_returns(
    amount: Cells, columns: Mapping[str, TextColumn], counts: _Array
) -> list[LikelyReturns]:
    """
    Find lines that columns seem to mark as returns, and whose amount is positive.

    Args:
        amount: The amounts, as a rule has left them.
        columns: By heading, the text of the columns to be looked at.
        counts: Which rows count so far.

    Returns:
        For each column that has such lines, what they are.
    """
    likely = []
    for heading, text in columns.items():
        if len(text.texts) > _MOST_KINDS:
            continue
        answers = _YES if _ASKING.search(narrow(heading)) else frozenset[str]()
        starts = [_start(each, answers) for each in text.texts]
        marked = np.array([bool(start) for start in starts], dtype=bool)
        wrong = marked[text.codes] & counts & positive_rows(amount)
        if not wrong.any():
            continue
        at = np.unique(text.codes[wrong]).tolist()
        words = {text.texts[each].strip(): starts[each] for each in at}
        condition, shown = _quoted(words, whole=_may_be_quoted(heading, text))
        likely.append(
            LikelyReturns(
                heading=heading,
                count=int(wrong.sum()),
                condition=condition,
                words=tuple(shown),
            )
        )
    return likely


def names_kinds(heading: str) -> bool:
    """
    Tell whether a heading is likely one of kinds of lines.

    >>> names_kinds("单据类型"), names_kinds("备注")
    (True, False)
    """
    return _LIKELY.search(narrow(heading)) is not None


def positive_rows(cells: Cells) -> _Array:
    """Tell for each row whether its value can be read and is above zero."""
    return np.asarray(cells.readable_rows & (cells.typed > 0)[cells.codes])


def _start(text: str, answers: frozenset[str]) -> str:
    """Return what a text that marks a return begins with, or nothing."""
    plain = plain_word(text)
    return plain if plain in answers else return_word(text)


def _may_be_quoted(heading: str, text: TextColumn) -> bool:
    """Tell whether a column holds kinds of lines, and not what somebody wrote."""
    few = len(text.texts) <= _MOST_QUOTED
    return few and names_kinds(heading) and not _FREE.search(narrow(heading))


def _quoted(words: Mapping[str, str], *, whole: bool) -> tuple[str, list[str]]:
    """
    Choose the condition that takes some words, and what stands in it.

    What follows a word, as in 退货(质量), is shown only of a column of kinds of lines.
    """
    safe = [
        word
        for word, start in words.items()
        if plain_word(word) == start or (whole and not _NUMBER.search(narrow(word)))
    ]
    if safe:
        return "equals", safe[:MOST_WORDS]
    return "starts_with", list(dict.fromkeys(words.values()))[:MOST_WORDS]


def listed_words(words: Iterable[str]) -> str:
    """
    Write words as a list of TOML has them, without its brackets.

    >>> listed_words(["退货", "退款"])
    '"退货", "退款"'
    """
    # JSON escapes what TOML does.
    return ", ".join(json.dumps(word, ensure_ascii=False) for word in words)
