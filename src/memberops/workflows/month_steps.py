"""Every form of a month, in the order in which they are made."""

from __future__ import annotations

from memberops.workflows.month_forms import MEMBER_STEPS, WORKING_STEP
from memberops.workflows.month_gift_forms import GIFT_STEPS
from memberops.workflows.month_message_forms import MESSAGE_STEPS
from memberops.workflows.month_office_forms import OFFICE_STEPS

__all__ = ["FORM_STEPS"]

FORM_STEPS = (
    *MEMBER_STEPS, *OFFICE_STEPS, *MESSAGE_STEPS, *GIFT_STEPS, WORKING_STEP,
)  # fmt: skip
"""Members, the office, messages, gifts, and how the figures were made."""
