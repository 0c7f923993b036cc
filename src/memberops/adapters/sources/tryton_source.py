"""Members, sales and stores from Tryton: parties, sales and warehouses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
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
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.records import latest_records
from memberops.adapters.sources.rest_source import WebServer
from memberops.adapters.sources.shares import shares
from memberops.adapters.sources.tryton_rpc import TrytonSession, told

__all__ = ["TrytonSource", "tryton_source"]

_SOLD = ("quotation", "confirmed", "processing", "done")
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
    "stores": ("name", "code", "active", "create_date", "write_date"),
}  # fmt: skip
_MODELS = {
    "members": ("party.party", "contact_mechanisms", "party.contact_mechanism"),
    "sales": ("sale.sale", "lines", "sale.line"),
    "stores": ("stock.location", "", ""),
}
_COLUMNS = {
    "members": ("member_id", "name", "phone", "joined_on"),
    "sales": ("ticket_id", "sold_on", "store_id", "member_id", "item_id", "item_name",
              "quantity", "unit_price", "amount", "returned_ticket_id"),
    "stores": ("store_id", "name"),
}  # fmt: skip


class TrytonSource:
    """
    A source that reads a Tryton server of version 7 or later, by its JSON-RPC.

    Members are parties, by the id that Tryton gave them; stores are warehouses, by
    their code. A sale counts from its quotation on, and no more once it is back in
    draft or canceled. A line of a negative quantity is a return, linked where
    Tryton's own wizard made it. The tax of a sale is shared out over its lines, for
    Tryton keeps it by sale only.

    Changes are found by the dates of records and of their lines and phones. Tryton
    keeps no trace of what was deleted: records are counted each time, and where there
    are fewer, the table is read whole.

    Args:
        context: Currency and zone of the chain.
        url: Of the server.
        database: Name of the database.
        user: A user who may read parties, sales and locations, and better no more.
        password: Of the user, as ``{ env = "NAME" }``.
        member_category: Name of the category of parties that are members; all
            parties are if empty.
        walk_in: Ids of the parties to whom sales without a member are made.
        states: States of a sale that count.
        overlap_seconds: How much earlier than the last a reading begins, for changes
            that were not yet to be seen.
        page: Records of one request.
        http: Fields of `HttpLimits`: time-outs and the size of an answer.
        patience: Fields of `ReadingPatience`: how often to try again.

    Raises:
        ConfigurationError: An option cannot be.
        MissingExtraError: ``httpx2`` is not installed.
    """

    tables = ("members", "sales", "stores")

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
        states: Sequence[str] = _SOLD,
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
        self._states = tuple(states)
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
        stores = _stores(session) if table == "sales" else {}
        context = self._context
        models = [_MODELS[table][0], _MODELS[table][2]] if table != "stores" else []

        def counting(model: str) -> Count:
            return lambda had: session.counted(model, had)

        return counted_changes(
            ReadingOptions.of(table, currency=context.currency, zone=context.zone),
            lambda at: self._came(session, table, stores, at),
            since=since,
            name="tryton",
            mark=digest_of(
                self._place, self._category, sorted(self._walk_in), self._states,
                sorted(stores.items()), context.zone.key, context.currency.code,
            ),
            overlap=self._overlap,
            fields=_COLUMNS[table],
            counts={each: counting(each) for each in models},
            dated=table != "stores",
        )  # fmt: skip

    def _came(
        self,
        session: TrytonSession,
        table: str,
        stores: Mapping[int, str],
        since: dt.datetime | None,
    ) -> Came:
        model, inner, _ = _MODELS[table]
        domain: list[Any] = [["type", "=", "warehouse"]] if table == "stores" else []
        if since is not None:
            domain = ["OR"]
            for each in ("create_date", "write_date"):
                domain.append([each, ">=", told(since)])
                domain.append([f"{inner}.{each}", ">=", told(since)])
        found = session.pages(model, domain, _FIELDS[table])
        records = latest_records(found, key="id")
        rows, gone = self._rows(table, records, stores)
        return Came(
            origin=f"tryton/{model}",
            rows=rows,
            gone=gone,
            seen=max((_changed(record, inner) for record in records), default=None),
            served_at=session.served_at,
            met={model: [record["id"] for record in records]},
        )

    def _rows(
        self, table: str, records: list[Mapping[str, Any]], stores: Mapping[int, str]
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """Return the rows of a table, and the ids of records that do not count."""
        if table == "stores":
            active = [record for record in records if record["active"]]
            return [
                {"store_id": _code(each), "name": each["name"]} for each in active
            ], []
        rows: list[dict[str, Any]] = []
        gone: list[str] = []
        for record in records:
            own = (
                self._member(record)
                if table == "members"
                else self._sale(record, stores)
            )
            rows += own
            if not own:
                gone.append(str(record["id"]))
        return rows, gone

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
        self, sale: Mapping[str, Any], stores: Mapping[int, str]
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
        origin = str(sale["origin"] or "")
        rows = []
        for line, tax in zip(lines, taxes, strict=True):
            back = line["quantity"] < 0 and origin.startswith("sale.sale,")
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
                    "returned_ticket_id": origin.partition(",")[2] if back else None,
                }
            )
        return rows


def _code(location: Mapping[str, Any]) -> str:
    return str(location["code"] or location["id"])


def _stores(session: TrytonSession) -> dict[int, str]:
    found = session.pages("stock.location", [["type", "=", "warehouse"]], ["code"])
    return {each["id"]: _code(each) for each in found}


def _changed(record: Mapping[str, Any], inner: str) -> dt.datetime:
    """Return when a record or one of its lines was changed last."""
    found: list[dt.datetime | None] = [record["create_date"], record["write_date"]]
    for line in record.get(f"{inner}.") or ():
        found += [line["create_date"], line["write_date"]]
    return max(each for each in found if each is not None)


tryton_source = TrytonSource
"""What a chain file's ``adapter = "tryton"`` makes."""
