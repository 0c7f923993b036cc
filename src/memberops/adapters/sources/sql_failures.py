"""
What a database answers when it cannot be read, as errors of memberops.

The driver's own texts are left out: they quote statements, values and addresses.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from memberops.errors import MemberOpsError, SourceError

__all__ = ["NO_TABLE", "as_source_error", "reason_of"]

NO_TABLE = "it has no such table or view, or the user may not see it"
_NO_COLUMN = "a column that is named is not there"
_SYNTAX = "it does not understand the query"
_LATE = "it took longer than statement_seconds"
_READ_ONLY = "the query writes, and a source may only read"
_PASSWORD = "it refuses the user or the password"  # noqa: S105 - a text
_GONE = "it cannot be reached, or the connection was lost"
_NO_UTF8 = (
    "it holds a text that is no UTF-8, as an old till writes that keeps GBK: convert "
    "the column there, or export it as CSV"
)
_NO_DATABASE = "there is no such database"
_REASONS: dict[str, str] = {
    "42P01": NO_TABLE,
    "3F000": NO_TABLE,
    "42703": _NO_COLUMN,
    "42601": _SYNTAX,
    "42501": "the user may not read that",
    "25006": _READ_ONLY,
    "57014": _LATE,
    "22021": _NO_UTF8,
    "28P01": _PASSWORD,
    "28000": _PASSWORD,
    "3D000": _NO_DATABASE,
    "1146": NO_TABLE,
    "1054": _NO_COLUMN,
    "1064": _SYNTAX,
    "1142": "the user may not read that",
    "1792": _READ_ONLY,
    "1969": _LATE,
    "3024": _LATE,
    "1045": _PASSWORD,
    "1044": _PASSWORD,
    "1049": _NO_DATABASE,
    "2003": _GONE,
    "2006": _GONE,
    "2013": _GONE,
    "SQLITE_NOTADB": "the file is no SQLite database",
    "SQLITE_CORRUPT": "the file is damaged",
    "SQLITE_CANTOPEN": "it cannot be opened",
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_BUSY": "others kept it locked for too long",
    "SQLITE_INTERRUPT": _LATE,
}
# SQLite has one code for all of these, and the name that follows is not ours to show.
_SQLITE = (
    ("Could not decode to UTF-8", _NO_UTF8),
    ("Invalid UTF8", _NO_UTF8),
    ("no such table", NO_TABLE),
    ("no such column", _NO_COLUMN),
    ("syntax error", _SYNTAX),
    ("interrupted", _LATE),
)
# A connection that never came to be has no code, or one for every cause.
_CONNECTING = (
    ("connection refused", "nothing listens at that host and port (refused)"),
    ("actively refused", "nothing listens at that host and port (refused)"),
    ("could not translate host name", "no host has that name"),
    ("failed to resolve host", "no host has that name"),
    ("name or service not known", "no host has that name"),
    ("getaddrinfo failed", "no host has that name"),
    ("timeout expired", "the host does not answer in connect_seconds"),
    ("timed out", "the host does not answer in connect_seconds"),
    ("password authentication failed", _PASSWORD),
    ("no password supplied", _PASSWORD),
    ("no pg_hba.conf entry", "it refuses this user from this computer"),
)
_MISSING = re.compile(r'database "[^"]*" does not exist', re.IGNORECASE)
_CONNECTION_CODES = frozenset({"", "2003"})
_LARGEST_CODE = 99_999
_STATE = re.compile(
    r"SQLSTATE:? ?\[?([0-9A-Z]{5})\b|\b(?:ERROR|MySqlError \{ ERROR) (\d{4})\b"
)


def reason_of(error: BaseException) -> str:
    """
    Say why a database failed, in our words and with its code.

    Args:
        error: The driver's error.

    >>> import sqlite3
    >>> reason_of(sqlite3.OperationalError("no such table: 13800138000"))
    'it has no such table or view, or the user may not see it'
    """
    code = _code(error)
    family = "_".join(code.split("_")[:2])
    reason = _REASONS.get(code) or _REASONS.get(family)
    if reason is None:
        text = str(error)
        reason = next((why for mark, why in _SQLITE if mark in text), None)
    if reason is None and code.startswith(("08", "57P")):
        reason = _GONE
    if code in _CONNECTION_CODES or code.startswith("08"):
        reason = _connecting(str(error)) or reason
    shown = f" ({code})" if code and not code.startswith("SQLITE_ERROR") else ""
    return (reason or type(error).__name__) + shown


def _connecting(text: str) -> str | None:
    """Say why no connection came to be, as far as the driver tells."""
    if _MISSING.search(text):
        return _NO_DATABASE
    plain = text.casefold()
    return next((why for mark, why in _CONNECTING if mark in plain), None)


def _code(error: Any) -> str:
    arguments = getattr(error, "args", ())
    if arguments and isinstance(arguments[0], int):  # as drivers of MySQL do
        # What is longer is no code of theirs, and may be a value.
        return str(arguments[0]) if abs(arguments[0]) <= _LARGEST_CODE else ""
    for name in ("sqlstate", "sqlite_errorname", "pgcode"):
        value = getattr(error, name, None)
        if value and value != "00000":
            return str(value)[:40]
    found = _STATE.search(str(error))
    return next(filter(None, found.groups()), "") if found else ""


@contextlib.contextmanager
def as_source_error(where: str) -> Iterator[None]:
    """
    Turn any error of a database into a `SourceError` that tells no secret.

    Args:
        where: The database, without secrets.
    """
    try:
        yield
    except MemberOpsError:
        raise
    except sa.exc.DBAPIError as error:
        told = _GONE if error.connection_invalidated else reason_of(error.orig or error)
    except sa.exc.SQLAlchemyError as error:
        told = type(error).__name__
    except Exception as error:  # noqa: BLE001 - drivers have errors of their own
        told = reason_of(error)
    else:
        return
    raise SourceError(f"{where}: {told}") from None
