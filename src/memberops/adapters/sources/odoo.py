"""
Odoo: orders of the point of sale or of sales, partners and points of sale.

By JSON-2 (Odoo 19 and later) or JSON-RPC (17 and 18). Made from Odoo's published
documentation (https://www.odoo.com/documentation/19.0/developer/reference/
external_api.html) and the fields of its own source; never run against a real server.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

from memberops.adapters.secrets import Secret, secret_option
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.http_reading import HttpReader, RefusedReadingError
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_resource import (
    Deleted,
    Lines,
    Paging,
    RestResource,
    Since,
)
from memberops.adapters.sources.rest_services import service_source
from memberops.adapters.sources.rest_source import RestSource, WebServer
from memberops.errors import ConfigurationError

__all__ = ["odoo_source"]

_NAMED: dict[str, Any] = {"fields": {"display_name": {}}}
_ORDERS: dict[str, dict[str, Any]] = {
    "pos.order": {
        "specification": {
            "state": {},
            "date_order": {},
            "write_date": {},
            "partner_id": _NAMED,
            "currency_id": _NAMED,
            "config_id": _NAMED,
            "lines": {
                "fields": {
                    "qty": {},
                    "price_subtotal_incl": {},
                    "product_id": _NAMED,
                    "refunded_orderline_id": {"fields": {"order_id": _NAMED}},
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
            "partner_id": _NAMED,
            "currency_id": _NAMED,
            "team_id": _NAMED,
            "order_line": {
                "fields": {
                    "product_uom_qty": {},
                    "price_total": {},
                    "product_id": _NAMED,
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
    http: Any = None,
    patience: Any = None,
    sleep: Callable[[float], None] = time.sleep,
    **options: Any,
) -> RestSource:
    """
    Make a source of an Odoo database: ``sales``, ``members`` and ``stores``.

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
    return service_source(context, server, _resources(orders, older=older), options)


def _judge(document: Any) -> float | None:
    error = look_up(document, "error")
    if not error:
        return None
    name = look_up(error, "data.name")
    shown = name if isinstance(name, str) else "no name"
    raise RefusedReadingError(
        f"POST jsonrpc: Odoo refused ({shown[:60]!r}); check the key, its rights, and "
        "that the modules are installed"
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
            **_search(orders, known["specification"], older=older),
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
            **_search(
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
            **_search("pos.config", {"name": {}, "write_date": {}}, older=older),
            lines=(Lines(columns={"store_id": "id", "name": "name"}),),
        ),
    }


def _search(
    model: str, fields: dict[str, Any], domain: Any = (), *, older: bool
) -> dict[str, Any]:
    """Describe a search page by page after the last id; it holds archived records."""
    body: dict[str, Any] = {
        "domain": [["write_date", ">=", ""], ["id", ">", 0], *domain],
        "specification": fields,
        "order": "id asc",
        "context": {"active_test": False},
    }
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
            kind="key", field="domain.1.2", start=0, size_field="limit", size=200
        ),
        "since": Since(
            field="domain.0.2",
            changed_at="write_date",
            form="space",
            start="1970-01-01 00:00:00",
        ),
    }
