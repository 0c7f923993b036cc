"""Facts: tickets reduced to one row an atom of time, store and member."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import attrs
import narwhals as nw
import numpy as np

from memberops.errors import ColumnTypeError
from memberops.metrics.engine import (
    as_frame,
    checked,
    collected,
    flag,
    month_index,
    refuse_gaps,
    sums,
)
from memberops.metrics.policy import MetricPolicy
from memberops.metrics.spans import Spans
from memberops.metrics.tickets import NEEDED, ticket_frame
from memberops.tables import SALES, Table

__all__ = ["Facts", "local", "local_sales", "reduce_sales", "same_ids"]

_SUMS = ("amount", "items", "tickets")
_READ = ("ticket_id", "sold_on", "store_id", "member_id", "amount", "quantity",
         "returned_ticket_id")  # fmt: skip


@attrs.frozen
class Facts:
    """
    What all sales figures are made of.

    Args:
        frame: In memory, one row an atom, store and member: ``atom``, ``store_id``,
            ``member_id``, and the sums ``amount``, ``items``, ``tickets`` (tickets
            that are purchases).
        spans: The atoms' meaning.
        none: What stands for "no member" in ``member_id``.
        engine: The library that holds the frame.
    """

    frame: nw.DataFrame[Any]
    spans: Spans
    none: str | int
    engine: Literal["polars", "pandas"]


def local(
    native: Any,
    table: Table,
    engine: Literal["polars", "pandas"],
    columns: Sequence[str],
    needed: Sequence[str],
) -> nw.LazyFrame[Any]:
    """
    Take the columns that are needed; hand a pandas frame to polars where it is used.

    Handing over takes less time and changes no digit (`make bench` shows both).

    Raises:
        MissingColumnsError: A needed column is absent.
        ColumnTypeError: A column has a type that its table forbids.
    """
    frame = checked(as_frame(native, table), table, needed)
    names = [name for name in frame.collect_schema().names() if name in columns]
    frame = frame.select(*names)
    if engine == "polars" and frame.implementation.is_pandas():
        return frame.collect("pandas").lazy("polars")
    return frame


def local_sales(sales: Any, engine: Literal["polars", "pandas"]) -> nw.LazyFrame[Any]:
    """Take the columns of sales lines that the figures read; see `local`."""
    return refuse_gaps(local(sales, SALES, engine, _READ, NEEDED), SALES, NEEDED)


def reduce_sales(
    sales: Any,
    spans: Spans,
    *,
    policy: MetricPolicy,
    engine: Literal["polars", "pandas"],
) -> Facts:
    """Reduce lines to facts on their own engine, then bring the facts into memory."""
    frame = local_sales(sales, engine)
    rows = ticket_frame(frame, first=spans.first, end=spans.end, policy=policy)
    time = month_index("sold_on") if spans.by_month else nw.col("sold_on")
    keyed = rows.select(
        time.alias("time"),
        "store_id",
        "member_id",
        "amount",
        "items",
        flag(nw.col("amount") > 0).alias("tickets"),
    )
    reduced = sums(keyed, ["time", "store_id", "member_id"], _SUMS)
    found = collected(reduced, engine)
    none: str | int = "" if found.schema["member_id"] == nw.String else -(2**62)
    return Facts(_with_atoms(found, spans, engine), spans, none, engine)


def _with_atoms(
    frame: nw.DataFrame[Any], spans: Spans, engine: Literal["polars", "pandas"]
) -> nw.DataFrame[Any]:
    if spans.by_month:
        numbers = np.array([number for number, _ in spans.month_atoms()], np.int64)
        times = frame["time"].to_numpy()
    else:
        numbers = np.array(spans.cuts, "datetime64[D]").astype(np.int64)
        days = frame["time"].to_numpy()
        times = days.astype("datetime64[D]").astype(np.int64)
    atoms = np.searchsorted(numbers, times, side="right") - 1
    atom = nw.new_series("atom", atoms.astype(np.int64), nw.Int64, backend=engine)
    with_atom = frame.with_columns(atom).drop("time")
    if spans.by_month and len(numbers) == numbers[-1] - numbers[0] + 1:
        return with_atom
    rows: nw.DataFrame[Any] = sums(with_atom, ["atom", "store_id", "member_id"], _SUMS)
    return rows


def same_ids(table: str, name: str, left: Any, right: Any) -> None:
    """
    Refuse to match text ids with whole numbers: no row would be found.

    Raises:
        ColumnTypeError: The two frames hold the id in different types.
    """
    if (left == nw.String) != (right == nw.String):
        raise ColumnTypeError(
            f"{name!r} is {left} in sales but {right} in the {table} frame: "
            "hold ids as text in both"
        )
