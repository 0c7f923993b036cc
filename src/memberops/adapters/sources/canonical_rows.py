"""
Typed cells become canonical rows: each row is accepted or rejected.

What every source shares: a required cell is there and readable, a card does not end
before it begins, and no two rows have one key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.adapters.sources.arrow_texts import ArrowTexts, release_unused
from memberops.adapters.sources.column_values import Cells, TextColumn, empty_series
from memberops.adapters.sources.finding_log import Reason
from memberops.adapters.sources.row_verdicts import RowVerdicts
from memberops.tables import Column, Table

__all__ = ["Conversion", "TextsFor", "derive", "settle"]

TextsFor = Literal["anything", "rejects", "nothing"]
"""What the text of a source is needed for when it has been read."""

_Array = npt.NDArray[Any]
_INT64 = 2**63 - 1
_MOST_NAMED = 100_000


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


def derive(table: Table, cells: dict[str, Cells]) -> dict[str, tuple[str, ...]]:
    """
    Make the columns that a source lacks and that follow from others.

    Args:
        table: The canonical table.
        cells: The columns of the source; what is made is put in.

    Returns:
        The names of what was made, each with those it was made from.
    """
    made: dict[str, tuple[str, ...]] = {}
    for column in table.columns:
        sources = column.derived_from
        if column.name in cells or not sources or not set(sources) <= set(cells):
            continue
        make = _DERIVED[column.name]
        cells[column.name] = make(column, *(cells[name] for name in sources))
        made[column.name] = sources
    return made


def settle(
    table: Table,
    cells: Mapping[str, Cells],
    state: RowVerdicts,
    *,
    derived: Mapping[str, tuple[str, ...]],
    blocked: Mapping[str, Reason] | None = None,
    earlier: pd.DataFrame | None = None,
    file: str = "",
    texts: Iterable[TextColumn] = (),
    texts_for: TextsFor = "anything",
) -> Conversion:
    """
    Accept or reject each row, and give the accepted ones in canonical form.

    Args:
        table: The canonical table.
        cells: Its columns, as far as the source has them.
        state: The verdicts so far, with the log that takes the findings.
        derived: What `derive` gave.
        blocked: Columns that cannot be used at all, and why.
        earlier: `Conversion.keys` of the files before this one.
        file: Name of the file; empty for a frame, whose rows have positions.
        texts: What the cells were read from.
        texts_for: What it is still needed for; it is let go before the frame takes
            its memory if that is nothing.
    """
    sources = {name for names in derived.values() for name in names}
    for column in table.columns:
        if column.required and column.name not in cells:
            state.reject_rest((blocked or {}), column.name)
        elif column.required or column.name in sources:
            own = column.name not in derived
            state.require(cells[column.name], empty=own)
    _check_order(cells, state)
    sure = not table.key and bool((state.which < 0).all())
    if texts_for == "nothing" or (texts_for == "rejects" and sure):
        _let_go(texts, cells)
    frame = _frame(table, cells, state)
    keys = _keys(table, frame, state, file)
    frame = _unique(table, frame, keys, earlier, state)
    for name, column_cells in cells.items():
        if name not in sources and not column_cells.column.required:
            state.warn(column_cells)
    rejected = np.flatnonzero(state.which >= 0)
    if len(rejected):
        keys = keys[~np.isin(keys["row"], rejected)]
    return Conversion(
        frame=frame,
        rejected=rejected,
        reasons=[state.reasons[code] for code in state.which[rejected]],
        keys=keys,
    )


def _check_order(cells: Mapping[str, Cells], state: RowVerdicts) -> None:
    if "valid_from" not in cells or "valid_through" not in cells:
        return
    first, last = cells["valid_from"], cells["valid_through"]
    wrong = last.typed[last.codes] < first.typed[first.codes]
    state.reject(wrong & (state.which < 0), [_BACKWARDS])


def _let_go(texts: Iterable[TextColumn], cells: Mapping[str, Cells]) -> None:
    used = {id(each.typed) for each in cells.values()}
    for text in texts:
        if isinstance(text.texts, ArrowTexts) and id(text.texts) not in used:
            text.texts.let_go()
    release_unused()


def _frame(
    table: Table, cells: Mapping[str, Cells], state: RowVerdicts
) -> pd.DataFrame:
    good = state.which < 0
    kept = None if good.all() else np.flatnonzero(good)
    rows = len(good) if kept is None else len(kept)
    series = {}
    for column in table.columns:
        if column.name in cells:
            series[column.name] = cells[column.name].series(kept)
        else:
            series[column.name] = empty_series(column, rows)
    # What the cells hold is nobody's but the frame's.
    return pd.DataFrame(series, copy=False)


def _keys(
    table: Table, frame: pd.DataFrame, state: RowVerdicts, file: str
) -> pd.DataFrame:
    if not table.key:
        return pd.DataFrame({"row": np.zeros(0, dtype=np.int64)})
    kept = np.flatnonzero(state.which < 0)
    keys = frame[list(table.key)].copy()
    keys["row"], keys["line"], keys["file"] = kept, state.lines[kept], file
    return keys


def _unique(
    table: Table,
    frame: pd.DataFrame,
    keys: pd.DataFrame,
    earlier: pd.DataFrame | None,
    state: RowVerdicts,
) -> pd.DataFrame:
    """Reject the second row of a key, wherever the first one stands."""
    names = list(table.key)
    if not names:
        return frame
    # A finding about a file names its line, one about a frame its row.
    unit = "line" if keys["file"].any() else "row"
    both = keys if earlier is None else pd.concat([earlier, keys])
    again = both.duplicated(names).to_numpy()[len(both) - len(keys) :]
    if not again.any():
        return frame
    firsts = both.drop_duplicates(names)[[*names, "line", "file"]]
    seconds = keys.loc[again, [*names, "row", "file"]]
    met = seconds.merge(firsts, on=names, how="left", suffixes=("", "_first"))
    few = met.head(_MOST_NAMED)
    reasons = []
    for line, file, first_file in zip(
        few["line"], few["file"], few["file_first"], strict=True
    ):
        other = first_file if first_file != file else ""
        reasons.append(
            Reason(
                "duplicate-key",
                names[0],
                f"the same {' and '.join(names)} stands in {unit} {line}"
                + (f" of {other}" if other else ""),
                f"{'、'.join(names)} 与{other}第 {line} 行重复",
            )
        )
    # A reason of its own for each of a million rows would cost more than the rows.
    reasons.append(
        Reason(
            "duplicate-key",
            names[0],
            f"the same {' and '.join(names)} stands in an earlier {unit}",
            f"{'、'.join(names)} 与前面的行重复",
        )
    )
    which = np.minimum(np.arange(len(met)), _MOST_NAMED)
    state.reject_each(met["row"].to_numpy(), which, reasons)
    return frame[~again].reset_index(drop=True)


def _day_of(column: Column, moments: Cells) -> Cells:
    days = moments.comparable
    return attrs.evolve(
        moments,
        column=column,
        typed=days,
        missing=np.isnat(days),
        problem=np.broadcast_to(np.int64(-1), len(days)),
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
