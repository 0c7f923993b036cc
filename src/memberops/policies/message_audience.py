"""Who may be written to: the rules of `MessagePolicy` on all members at once."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Finding, Severity
from memberops.domain.message import MessageTemplate
from memberops.domain.visit import VisitChannel
from memberops.policies.intake import taken
from memberops.policies.message_policy import MessagePolicy
from memberops.policies.message_text import gap_names
from memberops.policies.phones import PhoneReading, PhoneRule
from memberops.policies.visit_intake import among, as_text, positions
from memberops.policies.visit_standing import consents_in_order, visit_standing
from memberops.tables import MEMBERS

__all__ = ["Audience", "gather_audience", "holding_out"]

_UNIT = 1 << 64


@attrs.frozen(kw_only=True, eq=False)
class Audience:
    """
    The rows of members, in the order of their ids, with what stops each.

    Args:
        rows: ``member_id``, ``store_id``, ``zone``, ``phone`` (E.164 or missing),
            ``row`` (its place in the frame given, from 1), and a column for each gap.
        rule: For each row the first rule that stops it, empty for none.
        findings: What was wrong with the data.
    """

    rows: pd.DataFrame = attrs.field(repr=False)
    rule: np.ndarray[Any, Any] = attrs.field(repr=False)
    findings: tuple[Finding, ...]


def holding_out(seed: str, share: Fraction) -> Callable[[str], bool]:
    """
    Return what tells whether chance holds a member out: always the same members.

    Args:
        seed: Any text; another draws anew.
        share: How many of all, at least 0 and below 1.

    >>> drawn = holding_out("a", Fraction(1, 4))
    >>> 200 < sum(drawn(f"M{n}") for n in range(1000)) < 300
    True
    """
    limit = -(-share.numerator * _UNIT // share.denominator)
    prefix = f"{len(seed)}:{seed}".encode()

    def drawn(member_id: str) -> bool:
        digest = hashlib.blake2b(prefix + member_id.encode(), digest_size=8).digest()
        return int.from_bytes(digest) < limit

    return drawn


def gather_audience(
    members: Any,
    *,
    template: MessageTemplate,
    policy: MessagePolicy,
    as_of: dt.date,
    variables: Mapping[str, str],
    phones: PhoneRule,
    consents: Any,
    sources: Mapping[str, Any],
) -> Audience:
    """
    Judge every row of the members by the rules that need no text.

    Args:
        members: See `plan_messages`.
        template: What is written.
        policy: The rules.
        as_of: The day.
        variables: For each gap its column.
        phones: How numbers are read.
        consents: The consents, or None.
        sources: What `visit_standing` takes besides.
    """
    flags = [each.name for each in policy.suppressions]
    people = taken(
        members,
        MEMBERS,
        list(dict.fromkeys(["member_id", "phone", *variables.values()])),
        ["store_id", "zone", "joined_on", *flags],
    )
    people["row"] = np.arange(1, len(people) + 1)
    people["member_id"] = as_text(people, "member_id")
    people = people.sort_values(["member_id", "row"]).reset_index(drop=True)
    who = people["member_id"]
    standing, findings = visit_standing(
        as_of=as_of, members=people.drop(columns=flags, errors="ignore"),
        zone=policy.zone, consents=consents, **sources,
    )  # fmt: skip
    known = positions(standing["member_id"], who) >= 0
    stands = standing.set_index("member_id").reindex(who)
    rule = np.full(len(people), "", dtype=object)

    def note(name: str, hit: Any) -> None:
        rule[(rule == "") & np.asarray(hit, bool)] = name

    note("member_missing", who == "")
    note("member_twice", who.duplicated())
    note("not_joined", ~known)
    for suppression in policy.suppressions:
        wide = not suppression.channels or VisitChannel.SMS in suppression.channels
        if not wide or suppression.name in policy.despite:
            continue
        for frame in (stands, people):
            if suppression.name in frame:
                held = frame[suppression.name].astype("boolean").fillna(value=False)
                note(suppression.name, held.to_numpy(dtype=bool))
    if template.kind in policy.consent_for:
        note("no_consent", ~_agreed(who, consents, as_of, policy.zone))
    if "expired" not in policy.despite:
        note("expired", (stands["valid_through"] < pd.Timestamp(as_of)).to_numpy(bool))
    read = phones.read_column(people["phone"])
    for problem in pd.unique(read["problem"].dropna()):
        bad = (read["problem"] == problem).to_numpy(dtype=bool)
        findings += (_phone_finding(str(problem), int(bad.sum())),)
        note(f"phone_{problem}", bad)
    number = read["number"]
    if policy.one_per_phone:
        free = rule == ""
        note("phone_twice", _again(number, free))
    own, store = as_text(people, "zone"), as_text(stands, "store_zone")
    two = (own != "") & (store != "") & (own != store)
    zones = np.where(two, own + " " + store, np.where(own != "", own, store))
    rows = pd.DataFrame(
        {"member_id": who, "store_id": as_text(people, "store_id"),
         "zone": np.where(zones != "", zones, policy.zone), "phone": number,
         "row": people["row"]}
        | {f"${{{gap}}}": people[variables[gap]] for gap in gap_names(template)}
    )  # fmt: skip
    return Audience(
        rows=rows.astype(dict.fromkeys(("member_id", "store_id", "zone"), "str")),
        rule=rule,
        findings=findings,
    )


def _again(number: pd.Series, free: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Tell which of those that are free have a number that came before."""
    again = np.zeros(len(number), dtype=bool)
    again[free] = number[free].duplicated().to_numpy()
    return again


def _agreed(
    who: pd.Series, consents: Any, as_of: dt.date, zone: str
) -> np.ndarray[Any, Any]:
    """Tell who said yes to messages, and did not take it back."""
    if consents is None:
        return np.zeros(len(who), dtype=bool)
    rows, _ = consents_in_order(consents, as_of=as_of, zone=zone)
    last = rows[rows["channel"].isin(["all", VisitChannel.SMS.value])]
    last = last.drop_duplicates("member_id", keep="last")
    return among(last.loc[last["given"] == "yes", "member_id"], who)


def _phone_finding(problem: str, count: int) -> Finding:
    told: Any = PhoneReading(None, problem)  # type: ignore[arg-type]
    return Finding(
        table="members",
        rule=f"phone-{problem.replace('_', '-')}",
        column="phone",
        severity=Severity.WARNING,
        message_en=told.text("en"),
        message_zh=told.text("zh"),
        count=count,
    )
