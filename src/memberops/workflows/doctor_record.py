"""What a service's section needs besides columns: ids of records, further pages."""

from __future__ import annotations

from collections.abc import Mapping

from memberops.adapters.sources.record_names import record_columns
from memberops.adapters.sources.rest_look import RestLook, is_id
from memberops.adapters.sources.rest_paths import look_up
from memberops.tables import Table
from memberops.workflows.doctor_proposal import Question, shown_in_line

__all__ = ["further_pages", "naming_column", "record_id"]


def naming_column(table: Table) -> str:
    """
    Return the column that holds the number by which a record goes.

    >>> from memberops.tables import table
    >>> naming_column(table("members")), naming_column(table("sales"))
    ('member_id', 'ticket_id')
    """
    return (record_columns(table) or table.required)[0 if table.key else -1]


def record_id(
    look: RestLook, table: Table, paths: Mapping[str, str], *, lines: bool
) -> tuple[str, list[Question]]:
    """
    Find what names a record, where nothing stands at the usual ``id``.

    Args:
        look: The records.
        table: The canonical table.
        paths: By canonical column the path of its value.
        lines: Whether rows are lines of the records, not records.

    Returns:
        The path of the table's key, as the option ``id`` takes it, or ``""`` where
        ids are where they are looked for, or no column names each record alone; and
        a question.

    >>> from memberops.tables import table
    >>> look = RestLook(asked="vips", found_at="", records=({"vipNo": "V1"},))
    >>> path, (question,) = record_id(
    ...     look, table("members"), {"member_id": "vipNo"}, lines=False)
    >>> print(path, question.text_en, sep=": ")
    vipNo: records have nothing at id, and vipNo was taken for what names one: is it?
    """
    if not look.lacks_id:
        return "", []
    path = paths.get(naming_column(table), "")
    own = path.removeprefix("/") if path[:1] == "/" or not lines else ""
    ids = [look_up(record, own) if own else None for record in look.records]
    usual = shown_in_line(look.id)
    if not all(map(is_id, ids)) or len(set(map(str, ids))) < len(ids):
        return "", [
            Question(
                rule="id-missing",
                text_en=f"records have nothing at {usual}: set 'id' to the path of "
                "what names each alone",
                text_zh=f"记录在 {usual} 处没有值：请用 id 指明唯一标识记录的字段路径",
            )
        ]
    shown = shown_in_line(own)
    question = Question(
        rule="id-likely",
        text_en=f"records have nothing at {usual}, and {shown} was taken for what "
        "names one: is it?",
        text_zh=f"记录在 {usual} 处没有值，{shown} 被当作记录的标识，是否正确？",
    )
    return own, [question]


def further_pages(look: RestLook) -> list[Question]:
    """
    Say that there is more than one answer, where the section reads but one.

    >>> look = RestLook(asked="vips", found_at="", records=({"id": 1},), read=1)
    >>> print(further_pages(look)[0].text_en)
    there seem to be more records than the 1 of this answer: set 'paging'
    """
    if not look.read:
        return []
    return [
        Question(
            rule="pages-unread",
            text_en=f"there seem to be more records than the {look.read} of this "
            "answer: set 'paging'",
            text_zh=f"记录似乎不止本次应答的 {look.read} 条：请设置 paging",
        )
    ]
