"""What happened, or will, and asks for a visit: facts of the canonical tables."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from memberops.domain import Finding
from memberops.domain.values import check_as_of
from memberops.errors import InvalidValueError, ScheduleError
from memberops.policies.case_intake import instants_of, told
from memberops.policies.case_standing import case_states, end_of_day
from memberops.policies.intake import taken
from memberops.policies.lunar_words import read_lunar_birthday
from memberops.policies.refill import supply_facts
from memberops.policies.visit_intake import as_days, as_text, told_text
from memberops.policies.visit_purchases import in_order, purchases
from memberops.schedules import LunarBirthday, lunar_birthdays
from memberops.tables import APPOINTMENTS, CARDS, MEMBERS

__all__ = ["visit_facts"]

_COLUMNS = ("member_id", "trigger", "on", "fact_id", "store_id")
_GONE = ("cancelled", "kept", "missed")


def visit_facts(
    *,
    as_of: dt.date,
    first: dt.date | None = None,
    through: dt.date | None = None,
    zone: str = "Asia/Shanghai",
    members: Any = None,
    filed: Any = None,
    sales: Any = None,
    cards: Any = None,
    waived: Any = None,
    complaints: Any = None,
    case_events: Any = None,
    supplies: Any = None,
    appointments: Any = None,
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """
    Gather the facts that `plan_visits` plans from; each table gives its own.

    * members: ``filed`` (the day of enrolment, unless *filed* is given),
      ``birth_date``, and ``lunar_birthday`` for whom keeps it in that calendar;
    * sales: ``purchase``, once a day of a member, and ``last_purchase``; a ticket
      that is not above zero after its linked returns is no purchase (HQ §4.2);
    * cards: ``card_end``, the last day of each card's last term in the table, unless
      the fee of that term is *waived* (HQ §4.2);
    * complaints: ``complaint``, until the customer was called back, and again from
      the day on which a case that was called back is opened once more;
    * supplies and appointments: ``supply_end`` and ``appointment``.

    Args:
        as_of: The day of planning: what happened later is not known yet.
        first: First day for which lunar birthdays are worked out; *as_of* by default.
            A plan that makes up for what is late asks for earlier ones.
        through: Last day for which lunar birthdays are worked out; a year ahead by
            default.
        zone: IANA zone in which a moment has its day.
        members: See `memberops.tables.MEMBERS`.
        filed: ``member_id`` and ``filed_on``, as `file_profiles` gives them.
        sales: See `memberops.tables.SALES`.
        cards: See `memberops.tables.CARDS`.
        waived: ``card_id`` and ``valid_through`` of the terms whose waiver is met:
            no one is asked to renew them.
        complaints: See `memberops.tables.COMPLAINTS`.
        case_events: See `memberops.tables.CASE_EVENTS`.
        supplies: As `supply_facts` takes them.
        appointments: See `memberops.tables.APPOINTMENTS`.

    Returns:
        ``member_id``, ``trigger``, ``on``, ``fact_id``, ``store_id``, in an order that
        does not depend on that of the rows; and what could not be used, counted.

    Raises:
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: A date with a zone, a moment without one, ids that are
            numbers.
        MissingExtraError: A birthday is lunar and the extra ``cn`` is not installed.

    >>> members = pd.DataFrame({"member_id": ["M1"],
    ...     "joined_on": pd.to_datetime(["2026-11-03"])})
    >>> facts, _ = visit_facts(as_of=dt.date(2026, 11, 5), members=members)
    >>> facts[["member_id", "trigger", "on"]].to_numpy().tolist()
    [['M1', 'filed', Timestamp('2026-11-03 00:00:00')]]
    """
    check_as_of(as_of)
    last = through or as_of + dt.timedelta(days=366)
    if last < as_of:
        raise InvalidValueError(f"'through' ({last}) lies before 'as_of' ({as_of})")
    found: list[Finding] = []
    parts: list[pd.DataFrame] = []
    if members is not None:
        parts += _of_members(members, as_of, (first or as_of, last), found)
    if filed is not None:
        parts = [part for part in parts if not (part["trigger"] == "filed").any()]
        frame = taken(filed, MEMBERS, ["member_id"], ["filed_on"])
        MEMBERS.check_columns(frame.columns, ["filed_on"])
        parts.append(_facts(frame, "filed", as_days(frame, "filed_on"), until=as_of))
    if sales is not None:
        parts += _of_sales(sales, as_of, found)
    if cards is not None:
        parts.append(_of_cards(cards, waived))
    if complaints is not None:
        parts.append(_of_complaints(complaints, case_events, as_of, zone, found))
    if supplies is not None:
        parts.append(supply_facts(supplies))
    if appointments is not None:
        parts.append(_of_appointments(appointments, as_of, zone, found))
    empty = _facts(
        pd.DataFrame({"member_id": []}, dtype=object), "", np.array([], "M8[D]")
    )
    facts = pd.concat([empty, *parts], ignore_index=True)
    return in_order(facts), tuple(found)


def _facts(
    rows: pd.DataFrame,
    trigger: str,
    on: Any,
    *,
    fact_id: str = "",
    store: bool = False,
    until: dt.date | None = None,
) -> pd.DataFrame:
    """Make facts of rows that have a member and a day, none later than *until*."""
    member = _text(rows, "member_id")
    facts = pd.DataFrame(
        {
            "member_id": member,
            "trigger": _same(trigger, len(rows)),
            "on": on.astype("datetime64[us]"),
            "fact_id": _text(rows, fact_id),
            "store_id": _text(rows, "store_id" if store else ""),
        },
        columns=list(_COLUMNS),
    )
    good = (member != "").to_numpy() & ~np.isnat(on)
    if until is not None:
        good &= on <= np.datetime64(until)
    kept: pd.DataFrame = facts[good]
    return kept


def _text(rows: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Read a column of ids as text, empty where it is missing or not there."""
    if column not in rows:
        return _same("", len(rows))
    return told_text(rows, column).astype("str").fillna("").reset_index(drop=True)


def _same(text: str, count: int) -> pd.Series[Any]:
    return pd.Series([text], dtype="str").repeat(count).reset_index(drop=True)


def _of_members(
    members: Any,
    as_of: dt.date,
    span: tuple[dt.date, dt.date],
    found: list[Finding],
) -> list[pd.DataFrame]:
    names = ["joined_on", "birth_date", "birthday_calendar", "lunar_birthday"]
    rows = taken(members, MEMBERS, ["member_id"], names)
    joined = (
        as_days(rows, "joined_on")
        if "joined_on" in rows
        else np.full(len(rows), np.datetime64("NaT", "D"))
    )
    known = ~(joined > np.datetime64(as_of))
    rows, joined = rows[known].reset_index(drop=True), joined[known]
    parts = [_facts(rows, "filed", joined, until=as_of)]
    if "birth_date" not in rows and "lunar_birthday" not in rows:
        return parts
    born = (
        as_days(rows, "birth_date")
        if "birth_date" in rows
        else np.full(len(rows), np.datetime64("NaT", "D"))
    )
    lunar = as_text(rows, "birthday_calendar") == "lunar"
    parts.append(_facts(rows[~lunar], "birth_date", born[~lunar], until=as_of))
    if lunar.any():
        own, days = _lunar_days(
            born[lunar], as_text(rows, "lunar_birthday")[lunar], span, found
        )
        parts.append(_facts(rows[lunar].iloc[own], "lunar_birthday", days))
    return parts


def _lunar_days(
    born: Any, texts: Any, span: tuple[dt.date, dt.date], found: list[Finding]
) -> tuple[Any, Any]:
    """Work out the solar days of lunar birthdays: of each different word once."""
    codes, words = pd.factorize(texts)
    read = [read_lunar_birthday(word) for word in words]
    days = [None if each is None else _between(each, *span) for each in read]
    written = np.array([each is not None for each in read], bool)[codes]
    lost = written & np.array([each is None for each in days], bool)[codes]
    count = np.array([len(each or ()) for each in days], np.int64)
    own = np.repeat(np.arange(len(codes)), count[codes])
    step = np.arange(len(own)) - np.repeat(
        np.cumsum(count[codes]) - count[codes], count[codes]
    )
    listed = np.array([day for each in days for day in each or ()], "datetime64[D]")
    on = listed[(np.cumsum(count) - count)[codes[own]] + step]
    silent = np.flatnonzero(~written & ~np.isnat(born))
    unread = int(np.count_nonzero(lost | (~written & np.isnat(born))))
    more, later = np.array([], np.int64), np.array([], "datetime64[D]")
    if len(silent):
        try:
            solar = lunar_birthdays(
                pd.Series(born[silent].astype("datetime64[us]")),
                first=span[0],
                last=span[1],
            )
        except ScheduleError:
            unread += len(silent)
        else:
            more = silent[solar["row"].to_numpy()]
            later = solar["on"].to_numpy().astype("datetime64[D]")
            unread += _unlike(born[np.setdiff1d(silent, more)])
    found += told(_LUNAR, unread)
    return np.concatenate([own, more]), np.concatenate([on, later])


def _unlike(born: Any) -> int:
    """Count the birth dates that the lunar calendar does not know."""
    days, counts = np.unique(born, return_counts=True)
    unread = 0
    for day, count in zip(days.tolist(), counts.tolist(), strict=True):
        try:
            LunarBirthday.born_on(day)
        except ScheduleError:
            unread += count
    return unread


def _between(
    birthday: LunarBirthday, first: dt.date, last: dt.date
) -> tuple[dt.date, ...] | None:
    try:
        return birthday.between(first, last)
    except ScheduleError:
        return None


def _of_sales(sales: Any, as_of: dt.date, found: list[Finding]) -> list[pd.DataFrame]:
    bought, nameless = purchases(sales, as_of=as_of)
    found += told(_NOBODY, nameless)
    return [
        _facts(
            rows.reset_index(drop=True),
            trigger,
            rows["day"].to_numpy().astype("datetime64[D]"),
            store=True,
        )
        for rows, trigger in (
            (bought, "purchase"),
            (bought[bought["last"]], "last_purchase"),
        )
    ]


def _of_cards(cards: Any, waived: Any) -> pd.DataFrame:
    names = ["card_id", "valid_through"]
    rows = taken(cards, CARDS, ["card_id", "member_id", "valid_through"])
    order = ["card_id", "valid_through", "member_id"]
    rows = rows.dropna(subset=["valid_through"]).sort_values(order)
    rows = rows.drop_duplicates("card_id", keep="last").reset_index(drop=True)
    if waived is not None:
        met = taken(waived, CARDS, names)
        ends = [
            pd.MultiIndex.from_arrays(
                [as_text(each, "card_id"), as_days(each, "valid_through")]
            )
            for each in (rows, met)
        ]
        rows = rows[~ends[0].isin(ends[1])].reset_index(drop=True)
    return _facts(rows, "card_end", as_days(rows, "valid_through"), fact_id="card_id")


def _of_complaints(
    complaints: Any,
    case_events: Any,
    as_of: dt.date,
    zone: str,
    found: list[Finding],
) -> pd.DataFrame:
    states, findings = case_states(
        complaints, case_events, as_of=end_of_day(as_of, zone)
    )
    found += findings
    waiting = states[states["to_call"]].reset_index(drop=True)
    local = waiting["since"].dt.tz_convert(ZoneInfo(zone)).dt.tz_localize(None)
    on = local.to_numpy().astype("datetime64[D]")
    return _facts(waiting, "complaint", on, fact_id="fact_id", store=True)


def _of_appointments(
    appointments: Any, as_of: dt.date, zone: str, found: list[Finding]
) -> pd.DataFrame:
    rows = taken(
        appointments,
        APPOINTMENTS,
        ["booking_id", "member_id", "store_id", "starts_at"],
        ["state", "booked_at", "cancelled_at"],
    )
    moment = pd.Timestamp(end_of_day(as_of, zone))
    starts = instants_of(rows, "starts_at")
    cancelled = instants_of(rows, "cancelled_at")
    later = cancelled > moment
    live = ~pd.Series(as_text(rows, "state"), index=rows.index).isin(_GONE)
    live = (live & ~(cancelled <= moment)) | later
    live &= ~(instants_of(rows, "booked_at") > moment)
    found += told(_NO_TIME, int(starts.isna().sum()))
    kept = (live & starts.notna()).to_numpy(bool)
    local = starts[kept].dt.tz_convert(ZoneInfo(zone)).dt.tz_localize(None)
    chosen = rows[kept].reset_index(drop=True)
    on = local.to_numpy().astype("datetime64[D]")
    return _facts(chosen, "appointment", on, fact_id="booking_id", store=True)


_LUNAR = (
    "members",
    "lunar-birthday-unread",
    "a lunar birthday is neither written nor follows from the birth date: no greeting",
    "农历生日无法识别，也无法由出生日期换算，不安排生日祝福",
)
_NOBODY = (
    "sales",
    "ticket-missing",
    "a line without ticket is no purchase",
    "缺少小票号，不计为消费",
)
_NO_TIME = (
    "appointments",
    "appointment-without-time",
    "an appointment without a time: nobody is reminded",
    "预约缺少时间，不提醒",
)
