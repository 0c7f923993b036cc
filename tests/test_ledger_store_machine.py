"""The machine of the ledger, on memory, SQLite and PostgreSQL at once."""

from functools import partial

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from ledger_machine import ZERO, LedgerMachine, at
from memberops.adapters.stores import open_ledger, schema
from memberops.errors import MemberOpsError
from memberops.ledger import Ledger


def answer(call, value):
    """Return what a call gives, or what it raises."""
    try:
        return call(value), None
    except MemberOpsError as error:
        return (type(error), str(error)), error


class Several:
    """Ledgers of which each is told the same; the first one is asked."""

    def __init__(self, first, *others):
        self.first, self.others = first, others

    def __getattr__(self, name):
        """Ask the first."""
        return getattr(self.first, name)

    def _write(self, name, value):
        said, error = answer(getattr(self.first, name), value)
        for other in self.others:
            assert answer(getattr(other, name), value)[0] == said
        if error is not None:
            raise error
        return said

    def post(self, posting):
        """Post it to all."""
        return self._write("post", posting)

    def close(self, closing):
        """Close it in all."""
        return self._write("close", closing)

    def hold(self, hold):
        """Hold it in all."""
        return self._write("hold", hold)

    def release(self, release):
        """Release it in all."""
        return self._write("release", release)

    def check(self):
        """All say the same of everything, and each fits its own entries."""
        wanted = self.first
        for other in self.others:
            assert other.verify() == ()
            assert list(other.journal()) == list(wanted.journal())
            assert other.movements().equals(wanted.movements())
            frame = wanted.movements()
            frame = frame[frame["gift_id"] == "G1"].reset_index(drop=True)
            for ledger in (other, wanted):
                assert ledger.movements(gifts=["G1", "G9"]).equals(frame)
            for hour, position in ((None, None), (3, None), (5, wanted.position // 2)):
                frame = other.balances(as_of=at(hour), position=position)
                assert frame.equals(wanted.balances(as_of=at(hour), position=position))
            for gift, place in (("G1", "warehouse"), ("G2", "store:S1")):
                assert other.lots(gift, place, as_of=ZERO) == wanted.lots(
                    gift, place, as_of=ZERO
                )
                assert other.held(gift, place, as_of=at(4)) == wanted.held(
                    gift, place, as_of=at(4)
                )


def emptied(ledger):
    """Take every row out of a database, past its triggers: quicker than a new one."""

    def work(connection):
        names = ", ".join(
            table.name for table in schema.metadata.sorted_tables
            if table is not schema.version
        )  # fmt: skip
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql(f"TRUNCATE {names}")
            return
        for table in schema.APPEND_ONLY:
            connection.exec_driver_sql(f"DROP TRIGGER {table}_no_delete")
            connection.exec_driver_sql(f"DROP TRIGGER {table}_no_update")
            connection.exec_driver_sql(f"DROP TRIGGER {table}_no_replace")
        for name in reversed(names.split(", ")):
            connection.execute(sa.delete(schema.metadata.tables[name]))
        schema.create_triggers(connection)

    ledger._database.write(work)
    return ledger


class StoresMachine(LedgerMachine):
    """The machine on three ledgers."""

    def __init__(self, spare):
        super().__init__()
        self.spare = spare

    def make(self):
        """Return an empty ledger in memory and in two databases."""
        return Several(Ledger(), *map(emptied, self.spare.pop()))

    def reload(self, ledger):
        """Return ledgers that were restored from each other's journals."""
        ledger.check()
        fresh = self.make()
        fresh.first = Ledger.restored(ledger.others[0].journal())
        fresh.others[0].restore(ledger.others[1].journal())
        fresh.others[1].restore(ledger.first.journal())
        self.spare.append(ledger.others)
        return fresh

    def teardown(self):
        """Compare everything at the end of a run."""
        try:
            if hasattr(self, "ledger"):
                self.ledger.check()
            super().teardown()
        finally:
            if hasattr(self, "ledger"):
                self.spare.append(self.ledger.others)


@pytest.fixture
def spare(postgresql, tmp_path):
    """Two pairs of ledgers, each in SQLite and PostgreSQL."""
    pairs = [
        (open_ledger(tmp_path / f"{name}.db"), open_ledger(postgresql.new_url()))
        for name in "ab"
    ]
    yield list(pairs)
    for pair in pairs:
        for ledger in pair:
            ledger.dispose()


def test_three_stores_agree_with_each_other_and_the_model(spare):
    """L1 to L7, L12: 10 runs of 30 steps give the same answers, errors and journals."""
    run_state_machine_as_test(
        partial(StoresMachine, spare),
        settings=settings(
            max_examples=10,
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.nightly
def test_three_stores_agree_for_long(spare):
    """The same with 1,000 runs of 50 steps."""
    run_state_machine_as_test(
        partial(StoresMachine, spare),
        settings=settings(
            max_examples=1000,
            stateful_step_count=50,
            suppress_health_check=list(HealthCheck),
        ),
    )
