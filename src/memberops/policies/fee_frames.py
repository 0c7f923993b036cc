"""The fees of many at once; `MembershipFee.charge_frame` comes here."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.errors import ColumnTypeError
from memberops.policies.status_frames import as_pandas

if TYPE_CHECKING:
    from memberops.policies.fees import MembershipFee

__all__ = ["charge_frame"]

_Whole = npt.NDArray[np.int64]


def _whole(rows: pd.DataFrame, column: str, otherwise: int) -> _Whole:
    if column not in rows:
        return np.full(len(rows), otherwise, np.int64)
    values = rows[column]
    if values.isna().any() or values.dtype.kind not in "biu":
        raise ColumnTypeError(
            f"column {column!r} is {values.dtype}; it must hold whole numbers or "
            "booleans without gaps"
        )
    return values.to_numpy().astype(np.int64)


def charge_frame(
    policy: MembershipFee, memberships: Any, discount: Fraction
) -> pd.DataFrame:
    """Say what each row is to pay; see `MembershipFee.charge_frame`."""
    rows = as_pandas(memberships, "memberships")
    kinds = rows["kind"] if "kind" in rows else pd.Series("standard", rows.index)
    kinds = kinds.astype(object).fillna("standard")
    fees = {kind: policy.of(kind) for kind in kinds.unique()}
    to_minor = policy.currency.to_minor
    fee = np.array([to_minor(fees[kind].renewal) for kind in kinds], np.int64)
    joining = np.array([to_minor(fees[kind].joining) for kind in kinds], np.int64)
    entry = joining * _whole(rows, "joining", 0)
    terms, free = _whole(rows, "terms", 1), _whole(rows, "waived_terms", 0)
    days = _whole(rows, "period_days", 1) if policy.prorate else np.int64(1)
    left = _whole(rows, "days_left", 1) if policy.prorate else np.int64(1)
    paid = np.maximum(terms - np.maximum(free, 1), 0) * days + (free < 1) * left
    # All over one denominator, so that rounding half up happens once.
    share, whole = discount.numerator, discount.denominator
    off = share if policy.discount_joining else 0
    above = fee * paid * (whole - share) + entry * days * (whole - off)
    below = days * whole
    return rows.assign(amount=(2 * above + below) // (2 * below))
