"""Findings about rows: a bounded number of examples, and a count of the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from memberops.adapters.sources.values import Unreadable
from memberops.domain import Finding, Severity
from memberops.tables import Column, Kind

__all__ = ["FindingLog", "Reason", "reason_for"]

_MOST_DIGITS = 8
_NUMBER = re.compile(
    r"[-+−(¥￥$€£\s]*"
    r"(?:[\d,]*(?:\.\d*)?|\d{1,3}(?:\.\d{3})*,\d*)(?:E[-+]?\d+)?"
    r"[千万亿]?(?:元|圆|块)?[-−)\s]*|#[A-Z]{3,5}[?!]?|#DIV/0!|#N/A",
    re.IGNORECASE,
)
_DAY = re.compile(
    r"\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}日?"
    r"[ T]?(?:[上下中]午|[AP]M)?[ ]?(?:\d{1,2}[:时点]\d{0,2}[:分]?\d{0,2}秒?)?"
    r"[ ]?(?:[AP]M)?|(?:19|20)\d{6}",
    re.ASCII | re.IGNORECASE,
)
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
    Say what is wrong with a cell, with its text if that cannot be personal.

    In a shifted row a name, a phone number or a birth date stands in any column. So
    only this is quoted: what is built as a number, with at most 8 digits; and in a
    column of days, a day that the calendar does not have, unless the table holds
    persons. Of other text only the length is told; of a personal column nothing.

    >>> from memberops.tables import table
    >>> quantity = table("sales").column("quantity")
    >>> no = Unreadable("number-unreadable", "it is no number", "不是数字")
    >>> reason_for(quantity, no, "1,2.5").text_en
    "'1,2.5': it is no number"
    >>> reason_for(quantity, no, "王小明").text_zh
    '3 个字符的文本：不是数字'
    """
    shown_en = shown_zh = ""
    if text and not column.personal and not problem.column_wide:
        shown = text.strip()
        if _may_be_quoted(column, problem, shown):
            shown_en, shown_zh = f"'{shown}': ", f"“{shown}”："
        else:
            letters = "character" if len(shown) == 1 else "characters"
            shown_en = f"a text of {len(shown)} {letters}: "
            shown_zh = f"{len(shown)} 个字符的文本："
    return Reason(
        problem.rule,
        column.name,
        shown_en + problem.text_en,
        shown_zh + problem.text_zh,
        problem.column_wide,
    )


def _may_be_quoted(column: Column, problem: Unreadable, text: str) -> bool:
    if column.kind in (Kind.DATE, Kind.INSTANT):
        impossible = problem.rule == "date-impossible"
        return impossible and column.quotable and _DAY.fullmatch(text) is not None
    if column.kind is Kind.CHOICE:
        return False
    digits = sum(char.isdecimal() for char in text)
    built = _NUMBER.fullmatch(text) is not None
    # A unit alone, such as 万 or 元, may be a name.
    return built and (0 < digits <= _MOST_DIGITS or text.startswith("#"))


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

    def add_unlisted(self, rejected: int, most: int) -> int:
        """
        Tell of rejected rows that are not listed, and return how many these are.

        Args:
            rejected: How many rows were rejected.
            most: How many of them are listed.

        >>> log = FindingLog("sales", "sales.csv", 1)
        >>> log.add_unlisted(5, 5), log.add_unlisted(7, 5), len(log.findings)
        (0, 2, 1)
        """
        rest = max(rejected - most, 0)
        if rest:
            self.add(
                "rejects-unlisted",
                f"of the rejected rows the first {most} are listed; these are counted "
                "and not listed, being beyond the limit 'rejects'",
                f"拒收的行只列出前 {most} 行；其余的行超出上限 rejects，只计数、不列出",
                severity=Severity.WARNING,
                count=rest,
            )
        return rest

    def add_rows(
        self,
        reasons: Sequence[Reason],
        which: npt.NDArray[Any],
        lines: npt.NDArray[Any],
        severity: Severity,
        *,
        more: Mapping[Reason, int] | None = None,
    ) -> None:
        """
        Add the findings of many rows.

        Args:
            reasons: The different reasons.
            which: For each row, the position of its reason.
            lines: For each row, its line.
            severity: `Severity.ERROR` says that the rows are rejected,
                `Severity.WARNING` that the cells are left empty.
            more: How many further rows, whose lines were not kept, have a reason.
        """
        effect_en, effect_zh = _EFFECTS[severity]
        further = more or {}
        used = [*(reasons[code] for code in np.unique(which)), *further]
        for rule, column, wide in dict.fromkeys(
            (reason.rule, reason.column, reason.column_wide) for reason in used
        ):
            fits = np.array(
                [reason.rule == rule and reason.column == column for reason in reasons]
            )
            rows = np.flatnonzero(fits[which])
            shown = 1 if wide else self._examples
            beyond = sum(
                count
                for reason, count in further.items()
                if reason.rule == rule and reason.column == column
            )
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
            rest = max(len(rows) - shown, 0) + beyond
            if rest > 0 and not wide:
                self.add(
                    rule,
                    f"more rows for the same reason: {rest}{effect_en}",
                    f"另有 {rest} 行原因相同{effect_zh}",
                    severity=severity,
                    column=column,
                    count=rest,
                )
