"""Sources: where canonical tables come from. A plugin may bring more."""

from memberops.adapters.sources.contract import (
    REJECT_COLUMNS,
    Source,
    SourceContext,
    SourceFactory,
    SourceResult,
)

__all__ = [
    "REJECT_COLUMNS",
    "Source",
    "SourceContext",
    "SourceFactory",
    "SourceResult",
]
