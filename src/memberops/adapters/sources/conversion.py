"""
Text columns become a canonical frame; what cannot be converted says why.

A row is accepted or rejected, never both and never neither. It is rejected if a
required cell is missing or unreadable; an optional cell that cannot be read is left
empty, with a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.adapters.sources.canonical_rows import (
    Conversion,
    TextsFor,
    derive,
    settle,
)
from memberops.adapters.sources.column_values import (
    NOBODY_WORDS,
    Cells,
    TextColumn,
    read_column,
)
from memberops.adapters.sources.currency_column import in_currency
from memberops.adapters.sources.drop_rules import DropRule
from memberops.adapters.sources.finding_log import FindingLog, Reason
from memberops.adapters.sources.return_lines import ReturnRule, tell_returns, turned
from memberops.adapters.sources.row_verdicts import RowVerdicts
from memberops.domain import Currency
from memberops.errors import ConfigurationError, nearest
from memberops.tables import SALES, Kind, Table

__all__ = ["MISSING_WORDS", "NOBODY_WORDS", "Conversion", "Converter"]

MISSING_WORDS = ("NULL", "\\N", "#N/A", "NaN", "nan")
"""Texts that mean "no value", as databases and spreadsheets write it."""

_Array = npt.NDArray[Any]


@attrs.frozen(kw_only=True)
class Converter:
    """
    How text becomes a canonical table.

    Args:
        table: The canonical table.
        currency: Currency of amounts.
        zone: Zone in which a local time is read and a day begins.
        date_formats: By column, see `date_values.check_date_format`.
        units: By column of amounts, what one of it is worth; one of the currency
            where it is not named.
        constants: Values of columns that the source lacks, as text.
        drop: Rows that are left out knowingly.
        returns: What marks a line of sales as a return, whatever its sign.
        currency_column: The heading of the column that names the currency; None
            takes one that seems to, ``""`` none.
        missing: Words that mean "no value".
        nobody: Words that mean "no member" where a member is named.
    """

    table: Table
    currency: Currency
    zone: ZoneInfo
    date_formats: Mapping[str, str] = attrs.field(factory=dict)
    units: Mapping[str, Decimal] = attrs.field(factory=dict)
    constants: Mapping[str, str] = attrs.field(factory=dict)
    drop: tuple[DropRule, ...] = ()
    returns: ReturnRule | None = None
    currency_column: str | None = None
    missing: tuple[str, ...] = MISSING_WORDS
    nobody: tuple[str, ...] = NOBODY_WORDS

    def convert(
        self,
        columns: Mapping[str, TextColumn],
        lines: _Array,
        log: FindingLog,
        *,
        extra: Mapping[str, TextColumn] | None = None,
        blocked: Mapping[str, Reason] | None = None,
        earlier: pd.DataFrame | None = None,
        file: str = "",
        texts_for: TextsFor = "anything",
    ) -> Conversion:
        """
        Convert the rows of one file.

        Args:
            columns: The text of canonical columns.
            lines: Line of each row.
            log: Takes the findings.
            extra: The text of other headings that rules name, or that may say what a
                row is.
            blocked: Columns that cannot be used at all, and why.
            earlier: `Conversion.keys` of the files before this one.
            file: Name of the file.
            texts_for: What the text is still needed for, when it has been read.

        Raises:
            ConfigurationError: A constant or the limit of a drop rule cannot be
                read, or a rule names an unknown column.
        """
        count = len(lines)
        cells = {
            name: self._cells(
                name, text, log, self.date_formats.get(name), self.units.get(name)
            )
            for name, text in columns.items()
        }
        for name, text in self.constants.items():
            cells[name] = self._constant(name, text, count)
        others = extra or {}
        in_currency(
            cells,
            others,
            self.currency_column,
            table=self.table,
            currency=self.currency,
            missing=self.missing,
            log=log,
        )
        derived = derive(self.table, cells)
        looked_at, rule = others, self.returns
        if rule:
            looked_at = {rule.column: rule.text(columns, others)}
            turned(cells, rule.rows(looked_at[rule.column]), rule, log)
        state = RowVerdicts(np.full(count, -1, dtype=np.int32), [], lines, log)
        for left_out in self.drop:
            self._drop(left_out, cells, others, state)
        if self.table.name == SALES.name:
            tell_returns(cells, looked_at, state.which < 0, log, rule)
        return settle(
            self.table,
            cells,
            state,
            derived=derived,
            blocked=blocked,
            earlier=earlier,
            file=file,
            texts=[*columns.values(), *others.values()],
            texts_for=texts_for,
        )

    def _cells(
        self,
        name: str,
        text: TextColumn,
        log: FindingLog,
        date_format: str | None,
        unit: Decimal | None = None,
    ) -> Cells:
        return read_column(
            self.table.column(name),
            text,
            currency=self.currency,
            zone=self.zone,
            date_format=date_format,
            missing=self.missing,
            nobody=self.nobody,
            log=log,
            unit=unit,
        )

    def _constant(self, name: str, text: str, count: int) -> Cells:
        cells = self._plain(name, str(text))
        if cells.reasons:
            raise ConfigurationError(
                f"the constant {name!r} cannot be read: {cells.reasons[0].text_en}"
            )
        return attrs.evolve(cells, codes=np.zeros(count, dtype=np.int64))

    def _plain(self, name: str, text: str) -> Cells:
        """Read a value of the configuration: its dates begin with the year."""
        log = FindingLog(self.table.name, None, 1)
        return self._cells(name, TextColumn.constant(text, 1), log, None)

    def _drop(
        self,
        rule: DropRule,
        cells: Mapping[str, Cells],
        extra: Mapping[str, TextColumn],
        state: RowVerdicts,
    ) -> None:
        if rule.column in cells:
            hit = self._matches(rule, cells[rule.column])
        elif rule.column in extra and rule.limit is None:
            text = extra[rule.column]
            found = [
                not t.strip() if rule.missing else rule.matches_text(t.strip())
                for t in text.texts
            ]
            hit = np.array(found, dtype=bool)[text.codes]
        else:
            raise ConfigurationError(
                f"a drop rule names {rule.column[:40]!r}, which this file does not "
                f"have{' as a canonical column' if rule.column in extra else ''}; "
                f"{nearest(rule.column, (*cells, *extra))}"
            )
        hit &= state.which < 0
        reason = Reason(
            "dropped-by-reading",
            rule.column,
            f"left out by a reading rule: {rule.reason} ({rule.condition})",
            f"按读取规则剔除：{rule.reason}（{rule.condition}）",
        )
        state.reject(hit, [reason], told=False)
        state.log.add(
            reason.rule,
            reason.text_en,
            reason.text_zh,
            column=rule.column,
            count=int(hit.sum()),
        )

    def _matches(self, rule: DropRule, cells: Cells) -> _Array:
        good = ~cells.missing & (cells.problem < 0)
        if rule.missing:
            return np.asarray(cells.missing[cells.codes])
        one = self._plain(cells.column.name, rule.limit[1] if rule.limit else "")
        if rule.limit is None:
            found = [
                fine and isinstance(value, str) and rule.matches_text(value)
                for value, fine in zip(cells.typed.tolist(), good, strict=True)
            ]
            return np.array(found, dtype=bool)[cells.codes]
        if one.reasons or cells.column.kind in (Kind.ID, Kind.TEXT, Kind.CHOICE):
            raise ConfigurationError(
                f"a drop rule cannot compare {rule.column!r} with "
                f"{rule.limit[1][:40]!r}"
            )
        (limit,) = one.comparable.tolist()
        found = [
            fine and rule.matches_value(value, limit)
            for value, fine in zip(cells.comparable.tolist(), good, strict=True)
        ]
        return np.array(found, dtype=bool)[cells.codes]
