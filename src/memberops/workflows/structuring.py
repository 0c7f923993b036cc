"""
Plain tables become attrs values, strictly; what does not fit is named by its path.

A table is read over its default: what it does not say stays as the default has it. A
list stands for the whole list. cattrs finds who reads a type.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin

import attrs
import cattrs

from memberops.errors import MemberOpsError, nearest
from memberops.workflows.plain_values import (
    NONE,
    PLAIN,
    choice,
    found_instead,
    member_of,
)
from memberops.workflows.problems import Misfit, Problem

__all__ = ["Misfit", "Problem", "Reader", "Spelling", "built", "unknown_key"]


Spelled = Callable[[Any, Any, "Reader"], Any]
"""What reads a value: given the value, its default or None, and the reader."""


@attrs.frozen(kw_only=True)
class Spelling:
    """
    What a file spells otherwise than by the fields of the Python values.

    Args:
        types: By type, what reads it.
        fields: By class and field, what reads it.
        hidden: By class, fields that follow from the rest of the file.
    """

    types: Mapping[Any, Spelled] = attrs.field(factory=dict)
    fields: Mapping[tuple[type, str], Spelled] = attrs.field(factory=dict)
    hidden: Mapping[type, tuple[str, ...]] = attrs.field(factory=dict)


@attrs.define(eq=False)
class Reader:
    """
    Reads the tables of one file.

    Args:
        spelling: What the file spells in its own way.
        filled: By field, what a value without a default takes from the file, such as
            its currency.
        facts: What one part of the file tells another.
    """

    spelling: Spelling
    filled: dict[tuple[str, Any], Any] = attrs.field(factory=dict)
    facts: dict[str, Any] = attrs.field(factory=dict)
    _converter: cattrs.Converter = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Say who reads what; the later hook goes first."""
        made = cattrs.Converter()
        hooks: list[tuple[Callable[[Any], bool], Callable[[Any, Any], Any]]] = [
            (attrs.has, self.table),
            (lambda kind: get_origin(kind) in (tuple, frozenset), self._listed),
            (lambda kind: get_origin(kind) is Literal, choice),
            (_is_union, self.read),
        ]
        for fits, hook in hooks:
            made.register_structure_hook_func(fits, hook)
        for plain, read in PLAIN.items():
            made.register_structure_hook(plain, _alone(read))
        for other, spelled in self.spelling.types.items():
            made.register_structure_hook_func(_same(other), self._spelled(spelled))
        self._converter = made

    def _spelled(self, spelled: Spelled) -> Callable[[Any, Any], Any]:
        return lambda value, _kind: spelled(value, None, self)

    def read(self, value: Any, kind: Any, base: Any = None) -> Any:
        """
        Read a value of a type.

        Args:
            value: What the file holds.
            kind: What it is to become.
            base: The default over which a table is read; None if there is none.

        Raises:
            Misfit: With every problem that was found.
        """
        own = _parts(kind)[0]
        if type(None) not in get_args(kind):
            return self._one(value, own, base)
        if value == NONE:
            return None
        try:
            return self._one(value, own, base)
        except Misfit as misfit:
            if own in PLAIN:
                raise
            raise Misfit(_or_none(each) for each in misfit.problems) from None

    def _one(self, value: Any, own: Any, base: Any) -> Any:
        if base is not None and own in self.spelling.types:
            return self.spelling.types[own](value, base, self)
        if base is not None and attrs.has(own):
            return self.table(value, own, base)
        if isinstance(own, type) and issubclass(own, enum.Enum):
            # cattrs would take a word of text for the text that it is too.
            return member_of(value, own)
        return self._converter.structure(value, own)

    def table(
        self, value: Any, kind: Any, base: Any = None, *, beside: tuple[str, ...] = ()
    ) -> Any:
        """
        Read a table into a class: known keys only, each problem by its key.

        Args:
            value: What the file holds.
            kind: The class.
            base: The default over which the table is read.
            beside: Keys that were read already, for what an unknown key may mean.

        Raises:
            Misfit: With every problem that was found.
        """
        if not isinstance(value, Mapping):
            raise Misfit(found_instead("a table", value))
        fields = {field.alias: field for field in self._fields(kind)}
        known = (*fields, *beside)
        problems = [unknown_key(key, known) for key in value if key not in fields]
        made: dict[str, Any] = {}
        for alias, field in fields.items():
            default = None if base is None else getattr(base, field.name)
            try:
                if alias in value:
                    made[alias] = self._field(value[alias], kind, field, default)
                elif base is None and attrs.has(field.type) and _has_default(field):
                    # What is left out still follows from the file: its currency.
                    made[alias] = self.read({}, field.type)
                elif base is None and not _has_default(field):
                    problems.append(Problem((alias,), "is needed"))
            except Misfit as misfit:
                problems += misfit.under(alias)
        if problems:
            raise Misfit(problems)
        if base is None:
            made |= dict(self._from_file(kind))
            return built(lambda: kind(**made))
        return built(lambda: attrs.evolve(base, **made))

    def _fields(self, kind: type) -> list[Any]:
        hidden = self.spelling.hidden.get(kind, ())
        filled = [name for name, _ in self._from_file(kind)]
        return [
            field
            for field in attrs.fields(attrs.resolve_types(kind))
            if field.init and field.alias not in (*hidden, *filled)
        ]

    def _from_file(self, kind: type) -> Iterator[tuple[str, Any]]:
        for field in attrs.fields(attrs.resolve_types(kind)):
            key = (field.alias, field.type)
            if key in self.filled and (kind, field.alias) not in self.spelling.fields:
                yield field.alias, self.filled[key]

    def _field(self, value: Any, kind: type, field: Any, default: Any) -> Any:
        spelled = self.spelling.fields.get((kind, field.alias))
        if spelled is not None:
            return spelled(value, default, self)
        return self.read(value, field.type, default)

    def _listed(self, value: Any, kind: Any) -> Any:
        of = get_args(kind)[0]
        read = self.listed(value, lambda item: self.read(item, of))
        return frozenset(read) if get_origin(kind) is frozenset else tuple(read)

    def listed(self, value: Any, read: Callable[[Any], Any]) -> list[Any]:
        """
        Read each value of a list; a problem is named by its number, from 1.

        Raises:
            Misfit: It is no list, or with the problems of its values.
        """
        if not isinstance(value, list):
            raise Misfit(found_instead("a list", value))
        return _each(((str(n), item) for n, item in enumerate(value, start=1)), read)

    def keyed(self, value: Any, read: Callable[[Any], Any]) -> dict[str, Any]:
        """
        Read each value of a table whose keys are free.

        Raises:
            Misfit: It is no table, or with the problems of its values.
        """
        if not isinstance(value, Mapping):
            raise Misfit(found_instead("a table", value))
        return dict(zip(value, _each(value.items(), read), strict=True))


def built(make: Callable[[], Any]) -> Any:
    """
    Make a value; what it refuses is a problem of its table.

    >>> built(lambda: int("x"))
    Traceback (most recent call last):
    memberops.workflows.problems.Misfit: 1
    """
    try:
        return make()
    except (MemberOpsError, TypeError, ValueError) as error:
        raise Misfit([Problem.raised((), error)]) from None


def unknown_key(key: object, known: Any) -> Problem:
    """
    Name a key that is not known, with the nearest that is.

    >>> str(unknown_key("spent", ["spend", "year"]))
    "spent is not known; did you mean 'spend'?"
    """
    name = str(key)
    return Problem((name,), f"is not known; {nearest(name[:40], known)}")


def _each(items: Any, read: Callable[[Any], Any]) -> list[Any]:
    made, problems = [], []
    for key, item in items:
        try:
            made.append(read(item))
        except Misfit as misfit:
            problems += misfit.under(str(key))
    if problems:
        raise Misfit(problems)
    return made


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


def _parts(kind: Any) -> list[Any]:
    """Give the types of a union but None, the exact one first, or the one type."""
    if not _is_union(kind):
        return [kind]
    return [part for part in get_args(kind) if part is not type(None)]


def _or_none(problem: Problem) -> Problem:
    if problem.path:
        return problem
    chinese = f"{problem.text_zh}；“{NONE}”表示无值" if problem.text_zh else ""
    return Problem((), f'{problem.text}; "{NONE}" stands for no value', chinese)


def _same(other: Any) -> Callable[[Any], bool]:
    return lambda kind: bool(kind == other)


def _alone(read: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, _kind: read(value)


def _has_default(field: Any) -> bool:
    return field.default is not attrs.NOTHING
