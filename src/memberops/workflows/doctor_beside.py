"""Columns that mean none of a table's, and yet tell what a row is: currency, return."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from zoneinfo import ZoneInfo

import numpy as np

from memberops.adapters.sources.column_values import TextColumn, read_column
from memberops.adapters.sources.conversion import MISSING_WORDS
from memberops.adapters.sources.currency_column import (
    currencies_of,
    may_name_currency,
)
from memberops.adapters.sources.finding_log import FindingLog
from memberops.adapters.sources.likely_returns import LikelyReturns, likely_returns
from memberops.adapters.sources.return_lines import may_mark_returns
from memberops.adapters.sources.text_table import TextTable
from memberops.domain import Currency
from memberops.tables import SALES, Table
from memberops.workflows.doctor_proposal import Question, on_one_line, shown_in_line

__all__ = ["currency_columns", "return_questions"]

# Whether an amount is above zero is the same in each currency and zone.
_ANY_CURRENCY, _ANY_ZONE = Currency("CNY"), ZoneInfo("UTC")


def currency_columns(
    table: Table, text: TextTable, read: Collection[int]
) -> dict[int, Question]:
    """
    Find the columns that are read as the currency of the amounts, unasked.

    Args:
        table: The canonical table.
        text: What a file holds, or its first rows.
        read: Places of the columns that are read.

    Returns:
        By place, a note that says so, with how many rows are in another currency than
        most.

    >>> from memberops.tables import table
    >>> rows = [["5", "CNY"], ["6", "CNY"], ["7", "USD"]]
    >>> text = TextTable.of_rows("file", ["金额", "币种"], rows)
    >>> print(currency_columns(table("sales"), text, [0])[1].text_en)
    币种 is read as the currency of the amounts: most rows are in CNY, and of 3 looked
    at 1 in another one; amounts in another one than the chain's are refused
    """
    found = {}
    for at in _unread(text, read):
        if not any(may_name_currency(name, table) for name in _names(text, at)):
            continue
        codes = currencies_of(text.columns[at], MISSING_WORDS)
        if codes is not None:
            heading = shown_in_line(text.headings[at])
            found[at] = _note(heading, codes, text.columns[at])
    return found


def _note(
    heading: str, codes: list[frozenset[str] | None], column: TextColumn
) -> Question:
    times = np.bincount(column.codes, minlength=len(codes)).tolist()
    rows = Counter[frozenset[str]]()
    for own, count in zip(codes, times, strict=True):
        if own:
            rows[own] += count
    usual = rows.most_common(1)[0][0]
    other = sum(count for own, count in rows.items() if not own & usual)
    shown = "/".join(sorted(usual))
    text_en = f"{heading} is read as the currency of the amounts: "
    text_zh = f"“{heading}”列按金额的币种读取："
    if other:
        text_en += (
            f"most rows are in {shown}, and of {sum(times)} looked at {other} in "
            "another one; amounts in another one than the chain's are refused"
        )
        text_zh += (
            f"多数为 {shown}，所查看的 {sum(times)} 行中有 {other} 行为其他币种；"
            "币种与连锁不同的金额会被拒绝"
        )
    else:
        text_en += f"all rows looked at are in {shown}"
        text_zh += f"所查看的行均为 {shown}"
    return Question(rule="currency-column", text_en=text_en, text_zh=text_zh)


def return_questions(
    table: Table, text: TextTable, places: Mapping[str, int]
) -> list[Question]:
    """
    Ask about lines that a column seems to mark as returns, with positive amounts.

    Args:
        table: The canonical table.
        text: What a file holds, or its first rows.
        places: Where its columns stand.

    >>> from memberops.tables import table
    >>> rows = [["5", "销售"], ["6", "退货"]]
    >>> text = TextTable.of_rows("file", ["金额", "单据类型"], rows)
    >>> (question,) = return_questions(table("sales"), text, {"amount": 0})
    >>> print(question.toml)
    returns = { column = "单据类型", equals = ["退货"] }
    """
    if table.name != SALES.name or "amount" not in places:
        return []
    marks = {
        text.headings[at]: text.columns[at]
        for at in _unread(text, places.values())
        if any(may_mark_returns(name, table, None) for name in _names(text, at))
    }
    if not marks:
        return []
    amount = read_column(
        table.column("amount"),
        text.columns[places["amount"]],
        currency=_ANY_CURRENCY,
        zone=_ANY_ZONE,
        date_format=None,
        missing=MISSING_WORDS,
        log=FindingLog(table.name, text.name, 1),
    )
    counts = np.ones(len(text.lines), dtype=bool)
    return [_question(each) for each in likely_returns(amount, marks, counts)]


def _question(likely: LikelyReturns) -> Question:
    heading = shown_in_line(likely.heading)
    return Question(
        rule="returns-positive",
        column="amount",
        text_en=f"lines that {heading} seems to mark as returns, and whose amounts are "
        f"positive: {likely.count} of those looked at; they would count as sales. If "
        "they are returns, say:",
        text_zh=f"“{heading}”疑似标记为退货、而金额为正数的行：{likely.count}（所查看的"
        "行中），将按销售计入；如确为退货，请写：",
        toml=on_one_line(likely.option),
    )


def _unread(text: TextTable, read: Collection[int]) -> list[int]:
    known = set(read)
    return [at for at in range(len(text.headings)) if at not in known]


def _names(text: TextTable, at: int) -> list[str]:
    """Return what a column is called, also without the heading above its own."""
    return [text.headings[at], *(name for name, own in text.also.items() if own == at)]
