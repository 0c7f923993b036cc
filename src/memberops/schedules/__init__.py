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
from memberops.schedules.periods import Period
from memberops.schedules.retail_calendar import RetailCalendar, RetailDay
from memberops.schedules.terms import TermUnit, term_end, term_number, term_start

__all__ = [
    "LeapDay",
    "Period",
    "RetailCalendar",
    "RetailDay",
    "TermUnit",
    "add_days",
    "add_months",
    "add_years",
    "completed_years",
    "is_month_end",
    "lapse_cutoff",
    "month_end",
    "term_end",
    "term_number",
    "term_start",
]
