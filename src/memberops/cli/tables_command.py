"""``memberops tables``: the canonical tables and their columns, without the docs."""

import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from memberops.cli.options import Language
from memberops.cli.printing import form_table, language_of_user, say

if TYPE_CHECKING:
    from memberops.reports import Form
    from memberops.tables import Column

__all__ = ["tables"]

_TABLES = (
    ("table", "Table", "表"),
    ("title_zh", "Title in Chinese", "中文名"),
    ("title_en", "Title in English", "英文名"),
    ("required", "Needed columns", "必需列"),
)
_COLUMNS = (
    ("column", "Column", "列"),
    ("kind", "Type", "类型"),
    ("needed", "Needed", "是否必需"),
    ("heading_zh", "Heading in Chinese", "中文标题"),
    ("heading_en", "Heading in English", "英文标题"),
    ("aliases", "Also read as", "也识别为"),
    ("meaning", "Meaning", "含义"),
)


def tables(
    name: Annotated[
        str | None,
        Parameter(
            help="表名，如 sales；省略则列出全部。One table; all of them if not."
        ),
    ] = None,
    /,
    *,
    language: Annotated[
        Language | None, Parameter(help="语言。Language of the list.")
    ] = None,
) -> int:
    """列出标准表，或一张表的列。List the canonical tables, or the columns of one."""
    from memberops.reports import csv_text
    from memberops.tables import TABLES, table

    spoken = language or language_of_user()
    if name is None:
        rows = [
            [each.name, each.title_zh, each.title_en, ", ".join(each.required)]
            for each in TABLES
        ]
        form = _form(_TABLES, rows, ("Canonical tables", "标准表"))
    else:
        chosen = table(name)
        rows = [_row(column, spoken) for column in chosen.columns]
        form = _form(_COLUMNS, rows, (chosen.title_en, chosen.title_zh))
    if sys.stdout.isatty():
        title = form.title_zh if spoken == "zh" else form.title_en
        say([title, *form_table(form, spoken)])
    else:
        text = csv_text(form, language=spoken, line_end="\n").rstrip("\n")
        say([text], exact=True)
    return 0


def _form(
    columns: tuple[tuple[str, str, str], ...],
    rows: list[list[str]],
    titles: tuple[str, str],
) -> "Form":
    import pandas as pd

    from memberops.domain import Currency
    from memberops.reports import Form, FormColumn

    return Form(
        name="tables",
        title_en=titles[0],
        title_zh=titles[1],
        columns=tuple(
            FormColumn(name=name, heading_en=en, heading_zh=zh, style="text")
            for name, en, zh in columns
        ),
        frame=pd.DataFrame(rows, columns=[name for name, _, _ in columns], dtype="str"),
        currency=Currency("CNY"),
    )


def _row(column: "Column", language: Language) -> list[str]:
    chinese = language == "zh"
    needed = ("是" if chinese else "yes") if column.required else ""
    if column.derived_from:
        made = "、".join(column.derived_from) if chinese else (
            " and ".join(column.derived_from)
        )  # fmt: skip
        needed += f"，或由 {made} 得出" if chinese else f", or made from {made}"
    meaning = column.meaning_zh if chinese else column.meaning_en
    words = dict.fromkeys(word for _, word in column.choices)
    if words and not all(word in meaning for word in words):
        listed = ("、" if chinese else ", ").join(words)
        meaning += f"（{listed}）" if chinese else f" ({listed})"
    return [
        column.name,
        column.kind.value,
        needed.lstrip("，, "),
        column.heading_zh,
        column.heading_en,
        "、".join(column.aliases),
        meaning,
    ]
