"""
WooCommerce: orders with refunds, and customers, by its REST API (wc/v3).

Made from WooCommerce's published documentation
(https://woocommerce.github.io/woocommerce-rest-api-docs/); never run against a real
shop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from memberops.adapters.secrets import secret_option
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.order_money import amount_at, beyond_goods, sum_at
from memberops.adapters.sources.rest_resource import (
    Follow,
    Lines,
    Paging,
    RestResource,
    Since,
)
from memberops.adapters.sources.rest_services import service_source
from memberops.adapters.sources.rest_source import RestSource, WebServer

__all__ = ["woocommerce_source"]

_PAGING = Paging(
    kind="offset",
    field="offset",
    size_field="per_page",
    size=100,
    total="header:X-WP-Total",
)
_SALE = {
    "ticket_id": "/id",
    "sold_at": "/date_paid_gmt|/date_created_gmt",
    "store_id": "'online'",
    "member_id": "/customer_id",
    "item_id": "sku|product_id",
    "item_name": "name",
    "quantity": "quantity",
}
_TAXED = {"amount": ("total", "total_tax")}
_REFUND = {
    **_SALE,
    "ticket_id": "../id",
    "sold_at": "../date_created_gmt",
    "returned_ticket_id": "/id",
}
_LINES = ("line_items", "shipping_lines", "fee_lines")


def woocommerce_source(
    context: SourceContext,
    *,
    base_url: str,
    key: Any,
    secret: Any,
    http: Any = None,
    patience: Any = None,
    sleep: Callable[[float], None] = time.sleep,
    **options: Any,
) -> RestSource:
    """
    Make a source of a WooCommerce shop: ``sales`` and ``members``.

    Orders count that are paid: processing, completed or refunded. A refund is a
    ticket of its own, with the order that it takes back; its lines are asked for
    order by order. Money that was paid back beyond lines, shipping and fees is a line
    without an item, of the quantity 0. Amounts are those of the lines with tax; an
    order whose lines, shipping and fees do not add up to its total is told. Customers
    cannot be asked for by change, so ``members`` is read whole each time, which also
    shows who is gone. WooCommerce itself knows no consents, cards or points, and of
    stock only how much is there now.

    Args:
        context: Of the chain.
        base_url: Of the shop, without ``/wp-json``.
        key: Consumer key: ``{ env = "WOO_KEY" }`` or a function.
        secret: Consumer secret, in the same way.
        http: Fields of `HttpLimits`.
        patience: Fields of `ReadingPatience`.
        sleep: How to wait.
        **options: Of the mapping; see `rest_services.service_source`. All orders
            are of the store ``online`` unless ``constants`` name another.

    Raises:
        ConfigurationError: An option cannot be.
    """
    server = WebServer.of(
        context,
        f"{base_url.rstrip('/')}/wp-json/wc/v3",
        credential=Credential(
            kind="basic",
            user=secret_option("key", key),
            secret=secret_option("secret", secret),
        ),
        http=http,
        patience=patience,
        sleep=sleep,
    )
    nobody = {"values": {"member_id": {"0": ""}}}
    return service_source(
        context, server, _resources(), options, mapped={"sales": nobody}
    )


def _prepared(order: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Add to refunds what they pay back beyond lines; tell whether all adds up."""
    agrees = "total" not in order or amount_at(order, "total") == _lines_of(order)
    refunds = []
    for refund in order.get("refunds_whole") or ():
        beyond = abs(amount_at(refund, "amount")) - abs(_lines_of(refund))
        agrees = agrees and ("amount" not in refund or beyond >= 0)
        refunds.append({**refund, "beyond": beyond_goods(beyond)})
    return {**order, "refunds_whole": refunds}, agrees


def _lines_of(order: Mapping[str, Any]) -> Decimal:
    return sum(
        (sum_at(order.get(name), "total", "total_tax") for name in _LINES), Decimal(0)
    )


def _resources() -> dict[str, RestResource]:
    return {
        "sales": RestResource(
            path="orders",
            params={
                "status": "any",
                "orderby": "id",
                "order": "asc",
                "dates_are_gmt": "true",
            },
            paging=_PAGING,
            since=Since(
                field="modified_after", changed_at="date_modified_gmt", form="naive"
            ),
            zone="UTC",
            only={"status": ("processing", "completed", "refunded")},
            currency="/currency",
            prepare=_prepared,
            follow=(
                Follow(
                    path="orders/{id}/refunds",
                    into="refunds_whole",
                    when="refunds",
                    params={"per_page": "100"},
                ),
            ),
            lines=(
                Lines(each="line_items", columns=_SALE, sums=_TAXED),
                Lines(
                    each="refunds_whole.line_items",
                    columns=_REFUND,
                    sums=_TAXED,
                    negative=("quantity", "amount"),
                ),
                Lines(
                    each="refunds_whole.beyond",
                    columns={
                        **{n: _REFUND[n] for n in _REFUND if n != "item_id"},
                        "amount": "amount",
                    },
                    negative=("amount",),
                    made=True,
                ),
            ),
        ),
        "members": RestResource(
            path="customers",
            params={"role": "all", "orderby": "id", "order": "asc"},
            paging=_PAGING,
            zone="UTC",
            lines=(
                Lines(
                    columns={
                        "member_id": "id",
                        "name": "first_name+last_name|username",
                        "phone": "billing.phone",
                        "joined_on": "date_created_gmt",
                    }
                ),
            ),
        ),
    }
