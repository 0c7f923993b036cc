"""Lunar birthdays as application forms and exports write them (HQ §4.1)."""

from __future__ import annotations

import re

from memberops.errors import ScheduleError
from memberops.schedules import LunarBirthday

__all__ = ["read_lunar_birthday"]

_FIGURES = re.compile(r"(L|l|闰)?\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?")
_WORDS = re.compile(
    r"(闰)?([正元]|十一|十二|[一二三四五六七八九十冬腊]|\d{1,2})月"
    r"(初?[一二三四五六七八九十]|十[一二三四五六七八九]|廿[一二三四五六七八九]?"
    r"|二十[一二三四五六七八九]?|三十|卅|\d{1,2})[日号]?"
)
_ONES = "一二三四五六七八九"
_MONTHS = {
    "正": 1, "元": 1, "十": 10, "十一": 11, "冬": 11, "十二": 12, "腊": 12,
} | {word: number for number, word in enumerate(_ONES, start=1)}  # fmt: skip
_DAYS = (
    {f"初{word}": number for number, word in enumerate(_ONES, start=1)}
    | {word: number for number, word in enumerate(_ONES, start=1)}
    | {"初十": 10, "十": 10, "二十": 20, "廿": 20, "三十": 30, "卅": 30}
    | {f"十{word}": number for number, word in enumerate(_ONES, start=11)}
    | {f"廿{word}": number for number, word in enumerate(_ONES, start=21)}
    | {f"二十{word}": number for number, word in enumerate(_ONES, start=21)}
)


def read_lunar_birthday(text: str) -> LunarBirthday | None:
    """
    Read a lunar month and day, or return None if it is none.

    Args:
        text: Such as ``"08-15"``, ``"L06-01"`` for a leap month, ``"八月十五"``,
            ``"八月廿"`` or ``"八月15日"``.

    >>> read_lunar_birthday("闰六月初一") == read_lunar_birthday("L6-1")
    True
    >>> read_lunar_birthday("腊月三十").month, read_lunar_birthday("13-01")
    (12, None)
    """
    text = text.strip().removeprefix("农历").removeprefix("阴历").strip()
    try:
        if found := _FIGURES.fullmatch(text):
            return LunarBirthday(int(found[2]), int(found[3]), bool(found[1]))
        if found := _WORDS.fullmatch(text):
            month, day = _number(found[2], _MONTHS), _number(found[3], _DAYS)
            return LunarBirthday(month, day, bool(found[1]))
    except ScheduleError:
        return None
    return None


def _number(word: str, known: dict[str, int]) -> int:
    return int(word) if word.isdecimal() else known[word]
