"""What a delivery brought otherwise than it was written, and its explanation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Literal

import attrs

from memberops.domain.gift_flow import (
    FlowRules,
    GiftApplication,
    ReceivedLot,
    flow_key,
    over_receipt_account,
    transit_place,
)
from memberops.domain.posting import Movement, Posting, PostingKind
from memberops.domain.values import Language, check_language
from memberops.errors import InvalidValueError, OutOfStockError
from memberops.ledger.flow_steps import answered, given, witness_references
from memberops.ledger.store import LedgerStore

__all__ = ["ReceiptDifference", "explain_over", "explain_short"]


@attrs.frozen(kw_only=True)
class ReceiptDifference:
    """
    What a delivery brought otherwise than it was written.

    Args:
        application_id: The application.
        number: Which of its deliveries.
        gift_id: The gift.
        lot_id: The lot; ``""`` without one.
        expected: How many were on the way.
        received: How many came.

    >>> short = ReceiptDifference(application_id="A-1", number=1, gift_id="CUP",
    ...     lot_id="L1", expected=10, received=8)
    >>> short.kind, short.describe("zh")
    ('short', '申请单 A-1 第 1 次发货：CUP 批次 L1 应到 10，实收 8，短少 2')
    """

    application_id: str
    number: int
    gift_id: str
    lot_id: str
    expected: int
    received: int

    @property
    def kind(self) -> Literal["short", "over"]:
        """Whether too little or too much came."""
        return "short" if self.received < self.expected else "over"

    @property
    def quantity(self) -> int:
        """How many too few or too many."""
        return abs(self.received - self.expected)

    def describe(self, language: Language = "en") -> str:
        """Say the difference in a sentence, in English or Chinese."""
        if check_language(language) == "zh":
            lot = f" 批次 {self.lot_id}" if self.lot_id else ""
            word = "短少" if self.kind == "short" else "溢收"
            return (
                f"申请单 {self.application_id} 第 {self.number} 次发货："
                f"{self.gift_id}{lot} 应到 {self.expected}，实收 {self.received}，"
                f"{word} {self.quantity}"
            )
        lot = f" lot {self.lot_id}" if self.lot_id else ""
        word = "too few" if self.kind == "short" else "too many"
        return (
            f"application {self.application_id}, delivery {self.number}: "
            f"{self.gift_id}{lot}: {self.expected} on the way, {self.received} "
            f"received, {self.quantity} {word}"
        )


def explain_short(
    ledger: LedgerStore,
    application: GiftApplication,
    *,
    explanation_id: str,
    number: int,
    quantity: int,
    cause: Literal["lost", "returned"],
    effective_at: dt.datetime,
    by: str,
    reason: str,
    witnesses: Collection[str] = (),
    lot_id: str | None = None,
    warehouse: str = "warehouse",
    rules: FlowRules | None = None,
) -> Posting:
    """
    Make the posting that explains what did not come: lost, or back in the warehouse.

    Args:
        ledger: The ledger.
        application: The application.
        explanation_id: The paper that explains it.
        number: Which delivery.
        quantity: How many are explained.
        cause: ``"lost"`` ends in ``destroyed:lost`` and needs witnesses;
            ``"returned"`` ends in the warehouse.
        effective_at: Aware instant.
        by: Who explains it.
        reason: What happened.
        witnesses: Who saw or confirmed a loss.
        lot_id: Only this lot; None: those that expire first.
        warehouse: Where it came back to.
        rules: How many witnesses are needed.

    Raises:
        InvalidValueError: Another cause, no reason, or too few witnesses.
        OutOfStockError: So many are not on their way.
    """
    if cause not in ("lost", "returned"):
        raise InvalidValueError("'cause' is 'lost' or 'returned'")
    if not reason.strip():
        raise InvalidValueError("a difference is explained by a reason")
    name = application.application_id
    seen = []
    if cause == "lost":
        seen = witness_references(witnesses, by=by, rules=rules or FlowRules())
    request = Posting(
        posting_id=flow_key(cause, explanation_id),
        kind=PostingKind.DESTRUCTION if cause == "lost" else PostingKind.RETURN,
        effective_at=effective_at,
        movements=[
            Movement(
                gift_id=application.gift_id,
                source=transit_place(application.store_id, name, number),
                destination="destroyed:lost" if cause == "lost" else warehouse,
                quantity=quantity,
            )
        ],
        reason=reason,
        by=by,
        refers_to=[("application", name), *seen],
    )
    day = request.effective_at.date()
    return given(ledger, request, on=day, whatever_its_date=True, lot_id=lot_id)


def explain_over(
    ledger: LedgerStore,
    application: GiftApplication,
    *,
    explanation_id: str,
    number: int,
    found: ReceivedLot,
    source: str,
    effective_at: dt.datetime,
    by: str,
    reason: str,
) -> Posting:
    """
    Make the posting that explains what came too much: it says where it came from.

    Args:
        ledger: The ledger.
        application: The application.
        explanation_id: The paper that explains it.
        number: Which delivery.
        found: The lot, and how many of it are explained.
        source: Where they came from, such as ``"warehouse"`` or ``"supplier"``.
        effective_at: Aware instant.
        by: Who explains it.
        reason: What happened.

    Raises:
        InvalidValueError: No reason.
        OutOfStockError: So many are not to be explained.
    """
    if not reason.strip():
        raise InvalidValueError("a difference is explained by a reason")
    gift_id = found.gift_id or application.gift_id
    account = over_receipt_account(
        application.store_id, application.application_id, number
    )
    posting = Posting(
        posting_id=flow_key("over", explanation_id),
        kind=PostingKind.ADJUSTMENT,
        effective_at=effective_at,
        movements=[
            Movement(
                gift_id=gift_id,
                source=source,
                destination=account,
                quantity=found.quantity,
                lot_id=found.lot_id,
                valid_through=found.valid_through,
            )
        ],
        reason=reason,
        by=by,
        refers_to={"application": application.application_id},
    )
    before = answered(ledger, posting)
    if before is not None:
        return before
    owed = -ledger.balance(
        gift_id, account, lot_id=found.lot_id or "", as_of=posting.effective_at
    )
    if owed < found.quantity:
        raise OutOfStockError(
            gift_id,
            account,
            found.lot_id or "",
            found.quantity,
            max(owed, 0),
            spent=False,
        )
    return posting
