"""The table of visits as it was known on a day."""

from __future__ import annotations

import pandas as pd

from memberops.workflows.inquiry import Inquiry

__all__ = ["records_of"]


def records_of(asked: Inquiry) -> pd.DataFrame:
    """
    Return the table of visits as it was known on the day.

    A visit that was done later has no outcome yet; the day of a moment is that of the
    chain's zone.
    """
    return asked.once("visits", lambda: _records(asked))


def _records(asked: Inquiry) -> pd.DataFrame:
    rows = asked.tables["visits"].copy()
    local = rows["done_at"].dt.tz_convert(asked.chain.zone).dt.tz_localize(None)
    days = local.dt.normalize().astype("datetime64[us]")
    rows["done_on"] = rows["done_on"].where(rows["done_on"].notna(), days)
    later = (rows["done_on"] > pd.Timestamp(asked.as_of)).to_numpy(bool)
    unknown = ["outcome", "done_on", "done_at", "answered", "answer", "reason_code"]
    for name in unknown:
        rows[name] = rows[name].mask(later)
    return rows
