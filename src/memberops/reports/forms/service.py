"""Forms of the service: complaints, hard cases, the month of the service."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import pandas as pd

from memberops.domain import Currency
from memberops.policies import HardCasePolicy, ServiceLevels
from memberops.reports.form import Form, FormColumn
from memberops.reports.forms.columns import (
    answer_column,
    count_column,
    number_column,
    sentence_columns,
    share_column,
    text_column,
    why_undefined,
)
from memberops.reports.forms.places import (
    PLACE_COLUMNS,
    STORE_NAME,
    same_column,
    store_columns,
    with_place_names,
    with_stores,
)
from memberops.reports.forms.rows import (
    check_given,
    form_rows,
    local_moments,
    policy_line,
    with_profiles,
)
from memberops.reports.forms.words import CASE_CHANNELS, CLOCK_STATES, CLOCKS
from memberops.tables import COMPLAINTS, MEMBERS

__all__ = ["complaint_case_form", "hard_cases_form", "service_report_form"]

_USUAL = ("reply", "solution", "callback")
_MOMENTS = ("received_at", "replied_at", "solved_at", "escalated_at", "callback_at")
_CUSTOMER = ("customer_name", "customer_phone")
_SECTIONS = (
    ("state", "Cases by state", "投诉状态"),
    ("category", "Cases by category", "投诉类别"),
    ("root_cause", "Cases by root cause", "根本原因"),
    ("clock", "Kept in time", "时限达成"),
    ("visits", "Visits", "回访"),
    ("messages", "Messages", "短信"),
    ("satisfaction", "Satisfaction", "满意度"),
)
_ITEMS = (
    ("open", "open", "处理中"),
    ("solved", "solved", "已解决"),
    ("closed", "closed", "已结案"),
    ("coverage", "done of planned", "回访完成率"),
    ("on_time_share", "on time of done", "回访按时率"),
    ("answer_share", "answered of done", "回访答复率"),
    ("delivered_share", "delivered of sent", "短信送达率"),
    ("satisfaction_rate", "satisfied answers", "满意率"),
    ("", "unknown", "未填写"),
    *CLOCKS,
)


def _case(name: str) -> FormColumn:
    return same_column(COMPLAINTS, name)


def _clock_columns(frame: pd.DataFrame) -> list[FormColumn]:
    """Name the state of each clock that the frame has, the usual ones always."""
    named = {clock: (english, chinese) for clock, english, chinese in CLOCKS}
    clocks = [*_USUAL]
    for column in frame.columns:
        clock = str(column).removesuffix("_state")
        if str(column).endswith("_state") and clock not in clocks:
            clocks.append(clock)
    columns = []
    for clock in clocks:
        plain = clock.replace("_", " ")
        english, chinese = named.get(clock, (plain, plain))
        columns.append(
            text_column(
                f"{clock}_state",
                f"State of the {english}",
                f"{chinese}时限状态",
                words=CLOCK_STATES,
            )
        )
    return columns


def complaint_case_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    members: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: ServiceLevels | None = None,
    as_of: dt.datetime | None = None,
    zone: str = "Asia/Shanghai",
    currency: Currency | None = None,
) -> Form:
    """
    Make the form 顾客投诉意见处理表, a row a case (HQ §6.2).

    Args:
        frame: What ``ServiceLevels.decide_frame`` returned, with the columns of
            `memberops.tables.COMPLAINTS`, ``<event>_at``, ``satisfied`` and
            ``resolution`` (what was done, in the chain's own words); what it lacks
            is blank. Money is in minor units.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        members: ``member_id`` with ``name`` and ``phone``, to show them masked.
        reveal: Which personal columns are shown in full: ``"statement"``, and where
            they are given ``"customer_name"``, ``"customer_phone"``, ``"name"``,
            ``"phone"``.
        policy: The service levels.
        as_of: The moment at which the clocks were read.
        zone: IANA zone in which moments are shown.
        currency: What money is in, CNY by default.

    Raises:
        MissingColumnsError: The frame has no ``case_id`` or ``received_at``.
        ColumnTypeError: Moments without a zone.
        InvalidValueError: *reveal* names a column that is not personal.

    >>> cases = pd.DataFrame({"case_id": ["K1"], "statement": ["收银员李某态度差"],
    ...     "received_at": pd.to_datetime(["2026-11-05T01:00Z"])})
    >>> complaint_case_form(cases).frame[["received_at", "statement"]].values.tolist()
    [['2026-11-05 09:00', '*****']]
    """
    check_given(frame, "complaint_case", ["case_id", "received_at"])
    rows = _placed(local_moments(frame, _MOMENTS, zone=zone), stores)
    rows, profile = with_profiles(rows, members)
    asks = [_case(name) for name in _CUSTOMER if name in frame]
    waits = "next_clock" in frame
    columns = (
        _case("case_id"),
        same_column(COMPLAINTS, "channel", words=CASE_CHANNELS),
        _case("received_at"),
        same_column(MEMBERS, "member_id"),
        *profile,
        *asks,
        *store_columns(stores),
        _case("category"),
        _case("statement"),
        _case("asked"),
        _case("handler"),
        text_column("replied_at", "Replied at", "回复时间"),
        text_column("resolution", "Solution", "解决方案"),
        text_column("solved_at", "Solved at", "解决时间"),
        text_column("escalated_at", "Escalated at", "上报时间"),
        text_column("callback_at", "Called back at", "回访时间"),
        answer_column("satisfied", "Satisfied", "是否满意"),
        _case("root_cause"),
        _case("compensation"),
        *_clock_columns(frame),
        *(
            [text_column("next_clock", "Next to be done", "下一步", words=CLOCKS)]
            if waits
            else []
        ),
    )
    english, chinese = policy_line(policy or ServiceLevels(), as_of)
    return Form(
        name="complaint_case",
        title_en="Complaints and how they were handled",
        title_zh="顾客投诉意见处理表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=currency or Currency("CNY"),
        notes_en=(english, f"Times are those of {zone}."),
        notes_zh=(chinese, f"时间按 {zone} 时区。"),
        revealed=tuple(reveal),
    )


def _placed(frame: pd.DataFrame, stores: pd.DataFrame | None) -> pd.DataFrame:
    none = pd.Series([None] * len(frame), index=frame.index, dtype="str")
    absent: dict[str, Any] = {
        name: none for name in ("store_id", "member_id") if name not in frame
    }
    return with_stores(frame.assign(**absent), stores)


def hard_cases_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: HardCasePolicy | None = None,
    as_of: dt.datetime | None = None,
) -> Form:
    """
    Make the form 疑难投诉周报 (HQ §6.2).

    Args:
        frame: What `memberops.policies.hard_cases` returned.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        reveal: No column of it is personal.
        policy: What makes a case hard.
        as_of: The end of the week.

    Raises:
        MissingColumnsError: The frame lacks a column, or *stores* its id.
        InvalidValueError: *reveal* names a column.
    """
    needed = ("case_id", "store_id", "why_en", "why_zh", "age_hours", "owner",
              "usual_solution")  # fmt: skip
    check_given(frame, "hard_cases", needed)
    rows = with_stores(frame, stores)
    columns = (
        _case("case_id"),
        *store_columns(stores),
        _case("category"),
        *sentence_columns("why", "Why hard", "疑难原因"),
        count_column("age_hours", "Age in hours", "已历时（小时）"),
        text_column("owner", "Owner", "负责人"),
        text_column("usual_solution", "Common solution", "常用解决方案"),
    )
    english, chinese = policy_line(policy or HardCasePolicy(), as_of)
    return Form(
        name="hard_cases",
        title_en="Hard cases of the week",
        title_zh="疑难投诉周报",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=Currency("CNY"),
        notes_en=(
            english,
            "The common solution is the most frequent one of the category.",
        ),
        notes_zh=(chinese, "常用解决方案为同类投诉中最常采用的方案。"),
        revealed=tuple(reveal),
    )


def service_report_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: ServiceLevels | None = None,
    as_of: dt.date | dt.datetime | None = None,
) -> Form:
    """
    Make the form 客服月报 (HQ §6).

    Args:
        frame: What `memberops.metrics.service_report` returned.
        stores: ``store_id`` and ``name``, to name the stores.
        reveal: No column of it is personal.
        policy: The service levels.
        as_of: The day or moment as of which it was counted.

    Raises:
        MissingColumnsError: The frame lacks a figure, or *stores* its id.
        InvalidValueError: *reveal* names a column.
    """
    level, key, _ = PLACE_COLUMNS
    named = stores is not None and "name" in stores.columns
    columns = (
        text_column("section", "Section", "项目", words=_SECTIONS),
        level,
        key,
        *((STORE_NAME,) if named else ()),
        text_column("item", "Item", "明细", words=_ITEMS),
        count_column("numerator", "Number", "数量"),
        count_column("denominator", "Out of", "总数"),
        share_column("share", "Share", "占比"),
        number_column("mean_hours", "Mean hours", "平均用时（小时）"),
        number_column("p90_hours", "Hours of nine in ten", "九成不超过（小时）"),
        why_undefined(),
    )
    check_given(
        frame, "service_report", [each.name for each in columns if each != STORE_NAME]
    )
    rows = with_place_names(frame, stores)
    english, chinese = policy_line(policy or ServiceLevels(), as_of)
    shown = form_rows(rows, columns)
    # A case whose cause is not known is a row like any other, not a gap.
    shown["item"] = frame["item"].reset_index(drop=True)
    return Form(
        name="service_report",
        title_en="Month of the service",
        title_zh="客服月报",
        columns=columns,
        frame=shown,
        currency=Currency("CNY"),
        notes_en=(
            english,
            "Kept in time: met in time, of those met, met late and overdue.",
            "Hours are by the wall, from the receipt.",
        ),
        notes_zh=(
            chinese,
            "时限达成：按时完成数 ÷（按时完成、超时完成与已超时之和）。",
            "用时按自然时间自受理起算。",
        ),
        revealed=tuple(reveal),
    )
