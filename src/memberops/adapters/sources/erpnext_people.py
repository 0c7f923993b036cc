"""What ERPNext knows of customers besides sales: issues, which are complaints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memberops.adapters.sources.erpnext_ids import CustomerIds
from memberops.adapters.sources.erpnext_records import listed, moment_at
from memberops.adapters.sources.rest_resource import Lines, RestResource

__all__ = ["erpnext_complaints", "erpnext_events"]

_ENDED = {"Resolved": "solved", "Closed": "closed"}


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
