"""
memberops: membership operations for retail chains.

The names below are loaded when they are first used: ``import memberops`` reads no
file, loads neither pandas nor pluggy, and changes nothing outside itself.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memberops import domain, errors, ledger, metrics, policies, schedules, tables
    from memberops.adapters import Adapter, hookimpl, load_adapters
    from memberops.domain import (
        Card,
        Currency,
        Decision,
        Finding,
        Gender,
        Member,
        Money,
        Reason,
        SaleLine,
        Severity,
        Store,
        Ticket,
        money_from_float,
    )
    from memberops.policies import (
        AllOf,
        AnyOf,
        AtLeast,
        CardState,
        FeeWaiver,
        Renewal,
        Term,
    )
    from memberops.schedules import Period, RetailCalendar
    from memberops.workflows import Chain, open_chain

__version__ = "0.1.0"

_HOMES = {
    "Adapter": "adapters",
    "AllOf": "policies",
    "AnyOf": "policies",
    "AtLeast": "policies",
    "Card": "domain",
    "CardState": "policies",
    "Chain": "workflows",
    "Currency": "domain",
    "Decision": "domain",
    "FeeWaiver": "policies",
    "Finding": "domain",
    "Gender": "domain",
    "Member": "domain",
    "Money": "domain",
    "Period": "schedules",
    "Reason": "domain",
    "Renewal": "policies",
    "RetailCalendar": "schedules",
    "SaleLine": "domain",
    "Severity": "domain",
    "Store": "domain",
    "Term": "policies",
    "Ticket": "domain",
    "hookimpl": "adapters",
    "load_adapters": "adapters",
    "money_from_float": "domain",
    "open_chain": "workflows",
}
_MODULES = frozenset(
    {
        "adapters",
        "domain",
        "errors",
        "ledger",
        "metrics",
        "policies",
        "reports",
        "schedules",
        "tables",
        "testing",
        "workflows",
    }
)

__all__ = [
    "Adapter",
    "AllOf",
    "AnyOf",
    "AtLeast",
    "Card",
    "CardState",
    "Chain",
    "Currency",
    "Decision",
    "FeeWaiver",
    "Finding",
    "Gender",
    "Member",
    "Money",
    "Period",
    "Reason",
    "Renewal",
    "RetailCalendar",
    "SaleLine",
    "Severity",
    "Store",
    "Term",
    "Ticket",
    "domain",
    "errors",
    "hookimpl",
    "ledger",
    "load_adapters",
    "metrics",
    "money_from_float",
    "open_chain",
    "policies",
    "schedules",
    "tables",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home when it is first used (PEP 562)."""
    if name in _MODULES:
        return importlib.import_module(f"memberops.{name}")
    if name in _HOMES:
        module = importlib.import_module(f"memberops.{_HOMES[name]}")
        value = getattr(module, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'memberops' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted({*globals(), *__all__})
