"""Where applications and deliveries stand: folds of their postings at a moment."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from memberops.domain.gift_flow import FlowRules, place_of_delivery
from memberops.ledger.balances import check_instant, exact, int64
from memberops.tables.gifts import GIFT_APPLICATIONS

__all__ = ["application_states", "delivery_differences"]

_NEEDED = (
    "application_id",
    "store_id",
    "gift_id",
    "asked",
    "applied_at",
    "approved",
    "approved_at",
)
_STEPS = ("dispatched", "received", "returned", "lost", "over")
_ENDS = {"store": "received", "warehouse": "returned", "supplier": "returned"}
_DELIVERY = ["application_id", "number"]
_CELL = [*_DELIVERY, "store_id", "gift_id", "lot_id"]
_UTC = pd.DatetimeTZDtype("us", "UTC")
_DIFFERENCES = (*_CELL, "kind", "quantity", "since")


def application_states(
    applications: pd.DataFrame,
    movements: pd.DataFrame,
    *,
    as_of: dt.datetime,
    rules: FlowRules | None = None,
) -> pd.DataFrame:
    """
    Say where every application stands, derived from its postings and not stored.

    Args:
        applications: See `memberops.tables.GIFT_APPLICATIONS`; those made later than
            *as_of* are left out, and an approval given later is not known yet.
        movements: As `LedgerStore.movements` gives them: the deliveries are known by
            the places that `dispatch` uses.
        as_of: Aware instant, inclusive.
        rules: How long each step may take.

    Returns:
        The applications with ``approved`` (Int64), ``dispatched``, ``received``,
        ``returned``, ``lost``, ``in_transit``, ``over`` (received too much and not
        explained yet), ``open`` (still to come), ``dispatched_at`` of the first and
        ``received_at`` of the last delivery; ``state``, one of ``asked``,
        ``refused``, ``approved``, ``part_sent``, ``in_transit`` and ``received``;
        ``overdue``, the step that is late (``approval``, ``dispatch``, ``receipt``
        or empty), and ``due_at``, by when the next step is to be made.

    Raises:
        InvalidValueError: *as_of* has no zone.
        MissingColumnsError: A column is not there.
    """
    GIFT_APPLICATIONS.check_columns(applications.columns, _NEEDED)
    rules = rules or FlowRules()
    moment = pd.Timestamp(check_instant(as_of))
    known = applications.loc[applications["applied_at"] <= moment]
    known = known.reset_index(drop=True)
    steps = _steps(movements, moment)
    sums = _by_step(steps, ["application_id"]).reindex(known["application_id"])
    counts = sums.fillna(0).astype("int64").reset_index(drop=True)
    decided = known["approved_at"].notna() & (known["approved_at"] <= moment)
    approved = known["approved"].astype("Int64").where(decided)
    granted = approved.fillna(known["asked"]).astype("int64")
    in_transit = (
        counts["dispatched"] - counts["received"] - counts["returned"] - counts["lost"]
    )
    to_send = (granted - counts["dispatched"]).clip(lower=0)
    state = np.select(
        [
            ~decided,
            (decided & (approved == 0)).fillna(value=False).astype(bool),
            in_transit > 0,
            (to_send > 0) & (counts["dispatched"] == 0),
            to_send > 0,
        ],
        ["asked", "refused", "in_transit", "approved", "part_sent"],
        "received",
    )
    waiting = _waiting_since(steps).reindex(known["application_id"])
    due = {
        "approval": (known["applied_at"] + rules.approve_within).where(~decided),
        "receipt": waiting.reset_index(drop=True) + rules.receive_within,
        "dispatch": (known["approved_at"] + rules.dispatch_within).where(
            decided & (to_send > 0)
        ),
    }
    overdue, due_at = _late(due, moment)
    own = {
        name: known[name].where(decided)
        for name in ("approved_by", "approved_at")
        if name in known
    }
    times = {
        "dispatched_at": _moments(steps, "dispatched", "min", known),
        "received_at": _moments(steps, "received", "max", known),
    }
    return known.assign(
        approved=approved,
        **own,
        **{name: counts[name] for name in _STEPS},
        in_transit=in_transit,
        open=(to_send + in_transit).where(state != "refused", 0),
        **times,
        state=pd.Series(state, index=known.index, dtype="str"),
        overdue=overdue,
        due_at=due_at,
    )


def delivery_differences(
    movements: pd.DataFrame, *, as_of: dt.datetime
) -> pd.DataFrame:
    """
    List what deliveries brought otherwise than written and nobody has explained yet.

    A lot is short if its delivery has been received, in part, and it is still on its
    way; it is over if more came than was written.

    Args:
        movements: As `LedgerStore.movements` gives them.
        as_of: Aware instant, inclusive.

    Returns:
        ``application_id``, ``number``, ``store_id``, ``gift_id``, ``lot_id``,
        ``kind`` (``short`` or ``over``), ``quantity``, ``since``, the last receipt.
    """
    moment = pd.Timestamp(check_instant(as_of))
    steps = _steps(movements, moment)
    sums = _by_step(steps, _CELL).reset_index()
    came = steps.loc[steps["step"].isin(["received", "over"])]
    since = came.groupby(_DELIVERY)["effective_at"].max().rename("since")
    rows = sums.merge(since.reset_index(), on=_DELIVERY, how="inner")
    short = rows["dispatched"] - rows["received"] - rows["returned"] - rows["lost"]
    parts = [
        rows.assign(kind=kind, quantity=quantity).loc[quantity > 0]
        for kind, quantity in (("short", short), ("over", rows["over"]))
    ]
    found = pd.concat(parts, ignore_index=True)[list(_DIFFERENCES)]
    found["kind"] = found["kind"].astype("str")
    return found.sort_values([*_CELL, "kind"], ignore_index=True)


def _steps(movements: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """List what each movement did to a delivery: the step and the signed quantity."""
    rows = movements.loc[movements["effective_at"] <= moment]
    parts = []
    for end, other, sign in (
        ("destination", "source", 1),
        ("source", "destination", -1),
    ):
        places = {text: place_of_delivery(text) for text in rows[end].unique().tolist()}
        known = {text: place for text, place in places.items() if place is not None}
        mine = rows.loc[rows[end].isin(known)]
        delivery = [known[text] for text in mine[end]]
        over = np.array([each.over for each in delivery], dtype=bool)
        # What a reversal moves out of a delivery was never put into it.
        turned = (mine["kind"] == "reversal").to_numpy()
        entering = (end == "destination") ^ turned
        step = np.where(
            entering, "dispatched", mine[other].map(_end_of).to_numpy(dtype=object)
        )
        amount = np.where(turned, -1, 1) * mine["quantity"].to_numpy()
        parts.append(
            pd.DataFrame(
                {
                    "application_id": [each.application_id for each in delivery],
                    "number": [each.number for each in delivery],
                    "store_id": [each.store_id for each in delivery],
                    "gift_id": mine["gift_id"].to_numpy(),
                    "lot_id": mine["lot_id"].to_numpy(),
                    "step": np.where(over, "over", step),
                    "quantity": np.where(
                        over, -sign * mine["quantity"].to_numpy(), amount
                    ),
                    "effective_at": mine["effective_at"].array,
                }
            )
        )
    found = pd.concat(parts, ignore_index=True)
    texts = ("application_id", "store_id", "gift_id", "lot_id", "step")
    return found.astype(
        dict.fromkeys(texts, "str")
        | {"number": "int64", "quantity": "int64", "effective_at": _UTC}
    )


def _end_of(place: str) -> str:
    return _ENDS.get(place.partition(":")[0], "lost")


def _by_step(steps: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    rows = steps.assign(quantity=exact(steps["quantity"]))
    for step in _STEPS:
        rows[step] = rows["quantity"].where(rows["step"] == step, 0)
    return rows.groupby(keys)[list(_STEPS)].sum().apply(int64)


def _waiting_since(steps: pd.DataFrame) -> pd.Series[Any]:
    """Return by application since when its first open delivery is on its way."""
    moved = steps.loc[steps["step"] != "over"]
    signed = np.where(moved["step"] == "dispatched", 1, -1) * moved["quantity"]
    left = moved.assign(left=signed).groupby(_DELIVERY)["left"].sum()
    sent = moved.loc[moved["step"] == "dispatched"]
    at = sent.groupby(_DELIVERY)["effective_at"].min()
    waiting = at.reindex(left.index[left > 0]).reset_index()
    return waiting.groupby("application_id")["effective_at"].min().astype(_UTC)


def _moments(
    steps: pd.DataFrame, step: str, which: str, known: pd.DataFrame
) -> pd.Series[Any]:
    rows = steps.loc[(steps["step"] == step) & (steps["quantity"] > 0)]
    at = rows.groupby("application_id")["effective_at"].agg(which).astype(_UTC)
    return at.reindex(known["application_id"]).reset_index(drop=True)


def _late(
    due: dict[str, pd.Series[Any]], moment: pd.Timestamp
) -> tuple[pd.Series[str], pd.Series[Any]]:
    moments = pd.DataFrame(due)
    first = moments.min(axis=1).astype(_UTC)
    late = pd.Series("", index=moments.index, dtype="str")
    for step in reversed(list(due)):
        late = late.mask((moments[step] == first) & (first < moment), step)
    return late, first
