"""
Plain tables become attrs values, strictly; what does not fit is named by its path.

cattrs does the work. Nothing is coerced: text is no number, a float is no money, and
true is not 1.
"""

from __future__ import annotations

import contextlib
import re
import types
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo, available_timezones

import attrs
import cattrs
from cattrs.errors import (
    BaseValidationError,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
)
from cattrs.gen import make_dict_structure_fn, override

from memberops.domain import Currency
from memberops.errors import InvalidValueError, MemberOpsError, bounded, nearest
from memberops.metrics import MetricPolicy
from memberops.policies import CardState, FeeWaiver, Renewal
from memberops.workflows.chain_policies import ChainPolicies

__all__ = ["Misfit", "Problem", "structured"]

_Hook = Callable[[Any, Any], Any]
_NONE = "none"
_LONGEST = 300
_NO_CODES = {"RMB": "CNY", "YUAN": "CNY", "NTD": "TWD", "UKP": "GBP", "YEN": "JPY"}
"""What people write for a currency, and its code."""
_AMOUNT = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_ANY_CURRENCY = Currency("XXX", digits=6)
_SPELLED = ("fee_waiver", "term", "renewal", "card_state", "metrics")
_HIDDEN: dict[type, tuple[str, ...]] = {
    ChainPolicies: tuple(
        field.name
        for field in attrs.fields(ChainPolicies)
        if field.name not in _SPELLED
    ),
    FeeWaiver: ("currency", "rule"),
    MetricPolicy: ("currency",),
    CardState: ("waiver",),
    Renewal: ("term",),
}
"""Fields that follow from the rest of a file, or that a file cannot express."""


@attrs.frozen
class Problem:
    """
    One thing that is wrong with a file.

    Args:
        path: The keys that lead to it.
        text: The rest of the sentence; a clause of its own begins with a colon.

    >>> str(Problem(("policies", "term"), ": no such term")), str(Problem((), "x"))
    ('policies.term: no such term', 'x')
    """

    path: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        """Write path and text, bounded."""
        place = ".".join(part[:40] for part in self.path)
        line = f"{place}{self.text}" if self.text[:1] == ":" else f"{place} {self.text}"
        line = line.strip(": ")
        return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


class Misfit(Exception):  # noqa: N818 - not an error of the library: it is gathered
    """
    What is wrong with one table or value, with paths that begin there.

    Args:
        problems: The problems, or the text of one about the value itself.
    """

    def __init__(self, problems: str | list[Problem]) -> None:
        if isinstance(problems, str):
            problems = [Problem((), problems)]
        self.problems = problems
        super().__init__(len(problems))


def structured(
    given: Mapping[str, Any], kind: type, hooks: Mapping[Any, Callable[..., Any]]
) -> Any:
    """
    Make an attrs value from a plain table.

    Args:
        given: What the file holds; its ``currency`` goes into every policy.
        kind: The class to make.
        hooks: Further types, each with a function that makes one from what the file
            holds, or raises `Misfit`.

    Raises:
        Misfit: With every problem that was found.
    """
    currency = _ANY_CURRENCY
    # What is wrong with the currency is told below, when the whole is read.
    with contextlib.suppress(Misfit, InvalidValueError):
        currency = _converter(currency, hooks).structure(
            given.get("currency"), Currency
        )
    return _converter(currency, hooks).structure(given, kind)


def _converter(
    currency: Currency, hooks: Mapping[Any, Callable[..., Any]]
) -> cattrs.Converter:
    converter = cattrs.Converter()
    converter.register_structure_hook_factory(
        attrs.has, lambda kind: _class_hook(kind, converter, currency)
    )
    converter.register_structure_hook_func(
        lambda kind: _origin(kind) is tuple, _list_hook(converter)
    )
    converter.register_structure_hook_func(
        lambda kind: _origin(kind) is Literal, _choice
    )
    converter.register_structure_hook_func(_is_union, _union_hook(converter))
    for plain, hook in ((str, _text), (int, _whole), (Decimal, _money)):
        converter.register_structure_hook(plain, hook)
    converter.register_structure_hook(ZoneInfo, _zone)
    spelled = _class_hook(Currency, converter, currency)
    converter.register_structure_hook(
        Currency, lambda value, kind: _currency(value, kind, spelled)
    )
    for other, made in hooks.items():
        converter.register_structure_hook_func(_is(other), _ignoring_kind(made))
    return converter


def _is(other: Any) -> Callable[[Any], bool]:
    return lambda kind: bool(kind == other)


def _ignoring_kind(made: Callable[..., Any]) -> _Hook:
    return lambda value, _kind: made(value)


def _class_hook(kind: type, converter: cattrs.Converter, currency: Currency) -> _Hook:
    """Read a class: known keys only, and what follows from the file put in."""
    hidden = _HIDDEN.get(kind, ())
    fields = attrs.fields(attrs.resolve_types(kind))
    known = [field.alias for field in fields if field.alias not in hidden]
    omitted: dict[str, Any] = {
        field.name: override(omit=True)
        for field in fields
        if field.alias in hidden and field.alias != "currency"
    }
    inner: _Hook = make_dict_structure_fn(
        kind, converter, _cattrs_forbid_extra_keys=True, **omitted
    )

    def read(value: Any, _kind: Any) -> Any:
        if not isinstance(value, Mapping):
            raise Misfit(_not("a table", value))
        problems = [_unknown(str(key), known) for key in value if key not in known]
        table = {key: value[key] for key in value if key in known}
        for field in fields:
            # A table that is absent has its defaults, but in the chain's currency.
            optional = field.default is not attrs.NOTHING and attrs.has(field.type)
            if field.alias in known and optional:
                table.setdefault(field.alias, {})
        if "currency" in hidden:
            table["currency"] = currency
        try:
            made = inner(table, kind)
        except BaseValidationError as error:
            problems += _problems(error)
        if problems:
            raise Misfit(problems)
        if kind is ChainPolicies:
            spelled = {name: getattr(made, name) for name in _SPELLED}
            made = attrs.evolve(ChainPolicies.of(currency), **spelled)
        return made

    return read


def _problems(error: Exception) -> Iterator[Problem]:
    """Walk the errors of cattrs; each problem has its path from here."""
    if isinstance(error, (ClassValidationError, IterableValidationError)):
        noted, plain = error.group_exceptions()
        for inner, note in noted:
            name = str(getattr(note, "name", None) or getattr(note, "index", ""))
            for problem in _problems(inner):
                yield Problem((name, *problem.path), problem.text)
        for inner in plain:
            yield from _problems(inner)
    elif isinstance(error, Misfit):
        yield from error.problems
    elif isinstance(error, KeyError) and not isinstance(error, MemberOpsError):
        yield Problem((), "is needed")
    elif isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields):
            yield _unknown(key, [field.alias for field in attrs.fields(error.cl)])
    else:
        yield Problem((), f": {error}")


def _unknown(key: str, known: list[str]) -> Problem:
    return Problem((key,), f"is not known; {nearest(key[:40], known)}")


def _not(expected: str, value: Any) -> str:
    """Say what is expected and what was found instead."""
    if isinstance(value, bool):
        found = str(value).lower()
    elif isinstance(value, str):
        found = f"the text {bounded([value[:40]])}"
    elif isinstance(value, float):
        found = f"the float {value}"
    elif isinstance(value, int):
        found = f"the number {str(value)[:40]}"
    elif isinstance(value, Mapping):
        found = "a table"
    elif isinstance(value, list):
        found = "a list"
    else:
        found = "a date or time" if value is not None else "nothing"
    return f"takes {expected}, not {found}"


def _text(value: Any, _kind: Any) -> str:
    if not isinstance(value, str):
        raise Misfit(_not("text", value))
    return value


def _whole(value: Any, _kind: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Misfit(_not("a whole number", value))
    return value


def _money(value: Any, _kind: Any) -> Decimal:
    if isinstance(value, float):
        raise Misfit(
            f"{_not('an amount', value)}: quote it so that it stays exact, as in "
            '"1000.50", or write a whole number'
        )
    fits = isinstance(value, str) and _AMOUNT.fullmatch(value)
    if isinstance(value, bool) or not (fits or isinstance(value, int)):
        raise Misfit(_not('an amount such as "1000.50" or 1000', value))
    return Decimal(value)


def _currency(value: Any, kind: Any, spelled: _Hook) -> Currency:
    if isinstance(value, Currency):
        return value
    if isinstance(value, str):
        if value in _NO_CODES:
            raise Misfit(
                f"takes an ISO 4217 code, not {value!r}; did you mean "
                f"{_NO_CODES[value]!r}?"
            )
        return Currency(value)
    if isinstance(value, Mapping):
        made: Currency = spelled(value, kind)
        return made
    raise Misfit(_not('a code such as "CNY", or a table with code and digits', value))


def _zone(value: Any, _kind: Any) -> ZoneInfo:
    name = _text(value, str)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        hint = nearest(name[:40], available_timezones())
        raise Misfit(
            f"takes an IANA zone such as 'Asia/Shanghai', not {bounded([name])}; {hint}"
        ) from None


def _choice(value: Any, kind: Any) -> Any:
    known = get_args(kind)
    if value not in known or isinstance(value, bool):
        hint = nearest(value, known) if isinstance(value, str) else ""
        raise Misfit(f"{_not(f'one of {bounded(known)}', value)}; {hint}".strip("; "))
    return value


def _is_union(kind: Any) -> bool:
    return _origin(kind) in (Union, types.UnionType)


def _origin(kind: Any) -> Any:
    return get_origin(kind)


def _union_hook(converter: cattrs.Converter) -> _Hook:
    def read(value: Any, kind: Any) -> Any:
        parts = [part for part in get_args(kind) if part is not type(None)]
        if len(parts) < len(get_args(kind)) and value == _NONE:
            return None
        part = Decimal if Decimal in parts else parts[0]
        return converter.structure(value, part)

    return read


def _list_hook(converter: cattrs.Converter) -> _Hook:
    def read(value: Any, kind: Any) -> Any:
        if not isinstance(value, list):
            raise Misfit(_not("a list", value))
        made, problems = [], []
        for number, item in enumerate(value, start=1):
            try:
                made.append(converter.structure(item, get_args(kind)[0]))
            except Misfit as misfit:
                problems += [
                    Problem((str(number), *problem.path), problem.text)
                    for problem in misfit.problems
                ]
        if problems:
            raise Misfit(problems)
        return tuple(made)

    return read
