"""What the office asks about visits: who is visited when, and what became of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING

import pandas as pd

from memberops.domain import Finding
from memberops.errors import InvalidValueError
from memberops.policies import (
    VisitCoverage,
    VisitPlan,
    plan_visits,
    visit_facts,
    visit_standing,
)
from memberops.policies import visit_coverage as covered
from memberops.reports import visit_coverage_form, visit_plan_form, visit_record_form
from memberops.schedules import Period
from memberops.schedules.dates import add_days, month_end
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.inquiry import Inquiry, inquire, of_store
from memberops.workflows.tier_questions import premium_rows
from memberops.workflows.visit_grounds import filed_members, waived_terms
from memberops.workflows.visit_records import records_of

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["coverage_of", "plan_of", "visit_coverage", "visits"]

_USED = ("sales", "cards", "stores", "complaints", "case_events", "consents",
         "visits", "appointments", "levels")  # fmt: skip
_FACTS = ("members", "sales", "cards", "complaints", "case_events", "appointments")
_STANDING = ("members", "stores", "cards", "complaints", "case_events", "consents",
             "visits")  # fmt: skip


def visits(
    chain: Chain,
    *,
    as_of: dt.date,
    first: dt.date | None = None,
    through: dt.date | None = None,
    store: str | None = None,
    tables: ChainTables | None = None,
    reveal: str | Collection[str] = (),
    progress: Progress | None = None,
) -> Answer:
    """
    Plan the visits of a span of days (HQ §6.3).

    The same tables give the same visits with the same ids. Visits that the table of
    visits has already keep their days and are not planned again; one that was planned
    for a day before *as_of* and has no outcome is weighed anew. A visit that was due
    before the first day planned is made up for while it is in time; one that fell due
    in the span and is in time no more is dropped, and says so.
    A new member is welcomed once the profile is complete, and nobody whose waiver is
    met is told that the card ends.

    Args:
        chain: The chain; a method of it.
        as_of: The day of planning.
        first: First day of the span; *as_of* by default. From an earlier one on it is
            told what was not made in time; no visit is planned before *as_of*.
        through: Its last day; the last of next month by default.
        store: Only the plan of this store.
        tables: What `Chain.read` gave, to answer several questions of one reading.
        reveal: Personal columns to show in full: ``"name"``, ``"phone"``, or both.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``visit_plan``: the visits, and those that found no
        day or are not to be made, with the rule that stopped them.

    Raises:
        InvalidValueError: The span ends before it begins, or before *as_of*, or
            *store* is not known.
        UnknownTableError: There is no source of members.
        SourceError: See `Chain.read`.
    """
    asked = inquire(
        chain,
        "visits",
        titles=("plan of visits", "会员回访计划"),
        as_of=as_of,
        needs=("members",),
        uses=_USED,
        tables=tables,
        reveal=reveal,
        store=store,
        progress=progress,
    )
    begin = as_of if first is None else first
    last = through or month_end(add_days(month_end(as_of), 1))
    if not max(as_of, begin) <= last:
        raise InvalidValueError(
            f"visits are planned through {as_of} or a later day, and no earlier than "
            f"they begin, not from {begin} through {last}"
        )
    plan, findings = plan_of(asked, Period.span(begin, last))
    members = asked.tables["members"]
    form = of_store(
        visit_plan_form(
            plan.rows,
            members=members,
            stores=asked.stores,
            policy=chain.policies.visits,
            reveal=asked.revealed(members),
            as_of=as_of,
        ),
        store,
    )
    states = form.frame["state"].value_counts()
    counts = [int(states.get(name, 0))
              for name in ("planned", "moved", "dropped", "suppressed")]  # fmt: skip
    english = (
        "visits {} to {}: as due {:,}; moved {:,}; no day found {:,}; not to be made "
        "{:,}"
    )
    chinese = "{} 至 {} 回访：按期 {:,}；顺延 {:,}；排不进日程 {:,}；不予回访 {:,}"
    return asked.answer(
        form,
        lines=[
            (
                english.format(begin, last, *counts),
                chinese.format(begin, last, *counts),
            )
        ],
        findings=findings,
    )


def plan_of(asked: Inquiry, period: Period) -> tuple[VisitPlan, list[Finding]]:
    """Plan the visits of a period from all tables that are there."""
    policy, tables = asked.policies.visits, asked.tables
    filed, unfiled = filed_members(asked)
    longest = max((rule.within for rule in policy.rules), default=0)
    facts, found = visit_facts(
        as_of=asked.as_of,
        first=add_days(max(asked.as_of, period.start), -longest),
        through=period.through,
        zone=policy.zone,
        filed=filed,
        waived=waived_terms(asked),
        **{name: tables[name] for name in _FACTS if name in tables},
    )
    standing, more = visit_standing(
        as_of=asked.as_of,
        zone=policy.zone,
        premium=premium_rows(asked) if "sales" in tables else None,
        **{name: tables[name] for name in _STANDING if name in tables},
    )
    contacts = planned = None
    if "visits" in tables:
        earlier = records_of(asked)
        done = earlier["done_on"].notna() & (earlier["outcome"] != "canceled")
        contacts = earlier[done.to_numpy(bool)].rename(columns={"done_on": "on"})
        ahead = earlier["day"] >= pd.Timestamp(asked.as_of)
        settled = earlier["outcome"].notna()
        planned = earlier[(ahead | settled).to_numpy(bool)]
        # What has an outcome is a contact or none: its day counts no second time.
        planned = planned.assign(day=planned["day"].mask(planned["outcome"].notna()))
    plan = plan_visits(
        facts,
        standing,
        period=period,
        as_of=asked.as_of,
        policy=policy,
        contacts=contacts,
        planned=planned,
        staffing=asked.policies.staffing,
    )
    return plan, list(dict.fromkeys([*unfiled, *found, *more, *plan.findings]))


def visit_coverage(
    chain: Chain,
    *,
    as_of: dt.date,
    first: dt.date | None = None,
    store: str | None = None,
    tables: ChainTables | None = None,
    reveal: str | Collection[str] = (),
    progress: Progress | None = None,
) -> Answer:
    """
    Count for each store what became of the visits planned up to a day (HQ §6.3).

    Args:
        chain: The chain; a method of it.
        as_of: The day; later records are not known yet.
        first: Visits planned from this day on; from the first of the month by default.
        store: Only this store.
        tables: What `Chain.read` gave, to answer several questions of one reading.
        reveal: Personal columns of the records to show in full.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the forms ``visit_coverage`` and ``visit_record``.

    Raises:
        InvalidValueError: *first* lies after *as_of*, or *store* is not known.
        UnknownTableError: There is no source of visits.
        SourceError: See `Chain.read`.
    """
    asked = inquire(
        chain,
        "visit_coverage",
        titles=("coverage of visits", "回访考核"),
        as_of=as_of,
        needs=("visits",),
        uses=("members", "stores"),
        tables=tables,
        reveal=reveal,
        store=store,
        progress=progress,
    )
    period = Period.span(as_of.replace(day=1) if first is None else first, as_of)
    rows, coverage = coverage_of(asked, period)
    members, policy = asked.tables.get("members"), chain.policies.visits
    form = of_store(
        visit_coverage_form(
            coverage.rows, stores=asked.stores, policy=policy, as_of=as_of
        ),
        store,
    )
    record = visit_record_form(
        rows,
        members=members,
        stores=asked.stores,
        policy=policy,
        reveal=asked.revealed(members),
        as_of=as_of,
        zone=chain.zone.key,
    )
    planned, done = (int(form.frame[name].sum()) for name in ("planned", "done"))
    english = f"visits planned {period}: {planned:,}; done: {done:,}"
    chinese = f"{period} 计划回访 {planned:,} 次；完成 {done:,} 次"
    return asked.answer(
        form,
        of_store(record, store),
        lines=[(english, chinese)],
        findings=coverage.findings,
    )


def coverage_of(asked: Inquiry, period: Period) -> tuple[pd.DataFrame, VisitCoverage]:
    """Count what became of the visits planned for the days of a period."""
    return asked.once(("coverage", period), lambda: _coverage(asked, period))


def _coverage(asked: Inquiry, period: Period) -> tuple[pd.DataFrame, VisitCoverage]:
    rows = records_of(asked)
    first, last = pd.Timestamp(period.start), pd.Timestamp(period.through)
    rows = rows[rows["day"].between(first, last).to_numpy(bool)]
    records = rows.assign(answered=rows["answered"].eq("yes"))
    return rows, covered(rows, records, as_of=asked.as_of)
