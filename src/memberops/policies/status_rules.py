"""The status of a membership by ordered rules that are data, on any day."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

import attrs
import pandas as pd

from memberops.domain import Decision, Reason, Statement
from memberops.domain.values import check_as_of, identifier
from memberops.errors import InvalidValueError, ScheduleError, nearest
from memberops.policies.status_frames import status_frame
from memberops.schedules.dates import add_days, add_months
from memberops.schedules.terms import TermUnit

__all__ = ["Edge", "StatusRule", "StatusRules", "usual_rules"]

_UNITS: tuple[str, ...] = get_args(TermUnit)
_EDGE = re.compile(
    r"\s*([A-Za-z_][A-Za-z_0-9]*)\s*(?:([+-])\s*(\d{1,5})\s*([a-z]+)\s*)?"
)
_WEEK, _YEAR = 7, 12


@attrs.frozen(kw_only=True)
class Edge:
    """
    A day that an event gives, so many units before or after it.

    Months and years clamp to the end of a shorter month: the end of January plus one
    month is the end of February, never a day of March.

    Args:
        event: Name of the event, such as ``"join"``, ``"start"`` or ``"end"``.
        offset: How many units later; below 0, earlier.
        unit: ``"days"``, ``"weeks"``, ``"months"`` or ``"years"``.

    >>> Edge.parse("end + 1 month").day({"end": dt.date(2027, 1, 31)})
    datetime.date(2027, 2, 28)
    """

    event: str = attrs.field(validator=identifier)
    offset: int = 0
    unit: TermUnit = "days"

    @classmethod
    def parse(cls, text: Any) -> Edge:
        """
        Read an edge from a text such as ``"end + 1 month"``.

        Raises:
            InvalidValueError: The text is no edge.
        """
        if isinstance(text, Edge):
            return text
        match = _EDGE.fullmatch(text) if isinstance(text, str) else None
        unit = (match[4] or "days") if match else ""
        unit = unit if unit.endswith("s") else f"{unit}s"
        if match is None or unit not in _UNITS:
            raise InvalidValueError(
                "a rule begins and ends on an event with an offset, such as "
                f"'end' or 'end + 1 month', not {str(text)[:40]!r}"
            )
        offset = int(match[3] or 0) * (-1 if match[2] == "-" else 1)
        return cls(event=match[1], offset=offset, unit=unit)  # type: ignore[arg-type]

    @property
    def months(self) -> int | None:
        """The offset in months; None if it is one in days."""
        if self.unit == "months":
            return self.offset
        return self.offset * _YEAR if self.unit == "years" else None

    @property
    def days(self) -> int:
        """The offset in days, of an edge that does not count months."""
        return self.offset * (_WEEK if self.unit == "weeks" else 1)

    def day(self, events: dict[str, dt.date | None]) -> dt.date | None:
        """Return the day, None if the event is not known to have one."""
        event = events[self.event]
        if event is None:
            return None
        try:
            if self.months is not None:
                return add_months(event, self.months)
            return add_days(event, self.days)
        except ScheduleError:
            # A card for ever ends with the calendar.
            return dt.date.max if self.offset > 0 else dt.date.min

    def __str__(self) -> str:
        """Write the edge as it can be parsed."""
        if not self.offset:
            return self.event
        sign = "+" if self.offset > 0 else "-"
        return f"{self.event} {sign} {abs(self.offset)} {self.unit}"


def _edge(value: Any) -> Edge | None:
    return None if value is None else Edge.parse(value)


def _kinds(value: Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise InvalidValueError(f"'kinds' takes a list of kinds: kinds=[{value!r}]")
    return tuple(value)


@attrs.frozen
class StatusRule:
    """
    A status with the days on which it may hold, both inclusive.

    Args:
        name: The status.
        start: The first day, as an `Edge` or a text such as ``"end + 1 month"``;
            None if it has held since ever.
        end: The last day; None if it never ends.
        kinds: The kinds of card that it is for; none means each.
        name_zh: The status in Chinese; *name* if empty.
        current: Whether the member counts as current in it, as in a grace period.

    >>> str(StatusRule("Grace", "end", "end+1 month").end)
    'end + 1 months'
    """

    name: str = attrs.field(validator=identifier)
    start: Edge | None = attrs.field(default=None, converter=_edge)
    end: Edge | None = attrs.field(default=None, converter=_edge)
    kinds: tuple[str, ...] = attrs.field(default=(), converter=_kinds, kw_only=True)
    name_zh: str = attrs.field(default="", kw_only=True)
    current: bool = attrs.field(default=False, kw_only=True)

    def span(self, events: dict[str, dt.date | None]) -> tuple[dt.date, dt.date] | None:
        """Return its first and last day; None if an event that it needs has none."""
        first = dt.date.min if self.start is None else self.start.day(events)
        last = dt.date.max if self.end is None else self.end.day(events)
        return None if first is None or last is None else (first, last)


def usual_rules() -> tuple[StatusRule, ...]:
    """
    Return the usual rules: new for 3 months, current, a month of grace, expired.

    They are the defaults of CiviCRM, which names them so.
    """
    return (
        StatusRule("New", "join", "join + 3 months", name_zh="新会员", current=True),
        StatusRule("Current", "start", "end", name_zh="有效", current=True),
        StatusRule("Grace", "end", "end + 1 month", name_zh="宽限期", current=True),
        StatusRule("Expired", "end + 1 month", name_zh="已失效"),
    )


def _rules(value: Iterable[StatusRule]) -> tuple[StatusRule, ...]:
    rules = tuple(value)
    if not rules or not all(isinstance(rule, StatusRule) for rule in rules):
        raise InvalidValueError(
            "status rules are a list of at least one StatusRule('Current', 'start', "
            "'end')"
        )
    return rules


@attrs.frozen(kw_only=True)
class StatusRules:
    """
    The policy that gives a status by the first rule that holds on the day.

    Args:
        rules: The rules in order; the first whose days hold the day wins.
        otherwise: The status where none does.
        policy: Id of the policy.
        version: Version of the policy.

    Raises:
        InvalidValueError: There is no rule, or one that is none.

    >>> answer = StatusRules().decide(as_of=dt.date(2026, 11, 21),
    ...     join=dt.date(2025, 11, 21), start=dt.date(2025, 11, 21),
    ...     end=dt.date(2026, 11, 20))
    >>> answer.outcome, answer.changes_on
    ('Grace', datetime.date(2026, 12, 21))
    >>> print(answer.explain("zh"))
    宽限期（2026-11-20 至 2026-12-20）
    """

    rules: tuple[StatusRule, ...] = attrs.field(factory=usual_rules, converter=_rules)
    otherwise: str = attrs.field(default="none", validator=identifier)
    policy: str = attrs.field(default="status-rules", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    @property
    def events(self) -> tuple[str, ...]:
        """The events that the rules name, in order."""
        edges = [edge for rule in self.rules for edge in (rule.start, rule.end)]
        return tuple(dict.fromkeys(edge.event for edge in edges if edge is not None))

    def decide(
        self, *, as_of: dt.date, kind: str = "standard", **events: dt.date | None
    ) -> Decision:
        """
        Give the status on a day.

        Args:
            as_of: The day asked for.
            kind: The kind of card.
            **events: The day of each event that the rules name; None if it has not
                happened, and then a rule that needs it never holds.

        Returns:
            A decision whose outcome is the status. The first reason is the rule that
            holds, the second the next in order that would hold without it.

        Raises:
            InvalidValueError: An event is not given, not known or no plain date.
        """
        check_as_of(as_of)
        self._check(events)
        spans = [
            (rule, span)
            for rule in self.rules
            if not rule.kinds or kind in rule.kinds
            if (span := rule.span(events)) is not None
        ]
        held = [(rule, span) for rule, span in spans if span[0] <= as_of <= span[1]]
        outcome = held[0][0].name if held else self.otherwise
        return Decision(
            outcome=outcome,
            grounds=self._grounds(held),
            policy=self.policy,
            version=self.version,
            as_of=as_of,
            changes_on=self._changes_on(spans, as_of, outcome),
        )

    def decide_frame(
        self,
        memberships: Any,
        *,
        as_of: dt.date,
        columns: Mapping[str, str] | None = None,
    ) -> pd.DataFrame:
        """
        Give the status of each row; row by row the same answer as `decide`.

        Args:
            memberships: A frame of any engine with a column of days for each event
                that the rules name, and an optional ``kind`` of card; a gap is an
                event that has not happened.
            as_of: The day asked for.
            columns: Which column an event is in, where it is not called like it:
                ``{"join": "anchor", "start": "valid_from", "end": "valid_through"}``.

        Returns:
            A pandas frame of the same rows with ``status``, ``current`` (bool) and
            ``changes_on`` (a day, or a gap if it never changes).

        Raises:
            MissingColumnsError: An event has no column.
            ColumnTypeError: A column holds no days.

        >>> cards = pd.DataFrame({"join": pd.to_datetime(["2025-11-21"]),
        ...     "start": pd.to_datetime(["2025-11-21"]),
        ...     "end": pd.to_datetime(["2026-11-20"])})
        >>> rows = StatusRules().decide_frame(cards, as_of=dt.date(2026, 11, 21))
        >>> rows.status[0], str(rows.changes_on[0].date())
        ('Grace', '2026-12-21')
        """
        return status_frame(self, memberships, as_of=check_as_of(as_of), names=columns)

    def current(self, status: str) -> bool:
        """Tell whether a member of that status counts as current."""
        return any(rule.current for rule in self.rules if rule.name == status)

    def _check(self, events: dict[str, dt.date | None]) -> None:
        for name, day in events.items():
            if name not in self.events:
                raise InvalidValueError(
                    f"no rule names the event {name[:40]!r}; "
                    f"{nearest(name[:40], self.events)}"
                )
            if day is not None:
                check_as_of(day)
        for name in self.events:
            if name not in events:
                raise InvalidValueError(
                    f"the rules need the event {name!r} (None if it has not happened); "
                    f"{nearest(name, events)}"
                )

    def _grounds(
        self, held: list[tuple[StatusRule, tuple[dt.date, dt.date]]]
    ) -> Statement:
        if not held:
            return Statement(
                reasons=[
                    Reason(
                        rule=self.otherwise,
                        met=None,
                        text_en="no rule holds",
                        text_zh="无适用规则",
                    )
                ]
            )
        reasons = []
        for number, (rule, span) in enumerate(held[:2]):
            first, last = (_open(day) for day in span)
            name_zh = rule.name_zh or rule.name
            reasons.append(
                Reason(
                    rule=rule.name,
                    met=not number,
                    figures=(("from", first), ("through", last)),
                    text_en=f"{rule.name} ({first} to {last})",
                    text_zh=f"{name_zh}（{first} 至 {last}）",
                )
            )
        return Statement(
            reasons=reasons, text_en=reasons[0].text_en, text_zh=reasons[0].text_zh
        )

    def _changes_on(
        self,
        spans: list[tuple[StatusRule, tuple[dt.date, dt.date]]],
        as_of: dt.date,
        outcome: str,
    ) -> dt.date | None:
        turns = {span[0] for _, span in spans}
        turns |= {add_days(s[1], 1) for _, s in spans if s[1] < dt.date.max}
        for day in sorted(turn for turn in turns if turn > as_of):
            names = (rule.name for rule, span in spans if span[0] <= day <= span[1])
            if next(names, self.otherwise) != outcome:
                return day
        return None


def _open(day: dt.date) -> str:
    return "…" if day in (dt.date.min, dt.date.max) else str(day)
