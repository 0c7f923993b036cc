"""Finding values in nested records: by names, by position, and from a line upwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from memberops.adapters.sms.json_paths import look_up
from memberops.errors import ConfigurationError, SourceError

__all__ = ["look_up", "plain_at", "scopes", "stands_at", "with_value_at"]


def scopes(record: Any, each: str) -> Iterator[tuple[Any, ...]]:
    """
    Walk to the lines of a record; a list on the way is walked through.

    Args:
        record: A document.
        each: Path of the lines; empty for the record itself.

    Yields:
        The record, every list's element on the way, and the line.

    >>> order = {"id": 1, "refunds": [{"id": 7, "lines": [{"n": 1}, {"n": 2}]}]}
    >>> [(chain[1]["id"], chain[-1]["n"]) for chain in scopes(order, "refunds.lines")]
    [(7, 1), (7, 2)]
    """
    yield from _walk((record,), record, each.split(".") if each else [])


def _walk(
    chain: tuple[Any, ...], value: Any, steps: list[str]
) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, list):
        for element in value:
            yield from _walk((*chain, element), element, steps)
    elif not steps:
        if value is not None:
            yield chain if chain[-1] is value else (*chain, value)
    elif isinstance(value, dict) and value.get(steps[0]) is not None:
        yield from _walk(chain, value[steps[0]], steps[1:])


def plain_at(chain: tuple[Any, ...], path: str, *, false_is_missing: bool) -> Any:
    """
    Return the plain value at a path, None if nothing stands there.

    Args:
        chain: Of `scopes`.
        path: From the line; ``/x`` from the record, ``../x`` from what holds the
            line, ``'x'`` the text itself. A bar parts paths of which the first with
            a value is taken, and a plus joins texts by a space.
        false_is_missing: Whether ``false`` means that there is no value.

    Raises:
        SourceError: A list or an object stands there.

    >>> chain = ({"id": 1, "at": None}, {"sku": "A", "first": "三", "last": "张"})
    >>> [plain_at(chain, path, false_is_missing=False)
    ...  for path in ("sku", "/id", "at|/id", "last+first", "at|'web'")]
    ['A', 1, 1, '张 三', 'web']
    """
    for choice in path.split("|"):
        parts = [_plain(chain, part.strip(), false_is_missing) for part in
                 choice.split("+")]  # fmt: skip
        if len(parts) == 1:
            if parts[0] not in (None, ""):
                return parts[0]
        elif joined := " ".join(str(part) for part in parts if part not in (None, "")):
            return joined
    return None


def _plain(chain: tuple[Any, ...], path: str, false_is_missing: bool) -> Any:  # noqa: FBT001 - one private caller
    at = len(chain) - 1
    if path[:1] == path[-1:] == "'":
        return path[1:-1]
    if path.startswith("/"):
        at, path = 0, path[1:]
    while path.startswith("../"):
        at, path = max(0, at - 1), path[3:]
    value = look_up(chain[at], path)
    if isinstance(value, dict | list):
        if not value:
            return None
        raise SourceError(
            f"at {path[:80]!r} stands no plain value; name what is meant inside of it"
        )
    return None if value is False and false_is_missing else value


def stands_at(chain: tuple[Any, ...], path: str) -> bool | None:
    """
    Tell whether something stands at a path; None if what might hold it is empty.

    Args:
        chain: Of `scopes`.
        path: As `plain_at` takes it; one of its choices is enough.

    >>> record = {"customer": None, "lines": [], "id": 1, "shop": {"code": None}}
    >>> [stands_at((record,), path)
    ...  for path in ("id", "shop.code", "customer.id", "lines.sku", "shop.cod")]
    [True, True, None, None, False]
    >>> stands_at((record,), "idd|id"), stands_at((record,), "'online'")
    (True, True)
    """
    found: bool | None = False
    for choice in path.replace("+", "|").split("|"):
        at, own = len(chain) - 1, choice.strip()
        if own[:1] == own[-1:] == "'":
            return True
        if own.startswith("/"):
            at, own = 0, own[1:]
        while own.startswith("../"):
            at, own = max(0, at - 1), own[3:]
        one = _stands(chain[at], own.split(".") if own else [])
        if one:
            return True
        found = None if one is None else found
    return found


def _stands(value: Any, steps: list[str]) -> bool | None:
    for at, step in enumerate(steps):
        if value is None or value is False or value in ("", {}, []):
            return None
        if isinstance(value, list) and not step.isdecimal():
            # A list is walked through, as by `each` and by flags.
            found = [_stands(one, steps[at:]) for one in value]
            return any(found) or (None if None in found else False)
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        elif isinstance(value, Mapping) and step in value:
            value = value[step]
        else:
            return False
    return True


def with_value_at(template: Any, path: str, value: Any) -> Any:
    """
    Return a copy of a nested template in which a value stands at a path.

    Raises:
        ConfigurationError: A list on the way has no such position, or a plain value
            stands there.

    >>> with_value_at({"filters": [["modified", ">=", ""]]}, "filters.0.2", "2026")
    {'filters': [['modified', '>=', '2026']]}
    >>> with_value_at({}, "query.cursor", "c")
    {'query': {'cursor': 'c'}}
    """
    try:
        return _with_value(template, path, value)
    except (IndexError, TypeError, ValueError):
        raise ConfigurationError(
            f"there is no place for {path[:80]!r} in 'body' or 'params': a list on the "
            "way has no such position, or a plain value stands there"
        ) from None


def _with_value(template: Any, path: str, value: Any) -> Any:
    step, _, rest = path.partition(".")
    if isinstance(template, list | tuple):
        at = int(step)
        if not 0 <= at <= len(template):
            raise IndexError
        new = _with_value(template[at], rest, value) if rest else value
        return [*template[:at], new, *template[at + 1 :]]
    if template is not None and not isinstance(template, Mapping):
        raise TypeError
    inner = dict(template or {})
    inner[step] = _with_value(inner.get(step), rest, value) if rest else value
    return inner
