"""What memberops itself brings, declared as a plugin like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memberops.adapters.declarations import Adapter
from memberops.adapters.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memberops.adapters.sms import SmsContext, SmsProvider, SmsProviderFactory
    from memberops.adapters.sources import (
        Source,
        SourceContext,
        SourceFactory,
    )

__all__ = ["csv_source", "memberops_sms_providers", "memberops_sources"]

_SMS_PROVIDERS = (
    (
        "file",
        "FileProvider",
        "Messages written to a file, one JSON object a line",
        "短信写入文件，每行一个 JSON 对象",
    ),
    (
        "form",
        "FormGateway",
        "Any SMS gateway with a plain HTTP interface, by configuration",
        "任意 HTTP 短信网关，按配置对接",
    ),
    ("aliyun", "AliyunProvider", "Alibaba Cloud SMS", "阿里云短信服务"),
    ("tencent", "TencentProvider", "Tencent Cloud SMS", "腾讯云短信"),
    ("aws", "AwsProvider", "AWS End User Messaging", "AWS 短信"),
    ("twilio", "TwilioProvider", "Twilio Programmable Messaging", "Twilio 短信"),
)


def csv_source(context: SourceContext, **options: Any) -> Source:
    """
    Make the CSV source; pandas is not loaded before this is called.

    Args:
        context: Folder, currency and zone of the chain.
        options: What `memberops.adapters.sources.csv_source.CsvSource` takes.
    """
    from memberops.adapters.sources.csv_source import CsvSource

    return CsvSource(context, **options)


@hookimpl
def memberops_sources() -> Iterable[Adapter[SourceFactory]]:
    """
    Declare the source ``"csv"``.

    >>> [adapter.name for adapter in memberops_sources()]
    ['csv']
    """
    return (
        Adapter(
            name="csv",
            factory=csv_source,
            summary="CSV files with Chinese or English headings, UTF-8 or GB18030",
            summary_zh="CSV 文件：中文或英文表头，UTF-8 或 GB18030 编码",
        ),
    )


def _sms_factory(kind: str) -> SmsProviderFactory:
    """Return what makes a provider; its module is not loaded before it is called."""

    def make(context: SmsContext, /, **options: Any) -> SmsProvider:
        from memberops.adapters import sms

        provider: SmsProvider = getattr(sms, kind)(context, **options)
        return provider

    return make


@hookimpl
def memberops_sms_providers() -> Iterable[Adapter[SmsProviderFactory]]:
    """
    Declare the providers of SMS that memberops brings.

    >>> sorted(adapter.name for adapter in memberops_sms_providers())
    ['aliyun', 'aws', 'file', 'form', 'tencent', 'twilio']
    """
    return tuple(
        Adapter(
            name=name, factory=_sms_factory(kind), summary=english, summary_zh=chinese
        )
        for name, kind, english, chinese in _SMS_PROVIDERS
    )
