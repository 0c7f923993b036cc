"""
Odoo: orders of the point of sale or of sales, partners, cards, points and stock.

By JSON-2 (Odoo 19 and later) or JSON-RPC (17 and 18). Made from Odoo's published
documentation (https://www.odoo.com/documentation/19.0/developer/reference/
external_api.html) and the fields of its own source; never run against a real server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Literal

import attrs

from memberops.adapters.secrets import Secret, secret_option
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.http_reading import HttpReader, RefusedReadingError
from memberops.adapters.sources.odoo_consents import BLACKLISTS, odoo_consents
from memberops.adapters.sources.odoo_loyalty import odoo_cards, odoo_points
from memberops.adapters.sources.odoo_records import NAMED, searched
from memberops.adapters.sources.odoo_stock import odoo_stock
from memberops.adapters.sources.odoo_tickets import (
    HELPDESKS,
    odoo_complaints,
    odoo_events,
)
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_resource import Deleted, Lines, RestResource
from memberops.adapters.sources.rest_services import service_source
from memberops.adapters.sources.rest_source import RestSource, WebServer
from memberops.errors import ConfigurationError

__all__ = ["odoo_source"]

_ORDERS: dict[str, dict[str, Any]] = {
    "pos.order": {
        "specification": {
            "state": {},
            "date_order": {},
            "write_date": {},
            "partner_id": NAMED,
            "currency_id": NAMED,
            "config_id": NAMED,
            "lines": {
                "fields": {
                    "qty": {},
                    "price_subtotal_incl": {},
                    "product_id": NAMED,
                    "refunded_orderline_id": {"fields": {"order_id": NAMED}},
                }
            },
        },
        "only": ("paid", "done", "invoiced"),
        "each": "lines",
        "columns": {
            "store_id": "/config_id.id",
            "quantity": "qty",
            "amount": "price_subtotal_incl",
            "returned_ticket_id": "refunded_orderline_id.order_id.id",
        },
    },
    "sale.order": {
        "specification": {
            "state": {},
            "date_order": {},
            "write_date": {},
            "partner_id": NAMED,
            "currency_id": NAMED,
            "team_id": NAMED,
            "order_line": {
                "fields": {
                    "product_uom_qty": {},
                    "price_total": {},
                    "product_id": NAMED,
                }
            },
        },
        "only": ("sale", "done"),
        "each": "order_line",
        "columns": {
            "store_id": "/team_id.id|'online'",
            "quantity": "product_uom_qty",
            "amount": "price_total",
        },
    },
}


def odoo_source(
    context: SourceContext,
    *,
    base_url: str,
    key: Any,
    database: str,
    user: str | None = None,
    interface: Literal["json-2", "json-rpc"] = "json-2",
    orders: Literal["pos.order", "sale.order"] = "pos.order",
    movements: Literal["stock", "points"] = "stock",
    items: Iterable[int] | None = None,
    expiry: bool = False,
    program: int | None = None,
    blacklists: Iterable[str] = ("email", "sms"),
    helpdesk: Literal["helpdesk", "helpdesk_mgmt"] = "helpdesk",
    http: Any = None,
    patience: Any = None,
    sleep: Callable[[float], None] = time.sleep,
    **options: Any,
) -> RestSource:
    """
    Make a source of an Odoo database.

    It gives ``sales``, ``members``, ``stores``, ``cards``, ``gift_movements``,
    ``consents``, ``complaints`` and ``case_events``, each where its module is
    installed; see `odoo_cards`, `odoo_points`, `odoo_stock`, `odoo_consents`,
    `odoo_complaints` and `odoo_events`.

    Orders count that are paid (of the point of sale) or confirmed (of sales). A
    refund at the point of sale is an order of its own whose lines name those that
    they take back. Members are partners that are persons; an archived one is gone.
    What is deleted outright Odoo does not tell: read whole from time to time.

    Args:
        context: Of the chain.
        base_url: Of the server.
        key: API key: ``{ env = "ODOO_KEY" }`` or a function.
        database: Its name.
        user: Login; only for ``json-rpc``.
        interface: ``json-2``, or ``json-rpc`` before Odoo 19.
        orders: Which documents are the sales.
        movements: Whether ``gift_movements`` are those of the stock or of points.
        items: Ids of the products whose movements are read; None reads all.
        expiry: Whether lots have an expiration date (module ``product_expiry``).
        program: Id of the loyalty program whose cards and points are read; None reads
            those of all.
        blacklists: Which channels are asked for refusals, ``email`` and ``sms``; the
            second is of Odoo's module ``sms``.
        helpdesk: Which module the tickets are of, Odoo's own or OCA's.
        http: Fields of `HttpLimits`.
        patience: Fields of `ReadingPatience`.
        sleep: How to wait.
        **options: Of the mapping; see `rest_services.service_source`.

    Raises:
        ConfigurationError: An option cannot be.
    """
    secret = secret_option("key", key)
    if interface not in {"json-2", "json-rpc"} or orders not in _ORDERS:
        raise ConfigurationError(
            "'interface' is json-2 or json-rpc, and 'orders' pos.order or sale.order"
        )
    if movements not in {"stock", "points"} or helpdesk not in HELPDESKS:
        raise ConfigurationError(
            "'movements' is stock or points, and 'helpdesk' helpdesk or helpdesk_mgmt"
        )
    if program is not None and type(program) is not int:
        raise ConfigurationError("'program' is the id of a program, as in program = 3")
    channels = tuple(blacklists)
    if not channels or not {*channels} <= {*BLACKLISTS}:
        raise ConfigurationError("'blacklists' are email, sms, or both")
    products = _ids(items, movements)
    older = interface == "json-rpc"
    if older and not user:
        raise ConfigurationError("json-rpc needs the 'user' whose key it is")
    server = WebServer.of(
        context,
        base_url,
        credential=None if older else Credential(kind="bearer", secret=secret),
        headers={} if older else {"X-Odoo-Database": database},
        http=http,
        patience=patience,
        sleep=sleep,
        judge=_judge if older else None,
        dress=_envelope(database, user or "", secret) if older else None,
    )
    resources = _resources(orders, older=older) | {
        "cards": odoo_cards(older=older, program=program),
        "gift_movements": odoo_stock(older=older, items=products, expiry=expiry)
        if movements == "stock"
        else odoo_points(older=older, orders=orders, program=program),
        "consents": odoo_consents(older=older, channels=channels),
        "complaints": odoo_complaints(helpdesk, older=older),
        "case_events": odoo_events(helpdesk, older=older),
    }
    # Several databases live at one address.
    described = {
        table: attrs.evolve(resource, mark=f"{database} {orders}")
        for table, resource in resources.items()
    }
    return service_source(context, server, described, options)


def _ids(items: Any, movements: str) -> tuple[int, ...] | None:
    """Read the ids of products."""
    if items is None:
        return None
    if movements == "points":
        raise ConfigurationError("'items' are products whose stock is read, not points")
    found = () if isinstance(items, str) else tuple(items)
    if not found or not all(type(each) is int for each in found):
        raise ConfigurationError("'items' are ids of products, as in items = [55, 56]")
    return found


def _judge(document: Any) -> float | None:
    error = look_up(document, "error")
    if not error:
        return None
    name = look_up(error, "data.name")
    shown = name if isinstance(name, str) else "no name"
    raise RefusedReadingError(
        f"POST jsonrpc: Odoo refused ({shown[:60]!r}); check the key, its rights, and "
        "that the modules are installed",
        said=look_up(error, "data"),
    )


def _envelope(
    database: str, user: str, secret: Secret
) -> Callable[[HttpReader], Callable[[Any], Any]]:
    """Return what puts a query into a call; the key stands in its body."""

    def call(service: str, method: str, args: list[Any]) -> dict[str, Any]:
        params = {"service": service, "method": method, "args": args}
        return {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}

    def enter(reader: HttpReader) -> Callable[[Any], Any]:
        key = secret.reveal()
        login = call("common", "authenticate", [database, user, key, {}])
        found = look_up(reader.read("POST", "jsonrpc", body=login).document, "result")
        if type(found) is not int:
            raise RefusedReadingError("POST jsonrpc: Odoo does not know user and key")

        def dress(body: Any) -> Any:
            query = dict(body)
            model = query.pop("model")
            who = [database, found, secret.reveal()]
            return call(
                "object", "execute_kw", [*who, model, "web_search_read", [], query]
            )

        return dress

    return enter


def _resources(orders: str, *, older: bool) -> dict[str, RestResource]:
    known = _ORDERS[orders]
    return {
        "sales": RestResource(
            **searched(orders, known["specification"], older=older),
            only={"state": known["only"]},
            currency="/currency_id.display_name",
            lines=(
                Lines(
                    each=known["each"],
                    columns={
                        "ticket_id": "/id",
                        "sold_at": "/date_order",
                        "member_id": "/partner_id.id",
                        "item_id": "product_id.id",
                        "item_name": "product_id.display_name",
                        **known["columns"],
                    },
                ),
            ),
        ),
        "members": RestResource(
            **searched(
                "res.partner",
                {
                    "name": {},
                    "phone": {},
                    "create_date": {},
                    "write_date": {},
                    "active": {},
                },
                [["is_company", "=", False]],
                older=older,
            ),
            deleted=Deleted(path="active", equals=("false",)),
            lines=(
                Lines(
                    columns={
                        "member_id": "id",
                        "name": "name",
                        "phone": "phone",
                        "joined_on": "create_date",
                    }
                ),
            ),
        ),
        "stores": RestResource(
            **searched("pos.config", {"name": {}, "write_date": {}}, older=older),
            lines=(Lines(columns={"store_id": "id", "name": "name"}),),
        ),
    }
