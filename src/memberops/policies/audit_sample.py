"""Whom the audit visits: a reproducible draw, and every abnormal purchase (HQ §6.3)."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Currency, Finding, Severity
from memberops.domain.values import whole_number
from memberops.errors import InvalidValueError, bounded
from memberops.policies.visit_intake import among, as_days, as_text, taken_in
from memberops.schedules import Period

__all__ = ["AuditPolicy", "AuditSample", "audit_sample"]

_TICKET = ("ticket_id", "store_id", "member_id", "sold_on", "amount")
_COLUMNS = ("store_id", "member_id", "source", "source_id", "cause", "why_en", "why_zh")


def _share(value: Any) -> Fraction:
    if isinstance(value, float | bool):
        raise InvalidValueError(
            "a share must be exact: Fraction(1, 10), Decimal('0.1') or '0.1'"
        )
    try:
        share = Fraction(value)
    except (ValueError, TypeError, ZeroDivisionError, OverflowError):
        raise InvalidValueError(
            f"a share is a fraction such as '0.1' or '1/10', not {bounded([value])}"
        ) from None
    if not 0 <= share <= 1:
        raise InvalidValueError(f"a share lies between 0 and 1, not {share}")
    return share


@attrs.frozen(kw_only=True)
class AuditPolicy:
    """
    How the audit sample is drawn (HQ §6.3.3).

    Args:
        visit_share: Share of each store's after-sale visits, rounded up.
        gift_share: Share of each store's gift issues, rounded up.
        tickets_a_day: So many tickets of a member on one day are abnormal.
        fence: A member's spend at a store is abnormal above Q3 + fence x (Q3 - Q1) of
            the store's members (Tukey's outer fence is 3). Quartiles are members'
            own amounts, the least that a quarter, or three quarters, do not exceed,
            so the rule is exact and single large amounts do not move it.
        least_members: With fewer members the store's spend is not judged.

    >>> AuditPolicy(visit_share="0.05").visit_share
    Fraction(1, 20)
    """

    visit_share: Fraction = attrs.field(default=Fraction(1, 10), converter=_share)
    gift_share: Fraction = attrs.field(default=Fraction(1, 10), converter=_share)
    tickets_a_day: int = attrs.field(default=5, validator=whole_number)
    fence: int = attrs.field(default=3, validator=whole_number)
    least_members: int = attrs.field(default=20, validator=whole_number)

    def __attrs_post_init__(self) -> None:
        """Refuse numbers by which everything, or nothing, is abnormal."""
        for name, least in (("tickets_a_day", 1), ("fence", 0), ("least_members", 1)):
            if getattr(self, name) < least:
                raise InvalidValueError(f"{name!r} must be {least} or more")


@attrs.frozen(kw_only=True)
class AuditSample:
    """
    The sample and what could not be judged.

    Args:
        rows: See `audit_sample`.
        findings: Stores whose spend was not judged.
    """

    rows: pd.DataFrame
    findings: tuple[Finding, ...]


def audit_sample(
    *,
    period: Period,
    seed: str,
    visits: Any = None,
    gifts: Any = None,
    tickets: Any = None,
    discounts: Any = None,
    policy: AuditPolicy | None = None,
    currency: Currency | None = None,
) -> AuditSample:
    """
    Draw each store's audit sample for a period, such as last week.

    The draw hashes the seed with each id and takes the smallest: the same seed and
    ids give the same sample, whatever the order of the rows and on any machine.

    Args:
        period: Which days are audited.
        seed: Any text; a new one draws anew.
        visits: After-sale visits: ``visit_id``, ``store_id``, ``member_id``, ``on``.
        gifts: Gift issues: ``issue_id``, ``store_id``, ``member_id``, ``on``.
        tickets: One row a ticket: ``ticket_id``, ``store_id``, ``member_id``,
            ``sold_on``, ``amount`` (net, in minor units). Rows without member are
            no member's and are left out.
        discounts: Discounts used: ``discount_id``, ``store_id``, ``member_id``,
            ``on``, and ``ticket_id`` if the source has it. One without a sale above
            zero (of that ticket, or of the member there that day) is abnormal.
        policy: Shares and limits.
        currency: What amounts are in, for the sentences; yuan by default.

    Returns:
        ``store_id``, ``member_id``, ``source`` (``"visit"``, ``"gift"`` or
        ``"abnormal"``), ``source_id``, ``cause``, ``why_en`` and ``why_zh``, by store,
        source and id.
    """
    policy = policy or AuditPolicy()
    parts: list[pd.DataFrame] = []
    findings: list[Finding] = []
    for source, frame, name, share in (
        ("visit", visits, "visit_id", policy.visit_share),
        ("gift", gifts, "issue_id", policy.gift_share),
    ):
        if frame is not None:
            needed = (name, "store_id", "member_id", "on")
            told = _told(frame, source, needed, "on", period)
            parts.append(_drawn(told, source, name, share, seed))
    sales = None
    if tickets is not None:
        sales = _told(tickets, "tickets", _TICKET, "sold_on", period)
        sales["amount"] = sales["amount"].astype("int64")
        sales = sales[sales["member_id"] != ""].drop_duplicates("ticket_id")
        parts.append(_crowded(sales, policy))
        spent, findings = _outlying(sales, policy, currency or Currency("CNY"))
        parts.append(spent)
    if discounts is not None:
        if sales is None:
            raise InvalidValueError("discounts are judged by sales: give tickets too")
        needed = ("discount_id", "store_id", "member_id", "on")
        used = _told(discounts, "discounts", needed, "on", period)
        parts.append(_unsold(used, sales))
    rows = pd.concat(parts) if parts else pd.DataFrame(columns=_COLUMNS)
    rows = rows[list(_COLUMNS)].astype("str")
    order = ["store_id", "source", "source_id", "member_id", "cause"]
    rows = rows.sort_values(order).reset_index(drop=True)
    return AuditSample(rows=rows, findings=tuple(findings))


def _told(
    given: Any, name: str, needed: tuple[str, ...], day: str, period: Period
) -> pd.DataFrame:
    frame = taken_in(given, name, needed)
    texts = [each for each in (*needed, "ticket_id") if each not in (day, "amount")]
    told = pd.DataFrame({each: as_text(frame, each) for each in dict.fromkeys(texts)})
    on = as_days(frame, day)
    told["day"] = on.astype("datetime64[s]")
    if "amount" in needed:
        told["amount"] = frame["amount"].to_numpy()
    first, last = np.datetime64(period.start), np.datetime64(period.through)
    return told[(on >= first) & (on <= last)]


def _drawn(
    told: pd.DataFrame, source: str, name: str, share: Fraction, seed: str
) -> pd.DataFrame:
    told = told.drop_duplicates(name)
    begun = hashlib.blake2b(f"{len(seed)}:{seed}{source}:".encode(), digest_size=16)
    digests = bytearray()
    for each in told[name].to_numpy(dtype=object).tolist():
        one = begun.copy()
        one.update(each.encode())
        digests += one.digest()
    # Two big-endian numbers a digest, which sort as its text does.
    draws = np.frombuffer(bytes(digests), dtype=">u8").astype(np.uint64).reshape(-1, 2)
    store = pd.factorize(told["store_id"])[0]
    order = np.lexsort((draws[:, 1], draws[:, 0], store))
    told, store = told.iloc[order], store[order]
    size = np.bincount(store)
    place = np.arange(len(store)) - (np.cumsum(size) - size)[store]
    wanted = (-(-size * share.numerator // share.denominator))[store]
    percent = f"{float(share):.0%}"
    return told[place < wanted].assign(
        source=source,
        source_id=lambda rows: rows[name],
        cause="drawn",
        why_en=f"drawn: {percent} of the store's {source}s",
        why_zh=f"抽样：门店{'回访' if source == 'visit' else '赠品发放'}的 {percent}",
    )


def _abnormal(rows: pd.DataFrame, cause: str) -> pd.DataFrame:
    return rows.assign(source="abnormal", cause=cause)


def _crowded(sales: pd.DataFrame, policy: AuditPolicy) -> pd.DataFrame:
    bought = sales[sales["amount"] > 0]
    keys = ["store_id", "member_id", "day"]
    rows = bought.groupby(keys, as_index=False).agg(tickets=("ticket_id", "size"))
    everywhere = rows.groupby(["member_id", "day"])["tickets"].transform("sum")
    rows = rows.assign(total=everywhere)[everywhere >= policy.tickets_a_day]
    day = rows["day"].dt.strftime("%Y-%m-%d")
    number = rows["total"].astype("str")
    return _abnormal(rows, "many_tickets").assign(
        source_id=day,
        why_en=number + " tickets on " + day,
        why_zh=day + " 有 " + number + " 张小票",
    )


def _outlying(
    sales: pd.DataFrame, policy: AuditPolicy, currency: Currency
) -> tuple[pd.DataFrame, list[Finding]]:
    keys = ["store_id", "member_id"]
    spend = sales.groupby(keys, as_index=False).agg(spend=("amount", "sum"))
    limits, unjudged = {}, 0
    for store, amounts in spend.groupby("store_id")["spend"]:
        ordered = np.sort(amounts.to_numpy())
        number = len(ordered)
        low, high = ordered[-(-number // 4) - 1], ordered[-(-3 * number // 4) - 1]
        if number < policy.least_members or low == high:
            unjudged += 1
            continue
        limits[store] = int(high + policy.fence * (high - low))
    judged = spend[spend["store_id"].isin(list(limits))]
    judged = judged.assign(limit=judged["store_id"].map(limits).astype("int64"))
    rows = judged[judged["spend"] > judged["limit"]]

    def said(language: str) -> list[tuple[str, str]]:
        pairs = zip(rows["spend"], rows["limit"], strict=True)
        return [
            (currency.format(spent, language), currency.format(fence, language))
            for spent, fence in pairs
        ]

    listed = _abnormal(rows, "spend_outlier").assign(
        source_id="",
        why_en=[f"spend {a} above the store's fence {b}" for a, b in said("en")],
        why_zh=[f"消费 {a}，超出门店界限 {b}" for a, b in said("zh")],
    )
    finding = Finding(
        table="tickets",
        rule="spend-not-judged",
        message_en="too few members, or no spread: the store's spend is not judged",
        message_zh="门店会员太少或消费无差异，未判断消费异常",
        severity=Severity.INFO,
        count=max(unjudged, 1),
    )
    return listed, [finding] if unjudged else []


def _unsold(used: pd.DataFrame, sales: pd.DataFrame) -> pd.DataFrame:
    sold = sales[sales["amount"] > 0]
    by_ticket = among(sold["ticket_id"], used["ticket_id"])
    keys = ["store_id", "member_id", "day"]
    both = pd.concat([sold[keys], used[keys]], ignore_index=True)
    places = both.groupby(keys, sort=False).ngroup()
    there = among(places[: len(sold)], places[len(sold) :])
    backed = np.where(used["ticket_id"] != "", by_ticket, there)
    rows = used[~backed.astype(bool)].drop_duplicates("discount_id")
    return _abnormal(rows, "discount_without_sale").assign(
        source_id=rows["discount_id"],
        why_en="a discount was used without a sale",
        why_zh="有优惠无销售",
    )
