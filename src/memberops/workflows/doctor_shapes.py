"""What a doctor may show of text that may be a person's: its shape."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from memberops.adapters.sources.text_table import TextTable
from memberops.workflows.doctor_proposal import shown_in_line
from memberops.workflows.doctor_questions import first_texts

__all__ = ["shape_of", "shown_headings"]

_LONGEST = 24
_LEAST = 2


def shape_of(text: str) -> str:
    """
    Write what a text is made of: 9 for digits, x for letters, 文 for other letters.

    >>> shape_of("138-1234-5678"), shape_of("zhang88@qq.com"), shape_of("王小明T1")
    ('999-9999-9999', 'xxxxx99@xx.xxx', '文文文x9')
    """
    shown = [_sign(char) for char in text.strip()[: _LONGEST + 1]]
    return "".join(shown if len(shown) <= _LONGEST else [*shown[:_LONGEST], "…"])


def _sign(char: str) -> str:
    if char.isdecimal():
        return "9"
    if char.isalpha():
        return "x" if char.isascii() else "文"
    kept = unicodedata.category(char)[0] == "P" or char in "+ "
    return char if kept else "?"


def shown_headings(
    text: TextTable, places: Mapping[str, int], *, sure: bool = False
) -> list[str]:
    """
    Write the headings for a message: their shapes where they may be a row of data.

    A first row holds headings if two of them are known, or if a word without digits
    stands above values that all have some.

    Args:
        text: The table.
        places: Where the known headings stand.
        sure: Whether they are headings for certain, as names of columns are.
    """
    sure = (
        sure
        or len(places) >= _LEAST
        or any(
            _above_figures(heading, first_texts(column))
            for heading, column in zip(text.headings, text.columns, strict=True)
        )
    )
    known = set(places.values())
    return [
        shown_in_line(heading) if sure or at in known else shape_of(heading)
        for at, heading in enumerate(text.headings)
    ]


def _above_figures(heading: str, texts: list[str]) -> bool:
    if not heading.strip() or any(map(str.isdecimal, heading)) or not texts:
        return False
    return all(any(map(str.isdecimal, each)) for each in texts)
