"""What the office asks about members: expiring cards, waivers, tiers, profiles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING

from memberops.schedules import Period, add_months
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.inquiry import inquire, of_store
from memberops.workflows.month_forms import MonthWork, expiring_form
from memberops.workflows.run_month import calendar_month, day_of_month

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["expiring"]


def expiring(
    chain: Chain,
    month: str | Period,
    *,
    as_of: dt.date | None = None,
    store: str | None = None,
    tables: ChainTables | None = None,
    reveal: str | Collection[str] = (),
    progress: Progress | None = None,
) -> Answer:
    """
    List the cards that end in the month after and have no waiver yet (HQ §4.2).

    With a longer notice of the card state, the months after that one too.

    Args:
        chain: The chain; a method of it.
        month: The run month, such as ``"2026-10"``.
        as_of: A day of the month; its last by default.
        store: Only the list of this store.
        tables: What `Chain.read` gave, to answer several questions of one reading.
        reveal: Personal columns to show in full: ``"name"``, ``"phone"``, or both.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``expiring_members``.

    Raises:
        InvalidValueError: *month* is no calendar month, *as_of* no day of it, or
            *store* is not known.
        UnknownTableError: There is no source of cards.
        SourceError: See `Chain.read`.
    """
    period = calendar_month(month)
    asked = inquire(
        chain,
        "expiring",
        titles=("members whose card expires", "到期会员名单"),
        as_of=day_of_month(period, as_of),
        needs=("sales", "cards"),
        uses=("members", "stores", "levels"),
        tables=tables,
        reveal=reveal,
        store=store,
        progress=progress,
    )
    work = MonthWork(
        chain=chain,
        tables=asked.tables,
        month=period,
        as_of=asked.as_of,
        reveal=asked.reveal,
    )
    form = of_store(expiring_form(work), store)
    count, ahead = len(form.frame), period.next().label
    notice = chain.policies.card_state.notice_months
    if notice > 1:
        last = add_months(period.end, notice - 1)
        ahead = f"{ahead}–{Period.month(last.year, last.month).label}"
    return asked.answer(
        form,
        lines=[
            (
                f"cards that end in {ahead} without a waiver yet: {count:,}",
                f"{ahead} 到期且尚未满足免年费条件的会员卡：{count:,} 张",
            )
        ],
    )
