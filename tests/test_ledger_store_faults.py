"""Ledger stores whose disk or connection fails; and what a posting asks of them."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger_storms import NOON, posting
from memberops.adapters.stores import open_ledger
from memberops.domain import Movement, Posting
from memberops.errors import LedgerStoreError
from memberops.ledger import Posted


def heard(ledger, post):
    """Return the statements of a posting, with their values."""
    statements = []

    def hear(_connection, _cursor, statement, values, *_rest):
        statements.append((statement, values))

    engine = ledger._database.engine
    sa.event.listen(engine, "before_cursor_execute", hear)
    ledger.post(post)
    sa.event.remove(engine, "before_cursor_execute", hear)
    return statements


def lots_moved(key, hours):
    """Make a posting of two lots, which is back-dated for later hours."""
    moment = NOON + dt.timedelta(hours=hours)
    return Posting(
        posting_id=key,
        kind="receipt",
        effective_at=moment,
        movements=[
            Movement(
                gift_id="G",
                lot_id=lot,
                source="supplier",
                destination=place,
                quantity=3,
            )
            for lot, place in (("A", "warehouse"), ("B", "store:S1"))
        ],
    )


def test_a_posting_reads_no_whole_table(tmp_path):
    """SQLite finds what a back-dated posting of two lots needs by its indexes."""
    with open_ledger(tmp_path / "a.db") as ledger:
        ledger.post(lots_moved("P1", 5))
        statements = heard(ledger, lots_moved("P2", 1))
        reads = [each for each in statements if each[0].startswith("SELECT")]
        with ledger._database.engine.connect() as connection:
            plans = [
                line[-1]
                for statement, values in reads
                for line in connection.exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {statement}", values
                )
            ]
    scans = {plan for plan in plans if plan.startswith("SCAN")}
    assert scans == {"SCAN ledger_version"}  # a table of one row
    assert any("ledger_movements USING INDEX" in plan for plan in plans)
    assert any("ledger_balances USING PRIMARY KEY" in plan for plan in plans)


def test_a_posting_asks_a_server_four_times(postgresql):
    """Its turn, where the ledger stands, its cells, and all that is written."""
    with open_ledger(postgresql.new_url()) as ledger:
        ledger.post(posting("P1", "G", "supplier", "warehouse", 9))
        statements = heard(ledger, posting("P2", "G", "warehouse", "store:S1"))

    assert len(statements) == 4


def cut(ledger, others):
    """End the connections of a ledger as a fallen network would, from outside."""
    with others._database.engine.connect() as connection:
        for pid in ledger.pids:
            connection.execute(sa.select(sa.func.pg_terminate_backend(pid)))
    ledger.pids.clear()


@pytest.fixture
def two(postgresql):
    """Two ledgers in one database: one whose connections are known, and another."""
    database = postgresql.new_url()
    with open_ledger(database) as ledger, open_ledger(database) as other:
        ledger.pids = set()

        def note(connection, *_rest):
            ledger.pids.add(connection.info.backend_pid)

        sa.event.listen(ledger._database.engine, "checkout", note)
        yield ledger, other


def test_a_connection_that_was_cut_while_idle_is_replaced(two):
    """Nobody hears of it: the posting is written, once."""
    ledger, other = two
    ledger.post(posting("P1", "G", "supplier", "warehouse"))
    cut(ledger, other)

    receipt = ledger.post(posting("P2", "G", "supplier", "warehouse"))

    assert receipt == Posted(sequence=2, replayed=False)
    assert other.verify() == ()


def once_before(ledger, word, work):
    """Do some work once, before a statement that has a word in it."""

    def before(_connection, _cursor, statement, *_rest):
        if word in statement and left:
            left.pop()()

    left = [work]
    sa.event.listen(ledger._database.engine, "before_cursor_execute", before)


def test_a_connection_that_is_cut_in_a_posting_is_replaced(two):
    """Before its commit nothing was written, so the posting begins anew."""
    ledger, other = two
    once_before(ledger, "INSERT INTO ledger_entries", lambda: cut(ledger, other))

    receipt = ledger.post(posting("P1", "G", "supplier", "warehouse"))

    assert receipt == Posted(sequence=1, replayed=False)
    assert other.balance("G", "warehouse") == 1
    assert other.verify() == ()


def test_a_connection_that_is_cut_in_a_commit_leaves_a_doubt(two):
    """Then nobody knows; the same posting again counts once."""
    ledger, other = two
    once = [lambda: cut(ledger, other)]

    def before(_connection):
        if once:
            once.pop()()

    sa.event.listen(ledger._database.engine, "commit", before)
    wanted = posting("P1", "G", "supplier", "warehouse")
    with pytest.raises(LedgerStoreError, match="not known: post it again"):
        ledger.post(wanted)
    ledger.post(wanted)

    assert other.position == other.balance("G", "warehouse") == 1
    assert other.verify() == ()


def test_a_server_that_is_away_is_a_typed_error():
    """Stopped between two postings: an error in words, and all is well after it."""
    from ledger_databases import Server

    server = Server()
    try:
        with open_ledger(server.new_url()) as ledger:
            ledger.post(posting("P1", "G", "supplier", "warehouse"))
            server.crash()
            with pytest.raises(LedgerStoreError) as caught:
                ledger.post(posting("P2", "G", "supplier", "warehouse"))
            assert "PostgreSQL database" in str(caught.value)
            assert "P2" not in str(caught.value)
            server.restart()
            receipt = ledger.post(posting("P2", "G", "supplier", "warehouse"))
            assert receipt == Posted(sequence=2, replayed=False)
            assert ledger.verify() == ()
    finally:
        server.stop()


LIMITED = """
import resource, sys
sys.path.insert(0, {tests!r})
from ledger_storms import posting
from memberops.adapters.stores import open_ledger
from memberops.errors import LedgerStoreError
with open_ledger({path!r}) as ledger:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    for number in range(500):
        try:
            ledger.post(posting(f"P{{number}}", "G", "supplier", "warehouse"))
        except LedgerStoreError as error:
            print(number, error)
            break
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits a file's size")
def test_a_file_system_that_takes_no_more_is_a_typed_error(tmp_path):
    """The system refuses to grow a file: what was acknowledged is there, no more."""
    path = tmp_path / "a.db"
    script = LIMITED.format(tests=str(Path(__file__).parent), path=str(path))
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    number, message = done.stdout.split(" ", 1)

    assert "disk" in message
    assert int(number) > 0
    with open_ledger(path) as ledger:
        assert ledger.position == ledger.balance("G", "warehouse") == int(number)
        assert ledger.verify() == ()


@pytest.mark.parametrize("damage", ["torn", "cut"])
def test_a_damaged_file_is_told_and_not_believed(tmp_path, damage):
    """Pages that were overwritten or are missing: an error in words, or a finding."""
    path = tmp_path / "a.db"
    with open_ledger(path) as ledger:
        for number in range(60):
            ledger.post(posting(f"P{number}", f"G{number}", "supplier", "warehouse"))
    assert not path.with_name("a.db-wal").exists()  # closing wrote it back
    size = path.stat().st_size
    with path.open("r+b") as file:
        if damage == "cut":
            file.truncate(size // 2 // 4096 * 4096)
        else:
            file.seek(4096)
            file.write(os.urandom(size - 4096))

    with (
        pytest.raises(LedgerStoreError, match="damaged"),
        open_ledger(path) as ledger,
    ):
        ledger.verify()
