"""Where the records of a web service say in which currency their amounts are."""

from __future__ import annotations

import json
from collections.abc import Sequence

from memberops.adapters.sources.heading_units import heading_unit
from memberops.adapters.sources.text_table import TextTable
from memberops.tables import normal_heading
from memberops.workflows.doctor_proposal import Question, shown_in_line
from memberops.workflows.doctor_questions import first_texts

__all__ = ["currency_path"]

_NAMES = frozenset(
    (
        "currency",
        "currencycode",
        "currencyiso",
        "currencyisocode",
        "ccy",
        "币种",
        "货币",
    )
)


def currency_path(
    text: TextTable, places: Sequence[str], *, lines: bool
) -> tuple[str, list[Question]]:
    """
    Find the path of the currency's code.

    Args:
        text: The records as a table.
        places: The path of each of its columns.
        lines: Whether rows are lines of the records, not records.

    Returns:
        The path, as the option ``currency`` takes it, or ``""``; and a question where
        what stands there is no code.

    >>> text = TextTable.of_rows("orders", ["id", "currency"], [["1", "CNY"]])
    >>> currency_path(text, ["id", "currency"], lines=False)
    ('/currency', [])
    """
    for at, place in enumerate(places):
        if normal_heading(place.rpartition(".")[2]) not in _NAMES:
            continue
        codes = set(first_texts(text.columns[at]))
        if not codes:
            continue
        path = place if lines or place[:1] == "/" else f"/{place}"
        if all(map(_is_code, codes)):
            return path, []
        shown = shown_in_line(path)
        question = Question(
            rule="currency-likely",
            text_en=f"{shown} seems to be a currency, but holds other words than codes "
            "such as CNY, and amounts in another currency than the chain's are refused",
            text_zh=f"{shown} 像是币种，但内容不是 CNY 这样的代码；"
            "币种与连锁不同的金额会被拒绝",
            toml=f"currency = {json.dumps(path, ensure_ascii=False)}",
        )
        return "", [question]
    return "", []


def _is_code(text: str) -> bool:
    unit = heading_unit(f"({text})")
    return unit is not None and text.upper() in unit.currencies
