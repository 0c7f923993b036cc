"""Movements of stock in Tryton: which goods went from where to where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from memberops.adapters.sources.counted_reading import Came
from memberops.adapters.sources.movement_rows import moved
from memberops.adapters.sources.records import latest_records
from memberops.adapters.sources.tryton_reading import (
    DATES,
    TILL,
    TrytonReading,
    changed_at,
    code_of,
    numbers_of,
    reference,
    since_domain,
    ticket_of,
)
from memberops.adapters.sources.tryton_rpc import TrytonSession
from memberops.domain.gift import Place, PlaceKind
from memberops.errors import ConfigurationError, MemberOpsError, nearest

__all__ = ["StockPlaces", "kind_of", "places_option", "stock_places", "stock_reading"]

_MOVE = (
    "state", "product", "product.code", "internal_quantity", "effective_date",
    "from_location", "to_location", "shipment", "origin", *DATES,
)  # fmt: skip
_COLUMNS = ("posting_id", "kind", "effective_at", "gift_id", "source", "destination",
            "quantity", "refers_to")  # fmt: skip
_ACCOUNTS = {
    "supplier": "supplier",
    # Goods that a supplier sends to the customer never were the chain's own.
    "drop": "supplier",
    "customer": "member",
    "lost_found": "adjustment",
    "production": "adjustment:production",
    "rental": "adjustment:rental",
}
# Models of shipments that say to or from whom they are.
_TO_CUSTOMERS = (
    "stock.shipment.out",
    "stock.shipment.out.return",
    "stock.shipment.drop",
)
_INTERNAL = "stock.shipment.internal"
_SALE_LINE = "sale.line"
_TILL_LINE = f"{TILL}.line"


def places_option(places: Any) -> dict[str, str]:
    """
    Check what a chain calls the locations of Tryton.

    Raises:
        ConfigurationError: It is no table of places by codes.

    >>> places_option({"WH": "warehouse"})
    {'WH': 'warehouse'}
    """
    if not isinstance(places, Mapping):
        raise ConfigurationError(
            "'places' is a table of codes of locations, such as { WH = 'warehouse' }"
        )
    for code, place in places.items():
        try:
            Place(place)
        except MemberOpsError as error:
            raise ConfigurationError(f"'places', {str(code)[:40]!r}: {error}") from None
    return {str(code): str(place) for code, place in places.items()}


def kind_of(source: str, destination: str) -> str:
    """
    Say what a movement between two places is, a word of `PostingKind`.

    >>> kind_of("store:S01", "member:7"), kind_of("member:7", "store:S01")
    ('issue', 'return')
    >>> kind_of("warehouse", "in_transit:S01"), kind_of("in_transit:S01", "store:S01")
    ('dispatch', 'arrival')
    >>> kind_of("supplier", "warehouse"), kind_of("adjustment", "warehouse")
    ('receipt', 'adjustment')
    """
    came, went = Place(source), Place(destination)
    if came.own and went.own:
        if went.kind is PlaceKind.IN_TRANSIT:
            return "dispatch"
        return "arrival" if came.kind is PlaceKind.IN_TRANSIT else "transfer"
    if PlaceKind.OPENING in {came.kind, went.kind}:
        return "opening"
    for kind, place, word in (
        (PlaceKind.MEMBER, went, "issue"),
        (PlaceKind.MEMBER, came, "return"),
        (PlaceKind.SUPPLIER, came, "receipt"),
        (PlaceKind.SUPPLIER, went, "return"),
        (PlaceKind.DESTROYED, went, "destruction"),
    ):
        if place.kind is kind:
            return word
    return "adjustment"


class StockPlaces:
    """
    The places and accounts that Tryton's locations are.

    A storage location is in the store of its warehouse, ``store:<code>``; outside of
    all warehouses goods are on their way. What *named* says of a location or of one
    that it lies in counts first.

    Args:
        locations: Records with ``code``, ``type``, ``parent`` and
            ``waste_warehouses``.
        named: Places by codes, or numbers, of locations.

    Raises:
        ConfigurationError: No location has a code that *named* has.

    >>> shop = {"id": 3, "code": "S01", "type": "warehouse", "parent": None}
    >>> shelf = {"id": 4, "code": None, "type": "storage", "parent": 3}
    >>> StockPlaces([shop, shelf], {}).of(4)
    'store:S01'
    >>> StockPlaces([shop, shelf], {"S01": "warehouse"}).of(4)
    'warehouse'
    """

    def __init__(
        self, locations: Iterable[Mapping[str, Any]], named: Mapping[str, str]
    ) -> None:
        self._locations = {each["id"]: each for each in locations}
        known = {name for each in self._locations.values()
                 for name in (code_of(each), str(each["id"]))}  # fmt: skip
        for code in named:
            if code not in known:
                raise ConfigurationError(
                    f"'places': no location of Tryton has the code {code[:40]!r}; "
                    f"{nearest(code, known)}"
                )
        self._named = named
        self._places = {number: self._found(number) for number in self._locations}

    def __repr__(self) -> str:
        """Show how many there are."""
        return f"StockPlaces({len(self._places)} locations)"

    @property
    def marks(self) -> list[tuple[int, str]]:
        """All places by the numbers of their locations."""
        return sorted(self._places.items())

    def of(self, location: int) -> str:
        """Return the place, or ``in_transit`` of the location if there is none."""
        return self._places[location] or f"in_transit:{self._code(location)}"

    def on_the_way(self, location: int) -> bool:
        """Tell whether a location is of no store."""
        return not self._places[location]

    def store_of(self, location: int) -> str | None:
        """
        Return the store of a location, None outside of all of them.

        It is the one that was named, or the warehouse.
        """
        kind, *names = self._name_of(location).split(":")
        if kind == PlaceKind.STORE:
            return names[0]
        shops = (each for each in self._within(location) if each["type"] == "warehouse")
        return next(map(code_of, shops), None)

    def _code(self, location: int) -> str:
        return code_of(self._locations[location])

    def _found(self, location: int) -> str:
        """Return the place; an empty text where goods are outside of warehouses."""
        if name := self._name_of(location):
            return name
        within = list(self._within(location))
        kind = within[0]["type"]
        if kind == "lost_found" and within[0].get("waste_warehouses"):
            return "destroyed"
        if kind in _ACCOUNTS:
            return _ACCOUNTS[kind]
        shops = [each for each in within if each["type"] == "warehouse"]
        return f"store:{code_of(shops[0])}" if shops else ""

    def _name_of(self, location: int) -> str:
        """Return how a location or what it lies in was named, nearest first."""
        names = (
            name
            for each in self._within(location)
            for name in (code_of(each), str(each["id"]))
        )
        return next((self._named[name] for name in names if name in self._named), "")

    def _within(self, location: int | None) -> Iterable[Mapping[str, Any]]:
        while location in self._locations:
            yield self._locations[location]
            location = self._locations[location]["parent"]


def stock_places(session: TrytonSession, named: Mapping[str, str]) -> StockPlaces:
    """
    Ask for the locations of Tryton.

    Args:
        session: An open session.
        named: What the chain calls them; see `StockPlaces`.

    Raises:
        ConfigurationError: No location has a code that *named* has.
    """
    fields = ["code", "type", "parent", "waste_warehouses"]
    return StockPlaces(session.pages("stock.location", [], fields), named)


def stock_reading(
    session: TrytonSession,
    *,
    zone: dt.tzinfo,
    named: Mapping[str, str],
    items: Collection[str] | None,
    walk_in: Collection[int],
) -> TrytonReading:
    """
    Return how ``gift_movements`` is read.

    Args:
        session: An open session.
        zone: Of the chain: a move is of the beginning of its day.
        named: What the chain calls locations; see `StockPlaces`.
        items: Codes or numbers of the products that are read; None for all.
        walk_in: Parties that are no members.
    """
    places = stock_places(session, named)

    def came(since: dt.datetime | None) -> Came:
        domain = [since_domain(since), _of_items(items)]
        moves = latest_records(session.pages("stock.move", domain, _MOVE), key="id")
        done = [move for move in moves if move["state"] == "done"]
        papers = _Papers(session, done, walk_in)
        rows: list[dict[str, Any]] = []
        gone: list[str] = []
        for move in moves:
            own = _rows(move, places, papers, zone) if move["state"] == "done" else []
            rows += own
            if not own:
                gone.append(_posting(move))
        return Came(
            origin="tryton/stock.move",
            rows=rows,
            gone=gone,
            seen=max(map(changed_at, moves), default=None),
            served_at=session.served_at,
        )

    return TrytonReading(
        came=came,
        columns=_COLUMNS,
        marks=(places.marks, None if items is None else sorted(items)),
        key=("posting_id",),
    )


def _of_items(items: Collection[str] | None) -> list[Any]:
    if items is None:
        return []
    numbers = [int(each) for each in items if each.isdecimal()]
    return [
        "OR",
        ["product", "in", sorted(numbers)],
        ["product.code", "in", sorted(items)],
    ]


class _Papers:
    """Whom shipments and sales of moves are for, and where shipments go."""

    def __init__(
        self,
        session: TrytonSession,
        moves: Collection[Mapping[str, Any]],
        walk_in: Collection[int],
    ) -> None:
        shipments = [reference(move["shipment"]) for move in moves]
        lines = [reference(move["origin"]) for move in moves]
        self._walk_in = walk_in
        self._parties = {
            (model, each["id"]): each["customer"]
            for model in _TO_CUSTOMERS
            if (numbers := numbers_of(shipments, model))
            for each in session.by_values(model, "id", numbers, ["customer"])
        }
        self._aims = {
            each["id"]: each["to_location"]
            for each in session.by_values(
                _INTERNAL, "id", numbers_of(shipments, _INTERNAL), ["to_location"]
            )
        }
        self._sales = {
            each["id"]: (each["sale"], each["sale."]["party"])
            for each in session.by_values(
                _SALE_LINE, "id", numbers_of(lines, _SALE_LINE), ["sale", "sale.party"]
            )
        }

        self._till = {
            each["id"]: each["sale"]
            for each in session.by_values(
                _TILL_LINE, "id", numbers_of(lines, _TILL_LINE), ["sale"]
            )
        }

    def ticket(self, move: Mapping[str, Any]) -> str | None:
        """Return the ticket that a move is for."""
        model, number = reference(move["origin"])
        if model == _SALE_LINE and number in self._sales:
            return ticket_of("sale.sale", self._sales[number][0])
        if model == _TILL_LINE and number in self._till:
            return ticket_of(TILL, self._till[number])
        return None

    def _buyer(self, move: Mapping[str, Any]) -> int | None:
        model, number = reference(move["origin"])
        found = self._sales.get(number) if model == _SALE_LINE else None
        return found[1] if found else None

    def member(self, move: Mapping[str, Any]) -> str:
        """Return whom a move to or from customers is for."""
        party = self._parties.get(reference(move["shipment"])) or self._buyer(move)
        return (
            "member" if party is None or party in self._walk_in else f"member:{party}"
        )

    def aim(self, move: Mapping[str, Any]) -> int | None:
        """Return the location to which goods that are moved by two moves go."""
        model, number = reference(move["shipment"])
        return self._aims.get(number) if model == _INTERNAL else None


def _posting(move: Mapping[str, Any]) -> str:
    return f"stock-{move['id']}"


def _rows(
    move: Mapping[str, Any], places: StockPlaces, papers: _Papers, zone: dt.tzinfo
) -> list[dict[str, Any]]:
    """Return the row of a move; none where the goods stayed at their place."""

    def end(location: int) -> str:
        place = places.of(location)
        if place == "member":
            return papers.member(move)
        aim = papers.aim(move) if places.on_the_way(location) else None
        if aim is None or places.on_the_way(aim):
            return place
        return f"in_transit:{places.of(aim).removeprefix('store:')}"

    source, destination = end(move["from_location"]), end(move["to_location"])
    if source == destination:
        return []
    kind, ticket = kind_of(source, destination), papers.ticket(move)
    known = {
        "posting_id": _posting(move),
        "effective_at": dt.datetime.combine(
            move["effective_date"], dt.time(), tzinfo=zone
        ),
        "gift_id": (move["product."] or {}).get("code") or move["product"],
        "refers_to": None if ticket is None else f"ticket={ticket}",
    }
    return [
        known | row
        for row in moved(
            move["internal_quantity"],
            place=destination,
            other=source,
            gained=kind,
            lost=kind,
        )
    ]
