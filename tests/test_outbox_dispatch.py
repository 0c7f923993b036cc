"""What a dispatcher asks again before each request, and how long it doubts."""

import datetime as dt

import attrs
import pytest

from memberops.adapters.sms.contract import SmsCapabilities
from memberops.adapters.stores import open_outbox
from memberops.domain.message import MessageReceipt, SendResult
from memberops.errors import InvalidValueError, OutboxBusyError
from memberops.policies.outbox_pacing import Breaker
from memberops.workflows.message_sending import send_messages, settle_messages
from outbox_scene import FREE, MINUTE, NOON, ready, sound, states

SECOND = dt.timedelta(seconds=1)
EVENING = NOON.replace(hour=12)  # 20:00 in Shanghai, when the window closes


class Slow:
    """A provider whose every call takes some seconds of a virtual clock."""

    name = "p"

    def __init__(self, *, at=NOON, takes=0, outcome="accepted", **can):
        self.capabilities = SmsCapabilities(queries=True, **can)
        self.at, self.takes, self.outcome = at, takes * SECOND, outcome
        self.sent = []
        self.before = {}

    def now(self):
        """Be the clock."""
        return self.at

    def send(self, messages, *, template):
        """Take the time, and answer all alike."""
        for message in messages:
            self.sent.append((message.message_id, self.at))
        self.before.pop(len(self.sent), lambda: None)()
        self.at += self.takes
        return tuple(
            SendResult(message_id=each.message_id, outcome=self.outcome)
            for each in messages
        )

    def query(self, message, *, provider_message_id, sent_on):
        """Find a message 100 s after its last request, and not before."""
        last = max(at for own, at in self.sent if own == message.message_id)
        old = self.at - last >= 100 * SECOND
        return MessageReceipt(
            provider="p",
            status="accepted" if old else "not_found",
            message_id=message.message_id,
        )


@pytest.fixture
def outbox(tmp_path):
    """An outbox in SQLite."""
    policy = attrs.evolve(FREE, resend_notices=True)
    with open_outbox(tmp_path / "outbox.db", policy=policy) as opened:
        yield opened
        sound(opened)


def members(count):
    """Name so many members."""
    return [f"M{n}" for n in range(count)]


@pytest.mark.parametrize("takes", [1, 10])
def test_not_found_is_believed_by_the_end_of_the_request_not_by_its_claim(
    outbox, takes
):
    """A provider that finds after 100 s, and says 120 s, is never asked too early."""
    ready(outbox, *members(12), kind="notice")
    provider = Slow(takes=takes, outcome="unknown", settle_seconds=120)
    options = {"now": provider.now, "worker": "w", "lease": 5 * MINUTE}
    send_messages(outbox, provider, batch=12, breaker=Breaker(failures=99), **options)
    for _ in range(30):
        provider.at += 10 * SECOND
        settle_messages(outbox, provider, now=provider.now)
        send_messages(outbox, provider, batch=1, **options)
    assert len(provider.sent) == 12
    assert set(states(outbox).values()) == {"accepted"}


def test_a_dead_workers_message_is_doubted_from_its_recovery(outbox):
    """The request may have begun at the very end of its lease."""
    ready(outbox, "M1", kind="notice")
    (own,) = outbox.claim(worker="w", at=NOON, lease=10 * MINUTE)
    outbox.recover(at=NOON + 10 * MINUTE)
    (asked,) = outbox.unsettled(at=NOON + 20 * MINUTE)
    assert asked.doubted_at == NOON + 10 * MINUTE
    missing = MessageReceipt(
        provider="p", status="not_found", message_id=own.message.message_id
    )
    early = NOON + 10 * MINUTE + outbox.policy.settle - SECOND
    assert outbox.settle(asked, missing, at=early) == "unknown"
    assert outbox.settle(asked, missing, at=early + SECOND) == "queued"


def test_no_request_begins_that_could_outlast_its_lease(outbox):
    """A lease within the provider's time-outs is refused, and never run up."""
    ready(outbox, *members(20))
    provider = Slow(takes=30, longest_seconds=30)
    with pytest.raises(InvalidValueError, match="longer than the 30 s"):
        send_messages(outbox, provider, now=provider.now, worker="w", lease=30 * SECOND)
    report = send_messages(
        outbox, provider, now=provider.now, worker="w", batch=20, limit=20
    )
    # Of two minutes the last request may begin at 1:30.
    assert [at - NOON for _, at in provider.sent] == [n * 30 * SECOND for n in range(4)]
    assert (report.released, report.recovered) == (16, 0)


def test_one_call_is_one_request_of_the_provider(outbox):
    """Groups, and the smaller size of texts that differ, are cut before the call."""
    ready(outbox, *members(10))
    provider = Slow(
        batch_size=100, mixed_size=3, group=lambda each: each.phone[-1] == "0"
    )
    report = send_messages(outbox, provider, now=provider.now, worker="w", batch=10)
    assert report.requests == 1 + 3


@pytest.mark.parametrize("batch", [1, 40])
def test_nothing_leaves_after_the_members_hours_or_the_batchs_window(outbox, batch):
    """However many were claimed before the end: none of them leaves after it."""
    ready(outbox, *members(20))
    ready(outbox, *members(20), batch_id="B2", kind="notice", closes_at=EVENING)
    provider = Slow(at=EVENING - 8 * SECOND, takes=3)
    report = send_messages(outbox, provider, now=provider.now, worker="w", batch=batch)
    assert len(provider.sent) == 3
    assert max(at for _, at in provider.sent) < EVENING
    assert report.stopped == "done"
    morning = EVENING + dt.timedelta(hours=13)
    assert report.next_at == morning
    assert outbox.expire(at=EVENING) == 0  # the run ended what had closed


@pytest.mark.parametrize("word", ["cancel", "opt_out", "withdraw"])
def test_a_word_between_two_requests_of_a_claim_holds_at_once(outbox, word):
    """Canceled, opted out or withdrawn after the third of 20: a fourth never goes."""
    batch, _ = ready(outbox, *members(20))
    provider = Slow(takes=1)

    def say():
        if word == "cancel":
            outbox.cancel("B1", cause="price", at=provider.at)
        elif word == "opt_out":
            said = [(each, provider.at, "R") for each in members(20)]
            outbox.record_opt_outs(said)
        else:
            (first, *_) = outbox.approvals(batch.batch_id)
            outbox.approve(attrs.evolve(first, granted=False, at=NOON - 9 * MINUTE))

    provider.before[3] = say
    send_messages(outbox, provider, now=provider.now, worker="w", batch=20)
    assert len(provider.sent) == 3
    waiting = "queued" if word == "withdraw" else "canceled"
    assert sorted(states(outbox).values()) == ["accepted"] * 3 + [waiting] * 17


class Busy:
    """An outbox that is busy some times when an answer is to be written."""

    def __init__(self, outbox, times):
        self.outbox, self.times = outbox, times

    def __getattr__(self, name):
        """Be the outbox otherwise."""
        return getattr(self.outbox, name)

    def record_all(self, pairs, *, at):
        """Be busy first."""
        self.times -= 1
        if self.times >= 0:
            raise OutboxBusyError("do the same again")
        return self.outbox.record_all(pairs, at=at)


def test_a_known_answer_survives_busy_moments(outbox):
    """It is written again until it is on disk, or the lease is over."""
    ready(outbox, "M1")
    provider = Slow(takes=1)

    def sleep(seconds):
        provider.at += seconds * SECOND

    options = {"now": provider.now, "worker": "w", "sleep": sleep}
    report = send_messages(Busy(outbox, 7), provider, **options)
    assert report.accepted == 1
    assert states(outbox) == {"M1": "accepted"}
    ready(outbox, "M2", batch_id="B2")
    start = provider.at
    with pytest.raises(OutboxBusyError):
        send_messages(Busy(outbox, 10**6), provider, **options)
    assert provider.at - start < 3 * MINUTE


def test_a_question_that_failed_is_counted(outbox):
    """Whoever reads the report sees that the provider could not be asked."""
    ready(outbox, "M1")
    provider = Slow(outcome="unknown")
    send_messages(outbox, provider, now=provider.now, worker="w")
    provider.at += 5 * MINUTE
    provider.sent.clear()  # so that the question raises
    report = settle_messages(outbox, provider, now=provider.now)
    assert (report.asked, report.settled, report.failed) == (1, 0, 1)


def test_what_waits_for_people_makes_nobody_call_again(outbox):
    """Unapproved, not whole, or another provider's: no moment to run again at."""
    ready(outbox, "M1", provider="other")
    later = NOON + 3 * 60 * MINUTE
    provider = Slow()
    report = send_messages(outbox, provider, now=provider.now, worker="w")
    assert (report.claimed, report.next_at) == (0, None)
    ready(outbox, "M1", batch_id="B2", opens_at=later)
    report = send_messages(outbox, provider, now=provider.now, worker="w")
    assert (report.claimed, report.next_at) == (0, later)
