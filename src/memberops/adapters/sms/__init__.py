"""Providers of SMS behind one contract: `SmsProvider`."""

from memberops.adapters.sms.aliyun import AliyunProvider
from memberops.adapters.sms.aws import AwsProvider
from memberops.adapters.sms.contract import (
    ReceiptRequest,
    SmsCapabilities,
    SmsContext,
    SmsProvider,
    SmsProviderFactory,
)
from memberops.adapters.sms.file_provider import FileProvider
from memberops.adapters.sms.form_gateway import FormGateway
from memberops.adapters.sms.form_protocol import FormProtocol
from memberops.adapters.sms.http import HttpLimits
from memberops.adapters.sms.secrets import Secret, secret_option
from memberops.adapters.sms.tencent import TencentProvider
from memberops.adapters.sms.twilio import TwilioProvider

__all__ = [
    "AliyunProvider",
    "AwsProvider",
    "FileProvider",
    "FormGateway",
    "FormProtocol",
    "HttpLimits",
    "ReceiptRequest",
    "Secret",
    "SmsCapabilities",
    "SmsContext",
    "SmsProvider",
    "SmsProviderFactory",
    "TencentProvider",
    "TwilioProvider",
    "secret_option",
]
