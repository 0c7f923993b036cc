"""The verdicts on rows: accepted so far, or rejected for the first reason found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from memberops.adapters.sources.column_values import Cells
from memberops.adapters.sources.finding_log import FindingLog, Reason, reason_for
from memberops.adapters.sources.values import Unreadable
from memberops.domain import Severity

__all__ = ["RowVerdicts"]

_Array = npt.NDArray[Any]
_EMPTY = Unreadable("required-missing", "the cell is empty", "单元格为空")


class RowVerdicts:
    """Which rows are rejected so far, and for which reason."""

    def __init__(
        self, which: _Array, reasons: list[Reason], lines: _Array, log: FindingLog
    ) -> None:
        self.which = which
        self.reasons = reasons
        self.lines = lines
        self.log = log

    def reject(self, hit: _Array, reasons: list[Reason], *, told: bool = True) -> None:
        """Reject the rows of a mask for one reason."""
        self._mark(np.flatnonzero(hit), np.zeros(int(hit.sum()), np.int64), reasons)
        if told and hit.any():
            self.tell(np.flatnonzero(hit))

    def reject_each(self, rows: _Array, which: _Array, reasons: list[Reason]) -> None:
        """
        Reject rows, each for its own reason.

        Args:
            rows: Their positions.
            which: For each, the position of its reason.
            reasons: The reasons.
        """
        self._mark(rows, which, reasons)
        self.tell(rows)

    def tell(self, rows: _Array) -> None:
        """Add findings for rejected rows."""
        self.log.add_rows(
            self.reasons, self.which[rows], self.lines[rows], Severity.ERROR
        )

    def reject_rest(self, blocked: Mapping[str, Reason], name: str) -> None:
        """Reject what is left because a column cannot be used, silently."""
        reason = blocked.get(name) or next(iter(blocked.values()))
        self.reject(self.which < 0, [reason], told=False)

    def require(self, cells: Cells, *, empty: bool) -> None:
        """
        Reject the rows whose cell could not be read, or is missing.

        Args:
            cells: The column.
            empty: Whether a missing cell is a reason; not for a derived column,
                whose sources are required themselves.
        """
        dropped = np.array(
            [reason.rule == "dropped-by-reading" for reason in self.reasons] + [False]
        )[self.which]
        problem = cells.problem_rows
        if empty:
            problem = np.where(cells.missing_rows, len(cells.reasons), problem)
        rows = np.flatnonzero((problem >= 0) & ~dropped)
        reasons = [*cells.reasons, reason_for(cells.column, _EMPTY)]
        self.log.add_rows(reasons, problem[rows], self.lines[rows], Severity.ERROR)
        fresh = rows[self.which[rows] < 0]
        self._mark(fresh, problem[fresh], reasons)

    def warn(self, cells: Cells) -> None:
        """Add findings for accepted rows whose optional cell could not be read."""
        problem = cells.problem_rows
        rows = np.flatnonzero((problem >= 0) & (self.which < 0))
        self.log.add_rows(
            cells.reasons, problem[rows], self.lines[rows], Severity.WARNING
        )

    def _mark(self, rows: _Array, codes: _Array, reasons: list[Reason]) -> None:
        self.which[rows] = codes + len(self.reasons)
        self.reasons.extend(reasons)
