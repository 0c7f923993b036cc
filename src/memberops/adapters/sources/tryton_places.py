"""Locations of Tryton, and the places and accounts of the chain that they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from memberops.adapters.sources.tryton_reading import code_of
from memberops.adapters.sources.tryton_rpc import TrytonSession
from memberops.domain.gift import Place, PlaceKind
from memberops.errors import ConfigurationError, MemberOpsError, nearest

__all__ = ["StockPlaces", "places_option", "stock_places"]

_ACCOUNTS = {
    "supplier": "supplier",
    # Goods that a supplier sends to the customer never were the chain's own.
    "drop": "supplier",
    "customer": "member",
    "lost_found": "adjustment",
    "production": "adjustment:production",
    "rental": "adjustment:rental",
}


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


class StockPlaces:
    """
    The places and accounts that Tryton's locations are.

    A storage location is in the store of its warehouse, ``store:<code>``; outside of
    all warehouses goods are on their way. What *named* says of a location or of one
    that it lies in counts first.

    Args:
        locations: Records with ``code``, ``type``, ``parent`` and
            ``waste_warehouses``.
        named: Places by codes of locations, or by numbers of those without a code.

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
        known = {code_of(each) for each in self._locations.values()}
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
        return [(each, self.of(each)) for each in sorted(self._places)]

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
        names = map(code_of, self._within(location))
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
