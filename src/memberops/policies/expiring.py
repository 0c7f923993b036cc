"""Whose card ends next month without a waiver: XX月到期会员名单 (HQ §4.2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from memberops.domain.values import mask, mask_name
from memberops.errors import (
    ColumnTypeError,
    InvalidValueError,
    MissingColumnsError,
    nearest,
)
from memberops.policies.fee_waiver import FeeWaiver
from memberops.policies.figures import Frame, day_number, entered, number_of
from memberops.policies.visit_intake import positions
from memberops.policies.waiver_sentences import waiver_sentences
from memberops.schedules import Period
from memberops.schedules.dates import add_months, check_whole, month_end
from memberops.tables import CARDS, MEMBERS, STORES, Kind, Table

__all__ = ["expiring_members"]

_PERSONAL = ("name", "phone")
_LAST_VISIT_DAY = 28
_TEXTS = {
    column.name
    for table in (CARDS, MEMBERS, STORES)
    for column in table.columns
    if column.kind in {Kind.ID, Kind.TEXT, Kind.CHOICE}
}
_SHORTEST = 9


def expiring_members(
    cards: Any,
    figures: Any,
    *,
    month: Period,
    waiver: FeeWaiver,
    members: Any = None,
    stores: Any = None,
    reveal: Collection[str] = (),
    visit_day: int = 5,
    notice_months: int = 1,
) -> pd.DataFrame:
    """
    List the cards that end in the month after the run month and are not waived.

    With a longer notice, the months after that one too: the list holds the cards that
    `CardState` with the same notice calls ``"expiring"`` on the last day of the run
    month; a card whose term begins later is not among them.

    Run by the 5th: each store gets the list of its own members, visits them, and says
    what is still missing. A card number that already holds a later term was renewed
    and is not listed. Frames may be of any engine, each of its own.

    Args:
        cards: ``card_id``, ``member_id``, ``valid_from``, ``valid_through``; optional
            ``store_id``, else the member's store is meant. A row without its days is
            no card, and left out.
        figures: What `FeeWaiver.figures` gives for the cards as of a day in the run
            month: ``card_id``, ``valid_from`` and a column for each figure of the
            rule. A card without a row there is unknown, not zero.
        month: The run month.
        waiver: The waiver policy.
        members: Optional: ``member_id`` with ``name``, ``phone``, ``store_id``.
        stores: Optional: ``store_id`` with ``region_id``.
        reveal: Which of ``"name"`` and ``"phone"`` are not masked.
        visit_day: By which day of the run month the visits are due.
        notice_months: How many months ahead a card counts as expiring, as in
            `CardState`.

    Returns:
        A pandas frame, by store, last day and card, with ``month``, ``store_id``,
        ``region_id``, ``member_id``, ``name``, ``phone``, ``card_id``,
        ``valid_through``, the figures and what each still lacks (``purchases``,
        ``spend``, ``missing_purchases``, ``missing_spend``; money in minor units,
        null if unknown), ``reason_en``, ``reason_zh``, ``visit_due``. Columns whose
        data were not given are left out.

    Raises:
        InvalidValueError: *month* is no calendar month, *reveal* names something
            else, *visit_day* is not 1 to 28, or *notice_months* lies below 0.
        MissingColumnsError: A needed column is absent.
        ColumnTypeError: A column has a type that its table forbids; an id is a
            number.

    >>> cards = pd.DataFrame({
    ...     "card_id": ["C1"], "member_id": ["M1"],
    ...     "valid_from": pd.to_datetime(["2025-12-01"]),
    ...     "valid_through": pd.to_datetime(["2026-11-30"])})
    >>> figures = cards.assign(purchases=2, spend=77000)
    >>> rows = expiring_members(cards, figures, month=Period.month(2026, 10),
    ...                         waiver=FeeWaiver())
    >>> rows[["card_id", "missing_purchases", "missing_spend"]].values.tolist()
    [['C1', 1, 23000]]
    >>> print(rows.reason_zh[0])
    还差 1 次消费或 230.00 元（截至 2026-11-30）
    """
    _check(month, reveal, visit_day)
    names = list(dict.fromkeys(c.figure for c in waiver.rule.conditions))
    ahead = _ahead(month, notice_months)
    rows = _ending(entered(cards, "cards"), ahead, number_of(month.through))
    rows = rows.merge(
        _known(entered(figures, "figures"), ahead, names, waiver),
        on=["card_id", "_from"],
        how="left",
    )
    rows = waiver.decide_frame(rows)
    rows = rows[~rows["waived"].astype(bool)]
    rows = _with_members(rows, members, reveal)
    if stores is not None and "store_id" in rows:
        places = _columns(entered(stores, "stores"), STORES, ["store_id", "region_id"])
        rows = rows.merge(places, on="store_id", how="left")
    rows = _with_reasons(rows, month, waiver)
    rows["month"] = month.label
    due = pd.Timestamp(month.start.replace(day=visit_day))
    rows["visit_due"] = pd.Series(due, index=rows.index, dtype="datetime64[us]")
    order = ["store_id", "valid_through", "card_id"]
    rows = rows.sort_values([n for n in order if n in rows], kind="stable")
    wanted = (
        "month", "store_id", "region_id", "member_id", "name", "phone", "card_id",
        "valid_through", *names, *(f"missing_{name}" for name in names),
        "reason_en", "reason_zh", "visit_due",
    )  # fmt: skip
    return rows[[name for name in wanted if name in rows]].reset_index(drop=True)


def _check(month: object, reveal: Collection[str], visit_day: int) -> None:
    if not isinstance(month, Period) or month.kind != "month":
        raise InvalidValueError(
            "the list is made for a calendar month: month=Period.month(2026, 10)"
        )
    for name in [reveal] if isinstance(reveal, str) else reveal:
        if name not in _PERSONAL or isinstance(reveal, str):
            raise InvalidValueError(
                f"reveal takes column names such as ('phone',), not {name!r}; "
                f"{nearest(str(name), _PERSONAL)}"
            )
    if isinstance(visit_day, bool) or visit_day not in range(1, _LAST_VISIT_DAY + 1):
        raise InvalidValueError(
            "'visit_day' must be a day that each month has: 1 to 28"
        )


def _ahead(month: Period, notice: int) -> tuple[int, int]:
    """Number the first and the last day on which a listed card may end."""
    if check_whole(notice, "notice_months", least=0) == 0:
        return number_of(month.end), number_of(month.through)
    last = month_end(add_months(month.end, notice - 1))
    return number_of(month.end), number_of(last)


def _ending(held: Frame, ahead: tuple[int, int], today: int) -> pd.DataFrame:
    """Take the cards that run today, end ahead and hold no later term."""
    available = held.collect_schema().names()
    CARDS.check_columns(
        available, ("card_id", "member_id", "valid_from", "valid_through")
    )
    held = held.filter(
        ~(nw.col("valid_from").is_null() | nw.col("valid_through").is_null())
    )
    held = held.with_columns(
        day_number(held, "valid_from").alias("_from"),
        day_number(held, "valid_through").alias("_through"),
    )
    first, last = ahead
    later = held.filter(nw.col("_through") > last).select("card_id").unique()
    begun = held.filter(nw.col("_from") <= today)
    ending = begun.filter(nw.col("_through") >= first, nw.col("_through") <= last).join(
        later, on="card_id", how="anti"
    )
    own = [name for name in ("store_id", "anchor") if name in available]
    wanted = ["card_id", "member_id", *own, "valid_from", "valid_through", "_from"]
    rows = _columns(ending, CARDS, wanted)
    # One card number with two terms that end in the month: the later one stands.
    rows = rows.sort_values("_from", kind="stable")
    rows = rows.drop_duplicates("card_id", keep="last")
    for name in {"valid_from", "valid_through", "anchor"} & set(rows):
        rows[name] = pd.to_datetime(rows[name]).astype("datetime64[us]")
    return rows


def _known(
    known: Frame, ahead: tuple[int, int], names: Sequence[str], waiver: FeeWaiver
) -> pd.DataFrame:
    """Take the figures of the cards that may be listed."""
    available = known.collect_schema().names()
    missing = [name for name in ("card_id", "valid_from") if name not in available]
    if missing:
        raise MissingColumnsError("figures", missing, available)
    waiver.rule.check_frame(known)
    if "valid_through" in available:
        through = day_number(known, "valid_through")
        known = known.filter(through >= ahead[0], through <= ahead[1])
    known = known.with_columns(day_number(known, "valid_from").alias("_from"))
    rows = _columns(known, CARDS, ["card_id", "_from", *names])
    for name in names:
        rows[name] = rows[name].astype("Int64")
    return rows.drop_duplicates(["card_id", "_from"], keep="last")


def _columns(frame: Frame, table: Table, names: Sequence[str]) -> pd.DataFrame:
    """Bring columns of a frame of any engine into pandas, which may lack pyarrow."""
    table.check_columns(frame.collect_schema().names(), names)
    chosen = frame.select(*names)
    taken = chosen.collect() if isinstance(chosen, nw.LazyFrame) else chosen
    return pd.DataFrame(
        {name: _column(taken[name], is_text=name in _TEXTS) for name in names}
    )


def _column(values: Any, *, is_text: bool) -> pd.Series:
    native, dtype = values.to_native(), values.dtype
    if isinstance(native, pd.Series) and native.dtype != object and not is_text:
        return native.reset_index(drop=True)
    if isinstance(native, pd.Series) and str(native.dtype) == "str":
        return native.reset_index(drop=True)
    if not is_text:
        listed = values.to_list()
        return pd.Series(listed, dtype="Int64" if dtype.is_integer() else None)
    if values.is_null().all() or (dtype.is_float() and values.is_nan().all()):
        # A column of gaps has no type of its own.
        return pd.Series([None] * len(values), dtype="str")
    if dtype.is_numeric():
        raise ColumnTypeError(
            f"column {values.name!r} holds numbers; ids are text, or they lose leading "
            "zeros: read the file with dtype=str"
        )
    return pd.Series(values.to_list())


def _with_members(
    rows: pd.DataFrame, members: Any, reveal: Collection[str]
) -> pd.DataFrame:
    if members is None:
        return rows
    people = entered(members, "members")
    available = people.collect_schema().names()
    wanted = [name for name in (*_PERSONAL, "store_id") if name in available]
    if "store_id" in rows:
        wanted = [name for name in wanted if name != "store_id"]
    profiles = _columns(people, MEMBERS, ["member_id", *wanted])
    profiles = profiles.dropna(subset=["member_id"])
    profiles = profiles.drop_duplicates("member_id", keep="last")
    place = positions(profiles["member_id"], rows["member_id"])
    found = profiles[wanted].reset_index(drop=True).reindex(place)
    rows = rows.reset_index(drop=True)
    for name in wanted:
        values = found[name].reset_index(drop=True)
        if name in _PERSONAL and name not in reveal:
            hide = _masked if name == "phone" else mask_name
            shown = values.astype(object).where(values.notna(), None).tolist()
            values = pd.Series(
                [None if value is None else hide(str(value)) for value in shown],
                dtype="str",
            )
        rows[name] = values
    return rows


def _masked(phone: str) -> str | None:
    if len(phone) >= _SHORTEST and phone.isascii() and phone.isdecimal():
        return "*" * (len(phone) - 4) + phone[-4:]  # as `mask` does with any number
    return mask(phone)


def _with_reasons(rows: pd.DataFrame, month: Period, waiver: FeeWaiver) -> pd.DataFrame:
    rows = rows.copy()
    codes, ends = pd.factorize(rows["valid_through"])
    days = [waiver.last_day(end.date(), as_of=month.through) for end in ends]
    last = np.array([*days, None], object)[codes]
    english, chinese = waiver_sentences(waiver.rule, rows, last)
    rows["reason_en"] = pd.Series(english, index=rows.index, dtype=object)
    rows["reason_zh"] = pd.Series(chinese, index=rows.index, dtype=object)
    return rows
