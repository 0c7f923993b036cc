"""The office's work from end to end: a chain, its tables, and its month end."""

from memberops.adapters.sources.snapshot_counts import TableRefresh
from memberops.workflows.answers import Answer
from memberops.workflows.chain import Chain, Progress
from memberops.workflows.chain_policies import ChainPolicies
from memberops.workflows.chain_tables import ChainTables, FrameSource
from memberops.workflows.checks import CHECKS, Check, run_checks
from memberops.workflows.configuration import (
    ChainSettings,
    PluginSettings,
    parse_settings,
    read_settings,
)
from memberops.workflows.doctor import propose_mapping, propose_table
from memberops.workflows.doctor_database import propose_database
from memberops.workflows.doctor_proposal import MappingProposal, Question, chain_toml
from memberops.workflows.ledger_settings import LedgerSettings
from memberops.workflows.message_pushes import TakenReceipts
from memberops.workflows.message_sending import (
    SendReport,
    SettleReport,
    send_messages,
    settle_messages,
)
from memberops.workflows.message_settings import (
    MessageSettings,
    OutboxSettings,
    ProviderSettings,
    SmsSettings,
    TemplateSettings,
)
from memberops.workflows.month_end import MonthEnd
from memberops.workflows.opening import open_chain
from memberops.workflows.policies_in_force import PolicyInForce
from memberops.workflows.source_settings import SourceSettings

__all__ = [
    "CHECKS",
    "Answer",
    "Chain",
    "ChainPolicies",
    "ChainSettings",
    "ChainTables",
    "Check",
    "FrameSource",
    "LedgerSettings",
    "MappingProposal",
    "MessageSettings",
    "MonthEnd",
    "OutboxSettings",
    "PluginSettings",
    "PolicyInForce",
    "Progress",
    "ProviderSettings",
    "Question",
    "SendReport",
    "SettleReport",
    "SmsSettings",
    "SourceSettings",
    "TableRefresh",
    "TakenReceipts",
    "TemplateSettings",
    "chain_toml",
    "open_chain",
    "parse_settings",
    "propose_database",
    "propose_mapping",
    "propose_table",
    "read_settings",
    "run_checks",
    "send_messages",
    "settle_messages",
]
