"""From the warehouse to a store: what is sent, and what the store confirms (HQ §7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from memberops.domain import Finding, Posting, ReceivedLot, Severity
from memberops.errors import InvalidValueError, KeyConflictError, bounded, nearest
from memberops.ledger import LedgerStore
from memberops.ledger.flow_delivery import dispatch, recall, receive
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.gift_papers import papers_of
from memberops.workflows.gift_writing import Said, write_one

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["dispatch_gifts", "recall_gifts", "receive_gifts"]


def dispatch_gifts(
    chain: Chain,
    application_id: str,
    *,
    quantity: int,
    by: str,
    effective_at: dt.datetime,
    number: int = 1,
    applications: str | Path | None = None,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Send approved gifts on their way, first expired first out.

    Args:
        chain: The chain; a method of it.
        application_id: The application, which was approved.
        quantity: How many.
        by: Who sends it.
        effective_at: Aware instant, not before the approval.
        number: Which delivery of the application, from 1, without gaps.
        applications: CSV file of applications; by default the chain's source.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``gift_postings``, of one row.

    Raises:
        InvalidValueError: No such application, it is not approved, or more is sent
            than was approved and not sent yet.
        OutOfStockError: The warehouse has too little that has not expired.
        KeyConflictError: That delivery was sent otherwise.
    """
    papers = papers_of(chain, application_id, file=applications, tables=tables)
    approval = papers.approval
    if approval is None:
        raise InvalidValueError(
            f"the application {bounded([application_id])} is not approved yet"
        )
    return write_one(
        chain,
        effective_at,
        lambda ledger: dispatch(
            ledger,
            papers.application,
            approval,
            number=number,
            quantity=quantity,
            effective_at=effective_at,
            on=effective_at.astimezone(chain.zone).date(),
            by=by,
        ),
        tables,
        progress,
    )


def recall_gifts(
    chain: Chain,
    application_id: str,
    *,
    by: str,
    reason: str,
    effective_at: dt.datetime,
    number: int = 1,
    applications: str | Path | None = None,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Take a whole delivery back, before any of it arrived.

    What was recalled may be sent again, under the next number.

    Args:
        chain: The chain; a method of it.
        application_id: The application.
        by: Who recalls it.
        reason: Why.
        effective_at: Aware instant, not before it was sent.
        number: Which delivery of the application.
        applications: CSV file of applications; by default the chain's source.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``gift_postings``, of one row.

    Raises:
        InvalidValueError: There is no such delivery.
        OutOfStockError: Some of it arrived: nothing is written.
        ReversalError: It was taken back before, under another key.
    """
    papers = papers_of(chain, application_id, file=applications, tables=tables)
    return write_one(
        chain,
        effective_at,
        lambda ledger: recall(
            ledger,
            papers.application,
            number=number,
            effective_at=effective_at,
            by=by,
            reason=reason,
        ),
        tables,
        progress,
    )


def receive_gifts(
    chain: Chain,
    application_id: str,
    received: Iterable[ReceivedLot],
    *,
    by: str,
    effective_at: dt.datetime,
    number: int = 1,
    part: int = 1,
    new_lots: bool = False,
    applications: str | Path | None = None,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Confirm what a store counted of a delivery, and name what does not agree.

    Args:
        chain: The chain; a method of it.
        application_id: The application.
        received: What was counted, lot by lot; an empty list says that nothing came.
        by: Who confirms.
        effective_at: Aware instant.
        number: Which delivery of the application.
        part: Which receipt of that delivery, from 1.
        new_lots: Take a lot that the ledger has never seen without its last day.
        applications: CSV file of applications; by default the chain's source.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``gift_postings``, and a line and a finding for each
        lot of which too few or too many came.

    Raises:
        InvalidValueError: There is no such delivery, a lot is listed twice, or the
            ledger has never seen it and its last day is not told.
        KeyConflictError: That receipt was confirmed otherwise.
    """
    papers = papers_of(chain, application_id, file=applications, tables=tables)
    lots, said = tuple(received), Said()

    def made(ledger: LedgerStore) -> Posting | None:
        if not new_lots:
            _check_lots(ledger, papers.application.gift_id, lots)
        try:
            receipt = receive(
                ledger,
                papers.application,
                lots,
                number=number,
                effective_at=effective_at,
                by=by,
                part=part,
            )
        except KeyConflictError as error:
            error.add_note(
                f"receipt {part} of delivery {number} was confirmed otherwise; what "
                f"came later is its next part (--part {part + 1}), and a mistaken "
                "receipt is taken back by 'gifts reverse'"
            )
            raise
        for each in receipt.differences:
            line = (each.describe("en"), each.describe("zh"))
            finding = Finding(
                table="gift_movements",
                rule=f"delivery-{each.kind}",
                severity=Severity.WARNING,
                message_en=line[0],
                message_zh=line[1],
            )
            said.append((line, finding))
        return receipt.posting

    return write_one(chain, effective_at, made, tables, progress, said=said)


def _check_lots(
    ledger: LedgerStore, gift_id: str, received: Iterable[ReceivedLot]
) -> None:
    """Refuse a lot that may be a slip of the pen: it would never expire."""
    for each in received:
        if each.lot_id is None or each.valid_through is not None or not each.quantity:
            continue
        gift = each.gift_id or gift_id
        known = set(ledger.movements(gifts=[gift])["lot_id"]) - {""}
        if each.lot_id not in known:
            raise InvalidValueError(
                f"the ledger has never seen the lot {bounded([each.lot_id])} of "
                f"{bounded([gift])}; {nearest(each.lot_id, known)} A lot that is new "
                "and has no last day is taken with --new-lots (new_lots=True)"
            )
