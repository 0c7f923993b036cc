"""A data problem as a value: it is returned, never raised."""

from __future__ import annotations

from enum import StrEnum

import attrs

from memberops.domain.values import Language, check_language

__all__ = ["Finding", "Severity"]


class Severity(StrEnum):
    """How much a finding matters, from least to most."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for error."""
        return list(Severity).index(self)


@attrs.frozen(kw_only=True)
class Finding:
    """
    One problem in the data.

    A finding names the place and the rule, never a person: its texts carry no
    name, phone or other personal value.

    Args:
        table: Canonical table, such as ``"sales"``.
        rule: Short stable name of the rule, such as ``"date-ambiguous"``.
        message_en: What is wrong and what to do, in English.
        message_zh: The same in Chinese.
        severity: `Severity`; an error of a row means that the
            row was rejected, one of a table that its figures cannot be trusted.
        row: Line in the file, or position in the frame, counted from 1; None if
            the finding is about the whole column, file or table.
        column: Canonical column, or the file's heading if none matches.
        source: File or other source, if any: its name, not its path.
        count: How many rows this finding stands for.

    >>> finding = Finding(table="sales", rule="amount-missing", row=7,
    ...     column="amount", message_en="no amount", message_zh="缺少金额")
    >>> print(finding.describe("en"))
    error sales row 7 amount: no amount (amount-missing)
    """

    table: str
    rule: str
    message_en: str
    message_zh: str
    severity: Severity = Severity.ERROR
    row: int | None = None
    column: str | None = None
    source: str | None = None
    count: int = 1

    def describe(self, language: Language = "en") -> str:
        """Write the finding as one line in English or Chinese."""
        chinese = check_language(language) == "zh"
        place = [self.source, self.table]
        if self.row is not None:
            place.append(f"第 {self.row} 行" if chinese else f"row {self.row}")
        place.append(self.column)
        where = " ".join(part for part in place if part)
        text = self.message_zh if chinese else self.message_en
        times = f" ×{self.count}" if self.count > 1 else ""
        level = _LEVELS_ZH[self.severity] if chinese else self.severity.value
        return f"{level} {where}: {text} ({self.rule}){times}"


_LEVELS_ZH = {Severity.INFO: "提示", Severity.WARNING: "警告", Severity.ERROR: "错误"}
