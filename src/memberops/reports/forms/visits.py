"""Forms of the visits: plan, record, audit sample, coverage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import pandas as pd

from memberops.domain import Currency
from memberops.policies import AuditPolicy, VisitPolicy
from memberops.reports.form import Form
from memberops.reports.forms.columns import (
    answer_column,
    count_column,
    day_column,
    sentence_columns,
    share_column,
    text_column,
    why_undefined,
)
from memberops.reports.forms.places import (
    ids,
    store_columns,
    with_stores,
)
from memberops.reports.forms.rows import (
    about_members,
    check_given,
    figures_line,
    form_rows,
    local_moments,
    policy_line,
    undefined_reasons,
)
from memberops.reports.forms.words import (
    MAKERS,
    OUTCOMES,
    SOURCES,
    VISIT_CHANNELS,
    VISIT_KINDS,
    VISIT_STATES,
    WIN_BACK_REASONS,
)

__all__ = [
    "audit_sample_form",
    "visit_coverage_form",
    "visit_plan_form",
    "visit_record_form",
]

_NO_MONEY = Currency("CNY")
_VISIT = text_column("visit_id", "Visit", "回访编号")
_KIND = text_column("kind", "Visit kind", "回访类型", words=VISIT_KINDS)
_CHANNEL = text_column("channel", "Channel", "回访方式", words=VISIT_CHANNELS)
_BY = text_column("by", "Made by", "回访方", words=MAKERS)
_STAFF = text_column("staff_id", "Staff", "回访人")
_WINDOW = (
    day_column("day", "Planned day", "计划回访日期"),
    day_column("last_on", "In time until", "最晚回访日期"),
    text_column("windows", "Hours (member's time)", "可联系时段（会员当地时间）"),
)
_DONE_ON = day_column("done_on", "Done on", "回访日期")
_DONE = (
    text_column("outcome", "Outcome", "回访结果", words=OUTCOMES),
    answer_column("answered", "Answered", "是否答复"),
    text_column("answer", "Answer", "回访内容", personal=True),
    text_column("reason_code", "Reason of lapse", "流失原因", words=WIN_BACK_REASONS),
    text_column("done_at", "Done at", "回访时间"),
)
_OUTCOME = ("outcome", "answered", "answer", "reason_code", "done_at", "done_on")


def visit_plan_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    members: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: VisitPolicy | None = None,
    as_of: dt.date | None = None,
) -> Form:
    """
    Make the form 会员回访计划 (HQ §6.3).

    Visits that found no day, or that are not to be made, are listed too, with the
    rule that stopped them.

    Args:
        frame: Rows of `memberops.policies.plan_visits`.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        members: ``member_id`` with ``name`` and ``phone``, to show them masked.
        reveal: Which of ``"name"`` and ``"phone"`` are shown in full.
        policy: The policy that it was planned with.
        as_of: The day of planning.

    Raises:
        MissingColumnsError: The frame lacks a column, or another frame its id.
        InvalidValueError: *reveal* names a column that is not personal.

    >>> from memberops.policies import plan_visits
    >>> from memberops.schedules import Period
    >>> facts = pd.DataFrame({"member_id": ["M1"], "trigger": ["purchase"],
    ...     "on": pd.to_datetime(["2026-10-08"])})
    >>> members = pd.DataFrame({"member_id": ["M1"], "store_id": ["S1"]})
    >>> plan = plan_visits(facts, members, period=Period.month(2026, 11),
    ...                    as_of=dt.date(2026, 10, 28))
    >>> visit_plan_form(plan.rows).title_zh
    '会员回访计划'
    """
    needed = ("visit_id", "kind", "store_id", "member_id", "channel", "day", "by")
    check_given(frame, "visit_plan", needed)
    rows, about = about_members(frame, stores, members)
    columns = (
        _VISIT,
        _KIND,
        *about,
        _CHANNEL,
        *_WINDOW,
        _BY,
        _STAFF,
        text_column("state", "State", "计划状态", words=VISIT_STATES),
        *sentence_columns("reason", "Reason", "原因"),
    )
    english, chinese = policy_line(policy or VisitPolicy(), as_of)
    return Form(
        name="visit_plan",
        title_en="Plan of visits",
        title_zh="会员回访计划",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=_NO_MONEY,
        notes_en=(english, "A visit that was moved is made on the planned day."),
        notes_zh=(chinese, "已顺延的回访在计划日期进行。"),
        revealed=tuple(reveal),
    )


def visit_record_form(
    frame: pd.DataFrame,
    *,
    records: pd.DataFrame | None = None,
    stores: pd.DataFrame | None = None,
    members: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: VisitPolicy | None = None,
    as_of: dt.date | None = None,
    zone: str = "Asia/Shanghai",
) -> Form:
    """
    Make the form 会员回访记录表 (HQ §6.3).

    What was not recorded yet is blank, to be filled in by who makes the visit. Several
    records of one visit have a row each; a record that no plan knows has one, too.

    Args:
        frame: The table of visits, or rows of `memberops.policies.plan_visits`: of
            these only the visits that have a day.
        records: ``visit_id`` with ``outcome``, ``answered``, ``answer``,
            ``reason_code``, ``done_at`` (moments) or ``done_on`` (days), where the
            frame has none of its own.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        members: ``member_id`` with ``name`` and ``phone``, to show them masked.
        reveal: Which of ``"answer"``, ``"name"`` and ``"phone"`` are shown in full:
            what a member said is personal.
        policy: The policy that the visits were planned with.
        as_of: The day up to which visits were recorded.
        zone: IANA zone in which moments are shown.

    Raises:
        MissingColumnsError: The frame lacks a column, or another frame its id.
        ColumnTypeError: Moments without a zone.
        InvalidValueError: *reveal* names a column that is not personal.

    >>> visits = pd.DataFrame({"visit_id": ["V1"], "kind": ["care"],
    ...     "store_id": ["S1"], "member_id": ["M1"], "channel": ["phone"],
    ...     "by": ["hq"], "outcome": ["done"], "answer": ["太远了"]})
    >>> visit_record_form(visits).frame["answer"].item()
    '*****'
    """
    needed = ("visit_id", "kind", "store_id", "member_id", "channel", "by")
    check_given(frame, "visit_record", needed)
    rows = frame
    if "state" in rows and "day" in rows:
        rows = rows[rows["state"].isin(["planned", "moved"]) | rows["day"].notna()]
    if records is not None:
        check_given(records, "records", ["visit_id"])
        given = [name for name in _OUTCOME if name in records]
        told = records[["visit_id", *given]].assign(visit_id=ids(records["visit_id"]))
        rows = rows.drop(columns=[name for name in _OUTCOME if name in rows])
        rows = rows.assign(visit_id=ids(rows["visit_id"]))
        rows = rows.merge(told, on="visit_id", how="outer", sort=False)
    rows = local_moments(rows, ["done_at"], zone=zone)
    rows, about = about_members(rows, stores, members)
    columns = (
        _VISIT,
        _KIND,
        *about,
        _CHANNEL,
        *_WINDOW,
        _BY,
        _STAFF,
        *sentence_columns("reason", "Reason", "原因"),
        *_DONE,
        _DONE_ON,
    )
    english, chinese = policy_line(policy or VisitPolicy(), as_of)
    return Form(
        name="visit_record",
        title_en="Record of visits",
        title_zh="会员回访记录表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=_NO_MONEY,
        notes_en=(english, f"Times are those of {zone}."),
        notes_zh=(chinese, f"时间按 {zone} 时区。"),
        revealed=tuple(reveal),
    )


def audit_sample_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    members: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: AuditPolicy | None = None,
    as_of: dt.date | None = None,
    seed: str | None = None,
) -> Form:
    """
    Make the form 督察回访抽样 (HQ §6.3.3); its result is filled in by the audit.

    Args:
        frame: Rows of `memberops.policies.audit_sample`; a column ``result`` is kept.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        members: ``member_id`` with ``name`` and ``phone``, to show them masked.
        reveal: Which of ``"name"`` and ``"phone"`` are shown in full.
        policy: The shares and limits of the draw.
        as_of: The last day that was audited.
        seed: The seed of the draw, so that anyone can draw it again.

    Raises:
        MissingColumnsError: The frame lacks a column, or another frame its id.
        InvalidValueError: *reveal* names a column that is not personal.

    >>> drawn = pd.DataFrame({"store_id": ["S1"], "member_id": ["M1"],
    ...     "source": ["visit"], "source_id": ["V1"], "cause": ["drawn"],
    ...     "why_en": ["drawn"], "why_zh": ["抽样"]})
    >>> audit_sample_form(drawn).notes_zh[0]
    '抽查比例：回访 1/10，赠品 1/10。'
    """
    policy = policy or AuditPolicy()
    needed = ("store_id", "member_id", "source", "why_en", "why_zh")
    check_given(frame, "audit_sample", needed)
    rows, about = about_members(frame, stores, members)
    columns = (
        *about,
        text_column("source", "Source", "来源", words=SOURCES),
        text_column("source_id", "Visit, gift or day", "回访、赠品单号或日期"),
        *sentence_columns("why", "Why drawn", "抽中原因"),
        text_column("result", "Result", "督察结果"),
    )
    english, chinese = figures_line(
        f"Shares drawn: visits {policy.visit_share}, gifts {policy.gift_share}",
        f"抽查比例：回访 {policy.visit_share}，赠品 {policy.gift_share}",
        as_of,
    )
    drawn_en = () if seed is None else (f"Seed of the draw: {seed}.",)
    drawn_zh = () if seed is None else (f"抽样种子：{seed}。",)
    return Form(
        name="audit_sample",
        title_en="Audit sample of visits",
        title_zh="督察回访抽样",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=_NO_MONEY,
        notes_en=(english, *drawn_en, "The result is filled in by the audit."),
        notes_zh=(chinese, *drawn_zh, "督察结果由督察人员填写。"),
        revealed=tuple(reveal),
    )


def visit_coverage_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: VisitPolicy | None = None,
    as_of: dt.date | None = None,
) -> Form:
    """
    Make the form 回访考核表 (HQ §6.3).

    Args:
        frame: Rows of `memberops.policies.visit_coverage`.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        reveal: No column of it is personal.
        policy: The policy that the visits were planned with.
        as_of: The day up to which visits were planned and recorded.

    Raises:
        MissingColumnsError: The frame lacks a figure, or *stores* its id.
        InvalidValueError: *reveal* names a column.
    """
    columns = (
        *store_columns(stores),
        count_column("planned", "Planned", "计划回访数"),
        count_column("done", "Done", "完成数"),
        count_column("on_time", "On time", "按时完成数"),
        count_column("answered", "Answered", "有答复数"),
        share_column("coverage", "Coverage", "回访完成率"),
        share_column("on_time_share", "On-time share", "按时率"),
        share_column("answer_share", "Answer share", "答复率"),
        why_undefined(),
    )
    figures = [column.name for column in columns if column.style != "text"]
    check_given(frame, "visit_coverage", ["store_id", *figures])
    rows = with_stores(frame, stores)
    rows = rows.assign(undefined=undefined_reasons(rows["undefined"]))
    english, chinese = policy_line(policy or VisitPolicy(), as_of)
    return Form(
        name="visit_coverage",
        title_en="Coverage of visits",
        title_zh="回访考核表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=_NO_MONEY,
        notes_en=(
            english,
            (
                "Coverage = done / planned; on-time share = on time / done; "
                "answer share = answered / done."
            ),
        ),
        notes_zh=(
            chinese,
            (
                "回访完成率 = 完成数 ÷ 计划回访数；按时率 = 按时完成数 ÷ 完成数；"
                "答复率 = 有答复数 ÷ 完成数。"
            ),
        ),
        revealed=tuple(reveal),
    )
