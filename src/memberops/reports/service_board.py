"""The open cases of a moment: what is to be done next, by whom, by when (HQ §6.2)."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from memberops.domain import Currency
from memberops.policies import ServiceLevels
from memberops.reports.form import Form
from memberops.reports.forms.columns import (
    count_column,
    sentence_columns,
    text_column,
)
from memberops.reports.forms.places import store_columns, with_stores
from memberops.reports.forms.rows import (
    check_given,
    form_rows,
    local_moments,
    policy_line,
)
from memberops.reports.forms.words import CASE_CHANNELS, CLOCK_STATES, CLOCKS

__all__ = ["service_board_form"]

_NO_MONEY = Currency("CNY")
_OWNERS = (
    ("handler", "handler", "经办人"),
    ("manager", "manager", "经理"),
    ("headquarters", "headquarters", "总部"),
    ("store", "store", "门店"),
)
_NEEDED = ("case_id", "store_id", "received_at", "state", "due_at")


def service_board_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    policy: ServiceLevels | None = None,
    as_of: dt.datetime | None = None,
    zone: str = "Asia/Shanghai",
) -> Form:
    """
    Make the list of open cases with their next action: 投诉时限看板.

    Args:
        frame: One row a case: ``case_id``, ``store_id``, ``received_at`` and
            ``due_at`` (moments with a zone), ``state``; as far as they are known
            ``category``, ``channel``, ``next_clock``, ``action_en``, ``action_zh``,
            ``owner``, ``breaching_en``, ``breaching_zh``, and the minutes left, below
            zero when late: ``remaining_working_minutes`` of a target that counts
            working time, else ``remaining_wall_minutes``.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        policy: The service levels.
        as_of: The moment.
        zone: IANA zone in which moments are shown.

    Raises:
        MissingColumnsError: The frame lacks a column.
        ColumnTypeError: Moments without a zone.
    """
    check_given(frame, "service_board", _NEEDED)
    rows = with_stores(local_moments(frame, ["received_at", "due_at"], zone=zone),
                       stores)  # fmt: skip
    columns = (
        text_column("case_id", "Case", "投诉编号"),
        *store_columns(stores),
        text_column("category", "Category", "类别"),
        text_column("channel", "Channel", "渠道", words=CASE_CHANNELS),
        text_column("received_at", "Received", "受理时间"),
        text_column("state", "State", "状态", words=CLOCK_STATES),
        text_column("next_clock", "Next target", "最近时限", words=CLOCKS),
        *sentence_columns("action", "Next action", "下一步"),
        text_column("owner", "Owner", "负责人", words=_OWNERS),
        text_column("due_at", "Due", "截止时间"),
        count_column(
            "remaining_working_minutes", "Working minutes left", "剩余分钟（工作时间）"
        ),
        count_column(
            "remaining_wall_minutes",
            "Minutes left around the clock",
            "剩余分钟（自然时间）",
        ),
        *sentence_columns(
            "breaching", "Late before tomorrow's opening", "明日上班前将超时"
        ),
    )
    english, chinese = policy_line(policy or ServiceLevels(), as_of)
    return Form(
        name="service_board",
        title_en="Open cases and their next action",
        title_zh="投诉时限看板",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=_NO_MONEY,
        notes_en=(
            english,
            f"Times are those of {zone}.",
            (
                "Minutes left stand in the column of the time that the target counts, "
                "working time or around the clock; below zero is late."
            ),
        ),
        notes_zh=(
            chinese,
            f"时间按 {zone} 时区。",
            "剩余分钟按该时限的计时方式（工作时间或自然时间）分列；负数表示已超时。",
        ),
    )
