"""One builder a form, from the frame that its analysis or policy returned."""

from memberops.reports.forms.appointments import (
    appointments_form,
)
from memberops.reports.forms.audit import (
    describe_finding,
    findings_form,
    working_form,
)
from memberops.reports.forms.counts import (
    count_report_form,
    count_sheet_form,
    count_summary_form,
)
from memberops.reports.forms.figures import (
    consumption_level_form,
    demographics_form,
    lapse_form,
    spending_power_form,
)
from memberops.reports.forms.gift_breaks import (
    gift_break_ages_form,
    gift_breaks_form,
)
from memberops.reports.forms.gift_ledger import (
    gift_balances_form,
    gift_movements_form,
    posting_states_form,
)
from memberops.reports.forms.gifts import (
    gift_application_form,
    gift_issues_form,
    gift_stock_form,
    order_proposal_form,
)
from memberops.reports.forms.lists import (
    expiring_members_form,
    lapsed_members_form,
    store_ranking_form,
)
from memberops.reports.forms.loyalty import (
    retention_form,
    satisfaction_form,
)
from memberops.reports.forms.membership import (
    premium_members_form,
    tiers_form,
)
from memberops.reports.forms.messages import (
    message_batch_form,
    message_effect_form,
    message_left_out_form,
    message_list_form,
)
from memberops.reports.forms.profiles import (
    member_application_form,
    profile_audit_form,
)
from memberops.reports.forms.service import (
    complaint_case_form,
    hard_cases_form,
    service_report_form,
)
from memberops.reports.forms.visits import (
    audit_sample_form,
    visit_coverage_form,
    visit_plan_form,
    visit_record_form,
)
from memberops.reports.forms.waivers import (
    fee_waiver_form,
    waiver_changes_form,
    waiver_simulation_form,
)

__all__ = [
    "appointments_form",
    "audit_sample_form",
    "complaint_case_form",
    "consumption_level_form",
    "count_report_form",
    "count_sheet_form",
    "count_summary_form",
    "demographics_form",
    "describe_finding",
    "expiring_members_form",
    "fee_waiver_form",
    "findings_form",
    "gift_application_form",
    "gift_balances_form",
    "gift_break_ages_form",
    "gift_breaks_form",
    "gift_issues_form",
    "gift_movements_form",
    "gift_stock_form",
    "hard_cases_form",
    "lapse_form",
    "lapsed_members_form",
    "member_application_form",
    "message_batch_form",
    "message_effect_form",
    "message_left_out_form",
    "message_list_form",
    "order_proposal_form",
    "posting_states_form",
    "premium_members_form",
    "profile_audit_form",
    "retention_form",
    "satisfaction_form",
    "service_report_form",
    "spending_power_form",
    "store_ranking_form",
    "tiers_form",
    "visit_coverage_form",
    "visit_plan_form",
    "visit_record_form",
    "waiver_changes_form",
    "waiver_simulation_form",
    "working_form",
]
