"""The steps of the gift flow at the chain: one posting each, asked for again safely."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from memberops.domain import Finding, Posting, Severity
from memberops.errors import InvalidValueError, UnknownPostingError, bounded
from memberops.ledger import LedgerStore
from memberops.ledger.flow_issue import issue, redeem
from memberops.ledger.flow_removal import destroy, take_gift_back
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.gift_catalogue import GIFT_TABLES
from memberops.workflows.gift_writing import Said, write_one

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = [
    "destroy_gifts",
    "issue_gift",
    "post_gifts",
    "redeem_gift",
    "return_gift",
    "reverse_gifts",
]


def post_gifts(
    chain: Chain,
    posting: Posting,
    *,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Write one posting into the chain's ledger.

    What is marked late enters behind counts that are in force; they knew of it, so
    they stand, and their adjustments are corrected (`memberops.ledger.post_late`).

    Args:
        chain: The chain; a method of it.
        posting: What moved; the same key with the same contents counts once.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``gift_postings``, of one row.

    Raises:
        LedgerError, LookupError: What the ledger refuses; see
            `memberops.ledger.decide`.
        InvalidValueError: The chain has no ledger.
    """
    return write_one(
        chain, posting.effective_at, lambda _: posting, tables, progress, as_given=True
    )


def reverse_gifts(
    chain: Chain,
    posting_id: str,
    *,
    key: str,
    effective_at: dt.datetime,
    by: str | None = None,
    reason: str = "",
    late: bool = False,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Take a posting back by a counter-entry that names it.

    Args:
        chain: The chain; a method of it.
        posting_id: Key of the mistake.
        key: Key of the reversal.
        effective_at: Aware instant, not before the mistake's own.
        by: Who takes it back.
        reason: Why.
        late: Whether it may enter a closed period, knowingly.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``gift_postings``, of one row.

    Raises:
        UnknownPostingError: The ledger has no such posting.
        ReversalError: It was taken back before, or is a reversal.
    """

    def made(ledger: LedgerStore) -> Posting:
        entry = ledger.entry(posting_id)
        if entry is None or not isinstance(entry.record, Posting):
            raise UnknownPostingError(
                f"the ledger holds no posting {bounded([posting_id])} to reverse"
            )
        return entry.record.reversal(
            key, effective_at=effective_at, by=by, reason=reason, late=late
        )

    return write_one(chain, effective_at, made, tables, progress, as_given=True)


def issue_gift(
    chain: Chain,
    *,
    effective_at: dt.datetime,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
    **terms: Any,
) -> Answer:
    """
    Give a member a gift out of a store's lots, first expired first out.

    Args:
        chain: The chain; a method of it.
        effective_at: Aware instant.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.
        **terms: Of `memberops.ledger.issue`: ``issue_id``, ``store_id``,
            ``member_id``, ``gift_id``, ``quantity``, ``reason``, ``by`` and, if
            known, ``ticket_id``.

    Returns:
        An `Answer` with the form ``gift_postings``, of one row; a member who is not
        in the chain's table of members is a finding, or an error, as
        ``[policies.gift_flow]`` says.

    Raises:
        InvalidValueError: The member is not on file, and the chain refuses that.
        OutOfStockError: The store has too little that has not expired.
        KeyConflictError: That line of the register says something else.
    """
    tables = _read_members(chain, tables, progress)
    said = _on_file(chain, tables, terms["member_id"], terms["issue_id"])
    return write_one(
        chain,
        effective_at,
        lambda ledger: issue(
            ledger,
            effective_at=effective_at,
            on=effective_at.astimezone(chain.zone).date(),
            **terms,
        ),
        tables,
        progress,
        said=said,
    )


def redeem_gift(
    chain: Chain,
    *,
    gift_id: str,
    effective_at: dt.datetime,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
    **terms: Any,
) -> Answer:
    """
    Give a member a gift for points: both move in one posting, or neither (STORE).

    Args:
        chain: The chain; a method of it.
        gift_id: The gift; its price in points is that of the table of gifts.
        effective_at: Aware instant.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.
        **terms: Of `memberops.ledger.redeem`: ``redemption_id``, ``store_id``,
            ``member_id``, ``quantity``, ``by`` and, if known, ``ticket_id``.

    Returns:
        See `issue_gift`.

    Raises:
        InvalidValueError: The gift is not given for points, or see `issue_gift`.
        UnknownGiftError: No such gift.
        OutOfStockError: Too few points, or gifts.
        KeyConflictError: That redemption was something else.
    """
    tables = _read_members(chain, tables, progress)
    said = _on_file(chain, tables, terms["member_id"], terms["redemption_id"])

    def made(ledger: LedgerStore) -> Posting:
        ledger.rules.check_gift(gift_id, "any")
        gift = ledger.rules.gift(gift_id)
        if gift is None:
            raise InvalidValueError(
                "points are redeemed for gifts of the table of gifts, which has their "
                "'points_price': add [sources.gifts]"
            )
        return redeem(
            ledger,
            gift=gift,
            effective_at=effective_at,
            on=effective_at.astimezone(chain.zone).date(),
            **terms,
        )

    return write_one(chain, effective_at, made, tables, progress, said=said)


def return_gift(
    chain: Chain,
    *,
    effective_at: dt.datetime,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
    **terms: Any,
) -> Answer:
    """
    Take a gift back from a member, into the lots that it came from.

    Args:
        chain: The chain; a method of it.
        effective_at: Aware instant, not before the gift was given.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.
        **terms: Of `memberops.ledger.take_gift_back`: ``return_id``, ``issue_key``,
            ``quantity``, ``by`` and ``reason``.

    Returns:
        An `Answer` with the form ``gift_postings``, of one row.

    Raises:
        InvalidValueError: No gift was given under that key, or fewer were.
        KeyConflictError: That return was something else.
    """
    return write_one(
        chain,
        effective_at,
        lambda ledger: take_gift_back(ledger, effective_at=effective_at, **terms),
        tables,
        progress,
    )


def destroy_gifts(
    chain: Chain,
    *,
    witnesses: Collection[str],
    effective_at: dt.datetime,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
    **terms: Any,
) -> Answer:
    """
    Destroy gifts before witnesses, as many as the chain's policy asks for (HQ §7).

    Args:
        chain: The chain; a method of it.
        witnesses: Who sees it: different people, and not who does it.
        effective_at: Aware instant.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.
        **terms: Of `memberops.ledger.destroy`: ``paper_id``, ``gift_id``, ``place``,
            ``quantity``, ``by``, ``reason`` and, if only one is meant, ``lot_id``.

    Returns:
        An `Answer` with the form ``gift_postings``, of one row.

    Raises:
        InvalidValueError: No reason, or too few witnesses.
        OutOfStockError: So many are not there.
    """
    return write_one(
        chain,
        effective_at,
        lambda ledger: destroy(
            ledger,
            witnesses=witnesses,
            effective_at=effective_at,
            rules=chain.policies.gift_flow,
            **terms,
        ),
        tables,
        progress,
    )


def _read_members(
    chain: Chain, tables: ChainTables | None, progress: Progress | None
) -> ChainTables:
    if tables is not None:
        return tables
    return chain.read(only=(*GIFT_TABLES, "members"), progress=progress)


def _on_file(chain: Chain, tables: ChainTables, member: str, paper: str) -> Said:
    """Tell of a member who is not on file, or refuse to give them anything."""
    if "members" not in tables:
        return []
    if (tables["members"]["member_id"] == member).any():
        return []
    english = f"the member of {bounded([paper])} is not in the table of members"
    if chain.policies.gift_flow.unknown_members == "refuse":
        raise InvalidValueError(
            f"{english}, and [policies.gift_flow] unknown_members refuses that"
        )
    chinese = f"{bounded([paper])} 的会员不在会员档案中"
    finding = Finding(
        table="members",
        rule="member-unknown",
        column="member_id",
        severity=Severity.WARNING,
        message_en=english,
        message_zh=chinese,
    )
    return [((english, chinese), finding)]
