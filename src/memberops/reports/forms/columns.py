"""Short ways to declare the columns of forms."""

from __future__ import annotations

from typing import Literal

from memberops.reports.form import FormColumn, Style

__all__ = [
    "amount_column",
    "answer_column",
    "count_column",
    "day_column",
    "number_column",
    "sentence_columns",
    "share_column",
    "text_column",
    "why_undefined",
]

_ANSWERS = (("yes", "yes", "是"), ("no", "no", "否"))


def _plain(name: str, heading_en: str, heading_zh: str, style: Style) -> FormColumn:
    return FormColumn(
        name=name, heading_en=heading_en, heading_zh=heading_zh, style=style
    )


def text_column(
    name: str,
    heading_en: str,
    heading_zh: str,
    *,
    words: tuple[tuple[str, str, str], ...] = (),
    personal: bool = False,
    language: Literal["zh", "en"] | None = None,
) -> FormColumn:
    """Return a column of text; *words* are shown in the language of the report."""
    return FormColumn(
        name=name,
        heading_en=heading_en,
        heading_zh=heading_zh,
        style="text",
        words=words,
        personal=personal,
        language=language,
    )


def sentence_columns(
    stem: str, heading_en: str, heading_zh: str
) -> tuple[FormColumn, FormColumn]:
    """
    Return the two columns of sentences that exist in both languages.

    >>> [column.name for column in sentence_columns("why", "Why", "原因")]
    ['why_zh', 'why_en']
    """
    return (
        text_column(f"{stem}_zh", f"{heading_en} in Chinese", heading_zh,
                    language="zh"),
        text_column(f"{stem}_en", heading_en, f"{heading_zh}（英文）",
                    language="en"),
    )  # fmt: skip


def answer_column(name: str, heading_en: str, heading_zh: str) -> FormColumn:
    """Return a column of yes or no."""
    return text_column(name, heading_en, heading_zh, words=_ANSWERS)


def count_column(name: str, heading_en: str, heading_zh: str) -> FormColumn:
    """Return a column of whole numbers."""
    return _plain(name, heading_en, heading_zh, "integer")


def amount_column(name: str, heading_en: str, heading_zh: str) -> FormColumn:
    """Return a column of money in minor units."""
    return _plain(name, heading_en, heading_zh, "money")


def share_column(name: str, heading_en: str, heading_zh: str) -> FormColumn:
    """Return a column of ratios shown as percentages."""
    return _plain(name, heading_en, heading_zh, "percent")


def number_column(name: str, heading_en: str, heading_zh: str) -> FormColumn:
    """Return a column of plain numbers."""
    return _plain(name, heading_en, heading_zh, "number")


def day_column(name: str, heading_en: str, heading_zh: str) -> FormColumn:
    """Return a column of days."""
    return _plain(name, heading_en, heading_zh, "date")


def why_undefined() -> FormColumn:
    """Return the column that says which figures of a row are undefined, and why."""
    return _plain("undefined", "Undefined figures", "无法计算的指标", "reasons")
