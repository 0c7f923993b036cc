"""Connections to other people's databases: read only, with time-outs, and discreet."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sa

from memberops.adapters.database_urls import SIGNS, is_ambiguous
from memberops.adapters.secrets import Secret, secret_option
from memberops.adapters.sources.sql_failures import as_source_error
from memberops.errors import ConfigurationError, MissingExtraError, SourceError

__all__ = ["FAMILIES", "SqlAddress"]

FAMILIES = {
    "postgresql": "postgresql",
    "sqlite": "sqlite",
    "mysql": "mysql",
    "mariadb": "mysql",
}
"""Databases that write any value as exact text, by the name in their URL."""

_DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql"}
_EXTRAS = {"postgresql": "postgresql", "mysql": "mysql"}
_SHOWN = {*FAMILIES, "oracle", "mssql", "duckdb"}
_PLACES = ("host", "hostaddr", "port", "dbname", "service", "unix_socket")
_SECRETS = {"password", "passwd", "pwd", "sslpassword"}
_UNSHOWN = " at an address that is not shown"
_SQLITE_OPTIONS = {
    "immutable": ("0", "1"),
    "nolock": ("0", "1"),
    "cache": ("shared", "private"),
}
# Those of Python's driver are ours to say, and a file is never opened for writing.
_OURS = ("mode", "uri", "timeout", "isolation_level", "detect_types",
         "check_same_thread", "cached_statements")  # fmt: skip
_LOGGED_AS = "memberops-source"
_STEPS = 100_000


class _NoRows(logging.Filter):
    """Drops what SQLAlchemy says below INFO: the rows it read, phones among them."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.INFO


logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGED_AS}").addFilter(_NoRows())


@attrs.frozen(kw_only=True, repr=False)
class SqlAddress:
    """
    Where a database is and how it is entered; nothing is opened before it is read.

    Args:
        url: As a function, since a secret may be in it.
        shown: Whether errors may name host and database: not if the URL is a secret.
        password: The password, if the URL has none.
        folder: Folder that the path of a SQLite file counts from.
        connect_seconds: How long to wait for a connection.
        statement_seconds: How long the database may work on one statement.
    """

    url: Callable[[], sa.URL]
    shown: bool
    password: Secret | None
    folder: Path
    connect_seconds: int
    statement_seconds: int

    @classmethod
    def of(
        cls,
        url: Any,
        *,
        password: Any,
        folder: Path,
        connect_seconds: int,
        statement_seconds: int,
    ) -> SqlAddress:
        """
        Check what a caller or a chain file says.

        Args:
            url: Such as ``"postgresql://reader@db.example/pos"``, without password;
                or a secret that holds one with a password.
            password: A secret (see `memberops.adapters.secrets.secret_option`).
            folder: Folder of the chain.
            connect_seconds: See the class.
            statement_seconds: See the class.

        Raises:
            ConfigurationError: The URL cannot be one, or holds a password. It is not
                quoted.
        """
        for name, seconds in (
            ("connect_seconds", connect_seconds),
            ("statement_seconds", statement_seconds),
        ):
            if type(seconds) is not int or seconds < 1:
                raise ConfigurationError(f"{name!r} is a whole number of seconds")
        if isinstance(url, str | sa.URL):
            known = _url(url)
            if known.password or _SECRETS & {key.lower() for key in known.query}:
                raise ConfigurationError(
                    "'url' holds a password, which is not written down: leave it out "
                    'and say password = { env = "POS_PASSWORD" }, or put the whole URL '
                    'into a variable and say url = { env = "POS_URL" }'
                )
            fetch: Callable[[], sa.URL] = lambda: known  # noqa: E731 - one of two
        else:
            whole = secret_option("url", url)
            fetch = lambda: _url(whole.reveal())  # noqa: E731 - the other
        return cls(
            url=fetch,
            shown=isinstance(url, str | sa.URL),
            password=None if password is None else secret_option("password", password),
            folder=folder,
            connect_seconds=connect_seconds,
            statement_seconds=statement_seconds,
        )

    def entered(self) -> sa.URL:
        """Return the URL with driver, password and whole path: never to be shown."""
        url = self.url()
        kind, _, driver = url.drivername.partition("+")
        family = FAMILIES.get(kind, kind)
        if not driver and family in _DRIVERS:
            url = url.set(drivername=f"{kind}+{_DRIVERS[family]}")
        if self.password is not None:
            url = url.set(password=self.password.reveal())
        if family == "sqlite" and url.database and url.database != ":memory:":
            path = (self.folder / url.database).absolute()
            if not path.is_file():
                named = f" {path.name!r:.100}" if self.shown else _UNSHOWN
                if url.database.startswith("file:"):
                    named += ": leave out 'file:', the path alone is enough"
                raise SourceError(f"there is no database file{named}")
            options = _sqlite_options(url.query, shown=self.shown)
            url = url.set(database=str(path), query=options)
        return url

    @property
    def family(self) -> str:
        """The kind of database, as `FAMILIES` has it, or its name in the URL."""
        kind = self.url().get_backend_name()
        return FAMILIES.get(kind, kind)

    @property
    def where(self) -> str:
        """
        What errors call it: kind, host, port and name, no user, no password.

        Of an address that is a secret only the kind.
        """
        url = self.url()
        if not self.shown:
            kind = url.get_backend_name()
            return f"{kind if kind in _SHOWN else 'a database'}{_UNSHOWN}"
        name = (
            Path(url.database or "").name if self.family == "sqlite" else url.database
        )
        port = f":{url.port}" if url.port else ""
        return f"{url.get_backend_name()} {url.host or ''}{port}/{name or ''}"[:160]

    @property
    def fingerprint(self) -> str:
        """A digest of host, port and database, without user and password."""
        url = self.url()
        told: list[Any] = [
            self.family,
            (url.host or "").casefold(),
            url.port,
            url.database,
        ]
        told += [[name, url.query[name]] for name in _PLACES if name in url.query]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]

    @contextlib.contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        """
        Open a connection on which a transaction may only read, of one snapshot.

        Raises:
            MissingExtraError: The driver is not installed.
            SourceError: The database cannot be reached or fails. Neither statement
                nor values nor the URL are in it.
        """
        with as_source_error(self.where):
            engine = self._engine()
            try:
                with engine.connect() as connection:
                    yield connection
                    connection.rollback()
            finally:
                engine.dispose()

    def _engine(self) -> sa.Engine:
        url = self.entered()
        family = self.family
        options: dict[str, Any] = {}
        arguments: Mapping[str, Any] = {}
        if family == "postgresql":
            options = {"isolation_level": "REPEATABLE READ"}
            arguments = {"connect_timeout": self.connect_seconds}
        elif family == "mysql":
            options = {"isolation_level": "REPEATABLE READ"}
            arguments = {
                "connect_timeout": self.connect_seconds,
                "read_timeout": self.statement_seconds + self.connect_seconds,
            }
        elif family == "sqlite" and url.database not in (None, "", ":memory:"):
            arguments = {"timeout": self.connect_seconds}
            url = url.set(
                database=Path(url.database).as_uri(),
                query={**url.query, "mode": "ro", "uri": "true"},
            )
        try:
            engine = sa.create_engine(
                url,
                poolclass=sa.NullPool,
                hide_parameters=True,
                logging_name=_LOGGED_AS,
                connect_args=dict(arguments),
                **options,
            )
        except ImportError:
            extra = _EXTRAS.get(family)
            if extra is None:
                raise SourceError(
                    f"{self.where}: the driver of this database is not installed"
                ) from None
            raise MissingExtraError(f"reading from {family}", extra) from None
        sa.event.listen(engine, "connect", self._set_up(family))
        return engine

    def _set_up(self, family: str) -> Callable[[Any, object], None]:
        statements = self.settings(family)

        def set_up(connection: Any, _record: object) -> None:
            if family == "sqlite":
                _stop_after(connection, self.statement_seconds)
            cursor = connection.cursor()
            for statement in statements:
                # A time-out has one name in MySQL and another in MariaDB.
                with contextlib.suppress(
                    *((Exception,) if "_time = " in statement else ())
                ):
                    cursor.execute(statement)
            cursor.close()
            connection.commit()

        return set_up

    def settings(self, family: str) -> tuple[str, ...]:
        """
        Return the statements that make a session read only and its texts plain.

        Args:
            family: The kind of database.
        """
        seconds = self.statement_seconds
        if family == "postgresql":
            return (
                "SET default_transaction_read_only = on",
                f"SET statement_timeout = {seconds * 1000}",
                "SET TIME ZONE 'UTC'",
                "SET datestyle = 'ISO, YMD'",
                "SET extra_float_digits = 1",
            )
        if family == "mysql":
            return (
                "SET SESSION TRANSACTION READ ONLY",
                "SET time_zone = '+00:00'",
                f"SET max_execution_time = {seconds * 1000}",
                f"SET max_statement_time = {seconds}",
            )
        return ("PRAGMA query_only = ON",) if family == "sqlite" else ()


def _stop_after(connection: Any, seconds: int) -> None:
    """Let SQLite give up a statement, since it has no time-out of its own."""
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)


def _sqlite_options(given: Mapping[str, Any], *, shown: bool) -> dict[str, str]:
    """Return what a URL says of how its file is opened, but for what we say of it."""
    for name, value in given.items():
        if name not in _OURS and value not in _SQLITE_OPTIONS.get(name, ()):
            said = f"{name!r:.40}" if shown else "something"
            raise ConfigurationError(
                f"'url' says {said} behind its '?', which is not known, or not with "
                "that value: leave it out, since the file is only read anyhow; known "
                "are 'mode=ro', 'immutable=1', 'nolock=1' and 'cache=shared'"
            )
    return {name: value for name, value in given.items() if name not in _OURS}


def _url(text: str | sa.URL) -> sa.URL:
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigurationError(
            "'url' is no address of a database: write it as in "
            "'postgresql://reader@db.example/pos' or 'sqlite:///till.db', and "
            f"{SIGNS}"
        ) from None
    if url.get_backend_name() != "sqlite" or url.host:
        parts = f"{url.host}{url.database}"
        if "@" in parts or (isinstance(text, str) and is_ambiguous(text)):
            raise ConfigurationError(
                "'url' has an '@' too many, so that no one can tell the password from "
                f"the host: write {SIGNS}, or leave the password out and say "
                'password = { env = "POS_PASSWORD" }'
            ).in_chinese(
                "'url' 中多出“@”，无法区分密码与主机：密码中的 @ / # ? : % 请写作 "
                "%40 %2F %23 %3F %3A %25，或不在地址中写密码而另写 "
                'password = { env = "POS_PASSWORD" }'
            )
    return url
