"""Many sales lines, quickly: what benchmarks run on."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from memberops.errors import InvalidValueError
from memberops.testing.draws import (
    MONTHLY_SEASON,
    Days,
    Floats,
    Ints,
    chance,
    first_days,
    generator,
    pick,
    texts,
    weekday,
)
from memberops.testing.synthetic_chain import ChainFrames
from memberops.testing.synthetic_members import card_terms

__all__ = ["large_sales"]

_ITEMS = 2000
_LINE_SHARES = (0.50, 0.25, 0.14, 0.07, 0.04)
_QUANTITY_SHARES = (0.84, 0.12, 0.04)
_AVERAGE_LINES = 1.9
_MEMBER_SHARE = 0.62
_RETURN_SHARE = 0.03
_STORES_A_REGION = 10
_GENDERS = np.array(["female", "male", "unknown"], dtype=object)
_SATURDAY = 5
_NO_DAY = np.datetime64("NaT", "D")


def large_sales(
    lines: int = 10_000_000,
    *,
    members: int = 1_000_000,
    stores: int = 200,
    months: int = 25,
    first_month: dt.date = dt.date(2024, 10, 1),
    seed: int = 2026,
) -> ChainFrames:
    """
    Make the frames of a large chain with whole numbers as ids, for benchmarks.

    Sales carry ``ticket_id``, ``sold_on`` (``datetime64[us]``), ``store_id``,
    ``member_id`` (``Int64``, missing for other customers), ``quantity`` and
    ``amount`` (minor units); the lines of a ticket follow each other, in the order
    of sale. Members carry no name and no phone. Ten million lines take some seconds
    and under 3 GiB.

    Args:
        lines: How many sales lines, exactly.
        members: How many members.
        stores: How many stores, ten to a region.
        months: How many months of sales.
        first_month: The first month, as its first day.
        seed: Where every draw comes from; the same values give the same frames.

    Raises:
        InvalidValueError: A count is below 1, or the month is not its first day.

    >>> frames = large_sales(1000, members=100, stores=5, months=3, seed=1)
    >>> len(frames.sales), str(frames.sales["member_id"].dtype)
    (1000, 'Int64')
    """
    if min(lines, members, stores, months) < 1 or first_month.day != 1:
        raise InvalidValueError(
            "large_sales() takes counts of at least 1 and the first day of a month"
        )
    month_days = first_days(first_month, months)
    last_day = month_days[-1] - np.timedelta64(1, "D")
    joined = _joined_on(seed, members, month_days)
    sizes = np.exp(0.45 * generator(seed, "store sizes").standard_normal(stores))
    sales = _sales(seed, lines, joined, sizes, month_days)
    return ChainFrames(
        members=_members(seed, joined, sizes),
        cards=_cards(seed, joined, last_day),
        stores=pd.DataFrame(
            {
                "store_id": np.arange(1, stores + 1, dtype=np.int64),
                "region_id": np.arange(stores, dtype=np.int64) // _STORES_A_REGION + 1,
            }
        ),
        sales=sales,
        targets=_targets(seed, lines, sizes, month_days),
    )


def _joined_on(seed: int, members: int, month_days: Days) -> Days:
    """Sorted days of enrolment, from three years before the first month."""
    draw = generator(seed, "joined")
    start = month_days[0] - np.timedelta64(3 * 365, "D")
    days = int((month_days[-1] - start).astype(int))
    offset = np.sort(np.floor(draw.random(members) * days).astype(np.int32))
    joined: Days = start + offset.astype("timedelta64[D]")
    return joined


def _members(seed: int, joined: Days, sizes: Floats) -> pd.DataFrame:
    draw = generator(seed, "members")
    count = len(joined)
    age = np.floor((18 + 57 * draw.random(count)) * 365.25).astype("timedelta64[D]")
    birth = np.where(chance(draw, 0.06, count), _NO_DAY, joined - age)
    gender = _GENDERS[pick(draw, (0.57, 0.38, 0.05), count)]
    return pd.DataFrame(
        {
            "member_id": np.arange(1, count + 1, dtype=np.int64),
            "gender": texts(gender),
            "birth_date": birth.astype("datetime64[us]"),
            "store_id": pick(draw, sizes, count) + 1,
            "joined_on": joined.astype("datetime64[us]"),
        }
    )


def _cards(seed: int, joined: Days, last_day: np.datetime64) -> pd.DataFrame:
    terms = card_terms(
        joined, last_day=last_day, renewal_share=0.75, seed=seed, purpose="cards"
    )
    return pd.DataFrame(
        {
            "card_id": terms.card + 1,
            "member_id": terms.card + 1,
            "valid_from": terms.valid_from.astype("datetime64[us]"),
            "valid_through": terms.valid_through.astype("datetime64[us]"),
            "anchor": terms.anchor.astype("datetime64[us]"),
        }
    )


def _sales(
    seed: int, lines: int, joined: Days, sizes: Floats, month_days: Days
) -> pd.DataFrame:
    draw = generator(seed, "sales")
    per_ticket = _lines_per_ticket(draw, lines)
    tickets = len(per_ticket)
    days = np.arange(month_days[0], month_days[-1])
    month = days.astype("datetime64[M]").astype(np.int64) % 12
    weight = np.array(MONTHLY_SEASON)[month] * np.where(
        weekday(days) >= _SATURDAY, 1.5, 1.0
    )
    a_day = draw.multinomial(tickets, weight / weight.sum())

    # Earlier members buy more often; nobody buys before the day of enrolment.
    enrolled = np.repeat(np.searchsorted(joined, days, side="right"), a_day)
    member = np.floor(enrolled * draw.random(tickets) ** 1.6).astype(np.int64)
    other = ~chance(draw, _MEMBER_SHARE, tickets)
    other |= enrolled == 0
    del enrolled
    sign = np.where(chance(draw, _RETURN_SHARE, tickets), -1, 1).astype(np.int8)
    store = pick(draw, sizes, tickets) + 1

    price = np.round(480 * np.exp(0.8 * draw.standard_normal(_ITEMS))).astype(np.int64)
    quantity = pick(draw, _QUANTITY_SHARES, lines) + 1
    quantity *= np.repeat(sign, per_ticket)
    item = np.floor(draw.random(lines, dtype=np.float32) * _ITEMS).astype(np.int32)
    amount = quantity * (price * 10)[np.minimum(item, _ITEMS - 1)]
    del item
    return pd.DataFrame(
        {
            "ticket_id": np.repeat(
                np.arange(1, tickets + 1, dtype=np.int64), per_ticket
            ),
            "sold_on": np.repeat(
                np.repeat(days, a_day).astype("datetime64[us]"), per_ticket
            ),
            "store_id": np.repeat(store, per_ticket),
            "member_id": pd.arrays.IntegerArray(
                np.repeat(np.where(other, 0, member + 1), per_ticket),
                np.repeat(other, per_ticket),
            ),
            "quantity": quantity,
            "amount": amount,
        },
        copy=False,
    )


def _lines_per_ticket(draw: np.random.Generator, lines: int) -> Ints:
    """Draw the sizes of tickets until they hold exactly *lines* lines."""
    sizes = np.array([], dtype=np.int64)
    while sizes.sum() < lines:
        more = int((lines - sizes.sum()) / _AVERAGE_LINES * 1.01) + 1
        sizes = np.concatenate([sizes, pick(draw, _LINE_SHARES, more) + 1])
    through = np.cumsum(sizes)
    last = int(np.searchsorted(through, lines))
    sizes = sizes[: last + 1]
    sizes[-1] -= through[last] - lines
    return sizes


def _targets(seed: int, lines: int, sizes: Floats, month_days: Days) -> pd.DataFrame:
    draw = generator(seed, "targets")
    months = len(month_days) - 1
    expected: Any = lines * 7500 / months * (sizes / sizes.sum())
    factor = 0.88 + 0.27 * draw.random((len(sizes), months))
    target = np.floor(expected[:, None] * factor / 10_000).astype(np.int64) * 10_000
    return pd.DataFrame(
        {
            "store_id": np.repeat(np.arange(1, len(sizes) + 1, dtype=np.int64), months),
            "month": np.tile(month_days[:-1], len(sizes)).astype("datetime64[us]"),
            "target": (target + 10_000).ravel(),
        }
    )
