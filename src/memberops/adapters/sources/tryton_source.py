"""Tryton as a source: parties, sales, warehouses, stock, complaints, consents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

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
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.records import latest_records
from memberops.adapters.sources.rest_source import WebServer
from memberops.adapters.sources.shares import shares
from memberops.adapters.sources.tryton_cases import (
    complained_sales,
    complaint_reading,
    event_reading,
)
from memberops.adapters.sources.tryton_consents import consent_reading
from memberops.adapters.sources.tryton_places import places_option
from memberops.adapters.sources.tryton_reading import (
    TILL,
    TrytonReading,
    changed_at,
    names_option,
    numbers_of,
    reference,
    since_domain,
    store_reading,
    stores_of,
)
from memberops.adapters.sources.tryton_rpc import TrytonSession
from memberops.adapters.sources.tryton_stock import stock_reading
from memberops.adapters.sources.tryton_till import TILL_STATES, till_reading
from memberops.errors import ConfigurationError

__all__ = ["TrytonSource", "tryton_source"]

_STATES = {
    "sale.sale": ("quotation", "confirmed", "processing", "done"),
    TILL: TILL_STATES,
}
_FIELDS = {
    "members": (
        "name", "active", "create_date", "write_date", "categories.name",
        "contact_mechanisms.type", "contact_mechanisms.value",
        "contact_mechanisms.active",
        "contact_mechanisms.create_date", "contact_mechanisms.write_date",
    ),
    "sales": (
        "state", "party", "sale_date", "warehouse", "origin", "currency.code",
        "tax_amount", "create_date", "write_date",
        "lines.type", "lines.quantity", "lines.unit_price", "lines.amount",
        "lines.product", "lines.product.code", "lines.product.rec_name",
        "lines.create_date", "lines.write_date",
    ),
}  # fmt: skip
_MODELS = {
    "members": ("party.party", "contact_mechanisms", "party.contact_mechanism"),
    "sales": ("sale.sale", "lines", "sale.line"),
}
_COLUMNS = {
    "members": ("member_id", "name", "phone", "joined_on"),
    "sales": ("ticket_id", "sold_on", "store_id", "member_id", "item_id", "item_name",
              "quantity", "unit_price", "amount", "returned_ticket_id"),
}  # fmt: skip


class TrytonSource:
    """
    A source that reads a Tryton server of version 7 or later, by its JSON-RPC.

    Members are parties, by the id that Tryton gave them; stores are warehouses, by
    their code. A sale counts from its quotation on, and no more once it is back in
    draft or canceled. A line of a negative quantity is a return, linked where
    Tryton's own wizard made it. The tax of a sale is shared out over its lines, for
    Tryton keeps it by sale only.

    ``orders = "sale.point.sale"`` reads the tickets of Tryton's own till instead, its
    module ``sale_point``, by ids such as ``point-12``; they count once they are paid,
    and no more while they are open again. The store is that of the location from which
    the point of sale sells. Amounts are with tax; a price of one is left out where it
    has parts of a cent. Goods that come back are lines of a negative quantity, linked
    to no ticket, and no ticket names a party, unless a module of the chain's own has
    added a field that does.

    Movements are the moves of stock that are done, each from the beginning of its day,
    in the product's own unit. A storage location belongs to the store of its
    warehouse, and what moves within one is no movement. A location for waste is
    ``destroyed``, another lost-and-found one ``adjustment``, what a supplier sends to
    a customer goes from ``supplier``, and storage outside of all warehouses is
    ``in_transit``. A move to or from customers names the party of its shipment, or
    that of its sale, and the ticket.

    Complaints, with the module ``sale_complaint``, are those not canceled; they came
    in when they were written down, or at the beginning of their day if that is
    another. Handler and who did something are users. Tryton says when a complaint was
    done, rejected and taken up again, and its chat what was written to the customer
    and by email from outside. Consents, with the module ``marketing_email``, are of
    parties that have a web user with the address, refusals also of those that can be
    reached there; whoever left one list refused. The table is read whole.

    Changes are found by the dates of records and of their lines and phones. Tryton
    keeps no trace of what was deleted: records are counted each time, and where there
    are fewer, the table is read whole. Moves of stock are not counted, for their
    drafts come and go: one that was done, canceled and deleted between two readings
    stays until all is read again.

    Args:
        context: Currency and zone of the chain.
        url: Of the server.
        database: Name of the database.
        user: A user who may read what the tables are made of, and better no more.
        password: Of the user, as ``{ env = "NAME" }``.
        member_category: Name of the category of parties that are members; all
            parties are if empty.
        walk_in: Ids of the parties to whom sales without a member are made.
        orders: Which sales are read; both are by two sections.
        states: States of a sale that count.
        member_field: The field that names the party of a ticket of the till.
        places: What locations of Tryton are, by their codes, or their numbers where
            they have none: ``{ WH = "warehouse" }``. It goes for all that lies within.
        items: Codes or numbers of the products whose movements are read; all if None.
        email_lists: Names of the mailing lists that are consents; all if None.
        chat_days: The chat of a complaint that ended is asked for again for so many
            days; no chats are read if 0, as is needed before Tryton 7.6.
        overlap_seconds: How much earlier than the last a reading begins, for changes
            that were not yet to be seen.
        page: Records of one request.
        http: Fields of `HttpLimits`: time-outs and the size of an answer.
        patience: Fields of `ReadingPatience`: how often to try again.

    Raises:
        ConfigurationError: An option cannot be.
        MissingExtraError: ``httpx2`` is not installed.
    """

    tables = ("members", "sales", "stores", "gift_movements", "complaints",
              "case_events", "consents")  # fmt: skip

    def __init__(
        self,
        context: SourceContext,
        *,
        url: str,
        database: str,
        user: str,
        password: Any,
        member_category: str = "",
        walk_in: Iterable[int] = (),
        orders: Literal["sale.sale", "sale.point.sale"] = "sale.sale",
        states: Sequence[str] | None = None,
        member_field: str = "",
        places: Any = (),
        items: Iterable[str | int] | None = None,
        email_lists: Iterable[str] | None = None,
        chat_days: int = 30,
        overlap_seconds: int = 600,
        page: int = 500,
        http: Any = None,
        patience: Any = None,
    ) -> None:
        self._context = context
        secret = secret_option("password", password)
        server = WebServer.of(context, url, http=http, patience=patience)
        self._place = (server.base_url, database)
        self._session: Callable[[], TrytonSession] = lambda: TrytonSession(
            server,
            database=database,
            user=user,
            password=secret,
            page=page,
        )
        self._category = member_category
        self._walk_in = frozenset(walk_in)
        if orders not in _STATES or (member_field and orders != TILL):
            raise ConfigurationError(
                f"'orders' is sale.sale or {TILL}, and 'member_field' is of the latter"
            )
        if "." in member_field:
            raise ConfigurationError("'member_field' is a field of the ticket itself")
        self._orders, self._member_field = orders, member_field
        self._states = _STATES[orders] if states is None else tuple(states)
        self._places = places_option(places or {})
        self._items = None if items is None else names_option(items, option="items")
        self._email_lists = (
            () if email_lists is None
            else names_option(email_lists, option="email_lists")
        )  # fmt: skip
        if type(chat_days) is not int or chat_days < 0:
            raise ConfigurationError("'chat_days' is a number of days, 0 for no chats")
        self._chat_days = chat_days
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
        check_table(table, self.tables, system="Tryton")
        with self._session() as session:
            return self._changes(session, table, since)

    def _changes(
        self, session: TrytonSession, table: str, since: str | None
    ) -> SourceChanges:
        context = self._context
        reading = self._reading(session, table)

        def counting(model: str) -> Count:
            return lambda had: session.counted(model, had)

        return counted_changes(
            ReadingOptions.of(table, currency=context.currency, zone=context.zone),
            reading.came,
            since=since,
            name="tryton",
            mark=digest_of(
                self._place, self._category, sorted(self._walk_in), self._states,
                reading.marks, context.zone.key, context.currency.code,
            ),
            overlap=self._overlap,
            fields=reading.columns,
            counts={each: counting(each) for each in reading.counts},
            dated=reading.dated,
            key=reading.key,
        )  # fmt: skip

    def _reading(self, session: TrytonSession, table: str) -> TrytonReading:
        context, walk_in = self._context, self._walk_in
        readings: dict[str, Callable[[], TrytonReading]] = {
            "gift_movements": lambda: stock_reading(
                session, zone=context.zone, named=self._places, items=self._items,
                walk_in=walk_in,
            ),
            "complaints": lambda: complaint_reading(
                session, zone=context.zone, walk_in=walk_in
            ),
            "case_events": lambda: event_reading(session, chat_days=self._chat_days),
            "consents": lambda: consent_reading(
                session, zone=context.zone, lists=self._email_lists
            ),
            "stores": lambda: store_reading(session),
        }  # fmt: skip
        if self._orders == TILL:
            readings["sales"] = lambda: till_reading(
                session, currency=context.currency, states=self._states,
                named=self._places, member_field=self._member_field, walk_in=walk_in,
            )  # fmt: skip
        if table in readings:
            return readings[table]()
        stores = stores_of(session) if table == "sales" else {}
        model, _, inner = _MODELS[table]
        return TrytonReading(
            came=lambda since: self._came(session, table, stores, since),
            columns=_COLUMNS[table],
            counts=(model, inner),
            marks=tuple(sorted(stores.items())),
        )

    def _came(
        self,
        session: TrytonSession,
        table: str,
        stores: Mapping[int, str],
        since: dt.datetime | None,
    ) -> Came:
        model, inner, _ = _MODELS[table]
        found = session.pages(model, since_domain(since, inner), _FIELDS[table])
        records = latest_records(found, key="id")
        back = _taken_back(session, records) if table == "sales" else {}
        rows: list[dict[str, Any]] = []
        gone: list[str] = []
        for record in records:
            own = (
                self._member(record)
                if table == "members"
                else self._sale(record, stores, back.get(record["id"]))
            )
            rows += own
            if not own:
                gone.append(str(record["id"]))
        return Came(
            origin=f"tryton/{model}",
            rows=rows,
            gone=gone,
            seen=max((changed_at(record, inner) for record in records), default=None),
            served_at=session.served_at,
            met={model: [record["id"] for record in records]},
        )

    def _member(self, party: Mapping[str, Any]) -> list[dict[str, Any]]:
        categories = {each["name"] for each in party["categories."]}
        if not party["active"] or (self._category and self._category not in categories):
            return []
        contacts = [each for each in party["contact_mechanisms."] if each["active"]]
        phone = next(
            (
                each["value"]
                for kind in ("mobile", "phone")
                for each in contacts
                if each["type"] == kind
            ),
            None,
        )
        joined = party["create_date"].astimezone(self._context.zone).date()
        return [
            {
                "member_id": party["id"],
                "name": party["name"],
                "phone": phone,
                "joined_on": joined,
            }
        ]

    def _sale(
        self, sale: Mapping[str, Any], stores: Mapping[int, str], back: int | None
    ) -> list[dict[str, Any]]:
        lines = [line for line in sale["lines."] if line["type"] == "line"]
        if sale["state"] not in self._states:
            return []
        currency = self._context.currency
        code = sale["currency."]["code"]
        # An amount with a foreign unit is refused, and says why.
        unit = "" if code == currency.code else f" {code}"
        taxes = shares(
            sale["tax_amount"] or Decimal(0),
            [line["amount"] for line in lines],
            digits=currency.digits,
        )
        rows = []
        for line, tax in zip(lines, taxes, strict=True):
            product = line["product."] or {}
            rows.append(
                {
                    "ticket_id": sale["id"],
                    "sold_on": sale["sale_date"],
                    "store_id": stores.get(sale["warehouse"]),
                    "member_id": (
                        None if sale["party"] in self._walk_in else sale["party"]
                    ),
                    "item_id": product.get("code") or line["product"],
                    "item_name": product.get("rec_name"),
                    "quantity": line["quantity"],
                    "unit_price": f"{line['unit_price']:f}{unit}",
                    "amount": f"{line['amount'] + tax:f}{unit}",
                    "returned_ticket_id": back if line["quantity"] < 0 else None,
                }
            )
        return rows


def _taken_back(
    session: TrytonSession, sales: Sequence[Mapping[str, Any]]
) -> dict[int, int]:
    """Return what sales take back, by Tryton's wizard or for a complaint."""
    origins = {each["id"]: reference(each["origin"]) for each in sales}
    complaints = numbers_of(origins.values(), "sale.complaint")
    about = complained_sales(
        session, session.by_values("sale.complaint", "id", complaints, ["origin"])
    )
    back = {}
    for own, (model, number) in origins.items():
        if model == "sale.sale":
            back[own] = number
        elif model == "sale.complaint" and number in about:
            back[own] = about[number]
    return back


tryton_source = TrytonSource
"""What a chain file's ``adapter = "tryton"`` makes."""
