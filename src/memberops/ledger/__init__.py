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
from memberops.ledger.count_reading import CountReading, read_counts
from memberops.ledger.count_sheets import count_frame, count_sheet, uncounted_lines
from memberops.ledger.counting import differences
from memberops.ledger.facts import (
    ISSUE_KEY,
    Cell,
    CellFacts,
    Facts,
    HoldFacts,
    IssueFacts,
    Verdict,
    brought_back,
    deltas,
    hold_cell,
    returned_issues,
    returns_issue,
)
from memberops.ledger.flow_books import moved_gifts
from memberops.ledger.flow_delivery import DeliveryReceipt, dispatch, recall, receive
from memberops.ledger.flow_differences import (
    ReceiptDifference,
    explain_over,
    explain_short,
)
from memberops.ledger.flow_issue import issue, redeem, reserve
from memberops.ledger.flow_removal import destroy, set_aside, take_gift_back
from memberops.ledger.flow_state import application_states, delivery_differences
from memberops.ledger.flow_stock import (
    gift_stock,
    issue_register,
    order_facts,
    use_of_gifts,
)
from memberops.ledger.flow_tables import movement_rows, read_movements
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
from memberops.ledger.settling import (
    Settlement,
    closings_after,
    post_late,
    settle,
)
from memberops.ledger.store import LedgerStore
from memberops.ledger.verdicts import decide

__all__ = [
    "BALANCE_COLUMNS",
    "ISSUE_KEY",
    "MOVEMENT_COLUMNS",
    "START",
    "Cell",
    "CellFacts",
    "CostQueue",
    "CountReading",
    "DeliveryReceipt",
    "Entry",
    "Facts",
    "HoldFacts",
    "IssueFacts",
    "Ledger",
    "LedgerRules",
    "LedgerStore",
    "LotStock",
    "Posted",
    "ReceiptDifference",
    "Record",
    "Refusal",
    "Settlement",
    "TakenBack",
    "Verdict",
    "application_states",
    "award",
    "balances",
    "balances_at",
    "brought_back",
    "chained",
    "changes",
    "closings_after",
    "count_frame",
    "count_sheet",
    "decide",
    "delivery_differences",
    "deltas",
    "destroy",
    "differences",
    "dispatch",
    "expire_points",
    "explain_over",
    "explain_short",
    "first_expired_first_out",
    "from_levels",
    "gift_stock",
    "hold_cell",
    "issue",
    "issue_register",
    "journal_lines",
    "lowest",
    "moved_gifts",
    "movement_frame",
    "movement_rows",
    "order_facts",
    "points_balance",
    "post_late",
    "read_counts",
    "read_journal",
    "read_movements",
    "read_record",
    "recall",
    "receive",
    "reconcile",
    "record_key",
    "record_type",
    "redeem",
    "redemption",
    "reserve",
    "returned_issues",
    "returns_issue",
    "set_aside",
    "settle",
    "stock_values",
    "take_back",
    "take_gift_back",
    "uncounted_lines",
    "use_of_gifts",
]
