"""Asking Odoo for the records of a model, page by page."""

from __future__ import annotations

from typing import Any

from memberops.adapters.sources.rest_resource import Paging, Since

__all__ = ["NAMED", "searched"]

# Odoo dates a change by the beginning of its transaction, which may take long.
_OVERLAP = 3600
NAMED: dict[str, Any] = {"fields": {"display_name": {}}}
"""What is asked of a record that another one points at."""


def searched(
    model: str,
    fields: dict[str, Any],
    domain: Any = (),
    *,
    older: bool,
    changes: bool = True,
    archived: bool = True,
) -> dict[str, Any]:
    """
    Describe a search page by page after the last id, as fields of `RestResource`.

    Args:
        model: Of Odoo.
        fields: What is asked of each record; ``write_date`` is among them where
            *changes* are asked for.
        domain: Which records.
        older: Whether by JSON-RPC.
        changes: Whether the model tells by ``write_date`` what changed, and loses
            nothing without a trace.
        archived: Whether archived records come too.
    """
    after: list[Any] = [["id", ">", 0], *domain]
    body: dict[str, Any] = {
        "domain": [["write_date", ">=", ""], *after] if changes else after,
        "specification": fields,
        "order": "id asc",
    }
    if archived:
        body["context"] = {"active_test": False}
    if older:
        # The context of a call is one of its named arguments there too.
        body["model"] = model
    return {
        "path": "jsonrpc" if older else f"json/2/{model}/web_search_read",
        "method": "POST",
        "body": body,
        "records": "result.records" if older else "records",
        "false_is_missing": True,
        "zone": "UTC",
        "paging": Paging(
            kind="key",
            field="domain.1.2" if changes else "domain.0.2",
            start=0,
            size_field="limit",
            size=200,
        ),
        "since": Since(
            field="domain.0.2",
            changed_at="write_date",
            form="space",
            overlap_seconds=_OVERLAP,
            start="1970-01-01 00:00:00",
        )
        if changes
        else None,
    }
