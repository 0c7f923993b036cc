"""Canonical tables from frames that a host has: held to the rules of files."""

from __future__ import annotations

import csv
import io
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import narwhals as nw
import numpy as np
import pandas as pd

from memberops.adapters.sources.canonical_rows import derive, settle
from memberops.adapters.sources.column_values import Cells
from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.finding_log import FindingLog
from memberops.adapters.sources.frame_values import frame_cells, is_absent
from memberops.adapters.sources.limits import ReadingLimits
from memberops.adapters.sources.rejects import kept_raw, rejects_frame
from memberops.adapters.sources.row_verdicts import RowVerdicts
from memberops.errors import ColumnTypeError
from memberops.tables import Kind, Table
from memberops.tables import table as table_named

__all__ = ["read_frame"]


def read_frame(
    native: Any,
    table: str | Table,
    *,
    zone: ZoneInfo | None = None,
    limits: ReadingLimits | None = None,
) -> SourceResult:
    """
    Read one canonical table from a frame, judging its rows as those of a file.

    A row that lacks what its table requires is rejected, and so is the second row of
    a key; an optional cell that cannot be used is left empty, with a warning. What is
    wrong with a whole column is wrong use. Columns that are not canonical are left
    out.

    Args:
        native: A frame of pandas, polars, pyarrow, DuckDB or whatever else narwhals
            takes, with canonical column names.
        table: The canonical table, or its name.
        zone: Zone in which a moment has its day, where a column of days has to be
            made of moments; Asia/Shanghai if None.
        limits: How many findings of a rule are given one by one, and how many
            rejected rows are listed.

    Returns:
        The canonical pandas frame, with findings that count rows from 1. Rejected
        rows are kept as comma-separated text.

    Raises:
        MissingColumnsError: A required column is absent.
        ColumnTypeError: It is no frame, or a column has a type that its table
            forbids: floats as ids or money, text or zoned moments as dates.
        UnknownTableError: No canonical table has that name.

    >>> import pandas as pd
    >>> stores = read_frame(
    ...     pd.DataFrame({"store_id": [7, 8, 7], "region_id": ["a", "b", "b"]}),
    ...     "stores")
    >>> stores.frame["store_id"].tolist(), stores.rejects["raw"].tolist()
    (['7', '8'], ['7,b'])
    >>> print(stores.findings[0].describe("en"))
    error stores row 3 store_id: the same store_id stands in row 1; the row is ...
    """
    canonical = table_named(table) if isinstance(table, str) else table
    frame = _in_memory(native, canonical)
    available = frame.columns
    needed = [
        column.name
        for column in canonical.columns
        if column.required
        and not (column.derived_from and set(column.derived_from) <= set(available))
    ]
    canonical.check_columns(available, needed)
    bounds = limits or ReadingLimits()
    log = FindingLog(canonical.name, None, bounds.examples)
    cells = {
        column.name: frame_cells(column, frame[column.name], table=canonical.name)
        for column in canonical.columns
        if column.name in available
    }
    _place(cells, canonical, zone or ZoneInfo("Asia/Shanghai"))
    derived = derive(canonical, cells)
    rows = np.arange(1, len(frame) + 1)
    state = RowVerdicts(np.full(len(frame), -1, dtype=np.int64), [], rows, log)
    done = settle(canonical, cells, state, derived=derived)
    names = [name for name in canonical.names if name in available]
    unlisted = log.add_unlisted(len(done.rejected), bounds.rejects)
    listed, reasons = done.rejected[: bounds.rejects], done.reasons[: bounds.rejects]
    raws = frame.select(*names)[listed.tolist()].rows()
    return SourceResult(
        table=canonical.name,
        frame=done.frame,
        rejects=rejects_frame(
            [
                ("", int(at) + 1, why.column, why.rule, why.text_en, why.text_zh,
                 _as_text(raw))
                for at, why, raw in zip(listed, reasons, raws, strict=True)
            ]
        ),
        findings=log.findings,
        rows_read=len(frame),
        unlisted=unlisted,
    )  # fmt: skip


def _place(cells: dict[str, Cells], table: Table, zone: ZoneInfo) -> None:
    """Find the days of moments from which a column that is absent is made."""
    sources = {
        name
        for column in table.columns
        if column.name not in cells
        for name in column.derived_from
    }
    for name in sources & set(cells):
        if table.column(name).kind is Kind.INSTANT:
            utc = pd.DatetimeIndex(cells[name].typed).tz_localize("UTC")
            local = utc.tz_convert(zone).tz_localize(None).normalize()
            days = local.to_numpy().astype("datetime64[us]")
            cells[name] = attrs.evolve(cells[name], days=days)


def _in_memory(native: Any, table: Table) -> nw.DataFrame[Any]:
    try:
        frame = nw.from_native(native)
    except TypeError:
        raise ColumnTypeError(
            f"the {table.name} must be a pandas, polars, pyarrow or DuckDB frame, "
            f"not a {type(native).__name__}"
        ) from None
    wanted = [name for name in table.names if name in frame.collect_schema().names()]
    if not wanted:
        table.check_columns(frame.collect_schema().names(), table.required)
    chosen = frame.select(*wanted)
    return chosen.collect() if isinstance(chosen, nw.LazyFrame) else chosen


def _as_text(row: tuple[Any, ...]) -> str:
    text = io.StringIO()
    cells = ["" if is_absent(value) else value for value in row]
    csv.writer(text, lineterminator="").writerow(cells)
    return kept_raw(text.getvalue())
