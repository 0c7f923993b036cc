"""What may become of a message, whatever the order in which it is told."""

import datetime as dt
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberops.domain.message import MessageState, ReceiptStatus
from memberops.errors import InvalidValueError
from memberops.policies.outbox_pacing import Breaker, Pace, RateLimit
from memberops.policies.outbox_policy import RetryPolicy
from memberops.policies.outbox_rules import MessageFact, Standing, advance
from outbox_scene import NOON

SECOND = dt.timedelta(seconds=1)
STATUSES = ("accepted", "delivered", "undelivered")
ANSWERS = (
    ("answered", "accepted"),
    ("answered", "refused"),
    ("answered", "postponed"),
    ("answered", "unknown"),
    ("recovered", ""),
)


def told(*facts):
    """Return how a message stands after facts, given as pairs of kind and value."""
    standing = Standing()
    for kind, value in facts:
        standing = advance(standing, MessageFact(kind=kind, value=value))
    return standing


def expected(reports, answer):
    """Say independently where a message stands: one bad part spoils it."""
    if "undelivered" in reports:
        return "undelivered"
    if "delivered" in reports:
        return "delivered"
    if "accepted" in reports:
        return "accepted"
    own = {"accepted": "accepted", "refused": "rejected", "postponed": "queued"}
    return own.get(answer, "unknown")


@pytest.mark.parametrize(("kind", "answer"), ANSWERS)
def test_receipts_come_in_any_order_and_as_often_as_they_like(kind, answer):
    """Every order and repetition of 4 receipts, before the answer too, agrees."""
    for size in range(5):
        for reports in itertools.combinations_with_replacement(STATUSES, size):
            wanted = expected(reports, answer)
            for order in set(itertools.permutations(reports)):
                told_facts = [("receipt", each) for each in order]
                for place in range(size + 1):
                    facts = [("claimed", ""), *told_facts]
                    facts.insert(1 + place, (kind, answer))
                    assert told(*facts).state == wanted
                    assert told(*facts, *told_facts).state == wanted


@pytest.mark.parametrize("later", ["refused", "postponed"])
def test_doubt_outlives_a_later_refusal(later):
    """After an attempt of unknown fate, a refusal of the next does not reject it."""
    doubt = [("claimed", ""), ("answered", "unknown"), ("resent", "")]
    standing = told(*doubt, ("claimed", ""), ("answered", later))
    assert standing.state is MessageState.UNKNOWN
    assert standing.counts
    ended = told(*doubt, ("ended", "canceled"))
    assert ended.state is MessageState.UNKNOWN


def test_what_never_left_cannot_be_reported_and_what_left_cannot_be_claimed():
    """Steps that cannot happen are refused."""
    delivered = told(("claimed", ""), ("receipt", "delivered"))
    for standing, kind, value in (
        (Standing(), "receipt", "delivered"),
        (Standing(), "answered", "accepted"),
        (delivered, "claimed", ""),
        (delivered, "settled", "rejected"),
        (told(("claimed", ""), ("answered", "postponed"), ("receipt", "accepted")),
         "claimed", ""),
        (told(("claimed", ""), ("answered", "refused")), "claimed", ""),
        (told(("claimed", ""), ("answered", "unknown")), "claimed", ""),
    ):  # fmt: skip
        with pytest.raises(InvalidValueError):
            advance(standing, MessageFact(kind=kind, value=value))


@given(
    first=st.integers(1, 3600),
    most=st.integers(1, 7200),
    attempt=st.integers(1, 10_000),
    own=st.text(min_size=1, max_size=9),
    asked=st.none() | st.integers(-100, 10**9),
)
@settings(max_examples=40)
def test_waits_grow_to_a_bound_and_keep_what_was_asked(
    first, most, attempt, own, asked
):
    """Half of the doubled wait at least, all at most; asked waits up to their bound."""
    policy = RetryPolicy(first=first * SECOND, most_wait=most * SECOND)
    asked = None if asked is None else asked * SECOND
    wait = policy.wait(own, attempt=attempt, asked=asked)
    assert wait == policy.wait(own, attempt=attempt, asked=asked)
    full = min(first * 2 ** min(attempt - 1, 20), most) * SECOND
    if asked is None or asked <= full / 2:
        assert full / 2 <= wait <= full
    else:
        assert wait >= min(asked, policy.most_asked)
        assert wait <= max(full, policy.most_asked)


@given(
    most=st.integers(1, 4),
    per=st.integers(1, 20),
    steps=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=25
    ),
)
@settings(max_examples=40)
def test_no_stretch_of_time_has_more_than_the_limit(most, per, steps):
    """Whatever is asked when, no window of the length holds more than the limit."""
    pace = Pace([RateLimit(most=most, per=per * SECOND)])
    at, gone = NOON, []
    for pause, wanted in steps:
        at += pause * SECOND
        room = sum(1 for each in gone if each > at - per * SECOND)
        granted = pace.take(at, wanted)
        assert granted == min(wanted, most - room)
        gone += [at] * granted
        ready = pace.ready_at(at)
        assert (ready == at) is (most > room + granted)
        assert ready == at or ready == gone[-most] + per * SECOND


def test_a_natural_day_ends_at_the_providers_midnight():
    """A daily limit is free again at local midnight, not after 24 hours."""
    pace = Pace([RateLimit(most=2, per=None, zone="Asia/Shanghai")])
    late = dt.datetime(2026, 11, 22, 15, 59, 59, tzinfo=dt.UTC)  # 23:59:59 there
    assert pace.take(late, 5) == 2
    assert pace.ready_at(late) == late + SECOND
    assert pace.take(late + SECOND, 5) == 2


@given(
    failures=st.integers(1, 4),
    steps=st.lists(
        st.tuples(
            st.integers(0, 40), st.sampled_from(["answered", "slower", "failed"])
        ),
        max_size=25,
    ),
)
@settings(max_examples=40)
def test_an_open_breaker_admits_one_probe_and_a_slow_provider_opens_none(
    failures, steps
):
    """Against a plain model: closed, open, and one probe whose fate decides."""
    pause = 30
    breaker = Breaker(failures=failures, pause=pause * SECOND)
    now, streak, until = 0, 0, None
    for wait, outcome in steps:
        now += wait
        at = NOON + now * SECOND
        admitted = breaker.admit(at, 10)
        if until is None:
            assert admitted == 10
        elif now < until:
            assert admitted == 0
            continue
        else:
            assert admitted == 1
            assert breaker.admit(at, 10) == 0
        breaker.note(outcome, at)
        if outcome == "failed":
            streak += 1
            if until is not None or streak >= failures:
                until = now + pause
        elif outcome == "answered" or until is not None:
            streak, until = 0, None
        assert breaker.open_until == (None if until is None else NOON + until * SECOND)


def test_every_report_status_has_its_strength():
    """A status that is added later cannot be forgotten in the join."""
    for status in set(ReceiptStatus) - {ReceiptStatus.NOT_FOUND}:
        assert told(("claimed", ""), ("receipt", status.value)).state == status.value
