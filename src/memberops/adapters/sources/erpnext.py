"""
ERPNext: invoices of the point of sale, customers, profiles, points, stock and issues.

Made from the published documentation of Frappe and ERPNext
(https://docs.frappe.io/framework/user/en/api/rest); never run against a real server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal

import attrs

from memberops.adapters.secrets import secret_option
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.erpnext_consents import erpnext_consents
from memberops.adapters.sources.erpnext_ids import CUSTOMER_SERIES, CustomerIds
from memberops.adapters.sources.erpnext_people import erpnext_complaints, erpnext_events
from memberops.adapters.sources.erpnext_points import erpnext_points
from memberops.adapters.sources.erpnext_records import (
    LONGEST_ITEMS,
    address_length,
    listed,
    moment_at,
)
from memberops.adapters.sources.erpnext_stock import erpnext_stock
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.order_money import amount_at
from memberops.adapters.sources.rest_resource import (
    Deleted,
    Follow,
    Lines,
    RestResource,
)
from memberops.adapters.sources.rest_services import service_source
from memberops.adapters.sources.rest_source import RestSource, WebServer
from memberops.adapters.sources.shares import shares
from memberops.errors import ConfigurationError

__all__ = ["erpnext_source"]


def erpnext_source(
    context: SourceContext,
    *,
    base_url: str,
    token: Any,
    invoices: Literal["POS Invoice", "Sales Invoice"] = "POS Invoice",
    zone: str | None = None,
    customer_series: Iterable[str] = CUSTOMER_SERIES,
    digest_key: Any = None,
    movements: Literal["stock", "points"] = "stock",
    items: Iterable[str] | None = None,
    program: str | None = None,
    http: Any = None,
    patience: Any = None,
    sleep: Callable[[float], None] = time.sleep,
    **options: Any,
) -> RestSource:
    """
    Make a source of an ERPNext site.

    It gives ``sales``, ``members``, ``stores``, ``gift_movements``, ``consents``,
    ``complaints`` and ``case_events``; see `erpnext_points`, `erpnext_stock`,
    `erpnext_consents`, `erpnext_complaints` and `erpnext_events`. It has no cards.

    Submitted invoices count; one that is canceled stops counting. A return is an
    invoice of its own that names the one it takes back. A store is the POS profile of
    the invoice. Lists hold no lines, so each invoice is asked for by itself. Amounts
    are the lines' shares, by their net amounts, of what the invoice is in all: less
    discounts of the whole invoice, and with taxes.

    ERPNext names customers as they are called unless its selling settings say "naming
    series". An id that is no number of a series in *customer_series* may be a name or a
    phone, and would stand unmasked wherever ids do: it becomes a digest, such as
    ``C-5f2b…``. Who is renamed is then another member. Whoever has a list of names
    can make their digests too, unless there is a *digest_key*.

    Args:
        context: Of the chain.
        base_url: Of the site.
        token: The API key and secret with a colon between:
            ``{ env = "ERPNEXT_TOKEN" }`` or a function.
        invoices: Which documents are the sales.
        zone: Zone of the site, in which it writes all times; the chain's if None.
        customer_series: The naming series of customers, as the site's settings write
            them; see `CustomerIds.of`.
        digest_key: A key of the digests that is nobody else's:
            ``{ env = "ERPNEXT_DIGEST_KEY" }`` or a function. With another one all ids
            that are digests change.
        movements: Whether ``gift_movements`` are those of the stock or of points.
        items: Codes of the items whose movements are read; None reads all.
        program: The loyalty program whose points are read; None reads those of all.
        http: Fields of `HttpLimits`.
        patience: Fields of `ReadingPatience`.
        sleep: How to wait.
        **options: Of the mapping; see `rest_services.service_source`.

    Raises:
        ConfigurationError: An option cannot be.
    """
    keyed = None if digest_key is None else secret_option("digest_key", digest_key)
    ids = CustomerIds.of(customer_series, keyed)
    if movements not in {"stock", "points"}:
        raise ConfigurationError("'movements' is stock or points")
    codes = _codes(items, movements)
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
        **listed(invoices, ["name", "modified", "docstatus"], zone),
        follow=(Follow(path=f"api/resource/{invoices}/{{id}}", records="data"),),
        only={"docstatus": ("1",)},
        currency="/currency",
        prepare=lambda invoice: _invoice(invoice, digits, ids),
        lines=(
            Lines(
                each="items",
                columns={
                    "ticket_id": "/name",
                    "sold_at": "/posted",
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
        **listed(
            "Customer",
            ["name", "modified", "creation", "customer_name", "mobile_no", "disabled"],
            zone,
        ),
        deleted=Deleted(path="disabled", equals=("1",)),
        prepare=lambda customer: (
            {**customer, "member": ids.safe(customer.get("name"))},
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
        **listed("POS Profile", ["name", "modified"], zone),
        lines=(Lines(columns={"store_id": "name", "name": "name"}),),
    )
    resources = {
        "sales": sales,
        "members": members,
        "stores": stores,
        "gift_movements": erpnext_stock(zone, items=codes)
        if movements == "stock"
        else erpnext_points(zone, ids, invoices=invoices, program=program),
        "consents": erpnext_consents(zone, ids),
        "complaints": erpnext_complaints(zone, ids),
        "case_events": erpnext_events(zone),
    }
    # Other series would hide other customers.
    described = {
        table: attrs.evolve(resource, mark=ids.mark)
        for table, resource in resources.items()
    }
    return service_source(context, server, described, options)


def _codes(items: Any, movements: str) -> tuple[str, ...] | None:
    """Read the codes of items."""
    if items is None:
        return None
    if movements == "points":
        raise ConfigurationError("'items' are items whose stock is read, not points")
    found = () if isinstance(items, str) else tuple(items)
    if not found or not all(isinstance(each, str) and each for each in found):
        raise ConfigurationError("'items' are codes of items, as in items = [\"CUP\"]")
    if address_length(found) > LONGEST_ITEMS:
        raise ConfigurationError(
            "so many 'items' do not fit into an address: read them by several sections "
            "[[sources.gift_movements]], some each"
        )
    return found


def _invoice(
    invoice: Mapping[str, Any], digits: int, ids: CustomerIds
) -> tuple[Mapping[str, Any], bool]:
    """Share out over the lines what an invoice is in all."""
    items = list(invoice.get("items") or ())
    net = [amount_at(item, "net_amount") for item in items]
    if "grand_total" in invoice and sum(net, Decimal(0)):
        paid = shares(amount_at(invoice, "grand_total"), net, digits=digits)
    else:
        paid = [amount_at(item, "amount") for item in items]
    lines = [{**item, "paid": own} for item, own in zip(items, paid, strict=True)]
    member = ids.safe(invoice.get("customer"))
    posted = moment_at(invoice, "posting")
    return {**invoice, "items": lines, "member": member, "posted": posted}, True
