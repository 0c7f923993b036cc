"""Refolding a whole ledger to see that everything beside it agrees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import sqlalchemy as sa

from memberops.adapters.stores.appending import Fold, entry_row, movement_rows
from memberops.adapters.stores.entry_rows import entry_of
from memberops.adapters.stores.schema import (
    balances,
    entries,
    holds,
    lots,
    movements,
)
from memberops.domain.finding import Finding
from memberops.errors import BrokenChainError, bounded
from memberops.ledger import START, chained

__all__ = ["check"]

_PAGE = 2000

_TEXTS = {
    "entry-unreadable": ("entries that cannot be read", "分录无法读取"),
    "chain-broken": (
        "entries that do not fit their hash: they, or ones before them, were changed",
        "分录与其哈希不符：该分录或之前的分录被改动",
    ),
    "entry-differs": (
        "entries whose columns do not say what their document says",
        "分录各列与其文档不符",
    ),
    "movements-differ": (
        "entries whose movements are not those of their document",
        "分录的出入库明细与其文档不符",
    ),
    "movements-without-entry": (
        "movements of entries that are no postings or are not there",
        "出入库明细没有对应的过账分录",
    ),
    "balance-differs": (
        "balances that are not the sum of their movements",
        "结存与出入库明细之和不符",
    ),
    "lot-differs": ("lots with another expiry than posted", "批次有效期与过账不符"),
    "hold-differs": ("holds that are not as they were written", "保留与其记录不符"),
}


@attrs.define
class _Differences:
    """Which keys differ, by rule."""

    found: dict[str, list[object]] = attrs.Factory(dict)

    def note(self, rule: str, key: object) -> None:
        self.found.setdefault(rule, []).append(key)

    def compare(
        self, rule: str, wanted: Mapping[Any, Any], stored: Mapping[Any, Any]
    ) -> None:
        missing = object()
        for key in sorted({*wanted, *stored}):
            if wanted.get(key, missing) != stored.get(key, missing):
                self.note(rule, key)

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(
                table="ledger",
                rule=rule,
                message_en=f"{_TEXTS[rule][0]}: {bounded(keys)}",
                message_zh=f"{_TEXTS[rule][1]}：{bounded(keys)}",
                count=len(keys),
            )
            for rule, keys in self.found.items()
        )


def check(connection: sa.Connection) -> tuple[Finding, ...]:
    """
    Refold the ledger and compare: hashes, columns, movements, balances, lots, holds.

    Args:
        connection: In a transaction, which must see one state throughout.
    """
    differences, fold = _Differences(), Fold()
    seen = _check_entries(connection, differences, fold)
    stray = sa.select(movements.c.sequence).distinct()
    for sequence in connection.execute(stray.order_by("sequence")).scalars():
        if sequence not in seen:
            differences.note("movements-without-entry", sequence)
    for rule, table, wanted in (
        ("balance-differs", balances, fold.balance_rows()),
        ("lot-differs", lots, fold.lot_rows()),
        ("hold-differs", holds, list(fold.holds.values())),
    ):
        stored = connection.execute(sa.select(table)).mappings()
        differences.compare(rule, _by_key(table, wanted), _by_key(table, stored))
    return differences.findings()


def _by_key(table: sa.Table, rows: Iterable[Mapping[Any, Any]]) -> dict[Any, Any]:
    names = [column.name for column in table.primary_key]
    return {tuple(row[name] for name in names): dict(row) for row in rows}


def _check_entries(
    connection: sa.Connection, differences: _Differences, fold: Fold
) -> set[int]:
    """Check each entry with its movements; return the sequences that have some."""
    running, after, seen = START, 0, set()
    while rows := connection.execute(
        sa.select(entries)
        .where(entries.c.sequence > after)
        .order_by(entries.c.sequence)
        .limit(_PAGE)
    ).all():
        last = rows[-1].sequence
        moved = _movements(connection, after, last)
        for row in rows:
            try:
                entry = entry_of(row)
            except BrokenChainError:
                differences.note("entry-unreadable", row.sequence)
                continue
            running = chained(running, entry)
            if running != row.hash:
                differences.note("chain-broken", row.sequence)
                running = row.hash  # so that only what was changed is named
            if entry_row(entry, row.hash) != dict(row._mapping):  # noqa: SLF001
                differences.note("entry-differs", row.sequence)
            wanted = movement_rows(entry)
            if wanted != moved.get(row.sequence, []):
                differences.note("movements-differ", row.sequence)
            if wanted:
                seen.add(row.sequence)
            fold.take(entry)
        after = last
    return seen


def _movements(
    connection: sa.Connection, after: int, last: int
) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    rows = connection.execute(
        sa.select(movements)
        .where(movements.c.sequence > after, movements.c.sequence <= last)
        .order_by(movements.c.sequence, movements.c.line)
    )
    for row in rows.mappings():
        found.setdefault(row["sequence"], []).append(dict(row))
    return found
