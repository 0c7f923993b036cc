"""Tickets of Odoo's helpdesks as complaints, and when they were closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from memberops.adapters.sources.odoo_records import NAMED, searched
from memberops.adapters.sources.rest_resource import Lines, RestResource

__all__ = ["HELPDESKS", "odoo_complaints", "odoo_events"]


@attrs.frozen
class _Helpdesk:
    """Fields by which the two helpdesks differ."""

    category: str
    closed_at: str
    closed: str = ""


HELPDESKS = {
    "helpdesk": _Helpdesk("ticket_type_id", "close_date"),
    "helpdesk_mgmt": _Helpdesk("category_id", "closed_date", "closed"),
}
"""By module what a ticket of it has: Odoo's own, which is not public, and OCA's."""


def odoo_complaints(helpdesk: str, *, older: bool) -> RestResource:
    """
    Describe tickets (``helpdesk.ticket``) as complaints.

    The words of the customer are the ticket's title; its description is not read.

    Args:
        helpdesk: Of `HELPDESKS`.
        older: Whether by JSON-RPC.
    """
    known = HELPDESKS[helpdesk]
    return RestResource(
        **_tickets(
            {
                "name": {},
                "create_date": {},
                "partner_id": NAMED,
                "user_id": NAMED,
                "priority": {},
                known.category: NAMED,
            },
            older=older,
        ),
        lines=(
            Lines(
                columns={
                    "case_id": "id",
                    "received_at": "create_date",
                    "member_id": "partner_id.id",
                    "category": f"{known.category}.display_name",
                    "priority": "priority",
                    "handler": "user_id.id",
                    "statement": "name",
                }
            ),
        ),
    )


def odoo_events(helpdesk: str, *, older: bool) -> RestResource:
    """
    Describe when tickets were closed; of what came before Odoo keeps no fields.

    Args:
        helpdesk: Of `HELPDESKS`.
        older: Whether by JSON-RPC.
    """
    known = HELPDESKS[helpdesk]
    names = [name for name in (known.closed_at, known.closed) if name]
    return RestResource(
        **_tickets({"user_id": NAMED, **{name: {} for name in names}}, older=older),
        key=("case_id",),
        prepare=lambda ticket: _with_end(ticket, known),
        lines=(
            Lines(
                each="ends",
                made=True,
                constants={"kind": "closed"},
                columns={"case_id": "/id", "at": "at", "by": "/user_id.id"},
            ),
        ),
    )


def _tickets(fields: dict[str, Any], *, older: bool) -> dict[str, Any]:
    return searched("helpdesk.ticket", {**fields, "write_date": {}}, older=older)


def _with_end(
    ticket: Mapping[str, Any], known: _Helpdesk
) -> tuple[Mapping[str, Any], bool]:
    at = ticket.get(known.closed_at)
    # Where a ticket was opened again, the moment may still stand there.
    open_again = known.closed and ticket.get(known.closed) is not True
    return {**ticket, "ends": [{"at": at}] if at and not open_again else []}, True
