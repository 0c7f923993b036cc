"""The fees of many at once; `MembershipFee.charge_frame` comes here."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain.money import round_half_up
from memberops.errors import ColumnTypeError, InvalidValueError
from memberops.policies.status_frames import as_pandas

if TYPE_CHECKING:
    from memberops.policies.fees import MembershipFee

__all__ = ["charge_frame"]

_NUMBERS = {"terms": 1, "joining": 0, "waived_terms": 0}
_DAYS = {"days_left": 1, "period_days": 1}
_MOST = 2**63 - 1


def _numbers(rows: pd.DataFrame, column: str, otherwise: int) -> Any:
    if column not in rows:
        return np.full(len(rows), otherwise, np.int64)
    values = rows[column]
    if values.dtype.kind not in "biu":
        raise ColumnTypeError(
            f"column {column!r} is {values.dtype}; it must hold whole numbers or "
            "booleans (with gaps: Int64)"
        )
    return values


@attrs.frozen
class _Asked:
    """What one or more rows ask for, in whole numbers."""

    kind: Any
    terms: int
    joining: int
    waived_terms: int
    days_left: int = 1
    period_days: int = 1

    def wrong(self) -> str:
        """Say what `MembershipFee.charge` refuses, or nothing."""
        checks = {
            "terms must be 1 or more": self.terms >= 1,
            "joining must be true or false": self.joining in (0, 1),
            "waived_terms must be 0 or more": self.waived_terms >= 0,
            "period_days must be 1 or more": self.period_days >= 1,
            "days_left must lie from 0 to period_days": 0
            <= self.days_left
            <= max(self.period_days, 0),
        }
        return next((text for text, holds in checks.items() if not holds), "")


def _charged(
    policy: MembershipFee, asked: tuple[Any, ...], discount: Fraction
) -> tuple[int | None, str]:
    """Charge what some rows ask for in exact numbers, or say why that is nothing."""
    if any(pd.isna(value) for value in asked[1:]):
        return None, "amount: a number is missing"
    row = _Asked(asked[0], *(int(value) for value in asked[1:]))
    wrong = row.wrong()
    if wrong:
        return None, f"amount: {wrong}"
    try:
        fees = policy.of(row.kind)
    except InvalidValueError:
        return None, "amount: kind is no name of a kind of card"
    entry = Fraction(policy.currency.to_minor(fees.joining) * row.joining)
    begun = Fraction(row.days_left, row.period_days)
    open_terms = max(row.terms - max(row.waived_terms, 1), 0) + (
        begun if row.waived_terms < 1 else 0
    )
    usual = policy.currency.to_minor(fees.renewal) * open_terms
    off = entry if policy.discount_joining else 0
    amount = round_half_up(usual + entry - (usual + off) * discount)
    if amount > _MOST:
        return None, "amount: more than a column of minor units can hold"
    return amount, ""


def charge_frame(
    policy: MembershipFee, memberships: Any, discount: Fraction
) -> pd.DataFrame:
    """Say what each row is to pay; see `MembershipFee.charge_frame`."""
    rows = as_pandas(memberships, "memberships")
    kinds = rows["kind"] if "kind" in rows else pd.Series("standard", rows.index)
    wanted = _NUMBERS | (_DAYS if policy.prorate else {})
    asked = pd.DataFrame(
        {
            "kind": kinds.astype(object).fillna("standard"),
            **{name: _numbers(rows, name, usual) for name, usual in wanted.items()},
        },
        index=rows.index,
    )
    # Few rows ask for something of their own: each question is answered once, exactly.
    group = asked.groupby(list(asked), dropna=False, sort=False).ngroup().to_numpy()
    each = asked[~pd.Series(group).duplicated().to_numpy()]
    answers = [
        _charged(policy, given, discount)
        for given in zip(*(each[name].tolist() for name in each), strict=True)
    ]
    amounts = pd.array([amount for amount, _ in answers], dtype="Int64")
    texts = pd.array([text for _, text in answers], dtype="str")
    return rows.assign(
        amount=pd.Series(amounts.take(group), index=rows.index),
        undefined=pd.Series(texts.take(group), index=rows.index),
    )
