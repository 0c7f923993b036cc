"""Renewals told by receipts: the same receipt renews once, in any order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs

from memberops.domain import Card, Finding, Severity
from memberops.domain.values import check_as_of, identifier, plain_date, whole_number
from memberops.errors import ScheduleError
from memberops.policies.renewal import Renewal, Renewed

__all__ = ["Receipt", "RenewalHistory", "replay"]


@attrs.frozen(kw_only=True)
class Receipt:
    """
    A payment for further terms of a card.

    Args:
        receipt_id: Its id, unique in the chain.
        card_id: The card that it renews.
        paid_on: The day on which it was paid.
        terms: How many terms it pays.
    """

    receipt_id: str = attrs.field(validator=identifier)
    card_id: str = attrs.field(validator=identifier)
    paid_on: dt.date = attrs.field(validator=plain_date)
    terms: int = attrs.field(default=1, validator=whole_number)


@attrs.frozen(kw_only=True)
class RenewalHistory:
    """
    What a card's receipts made of it.

    Args:
        card: The card after the last of them, valid from the first day of its
            unbroken run.
        steps: Each receipt that renewed, with the card and decision it led to.
        findings: Receipts that came with another content under a known id, that pay
            for less than one term, or for more than the calendar has; the first of an
            id, by day, counts.
    """

    card: Card
    steps: tuple[tuple[Receipt, Renewed], ...]
    findings: tuple[Finding, ...]


def replay(
    policy: Renewal, card: Card, receipts: Iterable[Receipt], *, as_of: dt.date
) -> RenewalHistory:
    """
    Renew a card by its receipts, each once.

    A pure function of the first card and all that is known: told the same receipt
    twice, or in another order, it gives the same history.

    Args:
        policy: How a card is renewed.
        card: The card as it was before any of them.
        receipts: Receipts in any order; those of other cards are left alone.
        as_of: Receipts after this day are not known yet.

    >>> card = Card(card_id="C1", member_id="M1",
    ...     valid_from=dt.date(2026, 1, 1), valid_through=dt.date(2026, 12, 31))
    >>> paid = Receipt(receipt_id="R1", card_id="C1", paid_on=dt.date(2026, 12, 3))
    >>> told = replay(Renewal(), card, [paid, paid], as_of=dt.date(2026, 12, 31))
    >>> told.card.valid_through, len(told.steps)
    (datetime.date(2027, 12, 31), 1)
    """
    check_as_of(as_of)
    mine = sorted(
        (receipt for receipt in receipts if receipt.card_id == card.card_id),
        key=lambda receipt: (receipt.paid_on, receipt.receipt_id, receipt.terms),
    )
    seen: dict[str, Receipt] = {}
    steps: list[tuple[Receipt, Renewed]] = []
    findings: list[Finding] = []
    for receipt in mine:
        if receipt.paid_on > as_of:
            continue
        known = seen.get(receipt.receipt_id)
        if known is not None:
            if known != receipt:
                findings.append(_finding(receipt, "receipt-differs", _DIFFERS))
            continue
        seen[receipt.receipt_id] = receipt
        if receipt.terms < 1:
            findings.append(_finding(receipt, "receipt-without-term", _NO_TERM))
            continue
        try:
            renewed = policy.renew(card, as_of=receipt.paid_on, terms=receipt.terms)
        except ScheduleError:
            findings.append(_finding(receipt, "receipt-beyond-calendar", _BEYOND))
            continue
        card = renewed.card
        steps.append((receipt, renewed))
    return RenewalHistory(card=card, steps=tuple(steps), findings=tuple(findings))


_DIFFERS = (
    "receipt {0} came again with another day or number of terms; the first counts",
    "收据 {0} 重复且内容不同，以最早一张为准",
)
_NO_TERM = ("receipt {0} pays for less than one term", "收据 {0} 的期数不足一期")
_BEYOND = (
    "receipt {0} pays for terms beyond the calendar; it renews nothing",
    "收据 {0} 的期数超出日历范围，未予续期",
)


def _finding(receipt: Receipt, rule: str, texts: tuple[str, str]) -> Finding:
    return Finding(
        table="receipts",
        rule=rule,
        severity=Severity.WARNING,
        message_en=texts[0].format(receipt.receipt_id[:40]),
        message_zh=texts[1].format(receipt.receipt_id[:40]),
    )
