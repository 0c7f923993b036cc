"""Which tickets a waiver rests on: the evidence of one case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import attrs
import narwhals as nw
import pandas as pd

from memberops.domain import Card, Money
from memberops.domain.values import check_as_of
from memberops.errors import ColumnTypeError, MissingColumnsError
from memberops.policies.exclusions import excluded_by
from memberops.policies.fee_waiver import FeeWaiver, WaiverDecision
from memberops.policies.figures import entered
from memberops.policies.rules import Figure

__all__ = ["Evidence", "EvidenceLine", "waiver_evidence"]

_NEEDED = ("member_id", "sold_on", "amount")
_TEXTS = {
    "purchase": ("purchase, counts", "消费，计入"),
    "return": ("no purchase, counts for spend only", "非消费，只计入金额"),
    "before": ("before the year", "早于本年度，不计"),
    "after": ("after the year", "晚于本年度，不计"),
    "no_day": ("has no day, does not count", "无日期，不计"),
    "not_known": ("later than the day asked for", "晚于查询日，不计"),
    "excluded": ("excluded: {en}", "不计入：{zh}"),
}  # fmt: skip


@attrs.frozen(kw_only=True)
class EvidenceLine:
    """
    One ticket of a member, with what it counts for and why.

    Args:
        ticket_id: The ticket, if the frame names it.
        sold_on: Its day; None where the data have none.
        store_id: Its store, if the frame names it.
        amount: Its net amount.
        rule: ``"purchase"``, ``"return"``, ``"before"``, ``"after"``,
            ``"not_known"``, ``"no_day"`` or ``"excluded"``.
        text_en: Why, in English.
        text_zh: Why, in Chinese.
    """

    ticket_id: str | None
    sold_on: dt.date | None
    store_id: str | None
    amount: Money
    rule: str
    text_en: str
    text_zh: str

    @property
    def counts(self) -> bool:
        """Whether its amount counts for the spend."""
        return self.rule in ("purchase", "return")


@attrs.frozen(kw_only=True)
class Evidence:
    """
    The tickets of a case, in the order of their days, and what they decide.

    They name tickets and stores, never the member.

    Args:
        lines: All tickets of the member, those that do not count too.
        purchases: How many purchases count.
        spend: What counts for the spend.
        decision: What the waiver says of both.
    """

    lines: tuple[EvidenceLine, ...]
    purchases: int
    spend: Money
    decision: WaiverDecision

    def to_frame(self) -> pd.DataFrame:
        """Return one row a ticket: what each line has, amounts in minor units."""
        rows = [
            {**attrs.asdict(line, recurse=False), "amount": line.amount.minor}
            for line in self.lines
        ]
        columns = [field.name for field in attrs.fields(EvidenceLine)]
        frame = pd.DataFrame(rows, columns=columns)
        frame["sold_on"] = pd.to_datetime(frame["sold_on"]).astype("datetime64[us]")
        return frame.astype({"amount": "int64"})


def waiver_evidence(
    waiver: FeeWaiver, card: Card, tickets: Any, *, as_of: dt.date, **figures: Figure
) -> Evidence:
    """
    List which tickets count for a card, and decide by them.

    Args:
        waiver: The waiver.
        card: The card.
        tickets: A frame of any engine as `FeeWaiver.figures` takes it, optional with
            ``ticket_id`` and ``store_id``; only the rows of the card's member are read.
        as_of: The day asked for.
        **figures: Figures of the waiver's rule that tickets do not tell.

    Raises:
        MissingColumnsError: A needed column, or that of an exclusion, is absent.
        ColumnTypeError: Amounts are no whole minor units, or days are none.

    >>> card = Card(card_id="C1", member_id="M1",
    ...     valid_from=dt.date(2026, 1, 1), valid_through=dt.date(2026, 12, 31))
    >>> tickets = pd.DataFrame({"ticket_id": ["T1", "T2"], "member_id": ["M1"] * 2,
    ...     "sold_on": pd.to_datetime(["2025-12-31", "2026-01-01"]),
    ...     "amount": [50000, 77000]})
    >>> found = waiver_evidence(FeeWaiver(), card, tickets, as_of=dt.date(2026, 11, 5))
    >>> [(line.ticket_id, line.text_zh) for line in found.lines]
    [('T1', '早于本年度，不计'), ('T2', '消费，计入')]
    >>> print(found.decision.explain("zh"))
    还差 2 次消费或 230.00 元（截至 2026-12-31）
    """
    window = waiver.window(card, as_of=check_as_of(as_of))
    lines = []
    for row in _rows(tickets, card.member_id):
        day = _day(row["sold_on"])
        minor = 0 if row["amount"] is None else int(row["amount"])
        excluded = excluded_by(row, waiver.exclusions)
        if excluded is not None:
            rule = "excluded"
        elif day is None:
            rule = "no_day"
        elif day > as_of:
            rule = "not_known"
        elif day not in window:
            rule = "before" if day < window.start else "after"
        else:
            rule = "purchase" if minor > 0 else "return"
        english, chinese = excluded.texts if excluded else ("", "")
        lines.append(
            EvidenceLine(
                ticket_id=_text(row.get("ticket_id")),
                sold_on=day,
                store_id=_text(row.get("store_id")),
                amount=Money(minor, waiver.currency),
                rule=rule,
                text_en=_TEXTS[rule][0].format(en=english),
                text_zh=_TEXTS[rule][1].format(zh=chinese),
            )
        )
    lines.sort(key=lambda line: (line.sold_on or dt.date.max, line.ticket_id or ""))
    purchases = sum(line.rule == "purchase" for line in lines)
    total = sum(line.amount.minor for line in lines if line.counts)
    spend = Money(total, waiver.currency)
    decision = waiver.decide(
        card, as_of=as_of, purchases=purchases, spend=spend, **figures
    )
    return Evidence(
        lines=tuple(lines), purchases=purchases, spend=spend, decision=decision
    )


def _rows(tickets: Any, member_id: str) -> Iterator[dict[str, Any]]:
    frame = entered(tickets, "tickets")
    names = frame.collect_schema().names()
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise MissingColumnsError("tickets", missing, names)
    amounts = frame.collect_schema()["amount"]
    if not amounts.is_integer():
        raise ColumnTypeError(
            f"column 'amount' of the tickets frame is {amounts}"
            "; it must hold whole minor units (Currency.to_minor)"
        )
    mine = frame.filter(nw.col("member_id") == member_id)
    taken = mine.collect() if isinstance(mine, nw.LazyFrame) else mine
    columns = {name: taken[name].to_list() for name in names}
    for values in zip(*columns.values(), strict=True):
        row = dict(zip(columns, values, strict=True))
        yield {name: _known(value) for name, value in row.items()}


def _known(value: Any) -> Any:
    gap: Any = pd.isna(value)
    return None if gap is True else value


def _day(value: Any) -> dt.date | None:
    if value is None:
        return None
    if not isinstance(value, dt.date):
        raise ColumnTypeError(
            "column 'sold_on' of the tickets frame must hold calendar days, such as "
            f"pandas.to_datetime(...) gives, not a {type(value).__name__}"
        )
    return value.date() if isinstance(value, dt.datetime) else value


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
