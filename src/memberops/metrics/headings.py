"""Headings of the base figures, in English and Chinese."""

from __future__ import annotations

from memberops.errors import InvalidValueError, nearest
from memberops.metrics.policy import MetricPolicy

__all__ = ["base_heading"]

_HEADINGS = {
    "level": ("Level", "层级"),
    "key": ("Store, region or chain", "门店、区域或连锁"),
    "period": ("Period", "期间"),
    "sales": ("Sales", "销售额"),
    "tickets": ("Tickets", "客单数"),
    "items": ("Items", "件数"),
    "member_sales": ("Member sales", "会员销售额"),
    "member_tickets": ("Member tickets", "会员客单数"),
    "member_items": ("Member items", "会员件数"),
    "chain_member_sales": ("Member sales of the chain", "全部会员销售额"),
    "target": ("Sales target", "销售目标"),
    "valid_members": ("Valid members", "有效会员数"),
    "consuming_members": ("Consuming members", "消费会员数"),
    "lapsed_at_start": ("Lapsed at the start", "期初流失会员数"),
    "newly_lapsed": ("Newly lapsed", "新增流失"),
    "won_back": ("Won back", "挽回"),
    "left": ("Left (card expired)", "退出（卡已到期）"),
    "lapsed_at_end": ("Lapsed at the end", "期末流失会员数"),
    "net_lapse": ("Net lapse of the period", "本期流失数"),
    "rank": ("Rank", "名次"),
    "rank_previous": ("Rank before", "上期名次"),
    "rank_change": ("Change of rank", "名次变化"),
    "undefined": ("Undefined figures", "无法计算的指标"),
}
_SUFFIXES = {
    "_previous": (", previous period", "（上期）"),
    "_year_before": (", year before", "（去年同期）"),
    "": ("", ""),
}


def _spending(policy: MetricPolicy) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"spending {english}", f"消费 {chinese}")
        for english, chinese in policy.band_headings
    )


def base_heading(name: str, policy: MetricPolicy | None = None) -> tuple[str, str]:
    """
    Return the English and the Chinese heading of a base figure.

    Args:
        name: The figure's column.
        policy: Names the bands of ``members_…``.

    Raises:
        InvalidValueError: No base figure has that name.

    >>> base_heading("sales_year_before")
    ('Sales, year before', '销售额（去年同期）')
    >>> base_heading("members_100_300")
    ('Members spending CNY 100–300', '会员数 消费 100–300 元')
    >>> base_heading("members_20_30")
    ('Members aged 20–29', '会员数 20–29 岁')
    """
    policy = policy or MetricPolicy()
    known = dict(_HEADINGS)
    for names, headings in (
        (policy.band_names, _spending(policy)),
        (policy.gender_names, policy.gender_headings),
        (policy.age_names, policy.age_headings),
    ):
        for each, (english, chinese) in zip(names, headings, strict=True):
            known[f"members_{each}"] = (f"Members {english}", f"会员数 {chinese}")
    for suffix, (english, chinese) in _SUFFIXES.items():
        stem = name.removesuffix(suffix)
        if name.endswith(suffix) and stem in known:
            return known[stem][0] + english, known[stem][1] + chinese
    raise InvalidValueError(
        f"no base figure is called {name!r}; {nearest(name, known)}"
    )
