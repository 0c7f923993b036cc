"""The plugin: it declares one source, and loads nothing until the source is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memberops.adapters import Adapter, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memberops.adapters.sources import (
        Source,
        SourceContext,
        SourceFactory,
    )

__all__ = ["acme_pos", "memberops_sources"]


def acme_pos(context: SourceContext, **options: Any) -> Source:
    """Make the source; only now is pandas loaded."""
    from memberops_acme.source import AcmeSource

    return AcmeSource(context, **options)


@hookimpl
def memberops_sources() -> Iterable[Adapter[SourceFactory]]:
    """Declare the source ``"acme-pos"``."""
    yield Adapter(
        name="acme-pos",
        factory=acme_pos,
        summary="JSON-lines export of Acme POS: members and sales",
        summary_zh="Acme POS 的 JSON 行导出文件：会员与销售明细",
    )
