"""What memberops itself brings, declared as a plugin like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memberops.adapters.declarations import Adapter
from memberops.adapters.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memberops.adapters.sources import (
        Source,
        SourceContext,
        SourceFactory,
    )

__all__ = ["csv_source", "memberops_sources"]


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
