"""How a chain file spells what it says about messages."""

from __future__ import annotations

import contextlib
from typing import Any

import attrs

from memberops.metrics import EffectPolicy
from memberops.policies import MessagePolicy, VisitPolicy
from memberops.policies.outbox_policy import OutboxPolicy
from memberops.policies.sms_segments import SmsRule, sms_rule
from memberops.workflows.chain_policies import ChainPolicies
from memberops.workflows.plain_values import number
from memberops.workflows.structuring import Misfit, Reader, built

__all__ = ["MESSAGE_FIELDS", "MESSAGE_HIDDEN", "VISITS", "read_length"]

VISITS = "visits"


def read_length(value: Any, base: Any, reader: Reader) -> SmsRule:
    """Read how characters are counted: a rule's name, or a table with all of it."""
    if isinstance(value, str):
        named: SmsRule = built(lambda: sms_rule(value))
        return named
    rule: SmsRule = reader.table(value, SmsRule, base)
    return rule


def _messages(value: Any, base: Any, reader: Reader) -> MessagePolicy:
    """Read the policy of messages, which may name suppressions of the visits."""
    usual = base
    # What is wrong with the visits is told of their own section.
    with contextlib.suppress(Misfit):
        visits: VisitPolicy = reader.table(reader.facts[VISITS], VisitPolicy)
        usual = attrs.evolve(base, suppressions=visits.suppressions)
    made: MessagePolicy = reader.table(value, MessagePolicy, usual)
    return made


def _float(value: Any, _base: Any, _reader: Reader) -> float:
    return float(number(value))


MESSAGE_FIELDS = {
    (ChainPolicies, "messages"): _messages,
    (EffectPolicy, "confidence"): _float,
}
"""By class and field, what reads it."""

MESSAGE_HIDDEN: dict[type, tuple[str, ...]] = {
    MessagePolicy: ("contact", "suppressions", "zone"),
    OutboxPolicy: ("contact", "roles", "consent", "price", "length"),
}
"""What follows from the visits, and from the policy of messages."""
