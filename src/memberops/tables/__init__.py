"""
The canonical tables: what every source gives and every analysis takes.

Each table is a value: its columns with type, need, meaning, headings in Chinese and
English, and the headings that files usually carry. The CSV source converts by it, the
metrics check frames by it, and the reference page is made from it.

In frames, money is ``int64`` minor units, a date is a calendar day in the store's zone,
an instant is zone-aware UTC, and an id is text.
"""

from __future__ import annotations

from memberops.errors import UnknownTableError, nearest
from memberops.tables.counts import COUNTS
from memberops.tables.gifts import (
    GIFT_APPLICATIONS,
    GIFT_ISSUES,
    GIFT_MOVEMENTS,
    GIFTS,
    POINT_REDEMPTIONS,
)
from memberops.tables.levels import LEVELS
from memberops.tables.people import CARDS, MEMBERS, STORES
from memberops.tables.sales import SALES, TARGETS
from memberops.tables.schema import Column, Kind, Table, normal_heading
from memberops.tables.service import CASE_EVENTS, COMPLAINTS
from memberops.tables.stocktakes import COUNT_APPROVALS, COUNT_REASONS, STOCKTAKES
from memberops.tables.surveys import SURVEYS
from memberops.tables.visits import APPOINTMENTS, CONSENTS, VISITS

__all__ = [
    "APPOINTMENTS",
    "CARDS",
    "CASE_EVENTS",
    "COMPLAINTS",
    "CONSENTS",
    "COUNTS",
    "COUNT_APPROVALS",
    "COUNT_REASONS",
    "GIFTS",
    "GIFT_APPLICATIONS",
    "GIFT_ISSUES",
    "GIFT_MOVEMENTS",
    "LEVELS",
    "MEMBERS",
    "POINT_REDEMPTIONS",
    "SALES",
    "STOCKTAKES",
    "STORES",
    "SURVEYS",
    "TABLES",
    "TARGETS",
    "VISITS",
    "Column",
    "Kind",
    "Table",
    "normal_heading",
    "table",
]

TABLES = (
    MEMBERS,
    CARDS,
    STORES,
    SALES,
    TARGETS,
    COMPLAINTS,
    CASE_EVENTS,
    VISITS,
    CONSENTS,
    APPOINTMENTS,
    SURVEYS,
    LEVELS,
    GIFTS,
    GIFT_MOVEMENTS,
    GIFT_APPLICATIONS,
    GIFT_ISSUES,
    POINT_REDEMPTIONS,
    COUNTS,
    STOCKTAKES,
    COUNT_REASONS,
    COUNT_APPROVALS,
)
"""Every canonical table."""


def table(name: str) -> Table:
    """
    Return a canonical table by its name.

    Raises:
        UnknownTableError: No table has that name; the message has the nearest.

    >>> table("sales").required
    ('ticket_id', 'sold_on', 'store_id', 'quantity', 'amount')
    """
    for known in TABLES:
        if known.name == name:
            return known
    raise UnknownTableError(
        f"no table is called {name!r}; {nearest(name, (t.name for t in TABLES))}"
    )
