"""What the office asks about cases: which clock runs, who acts next, what is late."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from memberops.domain import Complaint, Finding, Severity
from memberops.errors import InvalidValueError
from memberops.policies import ServiceDecision, ServiceLevels, read_cases
from memberops.policies import hard_cases as hard_among
from memberops.policies.service_decision import instant_of
from memberops.reports import hard_cases_form, service_board_form
from memberops.reports.forms.words import CLOCKS
from memberops.workflows.answers import Answer
from memberops.workflows.case_clocks import case_clocks
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.inquiry import Inquiry, inquire, moment_of, of_store

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["hard_cases", "sla"]

_MINUTE = dt.timedelta(minutes=1)
_FAR = pd.Timestamp.max.tz_localize("UTC")
_COLUMNS = (
    "case_id", "store_id", "category", "channel", "received_at", "state", "next_clock",
    "action_en", "action_zh", "owner", "due_at", "remaining_working_minutes",
    "remaining_wall_minutes", "breaching_en", "breaching_zh",
)  # fmt: skip


def sla(
    chain: Chain,
    case: str | None = None,
    *,
    as_of: dt.datetime,
    store: str | None = None,
    tables: ChainTables | None = None,
    reveal: str | Collection[str] = (),
    progress: Progress | None = None,
) -> Answer:
    """
    Say of each open case what is next, who does it and by when (HQ §6.2).

    Args:
        chain: The chain; a method of it.
        case: Only this case: the answer explains each of its clocks.
        as_of: The moment, with its zone; what happened later is not known yet.
        store: Only the cases of this store.
        tables: What `Chain.read` gave, to answer several questions of one reading.
        reveal: Personal columns to show in full; the board has none.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``service_board``, the most urgent case first: cases
        with something left to do, and which targets a case that is in time now will
        miss before the office opens tomorrow. Of one case there is a decision, too.

    Raises:
        InvalidValueError: *as_of* has no zone, or there is no such case or store.
        UnknownTableError: There is no source of complaints.
        SourceError: See `Chain.read`.

    >>> from memberops.testing import sales_frame
    >>> from memberops.workflows import Chain
    >>> at = pd.Timestamp("2026-11-05T09:00+08:00")
    >>> desk = Chain.from_frames(
    ...     sales=sales_frame([("T1", "2026-11-01", "S1", "M1", 1, "10.00")]),
    ...     complaints=pd.DataFrame({"case_id": ["K1"], "store_id": ["S1"],
    ...                              "received_at": [at]}))
    >>> answer = desk.sla("K1", as_of=(at + pd.Timedelta(hours=20)).to_pydatetime())
    >>> print(answer.explain("zh").splitlines()[0])
    回复：即将到期，应于 2026-11-06 09:00+08:00 前完成，剩余 4 小时...
    >>> answer.frame()[["owner", "due_at", "remaining_wall_minutes"]].values.tolist()
    [['handler', '2026-11-06 09:00', 240]]
    """
    instant_of(as_of, "as_of")
    asked = inquire(
        chain,
        "sla",
        titles=("service levels", "投诉时限"),
        as_of=as_of.astimezone(chain.zone).date(),
        needs=("complaints",),
        uses=("case_events", "stores"),
        tables=tables,
        reveal=reveal,
        store=store,
        progress=progress,
    )
    cases, findings = read_cases(
        asked.tables["complaints"],
        asked.tables.get("case_events"),
        currency=chain.currency,
        zone=chain.zone,
    )
    decided = _decided(asked, _chosen(cases, case, store), as_of)
    known = [
        *findings,
        *_found(decided),
        *_hours_unknown(chain.policies.service_levels),
    ]
    form = service_board_form(
        _board(decided, everything=case is not None),
        stores=asked.stores,
        policy=chain.policies.service_levels,
        as_of=as_of.astimezone(chain.zone),
        zone=chain.zone.key,
    )
    if case is not None:
        decisions = [decision for _, decision in decided]
        lines = [
            (reason.text("en"), reason.text("zh"))
            for decision in decisions
            for reason in decision.reasons
        ]
        return asked.answer(form, lines=lines, findings=known, decisions=decisions)
    return asked.answer(form, lines=_counted(decided), findings=known)


def hard_cases(
    chain: Chain,
    *,
    as_of: dt.date,
    store: str | None = None,
    tables: ChainTables | None = None,
    reveal: str | Collection[str] = (),
    progress: Progress | None = None,
) -> Answer:
    """
    List the hard cases of a week, why each is, and what usually helps (HQ §6.2).

    Args:
        chain: The chain; a method of it.
        as_of: The end of the week: a day, meant to its end, such as
            ``Period.parse("2026-W45").through``, or a moment with its zone.
        store: Only the cases of this store.
        tables: What `Chain.read` gave, to answer several questions of one reading.
        reveal: Personal columns to show in full; the form has none.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the form ``hard_cases``, the oldest case first.

    Raises:
        InvalidValueError: A moment without a zone, or *store* is not known.
        UnknownTableError: There is no source of complaints.
        SourceError: See `Chain.read`.
    """
    day, moment = moment_of(as_of, chain.zone)
    asked = inquire(
        chain,
        "hard_cases",
        titles=("hard cases", "疑难投诉周报"),
        as_of=day,
        needs=("complaints",),
        uses=("case_events", "stores"),
        tables=tables,
        reveal=reveal,
        store=store,
        progress=progress,
    )
    clocks, findings = case_clocks(asked, moment)
    policy = chain.policies.hard_cases
    form = of_store(
        hard_cases_form(
            hard_among(clocks, as_of=moment, policy=policy),
            stores=asked.stores,
            policy=policy,
            as_of=moment.astimezone(chain.zone),
        ),
        store,
    )
    count = len(form.frame)
    return asked.answer(
        form,
        lines=[(f"hard cases: {count:,}", f"疑难投诉 {count:,} 件")],
        findings=findings,
    )


def _chosen(
    cases: tuple[Complaint, ...], case: str | None, store: str | None
) -> list[Complaint]:
    if case is not None and all(each.case_id != case for each in cases):
        raise InvalidValueError(
            f"no case is called {case[:40]!r}: ids are compared letter by letter, "
            "with their leading zeros"
        )
    return [
        each
        for each in cases
        if (case is None or each.case_id == case)
        and (store is None or each.store_id == store)
    ]


def _decided(
    asked: Inquiry, cases: Iterable[Complaint], as_of: dt.datetime
) -> list[tuple[Complaint, ServiceDecision]]:
    """Decide each case by the levels of its store; later cases are not known yet."""
    levels: dict[str, ServiceLevels] = {}
    decided = []
    # Moments of one zone compare by the wall clock, wrongly in a repeated hour.
    moment = instant_of(as_of, "as_of")
    for case in cases:
        if case.received_at.astimezone(dt.UTC) > moment:
            continue
        store = case.store_id or ""
        if store not in levels:
            levels[store] = asked.policies.of_store(store).service_levels
        decided.append((case, levels[store].decide(case, as_of=as_of)))
    return decided


def _board(
    decided: list[tuple[Complaint, ServiceDecision]], *, everything: bool
) -> pd.DataFrame:
    """Put the cases in the order of their urgency."""
    rows = [
        _row(case, decision)
        for case, decision in decided
        if everything or decision.next_action is not None
    ]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    for name in ("received_at", "due_at"):
        moments = pd.to_datetime(frame[name], utc=True)
        frame[name] = moments.astype("datetime64[us, UTC]")
    for name in ("remaining_working_minutes", "remaining_wall_minutes"):
        frame[name] = frame[name].astype("Int64")
    late = frame["state"].ne("breached")
    order = frame.assign(_late=late, _due=frame["due_at"].fillna(_FAR))
    return frame.loc[order.sort_values(["_late", "_due", "case_id"]).index]


def _row(case: Complaint, decision: ServiceDecision) -> dict[str, Any]:
    action = decision.next_action
    row: dict[str, Any] = {
        "case_id": case.case_id,
        "store_id": case.store_id,
        "category": case.category,
        "channel": None if case.channel is None else case.channel.value,
        "received_at": case.received_at,
        "state": decision.outcome,
    }
    names = {word: (english, chinese) for word, english, chinese in CLOCKS}
    breaching = [names.get(name, (name, name)) for name in _breaching(decision)]
    row["breaching_en"] = ", ".join(each[0] for each in breaching) or None
    row["breaching_zh"] = "、".join(each[1] for each in breaching) or None
    if action is None:
        return row
    running = [
        clock
        for clock in decision.clocks
        if clock.name == action.clock and clock.is_open
    ]
    if running and running[-1].remaining is not None:
        kind = "working" if running[-1].counts_working_time else "wall"
        row[f"remaining_{kind}_minutes"] = running[-1].remaining // _MINUTE
    return row | {
        "next_clock": action.clock or None,
        "action_en": action.text("en"),
        "action_zh": action.text("zh"),
        "owner": action.owner,
        "due_at": action.due_at,
    }


def _breaching(decision: ServiceDecision) -> tuple[str, ...]:
    return tuple(dict.fromkeys(decision.breaching_before_opening))


def _counted(
    decided: list[tuple[Complaint, ServiceDecision]],
) -> list[tuple[str, str]]:
    states = Counter(
        str(decision.outcome)
        for _, decision in decided
        if decision.next_action is not None
    )
    soon = sum(bool(_breaching(decision)) for _, decision in decided)
    english = (
        f"cases received: {len(decided):,}; open: {states.total():,}; "
        f"late: {states['breached']:,}; due soon: {states['due_soon']:,}"
    )
    chinese = (
        f"已受理投诉 {len(decided):,} 件；未结 {states.total():,} 件；"
        f"已超时 {states['breached']:,} 件；即将到期 {states['due_soon']:,} 件"
    )
    lines = [(english, chinese)]
    opens = [each.opens_at for _, each in decided if each.opens_at is not None]
    if opens:
        lines.append(
            (
                f"late before the office opens tomorrow, if nothing happens: {soon:,}",
                f"如不处理，明日上班前将超时：{soon:,} 件",
            )
        )
    return lines


def _found(decided: list[tuple[Complaint, ServiceDecision]]) -> list[Finding]:
    return [finding for _, decision in decided for finding in decision.findings]


def _hours_unknown(levels: ServiceLevels) -> list[Finding]:
    if levels.office is not None or levels.calendar is not None:
        return []
    return [
        Finding(
            table="complaints",
            rule="office-hours-unknown",
            severity=Severity.INFO,
            message_en="the chain's office hours are unknown, so it is not told what "
            "will be late before the opening: add [policies.working_calendar]",
            message_zh="未设定上班时间，无法预告明日上班前将超时的投诉："
            "请添加 [policies.working_calendar]",
        )
    ]
