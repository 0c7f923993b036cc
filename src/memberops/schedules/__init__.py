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
from memberops.schedules.due import Due, Pauses, Segment
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
from memberops.schedules.terms import TermUnit, term_end, term_number, term_start
from memberops.schedules.working_time import WorkingCalendar

__all__ = [
    "OFFICE_DUTIES",
    "AnchoredRecurrence",
    "Due",
    "LeapDay",
    "OfficeCalendar",
    "OfficeDay",
    "OfficeDuty",
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
    "add_months",
    "add_years",
    "completed_years",
    "is_month_end",
    "lapse_cutoff",
    "month_end",
    "shift_day",
    "term_end",
    "term_number",
    "term_start",
    "wall_moment",
]
