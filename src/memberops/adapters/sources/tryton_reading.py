"""What all tables of Tryton have in common: how changes are asked for and dated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import attrs

from memberops.adapters.sources.counted_reading import Came
from memberops.adapters.sources.records import latest_records
from memberops.adapters.sources.tryton_rpc import TrytonSession, told
from memberops.errors import ConfigurationError

__all__ = [
    "DATES",
    "TILL",
    "TrytonReading",
    "changed_at",
    "code_of",
    "names_option",
    "numbers_of",
    "reference",
    "since_domain",
    "store_reading",
    "stores_of",
    "ticket_of",
]

DATES = ("create_date", "write_date")
TILL = "sale.point.sale"
"""The model of the sales of Tryton's own till."""


@attrs.frozen(kw_only=True)
class TrytonReading:
    """
    How one canonical table is read in one session.

    Args:
        came: Reads what changed at a moment or later, all for None.
        columns: Fields of all rows.
        counts: Models of which records are counted, to miss deleted ones.
        marks: What else the rows depend on.
        dated: Whether changes can be asked for.
        key: `SourceChanges.key`, of a table that has none of its own.
    """

    came: Callable[[dt.datetime | None], Came]
    columns: tuple[str, ...]
    counts: Sequence[str] = ()
    marks: tuple[Any, ...] = attrs.field(default=(), repr=False)
    dated: bool = True
    key: tuple[str, ...] = ()


def names_option(names: Any, *, option: str) -> tuple[str, ...]:
    """
    Check that an option is a list of names or numbers.

    Raises:
        ConfigurationError: It is none, or an empty one.

    >>> names_option(["G-1", 55], option="items")
    ('G-1', '55')
    """
    found = () if isinstance(names, str) else tuple(names)
    if not found or not all(type(each) in (str, int) for each in found):
        raise ConfigurationError(
            f"{option!r} is a list of names or numbers, such as {option} = ['G-1']"
        )
    return tuple(str(each) for each in found)


def since_domain(since: dt.datetime | None, *inner: str) -> list[Any]:
    """
    Write the condition of records that are new or changed, or have lines that are.

    Args:
        since: From this moment on; None for all records.
        *inner: Names of the fields with lines.

    >>> since_domain(None)
    []
    >>> [each if each == "OR" else each[:2]
    ...     for each in since_domain(dt.datetime(2026, 11, 5, tzinfo=dt.UTC))]
    ['OR', ['create_date', '>='], ['write_date', '>=']]
    """
    if since is None:
        return []
    at = told(since)
    paths = [*DATES, *(f"{name}.{each}" for name in inner for each in DATES)]
    return ["OR", *([path, ">=", at] for path in paths)]


def changed_at(record: Mapping[str, Any], *inner: str) -> dt.datetime:
    """
    Return when a record or one of its lines was changed last.

    >>> born = dt.datetime(2026, 11, 5, 8, tzinfo=dt.UTC)
    >>> changed_at({"create_date": born, "write_date": None}) == born
    True
    """
    lines = [line for name in inner for line in record.get(f"{name}.") or ()]
    found: list[dt.datetime | None]
    found = [one[each] for one in (record, *lines) for each in DATES]
    return max(each for each in found if each is not None)


def code_of(location: Mapping[str, Any]) -> str:
    """
    Return how a location is called in ids: by its code, or by its number.

    >>> code_of({"code": None, "id": 7})
    '7'
    """
    return str(location["code"] or location["id"])


def stores_of(session: TrytonSession) -> dict[int, str]:
    """Return the stores by the numbers of their warehouses."""
    found = session.pages("stock.location", [["type", "=", "warehouse"]], ["code"])
    return {each["id"]: code_of(each) for each in found}


def store_reading(session: TrytonSession) -> TrytonReading:
    """Return how ``stores`` is read, which are the warehouses in use."""

    def came(_since: dt.datetime | None) -> Came:
        domain = [["type", "=", "warehouse"]]
        found = session.pages("stock.location", domain, ["name", "code", "active"])
        return Came(
            origin="tryton/stock.location",
            rows=[
                {"store_id": code_of(each), "name": each["name"]}
                for each in latest_records(found, key="id")
                if each["active"]
            ],
            served_at=session.served_at,
        )

    return TrytonReading(came=came, columns=("store_id", "name"), dated=False)


def reference(text: Any) -> tuple[str, int]:
    """
    Read what a record refers to: the model and the id, or an empty text and 0.

    >>> reference("sale.sale,12"), reference(None), reference("sale.sale,-1")
    (('sale.sale', 12), ('', 0), ('', 0))
    """
    model, _, number = str(text or "").partition(",")
    return (model, int(number)) if number.isdecimal() else ("", 0)


def numbers_of(references: Iterable[tuple[str, int]], model: str) -> Collection[int]:
    """
    Return the ids of one model among what is referred to.

    >>> sorted(numbers_of([("a", 1), ("b", 2), ("a", 3)], "a"))
    [1, 3]
    """
    return {number for name, number in references if name == model}


def ticket_of(model: str, number: int) -> str:
    """
    Return the id of the ticket that a sale is; both models count from 1.

    >>> ticket_of("sale.sale", 7), ticket_of("sale.point.sale", 7)
    ('7', 'point-7')
    """
    return f"point-{number}" if model == TILL else str(number)
