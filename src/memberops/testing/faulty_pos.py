"""A point of sale on the loopback that lives, misbehaves, and knows the truth."""

from __future__ import annotations

import datetime as dt
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from memberops.testing.faulty_gateway_server import (
    GatewayAnswer,
    GatewayConnection,
    GatewayRequest,
    LoopbackServer,
)

__all__ = ["POS_FAULTS", "FaultyPos", "PosWorld"]

POS_FAULTS = (
    "429",
    "500",
    "503",
    "half",
    "reset",
    "repeat",
    "double",
    "shuffle",
    "gone",
    "write",
    "none",
)
"""
What may happen to a request: statuses (429 with ``Retry-After``), an answer that is
cut in the middle, a broken connection, the page that was asked for before, records
that come twice or out of order, a cursor that is no more, somebody who writes while
the page is read, and nothing.
"""

_RETRY = "1"
_STORES = ("S01", "S02", "S03")
_BEGIN = dt.datetime(2031, 3, 1, 2, 0, tzinfo=dt.UTC)


class PosWorld:
    """
    Members and orders that change, and what canonical tables have to say of them.

    Its clock is its own, years away from ours, and writes whole seconds.

    Args:
        seed: Of what happens.

    >>> world = PosWorld(seed=1)
    >>> world.happen(50)
    >>> len(world.truth("members")) > 0 and len(world.truth("sales")) > 0
    True
    """

    def __init__(self, *, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a world to test with
        self.now = _BEGIN
        self.customers: dict[int, dict[str, Any]] = {}
        self.orders: dict[int, dict[str, Any]] = {}
        self._refunds = 0
        self._writes = 0
        self._lock = threading.RLock()

    def happen(self, times: int = 1) -> None:
        """Let something happen: mostly sales, often changes, sometimes a deletion."""
        acts: tuple[Callable[[], None], ...] = (
            self._enrol,
            self._enrol,
            self._change_customer,
            self._delete_customer,
            *(self._sell,) * 4,
            self._change_order,
            self._refund,
            self._void,
        )
        with self._lock:
            for _ in range(times):
                # Several things happen in one second; then minutes pass.
                self.now += dt.timedelta(seconds=self.random.choice((0, 0, 1, 7, 400)))
                self.random.choice(acts)()

    def vanish(self, kind: str) -> None:
        """Remove the oldest record without a trace, as a database clean-up does."""
        with self._lock:
            records = self.customers if kind == "customers" else self.orders
            if records:
                del records[min(records)]

    def truth(self, table: str) -> Counter[tuple[Any, ...]]:
        """
        Return the rows that a table has to hold, and how often each.

        Args:
            table: ``members`` (member_id, name, phone) or ``sales`` (ticket_id,
                moment, store_id, member_id, item_id, quantity, amount in minor
                units, returned_ticket_id).
        """
        with self._lock:
            if table == "members":
                return Counter(
                    (str(each["id"]), each["name"], each["mobile"])
                    for each in self.customers.values()
                    if not each["deleted_at"]
                )
            return Counter(
                row
                for order in self.orders.values()
                if order["status"] == "paid"
                for row in _rows(order)
            )

    def _stamp(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _version(self) -> int:
        """Return a number that grows with each write."""
        self._writes += 1
        return self._writes

    def _enrol(self) -> None:
        own = len(self.customers) + 1 + max(self.customers, default=0)
        self.customers[own] = {
            "id": own,
            "name": f"会员{own}",
            "mobile": f"138{self.random.randrange(10**8):08d}",
            "deleted_at": None,
            "updated_at": self._stamp(),
            "version": self._version(),
        }

    def _one(self, records: Mapping[int, dict[str, Any]]) -> dict[str, Any] | None:
        there = [r for r in records.values() if not r.get("deleted_at")]
        return self.random.choice(there) if there else None

    def _change_customer(self) -> None:
        if found := self._one(self.customers):
            mobile = f"139{self.random.randrange(10**8):08d}"
            self.customers[found["id"]] = {
                **found,
                "mobile": mobile,
                "updated_at": self._stamp(),
                "version": self._version(),
            }

    def _delete_customer(self) -> None:
        if found := self._one(self.customers):
            stamp = self._stamp()
            self.customers[found["id"]] = {
                **found,
                "deleted_at": stamp,
                "updated_at": stamp,
                "version": self._version(),
            }

    def _lines(self, most: int = 3) -> list[dict[str, Any]]:
        return [
            {
                "sku": f"G{self.random.randrange(50):03d}",
                "qty": self.random.randint(1, 4),
                "amount": f"{Decimal(self.random.randrange(1, 90_000)) / 100:.2f}",
            }
            for _ in range(self.random.randint(1, most))
        ]

    def _sell(self) -> None:
        own = max(self.orders, default=1000) + self.random.randint(1, 3)
        customer = self._one(self.customers)
        self.orders[own] = {
            "id": own,
            "store": self.random.choice(_STORES),
            "customer_id": customer["id"] if customer else None,
            "status": "paid",
            "created_at": self._stamp(),
            "updated_at": self._stamp(),
            "version": self._version(),
            "lines": self._lines(),
            "refunds": [],
        }

    def _update_order(self, **fields: Any) -> None:
        found = self._one(self.orders)
        if found and found["status"] == "paid":
            new = {
                name: make(found) if callable(make) else make
                for name, make in fields.items()
            }
            stamps = {"updated_at": self._stamp(), "version": self._version()}
            self.orders[found["id"]] = {**found, **new, **stamps}

    def _change_order(self) -> None:
        """Change an order: it may come to have fewer lines, or none."""
        self._update_order(lines=lambda _: self._lines()[self.random.randint(0, 1) :])

    def _void(self) -> None:
        self._update_order(status="void")

    def _refund(self) -> None:
        self._refunds += 1
        own = f"R{self._refunds}"
        made = {"id": own, "created_at": self._stamp(), "lines": self._lines(1)}
        self._update_order(refunds=lambda order: [*order["refunds"], made])

    def found(self, kind: str, since: str | None) -> list[dict[str, Any]]:
        """
        Return the records that changed, in the order of ids.

        Args:
            kind: ``customers`` or ``orders``.
            since: A moment, at or after which, or a version, after which; None for
                all.
        """
        with self._lock:
            records = self.customers if kind == "customers" else self.orders
            return [
                records[own]
                for own in sorted(records)
                if since is None or _is_since(records[own], since)
            ]


def _is_since(record: Mapping[str, Any], since: str) -> bool:
    if since.lstrip("-").isdigit():
        return bool(record["version"] > int(since))
    return bool(record["updated_at"] >= since[:19])


def _rows(order: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    buyer = None if order["customer_id"] is None else str(order["customer_id"])
    for ticket, at, sign, lines, of in (
        (str(order["id"]), order["created_at"], 1, order["lines"], None),
        *(
            (each["id"], each["created_at"], -1, each["lines"], str(order["id"]))
            for each in order["refunds"]
        ),
    ):
        for line in lines:
            amount = sign * int(Decimal(line["amount"]) * 100)
            quantity = sign * line["qty"]
            store, item = order["store"], line["sku"]
            yield ticket, at, store, buyer, item, quantity, amount, of


def _goes_on(query: Mapping[str, str]) -> bool:
    """Tell whether a request asks for another page than the first."""
    place = [query.get(name, "0") for name in ("offset", "after", "cursor")]
    return place != ["0", "0", "0"] or query.get("page", "1") != "1"


class FaultyPos:
    """
    Serves a `PosWorld` over HTTP, with faults that a test plans.

    It answers ``GET /customers`` and ``GET /orders`` with ``since`` (a moment of
    ``updated_at``, or a number of ``version``), and pages by
    ``offset``, ``page``, ``cursor`` (with ``next`` in the answer), ``after`` (the last
    id), or by ``link=1`` (a ``Link`` header); with ``size`` up to *largest*.

    Args:
        world: What it serves.
        faults: Names of `POS_FAULTS`, one for each request to come; then there are
            none.
        largest: Records of a page at most, whatever is asked for.
        key: What the ``Authorization`` header has to be.
        date: Seconds by which the ``Date`` header is off the world's clock; None for
            no such header.

    >>> world = PosWorld(seed=1)
    >>> world.happen(20)
    >>> with FaultyPos(world) as pos:
    ...     import urllib.request
    ...     with urllib.request.urlopen(f"{pos.url}/orders?size=2") as answer:
    ...         len(json.load(answer)["orders"])
    2
    """

    def __init__(
        self,
        world: PosWorld,
        *,
        faults: Iterable[str] = (),
        largest: int = 50,
        key: str | None = None,
        date: int | None = 0,
    ) -> None:
        self.world = world
        self.faults = list(faults)
        self.requests: list[str] = []
        self.broken = 0
        self._largest = largest
        self._key = key
        self._date = date
        self._before: dict[str, GatewayAnswer] = {}
        self._server = LoopbackServer(self._serve)
        self.url = self._server.url

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def __enter__(self) -> Self:
        """Serve until the block ends."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving."""
        self.close()

    def _serve(self, request: GatewayRequest, connection: GatewayConnection) -> None:
        self.requests.append(request.target)
        fault = self.faults.pop(0) if self.faults else "none"
        self.broken += fault != "none"
        if self._key and request.headers.get("authorization") != self._key:
            connection.answer(self._said({"error": "who are you"}, status=401))
            return
        if fault == "write":
            self.world.happen(self.world.random.randint(1, 4))
        parts = urlsplit(request.target)
        query = dict(parse_qsl(parts.query))
        kind = parts.path.strip("/")
        if kind not in {"customers", "orders"}:
            connection.answer(self._said({"error": "no such place"}, status=404))
            return
        if fault in {"429", "500", "503"}:
            answer = self._said(
                {"error": "busy"},
                status=int(fault),
                headers={"Retry-After": _RETRY} if fault == "429" else {},
            )
        elif fault == "gone" and ("since" in query or "cursor" in query):
            answer = self._said({"error": "no such cursor"}, status=410)
        elif fault == "repeat" and kind in self._before and _goes_on(query):
            answer = self._before[kind]
        else:
            answer = self._page(kind, query, fault)
            self._before[kind] = answer
        if fault == "reset":
            connection.reset()
        elif fault == "half":
            connection.half(answer)
        else:
            connection.answer(answer)

    def _page(self, kind: str, query: Mapping[str, str], fault: str) -> GatewayAnswer:
        found = self.world.found(kind, query.get("since"))
        size = min(int(query.get("size", self._largest)), self._largest)
        after = query.get("after") or query.get("cursor")
        if after is not None:
            rest = [each for each in found if each["id"] > int(after)]
        else:
            skip = int(query.get("offset", 0))
            skip += (int(query.get("page", 1)) - 1) * size
            rest = found[skip:]
        page = rest[:size]
        document: dict[str, Any] = {"total": len(found)}
        headers = {}
        if len(rest) > size:
            document["next"] = str(page[-1]["id"])
            if "link" in query:
                more = {**query, "cursor": document["next"]}
                text = "&".join(f"{name}={value}" for name, value in more.items())
                headers["Link"] = f'</{kind}?{text}>; rel="next"'
        if fault == "double":
            page = [*page[:3], *page]
        if fault == "shuffle":
            page = self.world.random.sample(page, len(page))
        document[kind] = page
        return self._said(document, headers=headers)

    def _said(
        self,
        document: Any,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> GatewayAnswer:
        told = dict(headers or {})
        if self._date is not None:
            at = self.world.now + dt.timedelta(seconds=self._date)
            told["Date"] = at.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return GatewayAnswer(
            body=json.dumps(document, ensure_ascii=False).encode(),
            status=status,
            headers=told,
        )
