"""What messages brought: written to and held out, side by side (HQ §6.3)."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Currency, Money
from memberops.domain.values import check_as_of, whole_number
from memberops.errors import ColumnTypeError, InvalidValueError, MissingColumnsError
from memberops.metrics.formulas import Figure, with_figures
from memberops.metrics.tickets import tickets

__all__ = ["MESSAGE_EFFECT", "EffectPolicy", "MessageEffect", "message_effect"]

MESSAGE_EFFECT: tuple[Figure, ...] = (
    Figure(
        name="buying_share",
        heading_en="Share that bought",
        heading_zh="消费会员占比",
        numerator=lambda base: base["buyers"],
        denominator=lambda base: base["members"],
        needs=("buyers", "members"),
        formula_en="Members who bought within the days / Members of the group",
        formula_zh="窗口期内消费的会员数 ÷ 组内会员数",
    ),
    Figure(
        name="sales_per_member",
        heading_en="Sales per member",
        heading_zh="人均消费额",
        numerator=lambda base: base["sales"],
        denominator=lambda base: base["members"],
        needs=("sales", "members"),
        formula_en="Sales within the days / Members of the group",
        formula_zh="窗口期内消费额 ÷ 组内会员数",
    ),
)
"""The formulas of the groups; sales are in minor units."""

_DELIVERED = Figure(
    name="delivered_share",
    heading_en="Delivered share",
    heading_zh="送达率",
    numerator=lambda base: base["reached"],
    denominator=lambda base: base["messages"],
    needs=("reached", "messages"),
    formula_en="Delivered messages / Messages",
    formula_zh="送达数 ÷ 短信数",
)
_GROUPS = ("written_to", "held_out", "reached", "not_reached")
_COMPARED = (
    ("written_to", "held_out"),
    ("reached", "held_out"),
    ("reached", "not_reached"),
)


@attrs.frozen(kw_only=True)
class EffectPolicy:
    """
    How the effect of messages is measured.

    Args:
        days: How many days from the message's day count, that day included. The
            spec's N is the chain's to choose; two weeks are a start.
        confidence: Standard errors of the interval; 1.96 is 95 %.
        least_members: With fewer members in either group no interval is given.
    """

    days: int = attrs.field(default=14, validator=whole_number)
    confidence: float = 1.96
    least_members: int = attrs.field(default=1, validator=whole_number)

    def __attrs_post_init__(self) -> None:
        """Refuse a window of no days and an interval of no width."""
        if self.days < 1 or self.least_members < 1 or not self.confidence > 0:
            raise InvalidValueError(
                "'days' and 'least_members' are 1 or more, 'confidence' above 0"
            )


@attrs.frozen(kw_only=True, eq=False)
class MessageEffect:
    """
    The effect of a batch.

    Args:
        delivery: One row: ``messages``, ``reached``, ``unknown``, ``not_reached``,
            ``waiting`` (to leave), ``segments``, ``cost`` (minor units; missing if no
            price is known), ``delivered_share``, ``undefined``.
        groups: One row each for ``written_to``, ``held_out``, ``reached`` and
            ``not_reached``: ``group``, ``members``, ``buyers``, ``tickets``, ``sales``
            (minor units), ``buying_share``, ``sales_per_member``, ``undefined``.
        differences: First those written to against the held out, the comparison that
            chance made; then the reached against the held out and against those not
            reached, which differ by themselves, too. ``group``, ``against``,
            ``difference`` (of the buying shares), ``low`` and ``high`` of its
            interval, ``undefined``.
        complete: Whether all days of the window have passed.
    """

    delivery: pd.DataFrame
    groups: pd.DataFrame
    differences: pd.DataFrame
    complete: bool


def message_effect(
    messages: Any,
    sales: Any,
    *,
    as_of: dt.date,
    held_out: Any = None,
    sent_on: dt.date | None = None,
    price: Money | None = None,
    currency: Currency | None = None,
    policy: EffectPolicy | None = None,
) -> MessageEffect:
    """
    Compare what those written to bought with what the others bought (HQ §6.3, spec §8).

    Only all who were to be written to, reached or not, beside the members held out by
    chance tell what the batch did. The reached alone look too good: a number that no
    longer answers belongs to another kind of member, and the held out have such
    numbers, too. The days of both these groups count from one day, *sent_on*; those of
    the reached from the day of their own message.

    Args:
        messages: One row a message: ``member_id``, ``state`` (a `MessageState`),
            ``on`` (its local day, missing if it never left), and ``segments`` if they
            are known. All are written to, whatever became of them; ``delivered`` is
            reached, too; ``accepted``, ``claimed`` and ``unknown`` are neither reached
            nor not reached, for nobody knows; nor is ``queued``, which waits.
        sales: Sales lines, see `memberops.tables.SALES`; with ``member_id``.
        as_of: What was sold later is not known.
        held_out: Members held out: ``member_id``.
        sent_on: The day from which the days of those written to and of those without
            a day of their own count; by default the first day of a message.
        price: Of one part; the cost of all is rounded once.
        currency: In whose minor units the cost is told; that of the price by default.
        policy: The window, the interval.

    Raises:
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: ``on`` holds no calendar days.
        InvalidValueError: A member is in two groups or twice in one.

    >>> messages = pd.DataFrame({"member_id": ["M1", "M2"], "segments": 1,
    ...     "state": "delivered", "on": pd.to_datetime(["2026-11-01"] * 2)})
    >>> sales = pd.DataFrame({"ticket_id": ["T1"], "store_id": ["S1"],
    ...     "member_id": ["M1"], "sold_on": pd.to_datetime(["2026-11-03"]),
    ...     "amount": [5000], "quantity": [1]})
    >>> effect = message_effect(messages, sales, as_of=dt.date(2026, 11, 30),
    ...     held_out=pd.DataFrame({"member_id": ["M3", "M4"]}))
    >>> effect.groups[["group", "members", "buyers", "buying_share"]]
             group  members  buyers  buying_share
    0   written_to        2       1           0.5
    1     held_out        2       0           0.0
    2      reached        2       1           0.5
    3  not_reached        0       0           NaN
    """
    policy = policy or EffectPolicy()
    until = check_as_of(as_of)
    rows = _messages(messages)
    first = rows["on"].min() if sent_on is None else pd.Timestamp(sent_on)
    people = _people(rows, held_out, first)
    bought = _bought(sales, people, policy, until)
    groups = _groups(people, bought)
    return MessageEffect(
        delivery=_delivery(rows, price, currency),
        groups=groups,
        differences=_differences(groups, policy),
        complete=bool(
            len(people) == 0
            or people["on"].max() + pd.Timedelta(days=policy.days - 1)
            <= pd.Timestamp(until)
        ),
    )


_STATES = {
    "delivered": "reached",
    "accepted": "",
    "claimed": "",
    "unknown": "",
    "queued": "waiting",
    "undelivered": "not_reached",
    "rejected": "not_reached",
    "expired": "not_reached",
    "canceled": "not_reached",
}


def _messages(messages: pd.DataFrame) -> pd.DataFrame:
    needed = ["member_id", "state", "on"]
    missing = [name for name in needed if name not in messages]
    if missing:
        raise MissingColumnsError("messages", missing, list(messages.columns))
    if not pd.api.types.is_datetime64_dtype(messages["on"].dtype):
        raise ColumnTypeError(
            "column 'on' must hold calendar days without a zone, such as "
            "pandas.to_datetime(...) gives"
        )
    rows = messages[needed].reset_index(drop=True)
    rows["on"] = rows["on"].dt.normalize()
    rows["group"] = rows["state"].astype(object).map(_STATES)
    if rows["group"].isna().any():
        raise InvalidValueError(
            "column 'state' holds a word that is no state of a message: "
            "use the values of MessageState"
        )
    known = "segments" in messages
    rows["segments"] = messages["segments"].to_numpy() if known else 1
    return rows


def _people(rows: pd.DataFrame, held_out: Any, first: Any) -> pd.DataFrame:
    columns = ["member_id", "group", "on"]
    written = rows.assign(group="written_to", on=first)[columns]
    known = rows.loc[rows["group"] != "", columns]
    apart = [written]
    if held_out is not None:
        if "member_id" not in held_out:
            raise MissingColumnsError("held_out", ["member_id"], list(held_out.columns))
        apart.append(
            pd.DataFrame({"member_id": held_out["member_id"].to_numpy(object),
                          "group": "held_out", "on": first})
        )  # fmt: skip
    parts = [*apart, known]
    people = pd.concat([part for part in parts if len(part)] or parts[:1])
    people = people.reset_index(drop=True)
    drawn = people["group"].isin(["written_to", "held_out"]).to_numpy(bool)
    if people["member_id"][drawn].duplicated().any():
        raise InvalidValueError(
            "a member is in two groups, or twice in one: measure batch by batch"
        )
    people["on"] = people["on"].fillna(first)
    return people


def _bought(
    sales: Any, people: pd.DataFrame, policy: EffectPolicy, until: dt.date
) -> pd.DataFrame:
    """Give each member of a group the tickets and sales of their own days."""
    found = tickets(sales, known_through=until)
    frame = found.collect() if hasattr(found, "collect") else found
    frame = frame.to_pandas() if hasattr(frame, "to_pandas") else frame
    named = people.assign(place=np.arange(len(people)))
    joined = frame[["member_id", "sold_on", "amount"]].merge(
        named[["member_id", "on", "place"]], on="member_id"
    )
    apart = (joined["sold_on"] - joined["on"]).dt.days
    inside = (apart >= 0) & (apart < policy.days) & (joined["amount"] > 0)
    chosen: pd.DataFrame = joined.loc[inside, ["place", "amount"]]
    return chosen


def _groups(people: pd.DataFrame, bought: pd.DataFrame) -> pd.DataFrame:
    rows = []
    group = people["group"].to_numpy(object)
    for name in _GROUPS:
        own = bought[(group == name)[bought["place"].to_numpy(np.int64)]]
        rows.append(
            {"group": name, "members": int((group == name).sum()),
             "buyers": int(own["place"].nunique()), "tickets": len(own),
             "sales": int(own["amount"].sum())}
        )  # fmt: skip
    frame = pd.DataFrame(rows).astype({"group": "str"})
    return with_figures(frame, MESSAGE_EFFECT)


def _delivery(
    rows: pd.DataFrame, price: Money | None, currency: Currency | None
) -> pd.DataFrame:
    group = rows["group"].to_numpy(object)
    # What may have been sent may be billed; what surely was not is not.
    billed = rows["state"].isin(["delivered", "undelivered", *(
        state for state, name in _STATES.items() if not name)])  # fmt: skip
    parts = int(rows.loc[billed.to_numpy(bool), "segments"].sum())
    cost = None if price is None else price.times(parts)
    if cost is not None and currency is not None:
        cost = cost.to_digits(currency.digits)
    frame = pd.DataFrame(
        {"messages": [len(rows)], "reached": [int((group == "reached").sum())],
         "unknown": [int((group == "").sum())],
         "not_reached": [int((group == "not_reached").sum())],
         "waiting": [int((group == "waiting").sum())], "segments": [parts],
         "cost": pd.array([None if cost is None else cost.minor], dtype="Int64")}
    )  # fmt: skip
    return with_figures(frame, (_DELIVERED,))


def _differences(groups: pd.DataFrame, policy: EffectPolicy) -> pd.DataFrame:
    counts = {
        row["group"]: (row["buyers"], row["members"])
        for row in groups.to_dict("records")
    }
    rows = []
    for group, against in _COMPARED:
        one, other = counts[group], counts[against]
        small = min(one[1], other[1]) < policy.least_members
        low, high = (
            (math.nan, math.nan)
            if small
            else newcombe_interval(one, other, policy.confidence)
        )
        some = bool(one[1] and other[1])
        difference = one[0] / one[1] - other[0] / other[1] if some else math.nan
        why = "" if some else "difference: zero"
        if some and small:
            why = "interval: few members"
        rows.append(
            {"group": group, "against": against, "difference": difference,
             "low": low, "high": high, "undefined": why}
        )  # fmt: skip
    texts = dict.fromkeys(("group", "against", "undefined"), "str")
    return pd.DataFrame(rows).astype(texts)


def newcombe_interval(
    one: tuple[int, int], other: tuple[int, int], errors: float = 1.96
) -> tuple[float, float]:
    """
    Return the interval of a difference of two shares, each given as (part, whole).

    It is method 10 of R. G. Newcombe, Interval estimation for the difference between
    independent proportions, Statistics in Medicine 17 (1998) 873-890: the score
    intervals of both shares, joined; it stays right with few buyers or none.

    >>> low, high = newcombe_interval((56, 70), (48, 80))
    >>> print(f"{low:.4f} {high:.4f}")
    0.0524 0.3339
    """
    (share, low, high), (share2, low2, high2) = (
        _wilson(one, errors),
        _wilson(other, errors),
    )
    apart = share - share2
    return (
        apart - math.hypot(share - low, high2 - share2),
        apart + math.hypot(high - share, share2 - low2),
    )


def _wilson(counted: tuple[int, int], errors: float) -> tuple[float, float, float]:
    part, whole = counted
    share, square = part / whole, errors**2
    half = errors * math.sqrt(square + 4 * whole * share * (1 - share))
    middle, size = 2 * whole * share + square, 2 * (whole + square)
    return share, (middle - half) / size, (middle + half) / size
