"""Findings about rows: a bounded number of examples, and a count of the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from memberops.adapters.sources.values import Unreadable
from memberops.domain import Finding, Severity
from memberops.domain.values import mask
from memberops.tables import Column

__all__ = ["FindingLog", "Reason", "reason_for"]

_LONG_NUMBER = re.compile(r"\d{11,}", re.ASCII)
_LONGEST = 40
_EFFECTS = {
    Severity.ERROR: ("; the row is rejected", "；该行不予接收"),
    Severity.WARNING: ("; the cell is left empty", "；该单元格留空"),
}


@attrs.frozen
class Reason:
    """Why a row was rejected, or a cell left empty."""

    rule: str
    column: str | None
    text_en: str
    text_zh: str
    column_wide: bool = False


def reason_for(column: Column, problem: Unreadable, text: str | None = None) -> Reason:
    """
    Say what is wrong with a cell, with its text unless that is personal.

    The text is cut, and long numbers in it are masked: a phone may have slipped
    into another column.
    """
    shown_en = shown_zh = ""
    if text and not column.personal and not problem.column_wide:
        shown = _LONG_NUMBER.sub(lambda match: str(mask(match[0])), text.strip())
        shown = shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
        shown_en, shown_zh = f"{shown!r}: ", f"“{shown!r:.80}”：".replace("'", "")
    return Reason(
        problem.rule,
        column.name,
        shown_en + problem.text_en,
        shown_zh + problem.text_zh,
        problem.column_wide,
    )


class FindingLog:
    """
    Gathers the findings of one table of one source.

    Args:
        table: Name of the canonical table.
        source: Name of the file, if any.
        examples: How many findings of a rule and column are given one by one.
    """

    def __init__(self, table: str, source: str | None, examples: int) -> None:
        self._table = table
        self._source = source
        self._examples = examples
        self.findings: list[Finding] = []

    def add(
        self,
        rule: str,
        text_en: str,
        text_zh: str,
        *,
        severity: Severity = Severity.INFO,
        column: str | None = None,
        count: int = 1,
        row: int | None = None,
    ) -> None:
        """Add one finding, about the file, a column, or one row."""
        self.findings.append(
            Finding(
                table=self._table,
                source=self._source,
                rule=rule,
                message_en=text_en,
                message_zh=text_zh,
                severity=severity,
                column=column,
                count=count,
                row=row,
            )
        )

    def add_rows(
        self,
        reasons: Sequence[Reason],
        which: npt.NDArray[Any],
        lines: npt.NDArray[Any],
        severity: Severity,
    ) -> None:
        """
        Add the findings of many rows.

        Args:
            reasons: The different reasons.
            which: For each row, the position of its reason.
            lines: For each row, its line.
            severity: `Severity.ERROR` says that the rows are rejected,
                `Severity.WARNING` that the cells are left empty.
        """
        effect_en, effect_zh = _EFFECTS[severity]
        used = [reasons[code] for code in np.unique(which)]
        for rule, column, wide in dict.fromkeys(
            (reason.rule, reason.column, reason.column_wide) for reason in used
        ):
            fits = np.array(
                [reason.rule == rule and reason.column == column for reason in reasons]
            )
            rows = np.flatnonzero(fits[which])
            shown = 1 if wide else self._examples
            for row in rows[:shown]:
                reason = reasons[which[row]]
                self.add(
                    rule,
                    reason.text_en + effect_en,
                    reason.text_zh + effect_zh,
                    severity=severity,
                    column=column,
                    row=None if wide else int(lines[row]),
                    count=len(rows) if wide else 1,
                )
            rest = len(rows) - shown
            if rest > 0 and not wide:
                self.add(
                    rule,
                    f"more rows for the same reason: {rest}{effect_en}",
                    f"另有 {rest} 行原因相同{effect_zh}",
                    severity=severity,
                    column=column,
                    count=rest,
                )
