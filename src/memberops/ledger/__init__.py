"""
The gift ledger: postings between places, balances as folds, nothing created or lost.

`Ledger` keeps it in memory; `LedgerStore` is the contract that stores in databases
keep too, by the same `decide`.
"""

from memberops.ledger.balances import (
    BALANCE_COLUMNS,
    MOVEMENT_COLUMNS,
    balances,
    changes,
    lowest,
    movement_frame,
)
from memberops.ledger.costs import CostQueue, stock_values
from memberops.ledger.journal import (
    START,
    chained,
    journal_lines,
    read_journal,
    read_record,
)
from memberops.ledger.lots import LotStock, first_expired_first_out
from memberops.ledger.memory import Ledger
from memberops.ledger.points import (
    TakenBack,
    award,
    expire_points,
    points_balance,
    redemption,
    take_back,
)
from memberops.ledger.reconcile import balances_at, from_levels, reconcile
from memberops.ledger.records import (
    Entry,
    Posted,
    Record,
    Refusal,
    record_key,
    record_type,
)
from memberops.ledger.rules import LedgerRules
from memberops.ledger.store import LedgerStore
from memberops.ledger.verdicts import (
    Cell,
    CellFacts,
    Facts,
    HoldFacts,
    Verdict,
    decide,
    deltas,
    hold_cell,
)

__all__ = [
    "BALANCE_COLUMNS",
    "MOVEMENT_COLUMNS",
    "START",
    "Cell",
    "CellFacts",
    "CostQueue",
    "Entry",
    "Facts",
    "HoldFacts",
    "Ledger",
    "LedgerRules",
    "LedgerStore",
    "LotStock",
    "Posted",
    "Record",
    "Refusal",
    "TakenBack",
    "Verdict",
    "award",
    "balances",
    "balances_at",
    "chained",
    "changes",
    "decide",
    "deltas",
    "expire_points",
    "first_expired_first_out",
    "from_levels",
    "hold_cell",
    "journal_lines",
    "lowest",
    "movement_frame",
    "points_balance",
    "read_journal",
    "read_record",
    "reconcile",
    "record_key",
    "record_type",
    "redemption",
    "stock_values",
    "take_back",
]
