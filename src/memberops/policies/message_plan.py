"""A batch of messages to many members: planned, held out, or left out with a reason."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import attrs
import pandas as pd

from memberops.domain import Finding, Money
from memberops.domain.message import (
    Message,
    MessageBatch,
    MessageTemplate,
    audience_digest,
)
from memberops.domain.values import check_as_of
from memberops.errors import InvalidValueError, bounded, nearest
from memberops.policies.message_audience import gather_audience
from memberops.policies.message_making import (
    CHUNK,
    HELD,
    WRITTEN,
    Making,
    left_out,
    values_of,
)
from memberops.policies.message_policy import MessagePolicy
from memberops.policies.message_text import TextRules, gap_names
from memberops.policies.phones import PhoneRule

__all__ = ["MessagePlan", "plan_messages"]

_MADE_UP = "示例"


@attrs.frozen(kw_only=True, eq=False)
class MessagePlan:
    """
    What a batch would send, and to whom it would not.

    Every row of the members is in exactly one of the three frames.

    Args:
        batch_id: The batch.
        template: What is written.
        policy: The rules it was planned by.
        messages: One row a message, by member: ``message_id``, ``member_id``,
            ``phone`` (E.164), ``zone``, ``store_id``, ``characters``, ``segments``
            and a column ``${name}`` for each gap. Personal.
        held_out: Members who are not written to so that the effect can be measured:
            ``member_id``, ``store_id``.
        left_out: ``row`` (in the frame of members, from 1), ``member_id``, ``rule``,
            ``reason_en``, ``reason_zh``.
        findings: What was wrong with the data.
        audience: Fingerprint of who is written to what, see `audience_digest`.
        sample: The text with made-up values.
    """

    batch_id: str
    template: MessageTemplate
    policy: MessagePolicy = attrs.field(repr=False)
    messages: pd.DataFrame = attrs.field(repr=False)
    held_out: pd.DataFrame = attrs.field(repr=False)
    left_out: pd.DataFrame = attrs.field(repr=False)
    findings: tuple[Finding, ...]
    audience: str
    sample: str

    def __repr__(self) -> str:
        """Count, and show nobody."""
        return (
            f"MessagePlan({self.batch_id!r}, {len(self.messages)} messages, "
            f"{len(self.held_out)} held out, {len(self.left_out)} left out, "
            f"{len(self.findings)} findings)"
        )

    @property
    def size(self) -> int:
        """How many messages."""
        return len(self.messages)

    @property
    def segments(self) -> int:
        """How many parts are billed."""
        return int(self.messages["segments"].sum())

    @property
    def cost(self) -> Money | None:
        """What all parts cost, exact as the price; None if the policy knows none."""
        price = self.policy.price
        return None if price is None else price.times(self.segments)

    def batch(
        self,
        *,
        opens_at: dt.datetime,
        closes_at: dt.datetime,
        author: str,
        created_at: dt.datetime,
        cost_cap: Money | None = None,
    ) -> MessageBatch:
        """
        Make what two people approve.

        Args:
            opens_at: First moment at which a message may leave.
            closes_at: From when on none may.
            author: Who made it.
            created_at: When.
            cost_cap: What it may cost at most; the cost of the plan by default. It is
                held with the digits of the price, in which costs are counted.

        Raises:
            InvalidValueError: No cap and no price, or a cap below the plan's cost.
        """
        cost = self.cost
        cap = cost if cost_cap is None else _counted_as(cost, cost_cap)
        if cap is None:
            raise InvalidValueError(
                "the policy knows no price, so give 'cost_cap', or price= to it"
            ).in_chinese(
                "没有短信单价：请填 --cost-cap，或在 [policies.messages] 写 price"
            )
        if cost is not None and cost > cap:
            raise InvalidValueError(
                f"{self.segments} parts cost {cost}, above the cap of {cap}"
            ).in_chinese(f"计费 {self.segments} 条共 {cost}，超过费用上限 {cap}")
        return MessageBatch(
            batch_id=self.batch_id,
            template=self.template,
            sample=self.sample,
            audience=self.audience,
            size=self.size,
            opens_at=opens_at,
            closes_at=closes_at,
            cost_cap=cap,
            author=author,
            created_at=created_at,
        )

    def each(self) -> Iterator[Message]:
        """Give the messages one by one, as an outbox takes them; few at a time."""
        names = gap_names(self.template)
        write = TextRules(self.template, self.policy).writer(self.template)
        for first in range(0, self.size, CHUNK):
            rows = self.messages.iloc[first : first + CHUNK]
            values = values_of(rows, names)
            columns = ("message_id", "member_id", "phone", "zone", "store_id")
            known = (rows[name].tolist() for name in columns)
            for key, member, phone, zone, store, given in zip(
                *known, values, strict=True
            ):
                filling: Any = zip(names, given, strict=True)
                yield Message(
                    message_id=key,
                    batch_id=self.batch_id,
                    member_id=member,
                    phone=phone,
                    zone=zone,
                    store_id=store,
                    text=write(given),
                    variables=filling,
                )


def plan_messages(
    members: Any,
    *,
    template: MessageTemplate,
    batch_id: str,
    as_of: dt.date,
    policy: MessagePolicy | None = None,
    variables: Mapping[str, str] | None = None,
    phones: PhoneRule | None = None,
    seed: str = "",
    sample: Mapping[str, str] | None = None,
    stores: Any = None,
    cards: Any = None,
    consents: Any = None,
    complaints: Any = None,
    case_events: Any = None,
) -> MessagePlan:
    """
    Plan one message to each member who may be written to (HQ §6.1, §6.3.3.2).

    A member is left out by the first rule that holds: no id, a second row, enrolled
    later, a suppression of the visits, no consent (for marketing), an ended
    membership, a number that cannot be read or that another member has, a value that
    cannot stand in its gap, a text that may not be sent. Hours and caps are asked
    when a message leaves, see `MessagePolicy.may_send`.

    The same facts give the same plan, whatever the order of the rows; a member's
    message has the same id however often it is planned. Texts are made in chunks and
    not kept.

    Args:
        members: See `memberops.tables.MEMBERS`: ``member_id`` and ``phone``; as far
            as they are known ``store_id``, ``joined_on``, ``zone``, and a
            true-or-false column for a suppression of the chain's own; and the
            columns of the gaps.
        template: What is written.
        batch_id: Of the batch; with the member's id it makes the message's id.
        as_of: The day of planning.
        policy: The rules; the spec's by default.
        variables: For a gap the column that fills it; by default that of its name.
        phones: How numbers are read; mainland mobiles by default.
        seed: Draws who is held out: the same seed gives the same members.
        sample: Made-up values for the text that is shown to those who approve.
        stores: See `memberops.tables.STORES`, for the zones of stores.
        cards: See `memberops.tables.CARDS`: whose membership has ended.
        consents: See `memberops.tables.CONSENTS`.
        complaints: See `memberops.tables.COMPLAINTS`.
        case_events: See `memberops.tables.CASE_EVENTS`.

    Raises:
        InvalidValueError: A template that could not be sent to anyone, or a column
            for a gap that it does not have.
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: Numbers as ids or phones, a date with a zone.

    >>> members = pd.DataFrame({"member_id": ["M1", "M2", "M3"], "name": "王女士",
    ...     "phone": ["13812345678", "13912345678", "1391234"]})
    >>> template = MessageTemplate(template_id="T1", kind="notice",
    ...     signature="示例店", text="${name}，您的会员卡本月到期。")
    >>> plan = plan_messages(members, template=template, batch_id="B1",
    ...                      as_of=dt.date(2026, 11, 5))
    >>> plan
    MessagePlan('B1', 2 messages, 0 held out, 1 left out, 1 findings)
    >>> plan.left_out["rule"].tolist()
    ['phone_invalid']
    """
    policy = policy or MessagePolicy()
    check_as_of(as_of)
    names = gap_names(template)
    columns = dict(variables or {})
    for gap in sorted(set(columns).difference(names)):
        raise InvalidValueError(
            f"the template {template.template_id!r} has no gap {bounded([gap])}: "
            f"{nearest(gap, names)}"
        )
    _check_template(template, policy, as_of)
    audience = gather_audience(
        members,
        template=template,
        policy=policy,
        as_of=as_of,
        variables={gap: columns.get(gap, gap) for gap in names},
        phones=phones or PhoneRule(mainland_only=True),
        consents=consents,
        sources={"stores": stores, "cards": cards, "complaints": complaints,
                 "case_events": case_events},
    )  # fmt: skip
    made = Making(audience, template, policy, batch_id, seed)
    digest, _ = audience_digest(made.pairs())
    rows = audience.rows
    written = made.state == WRITTEN
    messages = rows[written].drop(columns="row").reset_index(drop=True)
    messages.insert(0, "message_id", pd.Series(made.ids, dtype="str"))
    messages["characters"] = made.characters[written]
    messages["segments"] = made.segments[written]
    held = rows.loc[made.state == HELD, ["member_id", "store_id"]]
    return MessagePlan(
        batch_id=batch_id,
        template=template,
        policy=policy,
        messages=messages,
        held_out=held.reset_index(drop=True),
        left_out=left_out(rows, made, policy),
        findings=audience.findings,
        audience=digest,
        sample=policy.render(template, sample or dict.fromkeys(names, _MADE_UP)),
    )


def _check_template(
    template: MessageTemplate, policy: MessagePolicy, as_of: dt.date
) -> None:
    """Refuse a template that is unlawful, or too long, with the shortest values."""
    probe = policy.render(template, dict.fromkeys(gap_names(template), "中"))
    answer = policy.check_text(template, probe, as_of=as_of)
    if answer.outcome != "accepted":
        raise InvalidValueError(
            f"the template {template.template_id!r} cannot be sent to anyone: "
            f"{answer.explain()}"
        ).in_chinese(
            f"模板 {bounded([template.template_id])} 的短信不能发送："
            f"{answer.explain('zh')}"
        )


def _counted_as(cost: Money | None, cap: Money) -> Money:
    """Return a cap in the digits of the cost; what is below them is cut."""
    if cost is None or cost.currency.code != cap.currency.code:
        return cap
    shift = cost.currency.digits - cap.currency.digits
    return Money(math.floor(cap.minor * Fraction(10) ** shift), cost.currency)
