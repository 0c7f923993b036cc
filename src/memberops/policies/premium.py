"""Premium members, and the stores' lists of them (HQ §6.3.3.4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Currency, Decision, Reason, Statement
from memberops.domain.values import check_as_of, identifier, whole_number
from memberops.errors import ColumnTypeError, InvalidValueError, bounded
from memberops.policies.intake import days_of, taken
from memberops.policies.rules import AtLeast
from memberops.policies.term import not_negative
from memberops.policies.tier_levels import positive
from memberops.policies.wording import amount_text
from memberops.schedules.dates import add_months, lapse_cutoff
from memberops.tables import MEMBERS

__all__ = ["PremiumAspect", "PremiumPolicy"]

PremiumAspect: TypeAlias = Literal["spend", "purchases", "referrals"]
"""What is weighed: spending power, potential for repeat development, social reach."""

_ASPECTS: tuple[PremiumAspect, ...] = ("spend", "purchases", "referrals")
_NAMES = {
    "spend": ("spending power", "消费能力"),
    "purchases": ("repeat potential", "再开发潜力"),
    "referrals": ("social reach", "社交影响力"),
}
_OPTIONAL = ("tier", "next_visit_on")
FORM_COLUMNS = (
    "store_id", "member_id", "tier", "spend", "purchases", "last_purchase_on",
    "referrals", "next_visit_on",
)  # fmt: skip
"""The columns of the form 优质会员消费情况汇总表."""


def _amounts(values: Iterable[Any]) -> tuple[Decimal, ...]:
    given = tuple(values)
    try:
        steps = tuple(AtLeast("spend", value).threshold for value in given)
    except InvalidValueError:
        steps = ()
    if not steps or list(steps) != sorted(set(steps)) or steps[0] <= 0:
        raise InvalidValueError(
            "steps of spend are whole numbers or decimal texts above 0 that rise, such "
            f"as (3000, '8000.50', 15000), not {bounded([given])}"
        )
    return steps


def _steps(values: Iterable[Any]) -> tuple[int, ...]:
    steps = tuple(values)
    whole = all(isinstance(step, int) and not isinstance(step, bool) for step in steps)
    if not steps or not whole or list(steps) != sorted(set(steps)) or steps[0] < 1:
        raise InvalidValueError(
            "steps are whole numbers from 1 that rise, such as (3000, 8000, 15000), "
            f"not {bounded([steps])}"
        )
    return steps


@attrs.frozen(kw_only=True)
class PremiumPolicy:
    """
    How premium members are chosen: by whole points, without rounding (HQ §6.3.3.4).

    The manual names three aspects and no numbers; these defaults are examples for a
    chain to change. In each aspect a member has one point for each step reached, times
    the aspect's weight:

    - spending power: the net spend of the window;
    - repeat potential: its purchases, if the last one lies fewer than *lapse_months*
      back; a lapsed member has none;
    - social reach: the members brought in during the window.

    Who has *least_points* is premium. A figure that is unknown gives no point.

    Args:
        spend_steps: Thresholds of spend in major units, rising: whole numbers, texts
            or Decimals.
        purchase_steps: Thresholds of purchases.
        referral_steps: Thresholds of members brought in.
        spend_weight: Points for each step of spend.
        purchase_weight: Points for each step of purchases.
        referral_weight: Points for each step of members brought in.
        least_points: Points from which a member is premium.
        lapse_months: Months without a purchase after which nothing is expected.
        per_store: The most members that a store lists; None lists all. Equal points
            are put in order by spend, purchases, members brought in, the later last
            purchase, and the member id, so that the same facts give the same list.
        due_day: By which day of the run month the stores' lists are due.
        currency: What the spend is in.
        policy: Id of the policy.
        version: Version of the policy.

    Raises:
        InvalidValueError: Steps that do not rise, a weight below 0, or a day that not
            each month has.

    >>> answer = PremiumPolicy().decide(spend="8200", purchases=9, referrals=0,
    ...     last_purchase_on=dt.date(2026, 10, 20), as_of=dt.date(2026, 11, 1))
    >>> answer.outcome
    'premium'
    >>> print(answer.explain("zh"))
    优质会员：7 分（需 5 分）；消费能力 4 分；再开发潜力 3 分；社交影响力 0 分
    """

    spend_steps: tuple[Decimal, ...] = attrs.field(
        default=(Decimal(3000), Decimal(8000), Decimal(15000)),
        converter=_amounts,
        repr=lambda steps: f"({', '.join(map(str, steps))})",
    )
    purchase_steps: tuple[int, ...] = attrs.field(default=(3, 6, 9), converter=_steps)
    referral_steps: tuple[int, ...] = attrs.field(default=(1, 3, 5), converter=_steps)
    spend_weight: int = attrs.field(default=2, validator=not_negative)
    purchase_weight: int = attrs.field(default=1, validator=not_negative)
    referral_weight: int = attrs.field(default=1, validator=not_negative)
    least_points: int = attrs.field(default=5, validator=positive)
    lapse_months: int = attrs.field(default=3, validator=positive)
    per_store: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(positive)
    )
    due_day: int = attrs.field(default=3, validator=whole_number)
    currency: Currency = attrs.field(
        default=Currency("CNY"), validator=attrs.validators.instance_of(Currency)
    )
    policy: str = attrs.field(default="premium", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    @due_day.validator
    def _check_due(self, _attribute: object, value: int) -> None:
        if value not in range(1, 29):
            raise InvalidValueError(
                "'due_day' must be a day that each month has: 1 to 28"
            )

    def _limits(self, aspect: PremiumAspect) -> tuple[tuple[int, ...], int]:
        """Give the steps of an aspect in whole units, and its weight."""
        match aspect:
            case "spend":
                minor = tuple(self.currency.to_minor(step) for step in self.spend_steps)
                return minor, self.spend_weight
            case "purchases":
                return self.purchase_steps, self.purchase_weight
            case _:
                return self.referral_steps, self.referral_weight

    def decide(
        self,
        *,
        spend: Any,
        purchases: int | None,
        referrals: int | None,
        last_purchase_on: dt.date | None,
        as_of: dt.date,
    ) -> Decision:
        """
        Decide for one member, with the points of each aspect.

        Args:
            spend: Net spend of the window in major units or as `Money`; None if
                unknown.
            purchases: Purchases of the window.
            referrals: Members brought in during the window; None if unknown.
            last_purchase_on: Day of the last purchase; None if there was none. One
                later than the day asked for is not known yet.
            as_of: The day asked for.

        Returns:
            A decision, ``"premium"`` or ``"not_premium"``.

        Raises:
            InvalidValueError: A figure is a float or bool, or a day is none.
        """
        check_as_of(as_of)
        if last_purchase_on is not None and type(last_purchase_on) is not dt.date:
            raise InvalidValueError(
                "'last_purchase_on' is a date without time, "
                f"not a {type(last_purchase_on).__name__}"
            )
        given = {"spend": spend, "purchases": purchases, "referrals": referrals}
        units: dict[str, int | None] = {}
        for name, value in given.items():
            condition = AtLeast(name, 1).in_currency(self.currency)
            units[name] = condition.to_units(value)
        lapsed = self._lapsed(last_purchase_on, as_of)
        points = {}
        for name in _ASPECTS:
            steps, weight = self._limits(name)
            value = units[name]
            reached = 0 if value is None else sum(value >= step for step in steps)
            points[name] = 0 if name == "purchases" and lapsed else weight * reached
        total = sum(points.values())
        premium = total >= self.least_points
        changes_on = None
        if premium and total - points["purchases"] < self.least_points:
            # The day on which the last purchase lies too far back.
            last = last_purchase_on or as_of
            changes_on = add_months(last, self.lapse_months)
        return Decision(
            outcome="premium" if premium else "not_premium",
            grounds=self._statement(points, units, total),
            policy=self.policy,
            version=self.version,
            as_of=as_of,
            changes_on=changes_on,
        )

    def _lapsed(self, last: dt.date | None, as_of: dt.date) -> bool:
        if last is None or last > as_of:
            return True
        return last <= lapse_cutoff(as_of, self.lapse_months)

    def _statement(
        self, points: dict[PremiumAspect, int], units: dict[str, int | None], total: int
    ) -> Statement:
        met = total >= self.least_points
        reasons = []
        for name in _ASPECTS:
            value, (english, chinese) = units[name], _NAMES[name]
            have = "unknown" if value is None else str(value)
            if name == "spend" and value is not None:
                have = amount_text(value, self.currency)
            reasons.append(
                Reason(
                    rule=name,
                    met=points[name] > 0,
                    figures=(("have", have), ("points", str(points[name]))),
                    text_en=f"{english} {points[name]}",
                    text_zh=f"{chinese} {points[name]} 分",
                )
            )
        least = self.least_points
        head_en = (
            f"{'premium' if met else 'not premium'}: {total} points ({least} needed)"
        )
        head_zh = f"{'' if met else '非'}优质会员：{total} 分（需 {least} 分）"
        return Statement(
            reasons=reasons,
            text_en="; ".join([head_en, *(each.text_en for each in reasons)]),
            text_zh="；".join([head_zh, *(each.text_zh for each in reasons)]),
        )

    def select(self, members: Any, *, as_of: dt.date) -> pd.DataFrame:
        """
        Select the premium members of all stores: 优质会员消费情况汇总表.

        Args:
            members: One row a member, of any engine: ``store_id``, ``member_id``,
                ``spend`` (minor units), ``purchases``, ``referrals`` (whole numbers,
                gaps are unknown), ``last_purchase_on`` (days); optional ``tier`` and
                ``next_visit_on``.
            as_of: The day asked for.

        Returns:
            A pandas frame, by store and rank: the columns of the form (``tier`` and
            ``next_visit_on`` where given), then ``points`` and ``rank`` in the store.
            Each row is one that `decide` calls premium.

        Raises:
            MissingColumnsError: A needed column is absent.
            ColumnTypeError: A figure holds floats with fractions, or a day is none.

        >>> people = pd.DataFrame({"store_id": ["S1", "S1"], "member_id": ["M1", "M2"],
        ...     "spend": [820000, 10000], "purchases": [9, 1], "referrals": [0, 0],
        ...     "last_purchase_on": pd.to_datetime(["2026-10-20"] * 2)})
        >>> chosen = PremiumPolicy().select(people, as_of=dt.date(2026, 11, 1))
        >>> chosen[["member_id", "points", "rank"]].to_numpy().tolist()
        [['M1', 7, 1]]
        """
        check_as_of(as_of)
        needed = ["store_id", "member_id", *_ASPECTS, "last_purchase_on"]
        rows = taken(members, MEMBERS, needed, _OPTIONAL)
        for name in _ASPECTS:
            rows[name] = _whole(rows[name], name)
        for day in ("last_purchase_on", "next_visit_on"):
            if day in rows:
                rows[day] = days_of(rows[day], day)
        cutoff = pd.Timestamp(lapse_cutoff(as_of, self.lapse_months))
        last = rows["last_purchase_on"]
        alive = ((last > cutoff) & (last <= pd.Timestamp(as_of))).to_numpy()
        points = np.zeros(len(rows), dtype=np.int64)
        for name in _ASPECTS:
            steps, weight = self._limits(name)
            value = rows[name].fillna(0).to_numpy(dtype=np.int64)
            reached = np.searchsorted(np.array(steps), value, side="right") * weight
            points += np.where(alive, reached, 0) if name == "purchases" else reached
        rows["points"] = points
        chosen = rows[points >= self.least_points]
        chosen = chosen.sort_values(
            ["store_id", "points", "spend", "purchases", "referrals",
             "last_purchase_on", "member_id"],
            ascending=[True, False, False, False, False, False, True],
            kind="stable",
        )  # fmt: skip
        rank = chosen.groupby("store_id", dropna=False).cumcount() + 1
        chosen = chosen.assign(rank=rank.astype(np.int64))
        if self.per_store is not None:
            chosen = chosen[chosen["rank"] <= self.per_store]
        wanted = [name for name in FORM_COLUMNS if name in chosen]
        return chosen[[*wanted, "points", "rank"]].reset_index(drop=True)


def _whole(column: pd.Series, name: str) -> pd.Series:
    try:
        return column.astype("Int64")
    except (TypeError, ValueError):
        raise ColumnTypeError(
            f"column {name!r} is {column.dtype}; it must hold whole numbers "
            "(money in minor units), with gaps as nullable integers"
        ) from None
