"""A column that names the currency of each row: amounts of another one are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from memberops.adapters.sources.column_values import Cells, TextColumn
from memberops.adapters.sources.finding_log import FindingLog, Reason
from memberops.adapters.sources.heading_units import currencies_named
from memberops.adapters.sources.headings import shown_heading
from memberops.adapters.sources.nothing_words import void_texts
from memberops.domain import Currency, Severity
from memberops.errors import ConfigurationError
from memberops.tables import Kind, Table, normal_heading

__all__ = [
    "check_currency_column",
    "currencies_of",
    "in_currency",
    "may_name_currency",
]

_Array = npt.NDArray[Any]
_HEADINGS = frozenset(map(normal_heading, (
    "币种", "货币", "币别", "币种代码", "货币代码", "币别代码", "货币种类", "货币类型",
    "货币单位", "币种名称", "币别名称", "货币名称", "结算币种", "结算货币", "交易币种",
    "交易货币", "订单币种", "订单货币", "支付币种", "支付货币", "付款币种", "销售币种",
    "原币", "原币种", "原币币种", "幣種", "幣別", "貨幣",
    "currency", "currency code", "currency iso", "iso currency", "currency name",
    "ccy", "curr", "order currency", "sale currency", "transaction currency",
    "payment currency",
)))  # fmt: skip
_MOST_NAMES = 200
"""A column of more different texts names no currencies."""
_MOST_TOLD = 20


def check_currency_column(heading: object, table: Table) -> str | None:
    """
    Return the heading that the option ``currency_column`` names; ``""`` for no column.

    Raises:
        ConfigurationError: It is no text, or the table has no amounts.

    >>> from memberops.tables import table
    >>> check_currency_column("结算", table("sales"))
    '结算'
    """
    if heading is None:
        return None
    if not isinstance(heading, str):
        raise ConfigurationError(
            "'currency_column' is the heading of the column that names the currency, "
            'or "" where no column does'
        )
    if heading and not _has_amounts(table):
        raise ConfigurationError(
            f"'currency_column' is about amounts, and {table.name} holds none"
        )
    return heading


def may_name_currency(heading: str, table: Table) -> bool:
    """
    Tell whether an unread column seems to name the currency of the amounts.

    >>> from memberops.tables import table
    >>> [may_name_currency(each, table("sales")) for each in ("币种", "备注")]
    [True, False]
    """
    form = normal_heading(heading.partition("#")[0])  # 币种#2 is the second 币种
    return _has_amounts(table) and form in _HEADINGS


def _has_amounts(table: Table) -> bool:
    return any(column.kind is Kind.MONEY for column in table.columns)


def in_currency(
    cells: dict[str, Cells],
    extra: Mapping[str, TextColumn],
    named: str | None,
    *,
    table: Table,
    currency: Currency,
    missing: Iterable[str],
    log: FindingLog,
) -> None:
    """
    Refuse the amounts of rows whose currency is another than the chain's.

    Args:
        cells: The columns, in whose place those of amounts are put anew.
        extra: The text of headings that mean no column.
        named: The heading that the caller named; None looks at all that seem to name
            one and hold nothing but currencies, ``""`` at none.
        table: The canonical table.
        currency: The chain's.
        missing: Words that mean "no value": such a row is in the chain's currency.
        log: Takes the findings.
    """
    for heading, text in extra.items():
        asked = heading == named
        if not asked and (named is not None or not may_name_currency(heading, table)):
            continue
        found = _read(text, missing)
        if not asked and not _all_named(found):
            _tell_unread(heading, text, found, currency, log)
            continue
        _refuse(cells, heading, text, found, currency=currency, log=log)


def currencies_of(
    text: TextColumn, missing: Iterable[str]
) -> list[frozenset[str] | None] | None:
    """
    Return the codes that each different text of a column may mean.

    Args:
        text: The column.
        missing: Words that mean "no value", for which there is None.

    Returns:
        None for a column that is not taken unasked: it holds other things too.

    >>> [codes and sorted(codes) for codes in
    ...  currencies_of(TextColumn([0, 1, 2], ["人民币", "USD", ""]), ())]
    [['CNY'], ['USD'], None]
    >>> currencies_of(TextColumn([0, 1], ["USD", "赠品"]), ()) is None
    True
    """
    found = _read(text, missing)
    return found if _all_named(found) else None


def _read(text: TextColumn, missing: Iterable[str]) -> list[frozenset[str] | None]:
    """Return what each text names; None where it is no value."""
    void = void_texts(text, missing)
    return [
        None if nothing else currencies_named(each)
        for each, nothing in zip(text.texts, void.tolist(), strict=True)
    ]


def _all_named(found: list[frozenset[str] | None]) -> bool:
    few = len(found) <= _MOST_NAMES
    return few and any(found) and all(each is None or each for each in found)


def _tell_unread(
    heading: str,
    text: TextColumn,
    found: list[frozenset[str] | None],
    currency: Currency,
    log: FindingLog,
) -> None:
    """Tell that a column is not taken; a warning where it names another currency."""
    shown = shown_heading(heading)
    other = [bool(codes and currency.code not in codes) for codes in found]
    count = int(np.array(other, dtype=bool)[text.codes].sum())
    if not count:
        log.add(
            "heading-ignored",
            f"these columns mean nothing here and are not read: {shown}",
            f"以下列不在表中，未读取：{shown}",
        )
        return
    log.add(
        "currency-unsure",
        f"rows in which {shown!r} seems to name another currency than {currency.code}: "
        f"{count}; other cells of it name none, so it is not read: say "
        f'currency_column = "{shown}" if it is the currency',
        f"“{shown}”列有 {count} 行疑似 {currency.code} 以外的币种，但该列另有不是币种的"
        f'内容，因此未读取；如确为币种，请写明 currency_column = "{shown}"',
        severity=Severity.WARNING,
        count=count,
    )


def _refuse(
    cells: dict[str, Cells],
    heading: str,
    text: TextColumn,
    found: list[frozenset[str] | None],
    *,
    currency: Currency,
    log: FindingLog,
) -> None:
    shown = shown_heading(heading)
    log.add(
        "currency-column",
        f"{shown!r} is read as the currency of the amounts",
        f"“{shown}”列按金额的币种读取",
    )
    names: dict[str, int] = {}
    which = np.full(len(found), -1, dtype=np.int64)
    for at, codes in enumerate(found):
        if codes is not None and currency.code not in codes:
            name = (
                next(iter(codes)) if len(codes) == 1 and len(names) < _MOST_TOLD else ""
            )
            which[at] = names.setdefault(name, len(names))
    if not names:
        return
    rows = which[text.codes]
    for name, each in cells.items():
        if each.column.kind is Kind.MONEY:
            reasons = [_reason(name, code, shown, currency) for code in names]
            cells[name] = _unusable(each, rows, reasons)


def _reason(name: str, code: str, shown: str, currency: Currency) -> Reason:
    told_en = f"is in {code}" if code else "is in another currency"
    told_zh = f"币种为 {code}" if code else "币种不同"
    return Reason(
        "amount-currency",
        name,
        f"the row {told_en}, as {shown!r} says, not in {currency.code}: convert it at "
        "its source, leave such rows out with 'drop', or say currency_column = \"\" if "
        f"its amounts are {currency.code} after all",
        f"按“{shown}”列，该行{told_zh}，不是 {currency.code}：请在源头换算，或用 drop "
        f'剔除此类行；如金额其实就是 {currency.code}，请写明 currency_column = ""',
    )


def _unusable(cells: Cells, which: _Array, reasons: list[Reason]) -> Cells:
    """Make the cells of some rows unreadable, each for its reason."""
    hit = (which >= 0) & ~cells.missing_rows
    many = len(reasons)
    codes = cells.codes.astype(np.int64)
    codes[hit] = len(cells.missing) + which[hit]
    first = len(cells.reasons)
    return attrs.evolve(
        cells,
        codes=codes,
        typed=np.concatenate([cells.typed, np.zeros(many, dtype=np.int64)]),
        missing=np.concatenate([cells.missing, np.zeros(many, dtype=bool)]),
        problem=np.concatenate([cells.problem, np.arange(first, first + many)]),
        reasons=[*cells.reasons, *reasons],
    )
