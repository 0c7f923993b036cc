"""Ledgers in databases: the same answers as in memory, and nothing lost."""

import datetime as dt
import sys

import pytest

from ledger_databases import execute
from memberops.adapters.stores import open_ledger
from memberops.adapters.stores.reading import cell_balances
from memberops.domain import Closing, Hold, Movement, Posting, Release
from memberops.errors import (
    BrokenChainError,
    InvalidValueError,
    LedgerStoreError,
    LedgerVersionError,
    MissingExtraError,
    OutOfStockError,
)
from memberops.ledger import Entry, Ledger, journal_lines
from memberops.testing import check_ledger_store

NOON = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def posting(
    key, source="supplier", destination="warehouse", quantity=1, hours=0, **facts
):
    """Make a posting of one movement of G1."""
    movement = Movement(gift_id="G1", source=source, destination=destination,
                        quantity=quantity, **{k: facts.pop(k) for k in ("lot_id",
                        "valid_through") if k in facts})  # fmt: skip
    return Posting(**({"posting_id": key, "kind": "transfer", "movements": [movement],
                       "effective_at": NOON + hours * HOUR} | facts))  # fmt: skip


def fill(ledger):
    """Write every sort of entry."""
    ledger.post(
        posting("P1", quantity=9, lot_id="A", valid_through=dt.date(2027, 1, 31))
    )
    ledger.post(posting("P2", quantity=9, reason="进货 “年”"))
    ledger.post(posting("P3", "warehouse", "store:S1", 4, hours=2))
    with pytest.raises(OutOfStockError):
        ledger.post(posting("P4", "warehouse", "store:S1", 6, hours=1))
    ledger.reverse("P3", key="R3", effective_at=NOON + 5 * HOUR)
    ledger.hold(Hold(hold_id="H", gift_id="G1", place="warehouse", quantity=2,
                     held_at=NOON + 9 * HOUR))  # fmt: skip
    ledger.hold(Hold(hold_id="H2", gift_id="G1", place="warehouse", quantity=1,
                     held_at=NOON + 9 * HOUR))  # fmt: skip
    ledger.release(Release(release_id="X", hold_id="H", at=NOON + 10 * HOUR))
    ledger.close(Closing(closing_id="C", before=NOON, places=["store:S1"]))


def test_a_store_answers_as_the_ledger_in_memory_does(new_database):
    """Every answer and every error of the contract is that of memory, word by word."""
    opened = []

    def make(rules):
        opened.append(open_ledger(new_database(), rules=rules))
        return opened[-1]

    check_ledger_store(make)
    assert opened[0].verify() == ()
    opened[0].dispose()


def test_l12_a_journal_goes_from_store_to_store_byte_for_byte(new_database):
    """L12: memory, database, memory and a second database write the same journal."""
    first = Ledger()
    fill(first)
    journal = list(first.journal())
    with open_ledger(new_database()) as second, open_ledger(new_database()) as third:
        assert second.restore(line + "\n" for line in journal) == first.position
        assert list(second.journal()) == journal
        assert (
            third.restore(Ledger.restored(second.journal()).journal())
            == len(journal) - 2
        )
        assert list(third.journal()) == journal
        assert second.verify() == third.verify() == ()
        for ledger in (first, second, third):
            ledger.post(posting("P9", "warehouse", "member", 3, hours=20))
        assert list(first.journal()) == list(second.journal()) == list(third.journal())
        with pytest.raises(LedgerStoreError, match="holds entries already"):
            second.restore(journal)


def test_a_reason_that_was_written_with_spaces_is_a_fact(new_database):
    """What a store would write no more is restored, read, reversed and answered."""
    old = posting("P1", quantity=9, reason="restock ")
    new = posting("P2", reason="restock ")
    journal = list(journal_lines([Entry(sequence=1, record=old)]))
    with open_ledger(new_database()) as opened:
        assert opened.restore(journal) == 1
        for ledger in (Ledger.restored(journal), opened):
            assert ledger.entry("P1").record == old
            assert [each.record for each in ledger.entries()] == [old]
            assert list(ledger.journal()) == journal
            assert ledger.post(old).replayed
            assert ledger.post_all([old])[0].replayed
            with pytest.raises(InvalidValueError, match="spaces around"):
                ledger.post(new)
            with pytest.raises(InvalidValueError, match="spaces around"):
                ledger.post_all([posting("P3"), new])
            assert ledger.position == 1
            ledger.reverse("P1", key="R", effective_at=NOON + HOUR)
            assert ledger.balance("G1", "warehouse") == 0
        assert opened.verify() == ()


def test_l12_a_broken_journal_leaves_nothing_behind(new_database):
    """L12: a journal that is cut or changed is refused whole."""
    source = Ledger()
    fill(source)
    journal = list(source.journal())
    with open_ledger(new_database()) as ledger:
        for wrong in (journal[:-1], [*journal[:3], *journal[4:]]):
            with pytest.raises(BrokenChainError):
                ledger.restore(wrong)
        assert ledger.position == 0
        assert ledger.balances().empty


def test_what_was_written_is_there_when_it_is_opened_again(new_database):
    """A ledger that is opened anew goes on where it stopped: keys, holds, closings."""
    database = new_database()
    with open_ledger(database) as ledger:
        fill(ledger)
        journal = list(ledger.journal())
    with open_ledger(database) as again:
        assert list(again.journal()) == journal
        assert again.post(posting("P2", quantity=9, reason="进货 “年”")).replayed
        with pytest.raises(OutOfStockError, match="refused before"):
            again.post(posting("P4", "warehouse", "store:S1", 6, hours=1))
        assert again.held("G1", "warehouse", as_of=NOON + 11 * HOUR) == 1


def test_what_is_read_at_once_is_of_one_moment(new_database):
    """Statements of one reading see the same ledger, whatever is posted meanwhile."""
    database = new_database()
    with open_ledger(database) as ledger, open_ledger(database) as other:
        fill(ledger)

        def work(connection):
            first = cell_balances(connection, gift_id="G1")
            other.post(posting("P9", quantity=5, hours=30))
            return first, cell_balances(connection, gift_id="G1")

        first, second = ledger._database.read(work)
        assert first == second
        assert ledger.balance("G1", "warehouse") == sum(
            number for cell, number in first.items() if cell.place == "warehouse"
        ) + 5  # fmt: skip


_COPY = (
    "SELECT sequence, key{0}, type, kind, NULL, closes_before, document, hash "
    "FROM ledger_entries WHERE sequence = 2"
)
FORBIDDEN = {
    "UPDATE ledger_entries SET document = '{}' WHERE sequence = 1": "only grows",
    "DELETE FROM ledger_entries WHERE sequence = 5": "only grows",
    "DELETE FROM ledger_entries": "only grows",
    "UPDATE ledger_movements SET quantity = quantity + 1": "only grows",
    "DELETE FROM ledger_movements WHERE sequence = 1": "only grows",
    "TRUNCATE ledger_entries, ledger_movements": "only grows|syntax",
    "TRUNCATE ledger_movements": "only grows|syntax",
    "INSERT OR REPLACE INTO ledger_entries " + _COPY.format(""): "only grows|syntax",
    "REPLACE INTO ledger_movements SELECT * FROM ledger_movements": "only grows|syntax",
    "INSERT INTO ledger_entries " + _COPY.format(" || 'x'"): "only grows|unique",
}


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_l2_the_database_refuses_to_change_what_was_written(new_database, statement):
    """L2: raw SQL can neither change, delete, replace nor empty the entries."""
    database = new_database()
    with open_ledger(database) as ledger:
        fill(ledger)
        before = list(ledger.journal())
        with pytest.raises(Exception, match=FORBIDDEN[statement]):
            execute(database, statement)
        assert list(ledger.journal()) == before
        assert ledger.verify() == ()


TAMPERED = {
    "UPDATE ledger_entries SET document = replace(document, '\"quantity\":9', "
    "'\"quantity\":8') WHERE sequence = 2": {"chain-broken", "movements-differ",
                                             "balance-differs"},
    "UPDATE ledger_entries SET document = '[]' WHERE sequence = 2": {
        "entry-unreadable", "chain-broken", "balance-differs",
        "movements-without-entry"},
    "UPDATE ledger_entries SET kind = 'issue' WHERE sequence = 2": {"entry-differs"},
    "UPDATE ledger_movements SET quantity = 1 WHERE sequence = 3": {
        "movements-differ"},
    "UPDATE ledger_balances SET quantity = quantity + 1 WHERE place = 'supplier'": {
        "balance-differs"},
    "DELETE FROM ledger_balances WHERE place = 'store:S1'": {"balance-differs"},
    "UPDATE ledger_lots SET valid_through = NULL": {"lot-differs"},
    "UPDATE ledger_holds SET ended_by = NULL": {"hold-differs"},
}  # fmt: skip


@pytest.mark.parametrize("statement", TAMPERED)
def test_l6_the_check_names_what_was_tampered_with(new_database, statement):
    """L6: with the triggers taken away, each change behind the back is found."""
    database = new_database()
    with open_ledger(database) as ledger:
        fill(ledger)
        assert ledger.verify() == ()
        if "://" in database:
            drop = [f"DROP TRIGGER {table}_only_grows ON {table}"
                    for table in ("ledger_entries", "ledger_movements")]  # fmt: skip
        else:
            drop = [f"DROP TRIGGER {table}_no_update"
                    for table in ("ledger_entries", "ledger_movements")]  # fmt: skip
        execute(database, *drop, statement)
        findings = ledger.verify()
        assert {each.rule for each in findings} == TAMPERED[statement]
        assert all(each.message_zh and each.message_en for each in findings)
        if "chain-broken" in TAMPERED[statement]:
            with pytest.raises(BrokenChainError):
                list(ledger.journal())


def test_a_newer_database_is_refused_and_an_open_one_stops_writing(new_database):
    """Tables of a later version are refused, also by a ledger that is open already."""
    database = new_database()
    with open_ledger(database) as ledger:
        fill(ledger)
        execute(database, "UPDATE ledger_version SET version = 9")
        with pytest.raises(LedgerVersionError, match=r"version 9.*upgrade memberops"):
            ledger.post(posting("P9"))
        with pytest.raises(LedgerVersionError, match="version 9"):
            open_ledger(database)


def test_an_older_database_is_migrated_when_it_is_opened(new_database, monkeypatch):
    """A later step runs once, keeps what was written, and old writers are stopped."""
    from memberops.adapters.stores import migrations, sql_ledger

    database, ran = new_database(), []

    def second(connection):
        connection.exec_driver_sql("ALTER TABLE ledger_lots ADD COLUMN note TEXT")
        ran.append(connection.dialect.name)

    with open_ledger(database) as old:
        fill(old)
        journal = list(old.journal())
        steps = (*migrations.STEPS, second)
        with monkeypatch.context() as later:
            later.setattr(sql_ledger, "STEPS", steps)
            for _ in range(2):
                with open_ledger(database) as new:
                    assert list(new.journal()) == journal
            assert len(ran) == 1
        with pytest.raises(LedgerVersionError, match="version 2"):
            old.post(posting("P9"))


def test_a_migration_that_fails_leaves_the_old_tables(new_database, monkeypatch):
    """All steps are one transaction: a failure leaves the version that was there."""
    from memberops.adapters.stores import migrations, sql_ledger

    database = new_database()

    def half(connection):
        connection.exec_driver_sql("ALTER TABLE ledger_lots ADD COLUMN note TEXT")
        raise RuntimeError

    with open_ledger(database) as ledger:
        fill(ledger)
        with monkeypatch.context() as later:
            later.setattr(sql_ledger, "STEPS", (*migrations.STEPS, half))
            with pytest.raises(RuntimeError):
                open_ledger(database)
        ledger.post(posting("P9"))
        assert ledger.verify() == ()


@pytest.mark.parametrize(
    ("database", "words"),
    [
        (":memory:", "memory"),
        ("", "path of a file"),
        ("sqlite://", "path of a file"),
        ("sqlite:///:memory:", "memory"),
        ("sqlite:///a.db?mode=memory", "without host and options"),
        ("file:a.db?mode=memory", "path of a file"),
        ("mysql://root:s3cret@host/gifts", "'mysql'.*sqlite"),
        ("postgresql+asyncpg://u:s3cret@h/d", "asyncpg"),
        ("://s3cret", "cannot be read"),
    ],
)
def test_what_cannot_be_durable_is_refused(database, words):
    """A ledger in memory or another database is refused, and no secret is told."""
    with pytest.raises(InvalidValueError, match=words) as caught:
        open_ledger(database)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("module", "database", "extra"),
    [
        ("sqlalchemy", "gifts.db", "sql"),
        ("psycopg", "postgresql://u@h/d", "postgresql"),
    ],
)
def test_a_missing_driver_names_its_extra(monkeypatch, module, database, extra):
    """Without SQLAlchemy or psycopg the error says what to install."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError) as caught:
        open_ledger(database)
    assert caught.value.extra == extra


def test_no_secret_is_in_a_repr_or_an_error():
    """A server that is not there is named without user, password and host."""
    with pytest.raises(LedgerStoreError) as caught:
        open_ledger("postgresql://eve:s3cret@127.0.0.1:1/gifts?connect_timeout=2")
    assert "'gifts'" in str(caught.value)
    assert not {"s3cret", "eve"} & set(str(caught.value).split())
    assert "s3cret" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
