"""How members stand when visits are planned, and what visits made of them."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from memberops.domain import Finding
from memberops.domain.values import check_as_of
from memberops.domain.visit import VisitChannel
from memberops.policies.case_intake import instants_of, told
from memberops.policies.case_standing import case_states, end_of_day
from memberops.policies.intake import taken
from memberops.policies.visit_intake import as_days, as_text
from memberops.tables import CARDS, CONSENTS, MEMBERS, SALES, STORES, VISITS

__all__ = [
    "consents_in_order",
    "sold_tickets",
    "visit_contacts",
    "visit_records",
    "visit_standing",
]

_CHANNELS = tuple(channel.value for channel in VisitChannel)
_SPELLED = dict(
    next(each.choices for each in CONSENTS.columns if each.name == "channel")
)
_NAT = np.datetime64("NaT", "D")


def visit_standing(
    *,
    as_of: dt.date,
    members: Any,
    zone: str = "Asia/Shanghai",
    stores: Any = None,
    cards: Any = None,
    complaints: Any = None,
    case_events: Any = None,
    consents: Any = None,
    visits: Any = None,
    premium: Any = None,
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """
    Gather how each member stands, as `plan_visits` takes it.

    Of the consents of a member the last one counts for each channel; of several that
    came at once, the refusal. Who refused every channel has opted out. A refusal
    whose channel cannot be read stops every channel, and a finding tells of it.

    Args:
        as_of: The day of planning: what happened later is not known yet.
        members: See `memberops.tables.MEMBERS`; those who enrolled later are left out.
        zone: IANA zone in which a moment has its day.
        stores: See `memberops.tables.STORES`, for the zones of stores.
        cards: See `memberops.tables.CARDS`: the last day of a member's last term.
        complaints: See `memberops.tables.COMPLAINTS`.
        case_events: See `memberops.tables.CASE_EVENTS`.
        consents: See `memberops.tables.CONSENTS`.
        visits: See `memberops.tables.VISITS`.
        premium: A frame with the ``member_id`` of premium members.

    Returns:
        One row a member, by id: ``member_id``, ``store_id``, ``store_zone``,
        ``premium``, ``valid_through``, ``open_complaint``, ``opted_out``,
        ``opted_out_phone``, ``opted_out_sms``, ``opted_out_mail``,
        ``opted_out_in_person`` and ``last_contacted_on``; and what could not be used.

    Raises:
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: A date with a zone, a moment without one, ids that are
            numbers.

    >>> members = pd.DataFrame({"member_id": ["M1", "M2"]})
    >>> consents = pd.DataFrame({"member_id": ["M1"], "channel": ["all"],
    ...     "given": ["no"], "on": pd.to_datetime(["2026-11-01"])})
    >>> rows, _ = visit_standing(as_of=dt.date(2026, 11, 5), members=members,
    ...                          consents=consents)
    >>> rows["opted_out"].tolist()
    [True, False]
    """
    until = np.datetime64(check_as_of(as_of))
    found: list[Finding] = []
    people = taken(members, MEMBERS, ["member_id"], ["store_id", "joined_on"])
    rows = pd.DataFrame(
        {name: as_text(people, name) for name in ("member_id", "store_id")}
    )
    if "joined_on" in people:
        rows = rows[~(as_days(people, "joined_on") > until)]
    found += told(_NOBODY, int((rows["member_id"] == "").sum()))
    rows = rows[rows["member_id"] != ""].sort_values(["member_id", "store_id"])
    rows = rows.drop_duplicates("member_id").reset_index(drop=True)
    who = rows["member_id"]
    zones: dict[str, str] = {}
    if stores is not None:
        shops = taken(stores, STORES, ["store_id"], ["zone"])
        zones = dict(
            zip(as_text(shops, "store_id"), as_text(shops, "zone"), strict=True)
        )
    rows["store_zone"] = [zones.get(store, "") for store in rows["store_id"]]
    chosen = set() if premium is None else set(_ids(premium))
    rows["premium"] = who.isin(chosen)
    rows["valid_through"] = _ends(who, cards)
    open_ = set()
    if complaints is not None:
        states, more = case_states(
            complaints, case_events, as_of=end_of_day(as_of, zone)
        )
        found += more
        open_ = set(states.loc[states["open"], "member_id"])
    rows["open_complaint"] = who.isin(open_)
    refused = _refusals(consents, as_of, zone, found)
    rows["opted_out"] = who.isin(set.intersection(*refused.values()))
    for channel, names in refused.items():
        rows[f"opted_out_{channel}"] = who.isin(names)
    rows["last_contacted_on"] = pd.Series(pd.NaT, rows.index, dtype="datetime64[us]")
    if visits is not None:
        contacts = visit_contacts(visits, as_of=as_of, zone=zone)
        latest = contacts.groupby("member_id")["on"].max()
        rows["last_contacted_on"] = _looked_up(who, latest)
    named = dict.fromkeys(("member_id", "store_id", "store_zone"), "str")
    return rows.astype(named), tuple(found)


def _ids(frame: Any) -> Any:
    return as_text(taken(frame, MEMBERS, ["member_id"]), "member_id")


def _ends(who: pd.Series, cards: Any) -> pd.Series:
    if cards is None:
        return pd.Series(pd.NaT, who.index, dtype="datetime64[us]")
    terms = taken(cards, CARDS, ["member_id", "valid_through"])
    ends = pd.DataFrame(
        {
            "member_id": as_text(terms, "member_id"),
            "on": as_days(terms, "valid_through").astype("datetime64[us]"),
        }
    )
    return _looked_up(who, ends.groupby("member_id")["on"].max())


def _looked_up(who: pd.Series, days: pd.Series) -> pd.Series:
    """Give each member a day; of nobody there may be any."""
    found = days.reindex(who).to_numpy()
    return pd.Series(found, index=who.index, dtype="datetime64[us]")


def _refusals(
    consents: Any, as_of: dt.date, zone: str, found: list[Finding]
) -> dict[str, set[str]]:
    """Tell for each channel who refused it last."""
    if consents is None:
        return {channel: set() for channel in _CHANNELS}
    rows, more = consents_in_order(consents, as_of=as_of, zone=zone)
    found += more
    refused = {}
    for channel in _CHANNELS:
        last = rows[rows["channel"].isin(["all", channel])]
        last = last.drop_duplicates("member_id", keep="last")
        refused[channel] = set(last.loc[last["given"] == "no", "member_id"])
    return refused


def consents_in_order(
    consents: Any, *, as_of: dt.date, zone: str
) -> tuple[pd.DataFrame, list[Finding]]:
    """
    Read consents as far as they are known on a day, the oldest first.

    Returns:
        ``member_id``, ``channel``, ``given`` (``"yes"`` or ``"no"``), ``on`` and
        ``at``, so ordered that the last row of a member on a channel counts; and
        what could not be used.
    """
    found: list[Finding] = []
    given = taken(consents, CONSENTS, ["member_id", "channel", "given", "on"], ["at"])
    moment = instants_of(given, "at")
    rows = pd.DataFrame(
        {name: as_text(given, name) for name in ("member_id", "channel", "given")}
    )
    folded = rows["channel"].str.strip().str.casefold()
    rows["channel"] = folded.map(_SPELLED).fillna("")
    strange = (folded != "") & (rows["channel"] == "")
    found += told(_STRANGE, int(strange.sum()))
    # A channel stopped too many is mended by a word; a call not wanted is not.
    rows.loc[strange & (rows["given"] == "no"), "channel"] = "all"
    rows["on"] = as_days(given, "on").astype("datetime64[us]")
    rows["at"] = moment.to_numpy()
    ends = pd.Timestamp(end_of_day(as_of, zone))
    known = (rows["on"] <= pd.Timestamp(as_of)).to_numpy(bool)
    known = known & ~(moment > ends).to_numpy(bool)
    good = (rows["member_id"] != "") & rows["given"].isin(["yes", "no"])
    good &= (folded != "") & rows["on"].notna()
    found += told(_UNCLEAR, int((~good).sum()))
    rows = rows[known & good.to_numpy(bool)]
    # A day without a time comes first of its day; a refusal wins what is left.
    rows = rows.assign(_no=rows["given"] == "no").sort_values(
        ["on", "at", "_no"], na_position="first", kind="stable"
    )
    return rows.drop(columns="_no"), found


def visit_records(
    visits: Any, *, as_of: dt.date, zone: str = "Asia/Shanghai"
) -> pd.DataFrame:
    """
    Make of the visits of a source what `visit_coverage` and `audit_sample` take.

    Args:
        visits: See `memberops.tables.VISITS`.
        as_of: The day: what was done later is not known yet, and such a visit has no
            outcome.
        zone: IANA zone in which a moment has its day.

    Returns:
        The visits by id: the text columns of `VISITS`, ``day`` and ``last_on`` (the
        planned day where the source does not say), ``done_on`` (the day, or that of
        the moment), ``answered`` (true or false) and ``on`` (``done_on``, for the
        audit). It is both *plan* and *records* of `visit_coverage`.

    Raises:
        MissingColumnsError: There is no ``visit_id`` or ``member_id``.

    >>> visits = pd.DataFrame({"visit_id": ["V1"], "member_id": ["M1"],
    ...     "store_id": ["S1"], "day": pd.to_datetime(["2026-11-03"]),
    ...     "outcome": ["done"], "answered": ["yes"],
    ...     "done_at": pd.to_datetime(["2026-11-02T17:00Z"])})
    >>> rows = visit_records(visits, as_of=dt.date(2026, 11, 5))
    >>> rows[["done_on", "answered"]].to_numpy().tolist()
    [[Timestamp('2026-11-03 00:00:00'), True]]
    """
    until = np.datetime64(check_as_of(as_of))
    rows = taken(visits, VISITS, ["visit_id", "member_id"], VISITS.names)
    texts = ("visit_id", "member_id", "store_id", "rule", "kind", "channel", "by",
             "staff_id", "outcome", "reason_code", "answered")  # fmt: skip
    made = pd.DataFrame({name: as_text(rows, name) for name in texts})
    day, last, due = (_days(rows, name) for name in ("day", "last_on", "due_on"))
    done = _days(rows, "done_on")
    local = instants_of(rows, "done_at").dt.tz_convert(ZoneInfo(zone))
    moment = local.dt.tz_localize(None).to_numpy().astype("datetime64[D]")
    done = np.where(np.isnat(done), moment, done)
    later = done > until
    done[later] = _NAT
    made.loc[later, ["outcome", "answered", "reason_code"]] = ""
    made["answered"] = (made["answered"] == "yes") & (made["outcome"] == "done")
    for name, days in (
        ("due_on", due),
        ("last_on", np.where(np.isnat(last), day, last)),
        ("day", day),
        ("done_on", done),
        ("on", done),
    ):
        made[name] = days.astype("datetime64[us]")
    made = made.astype(dict.fromkeys(texts[:-1], "str"))
    made = made[made["visit_id"] != ""]
    return made.sort_values(["visit_id", "member_id"]).reset_index(drop=True)


def _days(rows: pd.DataFrame, name: str) -> Any:
    return as_days(rows, name) if name in rows else np.full(len(rows), _NAT)


def visit_contacts(
    visits: Any, *, as_of: dt.date, zone: str = "Asia/Shanghai"
) -> pd.DataFrame:
    """
    List the contacts made, as `plan_visits` takes them: visits that were done.

    Args:
        visits: See `memberops.tables.VISITS`.
        as_of: The day: later contacts are not known yet.
        zone: IANA zone in which a moment has its day.

    Returns:
        ``member_id``, ``on`` and ``channel``.
    """
    rows = visit_records(visits, as_of=as_of, zone=zone)
    done = rows[(rows["outcome"] == "done") & rows["on"].notna()]
    return done[["member_id", "on", "channel"]].reset_index(drop=True)


def sold_tickets(sales: Any, *, as_of: dt.date) -> pd.DataFrame:
    """
    Make one row a ticket of members, as `audit_sample` takes them.

    Args:
        sales: See `memberops.tables.SALES`.
        as_of: The day: later lines are not known yet. A return counts on its own
            ticket, for the audit looks at what the till did.

    Returns:
        ``ticket_id``, ``store_id``, ``member_id``, ``sold_on`` and ``amount`` (net,
        minor units), by ticket.
    """
    until = np.datetime64(check_as_of(as_of))
    needed = ["ticket_id", "sold_on", "store_id", "member_id", "amount"]
    lines = taken(sales, SALES, needed)
    texts = ["ticket_id", "store_id", "member_id"]
    rows = pd.DataFrame({name: as_text(lines, name) for name in texts})
    rows["sold_on"] = as_days(lines, "sold_on").astype("datetime64[us]")
    rows["amount"] = lines["amount"].to_numpy()
    keep = (rows["sold_on"] <= pd.Timestamp(until)) & (rows["member_id"] != "")
    keys = [*texts, "sold_on"]
    summed = rows[keep].groupby(keys, as_index=False).agg(amount=("amount", "sum"))
    return summed.astype(dict.fromkeys(texts, "str")).reset_index(drop=True)


_NOBODY = (
    "members",
    "member-missing",
    "a member without id cannot be visited",
    "缺少会员编号，无法安排回访",
)
_STRANGE = (
    "consents",
    "consent-channel-unknown",
    "consent to an unknown channel: a refusal stops all channels, a yes is not used",
    "同意记录的渠道无法识别：不同意的按全部渠道处理，同意的未采用",
)
_UNCLEAR = (
    "consents",
    "consent-unclear",
    "a consent without member, channel, day, or yes or no: not used",
    "同意记录缺少会员、渠道、日期或是否同意，未采用",
)
