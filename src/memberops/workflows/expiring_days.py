"""By when the members on the list of expiring cards are visited (HQ §4.2)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from memberops.errors import ScheduleError
from memberops.schedules import OfficeCalendar
from memberops.schedules.dates import add_months

__all__ = ["office_day", "visits_due"]


def office_day(
    calendar: OfficeCalendar, month: dt.date, usual: pd.Series[Any]
) -> pd.Series[Any]:
    """
    Take the visit day from the office's duty ``expiring_list``, if it has one.

    Args:
        calendar: What the office owes on which day.
        month: A day of the run month.
        usual: The days of the list; kept where the duty is not due just once a month.
    """
    try:
        day = calendar.day_of("expiring_list", year=month.year, month=month.month)
    except ScheduleError:
        return usual
    return pd.Series(pd.Timestamp(day), index=usual.index).astype(usual.dtype)


def visits_due(
    frame: pd.DataFrame, as_of: dt.date
) -> tuple[pd.Series[Any], tuple[str, ...], tuple[str, ...]]:
    """
    Move a visit day that has passed to one that can still be kept (HQ §4.2).

    The manual's day is the 5th of the run month, or the day of the office's duty
    ``expiring_list``. A list that is made later has the
    same day of the next month, or a card's last day where that is earlier, and says
    so.
    """
    due = frame["visit_due"]
    late = due < pd.Timestamp(as_of)
    if not late.any():
        return due, (), ()
    missed = due[late].iloc[0].date()
    later = pd.Timestamp(add_months(missed, 1))
    last = frame["valid_through"]
    moved = last.where(last < later, later)
    english = (
        f"The manual's day for these visits, {missed}, had passed on {as_of}: they "
        f"are due by {later.date()}, or by the card's last day if that is earlier. "
        f"A list in time is made as of {missed} or before."
    )
    chinese = (
        f"手册规定的回访期限 {missed} 在名单截止日 {as_of} 已过：改为 "
        f"{later.date()} 前完成；会员卡更早到期的，以到期日为限。"
        f"如需按期回访，请以 {missed} 或更早的日期为截止日生成名单。"
    )
    return due.mask(late, moved.astype(due.dtype)), (english,), (chinese,)
