"""Count sheets: out from the ledger, and counts as a frame (HQ §7)."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from memberops.domain.gift import Place, PlaceKind, lies_within
from memberops.domain.stocktake import CountLine, Stocktake
from memberops.errors import InvalidValueError
from memberops.ledger.store import LedgerStore
from memberops.tables.counts import COUNTS
from memberops.tables.schema import Kind

__all__ = ["count_frame", "count_sheet", "uncounted_lines"]

_TYPES = {
    Kind.ID: "str",
    Kind.DATE: "datetime64[us]",
    Kind.INSTANT: "datetime64[us, UTC]",
    Kind.INTEGER: "Int64",
}
_KINDS = frozenset(kind.value for kind in PlaceKind if kind.named)


def count_sheet(
    ledger: LedgerStore,
    stocktake: Stocktake,
    *,
    also: Iterable[str] = (),
    position: int | None = None,
) -> pd.DataFrame:
    """
    Make the sheets of a stocktake from the ledger as of its cut-off.

    Expired lots stand in it like others. In a blind stocktake the frame has no column
    of book quantities, so that nobody who gets it can see them.

    Args:
        ledger: Any ledger.
        stocktake: What is counted; a kind such as ``"store"`` means every store that
            the ledger's rules list or that has stock.
        also: Gifts without lots that get a line at every place, on the books or not.
        position: Sequence of the last entry that counts; None: all there are.

    Returns:
        The columns of the table ``counts``, and ``book`` (int64) unless blind, by
        place, gift and lot; `counted` and who did it are left empty.

    Raises:
        UnknownPlaceError: The ledger's rules list places, and not one of these.

    >>> import datetime as dt
    >>> from memberops.ledger import Ledger
    >>> from memberops.domain import Movement, Posting
    >>> ledger, noon = Ledger(), dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
    >>> done = ledger.post(Posting(posting_id="P1", kind="receipt", effective_at=noon,
    ...     movements=[Movement(gift_id="CUP", source="supplier",
    ...                         destination="warehouse", quantity=10)]))
    >>> sheet = count_sheet(ledger, Stocktake(stocktake_id="C1", cutoff=noon,
    ...                                       places=["warehouse"]), also=["PEN"])
    >>> sheet[["gift_id", "book"]].values.tolist()
    [['CUP', 10], ['PEN', 0]]
    """
    for place in stocktake.places:
        ledger.rules.check_scope(place)
    return _sheet(ledger, stocktake, also, position)


def _sheet(
    ledger: LedgerStore,
    stocktake: Stocktake,
    also: Iterable[str] = (),
    position: int | None = None,
) -> pd.DataFrame:
    known = ledger.position if position is None else position
    book = ledger.balances(as_of=stocktake.cutoff, position=known)
    inside = [
        any(lies_within(place, each) for each in stocktake.places)
        for place in book["place"]
    ]
    lines = {
        (row.place, row.gift_id, row.lot_id): (row.valid_through, row.quantity)
        for row in book[inside].itertuples()
    }
    for place in _counted_places(ledger, stocktake, (str(each[0]) for each in lines)):
        for gift in also:
            if not any(key[:2] == (place, gift) for key in lines):
                lines[place, gift, ""] = (pd.NaT, 0)
    rows = [
        {
            "stocktake_id": stocktake.stocktake_id,
            "place": place,
            "gift_id": gift,
            "lot_id": lot or None,
            "valid_through": through,
            "counted_at": stocktake.cutoff,
            "position": known,
            "book": quantity,
        }
        for (place, gift, lot), (through, quantity) in sorted(
            lines.items(), key=lambda line: line[0]
        )
    ]
    frame = pd.DataFrame(rows, columns=[*COUNTS.names, "book"])
    frame = _typed(frame).astype({"book": "int64"})
    return frame.drop(columns="book") if stocktake.blind else frame


def uncounted_lines(
    ledger: LedgerStore, stocktake: Stocktake, lines: Iterable[CountLine] = ()
) -> tuple[CountLine, ...]:
    """
    Make the lines that a stocktake still owes: in the books, and in no row given.

    A sheet that comes back with rows torn off is not complete without them.

    Args:
        ledger: Any ledger.
        stocktake: What is counted.
        lines: Those that came back, counted or not.

    Returns:
        Lines without a count, as of the cut-off, by place, gift and lot.

    >>> import datetime as dt
    >>> from memberops.ledger import Ledger
    >>> from memberops.domain import Movement, Posting
    >>> ledger, noon = Ledger(), dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
    >>> done = ledger.post(Posting(posting_id="P1", kind="receipt", effective_at=noon,
    ...     movements=[Movement(gift_id="CUP", source="supplier",
    ...                         destination="warehouse", quantity=10)]))
    >>> called = Stocktake(stocktake_id="C1", cutoff=noon, places=["warehouse"])
    >>> owed, = uncounted_lines(ledger, called)
    >>> owed.gift_id, owed.counted
    ('CUP', None)
    """
    given = {(each.place, each.gift_id, each.lot_id or "") for each in lines}
    sheet = _sheet(ledger, stocktake)
    names = ["place", "gift_id", "lot_id", "valid_through"]
    owed = []
    for place, gift, lot, through in sheet[names].itertuples(index=False, name=None):
        lot_id = None if pd.isna(lot) else lot
        if (place, gift, lot_id or "") not in given:
            owed.append(
                CountLine(
                    stocktake_id=stocktake.stocktake_id,
                    place=place,
                    gift_id=gift,
                    lot_id=lot_id,
                    valid_through=None if pd.isna(through) else through.date(),
                    counted_at=stocktake.cutoff,
                    position=ledger.position,
                )
            )
    return tuple(owed)


def _counted_places(
    ledger: LedgerStore, stocktake: Stocktake, stocked: Iterable[str]
) -> list[str]:
    """List the places of a stocktake, those of a kind by name."""
    listed = [*(ledger.rules.places or ()), *stocked]
    found = {each for each in stocktake.places if each not in _KINDS}
    for kind in _KINDS & set(stocktake.places):
        found |= {
            ":".join(each.split(":")[:2]) for each in listed if lies_within(each, kind)
        }
    return sorted(found)


def count_frame(lines: Iterable[CountLine]) -> pd.DataFrame:
    """
    Make the frame of counts that `memberops.ledger.read_counts` takes.

    Args:
        lines: Count lines.

    Returns:
        A frame with the columns of the table ``counts``.
    """
    rows = [{name: getattr(line, name) for name in COUNTS.names} for line in lines]
    return _typed(pd.DataFrame(rows, columns=list(COUNTS.names)))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({column.name: _TYPES[column.kind] for column in COUNTS.columns})


def check_place(place: str, stocktake: Stocktake) -> str | None:
    """
    Name what is wrong with the place of a line, or None.

    Returns:
        ``"unknown"`` for what is no own place of goods, ``"elsewhere"`` for one that
        this stocktake does not count.
    """
    try:
        kind = Place(place).kind
    except (InvalidValueError, LookupError):
        return "unknown"
    if kind not in {PlaceKind.STORE, PlaceKind.WAREHOUSE}:
        return "unknown"
    if not any(lies_within(place, each) for each in stocktake.places):
        return "elsewhere"
    return None
