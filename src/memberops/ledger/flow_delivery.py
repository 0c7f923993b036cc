"""From the warehouse to a store: dispatch, recall and receipt."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable

import attrs

from memberops.domain.gift_flow import (
    ApplicationPurpose,
    GiftApplication,
    GiftApproval,
    ReceivedLot,
    flow_key,
    over_receipt_account,
    transit_place,
)
from memberops.domain.posting import Movement, Posting, PostingKind
from memberops.errors import InvalidValueError, OutOfStockError, bounded
from memberops.ledger.flow_differences import ReceiptDifference
from memberops.ledger.flow_steps import answered, given
from memberops.ledger.store import LedgerStore

__all__ = [
    "DeliveryReceipt",
    "dispatch",
    "recall",
    "receive",
]

_ARRIVED = ("gift_id", "lot_id", "destination")


@attrs.frozen(kw_only=True)
class DeliveryReceipt:
    """
    What a receipt comes to.

    Args:
        posting: What is to be posted; None if nothing came at all.
        differences: Every lot that came otherwise than it was written.
    """

    posting: Posting | None
    differences: tuple[ReceiptDifference, ...]


def dispatch(
    ledger: LedgerStore,
    application: GiftApplication,
    approval: GiftApproval,
    *,
    number: int,
    quantity: int,
    effective_at: dt.datetime,
    on: dt.date,
    by: str,
    warehouse: str = "warehouse",
) -> Posting:
    """
    Make the posting that sends approved gifts on their way, first expired first.

    Deliveries of an application are numbered, and each number is sent once: two
    people who send the rest at the same time cannot both succeed. An application for
    a new store's opening stock is posted as its own kind.

    Args:
        ledger: The ledger.
        application: What was asked.
        approval: What was granted.
        number: Which delivery of the application, from 1, without gaps.
        quantity: How many.
        effective_at: Aware instant, not before the approval.
        on: Its local day in the warehouse: expired lots stay.
        by: Who sends it.
        warehouse: From where.

    Returns:
        The posting; asked again, the one that was posted before.

    Raises:
        InvalidValueError: The approval does not fit, more is sent than was approved
            and not sent yet, or a delivery before it is missing.
        OutOfStockError: The warehouse has too little that has not expired.
        KeyConflictError: That delivery was sent otherwise.
    """
    approval.check(application)
    if type(number) is not int or number < 1:
        raise InvalidValueError("'number' counts the deliveries, from 1")
    name = application.application_id
    opening = application.purpose is ApplicationPurpose.OPENING
    request = Posting(
        posting_id=flow_key("dispatch", name, number),
        kind=PostingKind.OPENING if opening else PostingKind.DISPATCH,
        effective_at=effective_at,
        movements=[
            Movement(
                gift_id=application.gift_id,
                source=warehouse,
                destination=transit_place(application.store_id, name, number),
                quantity=quantity,
            )
        ],
        by=by,
        refers_to={"application": name},
    )
    if request.effective_at < approval.approved_at:
        raise InvalidValueError("nothing is dispatched before it is approved")
    sent = sum(_sent(ledger, name, each) for each in range(1, number))
    if sent + quantity > approval.approved:
        raise InvalidValueError(
            f"of the {approval.approved} approved for {bounded([name])}, {sent} were "
            f"sent: {approval.approved - sent} are left, not {quantity}"
        )
    return given(ledger, request, on=on)


def _sent(ledger: LedgerStore, name: str, number: int) -> int:
    entry = ledger.entry(flow_key("dispatch", name, number))
    if entry is None:
        raise InvalidValueError(
            f"delivery {number} of {bounded([name])} was not sent: deliveries are "
            "numbered from 1 without gaps"
        )
    gone = ledger.reversed_by(entry.key) is not None
    if not isinstance(entry.record, Posting) or gone:
        return 0
    return sum(each.quantity for each in entry.record.movements)


def recall(
    ledger: LedgerStore,
    application: GiftApplication,
    *,
    number: int,
    effective_at: dt.datetime,
    by: str,
    reason: str,
) -> Posting:
    """
    Make the posting that takes a whole delivery back, before any of it arrived.

    What was recalled may be sent again, under the next number; so may what was taken
    back by `LedgerStore.reverse`.

    Args:
        ledger: The ledger.
        application: The application.
        number: Which delivery.
        effective_at: Aware instant.
        by: Who recalls it.
        reason: Why.

    Raises:
        InvalidValueError: There is no such delivery.
        OutOfStockError: Some of it arrived; the key is free.
    """
    key = flow_key("dispatch", application.application_id, number)
    entry = ledger.entry(key)
    if entry is None or not isinstance(entry.record, Posting):
        raise InvalidValueError(f"no delivery was sent as {bounded([key])}")
    posting = entry.record.reversal(
        flow_key("recall", application.application_id, number),
        effective_at=effective_at,
        by=by,
        reason=reason,
    )
    if ledger.entry(posting.posting_id) is None and not ledger.reversed_by(key):
        for each in posting.movements:
            stock = ledger.lots(each.gift_id, each.source, as_of=effective_at)
            there = [lot for lot in stock if lot.lot.lot_id == (each.lot_id or "")]
            left = sum(max(lot.available, 0) for lot in there)
            if left < each.quantity:
                raise OutOfStockError(
                    each.gift_id,
                    each.source,
                    each.lot_id or "",
                    each.quantity,
                    left,
                    spent=False,
                )
    return posting


def receive(
    ledger: LedgerStore,
    application: GiftApplication,
    received: Iterable[ReceivedLot],
    *,
    number: int,
    effective_at: dt.datetime,
    by: str,
    part: int = 1,
) -> DeliveryReceipt:
    """
    Make the posting of what a store confirms, and name what does not agree.

    What did not come stays on its way until it is explained or comes later, as the
    next *part*. What came beyond what was written is in the store, and the account
    ``adjustment:over_receipt:...`` owes it until it is explained.

    Args:
        ledger: The ledger.
        application: The application.
        received: What was counted, lot by lot; an empty list says that nothing came.
        number: Which delivery of the application.
        effective_at: Aware instant.
        by: Who confirms.
        part: Which receipt of that delivery, from 1.

    Raises:
        InvalidValueError: There is no such delivery, or a lot is listed twice.
        KeyConflictError: That receipt was confirmed otherwise.
    """
    name, store = application.application_id, application.store_id
    sent = ledger.entry(flow_key("dispatch", name, number))
    if sent is None or not isinstance(sent.record, Posting):
        raise InvalidValueError(f"delivery {number} of {bounded([name])} was not sent")
    lots = tuple(received)
    cells = [(each.gift_id or application.gift_id, each.lot_id) for each in lots]
    twice = [cell for cell, times in Counter(cells).items() if times > 1]
    if twice:
        raise InvalidValueError(f"a receipt lists {bounded(twice)} more than once")
    transit = transit_place(store, name, number)
    stock = ledger.lots(application.gift_id, transit, as_of=effective_at)
    on_way = _counted(
        application, ((each.lot.lot_id, each.available) for each in stock)
    )
    over = over_receipt_account(store, name, number)
    came = {cell: each for cell, each in zip(cells, lots, strict=True) if each.quantity}
    known = {
        (each.gift_id, each.lot_id): each.valid_through
        for each in sent.record.movements
    }
    movements: list[Movement] = []
    for cell, each in came.items():
        through = known[cell] if cell in known else _last_day(ledger, cell[0], each)
        arrived = min(each.quantity, on_way[cell])
        for source, count in ((transit, arrived), (over, each.quantity - arrived)):
            if count:
                movements.append(
                    Movement(
                        gift_id=cell[0],
                        source=source,
                        destination=application.place,
                        quantity=count,
                        lot_id=cell[1],
                        valid_through=through,
                    )
                )
    counted = {cell: each.quantity for cell, each in came.items()}
    differences = _differences(application, number, on_way, counted)
    if not movements:
        return DeliveryReceipt(posting=None, differences=differences)
    posting = Posting(
        posting_id=flow_key("arrival", name, number, part),
        kind=PostingKind.ARRIVAL,
        effective_at=effective_at,
        movements=movements,
        by=by,
        refers_to={"application": name},
    )
    before = answered(ledger, posting, same=_ARRIVED)
    if before is None:
        return DeliveryReceipt(posting=posting, differences=differences)
    # Asked again: what was on the way then is what came, and what stayed.
    then = _counted(application, ((each.lot.lot_id, each.quantity) for each in stock))
    for move in before.movements:
        if move.source == transit:
            then[move.gift_id, move.lot_id] += move.quantity
    return DeliveryReceipt(
        posting=before, differences=_differences(application, number, then, counted)
    )


def _last_day(ledger: LedgerStore, gift_id: str, came: ReceivedLot) -> dt.date | None:
    """Return the expiry of a lot that was not sent: as counted, or of the ledger."""
    if came.valid_through is not None or came.lot_id is None:
        return came.valid_through
    moved = ledger.movements(gifts=[gift_id])
    days = moved.loc[moved["lot_id"] == came.lot_id, "valid_through"].dropna()
    return None if days.empty else days.iloc[0].date()


def _counted(
    application: GiftApplication, stock: Iterable[tuple[str, int]]
) -> Counter[tuple[str, str | None]]:
    return Counter(
        {(application.gift_id, lot or None): count for lot, count in stock if count > 0}
    )


def _differences(
    application: GiftApplication,
    number: int,
    on_way: Counter[tuple[str, str | None]],
    came: dict[tuple[str, str | None], int],
) -> tuple[ReceiptDifference, ...]:
    return tuple(
        ReceiptDifference(
            application_id=application.application_id,
            number=number,
            gift_id=cell[0],
            lot_id=cell[1] or "",
            expected=on_way[cell],
            received=came.get(cell, 0),
        )
        for cell in sorted({*on_way, *came}, key=lambda each: (each[0], each[1] or ""))
        if on_way[cell] != came.get(cell, 0)
    )
