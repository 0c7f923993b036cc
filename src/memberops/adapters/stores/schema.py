"""
The tables of a ledger in a database, the same in SQLite and PostgreSQL.

They are what the steps of `migrations` lead to. `entries` and `movements` are the
ledger: they only grow, and the database refuses anything else. `balances`, `lots` and
`holds` are kept beside them in the same transactions, and can be refolded from them
at any time.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

__all__ = [
    "VERSION_TABLE",
    "balances",
    "entries",
    "holds",
    "lots",
    "metadata",
    "micros",
    "movements",
    "version",
]

VERSION_TABLE = "ledger_version"

# Ids sort and compare by code point everywhere, whatever the server's language.
_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)

metadata = sa.MetaData()

version = sa.Table(
    VERSION_TABLE,
    metadata,
    sa.Column("version", _NUMBER, nullable=False),
)

entries = sa.Table(
    "ledger_entries",
    metadata,
    sa.Column("sequence", _NUMBER, primary_key=True, autoincrement=False),
    sa.Column("key", _ID, nullable=False, unique=True),
    sa.Column("type", _ID, nullable=False),
    sa.Column("kind", _ID),
    sa.Column("reverses", _ID, unique=True),
    sa.Column("closes_before", _NUMBER, index=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("hash", _ID, nullable=False),
)

movements = sa.Table(
    "ledger_movements",
    metadata,
    sa.Column("sequence", _NUMBER, sa.ForeignKey(entries.c.sequence), primary_key=True),
    sa.Column("line", _NUMBER, primary_key=True),
    sa.Column("effective_at", _NUMBER, nullable=False),
    sa.Column("gift_id", _ID, nullable=False),
    sa.Column("lot_id", _ID, nullable=False),
    sa.Column("valid_through", _ID),
    sa.Column("source", _ID, nullable=False),
    sa.Column("destination", _ID, nullable=False),
    sa.Column("quantity", _NUMBER, nullable=False),
    sa.CheckConstraint("quantity >= 1", name="ledger_movements_quantity"),
    sqlite_with_rowid=False,
)
for _side in (movements.c.source, movements.c.destination):
    sa.Index(
        f"ledger_movements_{_side.name}",
        movements.c.gift_id,
        _side,
        movements.c.lot_id,
        movements.c.effective_at,
        movements.c.sequence,
    )

balances = sa.Table(
    "ledger_balances",
    metadata,
    sa.Column("gift_id", _ID, primary_key=True),
    sa.Column("place", _ID, primary_key=True),
    sa.Column("lot_id", _ID, primary_key=True),
    sa.Column("quantity", _NUMBER, nullable=False),
    sa.Column("last_at", _NUMBER, nullable=False),
    sqlite_with_rowid=False,
)

lots = sa.Table(
    "ledger_lots",
    metadata,
    sa.Column("gift_id", _ID, primary_key=True),
    sa.Column("lot_id", _ID, primary_key=True),
    sa.Column("valid_through", _ID),
    sqlite_with_rowid=False,
)

holds = sa.Table(
    "ledger_holds",
    metadata,
    sa.Column("hold_id", _ID, primary_key=True),
    sa.Column("gift_id", _ID, nullable=False),
    sa.Column("place", _ID, nullable=False),
    sa.Column("lot_id", _ID, nullable=False),
    sa.Column("quantity", _NUMBER, nullable=False),
    sa.Column("held_at", _NUMBER, nullable=False),
    sa.Column("until", _NUMBER),
    sa.Column("ended_by", _ID),
    sqlite_with_rowid=False,
)
sa.Index(
    "ledger_holds_open",
    holds.c.gift_id,
    holds.c.place,
    holds.c.lot_id,
    sqlite_where=holds.c.ended_by.is_(None),
    postgresql_where=holds.c.ended_by.is_(None),
)


def micros(moment: dt.datetime) -> int:
    """
    Return the microseconds of an aware instant since 1970, as the tables hold them.

    >>> micros(dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC))
    1000000
    """
    return (moment - _EPOCH) // _MICROSECOND
