"""What memberops itself brings, declared as a plugin like any other."""

from __future__ import annotations

import importlib
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

__all__ = [
    "csv_source",
    "excel_source",
    "memberops_sms_providers",
    "memberops_sources",
    "sql_source",
]

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


_WEB_SOURCES = (
    (
        "rest",
        "rest_source",
        "Any web service that answers with JSON, by configuration",
        "任意返回 JSON 的网络服务，按配置读取",
    ),
    ("square", "square", "Square: orders, customers, locations", "Square 收银系统"),
    ("shopify", "shopify", "Shopify, by its GraphQL API", "Shopify 网店（GraphQL）"),
    ("woocommerce", "woocommerce", "WooCommerce shops", "WooCommerce 网店"),
    (
        "odoo",
        "odoo",
        "Odoo: orders, cards, points, stock",
        "Odoo：订单、卡、积分、库存",
    ),
    (
        "erpnext",
        "erpnext",
        "ERPNext: invoices, points, stock",
        "ERPNext：发票、积分、库存",
    ),
    (
        "medusa",
        "medusa_source",
        "Medusa: orders, customers, sales channels",
        "Medusa：订单、客户、销售渠道",
    ),
    (
        "tryton",
        "tryton_source",
        "Tryton: sales, parties, warehouses, stock, complaints, consents",
        "Tryton：销售单、客户、仓库、库存、投诉、退订",
    ),
    (
        "vendure",
        "vendure_source",
        "Vendure: orders with refunds, customers, channels",
        "Vendure：订单与退款、客户、渠道",
    ),
    (
        "youzan",
        "youzan_source",
        "Youzan: orders with refunds, customers",
        "有赞：订单与退款、客户",
    ),
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


def excel_source(context: SourceContext, **options: Any) -> Source:
    """
    Make the source of workbooks.

    Args:
        context: Folder, currency and zone of the chain.
        options: What `memberops.adapters.sources.excel_source.ExcelSource` takes.
    """
    from memberops.adapters.sources.excel_source import ExcelSource

    return ExcelSource(context, **options)


def sql_source(context: SourceContext, **options: Any) -> Source:
    """
    Make the source of databases; SQLAlchemy is not loaded before this is called.

    Args:
        context: Folder, currency and zone of the chain.
        options: What `memberops.adapters.sources.sql_source.SqlSource` takes.

    Raises:
        MissingExtraError: SQLAlchemy is not installed.
    """
    from memberops.errors import MissingExtraError

    try:
        import sqlalchemy  # noqa: F401 - without it the source cannot be imported
    except ImportError:
        raise MissingExtraError("reading from a database", "sql") from None
    from memberops.adapters.sources.sql_source import SqlSource

    return SqlSource(context, **options)


@hookimpl
def memberops_sources() -> Iterable[Adapter[SourceFactory]]:
    """
    Declare the sources that memberops brings.

    >>> {"csv", "excel"} <= {adapter.name for adapter in memberops_sources()}
    True
    """
    return (
        Adapter(
            name="csv",
            factory=csv_source,
            summary="CSV files with Chinese or English headings, UTF-8 or GB18030",
            summary_zh="CSV 文件：中文或英文表头，UTF-8 或 GB18030 编码",
        ),
        Adapter(
            name="sql",
            factory=sql_source,
            summary="Tables, views and queries of any database, through SQLAlchemy",
            summary_zh="任意数据库的表、视图或查询，经 SQLAlchemy 读取",
        ),
        Adapter(
            name="excel",
            factory=excel_source,
            summary="Workbooks: .xlsx, .xls, .xlsb and .ods",
            summary_zh="电子表格：.xlsx、.xls、.xlsb 和 .ods",
        ),
        *(
            Adapter(
                name=name,
                factory=_web_factory(module, f"{name}_source"),
                summary=english,
                summary_zh=chinese,
            )
            for name, module, english, chinese in _WEB_SOURCES
        ),
    )


def _web_factory(module: str, function: str) -> SourceFactory:
    """Return what makes a source; its module is not loaded before it is called."""

    def make(context: SourceContext, **options: Any) -> Source:
        found = importlib.import_module(f"memberops.adapters.sources.{module}")
        source: Source = getattr(found, function)(context, **options)
        return source

    return make


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
