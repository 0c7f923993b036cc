"""What a waiver is decided by: tickets without what is excluded, and cards."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import attrs
import pandas as pd

from memberops import metrics
from memberops.domain import Card
from memberops.errors import InvalidValueError
from memberops.metrics import MetricPolicy
from memberops.policies import (
    Evidence,
    FeeWaiver,
    kept,
    waiver_evidence,
)

if TYPE_CHECKING:
    from memberops.workflows.inquiry import Inquiry

__all__ = [
    "card_evidence",
    "card_of",
    "cards_in_force",
    "known_tickets",
    "waiver_tickets",
]


def waiver_tickets(
    sales: pd.DataFrame, waiver: FeeWaiver, *, as_of: dt.date, policy: MetricPolicy
) -> tuple[pd.DataFrame, FeeWaiver]:
    """
    Count the sales known on a day by ticket, without lines that are excluded.

    Args:
        sales: The sales lines.
        waiver: The waiver; what it excludes is taken off the lines.
        as_of: The day.
        policy: How returns and items count.

    Returns:
        The tickets, and the waiver to decide by: it excludes nothing any more.

    Raises:
        MissingColumnsError: An exclusion names no column of the sales.
    """
    lines = kept(sales, waiver.exclusions) if waiver.exclusions else sales
    tickets = metrics.tickets(lines, known_through=as_of, policy=policy)
    return tickets, attrs.evolve(waiver, exclusions=())


def known_tickets(asked: Inquiry) -> tuple[pd.DataFrame, FeeWaiver]:
    """Return `waiver_tickets` of a question, which are counted once for all of it."""
    waiver = asked.policies.fee_waiver
    if not waiver.exclusions:
        return asked.tickets, waiver
    return asked.once(
        "waiver tickets",
        lambda: waiver_tickets(
            asked.tables["sales"],
            waiver,
            as_of=asked.as_of,
            policy=asked.policies.metrics,
        ),
    )


def cards_in_force(cards: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Return the terms that run on a day; of one number, the term that began last."""
    day = pd.Timestamp(as_of)
    running = (cards["valid_from"] <= day) & (cards["valid_through"] >= day)
    rows = cards[running.to_numpy(bool)].sort_values("valid_from", kind="stable")
    return rows.drop_duplicates("card_id", keep="last").sort_values("card_id")


def card_of(row: pd.Series[Any]) -> Card:
    """
    Return a row of the cards as a card.

    Raises:
        InvalidValueError: The term ends before it begins.
    """
    given: dict[str, Any] = {
        name: row[name].date() for name in ("valid_from", "valid_through")
    }
    if "anchor" in row and pd.notna(row["anchor"]):
        given["anchor"] = row["anchor"].date()
    if "kind" in row and pd.notna(row["kind"]):
        given["kind"] = str(row["kind"])
    return Card(card_id=str(row["card_id"]), member_id=str(row["member_id"]), **given)


def card_evidence(
    sales: pd.DataFrame,
    row: pd.Series[Any],
    waiver: FeeWaiver,
    *,
    as_of: dt.date,
    policy: MetricPolicy,
) -> Evidence:
    """
    Decide one card and list the tickets that the decision rests on.

    Tickets later than the day are not read: nobody knows them yet.

    Args:
        sales: The sales lines.
        row: The card.
        waiver: The waiver, with what it excludes.
        as_of: The day.
        policy: How returns and items count.

    Raises:
        InvalidValueError: The card's term ends before it begins, or the waiver asks
            for figures that tickets do not tell.
    """
    card = card_of(row)
    asked = {each.figure for each in waiver.rule.conditions} - {"purchases", "spend"}
    if asked:
        raise InvalidValueError(
            f"the waiver asks for {min(asked)!r}, which sales do not tell: decide the "
            "card with FeeWaiver.decide, which takes that figure"
        )
    mine = _sales_of(sales, card.member_id)
    columns = [each.column for each in waiver.exclusions]
    parts = []
    rest = mine
    for exclusion in waiver.exclusions:
        counting = kept(rest, [exclusion])
        off = rest.drop(counting.index)
        if len(off):
            tickets = metrics.tickets(off, known_through=as_of, policy=policy)
            marks: dict[str, str | None] = dict.fromkeys(columns)
            marks[exclusion.column] = min(exclusion.values)
            parts.append(tickets.assign(**marks))
        rest = counting
    tickets = metrics.tickets(rest, known_through=as_of, policy=policy)
    parts.append(tickets.assign(**dict.fromkeys(columns)))
    known = pd.concat([part for part in parts if len(part)] or parts[-1:])
    return waiver_evidence(waiver, card, known, as_of=as_of)


def _sales_of(sales: pd.DataFrame, member: str) -> pd.DataFrame:
    """Return the lines of a member's tickets, and of what takes them back."""
    mine = sales["ticket_id"][(sales["member_id"] == member).to_numpy(bool)]
    tickets = set(mine)
    if "returned_ticket_id" in sales:
        own = sales["ticket_id"].isin(tickets)
        tickets |= set(sales["returned_ticket_id"][own].dropna())
        linked = sales["returned_ticket_id"].isin(tickets)
        return sales[(sales["ticket_id"].isin(tickets) | linked).to_numpy(bool)]
    return sales[sales["ticket_id"].isin(tickets).to_numpy(bool)]
