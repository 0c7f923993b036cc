"""The dispatcher: from the outbox to a provider, once."""

import datetime as dt

import attrs
import pytest

from memberops.adapters.sms import SmsCapabilities
from memberops.adapters.stores import open_outbox
from memberops.domain.message import MessageReceipt, SendResult
from memberops.policies.outbox_pacing import Breaker, Pace, RateLimit
from memberops.workflows.message_sending import send_messages, settle_messages
from outbox_scene import FREE, MINUTE, NOON, ready, sound, states

SECOND = dt.timedelta(seconds=1)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self):
        self.at = NOON

    def __call__(self):
        """Return the moment."""
        return self.at

    def sleep(self, seconds):
        """Let time pass."""
        self.at += dt.timedelta(seconds=seconds)


class Provider:
    """A provider that answers as a script says, and remembers what it was asked."""

    name = "p"

    def __init__(self, script=(), queries=None, **can):
        self.capabilities = SmsCapabilities(queries=queries is not None, **can)
        self.script = list(script)
        self.queries = queries
        self.sent = []

    def send(self, messages, *, template):
        """Answer each message by the next word of the script, else accept it."""
        self.sent.append(tuple(message.member_id for message in messages))
        results = []
        for message in messages:
            word = self.script.pop(0) if self.script else "accepted"
            if isinstance(word, BaseException):
                raise word
            outcome, _, problem = word.partition(":")
            results.append(
                SendResult(
                    message_id=message.message_id, outcome=outcome,
                    problem=problem or None,
                )
            )  # fmt: skip
        return tuple(results)

    def query(self, message, *, provider_message_id, sent_on):
        """Answer what the script of queries says of a member."""
        assert sent_on == NOON
        status = self.queries[message.member_id]
        if isinstance(status, Exception):
            raise status
        return status and MessageReceipt(
            provider="p", status=status, message_id=message.message_id
        )


@pytest.fixture
def outbox(tmp_path):
    """An outbox in SQLite."""
    with open_outbox(tmp_path / "outbox.db", policy=FREE) as opened:
        yield opened
        sound(opened)


def test_every_message_is_sent_once_and_every_answer_is_kept(outbox):
    """Each outcome is counted and stands; a second run sends only what may be."""
    members = [f"M{n}" for n in range(5)]
    ready(outbox, *members)
    clock = Clock()
    provider = Provider(
        ["accepted", "refused:content", "postponed:connection", "unknown",
         RuntimeError("phone 13800000000")], batch_size=1,
    )  # fmt: skip
    seen = []
    report = send_messages(
        outbox, provider, now=clock, worker="w", progress=seen.append
    )
    assert (report.claimed, report.requests, report.stopped) == (5, 5, "done")
    assert (report.accepted, report.refused, report.postponed, report.unknown) == (
        1, 1, 1, 2)  # fmt: skip
    assert [each.claimed for each in seen] == [1, 2, 3, 4, 5]
    assert sorted(each for (each,) in provider.sent) == members
    assert "13800000000" not in outbox.journal().to_csv()
    assert NOON < report.next_at <= NOON + 2 * SECOND
    clock.at = report.next_at
    again = send_messages(outbox, provider, now=clock, worker="w")
    assert (again.claimed, again.accepted, again.next_at) == (1, 1, None)


def test_a_provider_that_answers_for_others_leaves_unknown(outbox):
    """A message without a result of its own may have been sent."""
    ready(outbox, "M1", "M2")
    provider = Provider(batch_size=2)
    answers = provider.send
    provider.send = lambda messages, template: answers(messages[:1], template=template)
    report = send_messages(outbox, provider, now=Clock(), worker="w")
    assert (report.accepted, report.unknown) == (1, 1)


def test_requests_hold_what_the_provider_takes(outbox):
    """No request exceeds the batch size; with one text a request, texts stay apart."""
    ready(outbox, *(f"M{n}" for n in range(5)))
    provider = Provider(batch_size=3)
    send_messages(outbox, provider, now=Clock(), worker="w", batch=5)
    assert [len(each) for each in provider.sent] == [3, 2]
    ready(outbox, "M6", "M7", batch_id="B2")
    provider = Provider(batch_size=3, same_text=True)
    send_messages(outbox, provider, now=Clock(), worker="w")
    assert [len(each) for each in provider.sent] == [1, 1]


def test_the_rate_holds_to_the_virtual_second_and_never_sleeps_by_itself(outbox):
    """Ten a second: without sleep it returns and says when; with it, it waits."""
    ready(outbox, *(f"M{n}" for n in range(25)))
    clock, provider = Clock(), Provider(batch_size=4)
    pace = Pace([RateLimit(most=10, per=SECOND)])
    report = send_messages(outbox, provider, now=clock, worker="w", pace=pace)
    assert (report.claimed, report.stopped) == (10, "rate")
    assert report.next_at == NOON + SECOND
    report = send_messages(
        outbox, provider, now=clock, worker="w", pace=pace, sleep=clock.sleep
    )
    assert (report.claimed, report.stopped) == (15, "done")
    assert clock.at == NOON + 2 * SECOND


def test_the_breaker_leaves_a_failing_provider_alone_and_429_does_not_open_it(outbox):
    """After two failures one probe at a time; a throttled provider is not failing."""
    ready(outbox, *(f"M{n}" for n in range(9)))
    clock = Clock()
    breaker = Breaker(failures=2, pause=30 * SECOND)
    slow = Provider(["postponed:throttled"] * 3, batch_size=1)
    send_messages(outbox, slow, now=clock, worker="w", limit=3, breaker=breaker)
    assert breaker.open_until is None
    bad = Provider(["unknown"] * 9, batch_size=1)
    report = send_messages(outbox, bad, now=clock, worker="w", batch=4, breaker=breaker)
    assert (report.requests, report.released, report.stopped) == (2, 2, "breaker")
    assert report.next_at == NOON + 30 * SECOND
    clock.at = report.next_at
    report = send_messages(outbox, bad, now=clock, worker="w", batch=4, breaker=breaker)
    assert (report.requests, report.claimed) == (1, 1)


class Crowded(Provider):
    """A provider that takes some of what it is given, and says so of the others."""

    def send(self, messages, *, template):
        """Take the first ones; the next request is for the others."""
        taken = super().send(messages[: self.takes], template=template)
        return taken + tuple(
            SendResult(
                message_id=message.message_id, outcome="postponed",
                problem="throttled", begun=False,
            )
            for message in messages[self.takes :]
        )  # fmt: skip


def test_what_a_request_has_no_room_for_goes_into_the_next(outbox):
    """Nothing is refused for want of room, however often; none counts as a try."""
    ready(outbox, *(f"M{n}" for n in range(20)))
    provider = Crowded(batch_size=20)
    provider.takes = 2
    report = send_messages(outbox, provider, now=Clock(), worker="w")
    assert (report.requests, report.accepted, report.postponed) == (10, 20, 0)
    assert set(outbox.messages()["provider"]) == {"p"}
    assert set(states(outbox).values()) == {"accepted"}


def test_a_provider_that_has_room_for_nothing_is_not_asked_for_ever(outbox):
    """It counts as a provider that says "slower"."""
    ready(outbox, "M1", "M2")
    provider = Crowded(batch_size=2)
    provider.takes = 0
    report = send_messages(outbox, provider, now=Clock(), worker="w")
    assert (report.requests, report.postponed) == (1, 2)
    assert set(states(outbox).values()) == {"queued"}


class Turnstile:
    """A provider that takes one message in so many seconds, and answers 429 else."""

    name = "p"
    capabilities = SmsCapabilities(batch_size=1)

    def __init__(self, clock, every, asks=None):
        self.clock, self.every, self.asks = clock, every, asks
        self.requests, self.last = 0, None

    def send(self, messages, *, template):
        """Take one if it is time."""
        self.requests += 1
        self.clock.at += dt.timedelta(milliseconds=20)
        free = self.last is None or self.clock.at - self.last >= self.every
        if free:
            self.last = self.clock.at
        return tuple(
            SendResult(
                message_id=message.message_id,
                outcome="accepted" if free else "postponed",
                problem=None if free else "throttled",
                retry_after=None if free else self.asks,
            )
            for message in messages
        )


@pytest.mark.parametrize("asks", [None, 60 * SECOND])
def test_a_slow_provider_is_waited_for_and_no_message_is_given_up(outbox, asks):
    """A 429 says nothing of its message, and holds the others back as well."""
    ready(outbox, *(f"M{n}" for n in range(30)))
    clock = Clock()
    provider = Turnstile(clock, asks or SECOND, asks)
    report = send_messages(
        outbox, provider, now=clock, worker="w", sleep=clock.sleep, batch=10
    )
    while report.next_at is not None:
        clock.at = max(clock.at, report.next_at)
        report = send_messages(
            outbox, provider, now=clock, worker="w", sleep=clock.sleep, batch=10
        )
    assert set(states(outbox).values()) == {"accepted"}
    assert provider.requests < 3 * 30
    without = send_messages(outbox, provider, now=clock, worker="w")
    assert without.claimed == 0


def test_a_provider_that_asks_to_come_slower_ends_a_run_without_sleep(outbox):
    """What was claimed beside it is put back, and the report says until when."""
    ready(outbox, *(f"M{n}" for n in range(5)))
    clock = Clock()
    provider = Turnstile(clock, 60 * SECOND, 60 * SECOND)
    report = send_messages(outbox, provider, now=clock, worker="w", batch=5)
    assert (report.accepted, report.postponed, report.released) == (1, 1, 3)
    assert report.stopped == "rate"
    assert report.next_at >= clock.at + 60 * SECOND


def test_a_stopped_worker_sends_nothing_that_it_lost(outbox):
    """One that wakes after its lease sends nothing: one request per attempt."""
    ready(outbox, "M1")
    clock = Clock()
    provider = Provider()
    claims = outbox.claim

    def stopped(**options):
        taken = claims(**options)
        if taken:
            clock.at += 5 * MINUTE
            assert outbox.recover(at=clock.at) == 1
        return taken

    class Slow:
        """The outbox as a worker sees it that is stopped after its claim."""

        claim = staticmethod(stopped)

        def __getattr__(self, name):
            """Be the outbox otherwise."""
            return getattr(outbox, name)

    report = send_messages(Slow(), provider, now=clock, worker="w")
    assert (report.stopped, report.released, report.requests) == ("lease", 0, 0)
    assert provider.sent == []
    assert states(outbox) == {"M1": "unknown"}


def test_a_run_that_is_broken_off_puts_back_what_was_not_begun(outbox):
    """Only the request that was under way is left in doubt."""
    ready(outbox, *(f"M{n}" for n in range(4)))
    provider = Provider(["accepted", KeyboardInterrupt()], batch_size=1)
    with pytest.raises(KeyboardInterrupt):
        send_messages(outbox, provider, now=Clock(), worker="w", batch=4)
    assert sorted(states(outbox).values()) == [
        "accepted", "claimed", "queued", "queued"]  # fmt: skip


def test_unknown_messages_are_settled_by_asking_and_marketing_stays_unsent(outbox):
    """Each answer settles its message; whoever cannot be asked is asked later."""
    ready(outbox, "yes", "no", "bad", "nothing", "error")
    clock = Clock()
    provider = Provider(
        ["unknown"] * 5, batch_size=5,
        queries={"yes": "delivered", "no": "not_found", "bad": "undelivered",
                 "nothing": None, "error": OSError()},
        settle_seconds=300,
    )  # fmt: skip
    send_messages(outbox, provider, now=clock, worker="w")
    clock.at += 2 * MINUTE
    early = settle_messages(outbox, provider, now=clock)
    assert (early.asked, early.settled) == (5, 0)
    clock.at += 5 * MINUTE
    report = settle_messages(outbox, provider, now=clock)
    assert (report.asked, report.settled, report.missing) == (5, 3, 1)
    assert states(outbox) == {
        "yes": "delivered", "no": "rejected", "bad": "undelivered",
        "nothing": "unknown", "error": "unknown",
    }  # fmt: skip
    assert len(provider.sent) == 1


def test_an_idempotent_provider_gets_a_notice_again_by_policy(tmp_path):
    """Only a notice, only if the policy says so; doubt stays until it is accepted."""
    policy = attrs.evolve(FREE, resend_notices=True)
    for kind, sends in (("notice", 2), ("marketing", 1)):
        with open_outbox(tmp_path / f"{kind}.db", policy=policy) as outbox:
            ready(outbox, "M1", kind=kind)
            clock = Clock()
            provider = Provider(["unknown", "refused"], idempotent=True)
            send_messages(outbox, provider, now=clock, worker="w")
            clock.at += 5 * MINUTE
            settle_messages(outbox, provider, now=clock)
            clock.at += 5 * MINUTE
            send_messages(outbox, provider, now=clock, worker="w")
            assert len(provider.sent) == sends
            assert states(outbox) == {"M1": "unknown"}
            sound(outbox)
