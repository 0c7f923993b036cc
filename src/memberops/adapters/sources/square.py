"""
Square: orders with returns, customers, locations, consents, points and stock.

Made from Square's published OpenAPI description and documentation
(https://developer.squareup.com/reference/square); never run against Square itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from memberops.adapters.secrets import secret_option
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_resource import (
    Lines,
    Paging,
    RestResource,
    Since,
)
from memberops.adapters.sources.rest_services import service_source
from memberops.adapters.sources.rest_source import RestSource, WebServer
from memberops.adapters.sources.square_inventory import square_stock
from memberops.adapters.sources.square_loyalty import square_points
from memberops.errors import ConfigurationError, bounded

__all__ = ["square_source"]

_VERSION = "2025-08-20"
_MOST_LOCATIONS = 10
_SALE = {
    "ticket_id": "/id",
    "sold_at": "/closed_at|/created_at",
    "store_id": "/location_id",
    "member_id": "/customer_id|/tenders.0.customer_id",
    "item_id": "catalog_object_id",
    "item_name": "name",
    "quantity": "quantity",
    "amount": "total_money.amount",
}


def square_source(
    context: SourceContext,
    *,
    token: Any,
    locations: Sequence[str],
    movements: Literal["stock", "points"] = "stock",
    items: Sequence[str] | None = None,
    base_url: str = "https://connect.squareup.com",
    version: str = _VERSION,
    http: Any = None,
    patience: Any = None,
    sleep: Callable[[float], None] = time.sleep,
    **options: Any,
) -> RestSource:
    """
    Make a source of a Square account.

    It gives ``sales``, ``members``, ``stores``, ``consents`` and ``gift_movements``.

    An order counts when it is completed, and stops counting if it is canceled. A
    return stands in an order of its own, with the order that it takes back. Amounts
    are minor units, tax included; one in another currency than the chain's is refused.
    Square does not tell of deleted customers: read
    ``members`` whole from time to time.

    Of consents Square knows who unsubscribed from marketing by email. It does not say
    when, so that is the day of the last change of the customer; nor is it documented
    that unsubscribing is such a change, so the table is read whole each time. Who has
    not unsubscribed has said nothing, and has no row.

    Movements are those of `square_inventory.square_stock` or
    `square_loyalty.square_points`; a chain that wants both has a section for each.
    Square has no cards with a term: a loyalty account has no last day.

    Args:
        context: Of the chain.
        token: Access token: ``{ env = "SQUARE_TOKEN" }`` or a function.
        locations: Ids of the locations whose orders and stock are read, at most 10.
            Members, consents and points are those of the whole account.
        movements: What ``gift_movements`` are: goods, or the points of members.
        items: Ids of the item variations whose stock is read; None for all.
        base_url: Another one for the sandbox.
        version: Of the interface.
        http: Fields of `HttpLimits`.
        patience: Fields of `ReadingPatience`.
        sleep: How to wait.
        **options: Of the mapping; see `rest_services.service_source`.

    Raises:
        ConfigurationError: An option cannot be.
    """
    if isinstance(locations, str) or not 0 < len(locations) <= _MOST_LOCATIONS:
        raise ConfigurationError(
            f"'locations' is a list of 1 to {_MOST_LOCATIONS} ids of Square; make a "
            "source for each ten stores"
        )
    _check_movements(movements, items)
    server = WebServer.of(
        context,
        base_url,
        credential=Credential(kind="bearer", secret=secret_option("token", token)),
        headers={"Square-Version": version},
        http=http,
        patience=patience,
        sleep=sleep,
    )
    minor = {"units": {"amount": "minor"}}
    resources = _resources(list(locations))
    resources["gift_movements"] = (
        square_points() if movements == "points" else square_stock(locations, items)
    )
    return service_source(context, server, resources, options, mapped={"sales": minor})


def _check_movements(movements: str, items: Sequence[str] | None) -> None:
    if movements not in {"stock", "points"}:
        raise ConfigurationError(
            f"'movements' are 'stock' or 'points', not {bounded([movements])}"
        )
    if items is not None and (movements == "points" or isinstance(items, str)):
        raise ConfigurationError(
            "'items' is a list of the ids of variations whose stock is read; points "
            "have none"
        )


def _unsubscribed(customer: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Give a line to a customer who wants no mail."""
    gone = look_up(customer, "preferences.email_unsubscribed") is True
    return {**customer, "said": [{"given": "no"}] if gone else []}, True


_CUSTOMERS: dict[str, Any] = {
    "path": "v2/customers/search",
    "method": "POST",
    "records": "customers",
    "may_lack": True,
    "body": {"query": {"sort": {"field": "CREATED_AT", "order": "ASC"}}},
    "paging": Paging(
        kind="cursor", field="cursor", next="cursor", size_field="limit", size=100
    ),
}


def _resources(locations: list[str]) -> dict[str, RestResource]:
    return {
        "sales": RestResource(
            path="v2/orders/search",
            method="POST",
            records="orders",
            may_lack=True,
            body={
                "location_ids": locations,
                "return_entries": False,
                "query": {"sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"}},
            },
            paging=Paging(
                kind="cursor",
                field="cursor",
                next="cursor",
                size_field="limit",
                size=500,
            ),
            since=Since(
                field="query.filter.date_time_filter.updated_at.start_at",
            ),
            only={"state": ("COMPLETED",)},
            currency="total_money.currency",
            lines=(
                Lines(each="line_items", columns=_SALE),
                Lines(
                    each="returns.return_line_items",
                    columns={**_SALE, "returned_ticket_id": "../source_order_id"},
                    negative=("quantity", "amount"),
                ),
            ),
        ),
        "members": RestResource(
            **_CUSTOMERS,
            since=Since(field="query.filter.updated_at.start_at"),
            lines=(
                Lines(
                    columns={
                        "member_id": "id",
                        "name": "given_name+family_name|nickname|company_name",
                        "phone": "phone_number",
                        "joined_on": "created_at",
                        "birth_date": "birthday",
                    }
                ),
            ),
        ),
        "consents": RestResource(
            **_CUSTOMERS,
            prepare=_unsubscribed,
            lines=(
                Lines(
                    each="said",
                    columns={
                        "member_id": "/id",
                        "channel": "'email'",
                        "given": "given",
                        "on": "/updated_at",
                        "at": "/updated_at",
                        "source": "'Square'",
                    },
                    made=True,
                ),
            ),
        ),
        "stores": RestResource(
            path="v2/locations",
            records="locations",
            may_lack=True,
            lines=(
                Lines(columns={"store_id": "id", "name": "name", "zone": "timezone"}),
            ),
        ),
    }
