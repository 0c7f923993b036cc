"""
What reports on the parts of a long text say of the message: pure.

The reports of Alibaba Cloud, Tencent Cloud, Twilio and AWS name no part: they are of
the whole message. Other gateways report on each part, and then one part that arrived
is not a message that did.
"""

from __future__ import annotations

from collections.abc import Collection

from memberops.domain.message import ReceiptStatus

__all__ = ["report_of_part"]


def report_of_part(
    status: ReceiptStatus,
    *,
    part: int | None,
    parts: int | None,
    delivered: Collection[int],
) -> ReceiptStatus:
    """
    Return what a report says of the whole message.

    A report that names no part is of the whole. One part that was not delivered is
    enough for the whole; it is delivered when as many different parts are as it has,
    in whatever order they are told. Until then it is accepted.

    Args:
        status: What is reported.
        part: Number of the part, from 0 or from 1; None for the whole.
        parts: How many the message has; None if nobody knows.
        delivered: Parts that were reported as delivered before.

    >>> delivered = ReceiptStatus.DELIVERED
    >>> report_of_part(delivered, part=1, parts=2, delivered=()).value
    'accepted'
    >>> report_of_part(delivered, part=2, parts=2, delivered={1}).value
    'delivered'
    >>> report_of_part(delivered, part=None, parts=2, delivered=()).value
    'delivered'
    """
    if part is None or status is not ReceiptStatus.DELIVERED:
        return status
    arrived = {*delivered, part}
    # a part's number tells that there are as many at least
    if len(arrived) >= max(parts or 1, *arrived):
        return status
    return ReceiptStatus.ACCEPTED
