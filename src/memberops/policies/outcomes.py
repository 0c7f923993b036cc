"""What the outcomes of decisions are called in Chinese, and which go together."""

from __future__ import annotations

from memberops.domain import Decision
from memberops.policies.fee_waiver import WaiverDecision

__all__ = ["outcome_names"]

_WAIVER = {"waived": "免年费", "open": "尚未达标", "fee_due": "应缴年费"}
_OTHERS = (
    {
        "pending": "未生效",
        "active": "有效",
        "expiring": "即将到期",
        "waived": "免年费",
        "fee_due": "应缴年费",
        "in_grace": "宽限期内",
        "expired": "已失效",
    },
    {"charged": "收费", "free": "免费"},
    {"continued": "续期", "restarted": "重新起算", "kept": "保持不变"},
    {"followed": "随主卡", "same": "不变", "ended": "主卡已到期"},
    {"stands": "维持原决定", "clawed_back": "追回", "granted": "补免"},
    {"premium": "优质会员", "not_premium": "非优质会员"},
    {"complete": "资料齐全", "incomplete": "资料不全"},
    {
        "not_filed": "未建档",
        "due": "待联系",
        "contacted": "已联系",
        "contacted_late": "逾期联系",
        "overdue": "逾期未联系",
    },
)


def outcome_names(decision: Decision) -> dict[str, str]:
    """
    Return the outcomes that a decision could have had, each with its Chinese name.

    Returns:
        Empty where the words are the chain's own: levels, statuses by rules.

    >>> import datetime as dt
    >>> from memberops.domain import Statement
    >>> outcome_names(Decision(outcome="premium", grounds=Statement(reasons=[]),
    ...     as_of=dt.date(2026, 11, 5), policy="premium", version="1"))
    {'premium': '优质会员', 'not_premium': '非优质会员'}
    """
    if isinstance(decision, WaiverDecision):
        return dict(_WAIVER)
    for names in _OTHERS:
        if decision.outcome in names:
            return dict(names)
    return {}
