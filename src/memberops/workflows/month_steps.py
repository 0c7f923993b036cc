"""Every form of a month, in the order in which they are made."""

from __future__ import annotations

from memberops.workflows.month_forms import MEMBER_STEPS, WORKING_STEP
from memberops.workflows.month_office_forms import OFFICE_STEPS

__all__ = ["FORM_STEPS"]

FORM_STEPS = (*MEMBER_STEPS, *OFFICE_STEPS, WORKING_STEP)
"""The analyses of members, the office's own forms, and how figures were made."""
