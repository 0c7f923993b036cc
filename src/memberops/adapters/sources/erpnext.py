"""
ERPNext: invoices of the point of sale with returns, customers and profiles.

Made from the published documentation of Frappe and ERPNext
(https://docs.frappe.io/framework/user/en/api/rest); never run against a real server.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from memberops.adapters.secrets import secret_option
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.order_money import amount_at
from memberops.adapters.sources.rest_resource import (
    Deleted,
    Follow,
    Lines,
    Paging,
    RestResource,
    Since,
)
from memberops.adapters.sources.rest_services import service_source
from memberops.adapters.sources.rest_source import RestSource, WebServer
from memberops.adapters.sources.shares import shares

__all__ = ["erpnext_source"]

# As in CUST-2026-00001. A phone is a longer run of digits, and a name with a year
# behind it has no separator.
_SERIES = re.compile(r"(?!.*\d{7})[A-Z][A-Z0-9./]*(?:-[A-Z0-9.]+)*-\d{3,6}", re.ASCII)
# Local times come twice when summer time ends.
_OVERLAP = 2 * 3600


def erpnext_source(
    context: SourceContext,
    *,
    base_url: str,
    token: Any,
    invoices: Literal["POS Invoice", "Sales Invoice"] = "POS Invoice",
    zone: str | None = None,
    http: Any = None,
    patience: Any = None,
    sleep: Callable[[float], None] = time.sleep,
    **options: Any,
) -> RestSource:
    """
    Make a source of an ERPNext site: ``sales``, ``members`` and ``stores``.

    Submitted invoices count; one that is canceled stops counting. A return is an
    invoice of its own that names the one it takes back. A store is the POS profile of
    the invoice. Lists hold no lines, so each invoice is asked for by itself. Amounts
    are the lines' shares, by their net amounts, of what the invoice is in all: less
    discounts of the whole invoice, and with taxes.

    ERPNext names customers as they are called unless its selling settings say "naming
    series". An id that is not written as the numbers of a series are, capitals, a
    hyphen and three to six digits, may be a name or a phone, and would stand unmasked
    wherever ids do: it becomes a digest, such as ``C-5f2b…``. Who is renamed is then
    another member.

    Args:
        context: Of the chain.
        base_url: Of the site.
        token: The API key and secret with a colon between:
            ``{ env = "ERPNEXT_TOKEN" }`` or a function.
        invoices: Which documents are the sales.
        zone: Zone of the site, in which it writes all times; the chain's if None.
        http: Fields of `HttpLimits`.
        patience: Fields of `ReadingPatience`.
        sleep: How to wait.
        **options: Of the mapping; see `rest_services.service_source`.

    Raises:
        ConfigurationError: An option cannot be.
    """
    server = WebServer.of(
        context,
        base_url,
        credential=Credential(
            kind="header",
            name="Authorization",
            prefix="token ",
            secret=secret_option("token", token),
        ),
        http=http,
        patience=patience,
        sleep=sleep,
    )
    zone = zone or context.zone.key
    digits = context.currency.digits
    sales = RestResource(
        **_list(invoices, ["name", "modified", "docstatus"], zone),
        follow=(Follow(path=f"api/resource/{invoices}/{{id}}", records="data"),),
        only={"docstatus": ("1",)},
        currency="/currency",
        prepare=lambda invoice: _invoice(invoice, digits),
        zone=zone,
        lines=(
            Lines(
                each="items",
                columns={
                    "ticket_id": "/name",
                    "sold_at": "/posting_date+/posting_time",
                    "store_id": "/pos_profile|/company",
                    "member_id": "/member",
                    "item_id": "item_code",
                    "item_name": "item_name",
                    "quantity": "qty",
                    "amount": "paid",
                    "returned_ticket_id": "/return_against",
                },
            ),
        ),
    )
    members = RestResource(
        **_list(
            "Customer",
            ["name", "modified", "creation", "customer_name", "mobile_no", "disabled"],
            zone,
        ),
        deleted=Deleted(path="disabled", equals=("1",)),
        zone=zone,
        prepare=lambda customer: (
            {**customer, "member": _safe(customer.get("name"))},
            True,
        ),
        lines=(
            Lines(
                columns={
                    "member_id": "member",
                    "name": "customer_name",
                    "phone": "mobile_no",
                    "joined_on": "creation",
                }
            ),
        ),
    )
    stores = RestResource(
        **_list("POS Profile", ["name", "modified"], zone),
        lines=(Lines(columns={"store_id": "name", "name": "name"}),),
    )
    resources = {"sales": sales, "members": members, "stores": stores}
    return service_source(context, server, resources, options)


def _invoice(invoice: Mapping[str, Any], digits: int) -> tuple[Mapping[str, Any], bool]:
    """Share out over the lines what an invoice is in all."""
    items = list(invoice.get("items") or ())
    net = [amount_at(item, "net_amount") for item in items]
    if "grand_total" in invoice and sum(net, Decimal(0)):
        paid = shares(amount_at(invoice, "grand_total"), net, digits=digits)
    else:
        paid = [amount_at(item, "amount") for item in items]
    lines = [{**item, "paid": own} for item, own in zip(items, paid, strict=True)]
    member = _safe(invoice.get("customer"))
    return {**invoice, "items": lines, "member": member}, True


def _safe(own: Any) -> str | None:
    """Return an id of a customer that is not a person's name."""
    if own in (None, ""):
        return None
    text = str(own)
    if _SERIES.fullmatch(text):
        return text
    return f"C-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _list(doctype: str, fields: Sequence[str], zone: str) -> dict[str, Any]:
    """Describe the list of a kind of documents, page by page after the last name."""
    return {
        "path": f"api/resource/{doctype}",
        "records": "data",
        "id": "name",
        "params": {
            "fields": list(fields),
            "filters": [["modified", ">=", ""], ["name", ">", ""]],
            "order_by": "name asc",
        },
        "paging": Paging(
            kind="key",
            field="filters.1.2",
            start="",
            size_field="limit_page_length",
            size=100,
        ),
        "since": Since(
            field="filters.0.2",
            changed_at="modified",
            form="space",
            zone=zone,
            overlap_seconds=_OVERLAP,
            start="1970-01-01 00:00:00",
        ),
    }
