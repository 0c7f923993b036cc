"""
What each card has bought in the year that counts for its waiver, on any engine.

The engines agree only on a small set of operations, so days are whole numbers such as
20261231 here, bare columns are summed, and each card's year is worked out from its
parts; a property test holds it equal to `FeeWaiver.window`.
"""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Any, Literal, TypeAlias

import narwhals as nw

from memberops.errors import (
    ColumnTypeError,
    FrameError,
    InvalidValueError,
    MissingColumnsError,
)
from memberops.schedules.dates import LeapDay
from memberops.tables import CARDS

__all__ = [
    "LEAP_YEARS",
    "Frame",
    "WaiverYear",
    "count_figures",
    "day_number",
    "entered",
    "number_of",
]

Frame: TypeAlias = Any
"""A `narwhals.DataFrame` or `narwhals.LazyFrame`: what is used here, both can do."""
WaiverYear = Literal["membership", "calendar"]

LEAP_YEARS = [year for year in range(1600, 2800) if calendar.isleap(year)]
_TICKETS = ("member_id", "sold_on", "amount")
_CARDS = ("card_id", "member_id", "valid_from", "valid_through")
_LINE_ONLY = ("returned_ticket_id", "item_id", "unit_price")
_MONTH, _YEAR = 100, 10_000


def entered(native: Any, name: str) -> Frame:
    """
    Take a frame of any engine that narwhals knows.

    Raises:
        ColumnTypeError: It is none.
    """
    try:
        return nw.from_native(native)
    except TypeError:
        raise ColumnTypeError(
            f"the {name} must be a pandas, polars, pyarrow or DuckDB frame, "
            f"not a {type(native).__name__}"
        ) from None


def day_number(frame: Frame, column: str) -> nw.Expr:
    """
    Number a day column as year, month, day: 20261231; a gap is 0.

    Raises:
        ColumnTypeError: The column holds no days, or carries a zone.
    """
    dtype = frame.collect_schema()[column]
    if not dtype.is_temporal() or getattr(dtype, "time_zone", None):
        raise ColumnTypeError(
            f"column {column!r} is {dtype}; it must hold calendar days without a "
            "zone, such as pandas.to_datetime(...) gives"
        )
    parts = nw.col(column).dt
    year, month, day = (
        part.fill_null(0).cast(nw.Int64)
        for part in (parts.year(), parts.month(), parts.day())
    )
    return year * _YEAR + month * _MONTH + day


def _year_bounds(
    frame: Frame, year: WaiverYear, as_of: dt.date, leap_day: LeapDay
) -> tuple[nw.Expr, nw.Expr]:
    """Give the day before each card's year, and its last day, as numbers."""
    through = nw.col("_through")
    years = nw.col("valid_through").dt.year().cast(nw.Int64)
    if year == "calendar":
        late = nw.lit(as_of.year, nw.Int64)
        is_later = years > as_of.year
        years = nw.when(is_later).then(late).otherwise(years)
        last = nw.when(is_later).then(late * _YEAR + 1231).otherwise(through)
        return years * _YEAR, last
    begun = "anchor" if "anchor" in frame.collect_schema() else "valid_from"
    anchor_day = nw.col(begun).dt.day().fill_null(0).cast(nw.Int64)
    if begun == "anchor":
        own = nw.col("valid_from").dt.day().cast(nw.Int64)
        anchor_day = nw.when(nw.col("anchor").is_null()).then(own).otherwise(anchor_day)
    before = through - _YEAR
    last = (years - 1) * _YEAR
    day = through - years * _YEAR
    was_leap = (years - 1).is_in(LEAP_YEARS)
    is_leap = years.is_in(LEAP_YEARS)
    # Only February has days that the year before may lack; see membership_year.
    clamped = (day == 227) & (anchor_day > 28) & was_leap  # noqa: PLR2004 - 27, 28 Feb
    common_end = (day == 228) & ~is_leap  # noqa: PLR2004 - 28 February
    leap_eve = (day == 228) & is_leap  # noqa: PLR2004 - 28 February
    february = nw.when(leap_eve).then(last + 227).otherwise(before)
    february = nw.when(common_end).then(last + 229).otherwise(february)
    first = nw.when(clamped).then(last + 228).otherwise(february)
    if leap_day == "next_day":
        # 28 February ends a year that began on 29 February or 1 March.
        moved = nw.when(day == 228).then(last + 228).otherwise(before)  # noqa: PLR2004 - 28 February
        begun_day = day_number(frame, begun) % _YEAR
        if begun == "anchor":
            own = day_number(frame, "valid_from") % _YEAR
            begun_day = (
                nw.when(nw.col("anchor").is_null()).then(own).otherwise(begun_day)
            )
        first = nw.when(begun_day == 229).then(moved).otherwise(first)  # noqa: PLR2004 - 29 February
    return first, through


def count_figures(
    tickets: Any,
    cards: Any,
    *,
    as_of: dt.date,
    year: WaiverYear,
    leap_day: LeapDay = "clamp",
) -> Any:
    """
    Count purchases and net spend of each card in its year; see `FeeWaiver.figures`.

    Args:
        tickets: One row a ticket: ``member_id``, ``sold_on``, ``amount``.
        cards: ``card_id``, ``member_id``, ``valid_from``, ``valid_through``,
            optional ``anchor``.
        as_of: Later tickets are not known yet.
        year: Which year counts.
        leap_day: Where the years of a card of 29 February begin in common years.
    """
    sold, held = entered(tickets, "tickets"), entered(cards, "cards")
    if isinstance(sold, nw.LazyFrame) or isinstance(held, nw.LazyFrame):
        sold, held = sold.lazy(), held.lazy()
    names = sold.collect_schema().names()
    _check(sold, held, names)
    held = held.filter(
        ~(nw.col("valid_from").is_null() | nw.col("valid_through").is_null())
    ).with_columns(
        day_number(held, "valid_from").alias("_from"),
        day_number(held, "valid_through").alias("_through"),
    )
    before, last = _year_bounds(held, year, as_of, leap_day)
    keys = ["card_id", "_from", "_through"]
    if isinstance(held, nw.DataFrame):
        # One number a card is grouped and joined three times as fast as its three keys.
        held, keys = held.with_row_index("_row"), ["_row"]
    bought = (
        sold.filter(~nw.col("sold_on").is_null())
        .select(
            "member_id",
            day_number(sold, "sold_on").alias("_sold"),
            nw.col("amount").fill_null(0).cast(nw.Int64).alias("spend"),
        )
        .filter(nw.col("_sold") <= number_of(as_of))
        .join(
            held.select(
                "member_id", *keys, before.alias("_before"), last.alias("_last")
            ),
            on="member_id",
            how="inner",
        )
        .filter(nw.col("_sold") > nw.col("_before"), nw.col("_sold") <= nw.col("_last"))
        .with_columns(
            nw.when(nw.col("spend") > 0)
            .then(nw.lit(1, nw.Int64))
            .otherwise(nw.lit(0, nw.Int64))
            .alias("purchases")
        )
        .group_by(*keys)
        .agg(nw.col("purchases").sum(), nw.col("spend").sum())
    )
    return nw.to_native(
        held.join(bought, on=keys, how="left")
        .with_columns(
            nw.col("purchases").fill_null(0).cast(nw.Int64),
            nw.col("spend").fill_null(0).cast(nw.Int64),
        )
        .drop(*{"_from", "_through", *keys} - {"card_id"})
    )


def number_of(day: dt.date) -> int:
    """
    Number one day as `day_number` numbers a column.

    >>> number_of(dt.date(2026, 12, 31))
    20261231
    """
    return day.year * _YEAR + day.month * _MONTH + day.day


def _check(sold: Frame, held: Frame, names: list[str]) -> None:
    CARDS.check_columns(held.collect_schema().names(), _CARDS)
    missing = [name for name in _TICKETS if name not in names]
    if missing:
        raise MissingColumnsError("tickets", missing, names)
    lines = [name for name in _LINE_ONLY if name in names]
    if "quantity" in names and "items" not in names:
        lines.append("quantity")
    if lines:
        raise FrameError(
            f"the tickets frame has the columns of sales lines ({', '.join(lines)}): "
            "one row must be one ticket, as memberops.metrics.tickets(sales) makes them"
        )
    if not sold.collect_schema()["amount"].is_integer():
        raise ColumnTypeError(
            f"column 'amount' of the tickets frame is {sold.collect_schema()['amount']}"
            "; it must hold whole minor units (Currency.to_minor)"
        )
    taken = {"purchases", "spend"} & set(held.collect_schema().names())
    if taken:
        raise FrameError(f"the cards frame already has {sorted(taken)}: drop them")
    if sold.implementation != held.implementation:
        raise InvalidValueError(
            f"tickets are in {sold.implementation} and cards in {held.implementation}: "
            "bring both to one engine"
        )
