"""Holds that a file of movements names, and the ledger it comes to does not have."""

from __future__ import annotations

from typing import TypeVar

import attrs

from memberops.domain import Finding, Posting, Severity
from memberops.errors import bounded
from memberops.ledger import LedgerStore

__all__ = ["HoldsHere"]

_Made = TypeVar("_Made")


class HoldsHere:
    """
    The holds of a ledger, among those that are named.

    A file of movements brings no holds along: what used one elsewhere is posted
    without it, for its stock moved all the same.

    Args:
        ledger: The ledger that the file comes to.
    """

    def __init__(self, ledger: LedgerStore) -> None:
        self._ledger = ledger
        self._unknown: set[str] = set()

    def only(self, made: _Made | Posting) -> _Made | Posting:
        """Return a posting without the holds that are not here; all else as it is."""
        if not isinstance(made, Posting):
            return made
        names = made.references("hold")
        gone = {name for name in names if self._ledger.entry(name) is None}
        if not gone:
            return made
        self._unknown |= gone
        kept = [pair for pair in made.refers_to if pair[0] != "hold"]
        kept += [("hold", name) for name in names if name not in gone]
        return attrs.evolve(made, refers_to=kept)

    @property
    def findings(self) -> list[Finding]:
        """A finding that names the holds that were left out, if there are any."""
        if not self._unknown:
            return []
        shown = bounded(sorted(self._unknown))
        return [
            Finding(
                table="gift_movements",
                rule="hold-unknown",
                severity=Severity.WARNING,
                count=len(self._unknown),
                message_en=f"the ledger has no hold {shown}: what used it is posted "
                "without it; only a journal brings holds along",
                message_zh=f"台账中没有保留 {shown}：相关凭证不引用保留入账；"
                "保留只能随日志恢复",
            )
        ]
