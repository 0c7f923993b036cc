"""Where a chain keeps its gift ledger, as its file says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import attrs

from memberops.errors import ConfigurationError, InvalidValueError

__all__ = ["LedgerSettings"]


@attrs.frozen(kw_only=True)
class LedgerSettings:
    """
    Where the gift ledger is kept: a SQLite file, or a database of a server.

    The address of a server holds a password, which does not belong in a file: the
    chain file names the environment variable that holds the address, and it is read
    when the ledger is opened.

    Args:
        store: ``"sqlite"`` or ``"postgresql"``.
        path: For SQLite, the file; a relative one counts from the chain's folder.
        url_env: For PostgreSQL, name of the environment variable with the address,
            such as ``postgresql://user:password@host/name``.
        below_zero: Places, or kinds such as ``"store"``, that may fall below zero.

    Raises:
        InvalidValueError: SQLite without *path*, PostgreSQL without *url_env*, or the
            one with what belongs to the other.

    >>> LedgerSettings(path="gifts.db").within(Path("office")).path
    'office/gifts.db'
    """

    store: Literal["sqlite", "postgresql"] = attrs.field(
        default="sqlite", validator=attrs.validators.in_(("sqlite", "postgresql"))
    )
    path: str | None = None
    url_env: str | None = None
    below_zero: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Hold path and variable against the store."""
        if self.store == "sqlite" and (not self.path or self.url_env):
            raise InvalidValueError(
                "a ledger in SQLite needs 'path', the file, and no 'url_env'"
            )
        if self.store == "postgresql" and (not self.url_env or self.path):
            raise InvalidValueError(
                "a ledger in PostgreSQL needs 'url_env', the name of the environment "
                "variable that holds its address, and no 'path'"
            )

    def within(self, folder: Path) -> LedgerSettings:
        """Return the settings with a path that counts from a folder."""
        if self.path is None:
            return self
        return attrs.evolve(self, path=str(folder / self.path))

    def database(self) -> str:
        """
        Return the file, or the address that the environment holds.

        Raises:
            ConfigurationError: The environment has no such variable, or an empty one.
        """
        if self.path is not None:
            return self.path
        name = self.url_env or ""
        address = os.environ.get(name, "")
        if not address:
            raise ConfigurationError(
                f"ledger.url_env: the environment has no variable {name[:40]!r}: set "
                "it to the address, postgresql://user:password@host/name"
            )
        if not address.startswith(("postgresql", "postgres:")):
            raise ConfigurationError(
                f"ledger.url_env: the variable {name[:40]!r} holds no address of "
                "PostgreSQL, postgresql://user:password@host/name"
            )
        return address
