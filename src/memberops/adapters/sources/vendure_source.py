"""Members, sales, stores and stock from Vendure: customers, orders, channels."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from memberops.adapters.secrets import secret_option
from memberops.adapters.sources.changes import SourceChanges
from memberops.adapters.sources.contract import SourceContext, SourceResult
from memberops.adapters.sources.counted_reading import (
    Came,
    Count,
    check_table,
    counted_changes,
)
from memberops.adapters.sources.moment_cursor import digest_of
from memberops.adapters.sources.order_tickets import unexplained
from memberops.adapters.sources.person_names import full_name
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.records import latest_records
from memberops.adapters.sources.rest_paths import look_up, plain_at
from memberops.adapters.sources.rest_source import WebServer
from memberops.adapters.sources.vendure_api import (
    VendureSession,
    moment_of,
    written,
)
from memberops.adapters.sources.vendure_orders import ORDER_FIELDS, vendure_lines
from memberops.adapters.sources.vendure_stock import (
    STOCK_COLUMNS,
    goods_named,
    goods_place,
    stock_came,
    variants_wanted,
)
from memberops.errors import ConfigurationError
from memberops.tables import table as table_named

__all__ = ["VendureSource", "vendure_source"]

_COLUMNS = {
    "members": ("member_id", "name", "phone", "joined_on"),
    "sales": ("ticket_id", "sold_at", "store_id", "member_id", "item_id", "item_name",
              "quantity", "unit_price", "amount", "returned_ticket_id"),
    "stores": ("store_id", "name"),
    "gift_movements": STOCK_COLUMNS,
}  # fmt: skip
_CUSTOMER = "id createdAt updatedAt firstName lastName phoneNumber user { id }"
_CHANNEL = "id code seller { name }"
_DEFAULT = "__default_channel__"
_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
# Vendure asks for what is later than a moment, and SQLite keeps whole seconds.
_SECOND = dt.timedelta(seconds=1)


class VendureSource:
    """
    A source that reads a Vendure server of version 2.2 or later, by its Admin API.

    Members are customers; stores are channels, and a sale belongs to the channel,
    beside the default one, in which it was made. A sale is an order from when it was
    placed, until it is canceled without a refund; its ticket is the order's code. A
    refund is a ticket of its own (`vendure_lines`). A user's session is never logged
    out, as Vendure would end all of that user: give the source a user of its own.

    Movements of stock are Vendure's, of goods that it made ready, took back or
    counted anew (`stock_rows`). It says neither at which of its stock locations they
    were nor for which order: all are at *stock_place*, and go to members of no name.

    Vendure does not date an order when it is placed, so that is asked for too; nor
    when it is refunded, so all orders placed in the last *refund_days* are read each
    time, and with *late_refunds* the refunds of all orders before. A customer, a
    variant of a product, or with a stock location its movements that are deleted are
    shown no more: they are counted each time, and where there are fewer, the table is
    read whole.

    Args:
        context: Currency and zone of the chain.
        url: Of the server.
        user: Who may read customers, orders and channels, for stock products and stock
            locations, and better no more; with *password*. The server has to allow
            the token method ``bearer``.
        password: Of the user, as ``{ env = "NAME" }``.
        key: An API key, as ``{ env = "NAME" }``, in place of a user. The server has
            to allow the token method ``api-key``; it verifies the key anew at each
            request, which takes it longer than most requests.
        store_field: Path in a channel of the chain's id of the store, such as
            ``"customFields.store"``; the channel's code where nothing stands there.
        member_fields: Path in a customer by column of members, such as
            ``{ birth_date = "customFields.birthday" }``.
        registered_only: Whether only customers with an account are members, not
            guests.
        refund_days: How long after a sale a refund of it is looked for.
        late_refunds: Whether refunds of older orders are looked for too, which takes
            a request for every *page* of them at each reading.
        items: SKUs or ids of the variants whose stock is read, as gifts are few among
            goods; None for all.
        stock_place: Where the stock is, such as ``"store:S01"``.
        money_digits: Digits of Vendure's amounts, the ``precision`` of its money.
        overlap_seconds: How much earlier than the last a reading begins, for changes
            that were not yet to be seen.
        page: Records of one request.
        http: Fields of `HttpLimits`: time-outs and the size of an answer.
        patience: Fields of `ReadingPatience`: how often to try again.

    Raises:
        ConfigurationError: An option cannot be.
        MissingExtraError: ``httpx2`` is not installed.
        MissingColumnsError: *member_fields* names no column of members.
        UnknownPlaceError: *stock_place* is none.
    """

    tables = ("members", "sales", "stores", "gift_movements")

    def __init__(
        self,
        context: SourceContext,
        *,
        url: str,
        user: str = "",
        password: Any = None,
        key: Any = None,
        store_field: str = "code",
        member_fields: Mapping[str, str] | None = None,
        registered_only: bool = False,
        refund_days: float = 30,
        late_refunds: bool = False,
        items: Sequence[str] | None = None,
        stock_place: str = "warehouse",
        money_digits: int = 2,
        overlap_seconds: int = 600,
        page: int = 100,
        http: Any = None,
        patience: Any = None,
    ) -> None:
        if (key is None) == (not user) or (password is None) != (not user):
            raise ConfigurationError(
                "Vendure is asked by a 'user' with a 'password', or by a 'key'"
            )
        if page < 2:  # noqa: PLR2004 - each begins with the last of the one before
            raise ConfigurationError("a 'page' of Vendure holds 2 records or more")
        secret = None if password is None else secret_option("password", password)
        token = None if key is None else secret_option("key", key)
        server = WebServer.of(context, url, http=http, patience=patience)
        self._place = server.base_url
        self._session: Callable[[], VendureSession] = lambda: VendureSession(
            server, user=user, password=secret, key=token, page=page
        )
        self._context = context
        self._store_field = _path("store_field", store_field)
        self._member_fields = {
            name: _path("member_fields", path)
            for name, path in (member_fields or {}).items()
        }
        for name in self._member_fields:
            table_named("members").column(name)
        self._registered_only = registered_only
        self._refundable = dt.timedelta(days=refund_days)
        self._late_refunds = late_refunds
        self._items = goods_named(items)
        self._stock_place = goods_place(stock_place)
        self._page = page
        self._digits = money_digits
        self._overlap = dt.timedelta(seconds=overlap_seconds)

    def read(self, table: str) -> SourceResult:
        """
        Read one canonical table whole.

        Raises:
            UnknownTableError: The source does not have that table.
            SourceError: The server cannot be read.
        """
        return self.changes(table, since=None).result

    def changes(self, table: str, *, since: str | None) -> SourceChanges:
        """
        Read what is new or changed since a cursor; see `ChangingSource.changes`.

        Raises:
            UnknownTableError: The source does not have that table.
            SourceError: The server cannot be read.
        """
        check_table(table, self.tables, system="Vendure")
        context = self._context
        with self._session() as session:
            stores = self._stores(session) if table == "sales" else {}
            fetch = {
                "members": lambda at: self._members(session, at),
                "sales": lambda at: self._sales(session, at, stores),
                "stores": lambda _: self._channels(session),
                "gift_movements": lambda at: self._stock(session, at),
            }[table]
            return counted_changes(
                ReadingOptions.of(table, currency=context.currency, zone=context.zone),
                fetch,
                since=since,
                name="vendure",
                mark=digest_of(
                    self._place, self._store_field, sorted(self._member_fields.items()),
                    self._registered_only, sorted(stores.items()), context.zone.key,
                    context.currency.code, self._digits, *self._chosen(table),
                ),
                overlap=self._overlap,
                fields=[
                    *_COLUMNS[table],
                    *(self._member_fields if table == "members" else ()),
                ],
                counts=self._counts(session, table),
                dated=table != "stores",
                key=("posting_id",) if table == "gift_movements" else (),
            )  # fmt: skip

    def _chosen(self, table: str) -> tuple[Any, ...]:
        """Return options of one table that its rows depend on."""
        if table == "gift_movements":
            return self._items, self._stock_place
        return ("late",) if table == "sales" and self._late_refunds else ()

    def _counts(self, session: VendureSession, table: str) -> dict[str, Count]:
        """Return what has to be as many as it was."""
        if table == "members":
            return {"customers": lambda had: session.counted("customers", had)}
        if table == "gift_movements":
            wanted = variants_wanted(self._items)
            return {
                "productVariants": lambda had: session.counted(
                    "productVariants", had, wanted
                ),
                # Movements are deleted with the location at which they were.
                "stockLocations": lambda had: session.counted("stockLocations", had),
            }
        return {}

    def _stock(self, session: VendureSession, since: dt.datetime | None) -> Came:
        return stock_came(
            session,
            since and since - _SECOND,
            items=self._items,
            place=self._stock_place,
            page=self._page,
        )

    def _stores(self, session: VendureSession) -> dict[str, str]:
        """Return the store that each channel is."""
        found = session.pages("channels", f"{_CHANNEL} {_asked(self._store_field)}")
        return {str(each["id"]): self._store(each) for each in found}

    def _store(self, channel: Mapping[str, Any]) -> str:
        return str(look_up(channel, self._store_field) or channel["code"])

    def _channels(self, session: VendureSession) -> Came:
        found = session.pages("channels", f"{_CHANNEL} {_asked(self._store_field)}")
        rows = [
            {
                "store_id": self._store(each),
                "name": look_up(each, "seller.name") or each["code"],
            }
            for each in latest_records(found, key="id")
        ]
        return Came(origin="vendure/channels", rows=rows, served_at=session.served_at)

    def _members(self, session: VendureSession, since: dt.datetime | None) -> Came:
        fields = " ".join(_asked(path) for path in self._member_fields.values())
        wanted = None if since is None else {"updatedAt": _after(since)}
        records = latest_records(
            session.pages("customers", f"{_CUSTOMER} {fields}", wanted),
            key="id",
            moment="updatedAt",
        )
        members = [
            each for each in records if each.get("user") or not self._registered_only
        ]
        kept = {each["id"] for each in members}
        return Came(
            origin="vendure/customers",
            rows=[self._member(each) for each in members],
            gone=[str(each["id"]) for each in records if each["id"] not in kept],
            seen=max((moment_of(each["updatedAt"]) for each in records), default=None),
            served_at=session.served_at,
            met={"customers": [str(each["createdAt"]) for each in records]},
        )

    def _member(self, customer: Mapping[str, Any]) -> dict[str, Any]:
        joined = moment_of(customer["createdAt"]).astimezone(self._context.zone)
        return {
            "member_id": customer["id"],
            "name": full_name(customer.get("firstName"), customer.get("lastName")),
            "phone": customer.get("phoneNumber"),
            "joined_on": joined.date(),
        } | {
            name: plain_at((customer,), path, false_is_missing=True)
            for name, path in self._member_fields.items()
        }

    def _sales(
        self, session: VendureSession, since: dt.datetime | None, stores: dict[str, str]
    ) -> Came:
        wanted: dict[str, Any] = {"orderPlacedAt": {"isNull": False}}
        if since is not None:
            placed = {"orderPlacedAt": _after(since - self._refundable)}
            wanted["_or"] = [{"updatedAt": _after(since)}, placed]
        found = [session.pages("orders", ORDER_FIELDS, wanted)]
        if since is not None and self._late_refunds:
            found += self._refunded_late(session, since)
        records = latest_records(chain(*found), key="id", moment="updatedAt")
        rows: list[dict[str, Any]] = []
        gone: list[str] = []
        odd = 0
        for each in records:
            customer = each.get("customer") or {}
            known = customer.get("user") or not self._registered_only
            lines = vendure_lines(
                each,
                store=_channel_of(each, stores),
                member=customer.get("id") if known else None,
                currency=self._context.currency.code,
                digits=self._digits,
            )
            rows += lines.rows
            gone += lines.gone
            odd += not lines.agrees
        return Came(
            origin="vendure/orders",
            rows=rows,
            gone=gone,
            seen=max((_changed(each) for each in records), default=None),
            served_at=session.served_at,
            findings=unexplained(odd, "vendure/orders"),
        )

    def _refunded_late(
        self, session: VendureSession, since: dt.datetime
    ) -> Iterator[Iterator[dict[str, Any]]]:
        """Yield older orders of which something was refunded since."""
        older = {"orderPlacedAt": {"before": written(since - self._refundable)}}
        light = "id payments { refunds { updatedAt } }"
        late = [
            str(each["id"])
            for each in session.pages("orders", light, older)
            for payment in each.get("payments") or ()
            for refund in payment["refunds"]
            if moment_of(refund["updatedAt"]) >= since - _SECOND
        ]
        for at in range(0, len(late), self._page):
            some = {"id": {"in": late[at : at + self._page]}}
            yield session.pages("orders", ORDER_FIELDS, some)


def _path(option: str, path: Any) -> str:
    """Hold a path against what may stand in a query."""
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise ConfigurationError(
            f"{option!r} is a path of names, such as 'customFields.store'"
        )
    return path


def _asked(path: str) -> str:
    """
    Write a path as a query asks for it.

    >>> _asked("customFields.store")
    'customFields { store }'
    """
    first, _, rest = path.partition(".")
    return f"{first} {{ {_asked(rest)} }}" if rest else first


def _after(moment: dt.datetime) -> dict[str, str]:
    return {"after": written(moment - _SECOND)}


def _channel_of(order: Mapping[str, Any], stores: Mapping[str, str]) -> str | None:
    """Return the store of an order: of a channel of its own before the default one."""
    found = sorted(
        order.get("channels") or (), key=lambda channel: channel["code"] == _DEFAULT
    )
    return stores.get(str(found[0]["id"])) if found else None


def _changed(order: Mapping[str, Any]) -> dt.datetime:
    found = [order["updatedAt"], order["orderPlacedAt"]]
    for payment in order.get("payments") or ():
        found += [refund["updatedAt"] for refund in payment["refunds"]]
    return max(moment_of(each) for each in found)


vendure_source = VendureSource
"""What a chain file's ``adapter = "vendure"`` makes."""
