"""Time: periods, retail calendars, terms, working time, arithmetic with an anchor."""

from memberops.schedules.dates import (
    LeapDay,
    add_days,
    add_months,
    add_years,
    completed_years,
    is_month_end,
    lapse_cutoff,
    month_end,
)
from memberops.schedules.due import Due, Segment
from memberops.schedules.holiday_calendars import china_calendar
from memberops.schedules.lunar import LeapMonth, LunarBirthday, MissingDay
from memberops.schedules.lunar_frames import lunar_birthdays
from memberops.schedules.moments import wall_moment
from memberops.schedules.office import (
    OFFICE_DUTIES,
    OfficeCalendar,
    OfficeDay,
    OfficeDuty,
)
from memberops.schedules.periods import Period
from memberops.schedules.recurrence import (
    AnchoredRecurrence,
    RelativeRecurrence,
    RestDays,
    WorkingDays,
    shift_day,
)
from memberops.schedules.retail_calendar import RetailCalendar, RetailDay
from memberops.schedules.stops import Pauses
from memberops.schedules.terms import TermUnit, term_end, term_number, term_start
from memberops.schedules.working_days import add_days_many, due_days_frame
from memberops.schedules.working_frames import (
    PauseRows,
    add_many,
    due_frame,
    elapsed_many,
    subtract_many,
)
from memberops.schedules.working_time import WorkingCalendar

__all__ = [
    "OFFICE_DUTIES",
    "AnchoredRecurrence",
    "Due",
    "LeapDay",
    "LeapMonth",
    "LunarBirthday",
    "MissingDay",
    "OfficeCalendar",
    "OfficeDay",
    "OfficeDuty",
    "PauseRows",
    "Pauses",
    "Period",
    "RelativeRecurrence",
    "RestDays",
    "RetailCalendar",
    "RetailDay",
    "Segment",
    "TermUnit",
    "WorkingCalendar",
    "WorkingDays",
    "add_days",
    "add_days_many",
    "add_many",
    "add_months",
    "add_years",
    "china_calendar",
    "completed_years",
    "due_days_frame",
    "due_frame",
    "elapsed_many",
    "is_month_end",
    "lapse_cutoff",
    "lunar_birthdays",
    "month_end",
    "shift_day",
    "subtract_many",
    "term_end",
    "term_number",
    "term_start",
    "wall_moment",
]
