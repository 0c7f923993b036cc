"""The forms of messages: what two people approve, and what became of it (HQ §6.1)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pandas as pd

from memberops.domain import Currency
from memberops.metrics import EffectPolicy
from memberops.policies import MessagePolicy
from memberops.reports.form import Form, FormColumn
from memberops.reports.forms.columns import (
    amount_column,
    answer_column,
    count_column,
    sentence_columns,
    share_column,
    text_column,
    why_undefined,
)
from memberops.reports.forms.places import same_column
from memberops.reports.forms.rows import (
    check_given,
    form_rows,
    local_moments,
    policy_line,
)
from memberops.tables import MEMBERS

__all__ = [
    "message_batch_form",
    "message_effect_form",
    "message_left_out_form",
    "message_list_form",
]

_KINDS = (("marketing", "marketing", "推广"), ("notice", "notice", "通知"))
_APPROVALS = (
    ("approved", "approved", "已批准"),
    ("waiting", "waiting", "待审批"),
    ("refused", "refused", "未批准"),
    ("void", "void", "作废"),
    ("canceled", "canceled", "已取消"),
    ("not_written", "not written", "未写入"),
)
_STATES = (
    ("queued", "queued", "待发送"),
    ("claimed", "being sent", "发送中"),
    ("accepted", "accepted", "已提交"),
    ("unknown", "unknown", "待查证"),
    ("delivered", "delivered", "已送达"),
    ("undelivered", "undelivered", "未送达"),
    ("rejected", "rejected", "被拒绝"),
    ("expired", "expired", "已过期"),
    ("canceled", "canceled", "已取消"),
)
_GROUPS = (
    ("written_to", "written to", "发送组"),
    ("held_out", "held out", "对照组"),
    ("reached", "reached", "已送达"),
    ("not_reached", "not reached", "未送达"),
)
_COMPARED = (
    ("written_to-held_out", "written to minus held out", "发送组减对照组"),
    ("reached-held_out", "reached minus held out (biased)", "已送达减对照组（有偏）"),
    (
        "reached-not_reached",
        "reached minus not reached (biased)",
        "已送达减未送达（有偏）",
    ),
)


def message_batch_form(
    frame: pd.DataFrame,
    *,
    zone: ZoneInfo,
    currency: Currency,
    policy: MessagePolicy | None = None,
) -> Form:
    """
    Make the form 短信发送审批单: what is approved, by whom, and how it stands.

    Args:
        frame: One row a batch: ``batch_id``, ``template_id``, ``kind``, ``text`` (with
            a made-up member), ``characters``, ``segments``, ``size``, ``held_out``,
            ``opens_at``, ``closes_at``, ``cost_cap``, ``cost`` (minor units),
            ``author``, ``created_at``, ``fingerprint``, ``approval``,
            ``approvals_en``, ``approvals_zh``, ``enqueued``, and the count of each
            `memberops.domain.message.MessageState`, which sum up to ``enqueued``.
        zone: The zone of its times.
        currency: What costs are in.
        policy: The rules for messages.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, "message_batch", ("batch_id", "text", "size", "approval"))
    rows = local_moments(frame, ["opens_at", "closes_at", "created_at"], zone=zone.key)
    columns = (
        text_column("batch_id", "Batch", "批次号"),
        text_column("template_id", "Template", "模板"),
        text_column("kind", "Kind", "类型", words=_KINDS),
        text_column("text", "Text", "短信内容"),
        count_column("characters", "Characters", "字数"),
        count_column("segments", "Parts", "计费条数"),
        count_column("size", "Audience", "发送人数"),
        count_column("held_out", "Held out", "对照组人数"),
        text_column("opens_at", "Not before", "最早发送"),
        text_column("closes_at", "Before", "截止发送"),
        amount_column("cost_cap", "Cost cap", "费用上限"),
        amount_column("cost", "Cost", "已计费用"),
        text_column("author", "Made by", "编制人"),
        text_column("created_at", "Made at", "编制时间"),
        text_column("fingerprint", "Fingerprint", "指纹"),
        text_column("approval", "Approval", "审批状态", words=_APPROVALS),
        *sentence_columns("approvals", "Approvals", "审批记录"),
        count_column("enqueued", "Enqueued", "入队"),
        *(count_column(*state) for state in _STATES),
    )
    rules = policy or MessagePolicy()
    english, chinese = policy_line(rules, None)
    most = rules.max_characters
    return Form(
        name="message_batch",
        title_en="Approval of messages",
        title_zh="短信发送审批单",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=currency,
        notes_en=(
            english,
            f"A made-up member's text; at most {most} characters with the signature.",
            "An approval names the fingerprint: any change gives another.",
            "Enqueued is the sum of the states.",
            f"Times are those of {zone.key}.",
        ),
        notes_zh=(
            chinese,
            f"短信内容以示例会员填写；含签名最多 {most} 字。",
            "审批须注明指纹，任何改动都会使指纹变化。",
            "入队数等于各状态之和。",
            f"时间按 {zone.key} 时区。",
        ),
    )


def message_left_out_form(frame: pd.DataFrame) -> Form:
    """
    Make the list 不发送名单: who gets nothing, and by which rule.

    Args:
        frame: ``member_id``, ``reason_en`` and ``reason_zh``, as
            `memberops.policies.plan_messages` gives them.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, "message_left_out", ("member_id", "reason_en", "reason_zh"))
    columns = (
        same_column(MEMBERS, "member_id"),
        *sentence_columns("reason", "Why", "原因"),
    )
    return Form(
        name="message_left_out",
        title_en="Left out",
        title_zh="不发送名单",
        columns=columns,
        frame=form_rows(frame, columns),
        currency=Currency("CNY"),
    )


def message_list_form(
    frame: pd.DataFrame, *, zone: ZoneInfo, reveal: tuple[str, ...] = ()
) -> Form:
    """
    Make the list 短信明细: how each message stands.

    Args:
        frame: What an outbox's ``messages(reveal=("phone",))`` returned.
        zone: The zone of its times.
        reveal: ``"phone"`` to show phones in full.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, "message_list", ("message_id", "member_id", "phone", "state"))
    rows = local_moments(frame, ["claimed_at"], zone=zone.key)
    columns = (
        text_column("message_id", "Message", "短信编号"),
        text_column("batch_id", "Batch", "批次号"),
        same_column(MEMBERS, "member_id"),
        same_column(MEMBERS, "phone"),
        text_column("state", "State", "状态", words=_STATES),
        text_column("cause", "Cause", "原因"),
        count_column("attempts", "Attempts", "请求次数"),
        text_column("claimed_at", "Sent at", "发送时间"),
        text_column("provider", "Provider", "通道"),
        text_column("provider_message_id", "Provider's id", "通道编号"),
    )
    return Form(
        name="message_list",
        title_en="Messages",
        title_zh="短信明细",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=Currency("CNY"),
        notes_en=(f"Times are those of {zone.key}.",),
        notes_zh=(f"时间按 {zone.key} 时区。",),
        revealed=tuple(name for name in reveal if name == "phone"),
    )


def message_effect_form(
    frame: pd.DataFrame, *, currency: Currency, policy: EffectPolicy | None = None
) -> Form:
    """
    Make the form 短信效果分析表: what those written to bought beside the held out.

    Args:
        frame: One row a batch and group: ``batch_id``, ``group``, ``messages``,
            ``waiting``, ``delivered_share``, ``cost``, ``members``, ``buyers``,
            ``buying_share``, ``sales``, ``sales_per_member`` (minor units),
            ``compared`` (the groups of the difference, such as
            ``written_to-held_out``), ``difference``, ``low``, ``high``, ``complete``
            and ``undefined``; see
            `memberops.metrics.message_effect`.
        currency: What sales and costs are in.
        policy: For how many days purchases count.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, "message_effect", ("batch_id", "group", "members", "buyers"))
    columns: tuple[FormColumn, ...] = (
        text_column("batch_id", "Batch", "批次号"),
        text_column("group", "Group", "组别", words=_GROUPS),
        count_column("messages", "Messages", "短信数"),
        count_column("waiting", "Still waiting", "待发送"),
        share_column("delivered_share", "Delivered share", "送达率"),
        amount_column("cost", "Cost", "费用"),
        count_column("members", "Members", "会员数"),
        count_column("buyers", "Members who bought", "消费会员数"),
        share_column("buying_share", "Share that bought", "消费会员占比"),
        amount_column("sales", "Sales", "消费额"),
        amount_column("sales_per_member", "Sales per member", "人均消费额"),
        text_column("compared", "Compared", "比较", words=_COMPARED),
        share_column("difference", "Difference of the shares", "占比之差"),
        share_column("low", "At least", "差值下限"),
        share_column("high", "At most", "差值上限"),
        answer_column("complete", "All days counted", "窗口期已满"),
        why_undefined(),
    )
    days = (policy or EffectPolicy()).days
    return Form(
        name="message_effect",
        title_en="Effect of messages",
        title_zh="短信效果分析表",
        columns=columns,
        frame=form_rows(frame, columns),
        currency=currency,
        notes_en=(
            (
                f"Purchases within {days} days: of those written to and held out from"
                " the batch's day, of the others from their message's."
            ),
            (
                "Only written to minus held out tells what the batch did: chance parted"
                " them, whatever became of the messages."
            ),
            (
                "Reached minus held out is biased upward: the held out have numbers"
                " that no longer answer, too."
            ),
            (
                "Written to are all messages; those of which nobody knows whether they"
                " arrived, and those that still wait, are neither reached nor not"
                " reached."
            ),
        ),
        notes_zh=(
            f"统计 {days} 天内的消费：发送组与对照组自批次当日起，其余自短信当日起。",
            "只有“发送组减对照组”能说明短信效果：两组随机划分，不论短信是否送达。",
            "“已送达减对照组”偏高：已送达组不含失效号码的会员，而对照组含有。",
            "发送组包括全部短信；尚不知是否送达的和待发送的，不计入已送达或未送达。",
        ),
    )
