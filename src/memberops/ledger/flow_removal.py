"""What comes back from members, is set aside, or is destroyed."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable

import attrs

from memberops.domain.gift import POINTS, Place, PlaceKind, lies_within
from memberops.domain.gift_flow import FlowRules, flow_key
from memberops.domain.posting import Movement, Posting, PostingKind
from memberops.errors import InvalidValueError, bounded
from memberops.ledger.facts import ISSUE_KEY, Cell, IssueFacts
from memberops.ledger.flow_steps import answered, given, witness_references
from memberops.ledger.store import LedgerStore

__all__ = ["destroy", "set_aside", "take_gift_back"]


def take_gift_back(
    ledger: LedgerStore,
    *,
    return_id: str,
    issue_key: str,
    quantity: int,
    effective_at: dt.datetime,
    by: str,
    reason: str = "",
) -> Posting:
    """
    Make the posting by which a member brings back what was issued, into its lots.

    What was paid with points (`redeem`) gives them back in the same posting, for each
    gift its share, into the lots they were taken from; those that expired since come
    back expired. Shares are of all that came back so far, so that the last brings what
    rounding left.

    Args:
        ledger: The ledger.
        return_id: The return.
        issue_key: Key of the posting that gave the gift (`issue`, `redeem`).
        quantity: How many come back, at least 1. A gift may come back in parts; all
            returns of one posting together bring no more than it gave.
        effective_at: Aware instant, not before the gift was given.
        by: Who takes it back.
        reason: Why.

    Raises:
        InvalidValueError: No gift was given under that key, it was reversed, fewer
            are left of it, or the member has fewer of these lots.
        KeyConflictError: That return was something else.
    """
    entry = ledger.entry(issue_key)
    record = None if entry is None else entry.record
    given_then = [
        each
        for each in (record.movements if isinstance(record, Posting) else ())
        if lies_within(each.destination, "member") and each.gift_id != POINTS
    ]
    if not isinstance(record, Posting) or not given_then:
        raise InvalidValueError(f"no gift was given under {bounded([issue_key])}")
    first = given_then[0]
    paid = [each for each in record.movements if each.gift_id == POINTS]
    count = sum(each.quantity for each in given_then)
    # How many points come with them follows from the returns before it.
    asked = attrs.evolve(
        first.turned(), quantity=quantity, lot_id=None, valid_through=None
    )
    request = Posting(
        posting_id=flow_key("return", return_id),
        kind=PostingKind.RETURN,
        effective_at=effective_at,
        movements=[asked],
        reason=reason,
        by=by,
        refers_to={ISSUE_KEY: issue_key},
    )
    before = answered(ledger, request, points=False)
    if before is not None:
        return before
    if request.effective_at < record.effective_at:
        raise InvalidValueError("nothing comes back before it was given")
    if ledger.reversed_by(issue_key) is not None:
        raise InvalidValueError(
            f"{bounded([issue_key])} was reversed: nothing of it can come back"
        )
    returns = ledger.returns(issue_key)
    rest = IssueFacts(posting=record, returns=returns).left()
    came = count - sum(rest.values())
    left, movements = quantity, []
    for each in given_then:
        cell = Cell(each.gift_id, each.destination, each.lot_id or "")
        has = ledger.balance(each.gift_id, each.destination, lot_id=cell.lot_id)
        back = max(min(left, each.quantity, rest[cell], has), 0)
        left -= back
        rest[cell] -= back
        if back:
            movements.append(attrs.evolve(each.turned(), quantity=back))
    if left:
        raise InvalidValueError(
            f"of what was given under {bounded([issue_key])}, {quantity - left} can "
            f"come back, not {quantity}"
        )
    total = sum(each.quantity for each in paid)
    points = total * (came + quantity) // count - total * came // count
    refunds = _refunded(paid, returns, points)
    return attrs.evolve(request, movements=[*movements, *refunds])


def _refunded(
    paid: Iterable[Movement], returns: Iterable[Posting], points: int
) -> list[Movement]:
    """Give points back into the lots that paid, what was taken last first."""
    back = Counter(
        {
            lot: sum(
                each.quantity
                for posting in returns
                for each in posting.movements
                if (each.gift_id, each.lot_id) == (POINTS, lot)
            )
            for lot in {each.lot_id for each in paid}
        }
    )
    movements = []
    for each in reversed(list(paid)):
        gone = min(back[each.lot_id], each.quantity)
        back[each.lot_id] -= gone
        part = min(each.quantity - gone, points)
        points -= part
        if part:
            movements.append(attrs.evolve(each.turned(), quantity=part))
    return movements


def set_aside(
    ledger: LedgerStore,
    *,
    paper_id: str,
    gift_id: str,
    place: str,
    quantity: int,
    effective_at: dt.datetime,
    by: str,
    reason: str,
    lot_id: str | None = None,
) -> Posting:
    """
    Make the posting that sets damaged gifts aside: still there, never given.

    They lie in the part ``damaged`` of their place until they are destroyed or sent
    back.

    Args:
        ledger: The ledger.
        paper_id: The paper of the damage.
        gift_id: The gift.
        place: Where, such as ``"store:S01"``.
        quantity: How many.
        effective_at: Aware instant.
        by: Who reports it.
        reason: What happened.
        lot_id: Which lot; None: those that expire first.

    Raises:
        OutOfStockError: So many are not there.
    """
    request = Posting(
        posting_id=flow_key("damage", paper_id),
        kind=PostingKind.DAMAGE,
        effective_at=effective_at,
        movements=[
            Movement(
                gift_id=gift_id,
                source=place,
                destination=f"{place}:damaged",
                quantity=quantity,
            )
        ],
        reason=reason,
        by=by,
    )
    return given(ledger, request, on=dt.date.min, whatever_its_date=True, lot_id=lot_id)


def destroy(
    ledger: LedgerStore,
    *,
    paper_id: str,
    gift_id: str,
    place: str,
    quantity: int,
    effective_at: dt.datetime,
    by: str,
    reason: str,
    witnesses: Collection[str],
    lot_id: str | None = None,
    rules: FlowRules | None = None,
) -> Posting:
    """
    Make the posting of a destruction before witnesses (HQ §7: two).

    Args:
        ledger: The ledger.
        paper_id: The paper of the destruction.
        gift_id: The gift.
        place: Where it lies, such as ``"store:S01:damaged"``.
        quantity: How many.
        effective_at: Aware instant.
        by: Who destroys it.
        reason: Why.
        witnesses: Who sees it: different people, and not who does it.
        lot_id: Which lot; None: those that expire first, and expired ones before.
        rules: How many witnesses are needed.

    Raises:
        InvalidValueError: No reason, too few witnesses, or a place that is not the
            chain's own, such as a member.
        OutOfStockError: So many are not there.
    """
    if not reason.strip():
        raise InvalidValueError("a destruction has a reason")
    if Place(place).kind not in {PlaceKind.STORE, PlaceKind.WAREHOUSE}:
        raise InvalidValueError(
            "gifts are destroyed in a store or the warehouse, not at "
            f"{bounded([place])}"
        )
    seen = witness_references(witnesses, by=by, rules=rules or FlowRules())
    request = Posting(
        posting_id=flow_key("destruction", paper_id),
        kind=PostingKind.DESTRUCTION,
        effective_at=effective_at,
        movements=[
            Movement(
                gift_id=gift_id,
                source=place,
                destination="destroyed",
                quantity=quantity,
            )
        ],
        reason=reason,
        by=by,
        refers_to=seen,
    )
    return given(ledger, request, on=dt.date.min, whatever_its_date=True, lot_id=lot_id)
