"""The sentences of many waivers at once: each pattern is phrased once, then filled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from memberops.policies.condition import AtLeast
from memberops.policies.fee_waiver import waiver_texts
from memberops.policies.rules import AllOf, AnyOf, Rule

__all__ = ["waiver_sentences"]

Array = np.ndarray[Any, Any]
Texts = tuple[list[str], list[str]]

_HELD, _UNKNOWN, _LACKING = range(3)


def waiver_sentences(
    rule: Rule, rows: pd.DataFrame, days: Sequence[dt.date] | Array
) -> tuple[Array, Array]:
    """
    Write `waiver_texts` of each row, in English and in Chinese.

    Rows whose figures are unknown, reached or lacking alike have one sentence with
    other numbers in it: the rule phrases one of them, and the others are filled in.

    Args:
        rule: The rule.
        rows: A column of whole numbers for each figure, gaps are unknown.
        days: The last day on which a purchase counts, of each row.
    """
    codes, last_days = pd.factorize(np.array(days, object))
    leaves = rule.conditions
    known = {leaf.figure: _whole(rows[leaf.figure]) for leaf in leaves}
    pattern = codes
    for leaf in leaves:
        values, gaps = known[leaf.figure]
        state = np.where(values >= leaf.limit, _HELD, _LACKING)
        pattern = pattern * 3 + np.where(gaps, _UNKNOWN, state)
    english = np.full(len(rows), "", object)
    chinese = english.copy()
    for same in _groups(pattern):
        columns = {
            figure: (values[same], bool(gaps[same[0]]))
            for figure, (values, gaps) in known.items()
        }
        english[same], chinese[same] = _filled(rule, columns, last_days[codes[same[0]]])
    return english, chinese


def _whole(column: pd.Series) -> tuple[Array, Array]:
    gaps = column.isna().to_numpy(bool)
    return column.to_numpy(np.int64, na_value=0), gaps


def _groups(pattern: Array) -> list[Array]:
    if not len(pattern):
        return []
    order = np.argsort(pattern, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(pattern[order])) + 1)


def _filled(rule: Rule, columns: dict[str, tuple[Array, bool]], last: dt.date) -> Texts:
    """Phrase the first row, and fill the numbers of the others into its sentence."""
    units = {
        figure: None if unknown else int(values[0])
        for figure, (values, unknown) in columns.items()
    }
    reading = rule.weigh(units)
    size = len(next(iter(columns.values()))[0])
    texts = waiver_texts(reading, last)
    if size == 1 or reading.met:
        each = [texts, *(waiver_texts(rule.weigh(_row(columns, place)), last)
                         for place in range(1, size))]  # fmt: skip
        return [text[0] for text in each], [text[1] for text in each]
    full = None in units.values()
    parts: tuple[list[list[str]], list[list[str]]] = ([], [])
    rest = list(texts)
    for leaf in _spoken(rule, units):
        phrases = leaf.phrases(units, full=full)
        filled = _phrases(leaf, columns[leaf.figure], full=full)
        for language in range(2):
            # A phrase has a number or says "unknown": what joins phrases has neither.
            before, _, rest[language] = rest[language].partition(phrases[language])
            parts[language].extend(([before] * size, filled[language]))
    whole = [
        list(map("".join, zip(*parts[language], [rest[language]] * size, strict=True)))
        for language in range(2)
    ]
    return whole[0], whole[1]


def _spoken(rule: Rule, units: dict[str, int | None]) -> list[AtLeast]:
    """List the conditions that a sentence names, in order."""
    if rule.holds(units):
        return []
    if isinstance(rule, AnyOf | AllOf):
        return [leaf for each in rule.rules for leaf in _spoken(each, units)]
    return list(rule.conditions)


def _row(columns: dict[str, tuple[Array, bool]], place: int) -> dict[str, int | None]:
    return {
        figure: None if unknown else int(values[place])
        for figure, (values, unknown) in columns.items()
    }


def _phrases(leaf: AtLeast, column: tuple[Array, bool], *, full: bool) -> Texts:
    """Phrase each value of a condition once."""
    values, unknown = column
    if unknown:
        english, chinese = leaf.phrases({leaf.figure: None}, full=full)
        return [english] * len(values), [chinese] * len(values)
    codes, uniques = pd.factorize(values)
    spoken = [leaf.phrases({leaf.figure: value}, full=full)
              for value in uniques.tolist()]  # fmt: skip
    texts = np.array(spoken, object)[codes]
    return texts[:, 0].tolist(), texts[:, 1].tolist()
