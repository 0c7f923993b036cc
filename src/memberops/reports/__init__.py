"""
Forms and how they are written: what the office hands out at the month end.

A builder makes a `Form` from what an analysis or a policy returned; `write_workbook`,
`write_csv` and `summary_lines` render forms in Chinese, in English, or in both.
"""

from memberops.reports.csv_files import csv_text, guard_text, unguard_text, write_csv
from memberops.reports.duplicate_members import duplicate_members_form
from memberops.reports.form import Chart, Form, FormColumn
from memberops.reports.forms import (
    appointments_form,
    audit_sample_form,
    complaint_case_form,
    consumption_level_form,
    demographics_form,
    describe_finding,
    expiring_members_form,
    fee_waiver_form,
    findings_form,
    hard_cases_form,
    lapse_form,
    lapsed_members_form,
    member_application_form,
    premium_members_form,
    profile_audit_form,
    retention_form,
    satisfaction_form,
    service_report_form,
    spending_power_form,
    store_ranking_form,
    tiers_form,
    visit_coverage_form,
    visit_plan_form,
    visit_record_form,
    waiver_changes_form,
    waiver_simulation_form,
    working_form,
)
from memberops.reports.free_slots import free_slots_form
from memberops.reports.plain_values import form_records, form_texts
from memberops.reports.service_board import service_board_form
from memberops.reports.summary import summary_lines
from memberops.reports.waiver_evidence import waiver_evidence_form
from memberops.reports.workbook import write_workbook

__all__ = [
    "Chart",
    "Form",
    "FormColumn",
    "appointments_form",
    "audit_sample_form",
    "complaint_case_form",
    "consumption_level_form",
    "csv_text",
    "demographics_form",
    "describe_finding",
    "duplicate_members_form",
    "expiring_members_form",
    "fee_waiver_form",
    "findings_form",
    "form_records",
    "form_texts",
    "free_slots_form",
    "guard_text",
    "hard_cases_form",
    "lapse_form",
    "lapsed_members_form",
    "member_application_form",
    "premium_members_form",
    "profile_audit_form",
    "retention_form",
    "satisfaction_form",
    "service_board_form",
    "service_report_form",
    "spending_power_form",
    "store_ranking_form",
    "summary_lines",
    "tiers_form",
    "unguard_text",
    "visit_coverage_form",
    "visit_plan_form",
    "visit_record_form",
    "waiver_changes_form",
    "waiver_evidence_form",
    "waiver_simulation_form",
    "working_form",
    "write_csv",
    "write_workbook",
]
