"""What a table needs and a file does not show; and what sales had better have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from memberops.adapters.sources.reading_options import TO_FILL_IN
from memberops.tables import Column, Kind, Table
from memberops.workflows.doctor_marks import is_mark
from memberops.workflows.doctor_proposal import Question, shown_in_line
from memberops.workflows.doctor_usual import may_be_member

__all__ = ["lacking"]

_MOST = 6


def lacking(
    table: Table,
    had: set[str],
    headings: Sequence[str],
    told: Sequence[str],
    places: Mapping[str, int],
) -> list[Question]:
    """
    Ask for each required column that is not had, and for the member of sales.

    Args:
        table: The canonical table.
        had: Its columns that are had.
        headings: As they stand.
        told: The same as they may be shown.
        places: Where the columns stand.
    """
    free = [at for at, h in enumerate(headings) if h and at not in places.values()]
    shown = ", ".join([told[at] for at in free if told[at]][:_MOST]) or "-"
    missing = [
        column
        for column in table.columns
        if column.required
        and column.name not in had
        and not (column.derived_from and set(column.derived_from) <= had)
    ]
    named = [column for column in missing if not _is_same_for_all(column, table)]
    alike = [column for column in missing if column not in named]
    # One line answers all of them: a name stands once in a section.
    values = ", ".join(f'{column.name} = "{TO_FILL_IN}"' for column in alike)
    answer = {
        column.name: _perhaps(column, [headings[at] for at in free]) for column in named
    }
    questions = []
    for column in missing:
        same = column in alike
        way_en = ", or a value in 'constants'" if same else ""
        way_zh = "，或在 constants 中给出固定值" if same else ""
        questions.append(
            Question(
                rule="column-missing",
                column=column.name,
                text_en=f"no column is read as {column.heading_en} ({column.name}), "
                f"which every row of {table.name} needs; not yet read are: {shown}; "
                f"name the right one in 'columns'{way_en}",
                text_zh=f"没有读到“{column.heading_zh}”（{column.name}），"
                f"{table.title_zh}的每一行都需要；尚未使用的列：{shown}；"
                f"请在 columns 中指定{way_zh}",
                toml=f"constants = {{ {values} }}" if column in alike[-1:] else "",
            )
        )
    if table.name == "sales" and "member_id" not in had:
        found = _perhaps(table.column("member_id"), [headings[at] for at in free])
        if found != TO_FILL_IN or not answer:
            answer["member_id"] = found
        questions.append(_without_members(found))
    if answer:
        questions[-1] = attrs.evolve(questions[-1], columns=answer)
    return questions


def _is_same_for_all(column: Column, table: Table) -> bool:
    """Tell whether all rows may have one value: a store, a kind, a count; no amount."""
    if column.name in table.key:
        return False
    kinds = (Kind.CHOICE, Kind.TEXT, Kind.INTEGER)
    return column.name == "store_id" or column.kind in kinds


def _perhaps(column: Column, free: Sequence[str]) -> str:
    """Offer a heading that it may be, but is too unlikely to be taken."""
    found = None
    if column.name == "member_id":
        found = may_be_member(free)
    if column.kind in (Kind.DATE, Kind.INSTANT):
        found = next((heading for heading in free if is_mark(heading)), None)
    return shown_in_line(found) if found else TO_FILL_IN


def _without_members(found: str) -> Question:
    """Ask where the member is, if sales seem to have none."""
    known = found != TO_FILL_IN
    return Question(
        rule="member-missing",
        column="member_id",
        text_en="no column is read as the member (member_id): all sales would be "
        "without a member" + (f"; is it {found}?" if known else ""),
        text_zh="没有读到会员（member_id）：所有销售都将没有会员"
        + (f"；是否为“{found}”？" if known else ""),
    )
