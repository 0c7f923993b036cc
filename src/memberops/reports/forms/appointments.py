"""The form of a coming day's appointments (CLINIC)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import pandas as pd

from memberops.domain import Currency
from memberops.policies import Appointments
from memberops.reports.form import Form
from memberops.reports.forms.columns import text_column
from memberops.reports.forms.places import same_column, store_columns, with_stores
from memberops.reports.forms.rows import (
    check_given,
    form_rows,
    local_moments,
    policy_line,
    with_profiles,
)
from memberops.tables import MEMBERS

__all__ = ["appointments_form"]


def appointments_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    members: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: Appointments | None = None,
    as_of: dt.date | None = None,
) -> Form:
    """
    Make the form 预约提醒名单: by store and staff, who comes on the coming day.

    Args:
        frame: What `Appointments.day_list` returned; a column ``staff_id`` where the
            staff are known.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        members: ``member_id`` with ``name`` and ``phone``, to show them masked.
        reveal: Which of ``"name"`` and ``"phone"`` are shown in full.
        policy: The policy of appointments; its zone is that of the times.
        as_of: The evening on which the list is handed out.

    Raises:
        MissingColumnsError: The frame lacks a column, or another frame its id.
        ColumnTypeError: Moments without a zone.
        InvalidValueError: *reveal* names a column that is not personal.
    """
    policy = policy or Appointments()
    needed = ("store_id", "starts_at", "booking_id", "member_id")
    check_given(frame, "appointments", needed)
    given = frame.assign(staff_id=frame.get("staff_id"))
    order = ["store_id", "staff_id", "starts_at", "booking_id"]
    rows = given.sort_values(order, kind="stable")
    rows = local_moments(rows, ["starts_at"], zone=policy.zone)
    rows, profile = with_profiles(with_stores(rows, stores), members)
    columns = (
        *store_columns(stores),
        text_column("staff_id", "Staff", "员工编号"),
        text_column("starts_at", "Starts at", "预约时间"),
        text_column("booking_id", "Booking", "预约编号"),
        same_column(MEMBERS, "member_id"),
        *profile,
        text_column("service", "Service", "服务项目"),
    )
    english, chinese = policy_line(policy, as_of)
    return Form(
        name="appointments",
        title_en="Appointments of the coming day",
        title_zh="预约提醒名单",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=Currency("CNY"),
        notes_en=(english, f"Times are those of {policy.zone}."),
        notes_zh=(chinese, f"时间按 {policy.zone} 时区。"),
        revealed=tuple(reveal),
    )
