"""What ERPNext knows of customers besides sales: refusals, and issues as complaints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from memberops.adapters.sources.erpnext_ids import CustomerIds
from memberops.adapters.sources.erpnext_records import Documents, listed, moment_at
from memberops.adapters.sources.http_reading import HttpReader
from memberops.adapters.sources.rest_resource import Lines, RestResource
from memberops.errors import SourceError

__all__ = ["erpnext_complaints", "erpnext_consents", "erpnext_events"]

_ENDED = {"Resolved": "solved", "Closed": "closed"}


def erpnext_consents(zone: str, ids: CustomerIds) -> RestResource:
    """
    Describe refusals: customers with a contact that is ticked ``unsubscribed``.

    It is of e-mail, and of the moment at which the contact was last changed, for the
    tick has no date of its own. Whoever is not ticked has said nothing. What people
    unsubscribe from by a link (``Email Unsubscribe``) names addresses, not customers,
    and is not read. All is read each time, and a contact that is listed and is not to
    be had ends the reading: its refusal would be lost.

    Args:
        zone: Of the site.
        ids: Which customers' ids may be shown.
    """
    return RestResource(
        **listed(
            "Contact",
            ["name", "modified"],
            zone,
            filters=[["unsubscribed", "=", 1]],
            changes=False,
        ),
        together=_whole,
        only={"unsubscribed": ("1",)},
        prepare=lambda contact: _with_customers(contact, ids),
        lines=(
            Lines(
                each="customers",
                made=True,
                constants={
                    "channel": "email",
                    "given": "no",
                    "source": "ERPNext Contact",
                },
                columns={"member_id": "id", "on": "/modified", "at": "/modified"},
            ),
        ),
    )


def _whole(reader: HttpReader, contacts: list[Any]) -> Iterable[Any]:
    """Ask for each contact, whose links no list shows."""
    documents = Documents(reader)
    for each in contacts:
        contact = documents.get("Contact", each.get("name"))
        if contact is None:
            raise SourceError(
                "api/resource/Contact: one that is listed as unsubscribed is not to be "
                "had by its name; nothing was taken over, read again later. If it "
                "stays so, a server between may refuse names with a slash"
            )
        yield contact


def _with_customers(
    contact: Mapping[str, Any], ids: CustomerIds
) -> tuple[Mapping[str, Any], bool]:
    named = [
        ids.safe(link.get("link_name"))
        for link in contact.get("links") or ()
        if link.get("link_doctype") == "Customer"
    ]
    own = [{"id": each} for each in dict.fromkeys(named)]
    return {**contact, "customers": own}, True


def erpnext_complaints(zone: str, ids: CustomerIds) -> RestResource:
    """
    Describe issues (``Issue``) as complaints.

    What came in by an e-mail account is of the channel ``email``, what came by the
    customers' portal ``web``. The customer's words are the subject; the description
    is not read.

    Args:
        zone: Of the site.
        ids: Which customers' ids may be shown.
    """
    return RestResource(
        **listed("Issue", ["*"], zone),
        prepare=lambda issue: (
            {
                **issue,
                "member": ids.safe(issue.get("customer")),
                "channel": _channel(issue),
                "opened": moment_at(issue, "opening"),
            },
            True,
        ),
        lines=(
            Lines(
                columns={
                    "case_id": "name",
                    "received_at": "opened|creation",
                    "channel": "channel",
                    "member_id": "member",
                    "category": "issue_type",
                    "priority": "priority",
                    "customer_name": "customer_name",
                    "statement": "subject",
                }
            ),
        ),
    )


def _channel(issue: Mapping[str, Any]) -> str | None:
    if issue.get("email_account"):
        return "email"
    return "web" if issue.get("via_customer_portal") == 1 else None


def erpnext_events(zone: str) -> RestResource:
    """
    Describe what happened to issues: the first reply, and that one is done.

    The moment of the end is that of the resolution; where ERPNext keeps none, without
    an agreement on service levels, it is that of the issue's last change. What was
    replied later, and how often one was opened again, is not kept.

    Args:
        zone: Of the site.
    """
    return RestResource(
        **listed("Issue", ["*"], zone),
        key=("case_id",),
        prepare=lambda issue: ({**issue, "events": _events(issue)}, True),
        lines=(
            Lines(
                each="events",
                made=True,
                columns={"case_id": "/name", "kind": "kind", "at": "at"},
            ),
        ),
    )


def _events(issue: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    if issue.get("first_responded_on"):
        found.append({"kind": "replied", "at": issue["first_responded_on"]})
    if kind := _ENDED.get(str(issue.get("status"))):
        # ERPNext 15 gave the field another name.
        at = issue.get("sla_resolution_date") or issue.get("resolution_date")
        found.append({"kind": kind, "at": at or issue.get("modified")})
    return found
