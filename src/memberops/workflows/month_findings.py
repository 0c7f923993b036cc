"""Findings about the month end itself: what is assumed, absent, or not loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from memberops.adapters import AdapterRegistry
from memberops.domain import Finding, Severity
from memberops.tables import table as table_named
from memberops.workflows.chain_tables import ChainTables

if TYPE_CHECKING:
    from memberops.workflows.month_forms import FormStep

__all__ = ["absent_forms", "assumed_findings", "plugin_findings"]


def plugin_findings(registry: AdapterRegistry | None) -> Iterator[Finding]:
    """Say which plugins failed: a table may lack a source because of one."""
    for failure in registry.failures if registry is not None else ():
        yield Finding(
            table="plugins",
            rule="plugin-failed",
            source=failure.plugin,
            severity=Severity.WARNING,
            message_en=failure.describe("en"),
            message_zh=failure.describe("zh"),
        )


def assumed_findings(tables: ChainTables) -> Iterator[Finding]:
    """Say what is assumed where a table has no source."""
    if "members" not in tables and "cards" not in tables:
        yield _info(
            "members",
            "members-from-sales",
            "there is no source of members or cards: whoever ever bought counts as a "
            "valid member from the first purchase on, at its store",
            "没有会员档案和会员卡数据：凡有过消费的会员自首次消费起按有效会员计，"
            "归首次消费门店",
        )
    elif "cards" not in tables:
        yield _info(
            "cards",
            "validity-from-enrolment",
            "there is no source of cards: a membership begins with the enrolment and "
            "does not end",
            "没有会员卡数据：会员自入会起一直有效",
        )
    elif "members" not in tables:
        yield _info(
            "members",
            "members-from-cards",
            "there is no source of members: whoever holds a card is one, of no store",
            "没有会员档案：持卡人即为会员，不归属任何门店",
        )
    if "stores" not in tables:
        yield _info(
            "stores",
            "regions-unknown",
            "there is no source of stores: figures are by store and chain, not by "
            "region",
            "没有门店档案：只按门店和全连锁统计，不分区域",
        )
    if "targets" not in tables:
        yield _info(
            "targets",
            "targets-unknown",
            "there is no source of targets: the attainment of sales targets is unknown",
            "没有销售目标：销售目标达成率无法计算",
        )


def _info(table: str, rule: str, english: str, chinese: str) -> Finding:
    return Finding(
        table=table,
        rule=rule,
        severity=Severity.INFO,
        message_en=english,
        message_zh=chinese,
    )


def absent_forms(steps: Iterable[FormStep], tables: ChainTables) -> Iterator[Finding]:
    """Say which forms are absent for want of each source, a finding a source."""
    lacking: dict[str, list[FormStep]] = {}
    for step in steps:
        for name in step.needs:
            if name not in tables:
                lacking.setdefault(name, []).append(step)
    for name, without in lacking.items():
        one = len(without) == 1
        english = ", ".join(repr(step.name) for step in without)
        chinese = "".join(f"“{step.title_zh}”" for step in without)
        yield _info(
            name,
            "form-absent",
            f"{'the form' if one else 'the forms'} {english} "
            f"{'needs' if one else 'need'} a source of {name}: "
            f"add [sources.{name}]",
            f"缺少{chinese}：需要{table_named(name).title_zh}数据，"
            f"请在 chain.toml 中添加 [sources.{name}]",
        )
