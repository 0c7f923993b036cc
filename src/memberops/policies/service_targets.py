"""What a service level promises: targets, levels of escalation, authority (HQ §6.2)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import attrs

from memberops.domain import Complaint, EventKind, Money
from memberops.domain.values import identifier
from memberops.errors import CurrencyMismatchError, InvalidValueError, nearest
from memberops.schedules import WorkingCalendar

__all__ = ["Authority", "Level", "Reopening", "Target"]

Reopening = Literal["keep", "resume", "continue", "restart"]
"""What a reopening does to a clock; see `Target`."""

_HOUR = 3_600_000_000
_MINUTE = 60_000_000
_MOST = {"hours": 876_600, "minutes": 52_596_000, "days": 36_525}
_PSEUDO = ("received", "dissatisfied", "solved_again")
_KINDS = tuple(kind.value for kind in EventKind)
_REOPENINGS = ("keep", "resume", "continue", "restart")
_optional_id = attrs.validators.optional(identifier)


def _number(value: Any, name: str) -> Decimal:
    if isinstance(value, bool | float) or not isinstance(value, int | str | Decimal):
        raise InvalidValueError(
            f"{name!r} must be a whole number, a Decimal or text, "
            f"not a {type(value).__name__}"
        )
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise InvalidValueError(f"{name!r} is no number: {str(value)[:20]!r}") from None
    if not number.is_finite():
        raise InvalidValueError(f"{name!r} must be finite")
    return number


def _hours(value: Any) -> Decimal | None:
    return None if value is None else _number(value, "hours")


def _minutes(value: Any) -> Decimal | None:
    return None if value is None else _number(value, "minutes")


def _share(value: Any) -> Decimal:
    return _number(value, "due_soon")


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, Money):
        return value.amount
    return None if value is None else _number(value, "amount")


def time_of(count: Decimal, unit: int = _HOUR) -> dt.timedelta:
    """
    Turn hours, or other units of microseconds, into a time of whole microseconds.

    >>> str(time_of(Decimal("0.5")))
    '0:30:00'
    """
    return dt.timedelta(microseconds=int((count * unit).to_integral_value()))


def listed(value: Any) -> tuple[Any, ...]:
    """Keep a list as a tuple."""
    return tuple(value)


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        raise InvalidValueError(f"give a list of words, not one word: {value[:20]!r}")
    return tuple(str(each) for each in value)


def _no_blank(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    for each in value:
        identifier(None, attribute, each)


def known_word(value: str, known: tuple[str, ...], what: str) -> None:
    """Refuse a word that is not among those known, naming the nearest."""
    if value not in known:
        shown = str(value)[:40]
        raise InvalidValueError(
            f"no {what} is called {shown!r}; {nearest(shown, known)}"
        )


def _level_hours(value: Any) -> Decimal:
    return _number(value, "hours")


@attrs.frozen(kw_only=True)
class Level:
    """
    A level of escalation, counted in the clock's own time from its due time.

    Args:
        name: Its name, such as ``"warning"``.
        hours: Hours after the due time, negative before it.
        to: Who is told.

    >>> Level(name="warning", hours=-2, to="handler").offset.total_seconds()
    -7200.0
    """

    name: str = attrs.field(validator=identifier)
    hours: Decimal = attrs.field(converter=_level_hours)
    to: str = attrs.field(validator=identifier)

    @property
    def offset(self) -> dt.timedelta:
        """The same as a time."""
        return time_of(self.hours)


@attrs.frozen(kw_only=True)
class Authority:
    """
    What a handler may not settle alone (HQ §6.2): it is escalated at once.

    Args:
        category: The category it limits; None for every category.
        amount: The most that may be asked, in major units; None if nothing of the
            category may be settled, whatever the amount.
        to: Who decides beyond it.
        currency: What the amount is in.

    >>> from memberops.domain import Currency
    >>> at = dt.datetime(2026, 11, 5, tzinfo=dt.UTC)
    >>> case = Complaint(case_id="K1", received_at=at,
    ...                  asked=Money.of("600", Currency("CNY")))
    >>> Authority(amount=500).is_exceeded(case), Authority(amount=600).is_exceeded(case)
    (True, False)
    """

    category: str | None = attrs.field(default=None, validator=_optional_id)
    amount: Decimal | None = attrs.field(default=None, converter=_amount)
    to: str = attrs.field(default="manager", validator=identifier)
    currency: str = attrs.field(default="CNY", validator=identifier)

    def __attrs_post_init__(self) -> None:
        """Refuse a limit that would escalate every case."""
        if self.category is None and self.amount is None:
            raise InvalidValueError(
                "an authority limits a category or an amount: give category= or amount="
            )

    def is_exceeded(self, case: Complaint, category: str | None = None) -> bool:
        """
        Tell whether a case goes beyond it.

        Args:
            case: The case.
            category: Its category now, if it was reclassified.

        Raises:
            CurrencyMismatchError: The amount asked is in another currency.
        """
        if self.category is not None and self.category != (category or case.category):
            return False
        if self.amount is None:
            return True
        if case.asked is None:
            return False
        if case.asked.currency.code != self.currency:
            raise CurrencyMismatchError(
                f"the case asks {case.asked.currency.code}, "
                f"the authority is in {self.currency}"
            )
        return case.asked.amount > self.amount


@attrs.frozen(kw_only=True)
class Target:
    """
    A promise of time: one clock, from what starts it to what stops it.

    Late means strictly more than the target: exactly 24 hours is met.

    Args:
        name: Name of the clock, such as ``"reply"``.
        hours: Time allowed in hours of its calendar, or
        minutes: in minutes of it, or
        days: in working days of it.
        day_ends: With *days*: ``"same_time"``, or ``"end_of_day"`` for the end of
            that working day.
        starts: ``"received"``, an event such as ``"solved"``, ``"dissatisfied"`` (a
            reopening after a callback, or a customer not satisfied with one),
            ``"solved_again"`` (the solution after that), or
        after: the name of another target, at whose end it starts.
        stops: The events that stop it.
        calendar: Its working calendar; None is around the clock.
        pausable: Whether it stands still while the customer's answer is awaited.
        reopening: What a reopening does to it: ``"keep"`` leaves what was met as it
            is; ``"resume"`` goes on without the time in which the case was closed;
            ``"continue"`` counts that time too; ``"restart"`` begins anew.
        repeats: Whether each start opens a clock of its own, such as each question
            of the customer.
        due_soon: The last share of its time in which it is due soon, 0 to 1.
        levels: Levels of escalation.
        owner: Who acts; ``"handler"`` stands for the case's own.
        action_en: What is to be done, in English.
        action_zh: The same in Chinese.
        label_zh: Name of the clock in Chinese; its *name* if empty.
        categories: Only cases of these categories; none named means all.
        priorities: Only cases of these priorities; none named means all.
        channels: Only cases from these channels; none named means all.

    Raises:
        InvalidValueError: Not exactly one of *hours*, *minutes* and *days*, a negative
            time, an unknown word, days without a calendar, or a blank condition.

    >>> Target(name="wait", minutes=5, stops=("replied",)).budget
    datetime.timedelta(seconds=300)
    """

    name: str = attrs.field(validator=identifier)
    hours: Decimal | None = attrs.field(default=None, converter=_hours)
    minutes: Decimal | None = attrs.field(default=None, converter=_minutes)
    days: int | None = None
    day_ends: Literal["same_time", "end_of_day"] = "same_time"
    starts: str = "received"
    after: str | None = attrs.field(default=None, validator=_optional_id)
    stops: tuple[str, ...] = attrs.field(converter=_names, validator=_no_blank)
    calendar: WorkingCalendar | None = None
    pausable: bool = False
    reopening: Reopening = "keep"
    repeats: bool = False
    due_soon: Decimal = attrs.field(default=Decimal("0.25"), converter=_share)
    levels: tuple[Level, ...] = attrs.field(default=(), converter=listed)
    owner: str = attrs.field(default="handler", validator=identifier)
    action_en: str = "act"
    action_zh: str = "处理"
    label_zh: str = ""
    categories: tuple[str, ...] = attrs.field(
        default=(), converter=_names, validator=_no_blank
    )
    priorities: tuple[str, ...] = attrs.field(
        default=(), converter=_names, validator=_no_blank
    )
    channels: tuple[str, ...] = attrs.field(
        default=(), converter=_names, validator=_no_blank
    )

    def __attrs_post_init__(self) -> None:
        """Refuse a target that could never be read."""
        self._check_time()
        if not 0 <= self.due_soon <= 1:
            raise InvalidValueError(
                f"target {self.name!r}: due_soon is a share, 0 to 1"
            )
        if not self.stops:
            raise InvalidValueError(f"target {self.name!r}: name what stops it, stops=")
        for event in self.stops:
            known_word(event, _KINDS, "event")
        known_word(self.starts, (*_PSEUDO, *_KINDS), "start")
        known_word(self.day_ends, ("same_time", "end_of_day"), "day_ends")
        known_word(self.reopening, _REOPENINGS, "reopening")
        if self.pausable and self.starts == EventKind.PROMISED_REPLY.value:
            raise InvalidValueError(
                f"target {self.name!r} is due at the moment promised: it cannot pause"
            )
        if self.after is not None and self.starts != "received":
            raise InvalidValueError(
                f"target {self.name!r}: give starts= or after=, not both"
            )

    def _check_time(self) -> None:
        """Refuse a time that cannot be counted."""
        given = [self.hours, self.minutes, self.days]
        if given.count(None) != len(given) - 1:
            raise InvalidValueError(
                f"target {self.name!r}: give one of hours=, minutes= and days="
            )
        if self.days is not None and (
            isinstance(self.days, bool) or not isinstance(self.days, int)
        ):
            raise InvalidValueError(f"target {self.name!r}: days is a whole number")
        if any(time is not None and time < 0 for time in given):
            raise InvalidValueError(f"target {self.name!r}: its time is below zero")
        most = {"hours": self.hours, "minutes": self.minutes, "days": self.days}
        for unit, time in most.items():
            if time is not None and time > _MOST[unit]:
                raise InvalidValueError(
                    f"target {self.name!r}: at most {_MOST[unit]} {unit}, a hundred "
                    f"years, not {str(time)[:40]}"
                )
        if self.days is not None and self.calendar is None:
            raise InvalidValueError(
                f"target {self.name!r} counts days and needs a calendar=, such as "
                "WorkingCalendar.around_the_clock('Asia/Shanghai')"
            )

    @property
    def budget(self) -> dt.timedelta | None:
        """The time allowed; None for a target in days, where it varies."""
        if self.minutes is not None:
            return time_of(self.minutes, _MINUTE)
        return None if self.hours is None else time_of(self.hours)

    @property
    def is_conditional(self) -> bool:
        """Whether it is only for some cases."""
        return bool(self.categories or self.priorities or self.channels)

    def applies(
        self, category: str | None, priority: str | None, channel: str | None
    ) -> bool:
        """Tell whether it is for a case with these marks."""
        pairs = (
            (self.categories, category),
            (self.priorities, priority),
            (self.channels, channel),
        )
        return all(not named or mark in named for named, mark in pairs)
