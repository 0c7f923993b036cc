"""Long texts whose parts are reported one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.adapters.stores import open_outbox
from memberops.domain.message import MessageReceipt, ReceiptStatus, SendResult
from memberops.policies.outbox_parts import report_of_part
from outbox_scene import FREE, NOON, claim, ready, sound, states

pytest.importorskip("sqlalchemy", reason="needs the extra 'sql'")


@pytest.fixture
def outbox(tmp_path):
    """An outbox in SQLite that nobody has used."""
    with open_outbox(tmp_path / "outbox.db", policy=FREE) as opened:
        yield opened


def part(own, number, status="delivered", **more):
    """Make a report on one part."""
    return MessageReceipt(
        provider="p", status=status, segment=number, message_id=own, **more
    )


def answered(outbox, own, segments):
    """Write that the provider took a message, and how many parts it says it has."""
    result = SendResult(
        message_id=own.message.message_id, outcome="accepted", segments=segments
    )
    outbox.record(own, result, at=NOON)


@given(
    parts=st.integers(1, 5),
    first=st.integers(0, 1),
    data=st.data(),
)
@examples(1)
def test_all_parts_in_any_order_are_the_whole(parts, first, data):
    """Delivered are all parts and no fewer, however they come and repeat."""
    numbers = range(first, first + parts)
    order = data.draw(st.permutations([*numbers, *numbers]))
    delivered = set()
    for number in order:
        said = report_of_part(
            ReceiptStatus.DELIVERED, part=number, parts=parts, delivered=delivered
        )
        delivered.add(number)
        assert (said is ReceiptStatus.DELIVERED) == (len(delivered) == parts)


def test_a_message_is_delivered_when_its_parts_are(new_database):
    """In whatever order three parts come, only the last makes it delivered."""
    orders = [(1, 2, 3), (3, 1, 2)]
    with open_outbox(new_database(), policy=FREE) as outbox:
        ready(outbox, *(f"M{number}" for number in range(len(orders))))
        for own, order in zip(claim(outbox), orders, strict=True):
            answered(outbox, own, 3)
            key = own.message.message_id
            for number in order:
                assert states(outbox)[own.message.member_id] == "accepted"
                outbox.receive(part(key, number), at=NOON)
                again = outbox.receive(part(key, number), at=NOON)
                assert again.outcome == "repeated"
            assert states(outbox)[own.message.member_id] == "delivered"
        sound(outbox)


def test_one_part_that_failed_is_a_message_that_failed(outbox):
    """An undelivered part stays so, whatever is said of the others later."""
    ready(outbox, "M1")
    (own,) = claim(outbox)
    answered(outbox, own, 2)
    key = own.message.message_id
    outbox.receive(part(key, 1, "undelivered", problem="carrier"), at=NOON)
    outbox.receive(part(key, 2), at=NOON)

    assert states(outbox) == {"M1": "undelivered"}
    sound(outbox)


def test_without_the_provider_s_number_ours_counts(outbox):
    """A text of one part is delivered by that; a second part's number shows two."""
    ready(outbox, "M1", "M2")
    for own in claim(outbox):
        answered(outbox, own, None)
        key = own.message.message_id
        number = 1 if own.message.member_id == "M1" else 2
        outbox.receive(part(key, number), at=NOON)
    assert states(outbox) == {"M1": "delivered", "M2": "accepted"}


def test_a_report_on_the_whole_needs_no_parts(outbox):
    """Providers that report once, such as Alibaba Cloud, are believed at once."""
    ready(outbox, "M1")
    (own,) = claim(outbox)
    answered(outbox, own, 3)
    key = own.message.message_id
    outbox.receive(MessageReceipt(provider="p", status="delivered", message_id=key),
                   at=NOON)  # fmt: skip
    assert states(outbox) == {"M1": "delivered"}
    sound(outbox)
