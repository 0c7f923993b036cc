"""One builder a form, from the frame that its analysis or policy returned."""

from memberops.reports.forms.audit import (
    describe_finding,
    findings_form,
    working_form,
)
from memberops.reports.forms.figures import (
    consumption_level_form,
    demographics_form,
    lapse_form,
    spending_power_form,
)
from memberops.reports.forms.lists import (
    expiring_members_form,
    lapsed_members_form,
    store_ranking_form,
)

__all__ = [
    "consumption_level_form",
    "demographics_form",
    "describe_finding",
    "expiring_members_form",
    "findings_form",
    "lapse_form",
    "lapsed_members_form",
    "spending_power_form",
    "store_ranking_form",
    "working_form",
]
