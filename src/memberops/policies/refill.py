"""When a supply runs out: units by daily dose, exactly (CLINIC)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain.values import identifier, plain_date, whole_number
from memberops.errors import ColumnTypeError, InvalidValueError
from memberops.policies.visit_intake import as_days, as_text, taken_in
from memberops.policies.visit_policy import VisitFact
from memberops.schedules import add_days

__all__ = ["Supply", "supply_facts"]

_COUNTS = ("units", "dose_units", "dose_days")


def _positive(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    whole_number(instance, attribute, value)
    if value < 1:
        raise InvalidValueError(f"{attribute.name!r} must be 1 or more, not {value}")


@attrs.frozen(kw_only=True)
class Supply:
    """
    A supply that a member takes regularly (CLINIC §run-out).

    Args:
        member_id: Whose.
        started_on: The first day on which it is taken.
        units: How many units there are.
        dose_units: How many are taken ...
        dose_days: ... in how many days: 1 unit in 2 days is half a unit a day.
        supply_id: Its id, where a member has several.
        store_id: The store that sold it.

    >>> supply = Supply(member_id="M1", started_on=dt.date(2026, 11, 1), units=60,
    ...                 dose_units=2)
    >>> supply.days, supply.ends_on
    (30, datetime.date(2026, 11, 30))
    """

    member_id: str = attrs.field(validator=identifier)
    started_on: dt.date = attrs.field(validator=plain_date)
    units: int = attrs.field(validator=_positive)
    dose_units: int = attrs.field(default=1, validator=_positive)
    dose_days: int = attrs.field(default=1, validator=_positive)
    supply_id: str = ""
    store_id: str = ""

    @property
    def days(self) -> int:
        """How many whole days it lasts."""
        return self.units * self.dose_days // self.dose_units

    @property
    def ends_on(self) -> dt.date:
        """The last day for which it is enough; the day before the first if none."""
        return add_days(self.started_on, self.days - 1)

    def fact(self) -> VisitFact:
        """Return the fact that asks for a reminder: the last day it is enough for."""
        return VisitFact(
            member_id=self.member_id,
            trigger="supply_end",
            on=self.ends_on,
            fact_id=self.supply_id,
            store_id=self.store_id,
        )


def supply_facts(supplies: Any) -> pd.DataFrame:
    """
    Return the facts of many supplies, for `plan_visits`, as `Supply.fact` gives them.

    Args:
        supplies: ``member_id``, ``started_on``, ``units`` and ``dose_units`` (whole
            numbers of 1 or more); ``dose_days``, ``supply_id``, ``store_id`` if any.

    Raises:
        MissingColumnsError: A column is not there.
        ColumnTypeError: A count is not a whole number, or has gaps.
        InvalidValueError: A count below 1.

    >>> supplies = pd.DataFrame({"member_id": ["M1"], "units": [60], "dose_units": [2],
    ...     "started_on": pd.to_datetime(["2026-11-01"])})
    >>> supply_facts(supplies)[["trigger", "on"]].iloc[0].tolist()
    ['supply_end', Timestamp('2026-11-30 00:00:00')]
    """
    needed = ("member_id", "started_on", "units", "dose_units")
    frame = taken_in(supplies, "supplies", needed)
    counts = {name: _counts(frame, name) for name in _COUNTS}
    days = counts["units"] * counts["dose_days"] // counts["dose_units"]
    ends = as_days(frame, "started_on") + (days - 1).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "member_id": pd.Series(as_text(frame, "member_id"), dtype="str"),
            "trigger": pd.Series(["supply_end"] * len(frame), dtype="str"),
            "on": ends.astype("datetime64[us]"),
            "fact_id": pd.Series(as_text(frame, "supply_id"), dtype="str"),
            "store_id": pd.Series(as_text(frame, "store_id"), dtype="str"),
        }
    )


def _counts(frame: pd.DataFrame, name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    if name not in frame:
        return np.ones(len(frame), np.int64)
    values = frame[name]
    if not pd.api.types.is_integer_dtype(values.dtype) or values.isna().any():
        raise ColumnTypeError(
            f"column {name!r} is {values.dtype}; it must hold whole numbers without "
            "gaps: half a unit a day is dose_units=1, dose_days=2"
        )
    counts = values.to_numpy(np.int64)
    if (counts < 1).any():
        raise InvalidValueError(f"{name!r} must be 1 or more in every row")
    return counts
