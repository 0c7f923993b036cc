"""Columns that tell what of a record changed and whether it is no more."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["MARKS", "is_mark", "marks_in"]

_CHANGED = re.compile(
    r"(?:last_?)?(?:updated?|modif(?:y|ied)|changed?|write)(?:_?(?:at|on|time|date))?"
    r"|更新时间|修改时间|最后修改时间",
    re.IGNORECASE,
)
_DELETED = re.compile(
    r"(?:is_?)?(?:deleted|removed|void(?:ed)?)(?:_?(?:at|on|time|flag))?"
    r"|删除标[志记]|是否删除|作废标[志记]|是否作废",
    re.IGNORECASE,
)

MARKS = {
    "deleted": (
        "rows that it marks are read as any other unless this says otherwise",
        "有标记的行照常读取，除非如下指明",
    ),
    "cursor": (
        "with a snapshot only what changed is read, if it grows with each change",
        "若该列随每次修改而增大，使用快照时可只读取变更",
    ),
}
"""What to say of the columns that `marks_in` finds, in English and in Chinese."""


def marks_in(headings: Iterable[str]) -> dict[str, str]:
    """
    Find the columns that tell what is no more, and what changed.

    >>> marks_in(["id", "updated_at", "is_deleted"])
    {'deleted': 'is_deleted', 'cursor': 'updated_at'}
    """
    headings = list(headings)
    found: dict[str, str] = {}
    for option, form in (("deleted", _DELETED), ("cursor", _CHANGED)):
        for heading in headings:
            if form.fullmatch(heading.strip()):
                found.setdefault(option, heading)
    return found


def is_mark(heading: str) -> bool:
    """
    Tell whether a column is a mark, and so hardly anything else.

    >>> is_mark("updated_at"), is_mark("created_at")
    (True, False)
    """
    return bool(marks_in([heading]))
