"""From the chain's tables to what its gift ledger knows: gifts and places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memberops.adapters.stores import open_ledger
from memberops.errors import InvalidValueError
from memberops.ledger import LedgerRules
from memberops.policies import read_gifts
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.ledger_settings import LedgerSettings

if TYPE_CHECKING:
    from memberops.adapters.stores.sql_ledger import SqlLedger
    from memberops.workflows.chain import Chain

__all__ = ["GIFT_TABLES", "ledger", "ledger_rules", "needed_settings"]

GIFT_TABLES = ("gifts", "stores")
"""The tables that tell a ledger its gifts and places."""


def ledger_rules(chain: Chain, tables: ChainTables) -> LedgerRules:
    """
    Tell a ledger the chain's gifts and places.

    Gifts are those of the gift table, places the warehouse and the stores; where a
    table has no source, any will do.

    Args:
        chain: The chain.
        tables: What was read, of `GIFT_TABLES` at least.
    """
    gifts = places = None
    if "gifts" in tables:
        gifts, _ = read_gifts(tables["gifts"], currency=chain.currency)
    if "stores" in tables:
        stores = tables["stores"]["store_id"].dropna().astype(str)
        places = ["warehouse", *(f"store:{each}" for each in stores)]
    settings = chain.ledger_settings
    below = () if settings is None else settings.below_zero
    return LedgerRules(gifts=gifts, places=places, below_zero=below)


def ledger(chain: Chain, *, tables: ChainTables | None = None) -> SqlLedger:
    """
    Open the chain's gift ledger, or begin it (HQ §7).

    Use it in a ``with`` statement. It takes the gifts of the table of gifts and the
    places of the table of stores, which are read if *tables* is not given.

    Args:
        chain: The chain; a method of it.
        tables: What `Chain.read` gave.

    Raises:
        InvalidValueError: The chain has no ledger.
        ConfigurationError: The environment does not hold the ledger's address.
        MissingExtraError: See `memberops.adapters.stores.open_ledger`, also for what
            else can fail.
    """
    settings = needed_settings(chain)
    if tables is None:
        tables = chain.read(only=GIFT_TABLES)
    return open_ledger(settings.database(), rules=ledger_rules(chain, tables))


def needed_settings(chain: Chain) -> LedgerSettings:
    """Return where the ledger is, or say how a chain gets one."""
    if chain.ledger_settings is None:
        raise InvalidValueError(
            'the chain has no gift ledger: add [ledger] with path = "gifts.db" to '
            "chain.toml, or give Chain ledger_settings=LedgerSettings(path=...)"
        )
    return chain.ledger_settings
