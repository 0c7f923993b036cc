"""What the office asks about levels: who has which, and who is a premium member."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING

import pandas as pd

from memberops.errors import InvalidValueError
from memberops.policies import Tier, TierPolicy
from memberops.reports import premium_members_form, tiers_form
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.held_levels import held_levels
from memberops.workflows.inquiry import Inquiry, inquire, of_store
from memberops.workflows.visit_records import records_of

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["premium", "premium_rows", "tier_rows", "tiers"]

_MEMBER = ("member_id", "store_id", "referrer_id", "joined_on")


def tiers(
    chain: Chain,
    *,
    as_of: dt.date,
    store: str | None = None,
    tables: ChainTables | None = None,
    reveal: str | Collection[str] = (),
    progress: Progress | None = None,
) -> Answer:
    """
    Say which level each member has earned, and what the next one lacks (REG §2.3).

    What members held before, their floors, reviews and levels set by hand come from
    the table of levels; without it each has the level that is earned on the day.

    Args:
        chain: The chain; a method of it.
        as_of: The day; figures are those of the policy's window up to it.
        store: Only the members of this store.
        tables: What `Chain.read` gave, to answer several questions of one reading.
        reveal: Personal columns to show in full: ``"name"``, ``"phone"``, or both.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``tiers``.

    Raises:
        InvalidValueError: The chain has no levels, or *store* is not known.
        UnknownTableError: There is no source of members.
        SourceError: See `Chain.read`.
    """
    asked = inquire(
        chain,
        "tiers",
        titles=("levels of members", "会员等级"),
        as_of=as_of,
        needs=("sales", "members"),
        uses=("stores", "levels"),
        tables=tables,
        reveal=reveal,
        store=store,
        progress=progress,
    )
    policy = chain.policies.tiers
    if policy is None:
        raise InvalidValueError(
            "the chain has no levels, and the manuals name no thresholds: add "
            "[[policies.tiers.levels]] to the chain file"
        )
    rows = tier_rows(asked, policy)
    members = asked.tables["members"]
    form = of_store(
        tiers_form(
            rows,
            members=members,
            stores=asked.stores,
            policy=policy,
            reveal=asked.revealed(members),
            as_of=as_of,
        ),
        store,
    )
    counts = form.frame["tier"].value_counts()
    numbers = [(level, int(counts.get(level.name, 0))) for level in policy.levels]
    english = [f"{level.label('en')}: {number:,}" for level, number in numbers]
    chinese = [f"{level.label('zh')} {number:,} 人" for level, number in numbers]
    return asked.answer(
        form,
        lines=[("; ".join(english), "；".join(chinese))],
        findings=held_levels(asked, policy)[1],
    )


def tier_rows(asked: Inquiry, policy: TierPolicy) -> pd.DataFrame:
    """Count each member's figures in the window, and decide the level."""
    return asked.once(("levels", policy), lambda: _tier_rows(asked, policy))


def _tier_rows(asked: Inquiry, policy: TierPolicy) -> pd.DataFrame:
    members = asked.tables["members"]
    known = members[[name for name in _MEMBER if name in members]]
    held, _ = held_levels(asked, policy)
    if held is not None:
        known = known.merge(held, on="member_id", how="left")
        known["manual_floor"] = known["manual_floor"].eq(other=True)
    figures = policy.figures(asked.tickets, known, as_of=asked.as_of)
    rows: pd.DataFrame = policy.decide_frame(figures, as_of=asked.as_of)
    last = rows["last_purchase"]
    return rows.assign(last_purchase_on=_days(last))


def premium(
    chain: Chain,
    *,
    as_of: dt.date,
    store: str | None = None,
    tables: ChainTables | None = None,
    reveal: str | Collection[str] = (),
    progress: Progress | None = None,
) -> Answer:
    """
    Select the premium members of each store, due by the 3rd (HQ §6.3.3.4).

    Figures are those of the window of the chain's levels, or of 12 months where it
    has none.

    Args:
        chain: The chain; a method of it.
        as_of: The day.
        store: Only the list of this store.
        tables: What `Chain.read` gave, to answer several questions of one reading.
        reveal: Personal columns to show in full: ``"name"``, ``"phone"``, or both.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``premium_members``.

    Raises:
        InvalidValueError: *store* is not known.
        UnknownTableError: There is no source of members.
        SourceError: See `Chain.read`.
    """
    asked = inquire(
        chain,
        "premium",
        titles=("premium members", "优质会员"),
        as_of=as_of,
        needs=("sales", "members"),
        uses=("stores", "visits", "levels"),
        tables=tables,
        reveal=reveal,
        store=store,
        progress=progress,
    )
    members = asked.tables["members"]
    form = of_store(
        premium_members_form(
            premium_rows(asked),
            members=members,
            stores=asked.stores,
            policy=chain.policies.premium,
            tiers=chain.policies.tiers,
            reveal=asked.revealed(members),
            as_of=as_of,
        ),
        store,
    )
    count = len(form.frame)
    return asked.answer(
        form, lines=[(f"premium members: {count:,}", f"优质会员 {count:,} 人")]
    )


def premium_rows(asked: Inquiry) -> pd.DataFrame:
    """Select the premium members, with the day of each one's next visit."""
    return asked.once("premium members", lambda: _premium_rows(asked))


def _premium_rows(asked: Inquiry) -> pd.DataFrame:
    policy = asked.policies.tiers or TierPolicy(levels=(Tier("regular"),))
    rows = tier_rows(asked, policy).copy()
    if asked.policies.tiers is None:
        rows = rows.drop(columns="tier")
    if "referrals" not in rows:
        rows["referrals"] = pd.Series(pd.NA, index=rows.index, dtype="Int64")
    if "visits" in asked.tables:
        visits = records_of(asked)
        ahead = visits["outcome"].isna() & (visits["day"] >= pd.Timestamp(asked.as_of))
        first = visits[ahead.to_numpy(bool)].groupby("member_id")["day"].min()
        rows["next_visit_on"] = first.reindex(rows["member_id"]).to_numpy()
    return asked.policies.premium.select(rows, as_of=asked.as_of)


def _days(numbers: pd.Series[int]) -> pd.Series[pd.Timestamp]:
    """Read days written as numbers such as 20261105; 0 is none."""
    texts = numbers.where(numbers > 0).astype("Int64").astype("str")
    return pd.to_datetime(texts, format="%Y%m%d", errors="coerce").astype(
        "datetime64[us]"
    )
