"""Waivers frozen at renewal, and what may open them again: a return, a correction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Literal

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Decision, Reason, Statement
from memberops.domain.values import check_as_of, identifier, plain_date
from memberops.errors import (
    ColumnTypeError,
    InvalidValueError,
    MissingColumnsError,
    bounded,
)
from memberops.policies.fee_waiver import FeeWaiver, WaiverDecision
from memberops.policies.free_years import FREE
from memberops.policies.reading import Phrases, Reading
from memberops.policies.rules import Figure
from memberops.policies.status_frames import as_pandas, days_of
from memberops.policies.term import not_negative
from memberops.schedules.dates import add_days

__all__ = ["ClawBack", "FrozenWaiver", "Reopening"]

_RETURN = "return"
_MODES = ("never", "within", "always")


@attrs.frozen(kw_only=True)
class FrozenWaiver:
    """
    A waiver as it was decided at a renewal; it stays so unless an event opens it.

    One that was free by the first years of the membership is never taken back.

    Args:
        card_id: The card.
        decided_on: The day of the renewal.
        decision: What was decided, with the figures of that day.
    """

    card_id: str = attrs.field(validator=identifier)
    decided_on: dt.date = attrs.field(validator=plain_date)
    decision: WaiverDecision


def _word(value: Any) -> Any:
    return value.strip().casefold() if isinstance(value, str) else value


@attrs.frozen(kw_only=True)
class Reopening:
    """
    An event that may open a frozen waiver.

    Args:
        event: What happened, such as ``"return"`` or ``"correction"``; capitals and
            spaces around it do not matter.
        happened_on: Its day.
        reference: What proves it, such as the ticket's number.
    """

    event: str = attrs.field(converter=_word, validator=identifier)
    happened_on: dt.date = attrs.field(validator=plain_date)
    reference: str = ""


def _listed(value: Iterable[Any]) -> Iterable[Any]:
    return (value,) if isinstance(value, str) else value


def _events(value: Iterable[str]) -> tuple[str, ...]:
    found = tuple(_word(each) for each in _listed(value))
    if not all(event and isinstance(event, str) for event in found):
        raise InvalidValueError("events are a list of names such as ['correction']")
    if _RETURN in found:
        raise InvalidValueError(
            "a return opens a waiver by 'mode'; 'corrections' are the other events"
        )
    return found


@attrs.frozen(kw_only=True)
class ClawBack:
    """
    The policy of what becomes of a frozen waiver when the figures change later.

    A return may only take a waiver back, and only as *mode* says. A correction opens
    the question in both directions, on whatever day. All else leaves it frozen. What
    is not known takes nothing back: a figure that could still meet the rule is not
    below it.

    Args:
        mode: ``"never"``, ``"within"`` (through the *days*-th day after the renewal)
            or ``"always"``.
        days: The days of ``"within"``.
        corrections: The events beside a return that open a waiver.
        policy: Id of the policy.
        version: Version of the policy.

    Raises:
        InvalidValueError: An unknown mode, or an event that is no name.

    >>> from memberops.domain import Card
    >>> card = Card(card_id="C1", member_id="M1",
    ...     valid_from=dt.date(2026, 1, 1), valid_through=dt.date(2026, 12, 31))
    >>> waiver, day = FeeWaiver(), dt.date(2026, 12, 20)
    >>> frozen = FrozenWaiver(card_id="C1", decided_on=day, decision=waiver.decide(
    ...     card, purchases=3, spend="1200.00", as_of=day))
    >>> back = Reopening(event="return", happened_on=dt.date(2027, 1, 10))
    >>> answer = ClawBack(mode="within", days=30).review(frozen, back, waiver=waiver,
    ...     as_of=dt.date(2027, 1, 11), purchases=2, spend="900.00")
    >>> answer.outcome
    'clawed_back'
    >>> print(answer.explain("zh"))
    不再满足：还差 1 次消费或 100.00 元（追回期至 2027-01-19）
    """

    mode: Literal["never", "within", "always"] = "never"
    days: int = attrs.field(default=30, validator=not_negative)
    corrections: tuple[str, ...] = attrs.field(
        default=("correction",), converter=_events
    )
    policy: str = attrs.field(default="claw-back", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    def __attrs_post_init__(self) -> None:
        """Refuse a mode that does not exist."""
        if self.mode not in _MODES:
            raise InvalidValueError(
                f"'mode' must be one of {bounded(_MODES)}, not {str(self.mode)[:20]!r}"
            )

    def last_day(self, decided_on: dt.date) -> dt.date | None:
        """
        Return the last day on which a return takes a waiver back.

        Returns:
            None if it never does; the calendar's last day if it always does.
        """
        if self.mode == "never":
            return None
        if self.mode == "always":
            return dt.date.max
        return add_days(decided_on, self.days)

    def opens(self, event: str, happened_on: dt.date, decided_on: dt.date) -> bool:
        """Tell whether an event opens a waiver that was frozen on a day."""
        if event == _RETURN:
            last = self.last_day(decided_on)
            return last is not None and happened_on <= last
        return event in self.corrections

    def review(
        self,
        frozen: FrozenWaiver,
        event: Reopening | None,
        *,
        waiver: FeeWaiver,
        as_of: dt.date,
        **figures: Figure,
    ) -> Decision:
        """
        Say what becomes of a frozen waiver.

        Args:
            frozen: What was decided at the renewal.
            event: What happened since; None if nothing did.
            waiver: The policy that decided.
            as_of: The day asked for; a later event is not known yet.
            **figures: The figures of the same year as they are now.

        Returns:
            A decision: ``"frozen"`` if nothing opens it, else ``"stands"``,
            ``"clawed_back"`` or ``"granted"``. Only a new event changes it.

        Raises:
            InvalidValueError: As `FeeWaiver.decide`.
        """
        check_as_of(as_of)
        was = frozen.decision.waived
        reading = waiver.rule.read(figures)
        opened = (
            event is not None
            and event.happened_on <= as_of
            and self.opens(event.event, event.happened_on, frozen.decided_on)
        )
        # What was free whatever is bought cannot be lost by a return.
        grounds = frozen.decision.grounds
        free = isinstance(grounds, Reading) and any(
            name == FREE for name, _ in grounds.units
        )
        met = reading.met or free
        below = not met and not self._could_be_met(waiver, figures)
        outcome = "frozen"
        if opened and event is not None:
            outcome = self._outcome(event.event, was=was, met=met, below=below)
        last = self.last_day(frozen.decided_on)
        own = Reason(
            rule="claw_back",
            met=opened,
            figures=(
                ("mode", self.mode),
                ("decided_on", str(frozen.decided_on)),
                ("through", str(last or "never")),
                ("event", event.event if event else "none"),
                ("happened_on", str(event.happened_on) if event else "none"),
                ("reference", event.reference if event else ""),
                ("was_waived", "yes" if was else "no"),
            ),
            text_en=_window(self.mode, last)[0],
            text_zh=_window(self.mode, last)[1],
        )
        english, chinese = _TEXTS[outcome]
        now_en, now_zh = reading.texts()
        return Decision(
            outcome=outcome,
            grounds=Statement(
                reasons=(own, *reading.reasons),
                text_en=f"{english.format(now=now_en, day=frozen.decided_on)}"
                f" ({own.text_en})",
                text_zh=f"{chinese.format(now=now_zh, day=frozen.decided_on)}"
                f"（{own.text_zh}）",
            ),
            policy=self.policy,
            version=self.version,
            as_of=as_of,
            changes_on=self._changes_on(frozen, event, as_of),
        )

    def review_frame(
        self, frozen: Any, *, waiver: FeeWaiver, as_of: dt.date
    ) -> pd.DataFrame:
        """
        Say what becomes of many frozen waivers; row by row as `review`.

        Args:
            frozen: A frame of any engine, one row a card: ``decided_on``,
                ``was_waived`` (bool, gaps allowed), ``event`` and ``happened_on``
                (gaps where nothing happened), and the rule's figures as they are
                now, in whole units. Terms that were free by their first years do
                not belong here.
            waiver: The policy that decided.
            as_of: The day asked for.

        Returns:
            A pandas frame of the same rows with ``outcome`` and ``waived``, what
            holds now. A row that does not say what was decided, or on which day, has
            neither (``waived`` is missing).

        Raises:
            MissingColumnsError: A column is absent.
            ColumnTypeError: A figure or day of the wrong type.
        """
        rows = as_pandas(frozen, "frozen waivers")
        needed = ("decided_on", "was_waived", "event", "happened_on")
        missing = [name for name in needed if name not in rows]
        if missing:
            raise MissingColumnsError("frozen waivers", missing, list(rows.columns))
        judged = attrs.evolve(waiver, free_years=0).decide_frame(rows)
        met = judged["waived"].to_numpy(dtype=bool)
        below = ~met & ~_could_be_met_frame(waiver, rows)
        was, told = _waived(rows["was_waived"])
        decided, happened = (days_of(rows, n) for n in ("decided_on", "happened_on"))
        events = rows["event"].map(_word)
        returned = events.eq(_RETURN).to_numpy(dtype=bool)
        in_time = np.full(len(rows), self.mode == "always")
        if self.mode == "within":
            in_time = happened <= decided + np.timedelta64(self.days, "D")
        corrected = events.isin(self.corrections).to_numpy(dtype=bool)
        known = happened <= np.datetime64(check_as_of(as_of), "D")
        opened = known & ((returned & in_time) | corrected)
        outcome = np.where(opened, "stands", "frozen").astype(object)
        outcome[opened & was & below] = "clawed_back"
        outcome[opened & corrected & ~was & met] = "granted"
        waived = (was & (outcome != "clawed_back")) | (outcome == "granted")
        told = told & ~np.isnat(decided)
        outcome[~told] = None
        held = pd.Series(waived, index=rows.index)
        if not told.all():
            held = held.astype("boolean").mask(~told)
        return rows.assign(
            outcome=pd.Series(outcome, index=rows.index, dtype="str"), waived=held
        )

    def _changes_on(
        self, frozen: FrozenWaiver, event: Reopening | None, as_of: dt.date
    ) -> dt.date | None:
        """Return the day on which an event that opens the waiver becomes known."""
        if event is None or event.happened_on <= as_of:
            return None
        opens = self.opens(event.event, event.happened_on, frozen.decided_on)
        return event.happened_on if opens else None

    def _could_be_met(self, waiver: FeeWaiver, figures: dict[str, Figure]) -> bool:
        """Tell whether figures that are not known could meet the rule."""
        units = waiver.rule.units(figures)
        most: dict[str, int] = {}
        for each in waiver.rule.conditions:
            most[each.figure] = max(each.limit, most.get(each.figure, each.limit))
        best = {
            name: most[name] if units.get(name) is None else units[name]
            for name in most
        }
        return waiver.rule.weigh(best).met

    def _outcome(self, event: str, *, was: bool, met: bool, below: bool) -> str:
        if was and below:
            return "clawed_back"
        # A return never gives: what it leaves was there before.
        return "granted" if met and not was and event != _RETURN else "stands"


_TEXTS: dict[str, Phrases] = {
    "frozen": ("as decided on {day}", "维持 {day} 的决定"),
    "stands": ("reviewed and unchanged: {now}", "复核后不变：{now}"),
    "clawed_back": ("no longer met: {now}", "不再满足：{now}"),
    "granted": ("met after the correction: {now}", "更正后满足：{now}"),
}


def _could_be_met_frame(waiver: FeeWaiver, rows: pd.DataFrame) -> Any:
    """Tell in which rows figures that are not known could meet the rule."""
    best = rows.copy()
    limits: dict[str, int] = {}
    for each in waiver.rule.conditions:
        limits[each.figure] = max(each.limit, limits.get(each.figure, each.limit))
    for name, limit in limits.items():
        best[name] = rows[name].astype("Int64").fillna(limit)
    judged = attrs.evolve(waiver, free_years=0).decide_frame(best)
    return judged["waived"].to_numpy(dtype=bool)


def _waived(column: pd.Series[Any]) -> tuple[Any, Any]:
    """Read what was decided, and where that is known."""
    told = column.notna().to_numpy(dtype=bool)
    values = column[told]
    if column.dtype.kind != "b" and not all(
        isinstance(v, (bool, np.bool_)) for v in values
    ):
        raise ColumnTypeError(
            f"column 'was_waived' is {column.dtype}; it must hold booleans"
        )
    was = np.zeros(len(column), bool)
    was[told] = values.to_numpy(dtype=bool)
    return was, told


def _window(mode: str, last: dt.date | None) -> Phrases:
    if mode == "never":
        return "returns never take it back", "退货不追回"
    if mode == "always":
        return "returns always take it back", "退货一律追回"
    return f"returns take it back through {last}", f"追回期至 {last}"
