"""The outbox in a database beside a model of plain dicts, through any history."""

import datetime as dt
import itertools
import shutil
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from memberops.adapters.stores import open_outbox
from memberops.domain.message import MessageReceipt, SendResult
from memberops.policies.contact import ContactCap, ContactPolicy, ContactWindow
from memberops.policies.outbox_policy import OutboxPolicy, RetryPolicy
from outbox_scene import MINUTE, NOON, batch_of, sound, words

MEMBERS = ("M1", "M2", "M3")
SHANGHAI = ZoneInfo("Asia/Shanghai")
CLOSE = NOON + dt.timedelta(days=3)
POLICY = OutboxPolicy(
    contact=ContactPolicy(
        windows={"sms": [ContactWindow(dt.time(0), dt.time.max)]},
        quiet=None,
        caps=[ContactCap(most=1, window="day")],
    ),
    retry=RetryPolicy(attempts=2),
    resend_notices=True,
    consent=(),
    unpriced=True,
)
_NUMBERS = itertools.count()


def tomorrow(moment):
    """Return the next midnight in Shanghai."""
    day = moment.astimezone(SHANGHAI).date() + dt.timedelta(days=1)
    return dt.datetime.combine(day, dt.time(), tzinfo=SHANGHAI)


def day_of(moment):
    """Return the day in Shanghai."""
    return moment.astimezone(SHANGHAI).date()


class Model:
    """What should be, in a few dicts, by the words of the note and no code of ours."""

    def __init__(self):
        self.now = NOON
        self.said = {}
        self.canceled = set()
        self.refused = {}
        self.messages = {}

    def state(self, key):
        """Read one message."""
        message = self.messages[key]
        for strong in ("undelivered", "delivered", "accepted"):
            if strong in message["reports"]:
                return strong
        return message["did"]

    def touched(self, key):
        """Tell if the member was, or may have been, written to."""
        message = self.messages[key]
        did = message["did"] in {"claimed", "accepted", "unknown"}
        return bool(message["reports"]) or message["doubt"] or did

    def end(self, key, word):
        """End a message that waits, unless it may have been sent."""
        message = self.messages[key]
        message["did"] = "unknown" if message["doubt"] else word

    def claim(self):
        """Claim from the first batch that has anything, notices first."""
        for batch in ("notice", "marketing"):
            mine = [key for key in self.messages if key[0] == batch]
            whole = len(mine) == len(MEMBERS)
            said = {role for role, yes in self.said.get(batch, {}).items() if yes}
            closed = batch in self.canceled or self.now >= CLOSE
            if not whole or len(said) < 2 or closed:
                continue
            taken = {key for key in mine if self.take(key)}
            if taken:
                return taken
        return set()

    def take(self, key):
        """Claim one message, cancel it, let it wait, or leave it."""
        message, member = self.messages[key], key[1]
        if self.state(key) != "queued" or message["due"] > self.now:
            return False
        if member in self.refused:
            self.end(key, "canceled")
            return False
        if any(
            other != key
            and other[1] == member
            and self.touched(other)
            and day_of(self.messages[other]["at"]) == day_of(self.now)
            for other in self.messages
        ):
            message["due"] = min(tomorrow(self.now), CLOSE)
            return False
        message |= {"did": "claimed", "at": self.now, "lease": self.now + 5 * MINUTE}
        message["tries"] += 1
        return True


class OutboxMachine(RuleBasedStateMachine):
    """Every step is taken by both, and both must stand alike after it."""

    new_database = None

    def __init__(self):
        super().__init__()
        self.outbox = open_outbox(self.new_database(), policy=POLICY)
        self.model = Model()
        self.claims = {}
        self.batches = {}

    @initialize()
    def make(self):
        """Add a batch of marketing and one of notices."""
        for kind in ("marketing", "notice"):
            made = batch_of(*MEMBERS, batch_id=kind, kind=kind, closes_at=CLOSE)
            self.batches[kind] = made
            self.outbox.add_batch(made[0])

    def keys(self):
        """Return our id of each message, by batch and member."""
        return {
            (message.batch_id, message.member_id): message.message_id
            for _, messages in self.batches.values()
            for message in messages
        }

    def teardown(self):
        """See that nothing was lost and all follows from its facts; close."""
        sound(self.outbox)
        self.outbox.dispose()

    @rule(kind=st.sampled_from(["marketing", "notice"]), count=st.integers(2, 3))
    def enqueue(self, kind, count):
        """Enqueue the first messages, again or for the first time."""
        if kind in self.model.canceled:
            return
        self.outbox.enqueue(kind, self.batches[kind][1][:count])
        for member in MEMBERS[:count]:
            self.model.messages.setdefault(
                (kind, member),
                {"did": "queued", "reports": set(), "doubt": False, "tries": 0,
                 "due": NOON, "at": None, "lease": None},
            )  # fmt: skip

    @rule(
        kind=st.sampled_from(["marketing", "notice"]), yes=st.sampled_from([1, 1, 1, 0])
    )
    def approve(self, kind, yes):
        """Let both approve, or withdraw."""
        if kind in self.model.canceled:
            return
        at = self.model.now + dt.timedelta(microseconds=next(_NUMBERS))
        for word in words(self.batches[kind][0], granted=bool(yes), at=at):
            self.outbox.approve(word)
        self.model.said[kind] = {"one": yes, "two": yes}

    @rule(member=st.sampled_from(MEMBERS))
    def opt_out(self, member):
        """Refuse all messages."""
        self.outbox.opt_out(member, at=self.model.now, evidence="R")
        self.model.refused[member] = True

    @rule(minutes=st.sampled_from([1, 2, 6, 60, 13 * 60, 26 * 60]))
    def wait(self, minutes):
        """Let time pass."""
        self.model.now += minutes * MINUTE

    @rule()
    def claim(self):
        """Claim, and hold the claims."""
        taken = self.outbox.claim(
            worker="w", at=self.model.now, limit=9, lease=5 * MINUTE
        )
        got = {(own.message.batch_id, own.message.member_id): own for own in taken}
        assert set(got) == self.model.claim()
        for key, own in got.items():
            assert own.attempt == self.model.messages[key]["tries"]
        self.claims |= got

    @precondition(lambda self: self.claims)
    @rule(
        data=st.data(),
        outcome=st.sampled_from(["accepted", "refused", "postponed", "unknown"]),
    )
    def answer(self, data, outcome):
        """Answer a claim, held or lost."""
        key = data.draw(st.sampled_from(sorted(self.claims)))
        own = self.claims.pop(key)
        result = SendResult(message_id=own.message.message_id, outcome=outcome)
        done = self.outbox.record(own, result, at=self.model.now)
        message = self.model.messages[key]
        holds = message["did"] == "claimed" and message["tries"] == own.attempt
        assert done.applied is holds
        if not holds:
            if outcome == "accepted":
                message["reports"].add("accepted")
        elif outcome == "accepted":
            message["did"] = "accepted"
        elif outcome == "unknown" or message["doubt"]:
            message |= {"did": "unknown", "doubt": True, "doubted": self.model.now}
        elif outcome == "refused" or message["tries"] == 2:
            message["did"] = "rejected"
        else:
            wait = POLICY.retry.wait(own.message.message_id, attempt=own.attempt)
            message |= {"did": "queued", "due": self.model.now + wait}

    @rule()
    def recover(self):
        """Take the claims of the dead for unknown."""
        self.outbox.recover(at=self.model.now)
        for message in self.model.messages.values():
            if message["did"] == "claimed" and message["lease"] <= self.model.now:
                message |= {"did": "unknown", "doubt": True}
                message["doubted"] = self.model.now

    @precondition(lambda self: self.model.messages)
    @rule(
        data=st.data(),
        status=st.sampled_from(["accepted", "delivered", "undelivered"]),
    )
    def receive(self, data, status):
        """Take in a receipt for any message."""
        key = data.draw(st.sampled_from(sorted(self.model.messages)))
        receipt = MessageReceipt(
            provider="p", status=status, message_id=self.keys()[key]
        )
        got = self.outbox.receive(receipt, at=self.model.now)
        message = self.model.messages[key]
        if not message["tries"]:
            assert got.outcome == "stray"
        else:
            message["reports"].add(status)

    @rule(late=st.booleans())
    def settle(self, late):
        """Hear that the provider knows none of the unknown, at once or later."""
        for each in self.outbox.unsettled(at=self.model.now + MINUTE):
            key = (each.message.batch_id, each.message.member_id)
            message = self.model.messages[key]
            assert self.model.state(key) == "unknown"
            at = self.model.now + (2 * MINUTE if late else -MINUTE)
            nowhere = MessageReceipt(
                provider="p", status="not_found", message_id=each.message.message_id
            )
            self.outbox.settle(each, nowhere, at=at)
            if at < message["doubted"] + MINUTE:
                continue
            message["doubt"] = False
            closed = key[0] in self.model.canceled or at >= CLOSE
            if key[0] == "notice" and message["tries"] < 2 and not closed:
                own = each.message.message_id
                wait = POLICY.retry.wait(own, attempt=message["tries"])
                message |= {"did": "queued", "due": at + wait}
            else:
                message["did"] = "rejected"

    @rule(kind=st.sampled_from(["marketing", "notice", None, None, None]))
    def end(self, kind):
        """Cancel a batch, or end what has closed."""
        if kind is None:
            self.outbox.expire(at=self.model.now)
        else:
            self.outbox.cancel(kind, cause="stop", at=self.model.now)
            self.model.canceled.add(kind)
        for key in self.model.messages:
            canceled = key[0] in self.model.canceled
            waits = self.model.state(key) == "queued"
            if waits and (canceled or self.model.now >= CLOSE):
                self.model.end(key, "canceled" if canceled else "expired")

    @invariant()
    def agree(self):
        """Both stand alike, nothing is lost, and all follows from its facts."""
        frame = self.outbox.messages()
        got = {
            (row.batch_id, row.member_id): (row.state, row.attempts, row.counts)
            for row in frame.itertuples()
        }
        wanted = {
            key: (self.model.state(key), message["tries"], self.model.touched(key))
            for key, message in self.model.messages.items()
        }
        assert got == wanted


def explore(new_database, examples, steps):
    """Run the machine."""
    OutboxMachine.new_database = staticmethod(new_database)
    run_state_machine_as_test(
        OutboxMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def fast_files():
    """New SQLite files on a disk in memory, where there is one."""
    fast = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    folder = tempfile.mkdtemp(dir=fast if fast.is_dir() else None)
    yield lambda: f"{folder}/outbox{next(_NUMBERS)}.db"
    shutil.rmtree(folder)


def test_any_history_ends_as_the_model_says_in_sqlite(fast_files):
    """Claims, answers, receipts, refusals and time in any order: one truth."""
    explore(fast_files, 5, 20)


def test_any_history_ends_as_the_model_says_in_postgresql(postgresql):
    """The same in PostgreSQL."""
    explore(postgresql.new_url, 2, 15)


@pytest.mark.nightly
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_many_histories_end_as_the_model_says(store, fast_files, request):
    """The same, many times."""
    if store == "sqlite":
        explore(fast_files, 400, 60)
    else:
        explore(request.getfixturevalue("postgresql").new_url, 60, 50)
