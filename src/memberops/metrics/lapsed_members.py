"""The list of lapsed members (form `lapsed_members`), for the win-back visits."""

from __future__ import annotations

import datetime as dt
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from memberops.domain.values import check_as_of
from memberops.metrics.engine import NO_NUMBER, Engine, collected, local_engine
from memberops.metrics.enrolment import members_from_sales
from memberops.metrics.facts import Facts, local_sales
from memberops.metrics.people import People, number_people
from memberops.metrics.policy import MetricPolicy
from memberops.metrics.spans import Spans
from memberops.metrics.tickets import ticket_frame
from memberops.schedules import lapse_cutoff

__all__ = ["lapsed_members"]


def lapsed_members(
    sales: Any,
    *,
    as_of: dt.date,
    members: Any = None,
    cards: Any = None,
    policy: MetricPolicy | None = None,
    engine: Engine = "auto",
) -> pd.DataFrame:
    """
    List the valid members who have lapsed on a day, by store (HQ §5.4).

    Args:
        sales: Sales lines with the whole history, a frame of any engine.
        as_of: The day; lines sold later, returns too, are not known yet.
        members: See `memberops.metrics.measure`.
        cards: See `memberops.metrics.measure`.
        policy: The months.
        engine: See `memberops.metrics.measure`.

    Returns:
        One row a member, by store and member: ``store_id`` (that enrolled),
        ``member_id``, ``last_purchase_on`` (missing if never bought),
        ``months_since`` (full calendar months since the last purchase or enrolment),
        ``lifetime_spend`` (net, ``int64`` minor units).

    Raises:
        InvalidValueError: *as_of* is no plain date.
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: A column has a type that its table forbids.
    """
    check_as_of(as_of)
    policy = policy or MetricPolicy()
    chosen = local_engine(engine)
    end = as_of + dt.timedelta(days=1)
    if members is None and cards is None:
        members = members_from_sales(sales, end=end, policy=policy, engine=chosen)
    rows = ticket_frame(
        local_sales(sales, chosen),
        first=None,
        end=end,
        policy=policy,
        known_through=as_of,
    )
    last = (
        rows.filter(nw.col("amount") > 0)
        .group_by("member_id")
        .agg(nw.col("sold_on").max())
    )
    spend = rows.group_by("member_id").agg(nw.col("amount").sum())
    held = collected(
        spend.join(last, on="member_id", how="left").with_columns(
            nw.col("amount").cast(nw.Int64)
        ),
        chosen,
    )
    text = held.schema["member_id"] == nw.String
    frame = held.with_columns(store_id=nw.lit("") if _text_stores(rows) else nw.lit(0))
    none: str | int = "" if text else NO_NUMBER
    people = number_people(
        Facts(frame, Spans.of([(as_of, end)]), none, chosen),
        members=members,
        cards=cards,
        engine=chosen,
    )
    return _listed(held, people, as_of, policy)


def _text_stores(rows: nw.LazyFrame[Any]) -> bool:
    return bool(rows.collect_schema()["store_id"] == nw.String)


def _ymd(day: dt.date) -> int:
    return day.year * 10000 + day.month * 100 + day.day


def _listed(
    held: nw.DataFrame[Any], people: People, as_of: dt.date, policy: MetricPolicy
) -> pd.DataFrame:
    numbered = held.join(people.codes, on="member_id", how="inner")
    count = len(people.birth)
    bought = np.full(count, np.datetime64("NaT", "D"))
    spend = np.zeros(count, np.int64)
    at = numbered["code"].to_numpy()
    bought[at] = numbered["sold_on"].to_numpy().astype("datetime64[D]")
    spend[at] = numbered["amount"].to_numpy()
    today = _ymd(as_of)
    valid = np.zeros(count, np.bool_)
    cards = people.cards
    valid[cards.member[(cards.first <= today) & (today <= cards.last)]] = True
    first = np.full(count, 99_991_231, np.int64)
    np.minimum.at(first, cards.member, cards.first)
    joined = np.where(people.joined > 0, people.joined, first)
    known = (joined > 0) & (joined < 99_991_231)  # noqa: PLR2004 - 9999-12-31
    enrolled = np.full(count, np.datetime64("NaT", "D"))
    text = [f"{d // 10000:04}-{d // 100 % 100:02}-{d % 100:02}" for d in joined[known]]
    enrolled[known] = np.array(text, "datetime64[D]")
    since = np.fmax(
        bought,
        np.where(enrolled <= np.datetime64(as_of), enrolled, np.datetime64("NaT", "D")),
    )
    cutoff = np.datetime64(lapse_cutoff(as_of, policy.lapse_months))
    lapsed = valid & ~(since > cutoff)
    codes = people.codes.sort("code")
    frame = pd.DataFrame(
        {
            "store_id": people.store,
            "member_id": codes["member_id"].to_numpy(),
            "last_purchase_on": bought.astype("datetime64[s]"),
            "months_since": _months_between(since, as_of),
            "lifetime_spend": spend,
        }
    )[lapsed]
    return frame.sort_values(["store_id", "member_id"]).reset_index(drop=True)


def _months_between(since: Any, as_of: dt.date) -> Any:
    """Count full calendar months; the end of a shorter month completes one."""
    day = pd.Series(since.astype("datetime64[s]"))
    months = (as_of.year - day.dt.year) * 12 + as_of.month - day.dt.month
    last = pd.Timestamp(as_of).days_in_month == as_of.day
    short = (day.dt.day > as_of.day) & (not last)
    return (months - short).astype("Int64")
