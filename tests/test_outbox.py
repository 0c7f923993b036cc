"""The outbox: what leaves, what waits, and what became of it."""

import datetime as dt

import pytest

from memberops.adapters.stores import open_outbox
from memberops.domain.message import SendResult
from outbox_scene import FREE, MINUTE, NOON, claim, ready, sound, states


@pytest.fixture
def outbox(new_database):
    """An outbox in SQLite and in PostgreSQL that nobody has used."""
    with open_outbox(new_database(), policy=FREE) as opened:
        yield opened
        sound(opened)


def answer(outbox, own, outcome, at=NOON, **details):
    """Record an answer to a claim."""
    result = SendResult(message_id=own.message.message_id, outcome=outcome, **details)
    return outbox.record(own, result, at=at)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("accepted", "accepted"),
        ("refused", "rejected"),
        ("postponed", "queued"),
        ("unknown", "unknown"),
    ],
)
def test_a_message_is_claimed_once_and_stands_as_its_answer_says(
    outbox, outcome, state
):
    """A claim is written before the request, and each answer has its one state."""
    ready(outbox, "M1")
    (own,) = claim(outbox)
    assert claim(outbox) == ()
    assert states(outbox) == {"M1": "claimed"}
    assert answer(outbox, own, outcome).applied
    assert states(outbox) == {"M1": state}


def test_a_dead_worker_leaves_unknown_and_never_queued(outbox):
    """What a dead worker had claimed may have left: it is not claimed again."""
    ready(outbox, "M1")
    (own,) = claim(outbox, lease=MINUTE)
    assert outbox.recover(at=NOON + MINUTE - dt.timedelta(microseconds=1)) == 0
    assert outbox.recover(at=NOON + MINUTE) == 1
    assert states(outbox) == {"M1": "unknown"}
    assert claim(outbox, at=NOON + 60 * MINUTE) == ()
    late = answer(outbox, own, "refused")
    assert not late.applied
    assert late.state == "unknown"
