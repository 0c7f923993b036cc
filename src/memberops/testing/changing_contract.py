"""Take a source that tells changes through a small world, and count what it loses."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

import pandas as pd

from memberops.adapters.sources.changes import (
    ChangingSource,
    RecordKey,
    SourceChanges,
    merge_changes,
    record_keys,
)
from memberops.domain import Currency
from memberops.errors import InvalidValueError, bounded
from memberops.tables import Kind
from memberops.tables import table as canonical_table
from memberops.testing.changing_records import MAKERS, RecordMaker, named_by
from memberops.testing.contracts import (
    broken_by_result,
    personal_values,
    shows_value,
    told,
)

__all__ = ["SourceWorld", "check_changing_source"]

_FAULTS = {
    "repeated-page": "a page that came twice",
    "late-page": "pages out of order",
    "clock-back": "the server's clock went back",
}
_Rows = Sequence[Mapping[str, Any]]


class SourceWorld(Protocol):
    """
    The system behind a source, as its author can play it: a fake or a real server.

    Let pages hold three records or fewer, so that a few records fill several.
    """

    def columns(self, table: str) -> Sequence[str]:
        """Name the canonical columns that the system keeps as they were written."""

    def put(self, table: str, rows: _Rows, key: RecordKey | None = None) -> RecordKey:
        """
        Write a record: a member's row, or all lines of a ticket.

        Of postings it is all that moves at once, of consents all that a member said.

        Args:
            table: The canonical table.
            rows: Values of canonical columns; amounts are `Decimal`, days are dates,
                moments are aware datetimes.
            key: The record to replace; None for a new one.

        Returns:
            The key under which the source will give it.
        """

    def delete(self, table: str, key: RecordKey) -> bool:
        """Take a record out; False if the system never does that."""

    def fault(self, name: str) -> bool:
        """
        Begin to misbehave, from now on; False if the world cannot play it.

        Args:
            name: ``"repeated-page"``, ``"late-page"``, ``"clock-back"`` (by less than
                the overlap), or ``"cursor-gone"`` (cursors of before are not known).
        """


def check_changing_source(
    make_source: Callable[[], ChangingSource],
    world: SourceWorld,
    *,
    table: str = "members",
    currency: Currency | None = None,
    made: RecordMaker | None = None,
) -> None:
    """
    Check that a source loses nothing and doubles nothing while its system changes.

    The world is written to, and after each step a new source, which knows only the
    cursor, is asked what changed; that is merged, and compared with what was written:
    new, changed and deleted records, several in one second, a ticket that loses a
    line, pages that repeat or come late, a clock that goes back, a cursor that is not
    known any more. Each answer is held to the promises of `check_source` too, and no
    cursor may hold a personal value.

    Args:
        make_source: Makes a source of that world.
        world: The system.
        table: ``"members"``, ``"sales"``, ``"cards"``, ``"consents"``,
            ``"complaints"`` or ``"gift_movements"``. Of sales also moments and
            the tickets that lines take back are compared, of cards corrected terms.
        currency: Currency of the amounts; CNY if None.
        made: Makes the rows of a record, of its number and how many rows it may have,
            up to 3: for another table, or where the system cannot keep what is made
            otherwise. Records of other numbers have other values. None for those of
            the six tables.

    Raises:
        AssertionError: Naming the step, and the promises that it broke.
        InvalidValueError: Another table without *made*, or one whose rows have no key.
    """
    maker = made or MAKERS.get(table)
    if maker is None:
        raise InvalidValueError(
            f"'table' is one of {bounded(MAKERS)}; of another one give 'made', which "
            "makes the rows of a record"
        )
    walk = _Walk(make_source, world, table, currency or Currency("CNY"), maker)
    walk.put_new(7)
    walk.look("the first reading")
    walk.look("nothing happened")
    walk.put_new(2)
    walk.look("new records just after a reading")
    for turn in ("a changed record", "the same record changed again"):
        walk.change(0)
        walk.change(4)
        walk.look(turn)
    if walk.has_lines:
        walk.change(1, rows=walk.made(1))
        walk.look("a record that lost its other lines")
    walk.put_new(8)
    walk.change(2)
    walk.look("more changes than a page holds")
    if walk.delete(3):
        walk.look("a deleted record")
        walk.delete(5)
        walk.put_new(1)
        walk.look("a deleted record and a new one")
    for fault, step in _FAULTS.items():
        if world.fault(fault):
            walk.put_new(4)
            walk.change(0)
            walk.look(step)
    walk.look_whole("the whole table")
    if world.fault("cursor-gone"):
        walk.put_new(1)
        walk.look("a cursor that is gone", since=walk.cursor, known=False)
    walk.look("a cursor that never was", since="no such cursor", known=False)
    walk.put_new(1)
    walk.look("a new record after all that")


class _Walk:
    """What was written to the world, and what was read of it so far."""

    def __init__(
        self,
        make_source: Callable[[], ChangingSource],
        world: SourceWorld,
        table: str,
        currency: Currency,
        maker: RecordMaker,
    ) -> None:
        self._make_source, self._world = make_source, world
        self._table, self._currency = canonical_table(table), currency
        self._named, self._maker = named_by(self._table), maker
        kept = world.columns(table)
        self._columns = [name for name in maker(0, 1)[0] if name in kept]
        self.has_lines = len(maker(0, 3)) > 1
        self._truth: dict[RecordKey, Counter[tuple[str, ...]]] = {}
        self._order: list[RecordKey] = []
        self._number = 0
        self._key: tuple[str, ...] = ()
        self._parts = False
        self._kept: pd.DataFrame | None = None
        self.cursor: str | None = None

    def made(self, lines: int) -> _Rows:
        """Make the rows of a record, with values that no other has."""
        self._number += 1
        rows = self._maker(self._number, lines)
        return [{name: row[name] for name in self._columns} for row in rows]

    def put_new(self, count: int) -> None:
        """Write new records."""
        for _ in range(count):
            rows = self.made(1 + self._number % 3)
            key = tuple(self._world.put(self._table.name, rows))
            self._truth[key] = self._texts(rows)
            self._order.append(key)

    def change(self, at: int, *, rows: _Rows | None = None) -> None:
        """Write other values into one of the records that are still there."""
        key = [each for each in self._order if each in self._truth][at]
        rows = rows or self.made(3)
        if "valid_from" in self._key:  # then a correction has to keep it
            first = dt.date.fromisoformat(key[self._key.index("valid_from")])
            rows = [{**row, "valid_from": first} for row in rows]
        self._world.put(self._table.name, rows, key)
        self._truth[key] = self._texts(rows)

    def delete(self, at: int) -> bool:
        """Take a record out, if the world does that."""
        key = [each for each in self._order if each in self._truth][at]
        if not self._world.delete(self._table.name, key):
            return False
        del self._truth[key]
        return True

    def look(self, step: str, *, since: str | None = "", known: bool = True) -> None:
        """Read what changed, merge it, and compare it with what was written."""
        told(step, self._look(self.cursor if since == "" else since, known=known))

    def look_whole(self, step: str) -> None:
        """Read the table whole, as who keeps no cursor does."""
        found = self._make_source().read(self._table.name)
        told(step, self._differences(found.frame, self._key))

    def _look(self, since: str | None, *, known: bool) -> Iterator[str]:
        source = self._make_source()
        try:
            changes: object = source.changes(self._table.name, since=since)
        except Exception as error:  # noqa: BLE001 - none is right here
            way = (
                "a cursor that the source made" if known else "a cursor it cannot know"
            )
            asked = "no cursor" if since is None else way
            yield f"changes() raised {type(error).__name__} for {asked}"
            return
        if not isinstance(changes, SourceChanges):
            yield f"changes() gave a {type(changes).__name__}, not SourceChanges"
            return
        self._key = changes.record_key or self._named
        # What is read whole each time has no cursor that could be unknown.
        self._parts = self._parts or not changes.whole
        yield from broken_by_result(source, changes.result, self._table)
        yield from self._promises(changes, since, known=known)
        if not changes.whole and (since is None or self._kept is None):
            return
        merged = merge_changes(self._kept, changes)
        again = merge_changes(merged, changes)
        if Counter(record_keys(again, self._key)) != Counter(
            record_keys(merged, self._key)
        ):
            yield "merging the same changes twice gives another table"
        yield from self._differences(merged, self._key)
        self._kept, self.cursor = merged, changes.cursor

    def _promises(
        self, changes: SourceChanges, since: str | None, *, known: bool
    ) -> Iterator[str]:
        if since is None and not changes.whole:
            yield "a reading without a cursor does not say that it is whole"
        if not known and not changes.whole:
            yield "a cursor that is not known must be answered by a whole reading"
        elif not known and self._parts and not changes.result.findings:
            yield "a cursor that is not known must be told in a finding"
        if any(
            shows_value(changes.cursor, value)
            for value in personal_values(changes.result, self._table)
        ):
            yield "the cursor holds a personal value"
        twice = int((changes.result.rejects["rule"] == "duplicate-key").sum())
        if self._table.key:
            twice += int(changes.result.frame.duplicated(list(self._table.key)).sum())
        if twice:
            yield f"{twice} records come twice in one reading: keep the latest of each"

    def _differences(self, frame: pd.DataFrame, key: tuple[str, ...]) -> Iterator[str]:
        """Compare what was read with what was written, record by record."""
        missing = [name for name in self._columns if name not in frame]
        if missing:
            yield f"the world keeps {bounded(missing)}, and the source does not give it"
            return
        found: dict[RecordKey, Counter[tuple[str, ...]]] = {}
        rows = self._texts(frame[self._columns].to_dict("records"), keep=True)
        for name, row in zip(record_keys(frame, key), rows, strict=True):
            found.setdefault(name, Counter())[row] += 1
        wrong: dict[str, list[str]] = {}
        for name in {*self._truth, *found}:
            if said := _difference(self._truth.get(name), found.get(name), self._order,
                                   name):  # fmt: skip
                wrong.setdefault(said, []).append("/".join(name))
        for said, names in sorted(wrong.items()):
            yield f"{len(names)} records {said}: {bounded(sorted(names))}"

    def _texts(self, rows: Sequence[Any], *, keep: bool = False) -> Any:
        texts = [
            tuple(self._text(name, row[name]) for name in self._columns) for row in rows
        ]
        return texts if keep else Counter(texts)

    def _text(self, name: str, value: Any) -> str:
        """Write a cell as the source gives it."""
        if value is None or pd.isna(value):
            return ""
        if isinstance(value, Decimal):
            return str(self._currency.to_minor(value))
        kind = self._table.column(name).kind
        if kind is Kind.INSTANT:
            return str(pd.Timestamp(value).tz_convert("UTC").isoformat())
        if isinstance(value, dt.date):
            return value.strftime("%Y-%m-%d")
        return str(int(value)) if kind in (Kind.INTEGER, Kind.MONEY) else str(value)


def _difference(
    written: Counter[tuple[str, ...]] | None,
    found: Counter[tuple[str, ...]] | None,
    order: Sequence[RecordKey],
    name: RecordKey,
) -> str:
    if written == found:
        return ""
    if found is None:
        return "are lost"
    if written is None:
        deleted = name in order
        return "are there, though deleted" if deleted else "were never written"
    if found.total() > written.total() and set(found) == set(written):
        return "are doubled"
    if not set(found) & set(written):
        return "have old or wrong values"
    return "have lines that are lost, doubled or old"
