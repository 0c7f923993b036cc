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
from memberops.ledger.memory import Ledger
from memberops.ledger.records import Entry, Posted, Record, Refusal
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
    "Cell",
    "CellFacts",
    "Entry",
    "Facts",
    "HoldFacts",
    "Ledger",
    "LedgerRules",
    "LedgerStore",
    "Posted",
    "Record",
    "Refusal",
    "Verdict",
    "balances",
    "changes",
    "decide",
    "deltas",
    "hold_cell",
    "lowest",
    "movement_frame",
]
