"""Which policies a chain has, by id and version, and what it decided for itself."""

from __future__ import annotations

from typing import Any

import attrs

from memberops.domain.values import Language, check_language

__all__ = ["PolicyInForce", "policies_in_force"]

_TITLES = {
    "fee_waiver": ("fee waiver", "免年费"),
    "term": ("term", "会期"),
    "renewal": ("renewal", "续期"),
    "card_state": ("card state", "会员卡状态"),
    "metrics": ("figures", "统计口径"),
    "status_rules": ("status rules", "会籍状态规则"),
    "fees": ("fees", "会费"),
    "claw_back": ("claw-back of waivers", "免年费追回"),
    "linked_cards": ("linked cards", "附属卡"),
    "tiers": ("tiers", "会员等级"),
    "premium": ("premium members", "优质会员"),
    "profile_audit": ("profile audit", "资料审核"),
    "phones": ("phone numbers", "手机号规则"),
    "welcome": ("welcome of new members", "新会员欢迎"),
    "working_calendar": ("working calendar", "工作日历"),
    "store_calendars": ("calendars of stores", "门店工作日历"),
    "office_calendar": ("office duties", "办公室日程"),
    "service_levels": ("complaints", "投诉时限"),
    "enquiry": ("enquiries", "咨询时限"),
    "email": ("emails", "邮件时限"),
    "store_wait": ("waiting in store", "门店等候时限"),
    "order": ("delivery of orders", "订单配送时限"),
    "hard_cases": ("hard cases", "疑难投诉"),
    "visits": ("visits", "会员回访"),
    "staffing": ("staff for visits", "回访人手"),
    "audit_sample": ("audit sample", "督察抽样"),
    "appointments": ("appointments", "预约"),
    "satisfaction": ("satisfaction", "满意度"),
    "gift_approval": ("approval of gifts", "礼品审批"),
    "gift_order": ("orders of gifts", "礼品采购"),
    "gift_flow": ("flow of gifts", "礼品流转"),
    "gift_match": ("match of gift books", "礼品三方核对"),
    "stocktake": ("stocktakes", "礼品盘点"),
    "messages": ("messages", "短信"),
    "outbox": ("sending of messages", "短信发送"),
    "message_effect": ("effect of messages", "短信效果"),
}
_SHARED = frozenset({"currency", "waiver", "term", "phones", "office"})
"""What a policy has from the chain: another policy or the file decides it."""
_FOLLOWING = {
    "messages": frozenset({"contact", "suppressions", "zone"}),
    "outbox": frozenset({"contact", "roles", "consent", "price", "length", "texts"}),
}
"""By section, what follows from other sections."""


@attrs.frozen(kw_only=True)
class PolicyInForce:
    """
    One policy of a chain.

    Args:
        section: Its name in `ChainPolicies` and in the chain file.
        title_en: What people call it, in English.
        title_zh: The same in Chinese.
        policy: Its id; empty for a policy that no decision names.
        version: Its version; empty likewise.
        absent: Whether the chain has none.
        changed: The settings that are not the default. Their values are not told:
            the names of staff may be among them.
    """

    section: str
    title_en: str
    title_zh: str
    policy: str = ""
    version: str = ""
    absent: bool = False
    changed: tuple[str, ...] = ()

    def text(self, language: Language = "en") -> str:
        """
        Write the policy as one line.

        >>> print(PolicyInForce(section="fee_waiver", title_en="fee waiver",
        ...     title_zh="免年费", policy="fee-waiver", version="2",
        ...     changed=("purchases", "version")).text("zh"))
        免年费：fee-waiver（版本 2），自定：purchases、version
        """
        chinese = check_language(language) == "zh"
        own = ("、" if chinese else ", ").join(self.changed)
        if chinese:
            named = f"{self.policy}（版本 {self.version}），" if self.policy else ""
            if self.absent:
                return f"{self.title_zh}：未设"
            return f"{self.title_zh}：{named}{f'自定：{own}' if own else '默认'}"
        named = f"{self.policy}, version {self.version}; " if self.policy else ""
        if self.absent:
            return f"{self.title_en}: none"
        return f"{self.title_en}: {named}{f'own: {own}' if own else 'default'}"


def policies_in_force(policies: Any, usual: Any) -> tuple[PolicyInForce, ...]:
    """
    List the policies of a chain in order, and how each differs from the default.

    Args:
        policies: A `ChainPolicies`.
        usual: The default, in the same currency and zone.
    """
    found = []
    for field in attrs.fields(type(policies)):
        own, default = (getattr(each, field.name) for each in (policies, usual))
        english, chinese = _TITLES[field.name]
        found.append(
            PolicyInForce(
                section=field.name,
                title_en=english,
                title_zh=chinese,
                policy=getattr(own, "policy", ""),
                version=getattr(own, "version", ""),
                absent=own is None or own == (),
                changed=tuple(
                    name
                    for name in _changed(own, default)
                    if name not in _FOLLOWING.get(field.name, ())
                ),
            )
        )
    return tuple(found)


def _changed(own: Any, usual: Any) -> tuple[str, ...]:
    if own == usual or not attrs.has(type(own)):
        return ()
    fields = [
        field
        for field in attrs.fields(type(own))
        if field.init and field.eq and field.alias not in _SHARED
    ]
    if type(own) is type(usual):
        return tuple(
            field.alias
            for field in fields
            if getattr(own, field.name) != getattr(usual, field.name)
        )
    kind = () if usual is None else ("kind",)
    own_settings = (field.alias for field in fields if not _is_default(own, field))
    return (*kind, *own_settings)


def _is_default(own: Any, field: Any) -> bool:
    """Tell whether a setting is the default of its class, there being no other."""
    default = field.default
    if default is attrs.NOTHING or isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return False
    if callable(field.converter):
        default = field.converter(default)
    return bool(getattr(own, field.name) == default)
