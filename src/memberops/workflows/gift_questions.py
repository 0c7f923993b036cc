"""What the office asks its gift ledger: balances and movements."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from memberops.domain import Finding
from memberops.domain.gift import POINTS, check_scope, lies_within
from memberops.errors import InvalidValueError, UnknownGiftError, bounded, nearest
from memberops.ledger import LedgerStore
from memberops.policies import read_gifts
from memberops.reports.forms.gift_ledger import gift_balances_form, gift_movements_form
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.gift_catalogue import GIFT_TABLES, needed_settings
from memberops.workflows.gift_moments import end_of_day, moment_of
from memberops.workflows.inquiry import Inquiry

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["ask_ledger", "gift_balances", "gift_movements"]

_OWN = ("warehouse", "store", "in_transit")


def ask_ledger(
    chain: Chain,
    question: str,
    titles: tuple[str, str],
    *,
    as_of: dt.date | dt.datetime,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> tuple[Inquiry, list[Finding], dt.datetime]:
    """
    Begin a question to the ledger: read gifts and stores, and find the moment.

    Args:
        chain: Who is asked.
        question: What is asked.
        titles: The question as people say it, in English and in Chinese.
        as_of: The day, meaning its end, or an aware moment.
        tables: What was read before, if anything.
        progress: Is told each table before it is read.

    Returns:
        The question, findings about the gifts, and the moment in UTC.

    Raises:
        InvalidValueError: The chain has no ledger, or a moment has no zone.
        SourceError: A source cannot be read.
    """
    needed_settings(chain)
    moment = moment_of(as_of, chain.zone)
    if tables is None:
        tables = chain.read(only=GIFT_TABLES, progress=progress)
    findings: list[Finding] = []
    if "gifts" in tables:
        findings += read_gifts(tables["gifts"], currency=chain.currency)[1]
    asked = Inquiry(
        chain=chain,
        question=question,
        titles=titles,
        as_of=moment.astimezone(chain.zone).date(),
        tables=tables,
        reveal=(),
        store=None,
    )
    return asked, findings, moment


def gift_balances(
    chain: Chain,
    *,
    as_of: dt.date | dt.datetime,
    place: str | None = None,
    gift: str | None = None,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Say what was where at a moment (HQ §7).

    Args:
        chain: The chain; a method of it.
        as_of: The day, meaning its end in the chain's zone, or an aware moment.
        place: Only this place and its parts, or kind or account; by default the
            warehouse, the stores, and what is on its way.
        gift: Only this gift.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``gift_balances``.

    Raises:
        InvalidValueError: The chain has no ledger, or the moment no zone.
        UnknownPlaceError: No such place.
        UnknownGiftError: No such gift.
    """
    asked, findings, moment = ask_ledger(
        chain,
        "gift_balances",
        ("balances of gifts", "礼品结存"),
        as_of=as_of,
        tables=tables,
        progress=progress,
    )
    with chain.ledger(tables=asked.tables) as ledger:
        scopes = _scopes(ledger, place)
        _check_gift(ledger, gift)
        rows = ledger.balances(as_of=moment)
    inside = [any(lies_within(each, scope) for scope in scopes) for each in rows.place]
    rows = _of_gift(rows[pd.Series(inside, dtype=bool).to_numpy()], gift)
    form = gift_balances_form(
        rows,
        gifts=ledger.rules.gifts or (),
        currency=chain.currency,
        notes=_moment_notes(moment, chain),
    )
    total = int(rows.loc[rows["gift_id"] != POINTS, "quantity"].sum())
    return asked.answer(
        form,
        lines=[
            (
                f"{len(rows):,} balances, {total:,} gifts",
                f"结存 {len(rows):,} 行，礼品 {total:,} 件",
            )
        ],
        findings=findings,
    )


def gift_movements(
    chain: Chain,
    *,
    as_of: dt.date | dt.datetime,
    since: dt.date | None = None,
    place: str | None = None,
    gift: str | None = None,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    List what moved in a span of days (HQ §7).

    Args:
        chain: The chain; a method of it.
        as_of: Last day of the span, or an aware moment at which it ends.
        since: Its first day; by default the month's first.
        place: Only from or to this place and its parts, or kind or account.
        gift: Only this gift.
        tables: What `Chain.read` gave.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``gift_movements``, in the order of the ledger.

    Raises:
        InvalidValueError: See `gift_balances`, or the span ends before it begins.
        UnknownPlaceError: No such place.
        UnknownGiftError: No such gift.
    """
    asked, findings, moment = ask_ledger(
        chain,
        "gift_movements",
        ("movements of gifts", "礼品流水"),
        as_of=as_of,
        tables=tables,
        progress=progress,
    )
    first = asked.as_of.replace(day=1) if since is None else since
    if first > asked.as_of:
        raise InvalidValueError(
            f"a span begins on or before {asked.as_of}: not {first}"
        )
    before = end_of_day(first - dt.timedelta(days=1), chain.zone)
    with chain.ledger(tables=asked.tables) as ledger:
        scopes = () if place is None else _scopes(ledger, place)
        _check_gift(ledger, gift)
        rows = ledger.movements()
    rows = rows[(rows["effective_at"] > before) & (rows["effective_at"] <= moment)]
    if scopes:
        touched = [
            any(lies_within(end, scope) for scope in scopes for end in ends)
            for ends in zip(rows["source"], rows["destination"], strict=True)
        ]
        rows = rows[pd.Series(touched, dtype=bool).to_numpy()]
    rows = _of_gift(rows, gift)
    span, count = (first, asked.as_of), rows["posting_id"].nunique()
    return asked.answer(
        gift_movements_form(rows, zone=chain.zone),
        lines=[
            (
                f"{span[0]} to {span[1]}: {count:,} postings, {len(rows):,} movements",
                f"{span[0]} 至 {span[1]}：凭证 {count:,} 张，流水 {len(rows):,} 行",
            )
        ],
        findings=findings,
    )


def _scopes(ledger: LedgerStore, place: str | None) -> tuple[str, ...]:
    if place is None:
        return _OWN
    scope = check_scope(place)
    ledger.rules.check_scope(scope)
    return (scope,)


def _check_gift(ledger: LedgerStore, gift: str | None) -> None:
    """Refuse a gift that nobody knows: its empty list would say there is none."""
    listed = ledger.rules.gifts
    if gift is None or gift == POINTS or listed is None or ledger.rules.gift(gift):
        return
    known = [each.gift_id for each in listed]
    raise UnknownGiftError(
        f"the ledger has no gift {bounded([gift])}; {nearest(gift[:40], known)}"
    )


def _of_gift(rows: pd.DataFrame, gift: str | None) -> pd.DataFrame:
    return rows if gift is None else rows[(rows["gift_id"] == gift).to_numpy()]


def _moment_notes(moment: dt.datetime, chain: Chain) -> tuple[str, str]:
    local = f"{moment.astimezone(chain.zone):%Y-%m-%d %H:%M:%S}"
    return (
        f"As of {local} in {chain.zone.key}, inclusive.",
        f"截至 {local}（{chain.zone.key}，含该时刻）。",
    )
