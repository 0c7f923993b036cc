"""When it is open which table a file is: too few of its headings speak for one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from memberops.tables import TABLES, Table
from memberops.workflows.doctor_proposal import Question

__all__ = ["UNSURE", "poor_fit", "which_table"]

UNSURE = "table-unsure"
"""Rule of the question which table a file is."""

_MOST_HEADINGS = 60
_SHOWN = 3
_CLEARLY = 2
_UNREAD = 3


def which_table(
    wanted: Table,
    headings: Sequence[str],
    read: int,
    reads: Callable[[Table, Sequence[str]], int],
) -> tuple[Question, ...]:
    """
    Ask which table a file is, if its headings do not tell.

    That is so where most headings would go unread, and either but one speaks for the
    table, or another table would read clearly more with those that look alike.

    Args:
        wanted: The table that fits best by its known headings.
        headings: The headings of the file.
        read: How many of them it reads, with those that look alike.
        reads: Tells the same of any table.
    """
    filled = [heading for heading in headings if heading.strip()][:_MOST_HEADINGS]
    unread = len(filled) - read
    if unread <= read:
        return ()
    counts = {each.name: reads(each, filled) for each in TABLES}
    best = sorted(counts, key=lambda name: -counts[name])[:_SHOWN]
    lonely = read <= 1 and unread >= _UNREAD
    if not lonely and counts[best[0]] < read + _CLEARLY:
        return ()
    names = list(dict.fromkeys([*best, wanted.name]))
    options = " / ".join(f"--table {name}" for name in names if counts[name])
    return (
        Question(
            rule=UNSURE,
            text_en=f"which table is this? Of {len(filled)} headings {wanted.name} "
            f"reads {read}; say it, as with {options}",
            text_zh=f"这是哪张表？{len(filled)} 个标题中，{wanted.name} "
            f"只用到 {read} 个；请指明，例如 {options}",
        ),
    )


def poor_fit(wanted: Table, missing: Collection[str | None]) -> tuple[Question, ...]:
    """
    Ask which table a file is that lacks half of what its rows need, or more.

    Args:
        wanted: The table that fits best.
        missing: Its required columns that are not had.

    >>> from memberops.tables import table
    >>> poor_fit(table("complaints"), ["case_id"])[0].text_en
    'which table is this? It looks most like complaints, whose rows need case_id, ...
    >>> poor_fit(table("sales"), ["ticket_id"])
    ()
    """
    if not missing or 2 * len(missing) < len(wanted.required):
        return ()
    names = ", ".join(filter(None, missing))
    return (
        Question(
            rule=UNSURE,
            text_en=f"which table is this? It looks most like {wanted.name}, whose "
            f"rows need {names}, which is not there; say it, as with "
            f"--table {wanted.name}",
            text_zh=f"这是哪张表？最像 {wanted.name}，但缺少每行都需要的 {names}；"
            f"请指明，例如 --table {wanted.name}",
        ),
    )
