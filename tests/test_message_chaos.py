"""Whatever the gateway, the workers and the members do: once, or not at all."""

import contextlib
import os
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

pytest.importorskip("sqlalchemy", reason="needs the extra 'sql'")
pytest.importorskip("httpx2", reason="needs the extra 'sms'")

import message_storms as storms
from memberops.adapters.stores import open_outbox
from memberops.domain.message import MessageReceipt
from memberops.domain.money import Currency, Money
from memberops.policies.contact import ContactCap, ContactPolicy

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked workers")


@pytest.fixture
def database():
    """
    Return the path of a database that nobody has used, in memory where that can be.

    Here processes die, not machines: what a disk takes for each commit proves nothing.
    """
    memory = "/dev/shm"  # noqa: S108 - a folder of its own within it
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield str(Path(folder) / "outbox.db")


def check_day(totals, messages):
    """Check what must hold of every day, and that the day was a bad one."""
    assert totals.messages == messages
    assert totals.duplicates == 0
    assert totals.wrong == 0
    assert totals.unknown == 0
    assert totals.faults > messages / 5
    assert totals.parked > messages / 20
    assert totals.taken > messages / 2


def test_a_bad_day_doubles_nothing_and_ends_in_the_truth(database):
    """Of 2 000 messages none is taken twice, and each state is the gateway's truth."""
    check_day(storms.bad_day(database), 2000)


def test_trying_again_on_any_error_doubles_on_the_same_day():
    """What the outbox prevents is there: the gateway counts what is sent twice."""
    totals = storms.careless_day(messages=150)

    assert totals.duplicates > 10


@forks
def test_killed_workers_lose_and_double_nothing(database):
    """After 50 kills at any moment each message was sent once, or surely not."""
    totals = storms.killed_workers(database)

    assert (totals.duplicates, totals.wrong, totals.unknown) == (0, 0, 0)
    assert totals.parked > 50  # the kills hit workers that held something
    assert totals.taken > totals.messages / 2


@forks
def test_a_worker_that_slept_past_its_lease_sends_nothing_again(database):
    """Two workers and a stopped one make one request for each attempt."""
    totals, late = storms.stopped_workers(database)

    assert (totals.duplicates, totals.wrong, totals.unknown) == (0, 0, 0)
    assert totals.requests == totals.taken
    assert totals.parked > 0
    assert late > 0  # what the sleeper brought afterwards was refused


def test_after_an_opt_out_nothing_is_claimed(database):
    """Who opts out at any of nine points before the claim gets nothing."""
    points, gone, stayed, sent = storms.opted_out(database)

    assert (points, sent) == (9, 0)
    assert gone > 9 * 12
    assert stayed > 0


def test_an_opt_out_that_races_with_claims_wins_or_loses_whole(database):
    """No claim that begins after an opt-out returned takes the member's message."""
    messages, heard, claimed, late = storms.racing_opt_outs(database, members=120)

    assert late == 0
    assert messages - heard <= claimed <= messages


def test_fifty_campaigns_share_one_cap(database):
    """However many batches race for a member, the cap holds, lost answers included."""
    total, worst = storms.cap_races(database, rounds=1)

    assert worst == total == 1


class Lying(storms.Together):
    """A provider that surely does not know a promotion, whatever it took."""

    def __init__(self, inner, size, longest):
        super().__init__(inner, size, longest)
        self.query = self.lie

    def lie(self, message, *, provider_message_id, sent_on):
        """Say that it has none."""
        del provider_message_id, sent_on
        return MessageReceipt(
            provider=self.name, status="not_found", message_id=message.message_id
        )


def test_a_settlement_that_is_a_lie_does_not_pass(database):
    """What was settled is compared before the last receipts could mend it."""

    def make(url, together):
        return Lying(storms.provider_for(url), together, 1)

    with pytest.raises(
        AssertionError, match=r"rejected, truly .* before the last push"
    ):
        storms.bad_day(database, messages=100, make=make)


# --- the same where readers do not wait for writers ---------------------------------


@pytest.fixture
def shared_database(postgresql):
    """Return the address of a database at which many write at once."""
    return postgresql.new_url()


def test_a_small_bad_day_on_a_server(shared_database):
    """On PostgreSQL nothing is taken twice either, and each state is the truth."""
    check_day(storms.bad_day(shared_database, messages=120), 120)


@pytest.mark.nightly
def test_a_bad_day_on_a_server(shared_database):
    """The same with 2 000 messages."""
    check_day(storms.bad_day(shared_database, seed=3), 2000)


@forks
def test_some_killed_workers_on_a_server(shared_database):
    """What a killed worker held in PostgreSQL is lost by nobody and sent once."""
    totals = storms.killed_workers(shared_database, kills=5)

    assert (totals.duplicates, totals.wrong, totals.unknown) == (0, 0, 0)
    assert totals.parked > 0


def test_races_on_a_server(postgresql):
    """Opt-outs and caps hold where claims of one moment do not wait in line."""
    assert storms.racing_opt_outs(postgresql.new_url(), members=60)[3] == 0
    total, worst = storms.cap_races(postgresql.new_url(), campaigns=12, rounds=2)
    assert (total, worst) == (2, 1)


@contextlib.contextmanager
def slow_to_read(table):
    """Let every reader of a table think about it, so that a race is always run."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def wait(_connection, _cursor, statement, *_rest):
        if statement.lstrip().startswith("SELECT") and f"FROM {table}" in statement:
            time.sleep(0.3)

    event.listen(Engine, "after_cursor_execute", wait)
    try:
        yield
    finally:
        event.remove(Engine, "after_cursor_execute", wait)


def claimed_at_once(outbox, **limits):
    """Let accounts a and b claim in the same moment; return all that they got."""
    start = threading.Barrier(2)

    def claim(provider):
        start.wait()
        return outbox.claim(
            worker=provider, at=storms.now(), provider=provider, **limits
        )

    with ThreadPoolExecutor(2) as pool:
        return [claim for some in pool.map(claim, "ab") for claim in some]


def test_two_accounts_that_claim_at_once_share_a_cap(new_database):
    """Two campaigns through two accounts write to a member once, if that is the cap."""
    cap = ContactPolicy(caps=[ContactCap(most=1, window="day")])
    policy = attrs.evolve(storms.POLICY, contact=cap)
    with open_outbox(new_database(), policy=policy, wait=60) as outbox:
        for account in "ab":
            storms.fill(outbox, f"of {account}", [1], provider=account)
        with slow_to_read("outbox_contacts"):
            assert len(claimed_at_once(outbox)) == 1


def test_two_that_claim_at_once_share_a_budget(new_database):
    """Two workers of one campaign claim no more together than its cost cap pays."""
    price = Money.of("6.00", Currency("CNY"))
    policy = attrs.evolve(storms.POLICY, price=price)
    with open_outbox(new_database(), policy=policy, wait=60) as outbox:
        batch, made = storms.batch_of("dear", [1, 2], "marketing")
        batch = attrs.evolve(batch, cost_cap=Money.of("10.00", Currency("CNY")))
        storms.consent(outbox, [1, 2])
        outbox.add_batch(batch)
        outbox.enqueue("dear", made)
        storms.approve(outbox, batch)
        with slow_to_read("outbox_contacts"):
            assert len(claimed_at_once(outbox, limit=1)) == 1


@pytest.mark.nightly
def test_ten_bad_days(database):
    """The same with 20 000 messages."""
    check_day(storms.bad_day(database, messages=20_000, seed=2), 20_000)


@forks
@pytest.mark.nightly
def test_five_hundred_kills(database):
    """The same with 500 kills, and with 50 stopped workers."""
    totals = storms.killed_workers(database, kills=500, seed=2)
    assert (totals.duplicates, totals.wrong, totals.unknown) == (0, 0, 0)

    totals, _ = storms.stopped_workers(database + "2", rounds=50, seed=2)
    assert (totals.duplicates, totals.wrong, totals.unknown) == (0, 0, 0)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(5))
def test_more_races(database, seed):
    """The same races with other dice."""
    assert storms.racing_opt_outs(database, members=600, seed=seed)[3] == 0
    assert storms.cap_races(database + "2", rounds=10, most=2, seed=seed)[1] <= 2
