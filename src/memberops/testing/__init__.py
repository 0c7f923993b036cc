"""
What tests, docs and benchmarks stand on: builders, a synthetic chain, contract checks.

The names below are loaded when they are first used (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memberops.testing.builders import (
        appointments_frame,
        cards_frame,
        case_events_frame,
        complaints_frame,
        consents_frame,
        members_frame,
        sales_frame,
        stores_frame,
        targets_frame,
        visits_frame,
    )
    from memberops.testing.changing_contract import SourceWorld, check_changing_source
    from memberops.testing.contracts import check_source, load_only
    from memberops.testing.dirt import PlantedDirt
    from memberops.testing.export_contracts import (
        check_member_source,
        check_sales_source,
    )
    from memberops.testing.faulty_gateway import FaultyGateway
    from memberops.testing.faulty_gateway_dialect import GatewayDialect, JsonDialect
    from memberops.testing.faulty_gateway_faults import USUAL_FAULTS, GatewayFault
    from memberops.testing.faulty_gateway_memory import AcceptedMessage
    from memberops.testing.gateway_aliyun import AliyunDialect
    from memberops.testing.gateway_aws import AwsDialect
    from memberops.testing.gateway_tencent import TencentDialect
    from memberops.testing.gateway_twilio import TwilioDialect
    from memberops.testing.large_sales import large_sales
    from memberops.testing.ledger_contract import check_ledger_store
    from memberops.testing.sms_contract import check_sms_provider
    from memberops.testing.synthetic_chain import ChainFrames, SyntheticChain
    from memberops.testing.writing import WrittenChain, write_chain

__all__ = [
    "USUAL_FAULTS",
    "AcceptedMessage",
    "AliyunDialect",
    "AwsDialect",
    "ChainFrames",
    "FaultyGateway",
    "GatewayDialect",
    "GatewayFault",
    "JsonDialect",
    "PlantedDirt",
    "SourceWorld",
    "SyntheticChain",
    "TencentDialect",
    "TwilioDialect",
    "WrittenChain",
    "appointments_frame",
    "cards_frame",
    "case_events_frame",
    "check_changing_source",
    "check_ledger_store",
    "check_member_source",
    "check_sales_source",
    "check_sms_provider",
    "check_source",
    "complaints_frame",
    "consents_frame",
    "large_sales",
    "load_only",
    "members_frame",
    "sales_frame",
    "stores_frame",
    "targets_frame",
    "visits_frame",
    "write_chain",
]

_HOMES = {
    "USUAL_FAULTS": "faulty_gateway_faults",
    "AcceptedMessage": "faulty_gateway_memory",
    "AliyunDialect": "gateway_aliyun",
    "AwsDialect": "gateway_aws",
    "ChainFrames": "synthetic_chain",
    "FaultyGateway": "faulty_gateway",
    "GatewayDialect": "faulty_gateway_dialect",
    "GatewayFault": "faulty_gateway_faults",
    "JsonDialect": "faulty_gateway_dialect",
    "PlantedDirt": "dirt",
    "SourceWorld": "changing_contract",
    "SyntheticChain": "synthetic_chain",
    "TencentDialect": "gateway_tencent",
    "TwilioDialect": "gateway_twilio",
    "WrittenChain": "writing",
    "appointments_frame": "builders",
    "cards_frame": "builders",
    "case_events_frame": "builders",
    "check_changing_source": "changing_contract",
    "check_ledger_store": "ledger_contract",
    "check_member_source": "export_contracts",
    "check_sales_source": "export_contracts",
    "check_sms_provider": "sms_contract",
    "check_source": "contracts",
    "complaints_frame": "builders",
    "consents_frame": "builders",
    "large_sales": "large_sales",
    "load_only": "contracts",
    "members_frame": "builders",
    "sales_frame": "builders",
    "stores_frame": "builders",
    "targets_frame": "builders",
    "visits_frame": "builders",
    "write_chain": "writing",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its home when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'memberops.testing' has no attribute {name!r}")
    module = importlib.import_module(f"memberops.testing.{_HOMES[name]}")
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted({*globals(), *__all__})
