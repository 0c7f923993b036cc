"""How the rows of a file are written: headings, encoding, days and amounts."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pandas as pd

from memberops.tables import Column, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

    from memberops.domain.money import Currency

__all__ = ["CLEAN", "DIRTY", "Style", "csv_bytes", "text_rows"]

_WIDE = str.maketrans("0123456789.,-()", "０１２３４５６７８９．，－（）")


@attrs.frozen(kw_only=True)
class Style:
    """
    How the rows of one table are written.

    Args:
        encoding: Codec of the file.
        language: Headings in ``"zh"`` or ``"en"``, and choices likewise.
        dates: Format of days for `datetime.date`, by column; ``"{d:%Y-%m-%d}"`` for
            those not named.
        decorated: Whether amounts carry signs, separators, full-width digits and
            parentheses, changing from row to row.
        line_end: End of each line.
    """

    encoding: str = "utf-8"
    language: str = "en"
    dates: tuple[tuple[str, str], ...] = ()
    decorated: bool = False
    line_end: str = "\n"

    def date_format(self, column: str) -> str:
        """Return how a column's days are written."""
        return dict(self.dates).get(column, "{d:%Y-%m-%d}")


_CHINESE = "{d.year}年{d.month}月{d.day}日"
_MONTH = "{d.year}年{d.month}月"
_SLASHES = "{d.year}/{d.month}/{d.day}"
_COMPACT = "{d:%Y%m%d}"

CLEAN = Style()
"""UTF-8, English headings, ISO days, plain amounts."""

DIRTY = {
    "members": Style(
        encoding="gb18030",
        language="zh",
        dates=(("birth_date", _SLASHES), ("joined_on", _CHINESE)),
        line_end="\r\n",
    ),
    "cards": Style(
        encoding="utf-8-sig",
        language="zh",
        dates=(
            ("valid_from", _COMPACT),
            ("valid_through", _COMPACT),
            ("anchor", _SLASHES),
        ),
        line_end="\r\n",
    ),
    "stores": Style(encoding="utf-8-sig", language="zh", line_end="\r\n"),
    "sales": Style(
        encoding="gb18030",
        language="zh",
        dates=(("sold_on", _SLASHES),),
        decorated=True,
        line_end="\r\n",
    ),
    "targets": Style(
        encoding="utf-8-sig",
        language="zh",
        dates=(("month", _MONTH),),
        decorated=True,
        line_end="\r\n",
    ),
    "complaints": Style(
        encoding="gb18030", language="zh", decorated=True, line_end="\r\n"
    ),
    "case_events": Style(encoding="utf-8-sig", language="zh", line_end="\r\n"),
    "visits": Style(
        encoding="gb18030",
        language="zh",
        dates=(
            ("due_on", _SLASHES),
            ("last_on", _SLASHES),
            ("day", _CHINESE),
            ("done_on", _COMPACT),
        ),
        line_end="\r\n",
    ),
    "consents": Style(
        encoding="utf-8-sig",
        language="zh",
        dates=(("on", _CHINESE),),
        line_end="\r\n",
    ),
    "appointments": Style(encoding="gb18030", language="zh", line_end="\r\n"),
    "surveys": Style(
        encoding="utf-8-sig",
        language="zh",
        dates=(("answered_on", _SLASHES),),
        line_end="\r\n",
    ),
}
"""How each table of a dirty chain is written."""


def text_rows(
    frame: pd.DataFrame, table: Table, style: Style, currency: Currency, zone: ZoneInfo
) -> list[list[str]]:
    """
    Write a canonical frame as rows of text, without headings.

    Args:
        frame: The frame; its columns are columns of *table*.
        table: The canonical table.
        style: How to write days, amounts and choices.
        currency: The currency of the amounts.
        zone: The zone in which moments are written, to the minute.
    """
    columns = [
        _texts(frame[str(name)], table.column(str(name)), style, currency, zone)
        for name in frame.columns
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def csv_bytes(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    style: Style,
    damaged: Sequence[tuple[int, bytes]] = (),
) -> tuple[bytes, list[int]]:
    """
    Write a CSV file.

    Args:
        headings: The heading line.
        rows: The good rows; no cell may hold a line break.
        style: Encoding and line ends.
        damaged: Lines to put in as they are, each with the number of good rows
            above it, in that order.

    Returns:
        The file, and the number of the line of each damaged one.
    """
    file = io.BytesIO()
    plain = style.encoding.removesuffix("-sig")
    end = style.line_end.encode("ascii")

    def put(part: Sequence[Sequence[str]], encoding: str) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator=style.line_end).writerows(part)
        file.write(text.getvalue().encode(encoding))

    put([headings], style.encoding)
    numbers: list[int] = []
    above = 0
    for position, raw in damaged:
        put(rows[above:position], plain)
        above = position
        file.write(raw + end)
        numbers.append(1 + position + len(numbers) + 1)
    put(rows[above:], plain)
    return file.getvalue(), numbers


def _texts(
    values: pd.Series[Any],
    column: Column,
    style: Style,
    currency: Currency,
    zone: ZoneInfo,
) -> list[str]:
    if column.kind is Kind.DATE:
        return _days(values, style.date_format(column.name))
    if column.kind is Kind.INSTANT:
        local = values.dt.tz_convert(zone).dt.tz_localize(None)
        text = np.datetime_as_string(local.to_numpy().astype("datetime64[m]"))
        return [
            "" if void else moment.replace("T", " ")
            for moment, void in zip(text.tolist(), values.isna(), strict=True)
        ]
    if column.kind is Kind.MONEY:
        return _amounts(values, style, currency)
    if column.kind is Kind.INTEGER:
        return ["" if value is pd.NA else str(value) for value in values.tolist()]
    shown: Callable[[str], str] = str
    if column.kind is Kind.CHOICE and style.language == "zh":
        chinese = {
            word: text for text, word in reversed(column.choices) if not text.isascii()
        }
        shown = chinese.__getitem__
    return [shown(v) if isinstance(v, str) else "" for v in values.tolist()]


def _days(values: pd.Series[Any], form: str) -> list[str]:
    days = values.to_numpy().astype("datetime64[D]")
    known, where = np.unique(days, return_inverse=True)
    text = ["" if day is None else form.format(d=day) for day in known.tolist()]
    return [text[position] for position in where.tolist()]


def _amounts(values: pd.Series[Any], style: Style, currency: Currency) -> list[str]:
    scale = 10**currency.digits
    texts = []
    for row, minor in enumerate(values.tolist()):
        if minor is pd.NA:
            texts.append("")
            continue
        whole, part = divmod(abs(minor), scale)
        decimals = f".{part:0{currency.digits}d}" if currency.digits else ""
        if not style.decorated:
            texts.append(f"{'-' if minor < 0 else ''}{whole}{decimals}")
            continue
        sign = "￥" if currency.code == "CNY" and row % 5 == 0 else ""
        text = f"{sign}{whole:,}{decimals}" if row % 3 else f"{whole}{decimals}"
        if minor < 0:
            text = f"({text})" if row % 2 else f"-{text}"
        texts.append(text.translate(_WIDE) if row % 7 == 0 else text)
    return texts
