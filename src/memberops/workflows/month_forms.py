"""The forms of a month: what each needs, and how it is made from the measures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import attrs
import pandas as pd

from memberops import metrics
from memberops.domain import Finding
from memberops.metrics import MetricPolicy
from memberops.policies import expiring_members
from memberops.reports import (
    Form,
    consumption_level_form,
    demographics_form,
    expiring_members_form,
    lapse_form,
    lapsed_members_form,
    spending_power_form,
    store_ranking_form,
    working_form,
)
from memberops.schedules import Period
from memberops.workflows.chain_policies import ChainPolicies
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.expiring_days import office_day, visits_due
from memberops.workflows.inquiry import Inquiry
from memberops.workflows.tier_questions import tier_rows
from memberops.workflows.waiver_figures import known_tickets

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain

__all__ = [
    "MEMBER_STEPS",
    "WORKING_STEP",
    "FormStep",
    "MonthWork",
    "expiring_form",
    "month_periods",
]

_DECEMBER = 12


def month_periods(month: Period) -> tuple[Period, ...]:
    """
    Return the month, and its calendar year up to the month's end (HQ §5).

    In December that is the whole year; in January it would be the month again and is
    left out.

    >>> [str(period) for period in month_periods(Period.month(2026, 10))]
    ['2026-10', '2026-01-01..2026-10-31']
    >>> [str(period) for period in month_periods(Period.month(2026, 12))]
    ['2026-12', '2026']
    """
    year = month.start.year
    if month.start.month == 1:
        return (month,)
    if month.start.month == _DECEMBER:
        return month, Period.year(year)
    return month, Period.span(dt.date(year, 1, 1), month.through)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class MonthWork:
    """
    What the forms of a month are made from; everything is counted once.

    Args:
        chain: Whose month it is.
        tables: What was read.
        month: The month.
        as_of: The day as of which expiring members are judged.
        reveal: Personal columns that are shown in full.
        kept: Frames that several forms share, by name.
        found: What the forms found while they were made; a finding that several
            forms meet is told once.
    """

    chain: Chain
    tables: ChainTables
    month: Period
    as_of: dt.date
    reveal: tuple[str, ...]
    kept: dict[str, pd.DataFrame] = attrs.field(factory=dict)
    found: dict[Finding, None] = attrs.field(factory=dict)

    @property
    def policies(self) -> ChainPolicies:
        """The chain's policies."""
        return self.chain.policies

    @cached_property
    def asked(self) -> Inquiry:
        """The month as a question: asked on its last day, of all stores."""
        return Inquiry(
            chain=self.chain,
            question="month_end",
            titles=("month end", "月末报表"),
            as_of=self.month.through,
            tables=self.tables,
            reveal=self.reveal,
            store=None,
        )

    @property
    def stores(self) -> pd.DataFrame | None:
        """The stores, if there is a source of them."""
        return self.tables.get("stores")

    @property
    def metric_policy(self) -> MetricPolicy:
        """What the figures mean."""
        return self.policies.metrics

    @property
    def has_regions(self) -> bool:
        """Whether any store is in a region."""
        stores = self.stores
        if stores is None or "region_id" not in stores:
            return False
        return bool(stores["region_id"].notna().any())

    @cached_property
    def measures(self) -> metrics.Measures:
        """The base figures of all analyses, counted in one pass over the sales."""
        return metrics.measure(
            self.tables["sales"],
            period=month_periods(self.month),
            by=("store", "region", "chain") if self.has_regions else ("store", "chain"),
            members=self.tables.get("members"),
            cards=self.tables.get("cards"),
            stores=self.stores,
            policy=self.metric_policy,
        )

    @cached_property
    def consumption_level(self) -> pd.DataFrame:
        """See `memberops.metrics.consumption_level`."""
        return metrics.consumption_level(self.measures)

    @cached_property
    def demographics(self) -> pd.DataFrame:
        """See `memberops.metrics.demographics`."""
        return metrics.demographics(self.measures)

    @cached_property
    def spending_power(self) -> pd.DataFrame:
        """See `memberops.metrics.spending_power`."""
        return metrics.spending_power(self.measures, targets=self.tables.get("targets"))

    @cached_property
    def lapse(self) -> pd.DataFrame:
        """See `memberops.metrics.lapse`."""
        return metrics.lapse(self.measures)

    @cached_property
    def store_ranking(self) -> pd.DataFrame:
        """See `memberops.metrics.store_ranking`."""
        return metrics.store_ranking(self.measures, stores=self.stores)

    def note(self, findings: Iterable[Finding]) -> None:
        """Take note of findings, each once."""
        self.found.update(dict.fromkeys(findings))

    def revealed(self, frame: pd.DataFrame | None) -> tuple[str, ...]:
        """Return which revealed columns a frame has: a form can show no others."""
        return tuple(
            name for name in self.reveal if frame is not None and name in frame
        )

    def drawn(self, make: Callable[..., Form], frame: pd.DataFrame) -> Form:
        """
        Make a form of figures, and draw only the month.

        A chart that set the month beside the year to date would compare a part with
        its whole.
        """
        return make(
            frame,
            policy=self.metric_policy,
            stores=self.stores,
            draw=self.month.label,
        )


def expiring_form(work: MonthWork) -> Form:
    """List the cards that end in the month after, with visit days to keep (HQ §4.2)."""
    waiver, cards = work.policies.fee_waiver, work.tables["cards"]
    asked = work.asked
    if work.as_of != asked.as_of:
        asked = attrs.evolve(asked, as_of=work.as_of)
    tickets, rule = known_tickets(asked)
    members = work.tables.get("members")
    if members is not None and members["store_id"].isna().all():
        # Without any store the list has no column of stores, rather than an empty one.
        members = members.drop(columns="store_id")
    reveal = work.revealed(members)
    frame = expiring_members(
        cards,
        rule.figures(tickets, cards, as_of=work.as_of),
        month=work.month,
        waiver=rule,
        members=members,
        stores=work.stores if work.has_regions else None,
        reveal=reveal,
        notice_months=work.policies.card_state.notice_months,
    )
    calendar, month = work.policies.office_calendar, work.month.start
    frame = frame.assign(visit_due=office_day(calendar, month, frame["visit_due"]))
    due, notes_en, notes_zh = visits_due(frame, work.as_of)
    levels, tiers = work.policies.tiers, None
    if levels is not None and members is not None:
        tiers = tier_rows(asked, levels)[["member_id", "tier"]]
    form = expiring_members_form(
        frame.assign(visit_due=due),
        waiver=waiver,
        stores=work.stores,
        reveal=reveal,
        tiers=tiers,
        levels=levels,
    )
    return attrs.evolve(
        form,
        notes_en=(*form.notes_en, *notes_en),
        notes_zh=(*form.notes_zh, *notes_zh),
    )


def _lapsed(work: MonthWork) -> Form:
    members = work.tables.get("members")
    frame = metrics.lapsed_members(
        work.tables["sales"],
        as_of=work.month.through,
        members=members,
        cards=work.tables.get("cards"),
        policy=work.metric_policy,
    )
    return lapsed_members_form(
        frame,
        members=members,
        stores=work.stores,
        policy=work.metric_policy,
        reveal=work.revealed(members),
    )


def _working(work: MonthWork) -> Form:
    """Gather the working of every analysis into one form."""
    policy = work.metric_policy
    pairs = [
        (work.consumption_level, metrics.consumption_figures(policy)),
        (work.spending_power, metrics.SPENDING_POWER),
        (work.lapse, metrics.LAPSE),
        (work.store_ranking, metrics.RANKING),
    ]
    if "members" in work.tables:
        pairs.insert(1, (work.demographics, metrics.demographic_figures(policy)))
    sheets = [
        working_form(frame, figures, policy=policy, stores=work.stores)
        for frame, figures in pairs
    ]
    first = sheets[0]
    words = tuple(
        dict.fromkeys(word for each in sheets for word in each.column("figure").words)
    )
    columns = [
        attrs.evolve(column, words=words) if column.name == "figure" else column
        for column in first.columns
    ]
    frames = [each.frame for each in sheets]
    return attrs.evolve(
        first, columns=columns, frame=pd.concat(frames, ignore_index=True)
    )


@attrs.frozen(kw_only=True)
class FormStep:
    """
    How one form of a month is made.

    Args:
        name: Identifier of the form.
        title_en: What it is called while it is made, in English.
        title_zh: The same in Chinese.
        needs: Tables without which it is not made; sales are always there.
        make: Makes it; None where the month has nothing for it.
    """

    name: str
    title_en: str
    title_zh: str
    needs: tuple[str, ...] = ()
    make: Callable[[MonthWork], Form | None]


MEMBER_STEPS: tuple[FormStep, ...] = (
    FormStep(
        name="expiring_members",
        title_en="members whose card expires",
        title_zh="到期会员名单",
        needs=("cards",),
        make=expiring_form,
    ),
    FormStep(
        name="consumption_level",
        title_en="consumption level",
        title_zh="会员消费水平分析表",
        make=lambda work: work.drawn(consumption_level_form, work.consumption_level),
    ),
    FormStep(
        name="demographics",
        title_en="gender and age of consuming members",
        title_zh="消费会员性别年龄分析表",
        needs=("members",),
        make=lambda work: work.drawn(demographics_form, work.demographics),
    ),
    FormStep(
        name="spending_power",
        title_en="spending power",
        title_zh="会员消费力分析表",
        make=lambda work: work.drawn(spending_power_form, work.spending_power),
    ),
    FormStep(
        name="lapse",
        title_en="lapse",
        title_zh="会员流失分析表",
        make=lambda work: work.drawn(lapse_form, work.lapse),
    ),
    FormStep(
        name="lapsed_members",
        title_en="lapsed members",
        title_zh="流失会员名单",
        make=_lapsed,
    ),
    FormStep(
        name="store_ranking",
        title_en="store ranking",
        title_zh="门店会员消费排行",
        make=lambda work: work.drawn(store_ranking_form, work.store_ranking),
    ),
)
"""The forms about members, in the order in which they are made."""

WORKING_STEP = FormStep(
    name="working",
    title_en="how the figures were made",
    title_zh="指标计算底稿",
    make=_working,
)
"""The sheet that shows how the figures of the others were made; it comes last."""
