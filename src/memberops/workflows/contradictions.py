"""What two sections or keys of a chain file say twice: one of them would do nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from memberops.errors import InvalidValueError
from memberops.policies import MessagePolicy, VisitPolicy, Welcome
from memberops.policies.outbox_policy import OutboxPolicy
from memberops.workflows.problems import Problem

__all__ = ["idle_keys", "one_welcome", "sharing_contact"]

_RULE = "welcome"
_IDLE = (
    ("fee_waiver", ("purchases", "spend"), "rule", None,
     "does nothing beside rule: say it there, as { any = [{ purchases = 3 }, ...] }"),
    ("tiers", ("months",), "window", ("lifetime",),
     'does nothing with window = "lifetime", which has no months'),
    ("tiers", ("reviews",), "downgrade", ("every", "none"),
     'does nothing unless downgrade = "at_review"'),
    ("tiers", ("every_days",), "downgrade", ("at_review", "none"),
     'does nothing unless downgrade = "every"'),
)  # fmt: skip
"""Section, keys that would do nothing, the key that says so, its words, and why."""


def idle_keys(policies: Mapping[str, Any]) -> list[Problem]:
    """
    Refuse keys that another key of their section has made idle.

    Args:
        policies: The table ``[policies]`` of a chain file.

    >>> told = idle_keys({"fee_waiver": {"purchases": 5, "rule": {"spend": 2000}}})
    >>> [problem.path for problem in told]
    [('fee_waiver', 'purchases')]
    """
    problems = []
    for section, keys, decides, words, why in _IDLE:
        table = policies.get(section)
        if not isinstance(table, Mapping) or decides not in table:
            continue
        said = table[decides]
        if isinstance(said, Mapping) if words is None else said in words:
            problems += [Problem((section, key), why) for key in keys if key in table]
    return problems


def one_welcome(welcome: Welcome, visits: VisitPolicy) -> tuple[Welcome, VisitPolicy]:
    """
    Let the welcome of a new member and its visit have the same days (VIP).

    Whichever of them differs from the manual's days holds for both.

    Args:
        welcome: By when a new member is contacted.
        visits: The cadence; its rule ``welcome`` plans that contact.

    Raises:
        InvalidValueError: They differ from the manual and from each other.

    >>> _, visits = one_welcome(Welcome(days=3), VisitPolicy())
    >>> {rule.within for rule in visits.rules if rule.name == "welcome"}
    {3}
    """
    rule = next((each for each in visits.rules if each.name == _RULE), None)
    if rule is None or rule.within == welcome.days:
        return welcome, visits
    usual = Welcome().days
    if welcome.days == usual:
        return attrs.evolve(welcome, days=rule.within), visits
    if rule.within != usual:
        raise InvalidValueError(
            f"a new member is welcomed within {welcome.days} days, and by the visit "
            f"rule 'welcome' within {rule.within}: give it once"
        )
    within = attrs.evolve(rule, within=welcome.days)
    rules: Any = tuple(within if each is rule else each for each in visits.rules)
    return welcome, attrs.evolve(visits, rules=rules)


def sharing_contact(
    visits: VisitPolicy, messages: MessagePolicy, outbox: OutboxPolicy
) -> tuple[MessagePolicy, OutboxPolicy]:
    """
    Let messages have the hours and caps of the visits, and the outbox those of both.

    Args:
        visits: The cadence; its contact rules, suppressions and zone hold.
        messages: What may be written; its roles, kinds, price and length hold.
        outbox: When is tried again.

    >>> visits = VisitPolicy(zone="Asia/Urumqi")
    >>> messages, _ = sharing_contact(visits, MessagePolicy(), OutboxPolicy())
    >>> messages.zone
    'Asia/Urumqi'
    """
    # What attrs generates for a converter is too narrow for mypy.
    suppressions: Any = visits.suppressions
    told = attrs.evolve(
        messages,
        contact=visits.contact,
        suppressions=suppressions,
        zone=visits.zone,
    )
    return told, attrs.evolve(
        outbox,
        contact=told.contact,
        roles=told.roles,
        consent=told.consent_for,
        price=told.price,
        length=told.length,
        texts=told,
    )
