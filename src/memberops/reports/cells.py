"""What a cell says, the same in every writer: text, amounts, days, reasons."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, TypeVar

import pandas as pd

from memberops.domain.money import round_half_up
from memberops.errors import InvalidValueError
from memberops.metrics import Ratio
from memberops.reports.form import Form, FormColumn

__all__ = [
    "ReportLanguage",
    "check_report_language",
    "clean_text",
    "day_of",
    "each_once",
    "is_missing",
    "minor_of",
    "percent_text",
    "ratio_text",
    "reason_of",
    "text_of",
    "text_width",
]

ReportLanguage = Literal["zh", "en", "both"]

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_REASONS = {"zero": Ratio(1, 0), "unknown": Ratio(None, None)}
_RATIO_DIGITS = 6
_T = TypeVar("_T")


def check_report_language(language: str) -> ReportLanguage:
    """Return *language* if it is ``"zh"``, ``"en"`` or ``"both"``, else raise."""
    if language == "zh":
        return "zh"
    if language == "en":
        return "en"
    if language == "both":
        return "both"
    raise InvalidValueError(
        f"language must be 'zh', 'en' or 'both', not {str(language)[:20]!r}"
    )


def is_missing(value: object) -> bool:
    """Say whether a cell of a frame is empty."""
    return value is None or value is pd.NaT or value is pd.NA or value != value  # noqa: PLR0124 - only NaN differs from itself


def clean_text(text: str) -> str:
    r"""
    Drop what no file of text can hold: control characters and half characters.

    Tabs and line breaks stay; a line break is one character.

    >>> clean_text("a" + chr(0) + "b" + chr(13) + chr(10) + "c")
    'ab\nc'
    """
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATE.sub("\ufffd", _UNPRINTABLE.sub("", text))


def text_of(
    form: Form, column: FormColumn, value: object, language: ReportLanguage
) -> str:
    """Write the text of a cell: its words, or why figures of its row are undefined."""
    if is_missing(value):
        return ""
    if column.style == "reasons":
        return clean_text(_reasons(form, str(value), language))
    return clean_text(column.word(str(value), language))


def _reasons(form: Form, text: str, language: ReportLanguage) -> str:
    known = {column.name: column for column in form.columns}
    said = []
    for part in filter(None, text.split("; ")):
        name, _, reason = part.partition(": ")
        column, ratio = known.get(name), _REASONS.get(reason)
        if column is None or ratio is None:
            said.append(part)
        elif language == "en":
            said.append(f"{column.heading_en}: {ratio.explain('en')}")
        else:
            why = ratio.explain("zh")
            if language == "both":
                why += f"（{ratio.explain('en')}）"
            said.append(f"{column.heading(language)}：{why}")
    return ("; " if language == "en" else "；").join(said)


def minor_of(value: Any) -> int:
    """
    Return money as whole minor units; an average is rounded half up, once.

    >>> minor_of(41250), minor_of(41250.5)
    (41250, 41251)
    """
    return round_half_up(Fraction(value)) if isinstance(value, float) else int(value)


def ratio_text(value: float, digits: int = _RATIO_DIGITS) -> str:
    """
    Write a ratio with *digits* decimal digits, rounded half up from its exact value.

    >>> ratio_text(500_000 / 480_000), ratio_text(-0.25, 2)
    ('1.041667', '-0.25')
    """
    scaled = round_half_up(Fraction(value) * 10**digits)
    return str(Decimal(scaled).scaleb(-digits)) if scaled else f"{0:.{digits}f}"


def percent_text(value: float, *, signed: bool = False) -> str:
    """
    Write a ratio as a percentage with one digit, rounded half up.

    >>> percent_text(0.4286), percent_text(0.25, signed=True)
    ('42.9%', '+25.0%')
    """
    tenths = round_half_up(Fraction(value) * 1000)
    return f"{Decimal(tenths).scaleb(-1):{'+' if signed and tenths else ''}}%"


def reason_of(undefined: object, figure: str, language: Literal["zh", "en"]) -> str:
    """
    Say why a figure is undefined, from the text of its row; "" if it is not.

    >>> reason_of("a: zero; sales_share: unknown", "sales_share", "zh")
    '缺少所需数据'
    """
    if is_missing(undefined):
        return ""
    for part in str(undefined).split("; "):
        name, _, reason = part.partition(": ")
        if name == figure and reason in _REASONS:
            return _REASONS[reason].explain(language)
    return ""


def day_of(value: Any) -> dt.date | None:
    """Return a cell of a date column as a day, or None if it is masked text."""
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else None


def each_once(values: pd.Series[Any], make: Callable[[Any], _T]) -> list[_T]:
    """
    Make something of each cell, once of those that are equal and of one type.

    >>> each_once(pd.Series(["a", "b", "a"]), str.upper)
    ['A', 'B', 'A']
    """
    # In a column of moments equal ones are one day; loose ones may differ in zone.
    plain = (str, int, float, *((dt.datetime,) if values.dtype.kind == "M" else ()))
    known: dict[tuple[type, Any], _T] = {}
    made = []
    for value in values.astype(object).tolist():
        if not isinstance(value, plain):
            made.append(make(value))
            continue
        key = (type(value), value)
        if key not in known:
            known[key] = make(value)
        made.append(known[key])
    return made


def text_width(text: str) -> int:
    """
    Count the columns that a text fills where a Chinese character fills two.

    >>> text_width("会员 ATV")
    8
    """
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    marks = sum(unicodedata.combining(char) > 0 for char in text)
    return len(text) + wide - marks
