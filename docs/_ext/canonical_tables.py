"""The reference page of the tables, made from `memberops.tables` when it is built."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from memberops.tables import TABLES, Column, Table


def describe(table: Table) -> list[str]:
    """Write one table as MyST Markdown lines."""
    key = ", ".join(f"`{name}`" for name in table.key) or "none: rows may repeat"
    return [
        f"**Key**: {key}.",
        "",
        "| column | type | needed | heading | meaning | also read as |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_row(column) for column in table.columns),
        "",
    ]


def _row(column: Column) -> str:
    needed = "yes" if column.required else "no"
    if column.derived_from:
        needed += f", or made from {' and '.join(column.derived_from)}"
    if column.personal:
        needed += "; personal, masked"
    cells = (
        f"`{column.name}`",
        column.kind.value,
        needed,
        f"{column.heading_zh} / {column.heading_en}",
        f"{column.meaning_zh}<br>{column.meaning_en}",
        "、".join(column.aliases),
    )
    return "| " + " | ".join(cells) + " |"


class CanonicalTable(Directive):
    """``{canonical-table} sales`` inserts the description of one table."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse the description where the directive stands."""
        (table,) = (each for each in TABLES if each.name == self.arguments[0])
        holder = nodes.container()
        self.state.nested_parse(
            StringList(describe(table), source="memberops.tables"),
            self.content_offset,
            holder,
        )
        return list(holder.children)


def setup(app: Any) -> dict[str, bool]:
    """Register the directive with Sphinx."""
    app.add_directive("canonical-table", CanonicalTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
