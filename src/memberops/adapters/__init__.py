"""
Adapters: everything that memberops reads or writes, brought by plugins.

A plugin declares `Adapter` values through a hook; `load_adapters` gathers them into an
`AdapterRegistry`. See ``docs/plugins`` for how to write one.
"""

from memberops.adapters.declarations import Adapter
from memberops.adapters.hookspecs import hookimpl, hookspec
from memberops.adapters.loading import (
    ENTRY_POINT_GROUP,
    load_adapters,
)
from memberops.adapters.registry import (
    AdapterMap,
    AdapterRegistry,
    PluginFailure,
    PluginRecord,
    plugin_rows,
)

__all__ = [
    "ENTRY_POINT_GROUP",
    "Adapter",
    "AdapterMap",
    "AdapterRegistry",
    "PluginFailure",
    "PluginRecord",
    "hookimpl",
    "hookspec",
    "load_adapters",
    "plugin_rows",
]
