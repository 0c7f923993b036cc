"""From the chain's tables to what its gift ledger knows: gifts and places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from memberops.adapters.stores import open_ledger
from memberops.domain import Currency, Finding, Gift, Money, Severity
from memberops.errors import InvalidValueError, MemberOpsError, bounded
from memberops.ledger import LedgerRules
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.ledger_settings import LedgerSettings

if TYPE_CHECKING:
    from memberops.adapters.stores.sql_ledger import SqlLedger
    from memberops.workflows.chain import Chain

__all__ = ["GIFT_TABLES", "catalogue", "ledger", "ledger_rules"]

GIFT_TABLES = ("gifts", "stores")
"""The tables that tell a ledger its gifts and places."""


def catalogue(
    frame: pd.DataFrame, currency: Currency
) -> tuple[tuple[Gift, ...], tuple[Finding, ...]]:
    """
    Make gifts of the rows of the gift table.

    Args:
        frame: See `memberops.tables.GIFTS`.
        currency: What unit values are in.

    Returns:
        The gifts, and a finding for each that cannot be one: it is left out, and the
        ledger takes no posting of it.

    >>> frame = pd.DataFrame({"gift_id": ["CUP", "PEN"], "points_price": [50, 0]})
    >>> gifts, findings = catalogue(frame, Currency("CNY"))
    >>> [gift.gift_id for gift in gifts], findings[0].rule
    (['CUP'], 'gift-invalid')
    """
    gifts: list[Gift] = []
    findings: list[Finding] = []
    for row in frame.to_dict("records"):
        gift_id, value = str(row["gift_id"]), _held(row, "unit_value")
        price = _held(row, "points_price")
        try:
            gifts.append(
                Gift(
                    gift_id=gift_id,
                    name=_held(row, "name") or "",
                    unit_value=None if value is None else Money(int(value), currency),
                    points_price=None if price is None else int(price),
                    has_lots=_held(row, "has_lots") == "yes",
                )
            )
        except MemberOpsError as error:
            findings.append(
                Finding(
                    table="gifts",
                    rule="gift-invalid",
                    severity=Severity.ERROR,
                    message_en=f"the gift {bounded([gift_id])} is left out: {error}",
                    message_zh=f"礼品 {bounded([gift_id])} 资料有误，未列入："
                    "单价不得小于 0，兑换积分不得小于 1",
                )
            )
    return tuple(gifts), tuple(findings)


def _held(row: dict[Any, Any], name: str) -> Any:
    value = row.get(name)
    return None if value is None or pd.isna(value) else value


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
        gifts, _ = catalogue(tables["gifts"], chain.currency)
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
