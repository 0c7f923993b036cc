"""The cadence table: which fact asks for which visit, and when (HQ §6.3, CLINIC)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, get_args

import attrs
import numpy as np

from memberops.domain.values import whole_number
from memberops.domain.visit import VisitChannel, VisitKind
from memberops.errors import InvalidValueError, ScheduleError, bounded, nearest
from memberops.schedules import (
    Period,
    TermUnit,
    add_days,
    add_months,
    add_years,
)

__all__ = ["DEFAULT_CADENCE", "CadenceRule", "Days"]

Days: TypeAlias = "np.ndarray[Any, np.dtype[np.datetime64]]"
"""A column of days, ``datetime64[D]``."""

Party = Literal["store", "hq", "both"]
Audience = Literal["all", "premium", "regular"]

_STEP = {"days": 1, "weeks": 7, "months": 1, "years": 12}
_LAST_DAY = 28
_CENTURY = {"days": 36_525, "weeks": 5_218, "months": 1_200, "years": 100}
_LONGEST = 366


def _one_of(*known: str) -> Any:
    def check(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value not in known:
            raise InvalidValueError(
                f"{attribute.name!r} cannot be {bounded([value])}: "
                f"{nearest(str(value), known)}"
            )

    return check


def _check_word(value: Any, known: Iterable[str]) -> None:
    words = [str(each) for each in known]
    if value not in words:
        raise InvalidValueError(
            f"no rule can have {bounded([value])}: {nearest(str(value), words)}"
        )


def _kind(value: Any) -> VisitKind:
    _check_word(value, VisitKind)
    return VisitKind(value)


def _channel(value: Any) -> VisitChannel:
    _check_word(value, VisitChannel)
    return VisitChannel(value)


def _flag_names(values: Any) -> frozenset[str]:
    if isinstance(values, str):
        raise InvalidValueError(f"names are given as a tuple: ({values!r},)")
    return frozenset(values)


def _from_zero(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    whole_number(instance, attribute, value)
    if value < 0:
        raise InvalidValueError(f"{attribute.name!r} must be 0 or more, not {value}")
    if value > _LONGEST:
        raise InvalidValueError(
            f"{attribute.name!r} must be a year of days at most, not {value}"
        )


@attrs.frozen(kw_only=True)
class CadenceRule:
    """
    One line of the cadence table.

    Args:
        name: Short stable name; it is part of each visit's id.
        kind: A `memberops.domain.visit.VisitKind`.
        trigger: Which facts it answers, such as ``"purchase"``.
        offset: How many units after the fact; negative for before; a century at most.
        unit: ``"days"``, ``"weeks"``, ``"months"`` or ``"years"``; months are those
            of the calendar, clamped to a shorter one's end.
        on_day: A day of the resulting month (1 to 28) instead of the fact's own.
        within: How many days after the due day are still in time, 0 or more: so far
            it may move. A year of days at most.
        yearly: Whether the fact comes back each year, as a birthday does.
        ahead: Whether the fact may lie ahead, as an appointment does; a fact that
            happened is not known before its day.
        channel: A `memberops.domain.visit.VisitChannel`.
        by: ``"store"``, ``"hq"`` or ``"both"``.
        priority: The smaller, the more important.
        audience: ``"all"``, ``"premium"`` or ``"regular"`` members.
        marketing: Whether it keeps its distance from contacts made of late.
        capped: Whether caps hold for it; it counts for others in any case.
        despite: Names of suppressions that do not stop it.
        name_en: What people call it, in English.
        name_zh: The same in Chinese.

    >>> rule = CadenceRule(name="greeting", kind="after_sale", trigger="purchase",
    ...     offset=1, unit="months", channel="sms", by="store", priority=100,
    ...     name_en="greeting", name_zh="满月问候")
    >>> rule.due(dt.date(2026, 1, 31))
    datetime.date(2026, 2, 28)
    """

    name: str
    kind: VisitKind = attrs.field(converter=_kind)
    trigger: str
    offset: int = attrs.field(default=0, validator=whole_number)
    unit: TermUnit = attrs.field(default="days", validator=_one_of(*_STEP))
    on_day: int | None = None
    within: int = attrs.field(default=0, validator=_from_zero)
    yearly: bool = False
    ahead: bool = False
    channel: VisitChannel = attrs.field(converter=_channel)
    by: Party = attrs.field(validator=_one_of(*get_args(Party)))
    priority: int = attrs.field(validator=whole_number)
    audience: Audience = attrs.field(
        default="all", validator=_one_of(*get_args(Audience))
    )
    marketing: bool = False
    capped: bool = True
    despite: frozenset[str] = attrs.field(default=(), converter=_flag_names)
    name_en: str
    name_zh: str

    def __attrs_post_init__(self) -> None:
        """Refuse a day of the month that not every month has, and a far offset."""
        if abs(self.offset) > _CENTURY[self.unit]:
            raise InvalidValueError(
                f"'offset' must be a century at most, not {self.offset} {self.unit}"
            )
        if self.on_day is not None and self.on_day not in range(1, _LAST_DAY + 1):
            raise InvalidValueError("'on_day' must be a day each month has: 1 to 28")

    def suits(self, *, premium: bool) -> bool:
        """Tell whether the rule is for such a member."""
        return self.audience == "all" or (self.audience == "premium") == premium

    def due(self, on: dt.date) -> dt.date:
        """Return the day due for a fact of one day, or one occurrence of it."""
        steps = self.offset * _STEP[self.unit]
        if self.unit in ("days", "weeks"):
            day = add_days(on, steps)
        else:
            day = add_months(on, steps)
        return day if self.on_day is None else day.replace(day=self.on_day)

    def dues(
        self, on: dt.date, period: Period, *, as_of: dt.date
    ) -> tuple[tuple[dt.date, dt.date], ...]:
        """
        Return (day of the fact or its occurrence, day due), as far as a plan weighs it.

        That is what falls due in *period*, and what was due before it and is still in
        time on the first day that can be planned. 29 February comes on 28 February
        in common years (HQ §4.2); a day outside the calendar is due in no period.
        """
        days = [on]
        if self.yearly:
            years = range(period.start.year - 2, period.through.year + 3)
            inside = range(max(on.year + 1, dt.MINYEAR), dt.MAXYEAR + 1)
            days = [add_years(on, year - on.year) for year in years if year in inside]
        first = max(as_of, period.start)
        found = []
        for day in days:
            try:
                due = self.due(day)
            except ScheduleError:
                continue
            # Days left are counted: a last day may lie outside the calendar.
            in_time = (first - due).days <= self.within
            if due in period or (due < period.start and in_time):
                found.append((day, due))
        return tuple(found)

    def due_column(self, on: Days) -> Days:
        """Return the days due of a column of days, as `due` does one by one."""
        steps = self.offset * _STEP[self.unit]
        if self.unit in ("days", "weeks"):
            day = on + np.timedelta64(steps, "D")
        else:
            month = on.astype("datetime64[M]")
            day = _in_month(on - month.astype("datetime64[D]"), month + steps)
        if self.on_day is None:
            return day
        first = day.astype("datetime64[M]").astype("datetime64[D]")
        return np.asarray(first + np.timedelta64(self.on_day - 1, "D"))

    def occurrences(self, on: Days, period: Period) -> list[Days]:
        """
        Return columns of the days that a column of facts can count from.

        One column, the facts' own days, unless the rule is yearly; then one for each
        year that may lead into *period*, without a day (NaT) where it is not yet.
        """
        if not self.yearly:
            return [on]
        own = on.astype("datetime64[Y]")
        within_year = on.astype("datetime64[M]") - own.astype("datetime64[M]")
        day = on - on.astype("datetime64[M]").astype("datetime64[D]")
        columns = []
        for year in range(period.start.year - 2, period.through.year + 3):
            then = np.datetime64(year - 1970, "Y")
            column = _in_month(day, then.astype("datetime64[M]") + within_year)
            columns.append(np.where(own < then, column, np.datetime64("NaT", "D")))
        return columns


def _in_month(day: Any, month: Any) -> Any:
    """Take the n-th day of months, or their last where they are shorter."""
    first = month.astype("datetime64[D]")
    following = (month + 1).astype("datetime64[D]")
    return np.minimum(first + day, following - np.timedelta64(1, "D"))


def _rule(line: str, name_en: str, name_zh: str, **more: Any) -> CadenceRule:
    """Read "name kind trigger channel by priority"; the class checks each word."""
    name, kind, trigger, channel, by, priority = line.split()
    words: dict[str, Any] = {"by": by, **more}
    return CadenceRule(
        name=name,
        kind=VisitKind(kind),
        trigger=trigger,
        channel=VisitChannel(channel),
        priority=int(priority),
        name_en=name_en,
        name_zh=name_zh,
        **words,
    )


_SERVICE: dict[str, Any] = {"despite": ("open_complaint", "expired")}
_REPORT: dict[str, Any] = {**_SERVICE, "within": 7}
_MONTHS: dict[str, Any] = {"unit": "months"}
_BIRTHDAY: dict[str, Any] = {"yearly": True, "ahead": True}
_OCCASION: dict[str, Any] = {"marketing": True, "ahead": True}

DEFAULT_CADENCE: tuple[CadenceRule, ...] = (
    _rule("complaint_callback complaint_callback complaint phone hq 10",
          "complaint callback", "投诉回访", within=7, **_SERVICE),
    _rule("appointment_reminder appointment_reminder appointment sms hq 20",
          "appointment reminder", "预约提醒", offset=-1, ahead=True, **_SERVICE),
    _rule("refill_reminder refill_reminder supply_end sms hq 30",
          "refill reminder", "补货提醒", offset=-7, within=3, ahead=True, **_SERVICE),
    _rule("expiry_notice expiry_notice card_end phone hq 40",
          "expiry notice", "到期提醒", offset=-1, on_day=1, within=4, ahead=True,
          **_MONTHS),
    _rule("welcome welcome filed phone hq 50", "welcome", "新会员欢迎", within=7),
    _rule("audit audit audit_draw phone hq 55", "audit visit", "督察回访", within=7),
    _rule("report_2_days care report phone hq 60",
          "report follow-up after 2 days", "报告后 2 天回访", offset=2, **_REPORT),
    _rule("report_3_months care report phone hq 60",
          "report follow-up after 3 months", "报告后 3 个月回访", offset=3,
          **_MONTHS, **_REPORT),
    _rule("report_6_months care report phone hq 60",
          "report follow-up after 6 months", "报告后 6 个月回访", offset=6,
          **_MONTHS, **_REPORT),
    _rule("report_1_year care report phone hq 60",
          "report follow-up after 1 year", "报告后 1 年回访", offset=12,
          **_MONTHS, **_REPORT),
    _rule("birthday care birth_date sms hq 70", "birthday", "生日祝福",
          audience="regular", **_BIRTHDAY),
    _rule("birthday_premium care birth_date sms hq 70",
          "birthday, with card and gift voucher", "生日祝福（附贺卡与礼券）",
          audience="premium", **_BIRTHDAY),
    _rule("lunar_birthday care lunar_birthday sms hq 70", "lunar birthday",
          "农历生日祝福", audience="regular", ahead=True),
    _rule("lunar_birthday_premium care lunar_birthday sms hq 70",
          "lunar birthday, with card and gift voucher", "农历生日祝福（附贺卡与礼券）",
          audience="premium", ahead=True),
    _rule("thanks after_sale purchase sms store 80", "thanks", "购后感谢", within=1),
    _rule("care_question after_sale purchase sms store 90",
          "care question", "一周关怀", offset=1, unit="weeks", within=3),
    _rule("greeting after_sale purchase sms store 100", "greeting", "满月问候",
          offset=1, within=7, **_MONTHS),
    _rule("follow_up after_sale purchase phone store 110", "follow-up", "三个月跟进",
          offset=3, within=7, **_MONTHS),
    _rule("idle_premium care last_purchase phone store 120",
          "idle premium member", "优质会员久未消费", offset=1, within=14,
          audience="premium", marketing=True, **_MONTHS),
    _rule("win_back win_back last_purchase phone both 130", "win-back", "流失回访",
          offset=3, within=14, marketing=True, **_MONTHS),
    _rule("satisfaction_survey satisfaction_survey service sms hq 140",
          "satisfaction survey", "满意度调查", offset=1, within=3),
    _rule("public_holiday care public_holiday sms hq 150",
          "public holiday", "节日问候", **_OCCASION),
    _rule("chain_anniversary care chain_anniversary sms hq 151",
          "chain anniversary", "店庆", **_OCCASION),
    _rule("new_product care new_product sms hq 152", "new product", "新品通知",
          **_OCCASION),
    _rule("promotion care promotion sms hq 153", "promotion", "促销通知", **_OCCASION),
    _rule("weather_change care weather_change sms hq 154",
          "weather change", "天气变化提醒", **_OCCASION),
)  # fmt: skip
"""The cadence table of the manuals (HQ §6.3, VIP, CLINIC)."""
