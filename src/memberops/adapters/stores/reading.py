"""Balances, holds and movements, computed by the database."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from typing import Any

import pandas as pd
import sqlalchemy as sa

from memberops.adapters.stores.facts import read_cells, stored_lots
from memberops.adapters.stores.schema import (
    balances,
    entries,
    holds,
    lots,
    micros,
    movements,
)
from memberops.domain.gift import Lot
from memberops.ledger import BALANCE_COLUMNS, MOVEMENT_COLUMNS, Cell, LotStock

__all__ = ["balance_frame", "cell_balances", "held_at", "lots_at", "movement_table"]

_MOST_VALUES = 10_000
_HALF = 32
_LOW = 2**_HALF - 1
_SHIFT = sa.literal(_HALF, sa.Integer)  # PostgreSQL shifts a bigint by an integer


def _within(column: Any, place: str) -> sa.ColumnElement[bool]:
    """Match a place and its parts: the character after ':' is ';'."""
    return sa.or_(column == place, sa.and_(column >= f"{place}:", column < f"{place};"))


def _folded(
    as_of: dt.datetime | None,
    position: int | None,
    gift_id: str | None = None,
    place: str | None = None,
) -> sa.Select[Any]:
    """
    Sum the movements of each cell, up to a moment and a position.

    The upper and lower halves of the quantities are summed apart, so that no sum
    on the way can leave 64 bits, in whatever order the database adds.
    """
    sides = []
    for column, sign in ((movements.c.source, -1), (movements.c.destination, 1)):
        side = sa.select(
            movements.c.gift_id,
            movements.c.lot_id,
            column.label("place"),
            (sign * movements.c.quantity.bitwise_rshift(_SHIFT)).label("high"),
            (sign * movements.c.quantity.bitwise_and(_LOW)).label("low"),
        )
        if as_of is not None:
            side = side.where(movements.c.effective_at <= micros(as_of))
        if position is not None:
            side = side.where(movements.c.sequence <= position)
        if gift_id is not None:
            side = side.where(movements.c.gift_id == gift_id)
        if place is not None:
            side = side.where(_within(column, place))
        sides.append(side)
    both = sa.union_all(*sides).subquery()
    return sa.select(
        both.c.gift_id,
        both.c.place,
        both.c.lot_id,
        sa.func.sum(both.c.high).label("high"),
        sa.func.sum(both.c.low).label("low"),
    ).group_by(both.c.gift_id, both.c.place, both.c.lot_id)


def cell_balances(
    connection: sa.Connection,
    *,
    as_of: dt.datetime | None = None,
    position: int | None = None,
    gift_id: str | None = None,
    place: str | None = None,
) -> dict[Cell, int]:
    """
    Return balances by cell: of today as they are stored, else folded.

    Args:
        connection: In a transaction.
        as_of: Instant, inclusive; None: with everything effective later.
        position: Sequence of the last entry that counts; None: all.
        gift_id: Of one gift only.
        place: At one place and its parts only.
    """
    if as_of is None and position is None:
        stored = sa.select(
            balances.c.gift_id, balances.c.place, balances.c.lot_id, balances.c.quantity
        )
        if gift_id is not None:
            stored = stored.where(balances.c.gift_id == gift_id)
        if place is not None:
            stored = stored.where(_within(balances.c.place, place))
        return {
            Cell(gift, where, lot): quantity
            for gift, where, lot, quantity in connection.execute(stored)
        }
    folded = _folded(as_of, position, gift_id, place)
    return {
        Cell(gift, where, lot): (int(high) << _HALF) + int(low)
        for gift, where, lot, high, low in connection.execute(folded)
    }


def balance_frame(
    connection: sa.Connection, as_of: dt.datetime | None, position: int | None
) -> pd.DataFrame:
    """Return every balance that is not zero (`memberops.ledger.balances`)."""
    found = cell_balances(connection, as_of=as_of, position=position)
    through = {
        (row.gift_id, row.lot_id): row.valid_through
        for row in connection.execute(sa.select(lots))
    }
    rows = sorted(
        (cell.gift_id, cell.lot_id, cell.place, quantity)
        for cell, quantity in found.items()
        if quantity
    )
    return pd.DataFrame(
        [
            (gift, lot, through.get((gift, lot)), where, quantity)
            for gift, lot, where, quantity in rows
        ],
        columns=list(BALANCE_COLUMNS),
    ).astype(
        {
            "gift_id": "str",
            "lot_id": "str",
            "valid_through": "datetime64[s]",
            "place": "str",
            "quantity": "int64",
        }
    )


def held_at(
    connection: sa.Connection, gift_id: str, place: str, moment: dt.datetime
) -> int:
    """Return how many are held at a place and its parts at an instant."""
    at = micros(moment)
    # What has ended since kept its stock until the moment of what ended it.
    rows = connection.execute(
        sa.select(holds.c.quantity, holds.c.ended_by, entries.c.document)
        .outerjoin(entries, entries.c.key == holds.c.ended_by)
        .where(
            holds.c.gift_id == gift_id,
            _within(holds.c.place, place),
            holds.c.held_at <= at,
            sa.or_(holds.c.until.is_(None), holds.c.until > at),
        )
    )
    return sum(
        quantity
        for quantity, ended_by, document in rows
        if ended_by is None or _moment(document) > moment
    )


def _moment(document: str) -> dt.datetime:
    """Return the moment of the posting or release that ended a hold."""
    facts = json.loads(document)
    return dt.datetime.fromisoformat(facts.get("effective_at") or facts["at"])


def movement_table(
    connection: sa.Connection, gifts: Collection[str] | None = None
) -> pd.DataFrame:
    """Return the movements of all gifts, or of some, as a frame, by sequence."""
    chosen = (
        sa.select(
            movements.c.sequence,
            entries.c.key,
            entries.c.kind,
            movements.c.effective_at,
            movements.c.gift_id,
            movements.c.lot_id,
            movements.c.valid_through,
            movements.c.source,
            movements.c.destination,
            movements.c.quantity,
        )
        .join(entries, entries.c.sequence == movements.c.sequence)
        .order_by(movements.c.sequence, movements.c.line)
    )
    # A statement holds only so many values: beyond that all is read, and sifted.
    some = None if gifts is None else set(gifts)
    if some is not None and len(some) <= _MOST_VALUES:
        chosen = chosen.where(movements.c.gift_id.in_(some))
    rows = [
        tuple(row)
        for row in connection.execute(chosen)
        if some is None or row.gift_id in some
    ]
    frame = pd.DataFrame(rows, columns=list(MOVEMENT_COLUMNS))
    moments = frame["effective_at"].astype("int64").astype("datetime64[us]")
    texts = ("posting_id", "kind", "gift_id", "lot_id", "source", "destination")
    return frame.assign(effective_at=moments.dt.tz_localize("UTC")).astype(
        dict.fromkeys(texts, "str")
        | {"sequence": "int64", "quantity": "int64", "valid_through": "datetime64[s]"}
    )


def lots_at(
    connection: sa.Connection, gift_id: str, place: str, moment: dt.datetime
) -> tuple[LotStock, ...]:
    """List the lots of a gift at exactly that place, with what can be taken."""
    cells = [
        cell
        for cell in cell_balances(connection, gift_id=gift_id, place=place)
        if cell.place == place
    ]
    known = read_cells(connection, cells, moment)
    through = stored_lots(connection, [(gift_id, cell.lot_id) for cell in cells])
    found = []
    for cell in sorted(cells):
        quantity, here = known[cell]
        lot = Lot(lot_id=cell.lot_id, valid_through=through.get((gift_id, cell.lot_id)))
        available = here.lowest - here.held
        if quantity or available:
            found.append(LotStock(lot=lot, quantity=quantity, available=available))
    return tuple(found)
