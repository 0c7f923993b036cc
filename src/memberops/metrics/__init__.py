"""
The figures of the membership office, on any frame that narwhals takes.

Sales lines are reduced once on their own engine; formulas are computed once on the few
rows that come back, and the same formulas take plain numbers (`evaluate`).
"""

from memberops.metrics.consumption import consumption_figures, consumption_level
from memberops.metrics.demographics import demographic_figures, demographics
from memberops.metrics.formulas import (
    Figure,
    Ratio,
    evaluate,
    growth,
    ratio,
    working,
)
from memberops.metrics.headings import base_heading
from memberops.metrics.lapse import LAPSE, lapse
from memberops.metrics.lapsed_members import lapsed_members
from memberops.metrics.measures import Measures, measure
from memberops.metrics.message_effect import (
    MESSAGE_EFFECT,
    EffectPolicy,
    MessageEffect,
    message_effect,
)
from memberops.metrics.minor_units import MinorUnits, minor_units
from memberops.metrics.policy import MetricPolicy
from memberops.metrics.ranking import RANKING, store_ranking
from memberops.metrics.retention import RETENTION, retention
from memberops.metrics.satisfaction import (
    SATISFACTION,
    SatisfactionPolicy,
    satisfaction,
)
from memberops.metrics.service import (
    CLOCK_SPANS,
    complaint_counts,
    service_figures,
)
from memberops.metrics.service_report import service_report
from memberops.metrics.spending_power import SPENDING_POWER, spending_power
from memberops.metrics.tickets import tickets

__all__ = [
    "CLOCK_SPANS",
    "LAPSE",
    "MESSAGE_EFFECT",
    "RANKING",
    "RETENTION",
    "SATISFACTION",
    "SPENDING_POWER",
    "EffectPolicy",
    "Figure",
    "Measures",
    "MessageEffect",
    "MetricPolicy",
    "MinorUnits",
    "Ratio",
    "SatisfactionPolicy",
    "base_heading",
    "complaint_counts",
    "consumption_figures",
    "consumption_level",
    "demographic_figures",
    "demographics",
    "evaluate",
    "growth",
    "lapse",
    "lapsed_members",
    "measure",
    "message_effect",
    "minor_units",
    "ratio",
    "retention",
    "satisfaction",
    "service_figures",
    "service_report",
    "spending_power",
    "store_ranking",
    "tickets",
    "working",
]
