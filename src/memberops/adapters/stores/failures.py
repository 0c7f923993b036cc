"""
What a database answers when it cannot, as errors of memberops.

The driver's own texts are left out: they quote statements, values and addresses.
"""

from __future__ import annotations

import sqlalchemy as sa

from memberops.errors import LedgerBusyError, LedgerStoreError

__all__ = ["as_error", "is_transient"]

_SERIALIZATION = {"40001", "40P01"}
_BUSY = {"55P03", "57014", "25P03"}
_REASONS = {
    "SQLITE_READONLY": "it may only be read",
    "SQLITE_FULL": "its disk is full",
    "SQLITE_CANTOPEN": "it cannot be opened",
    "SQLITE_IOERR": "its disk fails",
    "SQLITE_NOTADB": "the file is no SQLite database",
    "SQLITE_CORRUPT": "the file is damaged",
    "25006": "it may only be read",
    "53100": "its disk is full",
    "28P01": "it refuses the password",
    "28000": "it refuses the user",
    "3D000": "there is no such database",
    "42501": "the user may not do that",
}


def code(error: sa.exc.DBAPIError) -> str:
    """Return SQLite's name of the error or the SQLSTATE; empty if there is none."""
    name = getattr(error.orig, "sqlite_errorname", None)
    return str(name or getattr(error.orig, "sqlstate", None) or "")


def is_transient(error: sa.exc.DBAPIError) -> bool:
    """Tell if the database undid the transaction and asks to try it again."""
    return code(error) in _SERIALIZATION


def as_error(
    error: Exception, where: str, *, in_doubt: bool = True
) -> LedgerStoreError:
    """
    Return the error of memberops for one of the database.

    Args:
        error: What SQLAlchemy raised.
        where: The database, without secrets.
        in_doubt: The commit was asked for, so it may have been done.
    """
    if isinstance(error, sa.exc.TimeoutError):
        return LedgerBusyError(f"{where}: no connection became free in time")
    if not isinstance(error, sa.exc.DBAPIError):
        return LedgerStoreError(f"{where}: {type(error).__name__}")
    known = code(error)
    if known in _BUSY or known in _SERIALIZATION or known.startswith(_LOCKED):
        return LedgerBusyError(
            f"{where} was kept busy by others for too long ({known}); nothing was "
            "written: try again under the same key"
        )
    lost = error.connection_invalidated or known.startswith(("08", "57P"))
    if lost and not in_doubt:
        return LedgerStoreError(
            f"the connection to {where} was lost before anything was written: try "
            "again when the server runs"
        )
    if lost:
        return LedgerStoreError(
            f"the connection to {where} was lost; whether the last posting was "
            "written is not known: post it again under the same key, which counts "
            "once"
        )
    family = "_".join(known.split("_")[:2])
    reason = _REASONS.get(known) or _REASONS.get(family) or type(error.orig).__name__
    return LedgerStoreError(f"{where}: {reason}" + (f" ({known})" if known else ""))


_LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")
