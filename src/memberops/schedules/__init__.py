"""Time: periods, retail calendars, terms, and arithmetic that keeps its anchor."""

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

__all__ = [
    "OFFICE_DUTIES",
    "AnchoredRecurrence",
    "LeapDay",
    "OfficeCalendar",
    "OfficeDay",
    "OfficeDuty",
    "Period",
    "RelativeRecurrence",
    "RestDays",
    "RetailCalendar",
    "RetailDay",
    "TermUnit",
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
]
