"""What the plan of visits takes from other policies: who is filed, who is waived."""

from __future__ import annotations

import attrs
import pandas as pd

from memberops.domain import Finding, Severity
from memberops.policies import ProfileAudit
from memberops.tables import CARDS, MEMBERS
from memberops.workflows.inquiry import Inquiry
from memberops.workflows.waiver_figures import known_tickets

__all__ = ["filed_members", "waived_terms"]


def filed_members(asked: Inquiry) -> tuple[pd.DataFrame, list[Finding]]:
    """
    Return the members whose profile is complete, with the day of enrolment (VIP).

    A profile is filed when the audit finds it complete; no table tells on which day
    that was, so it counts from the enrolment. Where the chain has no cards, their
    fields cannot be asked for, and a finding says so.

    Returns:
        ``member_id`` and ``filed_on``, as `visit_facts` takes them.
    """
    audit, cards = asked.policies.profile_audit, asked.tables.get("cards")
    found = []
    if cards is None:
        audit, left_out = _without_cards(audit)
        found = [_NO_CARDS] if left_out else []
    members = asked.tables["members"]
    known = members["joined_on"] <= pd.Timestamp(asked.as_of)
    members = members[known.to_numpy(bool)].dropna(subset=["member_id"])
    answers = audit.decide_frame(members, cards, asked.stores, as_of=asked.as_of)
    complete = answers["complete"].to_numpy(bool)
    filed = members.loc[complete, ["member_id", "joined_on"]]
    return filed.rename(columns={"joined_on": "filed_on"}), found


def _without_cards(audit: ProfileAudit) -> tuple[ProfileAudit, bool]:
    of_cards = set(CARDS.names) - set(MEMBERS.names)
    required = [name for name in audit.required if name not in of_cards]
    plausible = [name for name in audit.plausible if name not in of_cards]
    fewer = attrs.evolve(audit, required=required, plausible=plausible)
    return fewer, fewer != audit


def waived_terms(asked: Inquiry) -> pd.DataFrame | None:
    """
    Return the terms whose waiver is met: nobody asks to renew them (HQ §4.2).

    Returns:
        ``card_id`` and ``valid_through``, as `visit_facts` takes them; None without
        cards or sales.
    """
    tables = asked.tables
    if "cards" not in tables or "sales" not in tables:
        return None
    tickets, rule = known_tickets(asked)
    cards = tables["cards"]
    cards = cards[(cards["valid_through"] >= pd.Timestamp(asked.as_of)).to_numpy(bool)]
    rows = rule.decide_frame(rule.figures(tickets, cards, as_of=asked.as_of))
    met: pd.DataFrame = rows.loc[
        rows["waived"].to_numpy(bool), ["card_id", "valid_through"]
    ]
    return met


_NO_CARDS = Finding(
    table="cards",
    rule="filing-without-cards",
    message_en="there is no source of cards: profiles are filed without their fields",
    message_zh="没有会员卡数据：归档时不审核会员卡信息",
    severity=Severity.WARNING,
    count=1,
)
