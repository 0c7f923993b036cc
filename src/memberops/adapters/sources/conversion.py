"""
Text columns become a canonical frame; what cannot be converted says why.

A row is accepted or rejected, never both and never neither. It is rejected if a
required cell is missing or unreadable; an optional cell that cannot be read is left
empty, with a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.adapters.sources.column_values import (
    Cells,
    TextColumn,
    empty_series,
    read_column,
)
from memberops.adapters.sources.drop_rules import DropRule
from memberops.adapters.sources.finding_log import FindingLog, Reason
from memberops.adapters.sources.row_verdicts import RowVerdicts
from memberops.domain import Currency
from memberops.errors import ConfigurationError, nearest
from memberops.tables import Column, Kind, Table

__all__ = ["MISSING_WORDS", "Conversion", "Converter"]

MISSING_WORDS = ("NULL", "\\N", "#N/A", "NaN", "nan")
"""Texts that mean "no value", as databases and spreadsheets write it."""

_Array = npt.NDArray[Any]
_INT64 = 2**63 - 1


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Conversion:
    """
    What became of the rows.

    Args:
        frame: The accepted rows in canonical form.
        rejected: Positions of the rejected rows, in order.
        reasons: Why, one for each rejected row.
        keys: Keys of the accepted rows with their ``line`` and ``file``, for finding
            duplicates in further files; empty if the table has no key.
    """

    frame: pd.DataFrame
    rejected: _Array
    reasons: list[Reason]
    keys: pd.DataFrame


@attrs.frozen(kw_only=True)
class Converter:
    """
    How text becomes a canonical table.

    Args:
        table: The canonical table.
        currency: Currency of amounts.
        zone: Zone in which a local time is read and a day begins.
        date_formats: By column, see `date_values.check_date_format`.
        constants: Values of columns that the source lacks, as text.
        drop: Rows that are left out knowingly.
        missing: Words that mean "no value".
    """

    table: Table
    currency: Currency
    zone: ZoneInfo
    date_formats: Mapping[str, str] = attrs.field(factory=dict)
    constants: Mapping[str, str] = attrs.field(factory=dict)
    drop: tuple[DropRule, ...] = ()
    missing: tuple[str, ...] = MISSING_WORDS

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
    ) -> Conversion:
        """
        Convert the rows of one file.

        Args:
            columns: The text of canonical columns.
            lines: Line of each row.
            log: Takes the findings.
            extra: The text of other headings that drop rules name.
            blocked: Columns that cannot be used at all, and why.
            earlier: `Conversion.keys` of the files before this one.
            file: Name of the file.

        Raises:
            ConfigurationError: A constant or the limit of a drop rule cannot be
                read, or a drop rule names an unknown column.
        """
        count = len(lines)
        cells = {
            name: self._cells(name, text, log, self.date_formats.get(name))
            for name, text in columns.items()
        }
        for name, text in self.constants.items():
            cells[name] = self._constant(name, text, count)
        derived = self._derive(cells)
        sources = {name for names in derived.values() for name in names}
        state = RowVerdicts(np.full(count, -1, dtype=np.int64), [], lines, log)
        for rule in self.drop:
            self._drop(rule, cells, extra or {}, state)
        for column in self.table.columns:
            if column.required and column.name not in cells:
                state.reject_rest((blocked or {}), column.name)
            elif column.required or column.name in sources:
                own = column.name not in derived
                state.require(cells[column.name], empty=own)
        self._check_order(cells, state)
        frame = self._frame(cells, state)
        keys = self._keys(frame, state, file)
        frame = self._unique(frame, keys, earlier, state)
        for name, column_cells in cells.items():
            if name not in sources and not column_cells.column.required:
                state.warn(column_cells)
        rejected = np.flatnonzero(state.which >= 0)
        return Conversion(
            frame=frame,
            rejected=rejected,
            reasons=[state.reasons[code] for code in state.which[rejected]],
            keys=keys[np.isin(keys["row"], np.flatnonzero(state.which < 0))],
        )

    def _cells(
        self, name: str, text: TextColumn, log: FindingLog, date_format: str | None
    ) -> Cells:
        return read_column(
            self.table.column(name),
            text,
            currency=self.currency,
            zone=self.zone,
            date_format=date_format,
            missing=self.missing,
            log=log,
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

    def _derive(self, cells: dict[str, Cells]) -> dict[str, tuple[str, ...]]:
        """Make the columns that the file lacks, and name those they are made from."""
        made: dict[str, tuple[str, ...]] = {}
        for column in self.table.columns:
            sources = column.derived_from
            if column.name in cells or not sources or not set(sources) <= set(cells):
                continue
            derive = _DERIVED[column.name]
            cells[column.name] = derive(column, *(cells[name] for name in sources))
            made[column.name] = sources
        return made

    def _check_order(self, cells: Mapping[str, Cells], state: RowVerdicts) -> None:
        if "valid_from" not in cells or "valid_through" not in cells:
            return
        first, last = cells["valid_from"], cells["valid_through"]
        wrong = last.typed[last.codes] < first.typed[first.codes]
        state.reject(wrong & (state.which < 0), [_BACKWARDS])

    def _frame(self, cells: Mapping[str, Cells], state: RowVerdicts) -> pd.DataFrame:
        kept = np.flatnonzero(state.which < 0)
        series = {}
        for column in self.table.columns:
            if column.name in cells:
                series[column.name] = cells[column.name].series(kept)
            else:
                series[column.name] = empty_series(column, len(kept))
        return pd.DataFrame(series)

    def _keys(self, frame: pd.DataFrame, state: RowVerdicts, file: str) -> pd.DataFrame:
        kept = np.flatnonzero(state.which < 0)
        if not self.table.key:
            return pd.DataFrame({"row": kept[:0]})
        keys = frame[list(self.table.key)].copy()
        keys["row"], keys["line"], keys["file"] = kept, state.lines[kept], file
        return keys

    def _unique(
        self,
        frame: pd.DataFrame,
        keys: pd.DataFrame,
        earlier: pd.DataFrame | None,
        state: RowVerdicts,
    ) -> pd.DataFrame:
        """Reject the second row of a key, wherever the first one stands."""
        names = list(self.table.key)
        if not names:
            return frame
        both = keys if earlier is None else pd.concat([earlier, keys])
        again = both.duplicated(names).to_numpy()[len(both) - len(keys) :]
        if not again.any():
            return frame
        firsts = both.drop_duplicates(names)[[*names, "line", "file"]]
        seconds = keys.loc[again, [*names, "row", "file"]]
        met = seconds.merge(firsts, on=names, how="left", suffixes=("", "_first"))
        for row, line, file, first_file in zip(
            met["row"], met["line"], met["file"], met["file_first"], strict=True
        ):
            other = first_file if first_file != file else ""
            state.reject_one(
                row,
                Reason(
                    "duplicate-key",
                    names[0],
                    f"the same {' and '.join(names)} stands in line {line}"
                    + (f" of {other}" if other else ""),
                    f"{'、'.join(names)} 与{other}第 {line} 行重复",
                ),
            )
        state.tell(met["row"].to_numpy())
        return frame[~again].reset_index(drop=True)


def _day_of(column: Column, moments: Cells) -> Cells:
    days = moments.comparable
    return attrs.evolve(
        moments,
        column=column,
        typed=days,
        missing=np.isnat(days),
        problem=np.full(len(days), -1),
        reasons=[],
    )


def _product(column: Column, quantity: Cells, price: Cells) -> Cells:
    """Multiply exactly; where 64 bits do not hold the product, say so."""
    first, second = (side.typed[side.codes] for side in (quantity, price))
    largest = [int(np.abs(side.typed).max(initial=0)) for side in (quantity, price)]
    large = np.zeros(len(first), dtype=bool)
    if largest[0] * largest[1] > _INT64:
        exact = zip(first.tolist(), second.tolist(), strict=True)
        large = np.array([abs(a * b) > _INT64 for a, b in exact], dtype=bool)
    return Cells(
        column=column,
        codes=np.arange(len(first)),
        typed=np.where(large, 0, first) * second,
        missing=~(quantity.readable_rows & price.readable_rows),
        problem=np.where(large, 0, -1),
        reasons=[_PRODUCT_TOO_LARGE],
    )


_DERIVED: dict[str, Callable[..., Cells]] = {"sold_on": _day_of, "amount": _product}
_PRODUCT_TOO_LARGE = Reason(
    "number-too-large",
    "amount",
    "quantity × unit price does not fit into 64 bits",
    "数量 × 单价超出 64 位范围",
)
_BACKWARDS = Reason(
    "validity-backwards",
    "valid_through",
    "the card's last day is before its first",
    "有效期止早于有效期起",
)
