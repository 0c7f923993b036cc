"""The outbox: what leaves, what waits, and what became of it."""

import datetime as dt

import attrs
import pytest

from ledger_databases import execute
from memberops.adapters.stores import open_outbox
from memberops.adapters.stores.outbox_rows import Enqueued
from memberops.domain.message import MessageReceipt, SendResult
from memberops.domain.money import Currency, Money
from memberops.errors import (
    ApprovalError,
    InvalidValueError,
    MessageConflictError,
    OutboxError,
    ScheduleError,
    UnknownBatchError,
)
from memberops.policies.outbox_policy import OutboxPolicy
from outbox_scene import (
    CNY,
    FREE,
    MINUTE,
    NOON,
    batch_of,
    claim,
    ready,
    sound,
    states,
    words,
)


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


def receipt(status, **details):
    """Make a receipt of the provider."""
    return MessageReceipt(provider="p", status=status, **details)


def recorded(outbox, own, outcome="accepted", **details):
    """Record an answer and return the state."""
    return answer(outbox, own, outcome, **details).state.value


def test_nothing_leaves_before_it_is_whole_and_approved_by_two(outbox):
    """Each of text, audience, author, roles, people and withdrawal is asked."""
    batch, messages = batch_of("M1", "M2")
    outbox.add_batch(batch)
    first, second = words(batch)
    with pytest.raises(ApprovalError, match="another text"):
        outbox.approve(attrs.evolve(first, fingerprint="0" * 64))
    with pytest.raises(ApprovalError, match="who made"):
        outbox.approve(attrs.evolve(first, actor="AUTHOR"))
    with pytest.raises(ApprovalError, match="no role"):
        outbox.approve(attrs.evolve(first, role="cashier"))
    with pytest.raises(UnknownBatchError, match="B1"):
        outbox.approve(attrs.evolve(first, batch_id="B2"))
    assert outbox.approve(first) == "waiting"
    assert outbox.approve(first) == "waiting"
    assert outbox.approve(attrs.evolve(second, actor=first.actor)) == "waiting"
    outbox.enqueue("B1", messages)
    assert claim(outbox) == ()
    assert outbox.approve(second) == "approved"
    later = attrs.evolve(second, granted=False, at=second.at + MINUTE)
    assert outbox.approve(later) == "refused"
    assert claim(outbox) == ()
    assert outbox.approve(second) == "refused"
    assert outbox.approve(attrs.evolve(second, at=NOON + MINUTE)) == "approved"
    assert len(claim(outbox)) == 2


def test_a_batch_leaves_only_with_the_audience_that_was_approved(outbox):
    """One message missing, one changed or one too many: nothing leaves."""
    batch, messages = batch_of("M1", "M2")
    outbox.add_batch(batch)
    for word in words(batch):
        outbox.approve(word)
    changed = attrs.evolve(messages[1], phone="13899990000")
    outbox.enqueue("B1", [messages[0]])
    assert claim(outbox) == ()
    outbox.enqueue("B1", [changed])
    assert claim(outbox) == ()
    with pytest.raises(MessageConflictError, match="phone"):
        outbox.enqueue("B1", [messages[1]])
    other = attrs.evolve(messages[0], message_id="S0", member_id="M3")
    with pytest.raises(OutboxError, match="made for 2"):
        outbox.enqueue("B1", [other])
    for name, value in {
        "member_id": "M9", "text": "0", "zone": "UTC", "variables": [("name", "x")],
    }.items():  # fmt: skip
        batch, (one,) = batch_of("M1", batch_id=f"B-{name}")
        outbox.add_batch(batch)
        for word in words(batch):
            outbox.approve(word)
        outbox.enqueue(batch.batch_id, [attrs.evolve(one, **{name: value})])
        assert claim(outbox) == ()


def test_the_same_message_counts_once_and_another_under_its_id_is_refused(outbox):
    """Calls that are made again add nothing; each field that differs is named."""
    batch, messages = batch_of("M1", "M2", "M3")
    assert outbox.add_batch(batch)
    assert not outbox.add_batch(batch)
    with pytest.raises(MessageConflictError, match="sample"):
        outbox.add_batch(attrs.evolve(batch, sample="other"))
    assert outbox.enqueue("B1", messages[:2]) == Enqueued(new=2, repeated=0)
    assert outbox.enqueue("B1", [*messages, *messages]) == Enqueued(new=1, repeated=5)
    for name in ("member_id", "phone", "text", "variables", "store_id"):
        value = (("a", "b"),) if name == "variables" else "1380000"
        with pytest.raises(MessageConflictError, match=f": '{name}' differ") as caught:
            outbox.enqueue("B1", [attrs.evolve(messages[0], **{name: value})])
        assert "1380000" not in str(caught.value)
    with pytest.raises(InvalidValueError, match="names"):
        outbox.enqueue("B1", [attrs.evolve(messages[0], batch_id="B2")])
    with pytest.raises(ScheduleError, match="Mars"):
        outbox.enqueue("B1", [attrs.evolve(messages[0], zone="Mars")])


def test_an_opt_out_before_the_claim_wins_at_every_point(outbox):
    """Told at any of 9 points before the claim, a refusal stops the message."""
    batch, messages = batch_of(*(f"M{point}" for point in range(9)))
    said = iter(range(9))

    def refuse():
        point = next(said)
        outbox.opt_out(f"M{point}", at=NOON - MINUTE, evidence="R")

    refuse()
    outbox.add_batch(batch)
    refuse()
    for word in words(batch):
        outbox.approve(word)
        refuse()
    outbox.enqueue("B1", messages[:4])
    refuse()
    outbox.enqueue("B1", messages)
    refuse()
    assert claim(outbox, at=NOON - 2 * MINUTE) == ()
    refuse()
    outbox.recover(at=NOON)
    refuse()
    outbox.expire(at=NOON)
    refuse()
    assert claim(outbox) == ()
    assert set(states(outbox).values()) == {"canceled"}
    assert set(outbox.messages()["cause"]) == {"opted_out"}


def test_an_opt_out_stops_the_next_try_but_not_doubt(outbox):
    """What was surely not sent is canceled; what may have been stays unknown."""
    ready(outbox, "M1", "M2")
    for own in claim(outbox):
        answer(outbox, own, "postponed")
    outbox.opt_out("M1", at=NOON, evidence="R")
    (again,) = claim(outbox, at=NOON + 60 * MINUTE)
    assert again.message.member_id == "M2"
    assert again.attempt == 2
    assert states(outbox)["M1"] == "canceled"
    recorded(outbox, again, "unknown")
    outbox.cancel("B1", cause="stop", at=NOON)
    assert states(outbox)["M2"] == "unknown"


def test_marketing_needs_consent_and_the_last_word_counts(new_database):
    """Without a recorded consent, or after its withdrawal, nothing is sent."""
    policy = attrs.evolve(FREE, consent=("marketing",))
    with open_outbox(new_database(), policy=policy) as outbox:
        ready(outbox, "none", "yes", "yes-no", "no-yes", "both", "later")
        outbox.record_consent("yes", at=NOON, evidence="form 1")
        outbox.record_consent("yes-no", at=NOON - MINUTE, evidence="form 2")
        outbox.opt_out("yes-no", at=NOON, evidence="R")
        outbox.record_consent("no-yes", at=NOON, evidence="form 3")
        outbox.opt_out("no-yes", at=NOON - MINUTE, evidence="R")
        outbox.opt_out("both", at=NOON, evidence="R")
        outbox.record_consent("both", at=NOON, evidence="form 4")
        outbox.opt_out("later", at=NOON - MINUTE, evidence="R")
        outbox.record_consent("later", at=NOON, evidence="form 5")
        outbox.opt_out("later", at=NOON - MINUTE, evidence="R")  # told again
        sent = {own.message.member_id for own in claim(outbox)}
        assert sent == {"yes", "later"}
        causes = outbox.messages().set_index("member_id")["cause"]
        assert causes["none"] == "no_consent"
        # Of two clocks that differ, the one that refuses must not lose.
        assert causes["no-yes"] == causes["both"] == "opted_out"
        sound(outbox)


def test_hours_and_caps_of_the_visits_hold_at_the_claim(new_database):
    """Windows, quiet hours and caps of the contact policy defer a message."""
    policy = OutboxPolicy(consent=(), unpriced=True)
    with open_outbox(new_database(), policy=policy) as outbox:
        ready(outbox, "M1", "M2")
        ready(outbox, "M1", batch_id="B2")
        night = NOON.replace(hour=13)  # 21:00 in Shanghai
        assert claim(outbox, at=night) == ()
        assert outbox.next_due() == NOON.replace(day=23, hour=1)  # 09:00
        first = claim(outbox, at=NOON.replace(day=23, hour=1))
        assert {own.message.member_id for own in first} == {"M1", "M2"}
        for own in first:
            recorded(outbox, own, "unknown")
        later = NOON.replace(day=23, hour=2)
        assert claim(outbox, at=later) == ()  # once a day, and unknown counts
        outbox.record_contact("M1", at=NOON.replace(day=24), channel="phone")
        assert claim(outbox, at=NOON.replace(day=24)) == ()
        # Twice in the week of the 23rd: M1 waits for Monday the 30th.
        assert claim(outbox, at=NOON.replace(day=25)) == ()
        (own,) = claim(outbox, at=NOON.replace(day=30))
        assert own.message.batch_id == "B2"
        sound(outbox)


def test_a_batch_stops_at_its_cost_cap_and_gets_back_what_was_not_sent(new_database):
    """Estimates are reserved, refusals give back, and stated costs replace them."""
    policy = attrs.evolve(FREE, price=Money.of("0.05", CNY))
    with open_outbox(new_database(), policy=policy) as outbox:
        ready(outbox, *(f"M{n}" for n in range(5)), cap="0.14")
        first = claim(outbox)
        assert len(first) == 2
        recorded(outbox, first[0], "refused")
        assert outbox.status()["spent"].item() == 5
        (third,) = claim(outbox)
        exact = Currency("CNY", digits=4)
        recorded(outbox, first[1], "accepted", cost=Money.of("0.0301", exact))
        assert outbox.status()["spent"].item() == 5 + 4  # rounded up to a fen
        cheap = receipt("delivered", message_id=third.message.message_id,
                        cost=Money.of("0.02", CNY))  # fmt: skip
        outbox.receive(cheap, at=NOON)
        assert outbox.status()["spent"].item() == 2 + 4
        assert len(claim(outbox)) == 1
        assert claim(outbox) == ()
        sound(outbox)


def test_only_surely_unsent_is_tried_again_and_a_last_time(outbox):
    """Postponed returns after its wait, as often as the policy says, then ends."""
    ready(outbox, "M1")
    at = NOON
    for attempt in range(1, 6):
        early = at - dt.timedelta(microseconds=1)
        assert attempt == 1 or claim(outbox, at=early) == ()
        (own,) = claim(outbox, at=at)
        assert own.attempt == attempt
        answer(outbox, own, "postponed", at=at, retry_after=7 * MINUTE)
        at += 7 * MINUTE
    assert states(outbox) == {"M1": "rejected"}
    assert outbox.messages()["cause"].item() == "attempts_exhausted"


@pytest.mark.parametrize("problem", ["throttled", "balance", "authentication"])
def test_what_passes_by_itself_is_tried_until_the_batch_closes(outbox, problem):
    """An empty account refuses no message: it waits, and expires with that cause."""
    batch, _ = ready(outbox, "M1")
    at = NOON
    for _ in range(9):
        (own,) = claim(outbox, at=at)
        answer(outbox, own, "postponed", at=at, problem=problem)
        assert states(outbox) == {"M1": "queued"}
        at = outbox.next_due()
    assert at - NOON > 8 * MINUTE  # at least half of 2 + 4 + … + 512 seconds
    assert outbox.expire(at=batch.closes_at) == 1
    frame = outbox.messages()
    assert (frame["state"].item(), frame["cause"].item()) == ("expired", problem)


def test_what_was_released_was_no_try(outbox):
    """A claim that was put back is due at once, and counts neither try nor contact."""
    ready(outbox, "M1")
    for _ in range(7):
        (own,) = claim(outbox)
        assert outbox.release([own], at=NOON) == 1
        assert outbox.release([own], at=NOON) == 0
    (own,) = claim(outbox)
    assert recorded(outbox, own, "postponed") == "queued"


def test_a_late_writer_is_refused_but_its_evidence_counts(outbox):
    """After recovery a late yes makes unknown accepted; a late no changes nothing."""
    ready(outbox, "M1", "M2")
    both = claim(outbox, lease=MINUTE)
    outbox.recover(at=NOON + MINUTE)
    for own, said, state in zip(
        both, ("accepted", "refused"), ("accepted", "unknown"), strict=True
    ):
        for _ in range(2):
            late = answer(outbox, own, said)
            assert (late.applied, late.state) == (False, state)
    assert (outbox.journal()["kind"] == "late").sum() == 2


def test_a_result_is_recorded_once_however_often_it_is_told(outbox):
    """The same result again is no other one; a different one comes too late."""
    ready(outbox, "M1")
    (own,) = claim(outbox)
    for _ in range(3):
        assert answer(outbox, own, "unknown").applied
    assert not answer(outbox, own, "refused").applied
    assert states(outbox) == {"M1": "unknown"}
    assert (outbox.journal()["kind"] == "answered").sum() == 1


def test_a_receipt_may_come_before_the_answer(outbox):
    """Under our id at once, under the provider's as soon as the answer names it."""
    ready(outbox, "M1", "M2", "M3")
    first, second, third = claim(outbox)
    one = receipt("delivered", message_id=first.message.message_id)
    assert outbox.receive(one, at=NOON).state == "delivered"
    assert outbox.receive(one, at=NOON).outcome == "repeated"
    two = receipt("undelivered", provider_message_id="p2")
    assert outbox.receive(two, at=NOON).outcome == "stray"
    assert outbox.strays() == 1
    assert recorded(outbox, first) == "delivered"
    assert recorded(outbox, second, provider_message_id="p2") == "undelivered"
    # The provider gives the id again: what comes under it now is nobody's.
    assert recorded(outbox, third, provider_message_id="p2") == "accepted"
    again = receipt("delivered", provider_message_id="p2")
    assert outbox.receive(again, at=NOON).outcome == "stray"


def test_receipts_of_others_are_kept_and_change_nothing(outbox):
    """Unknown ids, messages never sent and other providers leave all as it is."""
    ready(outbox, "M1", "M2", provider="p")
    (own, *_) = claim(outbox, limit=1, provider="p")
    (unsent,) = set(outbox.messages()["message_id"]) - {own.message.message_id}
    for each in (
        receipt("delivered", message_id="S-other"),
        receipt("delivered", provider_message_id="x"),
        receipt("delivered", message_id=unsent),
        receipt("not_found", message_id=own.message.message_id),
        MessageReceipt(provider="q", status="delivered",
                       message_id=own.message.message_id),
    ):  # fmt: skip
        assert outbox.receive(each, at=NOON).outcome == "stray"
    assert sorted(states(outbox).values()) == ["claimed", "queued"]
    assert outbox.strays() == 5


@pytest.mark.parametrize("kind", ["marketing", "notice"])
@pytest.mark.parametrize("resend", [False, True])
def test_not_found_is_believed_after_the_delay_and_marketing_never_resent(
    new_database, kind, resend
):
    """Only a notice, only by policy, only after the settle delay is sent again."""
    policy = attrs.evolve(FREE, resend_notices=resend)
    with open_outbox(new_database(), policy=policy) as outbox:
        ready(outbox, "M1", kind=kind)
        (own,) = claim(outbox)
        recorded(outbox, own, "unknown")
        assert outbox.unsettled(at=NOON + policy.settle - MINUTE / 60) == ()
        (asked,) = outbox.unsettled(at=NOON + policy.settle)
        nowhere = receipt("not_found", message_id=own.message.message_id)
        early = outbox.settle(asked, nowhere, at=NOON + policy.settle / 2)
        assert early == "unknown"
        assert outbox.settle(asked, None, at=NOON + 2 * MINUTE) == "unknown"
        assert outbox.unsettled(at=NOON + 2 * MINUTE) == ()
        state = outbox.settle(asked, nowhere, at=NOON + 5 * MINUTE)
        again = resend and kind == "notice"
        assert state == ("queued" if again else "rejected")
        assert len(claim(outbox, at=NOON + 60 * MINUTE)) == int(again)
        sound(outbox)


def test_what_waits_when_the_window_closes_expires(outbox):
    """At its close a batch ends what waits, and nothing more leaves."""
    close = NOON + 10 * MINUTE
    ready(outbox, "M1", "M2", closes_at=close)
    (own, *_) = claim(outbox, limit=1)
    assert outbox.expire(at=close - MINUTE) == 0
    assert claim(outbox, at=close) == ()
    assert outbox.expire(at=close) == 1
    assert sorted(states(outbox).values()) == ["claimed", "expired"]
    assert recorded(outbox, own) == "accepted"


def test_nothing_personal_shows_unless_it_is_asked_for(outbox):
    """Frames, reprs and errors mask phones and texts; a seal hides them on disk."""
    ready(outbox, "M1")
    shown = f"{outbox} {claim(outbox)} {outbox.messages().to_csv()}"
    shown += outbox.journal().to_csv() + outbox.status().to_csv()
    assert "13800000000" not in shown
    assert "生日" not in shown.replace("${name}，生日快乐！", "")
    assert outbox.messages(reveal=["phone"])["phone"].item() == "13800000000"


class Backwards:
    """A seal that anyone can break, but that hides what it should."""

    def hide(self, text):
        """Turn it around."""
        return text[::-1]

    def show(self, hidden):
        """Turn it back."""
        return hidden[::-1]


def test_a_seal_hides_phones_and_texts_in_the_database(tmp_path):
    """What the file holds is sealed; claims, frames and repetitions see through."""
    path = tmp_path / "sealed.db"
    with open_outbox(path, policy=FREE, seal=Backwards()) as outbox:
        _, messages = ready(outbox, "M1")
        assert outbox.enqueue("B1", messages).repeated == 1
        assert claim(outbox)[0].message == messages[0]
        sound(outbox)
        held = b"".join(each.read_bytes() for each in tmp_path.iterdir())
        assert b"13800000000" not in held
        assert messages[0].text.encode() not in held


def test_the_database_itself_refuses_to_rewrite_history(new_database):
    """Facts, approvals and consents cannot be changed, messages not be deleted."""
    url = new_database()
    with open_outbox(url, policy=FREE) as outbox:
        ready(outbox, "M1")
        claim(outbox)
        outbox.opt_out("M1", at=NOON, evidence="R")
        for statement in (
            "UPDATE outbox_facts SET kind = 'released'",
            "DELETE FROM outbox_facts",
            "DELETE FROM outbox_approvals",
            "DELETE FROM outbox_consents",
            "DELETE FROM outbox_messages",
            "UPDATE outbox_messages SET fence = 0, attempts = 0",
        ):
            with pytest.raises(Exception, match="only grows"):
                execute(url, statement)
        execute(url, "UPDATE outbox_messages SET state = 'queued', cost = 7")
        rules = {finding.rule for finding in outbox.verify()}
        assert rules == {"message-state", "message-cost"}
        execute(url, "UPDATE outbox_messages SET text = 'other'")
        rules = {finding.rule for finding in outbox.verify()}
        assert rules == {"message-state", "message-cost", "message-audience"}
