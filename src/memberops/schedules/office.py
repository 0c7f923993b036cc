"""The office calendar as data: what a membership office owes on which day (HQ §6.3)."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal, get_args

import attrs

from memberops.errors import ScheduleError, bounded, nearest
from memberops.schedules.dates import add_days, check_day, check_whole, month_length
from memberops.schedules.recurrence import Shift, WorkingDays, shift_day

__all__ = ["OFFICE_DUTIES", "OfficeCalendar", "OfficeDay", "OfficeDuty"]

Cycle = Literal["week", "month", "quarter", "year"]

_MONTHS_OF = {"month": 1, "quarter": 3, "year": 12}
_WEEK = 7
_MONTH = 31
_REACH = 62


def _cycle(_instance: object, _attribute: object, value: Any) -> None:
    if value not in get_args(Cycle):
        raise ScheduleError(
            f"no cycle is called {bounded([value])}: "
            f"{nearest(str(value), get_args(Cycle))}"
        )


@attrs.frozen(kw_only=True)
class OfficeDuty:
    """
    Something due on a fixed day of each week, month, quarter or year.

    Args:
        name: Short stable name.
        each: ``"week"``, ``"month"``, ``"quarter"`` or ``"year"``.
        day: ISO weekday (1 to 7) of a week; else the day of the month (1 to 31),
            its last day where the month is shorter.
        month: Which month of the quarter (1 to 3) or year (1 to 12).
        owner: ``"store"`` or ``"hq"``.
        text_en: What is due, in English.
        text_zh: The same in Chinese.

    >>> OfficeDuty(name="plan", each="month", day=30, text_en="x",
    ...            text_zh="y").days(dt.date(2026, 2, 1), dt.date(2026, 3, 31))
    (datetime.date(2026, 2, 28), datetime.date(2026, 3, 30))
    """

    name: str
    each: Cycle = attrs.field(validator=_cycle)
    day: int = attrs.field()
    month: int = attrs.field(default=1)
    owner: str = "hq"
    text_en: str
    text_zh: str

    @day.validator
    def _check_day(self, _attribute: object, value: Any) -> None:
        most = _WEEK if self.each == "week" else _MONTH
        if check_whole(value, "day", least=1) > most:
            raise ScheduleError(f"'day' of a {self.each} must be 1 to {most}")

    @month.validator
    def _check_month(self, _attribute: object, value: Any) -> None:
        most = _MONTHS_OF.get(self.each, 1)
        if check_whole(value, "month", least=1) > most:
            raise ScheduleError(f"'month' of a {self.each} must be 1 to {most}")

    def days(self, first: dt.date, last: dt.date) -> tuple[dt.date, ...]:
        """Return its days from *first* to *last*, both included."""
        check_day(first, "first")
        check_day(last, "last")
        if self.each == "week":
            begin = add_days(first, (self.day - first.isoweekday()) % _WEEK)
            number = (last - begin).days // _WEEK + 1
            return tuple(add_days(begin, _WEEK * n) for n in range(number))
        size = _MONTHS_OF[self.each]
        found = []
        for total in range(
            first.year * 12 + first.month - 1, last.year * 12 + last.month
        ):
            year, month = divmod(total, 12)
            if month % size == self.month - 1:
                length = month_length(year, month + 1)
                day = dt.date(year, month + 1, min(self.day, length))
                if first <= day <= last:
                    found.append(day)
        return tuple(found)


@attrs.frozen(kw_only=True)
class OfficeDay:
    """
    A duty on its day.

    Args:
        day: The day on which it is due.
        duty: What is due.
        nominal: The day before a shift to a working day.
    """

    day: dt.date
    duty: OfficeDuty
    nominal: dt.date


def _duty(
    name: str, each: Cycle, day: int, text_en: str, text_zh: str, **more: Any
) -> OfficeDuty:
    return OfficeDuty(
        name=name, each=each, day=day, text_en=text_en, text_zh=text_zh, **more
    )


OFFICE_DUTIES: tuple[OfficeDuty, ...] = (
    _duty("premium_list", "month", 3, "Stores submit the list of premium members",
          "门店上交优质会员消费情况汇总表", owner="store"),
    _duty("expiring_list", "month", 5, "List and visit next month's expiring members",
          "列出下月到期会员名单并回访"),
    _duty("visit_plan", "month", 28, "Stores list next month's visits",
          "门店上交下月会员回访计划", owner="store"),
    _duty("lapse_records", "month", 28, "Records of lapsed members are in",
          "上交流失会员回访记录", owner="store"),
    _duty("monthly_meeting", "month", 28, "Monthly meeting", "月度例会"),
    _duty("consolidated_plan", "month", 30, "HQ consolidates the visit plans",
          "总部汇总下月回访计划"),
    _duty("visit_total", "month", 30, "HQ totals the visits and draws the audit sample",
          "总部汇总回访完成情况并抽样督察"),
    _duty("weekly_records", "week", 1, "The stores' records of last week are collected",
          "收集门店上周回访记录"),
    _duty("weekly_meeting", "week", 5, "Weekly meeting", "每周例会"),
    _duty("quarterly_review", "quarter", 31, "Review CSAT, retention and CLV",
          "季度满意度、保持率与客户价值评审", month=3),
    _duty("yearly_meeting", "year", 31, "Yearly meeting", "年度总结会", month=12),
)  # fmt: skip
"""The duties of the manuals (HQ §4.2, §6.3; REG §6)."""


@attrs.frozen(kw_only=True)
class OfficeCalendar:
    """
    All duties of the office; a chain gives its own.

    Args:
        duties: What is due when.
        working_days: If given, a duty on a day of rest moves by *shift*.
        shift: How it moves, as in `shift_day`; a deadline moves to the working day
            before.

    >>> days = OfficeCalendar().between(dt.date(2026, 2, 27), dt.date(2026, 2, 28))
    >>> [(str(each.day), each.duty.name) for each in days][:3]
    [('2026-02-27', 'weekly_meeting'), ('2026-02-28', 'visit_plan'),
     ('2026-02-28', 'lapse_records')]
    """

    duties: tuple[OfficeDuty, ...] = attrs.field(default=OFFICE_DUTIES, converter=tuple)
    working_days: WorkingDays | None = None
    shift: Shift = "previous"

    @duties.validator
    def _check_names(self, _attribute: object, value: Any) -> None:
        names = [duty.name for duty in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ScheduleError(f"each duty needs a name of its own: {bounded(twice)}")

    def between(self, first: dt.date, last: dt.date) -> tuple[OfficeDay, ...]:
        """Return what is due from *first* to *last*, by day, then as listed."""
        margin = 0 if self.working_days is None else _REACH
        early = add_days(check_day(first, "first"), -margin)
        late = add_days(check_day(last, "last"), margin)
        found = [
            OfficeDay(day=self._moved(day), duty=duty, nominal=day)
            for duty in self.duties
            for day in duty.days(early, late)
        ]
        inside = [each for each in found if first <= each.day <= last]
        return tuple(sorted(inside, key=lambda each: each.day))

    def day_of(self, name: str, *, year: int, month: int) -> dt.date:
        """
        Return the day of a duty in a month, such as the 28th for ``"visit_plan"``.

        Raises:
            ScheduleError: No duty has that name, or it is not due just once then.
        """
        named = [duty for duty in self.duties if duty.name == name]
        if not named:
            known = nearest(name, [duty.name for duty in self.duties])
            raise ScheduleError(f"no duty is called {bounded([name])}: {known}")
        first = dt.date(year, month, 1)
        days = named[0].days(first, add_days(first, month_length(year, month) - 1))
        if len(days) != 1:
            raise ScheduleError(
                f"{name!r} is due {len(days)} times in {year}-{month:02d}, not once"
            )
        return self._moved(days[0])

    def _moved(self, day: dt.date) -> dt.date:
        if self.working_days is None:
            return day
        return shift_day(day, self.working_days, self.shift)
