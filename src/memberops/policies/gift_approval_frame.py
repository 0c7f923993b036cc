"""Who may approve gifts, asked of many applications at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from memberops.domain import Currency
from memberops.errors import (
    CurrencyMismatchError,
    FrameError,
    InvalidValueError,
    MissingColumnsError,
)

if TYPE_CHECKING:
    from memberops.policies.gift_approval import ApprovalRight, GiftApprovalPolicy

__all__ = ["approval_outcomes"]

_NEEDED = ("store_id", "asked", "applied_by", "approved", "approver", "role")
_ADDED = ("outcome", "unmet")
_RULES = ("separation", "responsibility", "right", "quantity", "value")


def approval_outcomes(
    policy: GiftApprovalPolicy, frame: pd.DataFrame, *, currency: Currency | None
) -> pd.DataFrame:
    """Answer every row; see `GiftApprovalPolicy.decide_frame`."""
    missing = [name for name in _NEEDED if name not in frame]
    if missing:
        raise MissingColumnsError("applications", missing, [str(n) for n in frame])
    if taken := [name for name in _ADDED if name in frame]:
        raise FrameError(f"the applications frame already has {taken}: drop them")
    limits = [each.value for each in policy.rights if each.value is not None]
    worth = _counts(frame, "unit_value")
    if limits and "unit_value" in frame:
        if currency is None:
            raise InvalidValueError("'unit_value' needs 'currency': what it counts in")
        for each in limits:
            if each.currency != currency:
                raise CurrencyMismatchError(
                    f"rights count in {each.currency.code}, unit values in "
                    f"{currency.code}"
                )
    asked, approved = _counts(frame, "asked"), _counts(frame, "approved")
    store, region = _texts(frame, "store_id"), _texts(frame, "region_id")
    place = np.where(_texts(frame, "place") == "", "chain", _texts(frame, "place"))
    role = _texts(frame, "role")
    rights, which = _rights(policy, role, store, region)
    most = pd.Series([None if r is None else r.quantity for r in rights], dtype="Int64")
    value = pd.Series(
        [None if r is None or r.value is None else r.value.minor for r in rights],
        dtype="Int64",
    )
    mine, limit = most.take(which), value.take(which)
    mine.index, limit.index = frame.index, frame.index
    beyond = (limit.notna() & (approved > 0)) & (
        worth.isna() | _dearer(worth, approved, limit)
    )
    there = np.array([each is not None for each in rights], dtype=bool)[which]
    known = asked.notna() & approved.notna() & (approved >= 0) & (approved <= asked)
    for name in ("store_id", "applied_by", "approver", "role"):
        known &= _texts(frame, name) != ""
    failed = {
        "separation": _texts(frame, "applied_by") == _texts(frame, "approver"),
        "responsibility": ~(
            (place == "chain")
            | (place == _joined("store", store))
            | ((region != "") & (place == _joined("region", region)))
        ),
        "right": ~there,
        "quantity": (mine.notna() & (approved > mine)).fillna(value=False),
        "value": beyond.fillna(value=False),
    }
    marks = np.column_stack([np.asarray(failed[name], dtype=bool) for name in _RULES])
    codes = marks @ (1 << np.arange(len(_RULES)))
    said = [
        ",".join(name for number, name in enumerate(_RULES) if code >> number & 1)
        for code in range(1 << len(_RULES))
    ]
    decided = np.asarray(known.fillna(value=False), dtype=bool)
    all_of_it = np.asarray((approved == asked).fillna(value=False), dtype=bool)
    none_of_it = np.asarray((approved == 0).fillna(value=False), dtype=bool)
    outcome = np.select(
        [~decided, codes > 0, none_of_it, all_of_it],
        ["", "not_entitled", "refused", "approved"],
        "partly_approved",
    )
    unmet = np.array(said, dtype=object)[codes]
    return frame.assign(
        outcome=pd.Series(outcome, index=frame.index, dtype="str").where(decided),
        unmet=pd.Series(np.where(decided, unmet, "row"), index=frame.index).astype(
            "str"
        ),
    )


def _rights(
    policy: GiftApprovalPolicy, role: Any, store: Any, region: Any
) -> tuple[list[ApprovalRight | None], Any]:
    """Look each role up once for each place, and say which right a row goes by."""
    keys = pd.MultiIndex.from_arrays([role, store, region])
    which, known = pd.factorize(keys)
    rights = [
        policy.right(one, store_id=shop, region_id=area or None)
        for one, shop, area in known
    ]
    return rights, which


def _dearer(worth: Any, approved: Any, limit: Any) -> Any:
    """Compare without a product, which might leave the 64 bits."""
    most = limit // approved.where(approved > 0, 1)
    return worth > most


def _texts(frame: pd.DataFrame, name: str) -> Any:
    if name not in frame:
        return np.full(len(frame), "", dtype=object)
    column = frame[name]
    return column.astype(object).where(column.notna(), "").astype(str).to_numpy(object)


def _counts(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    if name not in frame:
        return pd.Series(pd.NA, index=frame.index, dtype="Int64")
    if frame[name].dtype.kind == "b":
        raise InvalidValueError(f"{name!r} holds whole numbers")
    try:
        return frame[name].astype("Int64")
    except (TypeError, ValueError):
        raise InvalidValueError(f"{name!r} holds whole numbers") from None


def _joined(kind: str, names: Any) -> Any:
    return np.array([f"{kind}:{name}" for name in names], dtype=object)
