"""How a chain file spells what it says about messages."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from memberops.domain import Currency, Money
from memberops.domain.message import MessageKind, MessageTemplate
from memberops.metrics import EffectPolicy
from memberops.policies import MessagePolicy, VisitPolicy
from memberops.policies.outbox_policy import OutboxPolicy
from memberops.policies.sms_segments import SmsRule, sms_rule
from memberops.workflows.chain_policies import ChainPolicies
from memberops.workflows.message_settings import (
    ProviderSettings,
    SmsSettings,
    TemplateSettings,
)
from memberops.workflows.plain_values import found_instead, number, text
from memberops.workflows.structuring import Misfit, Problem, Reader, built

__all__ = ["MESSAGE_FIELDS", "MESSAGE_HIDDEN", "VISITS", "read_length", "read_sms"]

VISITS = "visits"
_OWN = ("provider", "providers", "signature", "templates")


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


def _price(value: Any, _base: Any, reader: Reader) -> Money | None:
    """Read a price: it may have more digits than the chain's amounts."""
    amount: Decimal | None = reader.read(value, Decimal | None)
    if amount is None:
        return None
    currency: Currency = reader.facts["currency"]
    exponent = amount.as_tuple().exponent
    own = -exponent if isinstance(exponent, int) else 0

    def make() -> Money:
        digits = max(own, currency.digits)
        return Money.of(amount, attrs.evolve(currency, digits=digits))

    made: Money = built(make)
    return made


def _float(value: Any, _base: Any, _reader: Reader) -> float:
    return float(number(value))


@attrs.frozen(kw_only=True)
class _Template:
    """The keys of a section ``[sms.templates.<id>]``."""

    kind: MessageKind
    text: str
    signature: str = ""
    provider: str = ""
    code: str = ""
    variables: Mapping[str, str] = attrs.field(factory=dict)
    sample: Mapping[str, str] = attrs.field(factory=dict)
    rules: tuple[str, ...] = ()


def _texts(value: Any, _base: Any, reader: Reader) -> dict[str, str]:
    return reader.keyed(value, text)


def read_sms(value: Any, _base: Any, reader: Reader) -> SmsSettings:
    """Read who sends: a provider, its options, and the chain's templates."""
    if not isinstance(value, Mapping):
        raise Misfit(found_instead("a table", value))
    problems: list[Problem] = []
    accounts = _gathered(value, "providers", _account, problems)
    said = {}
    usual = accounts[0].name if len(accounts) == 1 else "" if accounts else "file"
    for name, default in (("provider", usual), ("signature", "")):
        said[name] = default
        try:
            said[name] = text(value.get(name, default))
        except Misfit as misfit:
            problems += misfit.under(name)
    sender = said["provider"] if accounts else ""
    templates = _gathered(
        value,
        "templates",
        lambda name, table: _template(name, table, said["signature"], sender, reader),
        problems,
    )
    if accounts and not said["provider"]:
        told = "is needed: the account that sends what names none"
        problems.append(Problem(("provider",), told))
    if problems:
        raise Misfit(problems)
    options = {name: each for name, each in value.items() if name not in _OWN}
    made: SmsSettings = built(
        lambda: SmsSettings(
            provider=said["provider"],
            options=options,
            accounts=accounts,
            templates=templates,
        )
    )
    return made


def _gathered(
    value: Mapping[str, Any],
    key: str,
    read: Callable[[str, Any], Any],
    problems: list[Problem],
) -> tuple[Any, ...]:
    """Read the tables under a key, each by its name; what is wrong becomes problems."""
    tables = value.get(key, {})
    if not isinstance(tables, Mapping):
        problems.append(Problem((key,), found_instead("a table for each", tables)))
        return ()
    made = []
    for name, table in tables.items():
        try:
            made.append(read(name, table))
        except Misfit as misfit:
            inner = Misfit(misfit.under(name))
            problems += inner.under(key)
    return tuple(made)


def _account(name: str, table: Any) -> ProviderSettings:
    """Read a section ``[sms.providers.<name>]``: a kind, and its options."""
    if not isinstance(table, Mapping):
        raise Misfit(found_instead("a table", table))
    if "kind" not in table:
        told = "is needed: which provider it is, such as 'aliyun'"
        raise Misfit([Problem(("kind",), told)])
    try:
        kind = text(table["kind"])
    except Misfit as misfit:
        raise Misfit(misfit.under("kind")) from None
    options = {key: each for key, each in table.items() if key != "kind"}
    if "name" in options:
        told = "is not an option here: the section's name is the account's"
        raise Misfit([Problem(("name",), told)])
    return ProviderSettings(name=name, kind=kind, options=options)


def _template(
    name: str, table: Any, signature: str, sender: str, reader: Reader
) -> TemplateSettings:
    given: _Template = reader.table(table, _Template)
    signed = given.signature or signature
    if not signed:
        raise Misfit(
            [
                Problem(
                    ("signature",),
                    "is needed, here or once for all as [sms] signature",
                )
            ]
        )

    def make() -> TemplateSettings:
        template = MessageTemplate(
            template_id=name,
            kind=given.kind,
            text=given.text,
            signature=signed,
            provider=given.provider or sender,
            code=given.code,
        )
        return TemplateSettings(
            template=template,
            variables=given.variables,
            sample=given.sample,
            rules=given.rules,
        )

    made: TemplateSettings = built(make)
    return made


MESSAGE_FIELDS = {
    (ChainPolicies, "messages"): _messages,
    (EffectPolicy, "confidence"): _float,
    (MessagePolicy, "price"): _price,
    (_Template, "variables"): _texts,
    (_Template, "sample"): _texts,
}
"""By class and field, what reads it."""

MESSAGE_HIDDEN: dict[type, tuple[str, ...]] = {
    MessagePolicy: ("contact", "suppressions", "zone"),
    OutboxPolicy: ("contact", "roles", "consent", "price", "length", "texts"),
}
"""What follows from the visits, and from the policy of messages."""
