"""
Texts as cursors of a database: only where their order is that of time or of counting.

A database orders texts letter by letter: "10" stands before "9", and 05/11/2026 before
31/10/2026. So the forms of all texts of the column are looked at, and a column whose
order would hide changes is refused.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import sqlalchemy as sa

from memberops.errors import SourceError

__all__ = ["check_text_cursor", "moment_bound", "text_moment"]

_MOST_FORMS = 40
_LONGEST = 40
_DIGITS = re.compile(r"0+")
_DAY = re.compile(r"0000([-/.])00\1(00)")
_MOMENT = re.compile(
    r"0000(?P<between>[-/.])00(?P=between)00"
    r"(?:(?P<gap>[ T])00:00(?P<seconds>:00)?(?P<fraction>[.,]0{1,9})?"
    r"(?P<offset>Z|[+-]00(?::?00)?)?)?"
)


def check_text_cursor(
    connection: sa.Connection, rows: Any, column: Any, name: str, *, sqlite: bool
) -> str:
    """
    Look at the forms of all texts of a cursor column.

    Args:
        connection: Where.
        rows: What is read.
        column: Its column, as it is compared.
        name: The column's name.
        sqlite: Whether the column may hold numbers beside texts.

    Returns:
        ``"text"`` for moments, ``"digits"`` for numbers of one length.

    Raises:
        SourceError: The order of the texts is not that of time or of counting.
    """
    form = sa.func.replace(column, "1", "0")
    for digit in "23456789":
        form = sa.func.replace(form, digit, "0")
    texts = column != ""
    if sqlite:
        texts = sa.and_(sa.func.typeof(column) == "text", texts)
    forms = sa.select(form).select_from(rows).where(texts).distinct()
    found = [
        str(each).strip()
        for each in connection.execute(forms.limit(_MOST_FORMS)).scalars()
    ]
    if len(set(found)) == 1 and _DIGITS.fullmatch(found[0]):
        return "digits"
    kinds = {_kind(each) for each in found}
    if len(kinds) != 1 or None in kinds or len(found) >= _MOST_FORMS:
        raise _refusal(name)
    offset = next((at for each in found if (at := _offset(each))), "")
    if offset.startswith(("+", "-")):
        # Two zones in one column: a later moment may be the smaller text.
        size = len(offset)
        ends = sa.func.substr(column, sa.func.length(column) - size + 1, size)
        several = sa.select(ends).select_from(rows).where(texts).distinct().limit(2)
        if len(connection.execute(several).all()) > 1:
            raise _refusal(name)
    return "text"


def _kind(form: str) -> tuple[Any, ...] | None:
    """Name what texts must share for their order to be that of time."""
    found = _MOMENT.fullmatch(form) if len(form) <= _LONGEST else None
    if found is None:
        return None
    parts = ("between", "gap", "seconds", "offset")
    return tuple(found[part] for part in parts)


def _offset(form: str) -> str:
    found = _MOMENT.fullmatch(form)
    return (found["offset"] or "") if found else ""


def _refusal(name: str) -> SourceError:
    return SourceError(
        f"the cursor column {name[:60]!r} holds texts whose order is not that of time: "
        "moments of one form such as 2026-11-05 14:03:00, all with one offset or none, "
        "or numbers of one length. Cast it to a moment or a number in a 'query', or "
        "leave 'cursor' out, which reads the table whole"
    )


def text_moment(text: str) -> dt.datetime | None:
    """
    Read a moment of a cursor column; None if the text is none.

    >>> text_moment("2026/11/05 14:03").isoformat()
    '2026-11-05T14:03:00'
    """
    if len(text) < len("2026-11-05") or text[4] not in "-/.":
        return None
    day = text[:10].replace(text[4], "-")
    try:
        return dt.datetime.fromisoformat(day + text[10:])
    except ValueError:
        return None


def moment_bound(text: str, before: int) -> str:
    """
    Write a moment some seconds before that of a text, in the text's form.

    It carries no offset, so that it stands before all forms of the same moment.

    >>> moment_bound("2026/11/05T14:03:00.5+08:00", 300), moment_bound("2026-11-05", 0)
    ('2026/11/05T13:58:00', '2026-11-05')
    """
    moment = text_moment(text)
    if moment is None:
        return text
    early = moment.replace(tzinfo=None) - dt.timedelta(seconds=before)
    between, gap = text[4], text[10:11] or " "
    whole = f"{early:%Y}{between}{early:%m}{between}{early:%d}{gap}{early:%H:%M:%S}"
    return whole[: len(_without_offset(text))]


def _without_offset(text: str) -> str:
    return re.sub(r"(?<=:\d\d)(?:[.,]\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)?$", "", text)
