"""The forms of a month about premium members, complaints, visits and surveys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import pandas as pd

from memberops import metrics
from memberops.domain import Finding
from memberops.metrics import service_report
from memberops.policies import (
    VisitCoverage,
    audit_sample,
    hard_cases,
    read_appointments,
)
from memberops.reports import (
    Form,
    audit_sample_form,
    complaint_case_form,
    hard_cases_form,
    premium_members_form,
    satisfaction_form,
    service_report_form,
    visit_coverage_form,
    visit_plan_form,
    visit_record_form,
)
from memberops.workflows.case_clocks import case_clocks
from memberops.workflows.held_levels import held_levels
from memberops.workflows.inquiry import moment_of
from memberops.workflows.month_forms import FormStep, MonthWork
from memberops.workflows.month_message_forms import month_messages
from memberops.workflows.tier_questions import premium_rows
from memberops.workflows.visit_questions import coverage_of, plan_of
from memberops.workflows.visit_records import records_of

__all__ = ["OFFICE_STEPS", "booking_findings"]


def _end_of(work: MonthWork) -> dt.datetime:
    """Return the last moment of the month in the chain's zone."""
    return moment_of(work.month.through, work.chain.zone)[1]


def booking_findings(work: MonthWork) -> Iterable[Finding]:
    """Say what could not be used of the appointments, which no form of a month has."""
    if "appointments" not in work.tables:
        return ()
    return read_appointments(work.tables["appointments"], as_of=_end_of(work))[1]


def _premium(work: MonthWork) -> Form:
    members, levels = work.tables["members"], work.policies.tiers
    if levels is not None:
        work.note(held_levels(work.asked, levels)[1])
    return premium_members_form(
        premium_rows(work.asked),
        members=members,
        stores=work.stores,
        policy=work.policies.premium,
        tiers=levels,
        reveal=work.revealed(members),
        as_of=work.month.through,
    )


def _cases(work: MonthWork) -> pd.DataFrame:
    """Read the clocks of all cases known at the end of the month."""
    if "cases" not in work.kept:
        work.kept["cases"], found = case_clocks(work.asked, _end_of(work))
        work.note(found)
    return work.kept["cases"]


def _received(work: MonthWork) -> pd.Series[bool]:
    """Say which cases were received in the month."""
    local = _cases(work)["received_at"].dt.tz_convert(work.chain.zone)
    days = local.dt.tz_localize(None).dt.normalize()
    first, last = pd.Timestamp(work.month.start), pd.Timestamp(work.month.through)
    within: pd.Series[bool] = days.between(first, last)
    return within


def _complaints(work: MonthWork) -> Form:
    """List the cases received in the month, and older ones with something to do."""
    cases = _cases(work)
    clock = cases["next_clock"].astype(object)
    waiting = clock.notna() & (clock != "")
    shown = cases[(_received(work) | waiting).to_numpy(bool)]
    members = work.tables.get("members")
    return complaint_case_form(
        shown,
        stores=work.stores,
        members=members,
        reveal=work.revealed(members),
        policy=work.policies.service_levels,
        as_of=_end_of(work).astimezone(work.chain.zone),
        zone=work.chain.zone.key,
        currency=work.chain.currency,
    )


def _hard(work: MonthWork) -> Form:
    moment, policy = _end_of(work), work.policies.hard_cases
    return hard_cases_form(
        hard_cases(_cases(work), as_of=moment, policy=policy),
        stores=work.stores,
        policy=policy,
        as_of=moment.astimezone(work.chain.zone),
    )


def _report(work: MonthWork) -> Form:
    visits = answers = None
    if "visits" in work.tables:
        visits = _covered(work)[1].rows
    if "surveys" in work.tables:
        answers = metrics.satisfaction(
            work.tables["surveys"],
            period=work.month,
            by=("store_id",),
            policy=work.policies.satisfaction,
        )
    rows = service_report(
        _cases(work)[_received(work).to_numpy(bool)],
        visits=visits,
        answers=answers,
        messages=month_messages(work),
        stores=work.stores if work.has_regions else None,
        by=("store", "region", "chain") if work.has_regions else ("store", "chain"),
    )
    return service_report_form(
        rows,
        stores=work.stores,
        policy=work.policies.service_levels,
        as_of=work.month.through,
    )


def _plan(work: MonthWork) -> Form:
    """Plan the visits of the next month, which stores list by the 28th (HQ §6.3)."""
    members = work.tables["members"]
    plan, found = plan_of(work.asked, work.month.next())
    work.note(found)
    return visit_plan_form(
        plan.rows,
        members=members,
        stores=work.stores,
        policy=work.policies.visits,
        reveal=work.revealed(members),
        as_of=work.month.through,
    )


def _covered(work: MonthWork) -> tuple[pd.DataFrame, VisitCoverage]:
    """Count what became of the month's visits."""
    rows, coverage = coverage_of(work.asked, work.month)
    work.note(coverage.findings)
    return rows, coverage


def _record(work: MonthWork) -> Form:
    members = work.tables.get("members")
    return visit_record_form(
        _covered(work)[0],
        members=members,
        stores=work.stores,
        policy=work.policies.visits,
        reveal=work.revealed(members),
        as_of=work.month.through,
        zone=work.chain.zone.key,
    )


def _coverage(work: MonthWork) -> Form:
    return visit_coverage_form(
        _covered(work)[1].rows,
        stores=work.stores,
        policy=work.policies.visits,
        as_of=work.month.through,
    )


def _sample(work: MonthWork) -> Form:
    """Draw from the after-sale visits done in the month and its abnormal purchases."""
    members, records = work.tables.get("members"), records_of(work.asked)
    done = (records["kind"] == "after_sale") & (records["outcome"] == "done")
    drawn = audit_sample(
        period=work.month,
        seed=work.month.label,
        visits=records[done.to_numpy(bool)].rename(columns={"done_on": "on"}),
        tickets=metrics.tickets(
            work.tables["sales"],
            first=work.month.start,
            end=work.month.end,
            policy=work.metric_policy,
        ),
        policy=work.policies.audit_sample,
        currency=work.metric_policy.currency,
    )
    work.note(drawn.findings)
    return audit_sample_form(
        drawn.rows,
        members=members,
        stores=work.stores,
        policy=work.policies.audit_sample,
        reveal=work.revealed(members),
        as_of=work.month.through,
        seed=work.month.label,
    )


def _satisfaction(work: MonthWork) -> Form:
    rows = metrics.satisfaction(
        work.tables["surveys"],
        period=work.month,
        by=("question", "store_id"),
        policy=work.policies.satisfaction,
    )
    return satisfaction_form(
        rows,
        stores=work.stores,
        policy=work.policies.satisfaction,
        as_of=work.month.through,
    )


OFFICE_STEPS: tuple[FormStep, ...] = (
    FormStep(
        name="premium_members",
        title_en="premium members",
        title_zh="优质会员消费情况汇总表",
        needs=("members",),
        make=_premium,
    ),
    FormStep(
        name="complaint_case",
        title_en="complaints",
        title_zh="顾客投诉意见处理表",
        needs=("complaints",),
        make=_complaints,
    ),
    FormStep(
        name="hard_cases",
        title_en="hard cases",
        title_zh="疑难投诉周报",
        needs=("complaints",),
        make=_hard,
    ),
    FormStep(
        name="visit_plan",
        title_en="plan of next month's visits",
        title_zh="会员回访计划",
        needs=("members", "visits"),
        make=_plan,
    ),
    FormStep(
        name="visit_record",
        title_en="record of visits",
        title_zh="会员回访记录表",
        needs=("visits",),
        make=_record,
    ),
    FormStep(
        name="audit_sample",
        title_en="audit sample",
        title_zh="督察回访抽样",
        needs=("visits",),
        make=_sample,
    ),
    FormStep(
        name="visit_coverage",
        title_en="coverage of visits",
        title_zh="回访考核表",
        needs=("visits",),
        make=_coverage,
    ),
    FormStep(
        name="service_report",
        title_en="service report",
        title_zh="客服月报",
        needs=("complaints",),
        make=_report,
    ),
    FormStep(
        name="satisfaction",
        title_en="satisfaction",
        title_zh="满意度统计表",
        needs=("surveys",),
        make=_satisfaction,
    ),
)
"""The forms that a month has where the office's own tables are there."""
