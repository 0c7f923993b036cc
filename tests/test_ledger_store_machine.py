"""The machine of the ledger, on memory, SQLite and PostgreSQL at once."""

import contextlib
import itertools
import json
from functools import partial

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from ledger_databases import quick_folder
from ledger_machine import ZERO, LedgerMachine, at
from memberops.adapters.stores import facts, ledger_version_1, open_ledger, schema
from memberops.domain import Posting
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

    def post_all(self, postings):
        """Post them to all."""
        return self._write("post_all", tuple(postings))

    def close(self, closing):
        """Close it in all."""
        return self._write("close", closing)

    def hold(self, hold):
        """Hold it in all."""
        return self._write("hold", hold)

    def release(self, release):
        """Release it in all."""
        return self._write("release", release)

    def check(self, *, frames):
        """All have the same journal, and each fits its own entries."""
        last = list(self.first.journal())[-1]
        for other in self.others:
            assert other.verify() == ()
            assert standing(other) == json.loads(last)["hash"]
            if frames:
                self.compare(other)

    def compare(self, other):
        """One says the same as the first of everything that can be asked."""
        wanted = self.first
        assert list(other.journal()) == list(wanted.journal())
        everything = wanted.movements()
        assert other.movements().equals(everything)
        frame = everything[everything["gift_id"] == "G1"].reset_index(drop=True)
        for ledger in (other, wanted):
            assert ledger.movements(gifts=["G1", "G9"]).equals(frame)
        for hour, position in ((None, None), (3, None), (5, wanted.position // 2)):
            frame = other.balances(as_of=at(hour), position=position)
            assert frame.equals(wanted.balances(as_of=at(hour), position=position))
        for gift, place in (("G1", "warehouse"), ("G2", "store:S1")):
            assert other.lots(gift, place, as_of=ZERO) == wanted.lots(
                gift, place, as_of=ZERO
            )
            for hour in (1, 4, 8):
                assert other.held(gift, place, as_of=at(hour)) == wanted.held(
                    gift, place, as_of=at(hour)
                )
        for key in {dict(r.refers_to).get("issue_key") for r in postings(wanted)}:
            if key is not None:
                assert other.returns(key) == wanted.returns(key)
                assert other.reversed_by(key) == wanted.reversed_by(key)


def postings(ledger):
    """List the postings of a ledger."""
    found = (entry.record for entry in ledger.entries())
    return [each for each in found if isinstance(each, Posting)]


def standing(ledger):
    """Return the hash of the last entry, which stands for all before it too."""
    return ledger._database.read(facts.read_standing).running


def emptied(ledger):
    """Take every row out of a database, past its triggers: quicker than a new one."""

    def work(connection):
        names = [
            table.name
            for table in schema.metadata.sorted_tables
            if table is not schema.version
        ]
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for name in reversed(names):
                connection.execute(sa.delete(schema.metadata.tables[name]))
            return
        for table in ledger_version_1.APPEND_ONLY:
            connection.exec_driver_sql(f"DROP TRIGGER {table}_no_delete")
            connection.exec_driver_sql(f"DROP TRIGGER {table}_no_update")
            connection.exec_driver_sql(f"DROP TRIGGER {table}_no_replace")
        for name in reversed(names):
            connection.execute(sa.delete(schema.metadata.tables[name]))
        ledger_version_1.create_triggers(connection)

    ledger._database.write(work)
    return ledger


class StoresMachine(LedgerMachine):
    """The machine on three ledgers."""

    def __init__(self, spare):
        super().__init__()
        self.spare = spare

    def make(self):
        """Return an empty ledger in memory and in each database."""
        return Several(Ledger(), *map(emptied, self.spare.pop()))

    def reload(self, ledger):
        """Return ledgers that were restored from each other's journals."""
        fresh = self.make()
        fresh.first = Ledger.restored(ledger.others[0].journal())
        sources = [*ledger.others[1:], ledger.first]
        for other, source in zip(fresh.others, sources, strict=True):
            other.restore(source.journal())
        self.spare.append(ledger.others)
        return fresh

    def teardown(self):
        """Compare everything at the end of a run."""
        try:
            if hasattr(self, "ledger"):
                self.ledger.check(frames=self.is_looked_at())
            super().teardown()
        finally:
            if hasattr(self, "ledger"):
                self.spare.append(self.ledger.others)


@pytest.fixture
def spare(request):
    """Two pairs of ledgers, each in SQLite and, where there is one, PostgreSQL."""
    with quick_folder() as folder:
        urls = [[f"{folder}/{name}.db"] for name in "ab"]
        with contextlib.suppress(pytest.skip.Exception):
            server = request.getfixturevalue("postgresql")
            for databases in urls:
                databases.append(server.new_url())
        pairs = [[open_ledger(url) for url in databases] for databases in urls]
        yield list(pairs)
        for ledger in itertools.chain(*pairs):
            ledger.dispose()


def run(spare, runs):
    """Run the machine; a run that fails is shown as it was, after some shrinking."""
    run_state_machine_as_test(
        partial(StoresMachine, spare),
        settings=settings(
            max_examples=runs,
            stateful_step_count=50,
            phases=[Phase.generate, Phase.shrink],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_all_stores_agree_with_each_other_and_the_model(spare):
    """
    L1 to L7, L9, L12, L13: 200 runs of 50 steps, on memory, SQLite and PostgreSQL.

    Every answer and every error is the same in all three and the model's, the sums
    are, and the journals are byte for byte.
    """
    run(spare, 200)


@pytest.mark.nightly
def test_all_stores_agree_for_long(spare):
    """The same with 10,000 runs."""
    run(spare, 10_000)
