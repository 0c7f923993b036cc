"""How fast messages may leave, and when a provider that fails is left alone."""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from collections.abc import Iterable
from typing import Literal

import attrs

from memberops.domain.values import whole_number
from memberops.errors import InvalidValueError
from memberops.policies.contact import zone_of

__all__ = ["Breaker", "Pace", "RateLimit"]


@attrs.frozen(kw_only=True)
class RateLimit:
    """
    At most so many messages in any stretch of time, or in a natural day.

    Args:
        most: How many, 1 or more.
        per: The length of the stretch; a natural day of *zone* if None.
        zone: IANA zone of the provider's day.

    Raises:
        InvalidValueError: Nothing could ever leave.

    >>> RateLimit(most=10, per=dt.timedelta(seconds=1)).most
    10
    """

    most: int = attrs.field(validator=whole_number)
    per: dt.timedelta | None = None
    zone: str = "Asia/Shanghai"

    def __attrs_post_init__(self) -> None:
        """Refuse a limit that lets nothing through, and an unknown zone."""
        if self.most < 1 or (self.per is not None and self.per <= dt.timedelta(0)):
            raise InvalidValueError("'most' is 1 or more, and 'per' is above zero")
        zone_of(self.zone)


class Pace:
    """
    What has left under some limits, and when the next may; safe between threads.

    Args:
        limits: All of them hold.

    >>> pace = Pace([RateLimit(most=1, per=dt.timedelta(seconds=1))])
    >>> noon = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
    >>> pace.take(noon, 5), pace.take(noon, 5)
    (1, 0)
    >>> (pace.ready_at(noon) - noon).total_seconds()
    1.0
    """

    def __init__(self, limits: Iterable[RateLimit] = ()) -> None:
        self._limits = tuple(limits)
        self._sent: list[deque[dt.datetime]] = [
            deque(maxlen=limit.most) for limit in self._limits
        ]
        self._held: dt.datetime | None = None
        self._lock = threading.Lock()

    def hold(self, until: dt.datetime) -> None:
        """Let nothing leave until a moment: the provider asked for it."""
        with self._lock:
            self._held = until if self._held is None else max(self._held, until)

    def held_until(self, at: dt.datetime) -> dt.datetime | None:
        """Return until when nothing leaves; None if nothing is held."""
        with self._lock:
            return self._held if self._held is not None and self._held > at else None

    def take(self, at: dt.datetime, wanted: int) -> int:
        """Return how many of the wanted may leave now, and count them as gone."""
        with self._lock:
            granted = 0
            # Who read the clock before another and comes after it left after it.
            at = max([at, *(sent[-1] for sent in self._sent if sent)])
            while granted < wanted and self._ready(at) <= at:
                for sent in self._sent:
                    sent.append(at)
                granted += 1
            return granted

    def give_back(self, count: int) -> None:
        """Count the last ones as not gone: there was nothing to send."""
        with self._lock:
            for sent in self._sent:
                for _ in range(min(count, len(sent))):
                    sent.pop()

    def ready_at(self, at: dt.datetime) -> dt.datetime:
        """Return when the next may leave: *at* if now."""
        with self._lock:
            return self._ready(at)

    def _ready(self, at: dt.datetime) -> dt.datetime:
        ready = at if self._held is None else max(at, self._held)
        for limit, sent in zip(self._limits, self._sent, strict=True):
            if len(sent) == limit.most:
                ready = max(ready, _free(limit, sent[0], at))
        return ready


def _free(limit: RateLimit, oldest: dt.datetime, at: dt.datetime) -> dt.datetime:
    """Return when the oldest of a full window stops counting."""
    if limit.per is not None:
        return oldest + limit.per
    zone = zone_of(limit.zone)
    day = oldest.astimezone(zone).date()
    if at.astimezone(zone).date() > day:
        return at
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=zone)
    return midnight.astimezone(dt.UTC)


class Breaker:
    """
    Leaves a provider alone while it fails; safe between threads.

    After *failures* in a row nothing is sent for *pause*; then one message goes as a
    probe, and what becomes of it decides. A provider that says "slower" is alive:
    that neither opens the breaker nor closes one that is counting.

    Args:
        failures: How many in a row open it.
        pause: How long it stays open, and how long a probe is waited for.

    >>> breaker = Breaker(failures=1, pause=dt.timedelta(seconds=30))
    >>> noon = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
    >>> breaker.note("failed", noon)
    >>> breaker.admit(noon, 10)
    0
    >>> later = noon + dt.timedelta(seconds=30)
    >>> breaker.admit(later, 10), breaker.admit(later, 10)
    (1, 0)
    """

    def __init__(
        self, *, failures: int = 5, pause: dt.timedelta = dt.timedelta(seconds=30)
    ) -> None:
        if failures < 1 or pause <= dt.timedelta(0):
            raise InvalidValueError("'failures' is 1 or more, and 'pause' above zero")
        self._most = failures
        self._pause = pause
        self._failures = 0
        self._until: dt.datetime | None = None
        self._lock = threading.Lock()

    @property
    def open_until(self) -> dt.datetime | None:
        """When the next probe may go; None while messages flow."""
        with self._lock:
            return self._until

    def admit(self, at: dt.datetime, wanted: int) -> int:
        """Return how many of the wanted may go: all, one as a probe, or none."""
        with self._lock:
            if self._until is None or wanted < 1:
                return wanted
            if at < self._until:
                return 0
            self._until = at + self._pause
            return 1

    def give_back(self, at: dt.datetime) -> None:
        """Let the next be the probe: there was nothing to send."""
        with self._lock:
            if self._until is not None:
                self._until = at

    def note(
        self, outcome: Literal["answered", "slower", "failed"], at: dt.datetime
    ) -> None:
        """Take in what became of a request."""
        with self._lock:
            if outcome == "failed":
                self._failures += 1
                if self._failures >= self._most or self._until is not None:
                    self._until = at + self._pause
            elif outcome == "answered" or self._until is not None:
                self._failures, self._until = 0, None
