"""How a chain file spells its policies, where TOML has no word for the Python value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from memberops.domain import Currency, Money
from memberops.domain.visit import VisitChannel
from memberops.errors import nearest
from memberops.policies import (
    Appointments,
    CadenceRule,
    CardState,
    ContactPolicy,
    ContactWindow,
    Edge,
    Level,
    ProfileAudit,
    QuietHours,
    Renewal,
    Rule,
    ServiceLevels,
    Staffing,
    Target,
    Tier,
    TierPolicy,
    VisitPolicy,
)
from memberops.policies.sms_segments import SmsRule
from memberops.schedules import (
    OfficeCalendar,
    OfficeDuty,
    RestDays,
    WorkingCalendar,
)
from memberops.workflows.calendar_spelling import (
    WORKING,
    read_calendar,
    read_calendars,
)
from memberops.workflows.chain_policies import ChainPolicies
from memberops.workflows.contradictions import idle_keys
from memberops.workflows.membership_spelling import (
    read_edge,
    read_rule,
    read_term,
)
from memberops.workflows.message_spelling import (
    MESSAGE_FIELDS,
    MESSAGE_HIDDEN,
    VISITS,
    read_length,
)
from memberops.workflows.plain_values import (
    NONE,
    found_instead,
    hours_between,
    month_day,
    number,
    one_of,
    optional,
    text,
    zone_name,
)
from memberops.workflows.structuring import (
    Misfit,
    Problem,
    Reader,
    Spelled,
    Spelling,
    built,
    unknown_key,
)

__all__ = ["SPELLING"]

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LENGTHS = ("hours", "minutes", "days")
_USUAL_TARGETS = {
    "reply_hours": "reply",
    "next_reply_hours": "next_reply",
    "solution_hours": "solution",
    "callback_hours": "callback",
}
_CURRENCIES = {"RMB": "CNY", "YUAN": "CNY", "NTD": "TWD", "UKP": "GBP", "YEN": "JPY"}
"""What people write for a currency, and its code."""


def _money(value: Any, _base: Any, reader: Reader) -> Money:
    """Read an amount in the chain's currency."""
    amount = reader.read(value, Decimal)
    made: Money = built(lambda: Money.of(amount, reader.facts["currency"]))
    return made


def _policies(value: Any, base: Any, reader: Reader) -> ChainPolicies:
    """Read the chain's calendar first, for other sections may name it."""
    if not isinstance(value, Mapping):
        raise Misfit(found_instead("a table", value))
    usual = base or ChainPolicies.of(
        reader.facts["currency"], zone=reader.facts["zone"]
    )
    problems: list[Problem] = []
    calendars: dict[str, Any] = {}
    rest = dict(value)
    if WORKING in rest:
        try:
            office, stores = read_calendars(rest.pop(WORKING), reader)
        except Misfit as misfit:
            problems += misfit.under(WORKING)
            # What else names it is not wrong for that.
            office, stores = WorkingCalendar.around_the_clock("UTC"), {}
        reader.facts[WORKING] = office
        calendars = {"working_calendar": office, "store_calendars": stores}
    problems += _graces(rest) + idle_keys(rest)
    # Messages may name a suppression that the visits of this file have.
    reader.facts[VISITS] = rest.get(VISITS, {})
    made = usual
    try:
        made = reader.table(rest, ChainPolicies, usual)
    except Misfit as misfit:
        problems += misfit.problems
    if problems:
        raise Misfit(problems)
    whole: ChainPolicies = built(lambda: attrs.evolve(made, **calendars))
    return whole


def _graces(value: Mapping[str, Any]) -> list[Problem]:
    """Refuse two graces: a card that may be renewed in its place is in grace."""
    tables = [value.get(name) for name in ("renewal", "card_state")]
    problems = []
    for key in ("grace_days", "grace_by_kind"):
        said = [
            each[key] for each in tables if isinstance(each, Mapping) and key in each
        ]
        if len(said) > 1 and said[0] != said[1]:
            problems.append(
                Problem(
                    ("card_state", key),
                    f"is not that of renewal: say {key} once, in "
                    "[policies.renewal], and the card state has it too",
                )
            )
    return problems


def _window(value: Any, _base: Any, _reader: Reader) -> ContactWindow:
    opens, closes = hours_between(value)
    window: ContactWindow = built(lambda: ContactWindow(opens, closes))
    return window


def _quiet(value: Any, _base: Any, _reader: Reader) -> QuietHours:
    begins, ends = hours_between(value)
    quiet: QuietHours = built(lambda: QuietHours(begins, ends))
    return quiet


def _windows(value: Any, base: Any, reader: Reader) -> dict[Any, Any]:
    """Read hours by channel, each in place of the channel's usual ones."""
    hours = reader.keyed(
        value,
        lambda each: reader.listed(each, lambda one: _window(one, None, reader)),
    )
    known = tuple(each.value for each in VisitChannel)
    problems = [unknown_key(key, known) for key in hours if key not in known]
    if problems:
        raise Misfit(problems)
    usual = dict(base or ())
    return usual | {VisitChannel(key): tuple(each) for key, each in hours.items()}


def _staff(value: Any, _base: Any, reader: Reader) -> dict[str, list[str]]:
    return reader.keyed(value, lambda names: reader.listed(names, text))


def _weekdays(value: Any, _base: Any, reader: Reader) -> list[int]:
    """Read days of the week by their short names."""
    return reader.listed(value, lambda day: _WEEKDAYS.index(one_of(day, _WEEKDAYS)) + 1)


def _rest(value: Any, base: Any, reader: Reader) -> RestDays | WorkingCalendar | None:
    """Read days of rest: a table, or those of the chain's working calendar."""
    if value == WORKING:
        calendar: WorkingCalendar = read_calendar(value, base, reader)
        return calendar
    rest: RestDays | None = reader.read(value, RestDays | None)
    return rest


def _reviews(value: Any, _base: Any, reader: Reader) -> tuple[tuple[int, int], ...]:
    return tuple(reader.listed(value, month_day))


def _by_name(
    kind: type, mend: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> Spelled:
    """
    Read values that have names: a list is the whole list, a table changes some.

    In a table each key is a name. One that is known is read over its default, a new
    one is added, and ``"none"`` leaves one out.
    """

    def read(value: Any, base: Any, reader: Reader) -> Any:
        if not isinstance(value, Mapping):
            return reader.read(value, tuple[kind, ...])  # type: ignore[valid-type]
        kept = {each.name: each for each in base or ()}
        problems: list[Problem] = []
        for name, table in value.items():
            if table == NONE and name in kept:
                del kept[name]
                continue
            try:
                _check_change(table, name, kept)
                old = kept.get(name)
                given = {**table, "name": name} if old is None else mend(table)
                kept[name] = reader.table(given, kind, old)
            except Misfit as misfit:
                problems += _of_new(name, misfit, kept).under(name)
        if problems:
            raise Misfit(problems)
        return tuple(kept.values())

    return read


def _check_change(table: Any, name: str, kept: Mapping[str, Any]) -> None:
    if table == NONE:
        raise Misfit(f"cannot be left out: {nearest(name[:40], kept)}")
    if not isinstance(table, Mapping):
        raise Misfit(found_instead(f'a table or "{NONE}"', table))
    if "name" in table:
        raise Misfit([Problem(("name",), "is the key of the table already")])


def _of_new(name: str, misfit: Misfit, kept: Mapping[str, Any]) -> Misfit:
    """Tell a name that is not known from a new one, which needs all its keys."""
    needed = [each.path[0] for each in misfit.problems if each.text == "is needed"]
    if name in kept or not needed:
        return misfit
    hint = nearest(name[:40], kept)
    return Misfit(f"is not known; {hint} A new one needs {', '.join(needed)}")


def _as_it_is(table: Mapping[str, Any]) -> Mapping[str, Any]:
    return table


def _one_length(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """Let minutes replace hours: a target has one length."""
    if any(key in table for key in _LENGTHS):
        return dict.fromkeys(_LENGTHS, NONE) | dict(table)
    return table


def _levels(value: Any, base: Any, reader: Reader) -> ServiceLevels:
    """Read service levels, and refuse hours that a target of the name outdoes."""
    made: ServiceLevels = reader.table(value, ServiceLevels, base)
    own = {each.name for each in made.targets if not each.is_conditional}
    problems = [
        Problem(
            (key,),
            f"has no effect: the target {name!r} of targets says how long; "
            "change it there",
        )
        for key, name in _USUAL_TARGETS.items()
        if key in value and value[key] != NONE and name in own
    ]
    if problems:
        raise Misfit(problems)
    return made


def _currency(value: Any, _base: Any, reader: Reader) -> Currency:
    """Read a currency: its code, or a table where prices carry more digits."""
    if isinstance(value, str):
        if value in _CURRENCIES:
            raise Misfit(
                f"takes an ISO 4217 code, not {value!r}; did you mean "
                f"{_CURRENCIES[value]!r}?"
            )
        made: Currency = built(lambda: Currency(value))
        return made
    if isinstance(value, Mapping):
        spelled: Currency = reader.table(value, Currency)
        return spelled
    raise Misfit(
        found_instead('a code such as "CNY", or a table with code and digits', value)
    )


def _tier(value: Any, base: Any, reader: Reader) -> Tier:
    """Read a level; what looks like its threshold is told where it belongs."""
    try:
        made: Tier = reader.table(value, Tier, base)
    except Misfit as misfit:
        known = {field.name for field in attrs.fields(Tier)}
        hint = (
            "what a level takes is its rule: "
            'rule = { spend = "5000" }, or rule = { any = [{ spend = "5000" }, '
            "{ purchases = 12 }] }"
        )
        raise Misfit(
            Problem(each.path, f"is not known; {hint}")
            if len(each.path) == 1
            and each.path[0] not in known
            and "is not known" in each.text
            else each
            for each in misfit.problems
        ) from None
    return made


def _number(value: Any, _base: Any, _reader: Reader) -> Any:
    return number(value)


def _zone(value: Any, _base: Any, _reader: Reader) -> Any:
    return zone_name(value)


def _perhaps_number(value: Any, _base: Any, _reader: Reader) -> Any:
    return optional(number)(value)


SPELLING = Spelling(
    types={
        ChainPolicies: _policies,
        Currency: _currency,
        Rule: read_rule,
        Tier: _tier,
        Edge: read_edge,
        ContactWindow: _window,
        QuietHours: _quiet,
        WorkingCalendar: read_calendar,
        ServiceLevels: _levels,
        Money: _money,
        SmsRule: read_length,
    },
    fields={
        (ChainPolicies, "term"): read_term,
        (ContactPolicy, "windows"): _windows,
        (Staffing, "staff"): _staff,
        (RestDays, "weekdays"): _weekdays,
        (TierPolicy, "reviews"): _reviews,
        (OfficeCalendar, "duties"): _by_name(OfficeDuty, _as_it_is),
        (OfficeCalendar, "working_days"): _rest,
        (VisitPolicy, "rest"): _rest,
        (VisitPolicy, "rules"): _by_name(CadenceRule, _as_it_is),
        (ServiceLevels, "targets"): _by_name(Target, _one_length),
        **{(ServiceLevels, name): _perhaps_number for name in _USUAL_TARGETS},
        (ServiceLevels, "due_soon"): _number,
        (Target, "due_soon"): _number,
        (Target, "hours"): _perhaps_number,
        (Target, "minutes"): _perhaps_number,
        (Level, "hours"): _number,
        (VisitPolicy, "zone"): _zone,
        (Appointments, "zone"): _zone,
        **MESSAGE_FIELDS,
    },
    hidden={
        ChainPolicies: ("store_calendars",),
        CardState: ("waiver",),
        Renewal: ("term",),
        ProfileAudit: ("phones",),
        **MESSAGE_HIDDEN,
    },
)
"""What a chain file spells otherwise than by the fields of the Python values."""
