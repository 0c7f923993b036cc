"""From the visit plan or a list of members to a batch of messages (HQ §6.1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import pandas as pd

from memberops.domain import Finding, Money, Severity
from memberops.domain.message import MessageBatch, MessageTemplate
from memberops.domain.visit import VisitChannel
from memberops.errors import InvalidValueError, UnknownTableError, nearest
from memberops.policies import MessagePlan, PhoneRule, lint_template
from memberops.policies import plan_messages as planned
from memberops.policies.message_text import gap_names
from memberops.reports.forms.messages import message_batch_form, message_left_out_form
from memberops.schedules import Period
from memberops.schedules.dates import add_days
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.inquiry import Inquiry, inquire
from memberops.workflows.message_access import needed_outbox, outbox, sms_settings
from memberops.workflows.message_batches import batch_rows, known_batch, planned_row
from memberops.workflows.message_facts import (
    record_facts,
    recorded_consents,
    recorded_contacts,
)
from memberops.workflows.message_held_out import add_held_out
from memberops.workflows.message_settings import TemplateSettings
from memberops.workflows.message_waiting import other_batches
from memberops.workflows.visit_questions import plan_of

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["plan_messages"]

_STANDING = ("stores", "cards", "consents", "complaints", "case_events")
_PLANNED = ("sales", "visits", "appointments", "levels")
_DUE = ("planned", "moved")
_NO_VISIT = "message-visit-none"


@attrs.frozen(kw_only=True)
class _Wish:
    """What is to be planned: the arguments of `plan_messages` that name the batch."""

    batch_id: str
    author: str
    at: dt.datetime
    opens_at: dt.datetime
    closes_at: dt.datetime
    cost_cap: Money | None


def plan_messages(
    chain: Chain,
    template: str,
    *,
    batch_id: str,
    as_of: dt.date,
    author: str,
    at: dt.datetime,
    members: Collection[str] | None = None,
    visits: bool = False,
    store: str | None = None,
    opens_at: dt.datetime | None = None,
    closes_at: dt.datetime | None = None,
    cost_cap: Decimal | int | str | None = None,
    seed: str | None = None,
    write: bool = False,
    tables: ChainTables | None = None,
    reveal: str | Collection[str] = (),
    progress: Progress | None = None,
) -> Answer:
    """
    Plan a batch of messages, and write it into the outbox if that is asked for.

    Nothing is sent: two people approve the batch first. Written again, the same batch
    counts once, also after a call that was cut off; another text or audience under
    its id is refused.

    Args:
        chain: The chain; a method of it.
        template: Id of one of the chain's templates.
        batch_id: Of the batch.
        as_of: The day of planning.
        author: Who makes the batch; may not approve it.
        at: Aware instant at which it is made.
        members: Only these members.
        visits: Only members whom the plan of visits has on *as_of* for a message, by
            the template's ``rules``, or by any rule if it names none.
        store: Only members of this store.
        opens_at: First moment at which a message may leave; the begin of the day by
            default.
        closes_at: From when on none may; the end of the day by default.
        cost_cap: What the batch may cost at most, in the chain's currency; the cost
            of the plan by default, if the policy knows a price.
        seed: Draws who is held out; the batch's id by default.
        write: Write the batch; without it, nothing is.
        tables: What `Chain.read` gave.
        reveal: No form of the answer shows a personal column.
        progress: Is told each table before it is read, and each chunk written.

    Returns:
        An `Answer` with the forms ``message_batch`` and ``message_left_out``; where
        no visit falls on the day, it says so and there is no row to approve.

    Raises:
        InvalidValueError: No such template or store, a template that cannot be sent,
            no price and no cap, a gap without column, or nobody to write to.
        MessageConflictError: The outbox has a batch of that id that says otherwise.
        UnknownTableError: There is no source of members, or for marketing none of
            consents.
        SourceError: See `Chain.read`.
    """
    own = sms_settings(chain).template(template)
    _check_consents(chain, own.template, tables)
    asked = inquire(
        chain,
        "messages",
        titles=("messages", "短信发送审批单"),
        as_of=as_of,
        needs=("members",),
        uses=(*_STANDING, "visits", *(_PLANNED if visits else ())),
        tables=tables,
        reveal=reveal,
        store=store,
        progress=progress,
    )
    _check_gaps(own, asked.tables["members"])
    chosen, found = _chosen(asked, own, members, visits=visits)
    unplanned = [
        (each.message_en, each.message_zh) for each in found if each.rule == _NO_VISIT
    ]
    if write and unplanned:
        raise InvalidValueError(f"{unplanned[0][0]}; nothing was written").in_chinese(
            f"{unplanned[0][1]}；未写入"
        )
    plan = planned(
        chosen,
        template=own.template,
        batch_id=batch_id,
        as_of=as_of,
        policy=chain.policies.messages,
        variables=dict(own.variables),
        phones=_phones(chain),
        seed=batch_id if seed is None else seed,
        sample=dict(own.sample) or None,
        **{name: asked.tables[name] for name in _STANDING if name in asked.tables},
    )
    wish = _Wish(
        batch_id=batch_id,
        author=author,
        at=at,
        opens_at=opens_at or _begin(as_of, chain),
        closes_at=closes_at or _begin(add_days(as_of, 1), chain),
        cost_cap=None if cost_cap is None else Money.of(cost_cap, chain.currency),
    )
    batch = _batch(plan, wish, needed=write)
    linted = lint_template(
        own.template, provider=_provider(chain, own.template), as_of=as_of
    )
    lines = [*unplanned, *_lines(chain, plan)]
    if write:
        if batch is None or not plan.size:
            raise InvalidValueError(
                "nobody is left to write to; nothing was written: the form "
                "'message_left_out' tells why"
            ).in_chinese("没有可发送的会员，未写入；原因见表单 message_left_out")
        rows, line, others = _write(asked, plan, batch, progress)
        found = [*found, *others]
        lines.append(line)
    else:
        rows = planned_row(chain, plan, batch)
        if unplanned or not plan.size:
            rows = rows.iloc[:0]  # there is nothing to approve
        lines.append(
            ("nothing was written; --write does it", "未写入；加 --write 写入")
        )
    return asked.answer(
        message_batch_form(
            rows,
            zone=chain.zone,
            currency=chain.currency,
            policy=chain.policies.messages,
        ),
        message_left_out_form(plan.left_out),
        lines=lines,
        findings=[*found, *plan.findings, *linted],
    )


def _check_consents(
    chain: Chain, template: MessageTemplate, tables: ChainTables | None
) -> None:
    """Refuse to look for nobody: without consents no one agreed to anything."""
    held = chain.sources if tables is None else tables
    if "consents" not in held and template.kind in chain.policies.messages.consent_for:
        raise UnknownTableError(
            "the chain has no table of consents, so nobody may be written to with "
            f"the template {template.template_id[:40]!r}: add [sources.consents]"
        ).in_chinese(
            f"没有会员同意表，模板 {template.template_id[:40]} 不能发给任何人："
            "请加 [sources.consents]"
        )


def _check_gaps(own: TemplateSettings, members: pd.DataFrame) -> None:
    """Refuse a gap that no column of the members fills, by the words of the file."""
    columns = dict(own.variables)
    for gap in gap_names(own.template):
        column = columns.get(gap, gap)
        if column not in members:
            section = f"[sms.templates.{own.template.template_id[:40]}]"
            known = [str(name) for name in members.columns]
            raise InvalidValueError(
                f"{section}: no column {column[:40]!r} of the members fills the gap "
                f"${{{gap[:40]}}}; {nearest(column[:40], known)} correct the text, or "
                f'say variables = {{ {gap[:40]} = "…" }}'
            ).in_chinese(
                f"{section}：会员档案没有列 {column[:40]!r}，变量 ${{{gap[:40]}}} "
                f'无法填写；请更正模板，或写 variables = {{ {gap[:40]} = "列名" }}'
            )


def _provider(chain: Chain, template: MessageTemplate) -> str:
    """Return the provider whose rules a template is held against."""
    settings = sms_settings(chain)
    if settings.accounts:
        return settings.sender(template.provider).kind
    return template.provider or settings.provider


def _phones(chain: Chain) -> PhoneRule:
    """A landline gets no message."""
    rule = chain.policies.phones
    if rule.country == "CN":
        return attrs.evolve(rule, mainland_only=True)
    return attrs.evolve(rule, mobile_only=True)


def _begin(day: dt.date, chain: Chain) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=chain.zone).astimezone(dt.UTC)


def _chosen(
    asked: Inquiry,
    own: TemplateSettings,
    members: Collection[str] | None,
    *,
    visits: bool,
) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the rows of the members who are meant, and what was wrong."""
    rows, findings = asked.tables["members"], []
    if asked.store is not None:
        if "store_id" not in rows:
            raise InvalidValueError("the members have no store: leave 'store' out")
        rows = rows[(rows["store_id"] == asked.store).fillna(value=False)]
    if members is not None:
        wanted = set(members)
        absent = sorted(wanted.difference(asked.tables["members"]["member_id"]))
        if absent:
            findings.append(_absent(len(absent)))
        rows = rows[rows["member_id"].isin(wanted).to_numpy(bool)]
    if visits:
        if "sales" not in asked.tables:
            raise UnknownTableError("the plan of visits needs a source of sales")
        plan, told = plan_of(asked, Period.day(asked.as_of))
        findings += told
        due = plan.rows[plan.rows["state"].isin(_DUE).to_numpy(bool)]
        due = due[(due["channel"] == VisitChannel.SMS.value).to_numpy(bool)]
        due = due[(due["day"] == pd.Timestamp(asked.as_of)).to_numpy(bool)]
        if own.rules:
            due = due[due["rule"].isin(own.rules).to_numpy(bool)]
        rows = rows[rows["member_id"].isin(due["member_id"]).to_numpy(bool)]
        if rows.empty:
            findings.append(_no_visit(asked.as_of, own.rules))
    return rows, findings


def _no_visit(day: dt.date, rules: Collection[str]) -> Finding:
    named = f" ({', '.join(rules)})" if rules else ""
    named_zh = f"（{'、'.join(rules)}）" if rules else ""
    return Finding(
        table="visits",
        rule=_NO_VISIT,
        message_en=f"no visit by SMS{named} is planned on {day} for the members asked "
        "for; the plan of visits lists the days that have one",
        message_zh=f"{day} 所选会员没有计划中的短信回访{named_zh}；"
        "有回访的日期见会员回访计划",
    )


def _absent(count: int) -> Finding:
    return Finding(
        table="members",
        rule="message-member-unknown",
        column="member_id",
        severity=Severity.WARNING,
        count=count,
        message_en="members to write to are not in the table of members",
        message_zh="名单中的会员不在会员档案中",
    )


def _batch(plan: MessagePlan, wish: _Wish, *, needed: bool) -> MessageBatch | None:
    """Make the batch; without a price it needs a cap, which a dry run may lack."""
    if not needed and plan.cost is None and wish.cost_cap is None:
        return None
    return plan.batch(
        opens_at=wish.opens_at,
        closes_at=wish.closes_at,
        author=wish.author,
        created_at=wish.at,
        cost_cap=wish.cost_cap,
    )


def _lines(chain: Chain, plan: MessagePlan) -> list[tuple[str, str]]:
    longest = 0 if not plan.size else int(plan.messages["characters"].max())
    cost_en, cost_zh = (
        ("not known", "未知")
        if plan.cost is None
        else [str(plan.cost.to_digits(chain.currency.digits))] * 2
    )
    counts = (f"{plan.size:,}", f"{plan.segments:,}", longest)
    others = (f"{len(plan.held_out):,}", f"{len(plan.left_out):,}")
    english = "messages {}, parts {}, longest {} characters; cost {}"
    chinese = "短信 {} 条，计费 {} 条，最长 {} 字；费用 {}"
    left_en, left_zh = "held out {}, left out {}", "对照组 {} 人，不发送 {} 人"
    lines = [
        (english.format(*counts, cost_en), chinese.format(*counts, cost_zh)),
        (left_en.format(*others), left_zh.format(*others)),
    ]
    reasons = plan.left_out[["reason_en", "reason_zh"]].value_counts()
    told: Any = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
    for (because_en, because_zh), count in told:
        lines.append((f"  {count:,}: {because_en}", f"  {count:,}：{because_zh}"))
    return lines


def _write(
    asked: Inquiry, plan: MessagePlan, batch: MessageBatch, progress: Progress | None
) -> tuple[pd.DataFrame, tuple[str, str], list[Finding]]:
    chain = asked.chain

    def told(done: int) -> None:
        if progress is not None:
            progress("writing messages", "写入短信", done, plan.size)

    with outbox(chain) as kept:
        others = other_batches(kept, plan, batch)
        before = known_batch(kept, batch.batch_id)
        if before is not None and before.fingerprint == batch.fingerprint:
            batch = before  # a call that was cut off is made again, a little later
        kept.add_batch(batch)
        add_held_out(needed_outbox(chain).held_out, batch.batch_id, plan.held_out)
        who = plan.messages["member_id"]
        record_facts(
            kept,
            consents=recorded_consents(asked, who),
            contacts=recorded_contacts(asked, who),
        )
        done = kept.enqueue(batch.batch_id, plan.each(), progress=told)
        rows = batch_rows(chain, kept, batch.batch_id)
    mark, counts = rows["fingerprint"].iloc[0], (f"{done.new:,}", f"{done.repeated:,}")
    english = "written {}, there before {}; fingerprint {}: two people approve it"
    chinese = "写入 {} 条，已存在 {} 条；指纹 {}，待两人审批"
    line = (english.format(*counts, mark), chinese.format(*counts, mark))
    return rows, line, others
