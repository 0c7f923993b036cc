"""Forms of the members' levels, and of the premium members."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import pandas as pd

from memberops.policies import PremiumPolicy, TierPolicy, tier_outlook
from memberops.reports.form import Form
from memberops.reports.forms.columns import (
    amount_column,
    count_column,
    day_column,
    sentence_columns,
    text_column,
)
from memberops.reports.forms.rows import (
    about_members,
    check_given,
    form_rows,
    policy_line,
)

__all__ = ["premium_members_form", "tier_terms", "tiers_form"]

_CHANGES = (
    ("new", "new", "新定级"),
    ("up", "up", "升级"),
    ("kept", "kept", "保持"),
    ("down", "down", "降级"),
    ("manual", "set by hand", "人工设定"),
    ("unknown_level", "level not known", "原等级无法识别"),
)
_TIER = ("tier", "Level", "会员等级")


def tier_terms(policy: TierPolicy | None) -> tuple[tuple[str, str, str], ...]:
    """Return what the levels of a policy are called, in English and Chinese."""
    levels = () if policy is None else policy.levels
    return tuple((tier.name, tier.label("en"), tier.label("zh")) for tier in levels)


def tiers_form(
    frame: pd.DataFrame,
    *,
    policy: TierPolicy,
    as_of: dt.date,
    stores: pd.DataFrame | None = None,
    members: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
) -> Form:
    """
    Make the form 会员等级表: each member's level, and what keeps or raises it.

    Args:
        frame: What `TierPolicy.decide_frame` returned for a pandas frame with
            ``member_id``; ``store_id`` where it is known.
        policy: The levels.
        as_of: The day on which it was decided.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        members: ``member_id`` with ``name`` and ``phone``, to show them masked, and
            ``store_id`` for rows that have none.
        reveal: Which of ``"name"`` and ``"phone"`` are shown in full.

    Raises:
        MissingColumnsError: The frame lacks a column, or another frame its id.
        InvalidValueError: *reveal* names a column that is not personal.
    """
    check_given(frame, "tiers", ["member_id", "tier", "change", "tier_held"])
    ahead = tier_outlook(policy, frame, as_of=as_of)
    rows, about = about_members(ahead, stores, members)
    columns = (
        *about,
        text_column(*_TIER, words=tier_terms(policy)),
        text_column("change", "Change", "等级变化", words=_CHANGES),
        text_column(
            "tier_held", "Level by the rules", "按规则等级", words=tier_terms(policy)
        ),
        text_column("next_tier", "Next level", "下一等级", words=tier_terms(policy)),
        *sentence_columns("reach", "Needed for the next level", "升级还需"),
        *sentence_columns("keep", "Needed to keep the level", "保级还需"),
        day_column("review_on", "Next review", "下次复核日"),
        day_column("changes_on", "May change on", "可能变化日期"),
    )
    english, chinese = policy_line(policy, as_of)
    return Form(
        name="tiers",
        title_en="Levels of members",
        title_zh="会员等级表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=policy.currency,
        notes_en=(
            english,
            "What keeps a level is known where its window ends with the review.",
        ),
        notes_zh=(chinese, "统计窗口与复核日一致时，才能列出保级所需条件。"),
        revealed=tuple(reveal),
    )


def premium_members_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    members: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: PremiumPolicy | None = None,
    tiers: TierPolicy | None = None,
    as_of: dt.date | None = None,
) -> Form:
    """
    Make the form 优质会员消费情况汇总表 (HQ §6.3.3.4).

    Args:
        frame: What `PremiumPolicy.select` returned.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        members: ``member_id`` with ``name`` and ``phone``, to show them masked.
        reveal: Which of ``"name"`` and ``"phone"`` are shown in full.
        policy: The policy that chose them.
        tiers: The levels, to call them by their names.
        as_of: The day on which they were chosen.

    Raises:
        MissingColumnsError: The frame lacks a column, or another frame its id.
        InvalidValueError: *reveal* names a column that is not personal.
    """
    policy = policy or PremiumPolicy()
    needed = ("store_id", "member_id", "spend", "purchases", "last_purchase_on",
              "referrals")  # fmt: skip
    check_given(frame, "premium_members", needed)
    rows, about = about_members(frame, stores, members)
    columns = (
        *about,
        text_column(*_TIER, words=tier_terms(tiers)),
        amount_column("spend", "Spend", "消费金额"),
        count_column("purchases", "Purchases", "消费次数"),
        day_column("last_purchase_on", "Last purchase", "最近消费日期"),
        count_column("referrals", "Members brought in", "推荐人数"),
        day_column("next_visit_on", "Next visit", "下次回访日期"),
        count_column("points", "Points", "得分"),
        count_column("rank", "Rank in the store", "店内排名"),
    )
    english, chinese = policy_line(policy, as_of)
    return Form(
        name="premium_members",
        title_en="Premium members",
        title_zh="优质会员消费情况汇总表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=policy.currency,
        notes_en=(
            english,
            (
                f"Premium from {policy.least_points} points; "
                f"lists are due by day {policy.due_day} of the month."
            ),
        ),
        notes_zh=(
            chinese,
            (
                f"得分达到 {policy.least_points} 分为优质会员；"
                f"每月 {policy.due_day} 日前上报。"
            ),
        ),
        revealed=tuple(reveal),
    )
