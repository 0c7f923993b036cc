"""The clocks of all cases at a moment, each by the working time of its store."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from memberops.domain import Finding
from memberops.policies import ServiceLevels, case_rows
from memberops.workflows.inquiry import Inquiry

__all__ = ["case_clocks"]


def case_clocks(
    asked: Inquiry, moment: dt.datetime
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """
    Read the cases received by a moment, with what each clock says then.

    A store with a calendar of its own is judged by it, as `Chain.sla` does.

    Args:
        asked: The question; it has a table of complaints.
        moment: The moment, with a zone.

    Returns:
        The columns of `memberops.policies.case_rows` and of `ServiceLevels.frame`, by
        case id; and what was found in the tables.
    """
    complaints = asked.tables["complaints"]
    events = asked.tables.get("case_events")
    usual = asked.policies.service_levels
    rows, findings = _clocks(asked, complaints, events, levels=usual, moment=moment)
    for store, _ in asked.policies.store_calendars:
        levels = asked.policies.of_store(store).service_levels
        mine = (rows["store_id"] == store).to_numpy(bool)
        if levels == usual or not mine.any():
            continue
        ids = rows["case_id"][mine]
        own = complaints["store_id"].eq(store) & complaints["case_id"].isin(ids)
        told = None if events is None else events[events["case_id"].isin(ids)]
        again, _ = _clocks(
            asked, complaints[own.to_numpy(bool)], told, levels=levels, moment=moment
        )
        rows = pd.concat([rows[~mine], again], ignore_index=True)
    return rows.sort_values("case_id", ignore_index=True), findings


def _clocks(
    asked: Inquiry,
    complaints: pd.DataFrame,
    events: pd.DataFrame | None,
    *,
    levels: ServiceLevels,
    moment: dt.datetime,
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    rows, findings = case_rows(complaints, events, as_of=moment, levels=levels)
    clocks = levels.frame(
        complaints, events, as_of=moment, currency=asked.chain.currency
    ).cases
    own = [name for name in clocks if name == "case_id" or name not in rows]
    return rows.merge(clocks[own], on="case_id", how="inner"), findings
