"""Reading policies: rows that are left out knowingly, by a rule that is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from memberops.errors import ConfigurationError, nearest

__all__ = ["DropRule", "drop_rules"]

_LIMITS = ("at_most", "at_least", "below", "above")
_TEXTS = ("equals", "starts_with")


def _words(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@attrs.frozen(kw_only=True)
class DropRule:
    """
    A rule that leaves out rows when a file is read.

    Such rows are neither errors nor lost: they are kept among the rejects under the
    rule ``"dropped-by-reading"``, and one finding tells how many there were and why.
    A missing or unreadable cell matches no rule but *missing*.

    Args:
        column: A canonical column, or a heading of the file that means none.
        reason: Why, in the words of the chain; shown in findings and rejects.
        at_most: Drop values up to this one; amounts in major units, as text.
        at_least: Drop values from this one on.
        below: Drop values under this one.
        above: Drop values over this one.
        equals: Drop these texts.
        starts_with: Drop texts that begin with one of these.
        missing: Drop rows whose cell is empty.

    Raises:
        ConfigurationError: There is not exactly one condition.

    >>> DropRule(column="unit_price", at_most="0", reason="no price").condition
    'unit_price at_most 0'
    """

    column: str
    reason: str
    at_most: str | None = None
    at_least: str | None = None
    below: str | None = None
    above: str | None = None
    equals: tuple[str, ...] = attrs.field(default=(), converter=_words)
    starts_with: tuple[str, ...] = attrs.field(default=(), converter=_words)
    missing: bool = False

    def __attrs_post_init__(self) -> None:
        """Check that there is one condition."""
        given = [name for name in (*_LIMITS, *_TEXTS, "missing") if self._has(name)]
        if len(given) != 1:
            raise ConfigurationError(
                f"a drop rule for {self.column[:40]!r} needs exactly one condition, "
                f"it has {', '.join(given) or 'none'}"
            )
        for name in _LIMITS:
            if not isinstance(getattr(self, name), str | None):
                raise ConfigurationError(
                    f"{name!r} of a drop rule is written as text, such as '0.00'"
                )

    def _has(self, name: str) -> bool:
        value = getattr(self, name)
        return value is not None and value != () and value is not False

    @property
    def limit(self) -> tuple[str, str] | None:
        """The comparison and the text it compares with, if it is a comparison."""
        for name in _LIMITS:
            if self._has(name):
                return name, str(getattr(self, name))
        return None

    @property
    def condition(self) -> str:
        """The condition in words."""
        if self.limit:
            return f"{self.column} {self.limit[0]} {self.limit[1]}"
        if self.missing:
            return f"{self.column} missing"
        name = "equals" if self.equals else "starts_with"
        return f"{self.column} {name} {' | '.join(getattr(self, name))}"

    def matches_text(self, text: str) -> bool:
        """Tell whether a text that is not missing is dropped."""
        return text in self.equals or (
            bool(self.starts_with) and text.startswith(self.starts_with)
        )

    def matches_value(self, value: Any, limit: Any) -> bool:
        """Tell whether a readable value is dropped by comparison with *limit*."""
        name = self.limit[0] if self.limit else ""
        return bool(
            (name == "at_most" and value <= limit)
            or (name == "at_least" and value >= limit)
            or (name == "below" and value < limit)
            or (name == "above" and value > limit)
        )


def drop_rules(
    rules: Iterable[DropRule | Mapping[str, Any]],
) -> tuple[DropRule, ...]:
    """
    Make drop rules from what a chain file holds.

    Raises:
        ConfigurationError: A rule has an unknown or a missing key.

    >>> drop_rules([{"column": "ticket_id", "starts_with": "A", "reason": "bad debt"}])
    (DropRule(column='ticket_id', reason='bad debt', ..., starts_with=('A',), ...),)
    """
    known = [field.name for field in attrs.fields(DropRule)]
    made = []
    for rule in rules:
        if isinstance(rule, DropRule):
            made.append(rule)
            continue
        for name in rule:
            if name not in known:
                raise ConfigurationError(
                    f"a drop rule has no key {str(name)[:40]!r}; "
                    f"{nearest(str(name), known)}"
                )
        for name in ("column", "reason"):
            if not isinstance(rule.get(name), str):
                raise ConfigurationError(f"a drop rule needs a text {name!r}")
        made.append(DropRule(**rule))
    return tuple(made)
