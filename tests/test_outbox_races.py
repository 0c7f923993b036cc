"""Two connections of PostgreSQL that meet where only a lock keeps them apart."""

import contextlib
import threading
import traceback

import attrs
import pytest
import sqlalchemy as sa

from memberops.adapters.stores import open_outbox
from memberops.adapters.stores import outbox_claims as claims
from memberops.adapters.stores import outbox_entering as entering
from memberops.domain.message import MessageReceipt, SendResult
from memberops.domain.money import Money
from memberops.errors import OutboxStoreError
from memberops.policies.contact import ContactCap, ContactPolicy
from outbox_scene import CNY, FREE, NOON, batch_of, claim, ready, sound, states


def meet(monkeypatch, outbox, *options):
    """Claim at once; whoever has read the contacts waits a moment for the other."""
    barrier = threading.Barrier(len(options))
    read = claims._contacts

    def both(*given):
        found = read(*given)
        with contextlib.suppress(threading.BrokenBarrierError):
            barrier.wait(0.3)  # with the lock the other never comes: the wait breaks
        return found

    monkeypatch.setattr(claims, "_contacts", both)
    taken = []

    def work(given):
        taken.extend(outbox.claim(worker="w", at=NOON, **given))

    threads = [threading.Thread(target=work, args=(each,)) for each in options]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return taken


def test_two_campaigns_that_read_at_once_write_to_a_member_once(
    postgresql, monkeypatch
):
    """The member's lock: a cap of one a day is read by one transaction at a time."""
    caps = ContactPolicy(quiet=None, caps=[ContactCap(most=1, window="day")])
    policy = attrs.evolve(FREE, contact=caps)
    with open_outbox(postgresql.new_url(), policy=policy) as outbox:
        ready(outbox, "M1", batch_id="BA", provider="a")
        ready(outbox, "M1", batch_id="BB", provider="b")
        taken = meet(monkeypatch, outbox, {"provider": "a"}, {"provider": "b"})
        assert len(taken) == 1
        sound(outbox)


def test_two_workers_of_a_batch_that_read_at_once_keep_its_cost_cap(
    postgresql, monkeypatch
):
    """The batch's lock: what one worker spends the other has read."""
    policy = attrs.evolve(FREE, price=Money.of("6", CNY))
    with open_outbox(postgresql.new_url(), policy=policy) as outbox:
        ready(outbox, "M1", "M2", cap="10")
        taken = meet(monkeypatch, outbox, {"limit": 1}, {"limit": 1})
        assert len(taken) == 1
        sound(outbox)


def test_a_row_that_the_database_refuses_leaves_no_phone_in_the_error(
    postgresql, monkeypatch
):
    """PostgreSQL quotes the row; nothing that hangs on our error has it."""
    make = entering.message_row
    monkeypatch.setattr(
        entering, "message_row", lambda *a, **k: make(*a, **k) | {"zone": None}
    )
    batch, messages = batch_of("M1")
    with open_outbox(postgresql.new_url(), policy=FREE) as outbox:
        outbox.add_batch(batch)
        with pytest.raises(OutboxStoreError) as caught:
            outbox.enqueue("B1", messages)
    error, told = caught.value, "".join(traceback.format_exception(caught.value))
    while error is not None:
        told += f"{error!r}{getattr(error, 'orig', '')}"
        error = error.__cause__ or error.__context__
    assert messages[0].phone not in told


def between(outbox, part, first, second):
    """
    Do the second thing while the first has read what holds *part* and goes on.

    With the lock that is looked for the second waits for the first, which therefore
    goes on by itself after a moment.
    """
    engine = outbox._database._database.engine
    reached, done = threading.Event(), threading.Event()
    began = threading.get_ident()

    def wait(_connection, _cursor, statement, *_rest):
        mine = threading.get_ident() == began
        if mine and not reached.is_set() and part in " ".join(statement.split()):
            reached.set()
            done.wait(0.4)

    def work():
        if reached.wait(10):
            answers.append(second())
        done.set()

    answers = []
    other = threading.Thread(target=work)
    other.start()
    sa.event.listen(engine, "after_cursor_execute", wait)
    try:
        first()
    finally:
        sa.event.remove(engine, "after_cursor_execute", wait)
        reached.set()
        other.join()
    return answers[0]


def answer_of(own, **details):
    """Return an accepted answer to a claim."""
    return SendResult(message_id=own.message.message_id, outcome="accepted", **details)


@pytest.fixture
def outbox(postgresql):
    """An outbox in PostgreSQL in which one message is claimed."""
    with open_outbox(postgresql.new_url(), policy=FREE) as opened:
        ready(opened, "M1")
        yield opened
        sound(opened)


def test_a_receipt_that_comes_while_an_answer_is_written_is_kept(outbox):
    """The message's lock: neither overwrites what the other wrote."""
    (own,) = claim(outbox)
    delivered = MessageReceipt(
        provider="p", status="delivered", message_id=own.message.message_id
    )
    between(
        outbox,
        "FROM outbox_messages WHERE outbox_messages.message_id IN",
        lambda: outbox.record(own, answer_of(own), at=NOON),
        lambda: outbox.receive(delivered, at=NOON),
    )
    assert states(outbox) == {"M1": "delivered"}


@pytest.mark.parametrize("receipt_first", [True, False])
def test_a_receipt_and_the_answer_that_names_its_id_find_each_other(
    outbox, receipt_first
):
    """The lock of the provider's id: whichever comes first, the other sees it."""
    (own,) = claim(outbox)
    delivered = MessageReceipt(
        provider="p", status="delivered", provider_message_id="P7"
    )

    def answer():
        outbox.record(own, answer_of(own, provider_message_id="P7"), at=NOON)

    def receive():
        outbox.receive(delivered, at=NOON)

    if receipt_first:
        between(outbox, "FROM outbox_facts WHERE", receive, answer)
    else:
        between(outbox, "FROM outbox_strays WHERE", answer, receive)
    assert states(outbox) == {"M1": "delivered"}


def test_an_opt_out_returns_after_the_claim_that_had_not_read_it(outbox):
    """The member's lock: once a refusal is written, no claim comes that missed it."""

    def leave():
        outbox.opt_out("M1", at=NOON, evidence="R")
        return states(outbox)["M1"]

    seen = between(outbox, "FROM outbox_consents WHERE", lambda: claim(outbox), leave)
    assert seen == "claimed"
