"""Providers of SMS behind one contract: `SmsProvider`."""

from memberops.adapters.sms.contract import (
    ReceiptRequest,
    SmsCapabilities,
    SmsContext,
    SmsProvider,
    SmsProviderFactory,
)

__all__ = [
    "ReceiptRequest",
    "SmsCapabilities",
    "SmsContext",
    "SmsProvider",
    "SmsProviderFactory",
]
