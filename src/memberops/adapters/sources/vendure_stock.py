"""Movements of stock from Vendure, which keeps them by the variant of a product."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from memberops.adapters.sources.counted_reading import Came
from memberops.adapters.sources.movement_rows import moved, unknown_items
from memberops.adapters.sources.records import latest_records
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.vendure_api import VendureSession, moment_of
from memberops.domain import Finding, Place, Severity
from memberops.errors import ConfigurationError, SourceError

__all__ = [
    "STOCK_COLUMNS",
    "goods_named",
    "goods_place",
    "stock_came",
    "stock_rows",
    "variants_wanted",
]

STOCK_COLUMNS = (
    "posting_id", "kind", "effective_at", "gift_id", "source", "destination",
    "quantity",
)  # fmt: skip
_MOVED = """
shelf%(at)s: productVariant(id: $own%(at)s) {
  id stockMovements(options: { skip: $skip%(at)s, take: $take%(at)s }) {
    items { ... on StockMovement { id createdAt type quantity } }
  }
}
"""
_VARIANT = (
    "id sku createdAt updatedAt stockMovements(options: { take: 1 }) { totalItems }"
)
_AT_ONCE = 10  # variants of one request
_NUMBER = re.compile("[0-9]{1,10}")
_LARGEST = 2**31 - 1  # of the integers that Vendure has for ids
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# What was set aside for an order, or no more, lies where it lay.
_RESERVED = frozenset({"ALLOCATION", "RELEASE"})
_OTHER_SIDE = {
    "ADJUSTMENT": {"other": "adjustment", "gained": "adjustment", "lost": "adjustment"},
    "SALE": {"other": "member", "gained": "return", "lost": "issue"},
    "CANCELLATION": {"other": "member", "gained": "return", "lost": "issue"},
    "RETURN": {"other": "member", "gained": "return", "lost": "issue"},
}


def goods_place(place: str) -> str:
    """
    Check where the stock is: not an account, which has none.

    Raises:
        UnknownPlaceError: It is no place.
        ConfigurationError: It is an account.

    >>> goods_place("store:S01")
    'store:S01'
    """
    if not Place(place).own:
        raise ConfigurationError(
            "'stock_place' is a place with goods, such as 'warehouse' or 'store:S01'"
        )
    return place


def goods_named(items: Any) -> tuple[str, ...] | None:
    """
    Check the SKUs or ids of the goods that are read; None for all.

    Raises:
        ConfigurationError: It is no list of texts, or an empty one.

    >>> goods_named(["G2", "G1", "G2"])
    ('G1', 'G2')
    """
    if items is None:
        return None
    if (
        isinstance(items, str)
        or not items
        or not all(isinstance(each, str) and each for each in items)
    ):
        raise ConfigurationError("'items' is a list of SKUs or ids of variants")
    return tuple(sorted(set(items)))


def variants_wanted(items: Sequence[str] | None) -> dict[str, Any]:
    """
    Write Vendure's filter for products that are named by SKU or by id.

    Only what can be an id is looked for among ids: PostgreSQL refuses to compare
    them with other texts, and with numbers that are too large, as barcodes are.

    >>> variants_wanted(["G1"])
    {'sku': {'in': ['G1']}}
    >>> variants_wanted(["6901234567892", "7"])["_or"][1]
    {'id': {'in': ['7']}}
    >>> variants_wanted(None)
    {}
    """
    if items is None:
        return {}
    named = {"sku": {"in": list(items)}}
    ids = [each for each in items if _UUID.fullmatch(each)] or [
        each for each in items if _NUMBER.fullmatch(each) and int(each) <= _LARGEST
    ]
    return {"_or": [named, {"id": {"in": ids}}]} if ids else named


def stock_rows(
    movement: Mapping[str, Any], *, gift_id: Any, place: str
) -> list[dict[str, Any]]:
    """
    Make rows of ``gift_movements`` of a movement.

    A sale goes to members when its fulfillment is made and comes back where that or
    the order is canceled; an adjustment is found or lost. What was only reserved did
    not move.
    Vendure does not say which order a movement is of, so no member is named.

    Args:
        movement: As Vendure gives it.
        gift_id: The SKU of its variant, or the variant's id.
        place: Where Vendure's stock is.

    Raises:
        SourceError: It is of a type that is none, or its quantity is not whole.

    >>> stock_rows({"id": "9", "createdAt": "2026-11-05T06:00:00.000Z", "type": "SALE",
    ...             "quantity": -2}, gift_id="G1", place="store:S01")[0]["destination"]
    'member'
    """
    kind, quantity = movement["type"], movement["quantity"]
    if kind in _RESERVED:
        return []
    if kind not in _OTHER_SIDE or not isinstance(quantity, int):
        raise SourceError("Vendure gave a movement of stock that is none it knows")
    return [
        {
            "posting_id": f"stock-{movement['id']}",
            "effective_at": movement["createdAt"],
            "gift_id": gift_id,
            **row,
        }
        for row in moved(quantity, place=place, **_OTHER_SIDE[kind])
    ]


def stock_came(
    session: VendureSession,
    since: dt.datetime | None,
    *,
    items: Sequence[str] | None,
    place: str,
    page: int,
) -> Came:
    """
    Read the movements of a moment or later, all for None.

    Those of a variant that was changed since are all read, as its SKU may be another.

    Args:
        session: Of the server.
        since: The moment.
        items: SKUs or ids of the products that count; None for all.
        place: Where Vendure's stock is.
        page: Movements of one variant in a request.

    Raises:
        SourceError: The server cannot be read.
    """
    variants = latest_records(
        session.pages("productVariants", _VARIANT, variants_wanted(items)), key="id"
    )
    variants.sort(key=lambda each: (len(str(each["id"])), str(each["id"])))
    found = latest_records(_movements(session, variants, since, page), key="id")
    unknown = unknown_items(
        items or (),
        {str(each.get(name)) for each in variants for name in ("id", "sku")},
        system="Vendure",
        called=("variants", "商品规格"),
        source="vendure/stockMovements",
    )
    return Came(
        origin="vendure/stockMovements",
        rows=[
            row
            for each in found
            for row in stock_rows(each, gift_id=each["gift_id"], place=place)
        ],
        seen=max((moment_of(each["createdAt"]) for each in found), default=None),
        served_at=session.served_at,
        findings=[*_places(session), *unknown],
        met={"productVariants": [str(each["createdAt"]) for each in variants]},
    )


@attrs.define(kw_only=True)
class _Shelf:
    """A variant, of which the movements before *end* are still to be read."""

    own: str
    gift_id: str
    since: dt.datetime | None
    total: int
    end: int
    seen: set[str] = attrs.field(factory=set)


def _movements(
    session: VendureSession,
    variants: Sequence[Mapping[str, Any]],
    since: dt.datetime | None,
    page: int,
) -> Iterator[dict[str, Any]]:
    """Yield movements, those of a variant from its last ones to the first."""
    shelves = []
    for each in variants:
        total = look_up(each, "stockMovements.totalItems")
        if not isinstance(total, int):
            raise SourceError("Vendure does not say how often a stock moved")
        own = str(each["id"])
        changed = since is None or moment_of(each["updatedAt"]) >= since
        shelves.append(
            _Shelf(
                own=own,
                gift_id=str(each.get("sku") or own),
                since=None if changed else since,
                total=total,
                end=total,
            )
        )
    while shelves := [each for each in shelves if each.end]:
        asked = shelves[:_AT_ONCE]
        turns = 0
        while (answers := _asked(session, asked, page)) is None:
            turns += 1
            session.wait(turns, "stockMovements")
        for shelf, found in zip(asked, answers, strict=True):
            shelf.end = max(0, shelf.end - page)
            shelf.seen |= {str(each["id"]) for each in found}
            yield from (
                {**each, "gift_id": shelf.gift_id}
                for each in found
                if shelf.since is None or moment_of(each["createdAt"]) >= shelf.since
            )
            if _enough(found, shelf.since):
                shelf.end = 0
            elif not shelf.end and len(shelf.seen) < shelf.total:
                raise SourceError(
                    "the stock of Vendure moved while it was read; nothing was taken "
                    "over, read again later"
                )


def _asked(
    session: VendureSession, shelves: Sequence[_Shelf], page: int
) -> list[list[dict[str, Any]]] | None:
    """Return the last movements before where each shelf ends; None for others."""
    given: dict[str, Any] = {}
    declared, fields = [], []
    for at, shelf in enumerate(shelves):
        skip = max(0, shelf.end - page)
        given |= {f"own{at}": shelf.own, f"skip{at}": skip}
        given[f"take{at}"] = shelf.end - skip
        declared.append(f"$own{at}: ID!, $skip{at}: Int!, $take{at}: Int!")
        fields.append(_MOVED % {"at": at})
    query = f"query Read({', '.join(declared)}) {{ {' '.join(fields)} }}"
    data = session.ask(query, given)
    answers: list[list[dict[str, Any]]] = []
    for at, shelf in enumerate(shelves):
        if look_up(data, f"shelf{at}") is None:
            # Deleted just now: the next reading misses it when it counts.
            shelf.total = 0
            answers.append([])
            continue
        found = look_up(data, f"shelf{at}.stockMovements.items")
        another = str(look_up(data, f"shelf{at}.id")) != shelf.own
        if not isinstance(found, list) or not all(
            isinstance(each, dict) and each.get("id") for each in found
        ):
            raise SourceError("the answer holds no movements; is it a Vendure server?")
        if another or any(str(each["id"]) in shelf.seen for each in found):
            return None  # an earlier answer that came again
        answers.append(found)
    return answers


def _enough(found: Sequence[Mapping[str, Any]], since: dt.datetime | None) -> bool:
    """
    Tell whether what is before these is too old to be asked for.

    Vendure gives movements in the order of ids, which is that of time where it
    counts them, and no order where they are random.
    """
    if since is None or not all(str(each["id"]).isdigit() for each in found):
        return False
    return any(moment_of(each["createdAt"]) < since for each in found)


def _places(session: VendureSession) -> list[Finding]:
    """Tell of several places of stock, between which movements do not tell."""
    many = session.total("stockLocations")
    if many < 2:  # noqa: PLR2004 - there is nothing to tell apart
        return []
    return [
        Finding(
            table="gift_movements",
            rule="stock-location-untold",
            severity=Severity.WARNING,
            source="vendure/stockMovements",
            count=many,
            message_en="Vendure does not say at which of its stock locations goods "
            "moved, so all of them count as one place; and an order that takes goods "
            "from several of them stands there in full for each",
            message_zh="Vendure 不说明货物在哪个库存地点变动，所有地点按同一处计；"
            "一笔订单从多个地点出货时，每个地点都记全数",
        )
    ]
