"""What a provider says of a member, and what two say at once."""

import threading

import attrs
import pytest

from memberops.adapters.sms import SmsCapabilities
from memberops.adapters.stores import open_outbox
from memberops.domain.message import MessageReceipt, SendResult
from memberops.workflows.message_sending import send_messages, settle_messages
from outbox_scene import FREE, MINUTE, NOON, batch_of, claim, ready, sound, states


@pytest.fixture
def outbox(tmp_path):
    """An outbox in SQLite."""
    policy = attrs.evolve(FREE, resend_notices=True)
    with open_outbox(tmp_path / "outbox.db", policy=policy) as opened:
        yield opened
        sound(opened)


@pytest.mark.parametrize("said", ["answer", "receipt", "early receipt", "late answer"])
def test_whom_a_provider_calls_opted_out_gets_no_later_campaign(outbox, said):
    """Their word reached the provider and not us; it holds until a new consent."""
    ready(outbox, "M1", "M2")
    for own in claim(outbox):
        left = own.message.member_id == "M1"
        problem = "opted_out" if left else None
        told = {"message_id": own.message.message_id, "problem": problem}
        if said == "answer":
            outcome = "refused" if left else "accepted"
            result = SendResult(outcome=outcome, raw_code="21610", **told)
            outbox.record(own, result, at=NOON)
            continue
        status = "undelivered" if left else "delivered"
        if said != "receipt":
            its = f"P{own.message.member_id}"
            early = MessageReceipt(
                provider="p", status=status, provider_message_id=its, problem=problem
            )
            assert outbox.receive(early, at=NOON).outcome == "stray"
            if said == "late answer":
                outbox.recover(at=own.leased_until)
            result = SendResult(
                message_id=own.message.message_id,
                outcome="accepted",
                provider_message_id=its,
            )
            for _ in range(2):
                outbox.record(own, result, at=NOON)
        else:
            receipt = MessageReceipt(provider="p", status=status, **told)
            assert outbox.receive(receipt, at=NOON).outcome == "applied"
            assert outbox.receive(receipt, at=NOON + MINUTE).outcome == "repeated"
    ready(outbox, "M1", "M2", batch_id="B2")
    (own,) = claim(outbox)
    assert own.message.member_id == "M2"
    outbox.record_consent("M1", at=NOON + MINUTE, evidence="form 2")
    ready(outbox, "M1", batch_id="B3")
    (own,) = claim(outbox, at=NOON + 2 * MINUTE)
    assert own.message.member_id == "M1"


class Twice:
    """A provider of which each answer has two results for one message."""

    name = "p"

    def __init__(self, *outcomes, **can):
        self.outcomes = outcomes
        self.capabilities = SmsCapabilities(**can)
        self.sent = 0

    def send(self, messages, *, template):
        """Answer all messages with each of the outcomes, or with nothing readable."""
        self.sent += 1
        if not self.outcomes:
            return None
        return [
            SendResult(message_id=each.message_id, outcome=outcome)
            for outcome in self.outcomes
            for each in messages
        ]


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        (("accepted", "postponed"), "unknown"),
        (("postponed", "accepted"), "unknown"),
        (("accepted", "accepted"), "accepted"),
        ((), "unknown"),
    ],
)
def test_results_that_contradict_each_other_say_nothing(outbox, outcomes, state):
    """What may have been accepted is not sent again; the run goes on."""
    ready(outbox, "M1", "M2")
    provider = Twice(*outcomes)
    report = send_messages(outbox, provider, now=lambda: NOON, worker="w")
    assert report.stopped == "done"
    assert set(states(outbox).values()) == {state}
    assert provider.sent == 2


def test_a_notice_is_not_offered_again_to_whom_has_left_meanwhile(outbox):
    """Where the provider would leave out what it has, the member's word comes first."""
    ready(outbox, "M1", kind="notice")
    provider = Twice("unknown", idempotent=True, settle_seconds=60)
    send_messages(outbox, provider, now=lambda: NOON, worker="w")
    outbox.opt_out("M1", at=NOON, evidence="R")
    settle_messages(outbox, provider, now=lambda: NOON + 5 * MINUTE)
    assert states(outbox) == {"M1": "unknown"}
    assert (outbox.journal()["kind"] == "resent").sum() == 0


def test_a_receipt_that_found_its_message_later_is_no_stray_any_more(outbox):
    """It was kept apart until an answer named its id; others are still counted."""
    ready(outbox, "M1")
    (own,) = claim(outbox)
    for its in ("P1", "P2"):
        early = MessageReceipt(
            provider="p", status="delivered", provider_message_id=its
        )
        assert outbox.receive(early, at=NOON).outcome == "stray"
    assert outbox.strays() == 2
    answer = SendResult(
        message_id=own.message.message_id, outcome="accepted", provider_message_id="P1"
    )
    outbox.record(own, answer, at=NOON)
    assert states(outbox) == {"M1": "delivered"}
    assert outbox.strays() == 1


def test_a_receipt_before_a_late_answer_is_joined_by_it_once(outbox):
    """The worker was taken for dead; its answer names the id all the same."""
    ready(outbox, "M1")
    (own,) = claim(outbox, lease=MINUTE)
    early = MessageReceipt(provider="p", status="delivered", provider_message_id="P1")
    assert outbox.receive(early, at=NOON).outcome == "stray"
    assert outbox.recover(at=NOON + MINUTE) == 1
    answer = SendResult(
        message_id=own.message.message_id, outcome="accepted", provider_message_id="P1"
    )
    for _ in range(2):
        late = outbox.record(own, answer, at=NOON + 2 * MINUTE)
        assert (late.applied, late.state.value) == (False, "delivered")
    assert states(outbox) == {"M1": "delivered"}
    assert outbox.strays() == 0
    kinds = outbox.journal()["kind"]
    assert [(kinds == kind).sum() for kind in ("late", "receipt")] == [1, 1]


def test_a_result_that_was_never_begun_is_recorded_once(outbox):
    """Told again it writes nothing, also when the message was claimed again."""
    ready(outbox, "M1")
    (own,) = claim(outbox)
    result = SendResult(
        message_id=own.message.message_id,
        outcome="postponed",
        problem="throttled",
        begun=False,
    )
    for _ in range(2):
        assert outbox.record(own, result, at=NOON).applied
    (again,) = claim(outbox)
    assert outbox.record(own, result, at=NOON).applied
    assert states(outbox) == {"M1": "claimed"}
    assert (outbox.journal()["kind"] == "late").sum() == 0
    outbox.recover(at=again.leased_until)
    for _ in range(2):
        assert not outbox.record(again, result, at=NOON).applied
    assert (outbox.journal()["kind"] == "late").sum() == 1


class Locked:
    """A seal that cannot show what another key has hidden."""

    def hide(self, text):
        """Return something."""
        return "hidden"

    def show(self, hidden):
        """Fail."""
        raise RuntimeError


def test_an_opt_out_is_written_whatever_cannot_be_read(tmp_path):
    """Older evidence under a lost key is no reason to lose a refusal."""
    with open_outbox(tmp_path / "outbox.db", policy=FREE, seal=Locked()) as outbox:
        outbox.record_consent("M1", at=NOON, evidence="form 1")
        outbox.opt_out("M1", at=NOON, evidence="R")
        rows = outbox._database.read(
            lambda c: c.exec_driver_sql("SELECT granted FROM outbox_consents").all()
        )
        assert sorted(rows) == [(0,), (1,)]


def test_a_batch_that_two_add_at_once_is_written_once(postgresql):
    """One hears that it is new, the other that it is there."""
    batch, _ = batch_of("M1")
    start = threading.Barrier(4)
    said = []
    with open_outbox(postgresql.new_url(), policy=FREE) as outbox:

        def add():
            start.wait()
            said.append(outbox.add_batch(batch))

        threads = [threading.Thread(target=add) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert sorted(said) == [False, False, False, True]
