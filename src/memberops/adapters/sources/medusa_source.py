"""Members, sales and stores from Medusa: customers, orders and sales channels."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from memberops.adapters.secrets import Secret, secret_option
from memberops.adapters.sources.changes import SourceChanges
from memberops.adapters.sources.contract import SourceContext, SourceResult
from memberops.adapters.sources.counted_reading import (
    Came,
    check_table,
    counted_changes,
    pages_by_id,
)
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.http_reading import HttpReader
from memberops.adapters.sources.medusa_orders import ORDER_FIELDS, order_lines
from memberops.adapters.sources.moment_cursor import digest_of
from memberops.adapters.sources.order_tickets import unexplained
from memberops.adapters.sources.person_names import full_name
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.records import latest_records
from memberops.adapters.sources.rest_paths import look_up, plain_at
from memberops.adapters.sources.rest_source import WebServer
from memberops.errors import SourceError
from memberops.tables import table as table_named

__all__ = ["MedusaSource", "medusa_source"]

_RESOURCES = {
    "members": ("customers", "+metadata,+has_account"),
    "sales": ("orders", ORDER_FIELDS),
    "stores": ("sales-channels", "+metadata"),
}
_COLUMNS = {
    "members": ("member_id", "name", "phone", "joined_on"),
    "sales": ("ticket_id", "sold_at", "store_id", "member_id", "item_id", "item_name",
              "quantity", "unit_price", "amount", "returned_ticket_id"),
    "stores": ("store_id", "name"),
}  # fmt: skip
_CHANNELS = 1000


class MedusaSource:
    """
    A source that reads a Medusa server of version 2, by its Admin API.

    Members are customers; stores are sales channels. A sale is an order from when it
    was placed, paid or not, until it is canceled: Medusa does not date an order when
    it is paid, so that payment cannot be asked for as a change. Goods that came back
    are tickets of their own, and so are refunds beyond them (`order_lines`).

    A customer that is deleted is shown no more: they are counted each time, and where
    there are fewer, the table is read whole.

    Args:
        context: Currency and zone of the chain.
        url: Of the server.
        token: A secret API key (``sk_...``), as ``{ env = "NAME" }``.
        store_field: Path in a sales channel of the chain's id of the store, such as
            ``"metadata.store"``; Medusa's own id where nothing stands there.
        member_fields: Path in a customer by column of members, such as
            ``{ birth_date = "metadata.birthday" }``.
        registered_only: Whether only customers with an account are members.
        overlap_seconds: How much earlier than the last a reading begins, for changes
            that were not yet to be seen.
        page: Records of one request.
        http: Fields of `HttpLimits`: time-outs and the size of an answer.
        patience: Fields of `ReadingPatience`: how often to try again.

    Raises:
        ConfigurationError: An option cannot be.
        MissingExtraError: ``httpx2`` is not installed.
        MissingColumnsError: *member_fields* names no column of members.
    """

    tables = ("members", "sales", "stores")

    def __init__(
        self,
        context: SourceContext,
        *,
        url: str,
        token: Any,
        store_field: str = "id",
        member_fields: Mapping[str, str] | None = None,
        registered_only: bool = False,
        overlap_seconds: int = 600,
        page: int = 100,
        http: Any = None,
        patience: Any = None,
    ) -> None:
        self._context = context
        secret = secret_option("token", token)
        self._server = WebServer.of(
            context,
            url,
            credential=Credential(
                kind="header",
                name="Authorization",
                prefix="Basic ",
                secret=Secret(lambda: _basic(secret), source="'token'"),
            ),
            http=http,
            patience=patience,
        )
        self._store_field = store_field
        self._member_fields = dict(member_fields or {})
        for name in self._member_fields:
            table_named("members").column(name)
        self._registered_only = registered_only
        self._overlap = dt.timedelta(seconds=overlap_seconds)
        self._page = page

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
        check_table(table, self.tables, system="Medusa")
        with self._server.open() as reader:
            return self._changes(_Medusa(reader, self._page), table, since)

    def _changes(self, medusa: _Medusa, table: str, since: str | None) -> SourceChanges:
        resource, _ = _RESOURCES[table]
        stores = self._stores(medusa) if table == "sales" else {}
        context = self._context
        extra = tuple(self._member_fields) if table == "members" else ()
        return counted_changes(
            ReadingOptions.of(table, currency=context.currency, zone=context.zone),
            lambda at: self._came(medusa, table, stores, at),
            since=since,
            name="medusa",
            mark=digest_of(
                self._server.base_url, self._store_field,
                sorted(self._member_fields.items()), self._registered_only,
                sorted(stores.items()), context.zone.key,
                context.currency.code,
            ),
            overlap=self._overlap,
            fields=[*_COLUMNS[table], *extra],
            counts={resource: lambda had: medusa.counted(resource, had)}
            if table == "members"
            else {},
            dated=table != "stores",
        )  # fmt: skip

    def _came(
        self,
        medusa: _Medusa,
        table: str,
        stores: Mapping[str, str],
        since: dt.datetime | None,
    ) -> Came:
        resource, fields = _RESOURCES[table]
        changed = None if since is None else _written(since)
        records = latest_records(
            medusa.pages(resource, fields, changed), key="id", moment="updated_at"
        )
        rows, gone, odd = self._rows(table, records, stores)
        return Came(
            origin=f"medusa/{resource}",
            rows=rows,
            gone=gone,
            seen=max((_moment(each["updated_at"]) for each in records), default=None),
            served_at=medusa.served_at,
            findings=unexplained(odd, "medusa/orders"),
            met={resource: {str(each["id"]) for each in records}},
        )

    def _stores(self, medusa: _Medusa) -> dict[str, str]:
        found = medusa.pages(*_RESOURCES["stores"], None)
        return {str(each["id"]): self._store(each) for each in found}

    def _store(self, channel: Mapping[str, Any]) -> str:
        return str(look_up(channel, self._store_field) or channel["id"])

    def _rows(
        self, table: str, records: list[Mapping[str, Any]], stores: Mapping[str, str]
    ) -> tuple[list[dict[str, Any]], list[str], int]:
        """Return rows, ids of what does not count, and orders that do not add up."""
        if table == "stores":
            return [
                {"store_id": self._store(each), "name": each["name"]}
                for each in records
            ], [], 0  # fmt: skip
        rows: list[dict[str, Any]] = []
        gone: list[str] = []
        odd = 0
        for each in records:
            if table == "sales":
                customer = each.get("customer") or {}
                known = customer.get("has_account") or not self._registered_only
                lines = order_lines(
                    each,
                    store=stores.get(each.get("sales_channel_id") or ""),
                    member=each.get("customer_id") if known else None,
                    currency=self._context.currency.code,
                    digits=self._context.currency.digits,
                )
                rows += lines.rows
                gone += lines.gone
                odd += not lines.agrees
            elif each.get("has_account") or not self._registered_only:
                rows.append(self._member(each))
            else:
                gone.append(str(each["id"]))
        return rows, gone, odd

    def _member(self, customer: Mapping[str, Any]) -> dict[str, Any]:
        joined = _moment(customer["created_at"]).astimezone(self._context.zone)
        return {
            "member_id": customer["id"],
            "name": full_name(customer.get("first_name"), customer.get("last_name")),
            "phone": customer.get("phone"),
            "joined_on": joined.date(),
        } | {
            name: plain_at((customer,), path, false_is_missing=True)
            for name, path in self._member_fields.items()
        }


class _Medusa:
    """The resources of a server, page by page."""

    def __init__(self, reader: HttpReader, page: int) -> None:
        self._reader = reader
        self._page = page
        self.served_at: dt.datetime | None = None

    def _ask(self, resource: str, params: Mapping[str, str]) -> dict[str, Any]:
        answer = self._reader.read("GET", f"admin/{resource}", params=params)
        self.served_at = self.served_at or answer.served_at
        document = answer.document
        name = resource.replace("-", "_")
        found = document.get(name) if isinstance(document, dict) else None
        if not isinstance(found, list) or not all(
            isinstance(each, dict) and isinstance(each.get("id"), str) for each in found
        ):
            raise SourceError(f"the answer holds no {resource}; is it a Medusa server?")
        return {**document, name: found}

    def counted(
        self, resource: str, before: tuple[int | str, int] | None
    ) -> tuple[int | str, int]:
        """Return the newest id, or that of *before*, and how many there are so far."""
        params = {"limit": "1", "order": "-id", "fields": "id"}
        if before is not None:
            params["id[$lte]"] = str(before[0])
        document = self._ask(resource, params)
        newest = document[resource.replace("-", "_")]
        count = document.get("count")
        if not isinstance(count, int):
            raise SourceError(f"Medusa does not say how many {resource} there are")
        far = before[0] if before else str(newest[0]["id"]) if newest else ""
        return far, count

    def pages(
        self, resource: str, fields: str, since: str | None
    ) -> Iterator[dict[str, Any]]:
        """Yield all records by their ids, so that none can be passed over."""
        name = resource.replace("-", "_")
        params = {"limit": str(self._page), "order": "id", "fields": fields}
        if since is not None:
            params["updated_at[$gte]"] = since
        if resource == "sales-channels":
            # They cannot be asked for after an id; there are few.
            document = self._ask(resource, {**params, "limit": str(_CHANNELS)})
            if document.get("count") != len({each["id"] for each in document[name]}):
                raise SourceError(f"Medusa has more than {_CHANNELS} sales channels")
            yield from document[name]
            return

        def after(last: str | None) -> list[dict[str, Any]]:
            more = {} if last is None else {"id[$gt]": last}
            found: list[dict[str, Any]] = self._ask(resource, {**params, **more})[name]
            return found

        yield from pages_by_id(after, name=f"Medusa's {resource}", reader=self._reader)


def _basic(secret: Secret) -> str:
    return base64.b64encode(f"{secret.reveal()}:".encode()).decode("ascii")


def _moment(text: Any) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(str(text)).astimezone(dt.UTC)
    except ValueError:
        raise SourceError("Medusa gave a moment that is none") from None


def _written(moment: dt.datetime) -> str:
    utc = moment.astimezone(dt.UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='milliseconds')}Z"


medusa_source = MedusaSource
"""What a chain file's ``adapter = "medusa"`` makes."""
