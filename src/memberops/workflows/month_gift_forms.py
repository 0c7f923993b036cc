"""The forms of a month about gifts, where the chain has a ledger (HQ §7, §8)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pandas as pd

from memberops.domain import Finding, Gift, Posting, Severity
from memberops.errors import MemberOpsError
from memberops.ledger import count_frame
from memberops.ledger.flow_state import application_states
from memberops.ledger.flow_stock import gift_stock, issue_register, order_facts
from memberops.policies import read_gifts
from memberops.reports import Form
from memberops.reports.forms.counts import count_sheet_form
from memberops.reports.forms.gifts import (
    gift_application_form,
    gift_issues_form,
    gift_stock_form,
    order_proposal_form,
)
from memberops.workflows.count_calls import called
from memberops.workflows.count_papers import read_papers
from memberops.workflows.count_questions import count_summaries
from memberops.workflows.gift_moments import end_of_day
from memberops.workflows.month_forms import FormStep, MonthWork

__all__ = ["GIFT_STEPS", "has_ledger"]

_FINISHED = ["received", "refused"]


def has_ledger(work: MonthWork) -> bool:
    """
    Read the chain's ledger for the forms of the month; say whether there is one.

    A ledger that was never begun, or cannot be opened, is told in a finding: the
    other forms of the month go on.
    """
    settings = work.chain.ledger_settings
    if settings is None:
        return False
    if settings.path is not None and not Path(settings.path).exists():
        work.note(
            [
                _finding(
                    "ledger-empty",
                    Severity.INFO,
                    "the gift ledger has not been begun: nothing was posted yet",
                    "礼品台账尚未启用：还没有任何入账",
                )
            ]
        )
        return False
    try:
        with work.chain.ledger(tables=work.tables) as ledger:
            work.kept["gift_movements"] = ledger.movements()
            work.kept["gift_issues"] = issue_register(
                each.record
                for each in ledger.entries()
                if isinstance(each.record, Posting)
            )
    except MemberOpsError as error:
        work.note(
            [
                _finding(
                    "ledger-unavailable",
                    Severity.ERROR,
                    f"the gift ledger cannot be read: {error}",
                    f"礼品台账无法读取（{type(error).__name__}），未生成礼品报表",
                )
            ]
        )
        return False
    return True


def _finding(rule: str, severity: Severity, english: str, chinese: str) -> Finding:
    return Finding(
        table="ledger",
        rule=rule,
        severity=severity,
        message_en=english,
        message_zh=chinese,
    )


def _names(work: MonthWork) -> dict[str, str]:
    if "gifts" not in work.tables:
        return {}
    gifts, found = read_gifts(work.tables["gifts"], currency=work.chain.currency)
    work.note(found)
    return {each.gift_id: each.name for each in gifts}


def _applications(work: MonthWork) -> Form:
    """List what was asked in the month, and what is still open at its end."""
    moment = end_of_day(work.month.through, work.chain.zone)
    states = application_states(
        work.tables["gift_applications"],
        work.kept["gift_movements"],
        as_of=moment,
        rules=work.chain.policies.gift_flow,
    )
    begin = pd.Timestamp(work.month.start, tz=work.chain.zone)
    shown = (states["applied_at"] >= begin) | ~states["state"].isin(_FINISHED)
    return gift_application_form(
        states[shown.to_numpy(bool)],
        stores=work.stores,
        zone=work.chain.zone,
        names=_names(work),
    )


def _issues(work: MonthWork) -> Form:
    rows = work.kept["gift_issues"]
    days = rows["issued_at"].dt.tz_convert(work.chain.zone).dt.tz_localize(None)
    inside = (days >= pd.Timestamp(work.month.start)) & (
        days < pd.Timestamp(work.month.end)
    )
    return gift_issues_form(
        rows[inside.to_numpy(bool)],
        stores=work.stores,
        zone=work.chain.zone,
        names=_names(work),
    )


def _stock(work: MonthWork, kind: Literal["store", "warehouse"]) -> Form:
    gifts: tuple[Gift, ...] = ()
    if "gifts" in work.tables:
        gifts, _ = read_gifts(work.tables["gifts"], currency=work.chain.currency)
    rows = gift_stock(
        work.kept["gift_movements"],
        period=work.month,
        zone=work.chain.zone,
        kind=kind,
        gifts=gifts,
    )
    return gift_stock_form(
        rows,
        kind=kind,
        period=work.month,
        currency=work.chain.currency,
        names=_names(work),
    )


def _store_stock(work: MonthWork) -> Form:
    return _stock(work, "store")


def _warehouse_stock(work: MonthWork) -> Form:
    return _stock(work, "warehouse")


def _order(work: MonthWork) -> Form:
    policy, day = work.policies.gift_order, work.month.through
    facts, lots = order_facts(
        work.kept["gift_movements"],
        period=policy.period(day),
        as_of=end_of_day(day, work.chain.zone),
        zone=work.chain.zone,
    )
    if "gifts" in work.tables:
        bounds = ["gift_id", "minimum", "maximum", "lot_size"]
        known = work.tables["gifts"]
        given = known[[name for name in bounds if name in known]]
        facts = given.merge(facts, on="gift_id", how="outer")
        counts = facts[["used", "on_the_way"]].fillna(0).astype("int64")
        facts[["used", "on_the_way"]] = counts
    rows = policy.propose_frame(facts, lots, as_of=day)
    return order_proposal_form(rows, policy=policy, names=_names(work))


def _last_stocktake(work: MonthWork, kind: str) -> str | None:
    """
    Name the last stocktake of the month that counts such places.

    One that cannot be held is told in a finding: the month goes on without it.
    """
    try:
        name = _last_called(work, kind)
        if name is not None:
            called(work.asked, name)
    except MemberOpsError as error:
        work.note([_unusable(error)])
        return None
    return name


def _unusable(error: MemberOpsError) -> Finding:
    return Finding(
        table="stocktakes",
        rule="stocktake-unusable",
        message_en=f"the month has no forms of this stocktake: {error}",
        message_zh=f"盘点通知有误，未生成盘点表单；英文详情：{error}",
    )


def _last_called(work: MonthWork, kind: str) -> str | None:
    mine = [
        each
        for each in called(work.asked)
        if each.cutoff.astimezone(work.chain.zone).date() in work.month
        and any(place.split(":")[0] == kind for place in each.places)
    ]
    last = max(mine, key=lambda each: (each.cutoff, each.stocktake_id), default=None)
    return None if last is None else last.stocktake_id


def _sheet(work: MonthWork, kind: Literal["store", "warehouse"]) -> Form | None:
    """Show what was counted in the last stocktake of the month at such places."""
    name = _last_stocktake(work, kind)
    if name is None:
        return None
    (session,) = called(work.asked, name)
    moment = end_of_day(work.month.through, work.chain.zone)
    with work.chain.ledger(tables=work.tables) as ledger:
        papers = read_papers(work.asked, ledger, session, as_of=moment)
    return count_sheet_form(
        count_frame(papers.lines),
        session,
        kind=kind,
        zone=work.chain.zone,
        names=_names(work),
        blank=False,
    )


def _store_sheet(work: MonthWork) -> Form | None:
    return _sheet(work, "store")


def _warehouse_sheet(work: MonthWork) -> Form | None:
    return _sheet(work, "warehouse")


def _summary(work: MonthWork, kind: str, form: str) -> Form | None:
    name = _last_stocktake(work, kind)
    if name is None:
        return None
    answer = count_summaries(
        work.chain, name, as_of=work.month.through, tables=work.tables
    )
    work.note(each for each in answer.findings if each.table == "counts")
    return answer[form]


def _store_summary(work: MonthWork) -> Form | None:
    return _summary(work, "store", "store_count_summary")


def _warehouse_report(work: MonthWork) -> Form | None:
    return _summary(work, "warehouse", "warehouse_count_report")


_COUNTED = ("stocktakes", "counts")

GIFT_STEPS: tuple[FormStep, ...] = (
    FormStep(
        name="gift_application",
        title_en="applications for gifts",
        title_zh="礼品申请单",
        needs=("gift_applications",),
        make=_applications,
    ),
    FormStep(
        name="gift_issues",
        title_en="gifts issued",
        title_zh="赠品发放登记表",
        make=_issues,
    ),
    FormStep(
        name="store_gift_stock",
        title_en="gift stock of stores",
        title_zh="门店礼品库存表",
        make=_store_stock,
    ),
    FormStep(
        name="warehouse_gift_stock",
        title_en="gift stock of the warehouse",
        title_zh="总仓礼品库存表",
        make=_warehouse_stock,
    ),
    FormStep(
        name="store_count_sheet",
        title_en="count sheet of the stores",
        title_zh="门店礼品盘点表",
        needs=_COUNTED,
        make=_store_sheet,
    ),
    FormStep(
        name="warehouse_count_sheet",
        title_en="count sheet of the warehouse",
        title_zh="总仓礼品盘点表",
        needs=_COUNTED,
        make=_warehouse_sheet,
    ),
    FormStep(
        name="store_count_summary",
        title_en="summary of counts",
        title_zh="门店礼品盘点汇总表",
        needs=_COUNTED,
        make=_store_summary,
    ),
    FormStep(
        name="warehouse_count_report",
        title_en="count report of the warehouse",
        title_zh="总仓盘点报告",
        needs=_COUNTED,
        make=_warehouse_report,
    ),
    FormStep(
        name="order_proposal",
        title_en="order proposal",
        title_zh="采购建议",
        make=_order,
    ),
)
"""The forms that a month has where the chain has a gift ledger."""
