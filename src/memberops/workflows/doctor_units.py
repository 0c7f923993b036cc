"""The units that the headings of amounts name, as a chain file would say them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from memberops.adapters.sources.heading_units import HeadingUnit, heading_unit
from memberops.adapters.sources.text_table import TextTable
from memberops.tables import Kind, Table, normal_heading
from memberops.workflows.doctor_proposal import Question, shown_in_line, toml_text

__all__ = ["heading_units", "inline_table", "units_together"]


def heading_units(
    table: Table, text: TextTable, places: Mapping[str, int]
) -> tuple[dict[str, str], list[Question]]:
    """
    Find the units of amounts in the headings, and ask what they leave open.

    Args:
        table: The canonical table.
        text: What a file holds.
        places: Where its columns stand.

    Returns:
        By column of amounts, what the option ``units`` would say where it is not
        the currency itself; and questions.

    >>> from memberops.tables import table
    >>> text = TextTable.of_rows("file", ["金额(分)", "单价(美元)"], [])
    >>> units, questions = heading_units(
    ...     table("sales"), text, {"amount": 0, "unit_price": 1})
    >>> units, [question.rule for question in questions]
    ({'amount': '分'}, ['heading-currency'])
    """
    units: dict[str, str] = {}
    questions: list[Question] = []
    for name, at in places.items():
        column = table.column(name)
        if column.kind is not Kind.MONEY:
            continue
        known = [normal_heading(heading) for heading in column.headings]
        unit = heading_unit(text.headings[at], known) or text.unit
        if unit is None:
            continue
        shown = shown_in_line(text.headings[at])
        if unit.option not in ("", "元"):
            units[name] = unit.option
        if unit.currencies and "CNY" not in unit.currencies:
            questions.append(_currency(name, unit, shown))
        elif not unit.option:
            questions.append(_note(name, shown))
    return units, questions


def inline_table(pairs: Mapping[str, str]) -> str:
    """
    Write an inline table of TOML.

    >>> print(inline_table({"amount": "分"}))
    { amount = "分" }
    """
    shown = (f"{k} = {toml_text(v)}" for k, v in pairs.items())
    return f"{{ {', '.join(shown)} }}"


def units_together(
    questions: Sequence[Question], units: Mapping[str, str]
) -> list[Question]:
    """
    Answer the questions of units by one line: a name stands once in a section.

    Args:
        questions: All that is asked of a table.
        units: What its section says already.

    >>> both = [Question(rule="unit", column=name, text_en="", text_zh="")
    ...         for name in ("unit_price", "amount")]
    >>> [question.toml for question in units_together(both, {})]
    ['', 'units = { unit_price = "分", amount = "分" }']
    """
    asked = [each for each in questions if each.rule == "unit" and each.column]
    answer = {each.column: "分" for each in asked if each.column}
    line = f"units = {inline_table({**units, **answer})}"
    if units:
        line += "  # 代替上面的 units; in place of 'units' above"
    return [
        attrs.evolve(each, toml=line if each is asked[-1] else "")
        if each in asked
        else each
        for each in questions
    ]


def _currency(name: str, unit: HeadingUnit, shown: str) -> Question:
    codes = ", ".join(sorted(unit.currencies))
    return Question(
        rule="heading-currency",
        column=name,
        text_en=f"{shown} says that {name} is in {codes}: is that the currency of the "
        "chain? If not, convert the amounts where they come from",
        text_zh=f"“{shown}”表明 {name} 的币种是 {codes}：是否为本连锁的币种？"
        "如不是，请在源头换算",
    )


def _note(name: str, shown: str) -> Question:
    return Question(
        rule="heading-note",
        column=name,
        text_en=f"what {shown} says in its bracket is not known: is it {name}?",
        text_zh=f"“{shown}”括号中的内容未被识别：它是否就是 {name}？",
        columns={name: shown},
    )
