"""How a chain file spells terms, rules and the edges of a status."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from memberops.policies import (
    AllOf,
    AnyOf,
    AtLeast,
    Edge,
    FixedTerm,
    Lifetime,
    Rule,
    Term,
    Words,
)
from memberops.workflows.plain_values import (
    amount,
    found_instead,
    month_day,
    one_of,
    text,
)
from memberops.workflows.structuring import (
    Misfit,
    Problem,
    Reader,
    built,
    unknown_key,
)

__all__ = ["read_edge", "read_rule", "read_term"]

_TERMS: dict[str, type] = {"rolling": Term, "fixed": FixedTerm, "lifetime": Lifetime}


def read_term(value: Any, base: Any, reader: Reader) -> Any:
    """Read a term by its kind, rolling if none is said."""
    if not isinstance(value, Mapping):
        raise Misfit(found_instead("a table", value))
    rest = dict(value)
    try:
        kind = _TERMS[one_of(rest.pop("kind", "rolling"), tuple(_TERMS))]
    except Misfit as misfit:
        raise Misfit(misfit.under("kind")) from None
    if kind is FixedTerm and "start" in rest:
        return _yearly(rest, reader)
    usual = base if isinstance(base, kind) else None
    return reader.table(rest, kind, usual, beside=("kind",))


def _yearly(rest: dict[str, Any], reader: Reader) -> FixedTerm:
    """Read years that begin on a day of the year: ``start`` in place of ``first``."""
    days, problems = {}, []
    for name in ("start", "rollover"):
        if name in rest:
            try:
                month, day = month_day(rest.pop(name))
                days[name] = f"{month:02d}-{day:02d}"
            except Misfit as misfit:
                problems += misfit.under(name)
    known = ("kind", "start", "rollover", "policy", "version")
    problems += [unknown_key(key, known) for key in rest if key not in known]
    if problems:
        raise Misfit(problems)
    made = built(lambda: FixedTerm.yearly(days["start"], rollover=days.get("rollover")))
    term: FixedTerm = reader.table(rest, FixedTerm, made)
    return term


def read_rule(value: Any, _base: Any, reader: Reader) -> Rule:
    """Read a rule: ``{ spend = "1000" }``, ``{ any = [...] }``, ``{ all = [...] }``."""
    if not isinstance(value, Mapping) or not value:
        raise Misfit(found_instead('a rule such as { spend = "1000" }', value))
    if "figure" in value or "threshold" in value:
        return _condition(value, reader)
    if len(value) > 1:
        raise Misfit(
            "takes one figure, or a group of rules: { any = [{ purchases = 3 }, "
            '{ spend = "1000" }] } or { all = [...] }'
        )
    ((name, held),) = value.items()
    groups: dict[str, Callable[..., Rule]] = {"any": AnyOf, "all": AllOf}
    try:
        if name in groups:
            rules = reader.listed(held, lambda each: read_rule(each, None, reader))
            group: Rule = built(lambda: groups[name](*rules))
            return group
        threshold = amount(held)
    except Misfit as misfit:
        raise Misfit(misfit.under(str(name))) from None
    if threshold <= 0:
        raise Misfit([Problem((str(name),), "must be above 0: everybody has 0")])
    condition: Rule = built(lambda: AtLeast(name, threshold))
    return condition


def _condition(value: Mapping[str, Any], reader: Reader) -> Rule:
    """Read the long form of a condition, which names its figure in both languages."""
    readers: dict[str, Callable[[Any], Any]] = {
        "figure": text,
        "threshold": amount,
        "words": lambda held: reader.read(held, Words),
    }
    problems = [unknown_key(key, readers) for key in value if key not in readers]
    made = {}
    for key, read in readers.items():
        try:
            if key in value:
                made[key] = read(value[key])
            elif key != "words":
                problems.append(Problem((key,), "is needed"))
        except Misfit as misfit:
            problems += misfit.under(key)
    if problems:
        raise Misfit(problems)
    condition: Rule = built(lambda: AtLeast(**made))
    return condition


def read_edge(value: Any, _base: Any, _reader: Reader) -> Edge:
    """Read a day of a status rule, such as ``"end + 1 month"``."""
    words = text(value)
    edge: Edge = built(lambda: Edge.parse(words))
    return edge
