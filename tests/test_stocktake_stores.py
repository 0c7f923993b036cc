"""The machine of the stocktake on ledgers in databases, beside one in memory."""

from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from ledger_databases import quick_folder
from memberops.adapters.stores import open_ledger
from memberops.ledger import Ledger
from stocktake_machine import StocktakeMachine
from test_ledger_store_machine import Several, emptied


class StoredStocktakes(StocktakeMachine):
    """The machine reads from a database; memory is told the same, and answers so."""

    def __init__(self, database):
        super().__init__()
        self.database = database

    def make(self):
        """Return an empty ledger in the database, and one in memory beside it."""
        return Several(emptied(self.database), Ledger())

    def teardown(self):
        """Both have the same journal in the end, and the database fits its own."""
        if hasattr(self, "ledger"):
            super().teardown()
            (memory,) = self.ledger.others
            assert list(self.database.journal()) == list(memory.journal())
            assert self.database.verify() == ()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    """A ledger in a database of its own."""
    with quick_folder() as folder:
        where = f"{folder}/a.db"
        if request.param == "postgresql":
            where = request.getfixturevalue("postgresql").new_url()
        with open_ledger(where) as ledger:
            yield ledger


def run(database, runs, steps):
    """Run the machine on a database."""
    run_state_machine_as_test(
        partial(StoredStocktakes, database),
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_random_counts_are_settled_alike_in_a_database(database):
    """L8: counts, trade and late entries end in a database as in memory."""
    run(database, 3, 15)


@pytest.mark.nightly
def test_many_random_counts_are_settled_alike_in_a_database(database):
    """The same, for hundreds of runs."""
    run(database, 300, 40)
