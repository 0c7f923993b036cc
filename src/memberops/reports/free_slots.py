"""Places that are still free on a day (CLINIC)."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from memberops.domain import Currency
from memberops.policies import Appointments
from memberops.reports.form import Form
from memberops.reports.forms.columns import count_column, text_column
from memberops.reports.forms.places import store_columns, with_stores
from memberops.reports.forms.rows import (
    check_given,
    form_rows,
    local_moments,
    policy_line,
)

__all__ = ["free_slots_form"]

_NO_MONEY = Currency("CNY")


def free_slots_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    policy: Appointments | None = None,
    as_of: dt.date | None = None,
) -> Form:
    """
    Make the list of slots with free places: 可预约时段.

    Args:
        frame: One row a slot: ``store_id``, ``starts_at`` and ``ends_at`` (moments
            with a zone), ``service``, ``capacity``, ``free``.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        policy: The policy of appointments; its zone is that of the times.
        as_of: The day on which the list was made.

    Raises:
        MissingColumnsError: The frame lacks a column.
        ColumnTypeError: Moments without a zone.
    """
    policy = policy or Appointments()
    needed = ("store_id", "starts_at", "ends_at", "capacity", "free")
    check_given(frame, "free_slots", needed)
    rows = local_moments(frame, ["starts_at", "ends_at"], zone=policy.zone)
    columns = (
        *store_columns(stores),
        text_column("starts_at", "Starts at", "开始时间"),
        text_column("ends_at", "Ends at", "结束时间"),
        text_column("service", "Service", "服务项目"),
        count_column("capacity", "Places", "名额"),
        count_column("free", "Free", "空余"),
    )
    english, chinese = policy_line(policy, as_of)
    return Form(
        name="free_slots",
        title_en="Free places",
        title_zh="可预约时段",
        columns=columns,
        frame=form_rows(with_stores(rows, stores), columns),
        currency=_NO_MONEY,
        notes_en=(english,),
        notes_zh=(chinese,),
    )
