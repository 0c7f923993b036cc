"""What the office asks about fees: whose is waived, and under another rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from memberops.domain import Currency
from memberops.domain.values import mask
from memberops.errors import InvalidValueError
from memberops.policies import Evidence, FeeWaiver, MembershipFee, Simulation, simulate
from memberops.reports import (
    fee_waiver_form,
    waiver_changes_form,
    waiver_evidence_form,
    waiver_simulation_form,
)
from memberops.schedules import Period
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.inquiry import Inquiry, inquire, of_store
from memberops.workflows.tier_questions import tier_rows
from memberops.workflows.waiver_figures import (
    card_evidence,
    cards_in_force,
    waiver_tickets,
)

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["simulate_waivers", "waiver"]

_LONGEST = 40
_PHONE_DIGITS = 7
_SHOWN = 11


def waiver(
    chain: Chain,
    member: str | None = None,
    *,
    as_of: dt.date,
    card: str | None = None,
    store: str | None = None,
    tables: ChainTables | None = None,
    reveal: str | Collection[str] = (),
    progress: Progress | None = None,
) -> Answer:
    """
    Say whose next fee is waived, or of one member why and by which tickets (HQ §4.2).

    Args:
        chain: The chain; a method of it.
        member: Only this member: the answer explains each of the member's cards and
            lists the tickets. None for every card that runs on the day.
        as_of: The day; what was sold later is not known yet.
        card: Only this card number, in place of a member.
        store: Only the list of this store.
        tables: What `Chain.read` gave, to answer several questions of one reading.
        reveal: Personal columns to show in full: ``"name"``, ``"phone"``, or both.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``fee_waiver``; of one member, with a decision a card
        and the form ``waiver_evidence``. Of a card with several terms the one that
        runs on the day is meant, else the last that began, else the first to come.

    Raises:
        InvalidValueError: No card is of that member or number, the waiver asks for a
            figure that sales do not tell, or *store* is not known.
        UnknownTableError: There is no source of cards.
        SourceError: See `Chain.read`.

    >>> from memberops.testing import cards_frame, sales_frame
    >>> from memberops.workflows import Chain
    >>> shop = Chain.from_frames(
    ...     sales=sales_frame([("T1", "2026-03-01", "S1", "M1", 1, "400.00"),
    ...                        ("T2", "2026-06-01", "S1", "M1", 1, "370.00")]),
    ...     cards=cards_frame([("C1", "M1", "2026-01-01", "2026-12-31")]))
    >>> answer = shop.waiver("M1", as_of=dt.date(2026, 11, 5))
    >>> answer.decision.outcome
    'open'
    >>> print(answer.explain("zh"))
    还差 1 次消费或 230.00 元（截至 2026-12-31）
    >>> answer.frame()["ticket_id"].tolist()
    ['T1', 'T2']
    """
    asked = inquire(
        chain,
        "waiver",
        titles=("fee waivers", "免年费判定"),
        as_of=as_of,
        needs=("sales", "cards"),
        uses=("members", "stores"),
        tables=tables,
        reveal=reveal,
        store=store,
        progress=progress,
    )
    if member is not None or card is not None:
        return _one(asked, _terms(asked, member, card))
    return _all(asked)


def _told(wanted: object) -> str:
    """Show what was asked for; what may be a phone number or a name is masked."""
    text = str(wanted)
    digits = sum(each.isdigit() for each in text)
    if digits >= _PHONE_DIGITS or not text.isascii():
        return repr(str(mask(text))[-_SHOWN:])
    return repr(text[:_LONGEST])


def _terms(asked: Inquiry, member: str | None, card: str | None) -> pd.DataFrame:
    """Find the term of each card that is meant."""
    if member is not None and card is not None:
        raise InvalidValueError("give a member or a card, not both")
    column, wanted = ("member_id", member) if card is None else ("card_id", card)
    cards = asked.tables["cards"]
    rows = cards[(cards[column] == wanted).to_numpy(bool)]
    if rows.empty:
        who = "member" if card is None else "card"
        raise InvalidValueError(
            f"no card is on file of the {who} {_told(wanted)}: ids are "
            "compared letter by letter, with their leading zeros"
        )
    day = pd.Timestamp(asked.as_of)
    begun = rows["valid_from"] <= day
    runs = begun & (rows["valid_through"] >= day)
    # A term that runs comes first, then the last that began, then the next to begin.
    order = rows.assign(
        _kind=(~runs).astype("int64") + (~begun).astype("int64"),
        _near=(rows["valid_from"] - day).abs(),
    ).sort_values(["card_id", "_kind", "_near"], kind="stable")
    return rows.loc[order.drop_duplicates("card_id").index]


def _one(asked: Inquiry, cards: pd.DataFrame) -> Answer:
    policies = asked.policies
    cases: list[tuple[str, Evidence]] = []
    for _, row in cards.iterrows():
        found = card_evidence(
            asked.tables["sales"],
            row,
            policies.fee_waiver,
            as_of=asked.as_of,
            policy=policies.metrics,
        )
        cases.append((str(row["card_id"]), found))
    several = len(cases) > 1

    def line(card: str, evidence: Evidence) -> tuple[str, str]:
        decision = evidence.decision
        english, chinese = decision.explain("en"), decision.explain("zh")
        if several:
            return f"card {card}: {english}", f"会员卡 {card}：{chinese}"
        return english, chinese

    return asked.answer(
        waiver_evidence_form(cases, currency=policies.fee_waiver.currency),
        lines=[line(*case) for case in cases],
        decisions=[evidence.decision for _, evidence in cases],
    )


def _all(asked: Inquiry) -> Answer:
    policies, cards = asked.policies, asked.tables["cards"]
    tickets, rule = waiver_tickets(
        asked.tables["sales"],
        policies.fee_waiver,
        as_of=asked.as_of,
        policy=policies.metrics,
    )
    running = cards_in_force(cards, asked.as_of)
    rows = rule.decide_frame(rule.figures(tickets, running, as_of=asked.as_of))
    members = asked.tables.get("members")
    form = of_store(
        fee_waiver_form(
            rows,
            members=members,
            stores=asked.stores,
            policy=policies.fee_waiver,
            reveal=asked.revealed(members),
            as_of=asked.as_of,
        ),
        asked.store,
    )
    count, waived = len(form.frame), int(form.frame["waived"].eq("yes").sum())
    english = (
        f"cards that run: {count:,}; fee waived: {waived:,}; "
        f"not yet: {count - waived:,}"
    )
    chinese = (
        f"有效会员卡 {count:,} 张；已免年费 {waived:,} 张；"
        f"尚未满足 {count - waived:,} 张"
    )
    return asked.answer(form, lines=[(english, chinese)], nothing=_no_card(asked))


def _no_card(asked: Inquiry) -> tuple[str, str]:
    """Say that no card runs, and when one last did: the day may be misspelled."""
    cards = asked.tables["cards"]
    first, last = cards["valid_from"].min(), cards["valid_through"].max()
    if asked.store is not None or pd.isna(first) or pd.isna(last):
        return (
            f"nobody is concerned: no such card runs on {asked.as_of}",
            f"没有符合条件的会员：{asked.as_of} 没有这样的有效会员卡",
        )
    return (
        (
            f"nobody is concerned: no card runs on {asked.as_of}; those on file run "
            f"within {first.date()} to {last.date()}"
        ),
        (
            f"没有符合条件的会员：{asked.as_of} 没有有效会员卡；"
            f"在册会员卡的有效期在 {first.date()} 至 {last.date()} 之间"
        ),
    )


def simulate_waivers(
    chain: Chain,
    policies: Mapping[str, FeeWaiver],
    *,
    as_of: dt.date,
    period: Period | None = None,
    fees: MembershipFee | None = None,
    tables: ChainTables | None = None,
    reveal: str | Collection[str] = (),
    progress: Progress | None = None,
) -> Answer:
    """
    Compare waivers over the terms that have ended; see `memberops.policies.simulate`.

    Args:
        chain: The chain; a method of it.
        policies: Waivers by name; the first is what the others are compared with.
        as_of: Tickets after this day are not known.
        period: Only terms whose last day lies in it.
        fees: What a term costs; the chain's by default.
        tables: What `Chain.read` gave, to answer several questions of one reading.
        reveal: Personal columns to show in full: ``"name"``, ``"phone"``, or both.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the forms ``waiver_simulation`` (fee income by policy, store
        and level) and ``waiver_changes`` (the cards whose answer changes).

    Raises:
        InvalidValueError: Neither the chain nor the call says what a term costs, or
            there is no policy.
        UnknownTableError: There is no source of cards.
        SourceError: See `Chain.read`.

    >>> from memberops.testing import cards_frame, sales_frame
    >>> from memberops.workflows import Chain
    >>> shop = Chain.from_frames(
    ...     sales=sales_frame([("T1", "2025-03-01", "S1", "M1", 1, "600.00")]),
    ...     cards=cards_frame([("C1", "M1", "2025-01-01", "2025-12-31")]))
    >>> found = shop.simulate_waivers(
    ...     {"today": FeeWaiver(), "lower": FeeWaiver(spend=500, version="2")},
    ...     as_of=dt.date(2026, 1, 1), fees=MembershipFee(renewal=100))
    >>> print(found.explain("zh"))
    today：1 张卡，免年费 0 张，年费收入 100.00 元
    lower：1 张卡，免年费 1 张，年费收入 0.00 元
    """
    asked = inquire(
        chain,
        "simulate_waivers",
        titles=("waivers compared", "免年费规则对比"),
        as_of=as_of,
        needs=("sales", "cards"),
        uses=("members", "stores"),
        tables=tables,
        reveal=reveal,
        progress=progress,
    )
    if not policies:
        raise InvalidValueError(
            "waivers are compared by name: {'today': FeeWaiver(), ...}"
        )
    price = fees or chain.policies.fees
    if price is None:
        raise InvalidValueError(
            "the chain does not say what a term costs: add [policies.fees] with "
            "renewal, or give fees=MembershipFee(renewal=100)"
        )
    found = _simulated(asked, policies, fees=price, period=period)
    members, stores = asked.tables.get("members"), asked.stores
    first = next(iter(policies.values()))
    return asked.answer(
        waiver_simulation_form(
            found,
            stores=stores,
            policy=first,
            tiers=chain.policies.tiers,
            as_of=as_of,
        ),
        waiver_changes_form(
            found,
            policies=policies,
            stores=stores,
            members=members,
            reveal=asked.revealed(members),
            as_of=as_of,
        ),
        lines=[_income(row, first.currency) for _, row in found.by_policy.iterrows()],
    )


def _simulated(
    asked: Inquiry,
    policies: Mapping[str, FeeWaiver],
    *,
    fees: MembershipFee,
    period: Period | None,
) -> Simulation:
    counted: dict[str, Any] = {
        name: waiver_tickets(
            asked.tables["sales"],
            rule,
            as_of=asked.as_of,
            policy=asked.policies.metrics,
        )
        for name, rule in policies.items()
    }
    members, stores, levels = (
        asked.tables.get("members"), asked.stores, asked.policies.tiers
    )  # fmt: skip
    known = stores is not None and "region_id" in stores
    return simulate(
        {name: rule for name, (_, rule) in counted.items()},
        tickets={name: tickets for name, (tickets, _) in counted.items()},
        cards=asked.tables["cards"],
        as_of=asked.as_of,
        fees=fees,
        period=period,
        members=members,
        stores=stores if known else None,
        tiers=None if levels is None or members is None else tier_rows(asked, levels),
    )


def _income(row: pd.Series[Any], currency: Currency) -> tuple[str, str]:
    """Say what a policy would have brought."""
    name, cards, waived = row["policy"], int(row["cards"]), int(row["waived"])
    english, chinese = (
        currency.format(int(row["fee_income"]), language) for language in ("en", "zh")
    )
    return (
        f"{name}: {cards:,} cards, {waived:,} waived, fee income {english}",
        f"{name}：{cards:,} 张卡，免年费 {waived:,} 张，年费收入 {chinese}",
    )
