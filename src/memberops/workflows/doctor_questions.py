"""What the values of a column leave open: their dates, their unit, their words."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping

import numpy as np

from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.date_values import EitherOrder, read_moment
from memberops.adapters.sources.reading_options import TO_FILL_IN
from memberops.adapters.sources.values import Unreadable, narrow, read_choice
from memberops.tables import Column, Kind
from memberops.workflows.doctor_proposal import Question, on_one_line, toml_text

__all__ = ["TIME_OF_DAY", "column_questions", "day_numbers", "first_texts"]

TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?", re.ASCII)
_INTEGER = re.compile(r"-?\d+", re.ASCII)
_MOST = 200
_LARGE = 1000
_FEW = 5
_SHORT = 6
_FIRST_SERIAL, _LAST_SERIAL = 30_000, 70_000
_LEAST = 3


def first_texts(text: TextColumn) -> list[str]:
    """Return the first different texts of a column that are not empty."""
    found = (each.strip() for each in text.texts[: 2 * _MOST])
    return [each for each in found if each][:_MOST]


def day_numbers(text: TextColumn) -> bool:
    """
    Tell whether a column holds a spreadsheet's day numbers, which join no time.

    >>> day_numbers(TextColumn.constant("46331", 1))
    True
    """
    texts = first_texts(text)
    return bool(texts) and all(map(_day_number, texts))


def _day_number(text: str) -> bool:
    found = read_moment(text)
    return (
        isinstance(found, Unreadable)
        and found.rule == "date-serial"
        and _FIRST_SERIAL <= float(narrow(text)) < _LAST_SERIAL
    )


def column_questions(
    column: Column,
    text: TextColumn,
    *,
    joined: Collection[str] = (),
    unit_known: bool = False,
    exact: bool = False,
) -> tuple[list[Question], dict[str, str]]:
    """
    Ask what the values of a column leave open.

    Args:
        column: The canonical column.
        text: The text that would be read for it.
        joined: Columns of moments that are made of these days and of times: how
            their dates are written is said along.
        unit_known: Whether the heading of amounts tells their unit.
        exact: Whether amounts are as a system keeps them, and not as a file shows
            them: whole ones are then often minor units, however small or few.

    Returns:
        The questions, and options of reading that are as good as certain.

    >>> amounts = TextColumn.constant("129900", 1)
    >>> from memberops.tables import table
    >>> column_questions(table("sales").column("amount"), amounts)[0]
    []
    """
    texts = first_texts(text)
    if not texts:
        return [], {}
    if column.kind in (Kind.DATE, Kind.INSTANT):
        return _dates(column, texts, joined)
    if column.kind is Kind.MONEY:
        return [] if unit_known else _unit(column, texts, exact=exact), {}
    if column.kind is Kind.CHOICE:
        return _words(column, texts, _recurring(text)), {}
    return [], {}


def _dates(
    column: Column, texts: list[str], joined: Collection[str]
) -> tuple[list[Question], dict[str, str]]:
    read = [read_moment(each) for each in texts]
    rules = {found.rule for found in read if isinstance(found, Unreadable)}
    if all(map(_day_number, texts)):
        toml = _date_format(column, "excel")
        return [_ask_dates(column, toml, "spreadsheet day numbers", "表格日期序号")], {}
    either = [found for found in read if isinstance(found, EitherOrder)]
    if either and not any(found.proves for found in either):
        toml = _date_format(column, "day-first", dict.fromkeys(joined, "day-first"))
        return [_ask_dates(column, toml, "either day-first or month-first",
                           "日在前或月在前都可能")], {}  # fmt: skip
    if "date-two-digit-year" in rules:
        timed = dict.fromkeys(joined, "%d/%m/%y %H:%M")
        toml = _date_format(column, "%d/%m/%y", timed)
        return [_ask_dates(column, toml, "years of two digits", "两位数年份")], {}
    return [], {}


def _date_format(
    column: Column, words: str, joined: Mapping[str, str] | None = None
) -> str:
    pairs = {column.name: words, **(joined or {})}
    # Other columns have answers of their own: a table would stand there once only.
    return "\n".join(
        f"date_format.{name} = {json.dumps(each)}" for name, each in pairs.items()
    )


def _ask_dates(column: Column, toml: str, what: str, what_zh: str) -> Question:
    return Question(
        rule="date-format",
        column=column.name,
        text_en=f"the dates of {column.name} are {what}; say which, for example:",
        text_zh=f"{column.name} 的日期是{what_zh}，请说明，例如：",
        toml=toml,
    )


def _unit(column: Column, texts: list[str], *, exact: bool) -> list[Question]:
    plain = [each.replace(",", "") for each in texts]
    if not all(map(_INTEGER.fullmatch, plain)):
        return []
    sizes = sorted(abs(int(each)) for each in plain)
    large = len(plain) >= _LEAST and sizes[len(sizes) // 2] >= _LARGE
    if not (large or (exact and sizes[-1])):
        return []
    how_en, how_zh = ("whole and large", "较大的整数") if large else ("whole", "整数")
    return [
        Question(
            rule="unit",
            column=column.name,
            text_en=f"all amounts of {column.name} are {how_en}: are they in "
            "minor units (fen)? Then say:",
            text_zh=f"{column.name} 的金额都是{how_zh}：单位是否为“分”？如是，请写：",
            toml=f'units = {{ {column.name} = "分" }}',
        )
    ]


def _recurring(text: TextColumn) -> set[str]:
    """Return the texts that stand in several rows."""
    rows = np.bincount(text.codes, minlength=len(text.texts))
    return {text.texts[at].strip() for at in np.flatnonzero(rows >= _LEAST).tolist()}


def _words(column: Column, texts: list[str], often: set[str]) -> list[Question]:
    words = {narrow(spelling).casefold(): word for spelling, word in column.choices}
    unknown = [e for e in texts if isinstance(read_choice(e, words), Unreadable)]
    if not unknown:
        return []
    # A short word that is one of a few and comes again and again is a state. A name
    # would be one of many, and in a short file, or below a heading that slid, it
    # stands once.
    few = len(texts) <= 2 * _FEW and all(len(each) <= _SHORT for each in unknown)
    known = few and not column.personal
    states = [each for each in unknown if known and each in often][:_FEW]
    shown = on_one_line(", ".join(states))
    meant = sorted(set(words.values()))
    shown_words = map(toml_text, states or [TO_FILL_IN])
    return [
        Question(
            rule="word-unknown",
            column=column.name,
            text_en=f"{len(unknown)} words of {column.name} are not known"
            + (f" ({shown})" if shown else "")
            + f"; which of {', '.join(meant)} do they mean? For example:",
            text_zh=f"{column.name} 有 {len(unknown)} 个未知取值"
            + (f"（{shown}）" if shown else "")
            + f"，分别是 {'、'.join(meant)} 中的哪一个？例如：",
            # No word of ours: it might be taken unseen.
            toml="\n".join(
                f'values.{column.name}.{each} = "{TO_FILL_IN}"' for each in shown_words
            ),
        )
    ]
