"""
Points, kept as lots in the same ledger as goods (STORE, HQ §7).

An award is a lot of its own, with its expiry; what expires first is spent first; a
return takes back what the ticket earned; and a redemption is one posting that moves the
points and the gift, or neither.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs

from memberops.domain.gift import POINTS, Gift
from memberops.domain.posting import Movement, Posting, PostingKind
from memberops.errors import InvalidValueError, bounded
from memberops.ledger.facts import ISSUE_KEY
from memberops.ledger.flow_steps import answered
from memberops.ledger.lots import first_expired_first_out
from memberops.ledger.records import Refusal
from memberops.ledger.store import LedgerStore

__all__ = [
    "TakenBack",
    "award",
    "expire_points",
    "points_balance",
    "redemption",
    "take_back",
]

_SPENT, _EARNED, _LAPSED = "program:spent", "program:earned", "program:expired"
_ASKED = "points_asked"  # kind of the reference that says how many were to come back


def award(
    *,
    key: str,
    member_id: str,
    points: int,
    valid_through: dt.date | None,
    effective_at: dt.datetime,
    ticket_id: str,
    by: str | None = None,
) -> Posting:
    """
    Make the posting that awards the points of a ticket.

    Args:
        key: Key of the posting, and id of the lot.
        member_id: Who earned them.
        points: How many, at least 1: a gift line earns nothing, so leave it out.
        valid_through: Last day on which they can be spent; None: they keep.
        effective_at: Aware instant.
        ticket_id: The ticket that earned them.
        by: Who awards them.

    >>> award(key="A1", member_id="M1", points=30, ticket_id="T1",
    ...       valid_through=dt.date(2027, 12, 31),
    ...       effective_at=dt.datetime(2026, 10, 1, tzinfo=dt.UTC)).movements[0].source
    'program:earned'
    """
    return Posting(
        posting_id=key,
        kind=PostingKind.AWARD,
        effective_at=effective_at,
        movements=[
            Movement(
                gift_id=POINTS,
                source=_EARNED,
                destination=f"wallet:{member_id}",
                quantity=points,
                lot_id=key,
                valid_through=valid_through,
            )
        ],
        by=by,
        refers_to={"ticket": ticket_id},
    )


def points_balance(
    ledger: LedgerStore, member_id: str, *, as_of: dt.datetime, on: dt.date
) -> int:
    """
    Return the points that a member can spend (STORE, enquiry at any date).

    Args:
        ledger: The ledger.
        member_id: Whose.
        as_of: Aware instant.
        on: The local day of that instant: points past their last day do not count.
    """
    lots = ledger.lots(POINTS, f"wallet:{member_id}", as_of=as_of)
    return sum(
        max(min(each.quantity, each.available), 0)
        for each in lots
        if not each.lot.expired(on)
    )


def redemption(
    ledger: LedgerStore,
    *,
    key: str,
    member_id: str,
    gift: Gift,
    quantity: int,
    place: str,
    effective_at: dt.datetime,
    on: dt.date,
    by: str | None = None,
    refers_to: Iterable[tuple[str, str]] = (),
) -> Posting:
    """
    Make the one posting that redeems points for a gift: both move, or neither.

    The lots are picked from what the ledger says now; `LedgerStore.post` checks points
    and stock again, in its transaction. After a time-out post the same posting again;
    do not plan anew under the same key.

    Args:
        ledger: Where points and gifts are kept.
        key: Key of the posting.
        member_id: Who redeems.
        gift: What for; it has a price in points.
        quantity: How many gifts, at least 1.
        place: Where the gifts are taken from.
        effective_at: Aware instant.
        on: Its local day, for the expiry of points and gifts.
        by: Who gives the gift.
        refers_to: The ticket and what else it rests on.

    Raises:
        InvalidValueError: The gift is not given for points, or the quantity is none.
        OutOfStockError: Too few points (`gift_id` is ``"points"``), or gifts.
    """
    if gift.points_price is None:
        raise InvalidValueError(
            f"the gift {bounded([gift.gift_id])} is not given for points: "
            "it has no 'points_price'"
        )
    if type(quantity) is not int or quantity < 1:
        raise InvalidValueError("'quantity' is a whole number from 1")
    wallet = f"wallet:{member_id}"
    paid = first_expired_first_out(
        ledger.lots(POINTS, wallet, as_of=effective_at),
        quantity * gift.points_price,
        gift_id=POINTS,
        source=wallet,
        destination=_SPENT,
        on=on,
    )
    given = first_expired_first_out(
        ledger.lots(gift.gift_id, place, as_of=effective_at),
        quantity,
        gift_id=gift.gift_id,
        source=place,
        destination=f"member:{member_id}",
        on=on,
    )
    return Posting(
        posting_id=key,
        kind=PostingKind.REDEMPTION,
        effective_at=effective_at,
        movements=(*paid, *given),
        by=by,
        refers_to=refers_to,
    )


@attrs.frozen(kw_only=True)
class TakenBack:
    """
    What a return takes back.

    Args:
        posting: The posting; None if nothing is left to take.
        missing: Points that were earned by what came back, but are spent or gone.
    """

    posting: Posting | None
    missing: int


def take_back(
    ledger: LedgerStore,
    *,
    key: str,
    award_key: str,
    points: int,
    effective_at: dt.datetime,
    on: dt.date,
    by: str | None = None,
    refers_to: Iterable[tuple[str, str]] = (),
) -> TakenBack:
    """
    Make the posting by which a return takes back what its purchase earned (STORE).

    Points are taken from the lot of the award first, then from the member's other
    lots, those first that expire first; what is spent already is told, not hidden.
    Points of another lot that have expired are worth nothing and are not taken.
    Where a purchase comes back in parts, all of them together ask for no more than it
    earned, and the ledger takes no more; a return of which nothing could be taken is
    no entry, and the caller remembers it.

    Args:
        ledger: The ledger.
        key: Key of the posting; asked again, it gives what was posted before.
        award_key: Key of the award of the purchase.
        points: How many the returned goods had earned, at least 1.
        effective_at: Aware instant.
        on: Its local day, for the expiry of points.
        by: Who takes them back.
        refers_to: The ticket of the return, and what else it rests on.

    Raises:
        InvalidValueError: There is no such award, it was reversed, it was for fewer
            points, fewer are left of them, or the number is none.
        KeyConflictError, ReversalError: That return was something else, or was
            reversed since.
    """
    entry = ledger.entry(award_key)
    record = None if entry is None else entry.record
    if not isinstance(record, Posting) or record.kind is not PostingKind.AWARD:
        raise InvalidValueError(f"{bounded([award_key])} is no award of the ledger")
    earned = record.movements[0]
    if type(points) is not int or not 1 <= points <= earned.quantity:
        raise InvalidValueError(
            f"'points' is a whole number from 1 to the {earned.quantity} that "
            f"{bounded([award_key])} awarded"
        )
    request = Posting(
        posting_id=key,
        kind=PostingKind.RETURN,
        effective_at=effective_at,
        movements=[attrs.evolve(earned.turned(), quantity=points)],
        by=by,
        refers_to=[
            *refers_to,
            ("award", award_key),
            (ISSUE_KEY, award_key),
            (_ASKED, str(points)),
        ],
    )
    before = _taken_before(ledger, request)
    if before is not None:
        return TakenBack(posting=before, missing=points - _quantity(before))
    if ledger.reversed_by(award_key) is not None:
        raise InvalidValueError(f"{bounded([award_key])} was reversed: nothing is left")
    asked = sum(
        int(number)
        for each in ledger.returns(award_key)
        for number in each.references(_ASKED)
    )
    if points > earned.quantity - asked:
        raise InvalidValueError(
            f"of the {earned.quantity} points that {bounded([award_key])} awarded, "
            f"{earned.quantity - asked} can be taken back, not {points}"
        )
    lots = sorted(
        ledger.lots(POINTS, earned.destination, as_of=effective_at),
        key=lambda each: (
            each.lot.lot_id != earned.lot_id,
            each.lot.valid_through or dt.date.max,
            each.lot.lot_id,
        ),
    )
    movements, missing = [], points
    for each in lots:
        if each.lot.expired(on) and each.lot.lot_id != earned.lot_id:
            continue
        taken = min(missing, max(each.available, 0))
        if taken:
            movements.append(
                Movement(
                    gift_id=POINTS,
                    source=earned.destination,
                    destination=_EARNED,
                    quantity=taken,
                    lot_id=each.lot.lot_id,
                    valid_through=each.lot.valid_through,
                )
            )
            missing -= taken
    if not movements:
        return TakenBack(posting=None, missing=missing)
    posting = attrs.evolve(request, movements=movements)
    return TakenBack(posting=posting, missing=missing)


def _taken_before(ledger: LedgerStore, request: Posting) -> Posting | None:
    """Return what a request to take points back became, whichever lots it took."""
    entry = ledger.entry(request.posting_id)
    if entry is None:
        return None
    first = entry.record.wanted if isinstance(entry.record, Refusal) else entry.record
    if isinstance(first, Posting):  # how many could be taken is no part of the request
        request = attrs.evolve(request, movements=first.movements)
    return answered(ledger, request)


def _quantity(posting: Posting) -> int:
    return sum(each.quantity for each in posting.movements)


def expire_points(
    ledger: LedgerStore,
    *,
    key: str,
    member_id: str,
    effective_at: dt.datetime,
    on: dt.date,
) -> Posting | None:
    """
    Make the posting that takes a member's expired points off; None if there are none.

    Expired points cannot be spent before it either: it only tidies the balance.

    Args:
        ledger: The ledger.
        key: Key of the posting.
        member_id: Whose points.
        effective_at: Aware instant.
        on: Its local day.
    """
    wallet = f"wallet:{member_id}"
    lots = ledger.lots(POINTS, wallet, as_of=effective_at)
    gone = sum(max(each.available, 0) for each in lots if each.lot.expired(on))
    if not gone:
        return None
    return Posting(
        posting_id=key,
        kind=PostingKind.EXPIRY,
        effective_at=effective_at,
        movements=first_expired_first_out(
            lots,
            gone,
            gift_id=POINTS,
            source=wallet,
            destination=_LAPSED,
            on=on,
            expired=True,
        ),
    )
