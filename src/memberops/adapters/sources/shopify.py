"""
Shopify: orders with refunds, customers, consents, locations; GraphQL Admin API.

Made from Shopify's published documentation
(https://shopify.dev/docs/api/admin-graphql); never run against Shopify itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from memberops.adapters.secrets import secret_option
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.http_reading import RefusedReadingError
from memberops.adapters.sources.order_money import amount_at, beyond_goods, sum_at
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_resource import (
    Lines,
    Paging,
    RestResource,
    Since,
)
from memberops.adapters.sources.rest_services import service_source
from memberops.adapters.sources.rest_source import RestSource, WebServer

__all__ = ["shopify_source"]

_ORDERS = """
query Sales($first: Int!, $after: String, $query: String) {
  orders(first: $first, after: $after, query: $query, sortKey: ID) {
    nodes {
      id legacyResourceId processedAt updatedAt cancelledAt test currencyCode
      taxesIncluded
      subtotalPriceSet { shopMoney { amount } }
      customer { legacyResourceId }
      retailLocation { legacyResourceId }
      lineItems(first: 50) {
        nodes {
          sku name quantity
          originalTotalSet { shopMoney { amount } }
          discountAllocations { allocatedAmountSet { shopMoney { amount } } }
        }
        pageInfo { hasNextPage }
      }
      refunds {
        legacyResourceId createdAt
        totalRefundedSet { shopMoney { amount } }
        refundShippingLines(first: 5) {
          nodes {
            subtotalAmountSet { shopMoney { amount } }
            taxAmountSet { shopMoney { amount } }
          }
        }
        refundLineItems(first: 25) {
          nodes {
            quantity
            subtotalSet { shopMoney { amount } }
            totalTaxSet { shopMoney { amount } }
            lineItem { sku name }
          }
          pageInfo { hasNextPage }
        }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
_CUSTOMERS = """
query Members($first: Int!, $after: String, $query: String) {
  customers(first: $first, after: $after, query: $query, sortKey: ID) {
    nodes {
      id legacyResourceId displayName createdAt updatedAt
      defaultPhoneNumber { phoneNumber }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
_CONSENTS = """
query Consents($first: Int!, $after: String) {
  customers(first: $first, after: $after, sortKey: ID) {
    nodes {
      id legacyResourceId createdAt updatedAt
      defaultEmailAddress { marketingState marketingUpdatedAt }
      defaultPhoneNumber { marketingState marketingUpdatedAt }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
_CHANNELS = {"email": "defaultEmailAddress", "sms": "defaultPhoneNumber"}
_GIVEN = {"SUBSCRIBED": "yes", "UNSUBSCRIBED": "no"}
_LOCATIONS = """
query Stores($first: Int!, $after: String) {
  locations(first: $first, after: $after, includeInactive: true) {
    nodes { id legacyResourceId name }
    pageInfo { hasNextPage endCursor }
  }
}
"""
_SALE = {
    "ticket_id": "/legacyResourceId",
    "sold_at": "/processedAt",
    "store_id": "/retailLocation.legacyResourceId|'online'",
    "member_id": "/customer.legacyResourceId",
    "item_id": "sku",
    "item_name": "name",
    "quantity": "quantity",
    "amount": "paid",
}
_REFUND = {
    **_SALE,
    "ticket_id": "../legacyResourceId",
    "sold_at": "../createdAt",
    "item_id": "lineItem.sku",
    "item_name": "lineItem.name",
    "amount": "subtotalSet.shopMoney.amount",
    "returned_ticket_id": "/legacyResourceId",
}
_MONEY = {name: path for name, path in _REFUND.items() if name != "item_id"} | {
    "item_name": "name",
    "amount": "amount",
}


def shopify_source(
    context: SourceContext,
    *,
    shop: str,
    token: Any,
    version: str = "2026-10",
    base_url: str | None = None,
    http: Any = None,
    patience: Any = None,
    sleep: Callable[[float], None] = time.sleep,
    **options: Any,
) -> RestSource:
    """
    Make a source of a Shopify shop: ``sales``, ``members``, ``consents``, ``stores``.

    Canceled and test orders do not count. A refund is a ticket of its own, its id
    after an R, with the order that it takes back. Amounts are those of the lines in
    the shop's currency, less the line's part of all discounts, with tax where the
    shop's prices have it. Money that was paid back beyond goods, their tax and
    shipping is a line without an item, of the quantity 0; an order whose lines do not
    add up to its subtotal, or a refund that pays less than its lines, is told. An
    order of more than 50 lines, or a refund of more than 25, is a finding. Shopify
    gives orders of 60 days unless the app has the scope ``read_all_orders``, and does
    not tell of deleted customers.

    Consents are those to marketing by email and by SMS, of the moment at which they
    were given or taken back. Where Shopify does not know that moment, an agreement is
    of the day on which the customer was made, so that it outdoes no later word, and a
    refusal of the day of the customer's last change. Who is neither subscribed nor
    unsubscribed (pending, invalid, redacted) has no row. It is not documented that a
    consent changes the customer's update time, so the table is read whole each time.

    Shopify tells how much is in stock, and a history of it in no released version of
    the interface; it keeps no points (store credit is money) and no cards with a term.

    Args:
        context: Of the chain.
        shop: Name before ``.myshopify.com``.
        token: Access token: ``{ env = "SHOPIFY_TOKEN" }`` or a function.
        version: Of the interface.
        base_url: Where a proxy stands between.
        http: Fields of `HttpLimits`.
        patience: Fields of `ReadingPatience`.
        sleep: How to wait.
        **options: Of the mapping; see `rest_services.service_source`.

    Raises:
        ConfigurationError: An option cannot be.
    """
    address = base_url or f"https://{shop}.myshopify.com"
    server = WebServer.of(
        context,
        f"{address.rstrip('/')}/admin/api/{version}",
        credential=Credential(
            kind="header",
            name="X-Shopify-Access-Token",
            secret=secret_option("token", token),
        ),
        http=http,
        patience=patience,
        sleep=sleep,
        judge=_judge,
    )
    return service_source(context, server, _resources(), options)


def _judge(document: Any) -> float | None:
    """Wait until the bucket holds what a query costs; raise for other errors."""
    errors = look_up(document, "errors")
    if not errors:
        return None
    code = look_up(document, "errors.0.extensions.code")
    if code == "THROTTLED":
        cost = look_up(document, "extensions.cost")
        needed = look_up(cost, "requestedQueryCost")
        there = look_up(cost, "throttleStatus.currentlyAvailable")
        rate = look_up(cost, "throttleStatus.restoreRate")
        numbers = [n for n in (needed, there, rate) if isinstance(n, int | Decimal)]
        if len(numbers) == len((needed, there, rate)) and rate > 0:
            return max(0.0, float((needed - there) / rate))
        return 0.0
    shown = code if isinstance(code, str) else "no code"
    raise RefusedReadingError(
        f"POST graphql.json: Shopify refused the query ({shown[:60]!r}); check the "
        "version and the scopes of the app"
    )


def _shop(path: str) -> str:
    return f"{path}.shopMoney.amount"


def _prepared(order: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Add what was paid for lines and back beyond them; tell whether all adds up."""
    lines = [_with_paid(line) for line in look_up(order, "lineItems.nodes") or ()]
    subtotal = amount_at(order, _shop("subtotalPriceSet"))
    agrees = sum((line["paid"] for line in lines), Decimal(0)) == subtotal
    refunds = []
    for refund in order.get("refunds") or ():
        back = look_up(refund, "refundLineItems.nodes")
        shipping = look_up(refund, "refundShippingLines.nodes")
        taxes = sum_at(back, _shop("totalTaxSet"))
        due = sum_at(back, _shop("subtotalSet"))
        due += sum_at(shipping, _shop("subtotalAmountSet"))
        spare = sum_at(shipping, _shop("taxAmountSet"))
        if order.get("taxesIncluded") is not True:
            due, spare = due + taxes + spare, Decimal(0)
        beyond = amount_at(refund, _shop("totalRefundedSet")) - due
        agrees = agrees and beyond >= 0
        # Where prices have tax, it is not told whether that of shipping is in it.
        refunds.append(
            {**refund, "beyond": beyond_goods(beyond if beyond > spare else Decimal(0))}
        )
    items = {**(order.get("lineItems") or {}), "nodes": lines}
    return {**order, "lineItems": items, "refunds": refunds}, agrees


def _with_paid(line: Mapping[str, Any]) -> dict[str, Any]:
    taken = sum_at(line.get("discountAllocations"), _shop("allocatedAmountSet"))
    return {**line, "paid": amount_at(line, _shop("originalTotalSet")) - taken}


def _with_consents(customer: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Give a line to each channel about which the customer said something."""
    said = []
    for channel, place in _CHANNELS.items():
        given = _GIVEN.get(str(look_up(customer, f"{place}.marketingState")))
        if given is not None:
            usual = "createdAt" if given == "yes" else "updatedAt"
            at = look_up(customer, f"{place}.marketingUpdatedAt")
            said.append(
                {"channel": channel, "given": given, "at": at or customer.get(usual)}
            )
    return {**customer, "said": said}, True


def _graph(name: str, query: str, *, size: int, since: bool) -> dict[str, Any]:
    return {
        "path": "graphql.json",
        "method": "POST",
        "body": {"query": query, "variables": {}},
        "records": f"data.{name}.nodes",
        "paging": Paging(
            kind="cursor",
            field="variables.after",
            next=f"data.{name}.pageInfo.endCursor",
            more=f"data.{name}.pageInfo.hasNextPage",
            size_field="variables.first",
            size=size,
        ),
        "since": Since(
            field="variables.query",
            changed_at="updatedAt",
            template="updated_at:>='{moment}'",
        )
        if since
        else None,
    }


def _resources() -> dict[str, RestResource]:
    return {
        "sales": RestResource(
            **_graph("orders", _ORDERS, size=10, since=True),
            only={"test": ("false",), "cancelledAt": ("",)},
            currency="/currencyCode",
            prepare=_prepared,
            lines=(
                Lines(
                    each="lineItems.nodes",
                    columns=_SALE,
                    whole=("lineItems.pageInfo.hasNextPage",),
                ),
                Lines(
                    each="refunds.refundLineItems.nodes",
                    columns=_REFUND,
                    prefix={"ticket_id": "R"},
                    negative=("quantity", "amount"),
                    whole=("refunds.refundLineItems.pageInfo.hasNextPage",),
                ),
                Lines(
                    each="refunds.beyond",
                    columns=_MONEY,
                    prefix={"ticket_id": "R"},
                    negative=("amount",),
                    made=True,
                ),
            ),
        ),
        "members": RestResource(
            **_graph("customers", _CUSTOMERS, size=100, since=True),
            lines=(
                Lines(
                    columns={
                        "member_id": "legacyResourceId",
                        "name": "displayName",
                        "phone": "defaultPhoneNumber.phoneNumber",
                        "joined_on": "createdAt",
                    }
                ),
            ),
        ),
        "consents": RestResource(
            **_graph("customers", _CONSENTS, size=100, since=False),
            prepare=_with_consents,
            lines=(
                Lines(
                    each="said",
                    columns={
                        "member_id": "/legacyResourceId",
                        "channel": "channel",
                        "given": "given",
                        "on": "at",
                        "at": "at",
                        "source": "'Shopify'",
                    },
                    made=True,
                ),
            ),
        ),
        "stores": RestResource(
            **_graph("locations", _LOCATIONS, size=100, since=False),
            lines=(Lines(columns={"store_id": "legacyResourceId", "name": "name"}),),
        ),
    }
