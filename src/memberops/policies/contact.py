"""When a member may be contacted: windows, quiet hours and caps (HQ §6.3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal
from zoneinfo import ZoneInfo

import attrs

from memberops.domain import Reason
from memberops.domain.values import (
    Language,
    aware_instant,
    check_language,
    whole_number,
)
from memberops.domain.visit import VisitChannel
from memberops.errors import InvalidValueError, bounded, nearest
from memberops.policies.contact_hours import (
    ContactWindow,
    QuietHours,
    Slot,
    clock_start,
    instant,
    less,
    zone_of,
)

__all__ = [
    "Contact",
    "ContactCap",
    "ContactPolicy",
    "ContactWindow",
    "QuietHours",
    "Slot",
    "SlotAnswer",
    "zone_of",
]

CapWindow = Literal["minute", "hour", "day", "week", "rolling"]

_WINDOWS = ("minute", "hour", "day", "week", "rolling")
_CLOCK = {"minute": dt.timedelta(minutes=1), "hour": dt.timedelta(hours=1)}


def _channels(values: Iterable[VisitChannel | str]) -> frozenset[VisitChannel]:
    return frozenset(VisitChannel(value) for value in values)


@attrs.frozen(kw_only=True)
class ContactCap:
    """
    At most so many contacts with one member in a window of a stated kind.

    Args:
        most: How many, 1 or more.
        window: ``"minute"`` and ``"hour"`` are those of the member's clock, ``"day"``
            is the member's natural day, ``"week"`` the ISO week from Monday,
            ``"rolling"`` any *hours* on end.
        hours: Length of a rolling window.
        channels: Which channels it counts; empty for all.

    >>> ContactCap(most=3, window="week").name
    'cap_week'
    """

    most: int = attrs.field(validator=whole_number)
    window: CapWindow
    hours: int = attrs.field(default=24, validator=whole_number)
    channels: frozenset[VisitChannel] = attrs.field(default=(), converter=_channels)

    def __attrs_post_init__(self) -> None:
        """Refuse a cap that nothing could pass, and a window that is unknown."""
        if self.window not in _WINDOWS:
            raise InvalidValueError(
                f"no window of a cap is called {bounded([self.window])}: "
                f"{nearest(str(self.window), _WINDOWS)}"
            )
        if self.most < 1 or self.hours < 1:
            raise InvalidValueError(
                "'most' and 'hours' must be 1 or more; to contact nobody, suppress"
            )

    @property
    def name(self) -> str:
        """The rule's name in reasons."""
        return f"cap_{self.window}"

    @property
    def days(self) -> int:
        """
        How many days in a row hold any window (1, 7, or for rolling hours one more).

        A plan fixes days, not minutes: whatever two moments of it fall within the
        hours lie on so many days.
        """
        if self.window == "rolling":
            return -(-self.hours // 24) + 1
        return 7 if self.window == "week" else 1

    @property
    def fine(self) -> bool:
        """
        Whether its window is part of a day.

        Such a cap says at which minute of a day, not on which day: planning days
        passes it by, and it is kept when a contact is made.
        """
        return self.window in _CLOCK

    def counts(self, channel: VisitChannel) -> bool:
        """Tell whether contacts of a channel count."""
        return not self.channels or channel in self.channels

    def texts(self) -> tuple[str, str]:
        """Say the cap in English and Chinese."""
        times = "contact" if self.most == 1 else "contacts"
        en = {
            "minute": "a minute",
            "hour": "an hour",
            "day": "a day",
            "week": "a week",
            "rolling": f"in any {self.hours} hours",
        }
        zh = {
            "minute": "每分钟",
            "hour": "每小时",
            "day": "每天",
            "week": "每周",
            "rolling": f"任意 {self.hours} 小时内",
        }
        return (
            f"at most {self.most} {times} {en[self.window]}",
            f"{zh[self.window]}最多联系 {self.most} 次",
        )


@attrs.frozen(kw_only=True)
class Contact:
    """A contact made or planned: when, and by which channel."""

    at: dt.datetime = attrs.field(validator=aware_instant)
    channel: VisitChannel = attrs.field(converter=VisitChannel)


@attrs.frozen(kw_only=True)
class SlotAnswer:
    """
    The first legal slot, with what stood in the way of an earlier one.

    Args:
        slot: When; None if no slot is legal within the days searched.
        reasons: Each rule that deferred it, once, in the order it was met.
    """

    slot: Slot | None
    reasons: tuple[Reason, ...]

    def explain(self, language: Language = "en") -> str:
        """Write the reasons as one sentence; empty if nothing deferred it."""
        separator = "；" if check_language(language) == "zh" else "; "
        return separator.join(reason.text(language) for reason in self.reasons)


def _default_windows() -> dict[VisitChannel, tuple[ContactWindow, ...]]:
    calls = (
        ContactWindow(dt.time(10), dt.time(11, 30)),
        ContactWindow(dt.time(15), dt.time(17)),
    )
    texts = (ContactWindow(dt.time(9), dt.time(20)),)
    return {
        VisitChannel.PHONE: calls,
        VisitChannel.IN_PERSON: calls,
        VisitChannel.SMS: texts,
        VisitChannel.MAIL: texts,
    }


def _windows(
    given: Mapping[Any, Iterable[ContactWindow]],
) -> tuple[tuple[VisitChannel, tuple[ContactWindow, ...]], ...]:
    pairs = dict(given).items()
    return tuple((VisitChannel(channel), tuple(windows)) for channel, windows in pairs)


@attrs.frozen(kw_only=True)
class ContactPolicy:
    """
    When a member may be contacted.

    Args:
        windows: For each channel its local hours; a channel without any is never
            used. Default: calls 10:00-11:30 and 15:00-17:00, SMS 09:00-20:00.
        quiet: Hours in which nobody is contacted, in the member's zone and in the
            store's; None for none. Default 21:00 to 08:00.
        caps: How often; default once a day and twice an ISO week.

    >>> shanghai = zone_of("Asia/Shanghai")
    >>> evening = dt.datetime(2026, 11, 5, 17, 30, tzinfo=shanghai)
    >>> answer = ContactPolicy().first_slot("phone", after=evening, zone=shanghai)
    >>> answer.slot.starts_at.astimezone(shanghai).isoformat()
    '2026-11-06T10:00:00+08:00'
    """

    windows: tuple[tuple[VisitChannel, tuple[ContactWindow, ...]], ...] = attrs.field(
        factory=_default_windows, converter=_windows
    )
    quiet: QuietHours | None = attrs.field(
        factory=lambda: QuietHours(dt.time(21), dt.time(8))
    )
    caps: tuple[ContactCap, ...] = attrs.field(
        default=(
            ContactCap(most=1, window="day"),
            ContactCap(most=2, window="week"),
        ),
        converter=tuple,
    )

    def slots(
        self,
        channel: VisitChannel | str,
        day: dt.date,
        *,
        zone: ZoneInfo,
        store_zone: ZoneInfo | None = None,
    ) -> tuple[Slot, ...]:
        """
        Return the slots of a channel on a local day, less quiet hours, in order.

        Args:
            channel: Which channel.
            day: A day of the member.
            zone: The member's zone, in which windows are read.
            store_zone: The store's, if it is another: its quiet hours hold too.
        """
        open_ = sorted(
            (instant(day, window.opens, zone), instant(day, window.closes, zone))
            for window in dict(self.windows).get(VisitChannel(channel), ())
        )
        if self.quiet is not None:
            for place in {zone, store_zone or zone}:
                for quiet in self.quiet.around(day, place):
                    open_ = [part for each in open_ for part in less(each, quiet)]
        return tuple(
            Slot(starts_at=start, ends_at=end) for start, end in open_ if start < end
        )

    def first_slot(
        self,
        channel: VisitChannel | str,
        *,
        after: dt.datetime,
        zone: ZoneInfo,
        store_zone: ZoneInfo | None = None,
        contacts: Collection[Contact] = (),
        within_days: int = 31,
    ) -> SlotAnswer:
        """
        Find the first legal slot at or after a moment, and say what deferred it.

        Caps are counted to the second: minutes, hours, natural days and ISO weeks in
        the member's zone, rolling hours in UTC. Contacts already planned after the
        slot count too.

        Args:
            channel: Which channel.
            after: The moment from which is searched, with its zone.
            zone: The member's zone.
            store_zone: The store's, if it is another.
            contacts: What was and will be done with the member.
            within_days: How many days are searched.

        Raises:
            InvalidValueError: *after* is naive.
        """
        channel = VisitChannel(channel)
        moment = _aware(after, "after").astimezone(dt.UTC)
        today = moment.astimezone(zone).date()
        reasons: dict[str, Reason] = {}
        for ahead in range(within_days + 1):
            day = today + dt.timedelta(days=ahead)
            slots = self.slots(channel, day, zone=zone, store_zone=store_zone)
            later = [slot for slot in slots if slot.ends_at > moment]
            if not later:
                reasons.setdefault("window", _outside(channel))
                continue
            if not ahead and not any(s.starts_at <= moment for s in later):
                reasons.setdefault("window", _outside(channel))
            for slot in later:
                begin = max(slot.starts_at, moment)
                found = self._fits(channel, begin, slot, zone, contacts, reasons)
                if found is not None:
                    return SlotAnswer(
                        slot=Slot(starts_at=found, ends_at=slot.ends_at),
                        reasons=tuple(reasons.values()),
                    )
        return SlotAnswer(slot=None, reasons=tuple(reasons.values()))

    def broken_caps(
        self,
        channel: VisitChannel | str,
        at: dt.datetime,
        *,
        zone: ZoneInfo,
        contacts: Collection[Contact] = (),
    ) -> tuple[ContactCap, ...]:
        """Return the caps that one more contact at a moment would break."""
        channel, moment = VisitChannel(channel), _aware(at, "at")
        return tuple(
            cap
            for cap in self.caps
            if cap.counts(channel) and _peak(cap, moment, zone, contacts) >= cap.most
        )

    def _fits(  # noqa: PLR0917 - private, one caller
        self,
        channel: VisitChannel,
        begin: dt.datetime,
        slot: Slot,
        zone: ZoneInfo,
        contacts: Collection[Contact],
        reasons: dict[str, Reason],
    ) -> dt.datetime | None:
        tries = {begin}
        for cap in self.caps:
            if cap.window == "rolling":
                hours = dt.timedelta(hours=cap.hours)
                ends = (contact.at.astimezone(dt.UTC) + hours for contact in contacts)
                tries.update(end for end in ends if begin < end < slot.ends_at)
            elif cap.fine:
                size = _CLOCK[cap.window]
                ends = (
                    clock_start(contact.at, size, zone) + size for contact in contacts
                )
                tries.update(end for end in ends if begin < end < slot.ends_at)
        for moment in sorted(tries):
            broken = self.broken_caps(channel, moment, zone=zone, contacts=contacts)
            if not broken:
                return moment
            for cap in broken:
                text_en, text_zh = cap.texts()
                reasons.setdefault(
                    cap.name,
                    Reason(rule=cap.name, met=False, text_en=text_en, text_zh=text_zh,
                           figures=(("most", str(cap.most)),)),
                )  # fmt: skip
        return None


def _peak(
    cap: ContactCap, moment: dt.datetime, zone: ZoneInfo, contacts: Iterable[Contact]
) -> int:
    """Count the others in the fullest window of a cap that holds a moment."""
    others = [c.at.astimezone(dt.UTC) for c in contacts if cap.counts(c.channel)]
    own = moment.astimezone(zone).date()
    if cap.window == "day":
        return sum(at.astimezone(zone).date() == own for at in others)
    if cap.window == "week":
        week = own.isocalendar()[:2]
        return sum(
            at.astimezone(zone).date().isocalendar()[:2] == week for at in others
        )
    if cap.fine:
        size = _CLOCK[cap.window]
        begin = clock_start(moment, size, zone)
        return sum(clock_start(at, size, zone) == begin for at in others)
    hours = dt.timedelta(hours=cap.hours)
    here = moment.astimezone(dt.UTC)
    near = [at for at in others if here - hours < at < here + hours]
    starts = [at for at in near if at <= here] + [here]
    return max(sum(start <= at < start + hours for at in near) for start in starts)


def _outside(channel: VisitChannel) -> Reason:
    return Reason(
        rule="window",
        met=False,
        text_en=f"outside the hours for {channel.value}",
        text_zh=f"不在{CHANNELS_ZH[channel]}的联系时段内",
    )


CHANNELS_ZH = {
    VisitChannel.PHONE: "电话",
    VisitChannel.SMS: "短信",
    VisitChannel.MAIL: "信函",
    VisitChannel.IN_PERSON: "上门",
}


def _aware(moment: object, name: str) -> dt.datetime:
    if not isinstance(moment, dt.datetime) or moment.utcoffset() is None:
        raise InvalidValueError(
            f"{name!r} must be a datetime with its zone: "
            "moment.replace(tzinfo=ZoneInfo('Asia/Shanghai'))"
        )
    return moment
