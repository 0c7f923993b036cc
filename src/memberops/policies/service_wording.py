"""The words in which service levels speak, Chinese and English side by side."""

from __future__ import annotations

import datetime as dt

import attrs

from memberops.domain import Reason
from memberops.domain.values import Language, check_language
from memberops.policies.service_clocks import ClockReading, ClockState

__all__ = ["ServiceGrounds", "duration_text"]

_LABELS_ZH = {
    "reply": "回复",
    "next_reply": "后续回复",
    "solution": "解决",
    "callback": "回访",
    "second_callback": "二次回访",
    "promised_reply": "承诺回复",
    "escalation": "上报",
    "delivery": "送达",
    "wait": "等候",
}
_UNITS = (("d", " 天", 86_400), ("h", " 小时", 3_600), ("min", " 分钟", 60))


def duration_text(
    time: dt.timedelta, language: Language = "en", *, working: bool = False
) -> str:
    """
    Write a time in at most two units; less than a minute in seconds.

    Args:
        time: The time; its sign is not written.
        language: ``"zh"`` or ``"en"``.
        working: Whether it is working time. It is named so and counted in hours, for
            a day of it is not 24 hours.

    >>> duration_text(dt.timedelta(hours=26, minutes=5)), duration_text(
    ...     dt.timedelta(minutes=90), "zh")
    ('1 d 2 h', '1 小时 30 分钟')
    >>> duration_text(dt.timedelta(hours=26, minutes=5), working=True)
    '26 h 5 min of working time'
    """
    chinese = check_language(language) == "zh"
    seconds = int(abs(time).total_seconds())
    parts = []
    for english, in_chinese, size in _UNITS[1:] if working else _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{in_chinese}" if chinese else f"{count} {english}")
    if not parts:
        parts.append(f"{seconds} 秒" if chinese else f"{seconds} s")
    if working:
        parts = [*parts[:2], "工作时间" if chinese else "of working time"]
        return " ".join(parts)
    return " ".join(parts[:2])


def label(clock: ClockReading, language: Language) -> str:
    """Name a clock, with its number from the second on."""
    known = clock.target.label_zh or _LABELS_ZH.get(clock.name, clock.name)
    name = known if language == "zh" else clock.name.replace("_", " ")
    return f"{name} {clock.number}" if clock.number > 1 else name


def moment_text(moment: dt.datetime, zone: dt.tzinfo | None) -> str:
    """Write a moment to the minute, in the zone of the case."""
    return moment.astimezone(zone).isoformat(sep=" ", timespec="minutes")


def _sentence(clock: ClockReading, zone: dt.tzinfo | None, language: Language) -> str:
    chinese = language == "zh"
    name = label(clock, language)
    state = clock.state
    if state is ClockState.NOT_STARTED or clock.due_at is None:
        return f"{name}：未开始计时" if chinese else f"{name}: not started"
    due = moment_text(clock.due_at, zone)
    working = clock.counts_working_time
    left = duration_text(clock.remaining or dt.timedelta(0), language, working=working)
    guess = ""
    if clock.provisional:
        guess = "（节假日未公布，暂定）" if chinese else " (provisional)"
    english = {
        ClockState.MET: "met in {used} (due {due})",
        ClockState.MET_LATE: "met late by {left} (was due {due})",
        ClockState.CLOSED: "the case was closed without it (was due {due})",
        ClockState.CLOSED_LATE: "closed without it, late by {left} (was due {due})",
        ClockState.RUNNING: "due {due}, {left} left",
        ClockState.DUE_SOON: "due soon, {due}, {left} left",
        ClockState.BREACHED: "overdue by {left} (was due {due})",
        ClockState.PAUSED: "waiting for the customer, {left} left",
    }
    in_chinese = {
        ClockState.MET: "按时完成，用时 {used}（应于 {due} 前）",
        ClockState.MET_LATE: "已完成，超时 {left}（应于 {due} 前）",
        ClockState.CLOSED: "未完成即结案（应于 {due} 前）",
        ClockState.CLOSED_LATE: "未完成即结案，当时已超时 {left}（应于 {due} 前）",
        ClockState.RUNNING: "应于 {due} 前完成，剩余 {left}",
        ClockState.DUE_SOON: "即将到期，应于 {due} 前完成，剩余 {left}",
        ClockState.BREACHED: "已超时 {left}（应于 {due} 前）",
        ClockState.PAUSED: "等待顾客答复，剩余 {left}",
    }
    said = (in_chinese if chinese else english)[state].format(
        due=due, left=left, used=duration_text(clock.elapsed, language, working=working)
    )
    return f"{name}：{said}{guess}" if chinese else f"{name}: {said}{guess}"


def _seconds(time: dt.timedelta | None) -> str:
    return "" if time is None else f"{time.total_seconds():.0f}"


@attrs.frozen(kw_only=True)
class ServiceGrounds:
    """
    What a service-level answer rests on; sentences are written when they are read.

    Args:
        clocks: The clocks of the case.
        zone: The zone in which moments are written: that of the receipt.
        extra: Further reasons: reclassified, transferred, under a changed policy.
    """

    clocks: tuple[ClockReading, ...]
    zone: dt.tzinfo | None
    extra: tuple[Reason, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """One reason a clock, with seconds of its own time as figures."""
        return (*(self._reason(clock) for clock in self.clocks), *self.extra)

    def _reason(self, clock: ClockReading) -> Reason:
        met = None
        if clock.is_late:
            met = False
        elif clock.state is ClockState.MET:
            met = True
        return Reason(
            rule=clock.name,
            met=met,
            text_en=_sentence(clock, self.zone, "en"),
            text_zh=_sentence(clock, self.zone, "zh"),
            figures=(
                ("target_seconds", _seconds(clock.budget)),
                ("elapsed_seconds", _seconds(clock.elapsed)),
                ("paused_seconds", _seconds(clock.paused)),
                ("remaining_seconds", _seconds(clock.remaining)),
                ("overdue_wall_seconds", _seconds(clock.overdue_wall)),
            ),
        )

    def text(self, language: Language = "en") -> str:
        """Return the whole answer as one sentence."""
        chosen = check_language(language)
        said = [_sentence(clock, self.zone, chosen) for clock in self.clocks]
        said += [reason.text(chosen) for reason in self.extra]
        return ("；" if chosen == "zh" else "; ").join(said)
