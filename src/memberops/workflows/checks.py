"""
Checks across tables: each is a pure function of the tables and the month.

A check returns findings and changes nothing. One finding stands for all rows of its
rule, with their count and a few ticket numbers, and names no member.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pandas as pd

from memberops.domain import Finding, Severity
from memberops.domain.values import mask
from memberops.schedules import Period
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.target_check import missing_targets

__all__ = ["CHAIN_WIDE", "CHECKS", "Check", "run_checks"]

Check = Callable[[ChainTables, Period], Iterable[Finding]]

_EXAMPLES = 5
_LONGEST = 40
_NO_SALES = "month-without-sales"
CHAIN_WIDE = frozenset((_NO_SALES,))
"""Rules that put the whole month in doubt, and are told before all others."""


def run_checks(tables: ChainTables, month: Period) -> tuple[Finding, ...]:
    """
    Run every check.

    Args:
        tables: What was read.
        month: The month that is being closed.

    >>> from memberops.testing import sales_frame, stores_frame
    >>> from memberops.workflows.chain import Chain
    >>> chain = Chain.from_frames(
    ...     sales=sales_frame([("T1", "2026-10-03", "S9", "M1", 1, "5.00")]),
    ...     stores=stores_frame([("S1",)]))
    >>> found = run_checks(chain.read(), Period.month(2026, 10))
    >>> print(found[0].describe("zh"))
    警告 sales store_id: 门店档案中没有这些门店：S9；...；小票号：T1 (store-unknown)
    """
    return tuple(finding for check in CHECKS for finding in check(tables, month))


def _finding(
    table: str,
    rule: str,
    column: str,
    rows: pd.DataFrame,
    *,
    message_en: str,
    message_zh: str,
    severity: Severity = Severity.WARNING,
) -> Iterator[Finding]:
    """Make one finding of the rows that were hit, if there are any."""
    if rows.empty:
        return
    english = chinese = ""
    if "ticket_id" in rows:
        english, chinese = (f"; tickets: {_en(rows['ticket_id'])}",
                            f"；小票号：{_zh(rows['ticket_id'])}")  # fmt: skip
    elif "card_id" in rows:
        # A card number may be a phone number, so only its end is told.
        masked = rows["card_id"].astype("str").map(mask)
        english, chinese = f"; cards: {_en(masked)}", f"；卡号：{_zh(masked)}"
    yield Finding(
        table=table,
        rule=rule,
        column=column,
        count=len(rows),
        severity=severity,
        message_en=message_en + english,
        message_zh=message_zh + chinese,
    )


def _en(values: pd.Series[Any]) -> str:
    """Write a few different ids in English."""
    shown, rest = _few(values)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def _zh(values: pd.Series[Any]) -> str:
    """Write a few different ids in Chinese."""
    shown, rest = _few(values)
    return "、".join(shown) + (f" 等，另有 {rest} 个" if rest else "")


def _few(values: pd.Series[Any]) -> tuple[list[str], int]:
    ids = sorted(str(value)[:_LONGEST] for value in values.dropna().unique())
    return ids[:_EXAMPLES], max(len(ids) - _EXAMPLES, 0)


def _absent(ids: pd.Series[Any], known: pd.Series[Any]) -> pd.Series[Any]:
    return ids.notna() & ~ids.isin(known)


def _apart_by_zeros(stray: pd.Series[Any], known: pd.Series[Any]) -> tuple[str, str]:
    """Say how many ids are known but for zeros in front, if any is."""
    if stray.empty:
        return "", ""
    bare = set(known.dropna().astype(str).str.lstrip("0"))
    count = int(stray.astype(str).str.lstrip("0").isin(bare).sum())
    if not count:
        return "", ""
    english = (
        f"; ids that differ from known ones only by zeros in front: {count} of "
        f"{len(stray)} rows: keep ids as text in all files"
    )
    chinese = (
        f"；{len(stray)} 行中有 {count} 行的编号与已有编号仅差前导零："
        "请在各文件中将编号存为文本"
    )
    return english, chinese


def unknown_stores(tables: ChainTables, _month: Period) -> Iterator[Finding]:
    """Find sales and members of a store that the stores table does not have."""
    stores = tables.get("stores")
    if stores is None:
        return
    for name in ("sales", "members"):
        frame = tables.get(name)
        if frame is None or "store_id" not in frame:
            continue
        hit = _absent(frame["store_id"], stores["store_id"])
        stray = frame["store_id"][hit]
        zeros, zeros_zh = _apart_by_zeros(stray, stores["store_id"])
        yield from _finding(
            name,
            "store-unknown",
            "store_id",
            frame[hit],
            message_en=f"the stores table does not have {_en(stray)}; they count to "
            f"the chain but to no region{zeros}",
            message_zh=f"门店档案中没有这些门店：{_zh(stray)}；计入全连锁，"
            f"但不属于任何区域{zeros_zh}",
        )


def unknown_members(tables: ChainTables, _month: Period) -> Iterator[Finding]:
    """Find sales and cards of a member that the members table does not have."""
    members = tables.get("members")
    if members is None:
        return
    effects = {
        "sales": (
            "the sale counts as a member's, but gender, age and store are unknown",
            "该销售仍计为会员消费，但性别、年龄和入会门店未知",
        ),
        "cards": (
            "the card counts to no valid member",
            "该卡不计入有效会员",
        ),
    }
    for name, (english, chinese) in effects.items():
        frame = tables.get(name)
        if frame is None or "member_id" not in frame:
            continue
        hit = _absent(frame["member_id"], members["member_id"])
        zeros = _apart_by_zeros(frame["member_id"][hit], members["member_id"])
        yield from _finding(
            name,
            "member-unknown",
            "member_id",
            frame[hit],
            message_en=f"the members table does not have this member; {english}"
            + zeros[0],
            message_zh=f"会员档案中没有该会员；{chinese}{zeros[1]}",
        )


def mixed_tickets(tables: ChainTables, _month: Period) -> Iterator[Finding]:
    """Find tickets whose lines disagree on their day, store or member."""
    sales = tables["sales"]
    chosen = {
        "sold_on": ("days", "the earliest", "日期", "最早的日期"),
        "store_id": ("stores", "the first in order", "门店", "排序在前的门店"),
        "member_id": ("members", "one of them, or none,", "会员", "其中之一或非会员"),
    }
    for column, (english, kept, chinese, kept_zh) in chosen.items():
        if column not in sales:
            continue
        pairs = sales[["ticket_id", column]].drop_duplicates()
        several = pairs["ticket_id"][pairs["ticket_id"].duplicated()].unique()
        if not len(several):
            continue
        hit = sales["ticket_id"].isin(several) & ~sales["ticket_id"].duplicated()
        yield from _finding(
            "sales",
            f"ticket-several-{english}",
            column,
            sales[hit],
            message_en=f"a ticket has lines of several {english}; {kept} counts; are "
            "ticket numbers unique in the chain?",
            message_zh=f"同一小票号有多个{chinese}，按{kept_zh}计；请确认小票号在全连锁内唯一",
        )


def overlapping_cards(tables: ChainTables, _month: Period) -> Iterator[Finding]:
    """Find cards that begin before another card of the same member has ended."""
    cards = tables.get("cards")
    if cards is None or cards.empty:
        return
    ordered = cards[["member_id", "valid_from", "valid_through"]].sort_values(
        ["member_id", "valid_from", "valid_through"], kind="stable"
    )
    reached = ordered.groupby("member_id", sort=False)["valid_through"].cummax()
    same = ordered["member_id"] == ordered["member_id"].shift()
    hit = (same & (ordered["valid_from"] <= reached.shift())).reindex(cards.index)
    yield from _finding(
        "cards",
        "card-overlap",
        "valid_from",
        cards[hit],
        message_en="the card begins before another card of the same member has ended; "
        "the member counts once",
        message_zh="该卡与同一会员的另一张卡有效期重叠；会员只计一次",
    )


def backward_cards(tables: ChainTables, _month: Period) -> Iterator[Finding]:
    """Find cards that end before they begin."""
    cards = tables.get("cards")
    if cards is None:
        return
    yield from _finding(
        "cards",
        "validity-backwards",
        "valid_through",
        cards[cards["valid_through"] < cards["valid_from"]],
        message_en="the card's last day is before its first; it is never valid",
        message_zh="有效期止早于有效期起，该卡视为无效",
    )


def returns_without_ticket(tables: ChainTables, _month: Period) -> Iterator[Finding]:
    """Find linked returns whose ticket is absent or another member's."""
    sales = tables["sales"]
    if "returned_ticket_id" not in sales:
        return
    back = sales["returned_ticket_id"].dropna()
    tickets = sales[sales["ticket_id"].isin(back.unique())]
    tickets = tickets.drop_duplicates("ticket_id").set_index("ticket_id")
    absent = ~back.isin(tickets.index)
    yield from _finding(
        "sales",
        "returned-ticket-absent",
        "returned_ticket_id",
        sales.loc[back.index[absent]],
        message_en="the ticket that is taken back is not in the sales; the return "
        "counts on its own day",
        message_zh="销售明细中没有原小票，退货按退货当天计",
    )
    if "member_id" not in sales:
        return
    back = back[~absent]
    mine = sales["member_id"].reindex(back.index).astype(object)
    owner = tickets["member_id"].reindex(back).astype(object).set_axis(back.index)
    differs = (mine != owner) & ~(mine.isna() & owner.isna())
    yield from _finding(
        "sales",
        "returned-ticket-of-another",
        "returned_ticket_id",
        sales.loc[back.index[differs]],
        message_en="the ticket that is taken back belongs to another member or to "
        "none; the return counts to the ticket's",
        message_zh="原小票属于另一会员或非会员，退货计入原小票的会员",
    )


def later_sales(tables: ChainTables, month: Period) -> Iterator[Finding]:
    """Find sales after the month; they are in no figure of it."""
    sales = tables["sales"]
    last = sales["sold_on"].max()
    yield from _finding(
        "sales",
        "sale-after-month",
        "sold_on",
        sales[sales["sold_on"] > pd.Timestamp(month.through)],
        message_en=f"sales after {month} (up to {_day(last)}) are in no figure of "
        "the month, but for returns that take back a ticket of it",
        message_zh=f"{month} 之后的销售（截至 {_day(last)}）不计入本月指标，"
        "但退回本月小票的退货除外",
        severity=Severity.INFO,
    )


def silent_days(tables: ChainTables, month: Period) -> Iterator[Finding]:
    """Find days of the month without a sale: in the whole chain, or in one store."""
    sales = tables["sales"]
    within = sales[["store_id", "sold_on"]][_within(sales["sold_on"], month)]
    if within.empty:
        yield Finding(
            table="sales",
            rule=_NO_SALES,
            column="sold_on",
            message_en=f"there is no sale in {month}, so no figure of it means "
            "anything: is the file of the month there?",
            message_zh=f"{month} 没有任何销售，本月指标均无意义：请确认本月文件已导出",
        )
        return
    days = pd.date_range(month.start, month.through)
    sold = within.drop_duplicates()
    silent = days[~days.isin(sold["sold_on"])]
    if len(silent):
        shown = [f"{day:%Y-%m-%d}" for day in silent]
        listed = ", ".join(shown[:_EXAMPLES])
        rest = len(shown) - _EXAMPLES
        yield Finding(
            table="sales",
            rule="day-without-sales",
            column="sold_on",
            count=len(shown),
            severity=Severity.WARNING,
            message_en=f"no store sold anything on {listed}"
            + (f" and {rest} more days" if rest > 0 else "")
            + ": closed, or a file missing?",
            message_zh=f"全连锁无销售的日期：{listed.replace(', ', '、')}"
            + (f" 等，另有 {rest} 天" if rest > 0 else "")
            + "；是停业还是缺少文件？",
        )
    yield from _silent_stores(sales, sold, len(days) - len(silent), month)


def _silent_stores(
    sales: pd.DataFrame, sold: pd.DataFrame, open_days: int, month: Period
) -> Iterator[Finding]:
    """Count, by store, the days on which others sold and it did not."""
    first = sales.groupby("store_id")["sold_on"].min()
    active = sold.groupby("store_id")["sold_on"].agg(["size", "min"])
    opened = first.reindex(active.index)
    # A store that opened in the month can only be missed from its first day on.
    started = opened >= pd.Timestamp(month.start)
    days = sold["sold_on"].drop_duplicates()
    could = pd.Series(open_days, index=active.index)
    for store in active.index[started]:
        could[store] = int((days >= opened[store]).sum())
    missed = could - active["size"]
    missed = missed[missed > 0].sort_values(ascending=False, kind="stable")
    if missed.empty:
        return
    shown = [f"{store} ({count})" for store, count in missed.head(_EXAMPLES).items()]
    rest = len(missed) - len(shown)
    listed = ", ".join(shown)
    yield Finding(
        table="sales",
        rule="store-without-sales",
        column="store_id",
        count=int(missed.sum()),
        severity=Severity.INFO,
        message_en=f"days without a sale while others sold, by store: {listed}"
        + (f" and {rest} more stores" if rest > 0 else ""),
        message_zh=f"其他门店有销售而该店无销售的天数：{listed.replace(', ', '、')}"
        + (f" 等，另有 {rest} 家门店" if rest > 0 else ""),
    )


def _within(days: pd.Series[Any], month: Period) -> pd.Series[Any]:
    return days.between(pd.Timestamp(month.start), pd.Timestamp(month.through))


def _day(moment: Any) -> dt.date | str:
    return "" if pd.isna(moment) else pd.Timestamp(moment).date()


CHECKS: tuple[Check, ...] = (
    unknown_stores,
    unknown_members,
    mixed_tickets,
    overlapping_cards,
    backward_cards,
    returns_without_ticket,
    missing_targets,
    later_sales,
    silent_days,
)
"""Every check, in the order of its findings; a new rule is a new function here."""
