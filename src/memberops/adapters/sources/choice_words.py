"""Words that a chain file gives for those of a source must be known to the table."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from memberops.adapters.sources.values import narrow
from memberops.errors import ConfigurationError, bounded
from memberops.tables import Column

__all__ = ["check_known"]


def check_known(
    name: str, texts: Iterable[str], column: Column, missing: Collection[str]
) -> None:
    """
    Refuse a word that no cell of a column of choices may hold: each row would fail.

    Args:
        name: The column, as the option ``values`` names it.
        texts: The words that stand for those of the source.
        column: A column of choices.
        missing: Words that mean "no value", which is no choice and may be meant.

    Raises:
        ConfigurationError: A word is unknown; the nearest is named.

    >>> from memberops.tables import table
    >>> gender = table("members").column("gender")
    >>> check_known("gender", ["unkown"], gender, {""})
    Traceback (most recent call last):
        ...
    memberops.errors.ConfigurationError: 'values' of 'gender' says 'unkown', which is \
no word of that column; did you mean 'unknown'?
    """
    known = {narrow(spelling).casefold() for spelling, _ in column.choices}
    meant = list(dict.fromkeys(word for _, word in column.choices))
    for text in texts:
        word = narrow(text).casefold()
        if word in known or text.strip() in missing:
            continue
        # Ours first: a spelling of another language is seldom what was meant.
        near = difflib.get_close_matches(word, meant, n=1)
        near = near or difflib.get_close_matches(word, sorted(known), n=1)
        hint_en = f"known are: {bounded(meant, limit=12)}"
        hint_zh = f"可取：{'、'.join(meant[:12])}"
        if near:
            hint_en = f"did you mean {near[0]!r}?"
            hint_zh = f"是否应为“{near[0]}”？"
        raise ConfigurationError(
            f"'values' of {name!r} says {text[:40]!r}, which is no word of that "
            f"column; {hint_en}"
        ).in_chinese(
            f"values 的 {name} 写有“{text[:40]}”，不是该列的已知取值；{hint_zh}"
        )
