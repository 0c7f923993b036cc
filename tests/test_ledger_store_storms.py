"""Ledger stores under fire: writers at once, races, kills, crashes, full disks."""

import sqlite3
import sys

import pytest

import ledger_storms as storms
from memberops.adapters.stores import open_ledger
from memberops.errors import LedgerBusyError, LedgerStoreError

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="forks and kills writers"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def test_nothing_is_lost_or_doubled_when_many_write_at_once(new_database):
    """L3 to L6: 8 processes, repeated keys: 0 lost, 0 doubled, never below zero."""
    acknowledged, refused, repeated = storms.writers_at_once(
        new_database(), postings=60
    )

    assert acknowledged + refused + repeated == 8 * 60
    assert refused > 0
    assert repeated > 0


def test_l14_one_gift_is_given_once(new_database):
    """L14: of 50 who redeem the last gift at once, exactly one gets it."""
    assert storms.last_gift_races(new_database(), rounds=5) == 5


def test_what_was_acknowledged_survives_the_writers_end(new_database):
    """L4: a killed writer leaves whole postings only, and each that it was told of."""
    assert storms.killed_writers(new_database(), kills=15) > 15


def test_what_was_acknowledged_survives_the_servers_end():
    """L4: a PostgreSQL that is stopped at once has what it acknowledged."""
    from ledger_databases import Server

    server = Server()
    try:
        assert storms.fallen_servers(server, falls=1) > 1
    finally:
        server.stop()


@pytest.mark.nightly
def test_what_was_acknowledged_survives_ten_ends():
    """The same, ten times in a row."""
    from ledger_databases import Server

    server = Server()
    try:
        assert storms.fallen_servers(server, falls=10) > 10
    finally:
        server.stop()


@pytest.mark.nightly
def test_ten_times_as_much(new_database):
    """The storms at the nightly counts: 16x2,000, 1,000 races, 1,000 kills."""
    storms.writers_at_once(new_database(), writers=16, postings=2000)
    assert storms.last_gift_races(new_database(), rounds=1000) == 1000
    assert storms.return_races(new_database(), rounds=1000) == 1000
    assert storms.killed_writers(new_database(), kills=1000) > 1000


def test_a_fork_opens_connections_of_its_own(new_database):
    """Parent and child go on at once with one ledger, and do not disturb each other."""
    with open_ledger(new_database()) as ledger:

        def post(name):
            for number in range(15):
                key = f"{name}-{number}"
                ledger.post(storms.posting(key, "G", "supplier", "warehouse"))

        post("before")
        child = storms.forked(post, "child")
        post("parent")
        child.join(60)
        assert child.exitcode == 0
        assert ledger.balance("G", "warehouse") == ledger.position == 45
        assert ledger.verify() == ()


@pytest.mark.parametrize("fails", [1, 4])
def test_a_serialization_failure_is_tried_again(postgresql, fails):
    """Up to four failures of one posting in a row are hidden, and it counts once."""
    with open_ledger(postgresql.new_url()) as ledger:
        with _serialization_failures(ledger, fails):
            receipt = ledger.post(storms.posting("P", "G", "supplier", "warehouse"))
        assert not receipt.replayed
        assert ledger.balance("G", "warehouse") == 1
        assert ledger.verify() == ()


def test_tries_are_bounded(postgresql):
    """A database that fails again and again is given up after five tries."""
    with open_ledger(postgresql.new_url()) as ledger:
        with (
            _serialization_failures(ledger, 99) as count,
            pytest.raises(LedgerBusyError, match=r"40001.*nothing was written"),
        ):
            ledger.post(storms.posting("P", "G", "supplier", "warehouse"))
        assert count() == 5
        assert ledger.position == 0


class _serialization_failures:  # noqa: N801 - reads as a statement
    """Let the server itself raise 40001 on the first so many commits."""

    def __init__(self, ledger, fails):
        import sqlalchemy as sa

        self.ledger, self.fails, self.seen, self.sa = ledger, fails, 0, sa

    def __enter__(self):
        self.sa.event.listen(self.ledger._database.engine, "commit", self._fail)
        return lambda: self.seen

    def _fail(self, connection):
        self.seen += 1
        if self.seen <= self.fails:
            connection.exec_driver_sql(
                "DO $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '40001'; END $$"
            )

    def __exit__(self, *_):
        self.sa.event.remove(self.ledger._database.engine, "commit", self._fail)


def test_half_of_the_commits_fail_and_nothing_is_lost(postgresql):
    """A retry storm: every second commit fails, and each posting counts once."""
    import sqlalchemy as sa

    with open_ledger(postgresql.new_url()) as ledger:
        commits = []

        def fail(connection):
            commits.append(1)
            if len(commits) % 2:
                connection.exec_driver_sql(
                    "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$"
                )

        sa.event.listen(ledger._database.engine, "commit", fail)
        for number in range(20):
            ledger.post(storms.posting(f"P{number}", "G", "supplier", "warehouse"))
        sa.event.remove(ledger._database.engine, "commit", fail)
        assert ledger.position == ledger.balance("G", "warehouse") == 20
        assert len(commits) == 40


def test_a_locked_file_is_a_typed_error(tmp_path):
    """A file that another program keeps locked gives up after its time, unwritten."""
    path = tmp_path / "a.db"
    with open_ledger(path, wait=0.1) as ledger:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusyError, match=r"'a\.db' was kept busy"):
            ledger.post(storms.posting("P", "G", "supplier", "warehouse"))
        assert ledger.position == 0
        other.execute("ROLLBACK")
        other.close()
        assert not ledger.post(storms.posting("P", "G", "supplier", "store:S")).replayed


def test_a_locked_table_is_a_typed_error(postgresql):
    """A server where another keeps the lock gives up after its time, unwritten."""
    import psycopg

    database = postgresql.new_url()
    with open_ledger(database, wait=0.1) as ledger:
        with psycopg.connect(database) as other:
            other.execute("LOCK TABLE ledger_version")
            with pytest.raises(LedgerBusyError, match="kept busy"):
                ledger.post(storms.posting("P", "G", "supplier", "warehouse"))
        assert ledger.position == 0


def test_a_full_disk_leaves_no_half_of_a_posting(tmp_path):
    """A file that may not grow refuses a posting whole, and goes on when it may."""
    import sqlalchemy as sa

    with open_ledger(tmp_path / "a.db") as ledger:
        ledger.post(storms.posting("IN", "G", "supplier", "warehouse", 999))

        def fill(connection, _record, _proxy):
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")

        sa.event.listen(ledger._database.engine, "checkout", fill)
        with pytest.raises(LedgerStoreError, match="disk is full"):  # noqa: PT012
            for number in range(500):
                ledger.post(storms.posting(f"P{number}", "G", "warehouse", "member"))
        sa.event.remove(ledger._database.engine, "checkout", fill)
        ledger.dispose()
        assert ledger.verify() == ()
        assert ledger.balance("G", "supplier") == -999
        ledger.post(storms.posting("P", "G", "supplier", "store:S1"))


def test_a_file_that_is_no_ledger_or_may_not_be_written(tmp_path):
    """Another file, a folder and a place that is not there are typed errors."""
    wrong = tmp_path / "photo.db"
    wrong.write_bytes(b"no database at all " * 100)
    with pytest.raises(LedgerStoreError, match="no SQLite database"):
        open_ledger(wrong)
    with pytest.raises(LedgerStoreError, match="cannot be opened"):
        open_ledger(tmp_path)
    with pytest.raises(LedgerStoreError, match="cannot be opened"):
        open_ledger(tmp_path / "nowhere" / "a.db")


def test_a_ledger_that_may_only_be_read_says_so(new_database):
    """A database that is read-only answers questions, and refuses postings by name."""
    import sqlalchemy as sa

    with open_ledger(new_database()) as ledger:
        ledger.post(storms.posting("P", "G", "supplier", "warehouse"))
        if ledger._database.engine.dialect.name == "sqlite":
            read_only = "PRAGMA query_only = ON"
        else:
            read_only = "SET default_transaction_read_only = on"

        def restrict(connection, _record, _proxy):
            connection.execute(read_only)
            connection.commit()

        sa.event.listen(ledger._database.engine, "checkout", restrict)
        assert ledger.balance("G", "warehouse") == 1
        with pytest.raises(LedgerStoreError, match="only be read"):
            ledger.post(storms.posting("P2", "G", "supplier", "warehouse"))
        assert ledger.position == 1


def test_a_posting_is_durable_by_the_settings_of_its_connection(new_database):
    """Every connection syncs at commit: FULL and WAL, or synchronous_commit on."""
    import sqlalchemy as sa

    with (
        open_ledger(new_database()) as ledger,
        ledger._database.engine.connect() as connection,
    ):

        def ask(question):
            return connection.execute(sa.text(question)).scalar_one()

        if ledger._database.engine.dialect.name == "sqlite":
            assert ask("PRAGMA journal_mode") == "wal"
            assert ask("PRAGMA synchronous") == 2
            assert ask("PRAGMA foreign_keys") == 1
        else:
            assert ask("SHOW synchronous_commit") == "on"
            assert ask("SHOW transaction_isolation") == "read committed"


def test_a_server_that_is_told_not_to_sync_is_overruled(postgresql):
    """A URL with synchronous_commit=off is set right, for the promise is durability."""
    url = postgresql.new_url() + "%20-csynchronous_commit%3Doff"
    with open_ledger(url) as ledger, ledger._database.engine.connect() as connection:
        shown = connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()

    assert shown == "on"
