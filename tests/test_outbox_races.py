"""Two connections of PostgreSQL that meet where only a lock keeps them apart."""

import contextlib
import threading
import traceback

import attrs
import pytest

from memberops.adapters.stores import open_outbox
from memberops.adapters.stores import outbox_claims as claims
from memberops.adapters.stores import outbox_entering as entering
from memberops.domain.money import Money
from memberops.errors import OutboxStoreError
from memberops.policies.contact import ContactCap, ContactPolicy
from outbox_scene import CNY, FREE, NOON, batch_of, ready, sound


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
