"""What the office asks about profiles: what is missing, and who is there twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING

import pandas as pd

from memberops.policies import possible_duplicates
from memberops.reports import duplicate_members_form, profile_audit_form
from memberops.schedules import Period
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.inquiry import Inquiry, inquire, of_store

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["audit"]


def audit(
    chain: Chain,
    *,
    as_of: dt.date,
    entered: Period | None = None,
    store: str | None = None,
    tables: ChainTables | None = None,
    reveal: str | Collection[str] = (),
    progress: Progress | None = None,
) -> Answer:
    """
    Audit the profiles entered on a day: what goes back to which store (HQ §4.1).

    Args:
        chain: The chain; a method of it.
        as_of: The day; ages are those of it, and who enrolled later is not known yet.
        entered: Profiles of members who enrolled in it, and those without a day of
            enrolment; that day by default. ``Period.span(first, last)`` for more.
        store: Only the list of this store.
        tables: What `Chain.read` gave, to answer several questions of one reading.
        reveal: Personal columns to show in full: ``"name"``, ``"phone"``, or both.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the forms ``profile_audit`` (one row an incomplete profile)
        and ``duplicate_members`` (everyone enrolled up to the day who may be there
        twice). The other profiles of the day are complete and can be filed.

    Raises:
        InvalidValueError: *store* is not known.
        UnknownTableError: There is no source of members.
        MissingColumnsError: The policy asks for a card's field, and there are no
            cards.
        SourceError: See `Chain.read`.
    """
    period = entered or Period.day(as_of)
    asked = inquire(
        chain,
        "audit",
        titles=("audit of profiles", "会员资料审核"),
        as_of=as_of,
        needs=("members",),
        uses=("cards", "stores"),
        tables=tables,
        reveal=reveal,
        store=store,
        progress=progress,
    )
    members = _known(asked)
    policy, shown = chain.policies.profile_audit, asked.revealed(members)
    cards, stores = asked.tables.get("cards"), asked.stores
    listed = policy.daily_list(
        members, cards, stores, as_of=as_of, entered=period, reveal=shown
    )
    form = of_store(
        profile_audit_form(
            listed, stores=stores, policy=policy, reveal=shown, as_of=as_of
        ),
        store,
    )
    twice = possible_duplicates(members, phones=policy.phones)
    again = _groups_of(twice, store)
    people = _entered(members, period, store)
    counts = (people, people - len(form.frame), len(form.frame),
              again["member_id"].nunique())  # fmt: skip
    english = (
        "profiles entered {:,}; complete, to be filed {:,}; back to the store {:,}; "
        "members who may be there twice {:,}"
    )
    chinese = (
        "录入会员资料 {:,} 份；完整可归档 {:,} 份；退回门店补录 {:,} 份；"
        "疑似重复会员 {:,} 人"
    )
    return asked.answer(
        form,
        duplicate_members_form(again, stores=stores, as_of=as_of),
        lines=[(english.format(*counts), chinese.format(*counts))],
    )


def _known(asked: Inquiry) -> pd.DataFrame:
    """Return the members who had enrolled by the day, and those without a day."""
    members = asked.tables["members"]
    later = members["joined_on"] > pd.Timestamp(asked.as_of)
    return members[~later.to_numpy(bool)]


def _entered(members: pd.DataFrame, period: Period, store: str | None) -> int:
    joined = members["joined_on"]
    first, last = pd.Timestamp(period.start), pd.Timestamp(period.through)
    within = joined.isna() | joined.between(first, last)
    if store is not None:
        within &= members["store_id"] == store
    return int(within.sum())


def _groups_of(twice: pd.DataFrame, store: str | None) -> pd.DataFrame:
    """Keep the groups that touch a store, whole: its member may be another's, too."""
    if store is None:
        return twice
    touched = twice.loc[(twice["store_id"] == store).to_numpy(bool), "group"]
    return twice[twice["group"].isin(touched)]
