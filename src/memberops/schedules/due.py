"""The answer to "when is it due": the moment, and how it came about."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import attrs

from memberops.domain.values import Language, check_language
from memberops.schedules.moments import from_microseconds, to_microseconds

if TYPE_CHECKING:
    from memberops.schedules.working_time import WorkingCalendar

__all__ = ["Due", "Segment"]

_SHOWN = 12


@attrs.frozen
class Segment:
    """
    A stretch of time in which the clock ran.

    Args:
        start: When it began; UTC.
        end: When it stopped; UTC.
    """

    start: dt.datetime
    end: dt.datetime

    @property
    def length(self) -> dt.timedelta:
        """How long the clock ran."""
        return self.end - self.start


@attrs.frozen
class Due:
    """
    When a target is due, and how that came about.

    Args:
        at: The moment; UTC.
        provisional: Whether the way there leaves the days for which the calendar
            knows the holidays, so that a later calendar may move it.
        paused: Whether a pause goes on: `at` is then the due time if the clock
            resumed at the ``as_of`` that was given.
        start: From when the time was counted (`subtract`: back from when); UTC.
        pauses: The pauses that were given, merged, in microseconds since 1970.
        calendar: The calendar that was asked.

    >>> from memberops.schedules import WorkingCalendar
    >>> always = WorkingCalendar.around_the_clock("Asia/Shanghai")
    >>> start = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    >>> due = always.add(start, dt.timedelta(hours=24))
    >>> print(due.explain())
    due 2026-11-23 08:00 (Asia/Shanghai): 24:00:00 of working time: 2026-11-22 08:00 \
to 2026-11-23 08:00
    """

    at: dt.datetime
    provisional: bool
    paused: bool
    start: dt.datetime
    pauses: tuple[tuple[int, int], ...] = attrs.field(repr=False)
    calendar: WorkingCalendar = attrs.field(repr=False)

    @property
    def local(self) -> dt.datetime:
        """The moment on the wall clock of the calendar's zone."""
        return self.at.astimezone(ZoneInfo(self.calendar.zone))

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The stretches in which the clock ran, in order, pauses left out."""
        low, high = sorted((to_microseconds(self.start), to_microseconds(self.at)))
        found: list[Segment] = []
        for begin, end in self.calendar.timeline.pieces(low, high):
            at = begin
            for stop, resume in self.pauses:
                if resume <= at or stop >= end:
                    continue
                if stop > at:
                    found.append(_segment(at, stop))
                at = resume
            if at < end:
                found.append(_segment(at, end))
        return tuple(found)

    def explain(self, language: Language = "en") -> str:
        """
        Say when it is due and in which hours the time was counted.

        At most 12 stretches are written; the rest is counted.
        """
        chinese = check_language(language) == "zh"
        zone = ZoneInfo(self.calendar.zone)
        segments = self.segments
        total = sum((each.length for each in segments), dt.timedelta())
        parts = [
            f"{_wall(each.start, zone)} {'至' if chinese else 'to'} "
            f"{_wall(each.end, zone)}"
            for each in segments[:_SHOWN]
        ]
        more = len(segments) - _SHOWN
        if more > 0:
            parts.append(f"另 {more} 段" if chinese else f"{more} more")
        at = f"{_wall(self.at, zone)} ({self.calendar.zone})"
        if chinese:
            notes = "；节假日安排尚未公布，为暂定时间" * self.provisional
            notes += "；计时暂停中" * self.paused
            hours = "、".join(parts)
            return f"到期 {at}：工作时间 {_hours(total)}：{hours}{notes}"
        notes = "; provisional: the holidays are not published" * self.provisional
        notes += "; the clock is paused" * self.paused
        hours = ", ".join(parts)
        return f"due {at}: {_hours(total)} of working time: {hours}{notes}"


def _segment(begin: int, end: int) -> Segment:
    return Segment(from_microseconds(begin), from_microseconds(end))


def _wall(moment: dt.datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    shown = (
        "%Y-%m-%d %H:%M:%S" if local.second or local.microsecond else "%Y-%m-%d %H:%M"
    )
    return local.strftime(shown)


def _hours(length: dt.timedelta) -> str:
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
