"""What members get: reserved, issued, or redeemed with points."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs

from memberops.domain.canonical import to_utc
from memberops.domain.gift import POINTS, Gift
from memberops.domain.gift_flow import FlowRules, GiftReason, a_reason, flow_key
from memberops.domain.hold import Hold
from memberops.domain.posting import Movement, Posting, PostingKind
from memberops.errors import (
    InvalidValueError,
    KeyConflictError,
    OutOfStockError,
    bounded,
)
from memberops.ledger.flow_steps import answered, given
from memberops.ledger.lots import first_expired_first_out
from memberops.ledger.points import redemption
from memberops.ledger.records import Refusal
from memberops.ledger.store import LedgerStore

__all__ = ["issue", "redeem", "reserve"]


def issue(
    ledger: LedgerStore,
    *,
    issue_id: str,
    store_id: str,
    member_id: str,
    gift_id: str,
    quantity: int,
    reason: GiftReason | str,
    effective_at: dt.datetime,
    on: dt.date,
    by: str,
    ticket_id: str | None = None,
    holds: Iterable[Hold] = (),
) -> Posting:
    """
    Make the posting of a gift that a member gets, first expired first (HQ §7).

    Args:
        ledger: The ledger.
        issue_id: The line in the register of gifts.
        store_id: The store that gives.
        member_id: Who gets it.
        gift_id: The gift.
        quantity: How many, at least 1.
        reason: `GiftReason`; for points `redeem` moves the points, too.
        effective_at: Aware instant.
        on: Its local day: expired lots stay.
        by: Who gives it.
        ticket_id: The ticket it belongs to.
        holds: What was reserved for it (`reserve`): its lots are given, all of
            them or the first that make up the quantity; holds that are not needed
            stay, and lots that expired since stay, too.

    Returns:
        The posting; asked again, the one that was posted before.

    Raises:
        InvalidValueError: An unknown reason, points, or holds of something else.
        OutOfStockError: The store has too little that has not expired, or what was
            reserved expired since.
        KeyConflictError: That line of the register says something else.
    """
    why = a_reason(reason)
    if why is GiftReason.POINTS:
        raise InvalidValueError(
            "a gift for points is redeemed: 'redeem' moves points and gift together"
        )
    place = f"store:{store_id}"
    kept = tuple(holds)
    request = Posting(
        posting_id=flow_key("issue", issue_id),
        kind=PostingKind.ISSUE,
        effective_at=effective_at,
        movements=[
            Movement(
                gift_id=gift_id,
                source=place,
                destination=f"member:{member_id}",
                quantity=quantity,
            )
        ],
        reason=why.value,
        by=by,
        refers_to=[
            ("issue", issue_id),
            *([("ticket", ticket_id)] if ticket_id is not None else []),
        ],
    )
    if not kept:
        return given(ledger, request, on=on)
    return _from_holds(ledger, request, kept, on=on)


def _from_holds(
    ledger: LedgerStore, request: Posting, kept: tuple[Hold, ...], *, on: dt.date
) -> Posting:
    """Fill a request with what was held: the first holds that make it up."""
    (wanted,) = request.movements
    first = ledger.entry(request.posting_id)
    if first is not None:
        # Holds that were not needed then are not needed now.
        record = first.record
        posted = record.wanted if isinstance(record, Refusal) else record
        used = posted.references("hold") if isinstance(posted, Posting) else ()
        needed = [each for each in kept if each.hold_id in used]
        before = answered(ledger, _holding(request, needed))
        if before is not None:
            return before
    through = {
        each.lot.lot_id: each.lot.valid_through
        for each in ledger.lots(
            wanted.gift_id, wanted.source, as_of=request.effective_at
        )
    }
    movements, left, used_up, expired = [], wanted.quantity, [], 0
    for each in kept:
        if (each.gift_id, each.place) != (wanted.gift_id, wanted.source):
            raise InvalidValueError(
                f"the hold {bounded([each.hold_id])} keeps something else"
            )
        last = through.get(each.lot_id or "")
        if last is not None and last < on:
            expired += each.quantity
            continue
        taken = min(left, each.quantity)
        left -= taken
        if taken:
            used_up.append(each)
            movements.append(
                attrs.evolve(
                    wanted, quantity=taken, lot_id=each.lot_id, valid_through=last
                )
            )
    if left and expired:
        raise OutOfStockError(
            wanted.gift_id,
            wanted.source,
            "",
            wanted.quantity,
            wanted.quantity - left,
            spent=False,
        )
    if left:
        raise InvalidValueError(
            f"{wanted.quantity - left} are reserved, not {wanted.quantity}: issue the "
            "rest apart"
        )
    return attrs.evolve(_holding(request, used_up), movements=movements)


def _holding(request: Posting, holds: Iterable[Hold]) -> Posting:
    return attrs.evolve(
        request,
        refers_to=[*request.refers_to, *(("hold", each.hold_id) for each in holds)],
    )


def redeem(
    ledger: LedgerStore,
    *,
    redemption_id: str,
    store_id: str,
    member_id: str,
    gift: Gift,
    quantity: int,
    effective_at: dt.datetime,
    on: dt.date,
    by: str,
    ticket_id: str | None = None,
) -> Posting:
    """
    Make the one posting by which a member pays a gift with points (STORE).

    Points needed, balance and stock are checked together, and both move or neither.

    Args:
        ledger: The ledger that keeps both.
        redemption_id: The redemption.
        store_id: The store that gives.
        member_id: Who pays and gets it.
        gift: What for; it has a price in points.
        quantity: How many, at least 1.
        effective_at: Aware instant.
        on: Its local day, for the expiry of points and gifts.
        by: Who gives it.
        ticket_id: The ticket it belongs to.

    Returns:
        The posting; asked again, the one that was posted before.

    Raises:
        InvalidValueError: The gift is not given for points.
        OutOfStockError: Too few points (`gift_id` is ``"points"``), or gifts.
        KeyConflictError: That redemption was something else.
    """
    if gift.points_price is None:
        raise InvalidValueError(
            f"the gift {bounded([gift.gift_id])} is not given for points: "
            "it has no 'points_price'"
        )
    if type(quantity) is not int or quantity < 1:
        raise InvalidValueError("'quantity' is a whole number from 1")
    wallet, place = f"wallet:{member_id}", f"store:{store_id}"
    ends = (
        (POINTS, wallet, "program:spent", quantity * gift.points_price),
        (gift.gift_id, place, f"member:{member_id}", quantity),
    )
    request = Posting(
        posting_id=flow_key("redemption", redemption_id),
        kind=PostingKind.REDEMPTION,
        effective_at=effective_at,
        movements=[
            Movement(gift_id=name, source=source, destination=to, quantity=count)
            for name, source, to, count in ends
        ],
        reason=GiftReason.POINTS.value,
        by=by,
        refers_to=[
            ("redemption", redemption_id),
            *([("ticket", ticket_id)] if ticket_id is not None else []),
        ],
    )
    before = answered(ledger, request)
    if before is not None:
        return before
    planned = redemption(
        ledger,
        key=request.posting_id,
        member_id=member_id,
        gift=gift,
        quantity=quantity,
        place=place,
        effective_at=effective_at,
        on=on,
    )
    return attrs.evolve(request, movements=planned.movements)


def reserve(
    ledger: LedgerStore,
    *,
    reservation_id: str,
    store_id: str,
    gift_id: str,
    quantity: int,
    held_at: dt.datetime,
    on: dt.date,
    by: str,
    rules: FlowRules | None = None,
) -> tuple[Hold, ...]:
    """
    Make the holds that keep gifts for someone until they lapse, one for each lot.

    Each hold is written by itself with `LedgerStore.hold`; if one is refused, release
    those before it.

    Args:
        ledger: The ledger.
        reservation_id: The reservation.
        store_id: Where.
        gift_id: The gift.
        quantity: How many, at least 1.
        held_at: Aware instant.
        on: Its local day: expired lots are not reserved.
        by: Who reserves.
        rules: How long it lasts.

    Raises:
        OutOfStockError: The store has too little that is free.
        KeyConflictError: That reservation was something else.
    """
    place = f"store:{store_id}"
    until = held_at + (rules or FlowRules()).hold_for
    found = _reserved(ledger, reservation_id)
    rest = quantity - sum(each.quantity for each in found)
    terms = {(each.gift_id, each.place, each.by, each.held_at) for each in found}
    if rest < 0 or not terms <= {(gift_id, place, by, to_utc(held_at))}:
        raise KeyConflictError(flow_key("hold", reservation_id), ["holds"])
    picked = first_expired_first_out(
        ledger.lots(gift_id, place, as_of=held_at),
        rest,
        gift_id=gift_id,
        source=place,
        destination="member",
        on=on,
    )
    return (
        *found,
        *(
            Hold(
                hold_id=flow_key("hold", reservation_id, number),
                gift_id=gift_id,
                place=place,
                quantity=each.quantity,
                held_at=held_at,
                until=until,
                lot_id=each.lot_id,
                by=by,
            )
            for number, each in enumerate(picked, len(found) + 1)
        ),
    )


def _reserved(ledger: LedgerStore, reservation_id: str) -> list[Hold]:
    found: list[Hold] = []
    while entry := ledger.entry(flow_key("hold", reservation_id, len(found) + 1)):
        if not isinstance(entry.record, Hold):
            break
        found.append(entry.record)
    return found
