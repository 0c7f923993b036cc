"""Whatever the gateway, the workers and the members do: once, or not at all."""

import os

import pytest

pytest.importorskip("sqlalchemy", reason="needs the extra 'sql'")
pytest.importorskip("httpx2", reason="needs the extra 'sms'")

import message_storms as storms

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked workers")


@pytest.fixture
def database(tmp_path):
    """Return the path of a database that nobody has used."""
    return str(tmp_path / "outbox.db")


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
