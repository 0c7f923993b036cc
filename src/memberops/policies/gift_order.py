"""How many of each gift to order: use, stock that will last, and what is coming."""

from __future__ import annotations

import datetime as dt

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Decision, Lot, Reason, Statement
from memberops.domain.values import check_as_of, identifier, whole_number
from memberops.errors import InvalidValueError, MissingColumnsError, bounded
from memberops.schedules import Period
from memberops.schedules.dates import add_days, add_months

__all__ = ["GiftNeed", "GiftOrderPolicy"]

_FAR = np.iinfo("int64").max


def _not_negative(
    instance: object, attribute: attrs.Attribute[int], value: int
) -> None:
    whole_number(instance, attribute, value)
    if value < 0:
        raise InvalidValueError(f"{attribute.name!r} is at least 0")


def _positive(instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    whole_number(instance, attribute, value)
    if value < 1:
        raise InvalidValueError(f"{attribute.name!r} is at least 1")


_count = attrs.field(default=0, validator=_not_negative)


@attrs.frozen(kw_only=True)
class GiftNeed:
    """
    What is known of one gift before an order.

    Args:
        gift_id: The gift.
        used: How many members got in the months that count.
        lots: Lots on hand with their quantities.
        on_the_way: How many are coming.
        minimum: Stock that the chain wants at least.
        maximum: Stock that it wants at most; None: any.
        lot_size: It is ordered in multiples of this.
    """

    gift_id: str = attrs.field(validator=identifier)
    used: int = _count
    lots: tuple[tuple[Lot, int], ...] = attrs.field(default=(), converter=tuple)
    on_the_way: int = _count
    minimum: int = _count
    maximum: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(_not_negative)
    )
    lot_size: int = attrs.field(default=1, validator=_positive)


@attrs.frozen(kw_only=True)
class GiftOrderPolicy:
    """
    The policy of orders: from the use of the last 3 months (HQ §7).

    The use of the last *months* goes on evenly; *cover_months* of it are wanted, and
    at least the gift's minimum. For use, stock counts as far as it will be used before
    it expires, those lots first that expire first; for the minimum, all that has not
    expired; for the maximum, all that is there. What is coming counts in full. An
    order is rounded up to the gift's lot size, and down where it would exceed the
    maximum.

    Args:
        months: How many months of use count.
        cover_months: For how many months an order is to last.
        policy: Id of the policy.
        version: Version of the policy.

    >>> soon = Lot(lot_id="A", valid_through=dt.date(2026, 10, 10))
    >>> need = GiftNeed(gift_id="CUP", used=92, lots=[(soon, 30)], on_the_way=20,
    ...                 lot_size=12)
    >>> answer = GiftOrderPolicy().propose(need, as_of=dt.date(2026, 9, 30))
    >>> dict(answer.reasons[0].figures)["expiring"]
    '20'
    >>> answer.outcome, dict(answer.reasons[0].figures)["proposed"]
    ('order', '72')
    """

    months: int = attrs.field(default=3, validator=_positive)
    cover_months: int = attrs.field(default=3, validator=_positive)
    policy: str = attrs.field(default="gift-order", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    def period(self, as_of: dt.date) -> Period:
        """Return the days whose use counts: the months that end with a day."""
        day = check_as_of(as_of)
        return Period.span(add_days(add_months(day, -self.months), 1), day)

    def propose(self, need: GiftNeed, *, as_of: dt.date) -> Decision:
        """
        Say how many of one gift to order, and why.

        Args:
            need: What is known of the gift.
            as_of: The day, at whose end the stock is known: what is valid through it
                is of no use any more.

        Returns:
            A decision, ``"order"`` or ``"enough"``, whose first reason has the
            figures ``used``, ``on_hand``, ``expiring``, ``on_the_way``, ``wanted``
            and ``proposed``.
        """
        days = self.period(as_of).days
        usable = 0
        for lot, quantity in sorted(need.lots, key=_by_expiry):
            room = _FAR
            if lot.valid_through is not None:
                left = max((lot.valid_through - as_of).days, 0)
                room = need.used * left // days
            usable += max(min(quantity, room - usable), 0)
        on_hand = sum(quantity for _, quantity in need.lots)
        lasting = sum(
            quantity
            for lot, quantity in need.lots
            if lot.valid_through is None or lot.valid_through > as_of
        )
        use = -(-need.used * self.cover_months // self.months)
        wanted = max(use, need.minimum)
        short = max(use - usable, need.minimum - lasting) - need.on_the_way
        proposed = -(-max(short, 0) // need.lot_size) * need.lot_size
        if need.maximum is not None:
            most = max(need.maximum - on_hand - need.on_the_way, 0)
            most = most // need.lot_size * need.lot_size
            proposed = min(proposed, most)
        figures = {
            "used": need.used,
            "on_hand": on_hand,
            "expiring": on_hand - usable,
            "on_the_way": need.on_the_way,
            "wanted": wanted,
            "proposed": proposed,
        }
        return Decision(
            outcome="order" if proposed else "enough",
            grounds=Statement(reasons=[_reason(figures, self.months)]),
            policy=self.policy,
            version=self.version,
            as_of=as_of,
        )

    def propose_frame(
        self, facts: pd.DataFrame, lots: pd.DataFrame, *, as_of: dt.date
    ) -> pd.DataFrame:
        """
        Say how many of every gift to order; gift by gift as `propose`.

        Args:
            facts: One row a gift: ``gift_id``, ``used``, ``on_the_way``, and
                ``minimum``, ``maximum`` and ``lot_size`` where there are any.
            lots: ``gift_id``, ``valid_through`` and ``quantity`` on hand; lots of
                other gifts are left out.
            as_of: The day.

        Returns:
            The facts with ``on_hand``, ``expiring``, ``wanted`` and ``proposed``.

        Raises:
            MissingColumnsError: A column is not there.
            InvalidValueError: A use below zero.
        """
        for name, frame, needed in (
            ("facts", facts, ("gift_id", "used", "on_the_way")),
            ("lots", lots, ("gift_id", "valid_through", "quantity")),
        ):
            missing = [each for each in needed if each not in frame]
            if missing:
                raise MissingColumnsError(name, missing, [str(each) for each in frame])
        rows = facts.reset_index(drop=True)
        used = rows["used"]
        if (used < 0).any():
            some = rows["gift_id"][used < 0]
            raise InvalidValueError(f"the use of {bounded(some)} is below zero")
        days = self.period(as_of).days
        mine = lots.loc[lots["gift_id"].isin(rows["gift_id"])]
        mine = mine.sort_values(["gift_id", "valid_through"], na_position="last")
        expiry = pd.to_datetime(mine["valid_through"])
        left = (expiry - pd.Timestamp(as_of)).dt.days.clip(lower=0)
        daily = mine["gift_id"].map(rows.set_index("gift_id")["used"]).astype("int64")
        within = daily * left.fillna(0).astype("int64") // days
        so_far = mine.groupby("gift_id")["quantity"].cumsum()
        # What is too much by a lot's last day is lost, whatever comes after it.
        beyond = (so_far - within).where(expiry.notna(), 0).clip(lower=0)
        lasting = mine["quantity"].where(expiry.isna() | (left > 0), 0)
        by_gift = mine.assign(
            beyond=beyond.astype("int64"), lasting=lasting.astype("int64")
        ).groupby("gift_id")
        sums = by_gift.agg(
            on_hand=("quantity", "sum"),
            expiring=("beyond", "max"),
            lasting=("lasting", "sum"),
        )
        sums = sums.reindex(rows["gift_id"]).fillna(0).astype("int64")
        sums = sums.reset_index(drop=True)
        minimum = _given(rows, "minimum", 0)
        size = _given(rows, "lot_size", 1)
        use = -(-used * self.cover_months // self.months)
        wanted = np.maximum(use, minimum)
        usable = sums["on_hand"] - sums["expiring"]
        short = np.maximum(use - usable, minimum - sums["lasting"])
        short = (short - rows["on_the_way"]).clip(lower=0)
        proposed = -(-short // size) * size
        room = _given(rows, "maximum", _FAR // 2) - sums["on_hand"] - rows["on_the_way"]
        most = room.clip(lower=0) // size * size
        return rows.assign(
            on_hand=sums["on_hand"],
            expiring=sums["expiring"],
            wanted=wanted,
            proposed=np.minimum(proposed, most),
        )


def _by_expiry(pair: tuple[Lot, int]) -> dt.date:
    return pair[0].valid_through or dt.date.max


def _given(rows: pd.DataFrame, name: str, default: int) -> pd.Series[int]:
    if name not in rows:
        return pd.Series(default, index=rows.index, dtype="int64")
    return rows[name].astype("Int64").fillna(default).astype("int64")


def _reason(figures: dict[str, int], months: int) -> Reason:
    return Reason(
        rule="use",
        met=figures["proposed"] > 0,
        figures=tuple((name, str(value)) for name, value in figures.items()),
        text_en="{used} used in {months} months, so {wanted} are wanted; "
        "{on_hand} on hand, of which {expiring} expire unused, {on_the_way} on the "
        "way: order {proposed}".format(months=months, **figures),
        text_zh="近 {months} 个月使用 {used}，需备 {wanted}；现有 {on_hand}，"
        "其中 {expiring} 将在用完前过期，在途 {on_the_way}：建议采购 {proposed}".format(
            months=months, **figures
        ),
    )
