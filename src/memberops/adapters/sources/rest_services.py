"""What the sources of known systems share: their tables, and a caller's own wishes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs

from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.reading_options import OPTIONS
from memberops.adapters.sources.rest_resource import Lines, RestResource
from memberops.adapters.sources.rest_source import RestSource, WebServer, by_table

__all__ = ["service_source"]


def service_source(
    context: SourceContext,
    server: WebServer,
    resources: Mapping[str, RestResource],
    options: Mapping[str, Any],
    *,
    mapped: Mapping[str, Mapping[str, Any]] | None = None,
) -> RestSource:
    """
    Make the source of a known system.

    Args:
        context: Of the chain.
        server: Where the system is.
        resources: By canonical table, as its documentation describes them.
        options: A caller's: of the mapping, for all tables or in a table with the
            name of one. ``columns`` replaces paths, and a constant replaces the path
            of its column.
        mapped: By table the options that the system itself needs.

    Raises:
        ConfigurationError: An option has no such name, or cannot be.
    """
    named = [table for table in resources if table in options]
    parted = by_table(options, resources, known=OPTIONS)
    described: dict[str, RestResource] = {}
    chosen: dict[str, dict[str, Any]] = {}
    for table, resource in resources.items():
        own = parted[table]
        paths = dict(own.pop("columns", None) or {})
        fixed = set(own.get("constants") or ())
        rows = tuple(_chosen(lines, paths, fixed) for lines in resource.lines)
        # Of its own paths a system leaves some out where there is nothing to say.
        described[table] = attrs.evolve(resource, lines=rows, expected=tuple(paths))
        usual = dict((mapped or {}).get(table, {}))
        for name, value in own.items():
            both = isinstance(value, Mapping) and isinstance(usual.get(name), Mapping)
            usual[name] = {**usual[name], **value} if both else value
        chosen[table] = usual
    return RestSource(context, server, described, chosen, checked=named)


def _chosen(lines: Lines, paths: Mapping[str, str], fixed: Collection[str]) -> Lines:
    """Replace paths by those of the caller, and leave out what is a constant."""
    if lines.made:
        # What the source made of a record has other fields than the record's lines.
        paths = {name: path for name, path in paths.items() if path[:1] in {"/", "'"}}
    columns = {
        name: path
        for name, path in {**lines.columns, **paths}.items()
        if name not in fixed
    }
    sums = {
        name: parts
        for name, parts in lines.sums.items()
        if name not in fixed and name not in paths
    }
    return attrs.evolve(lines, columns=columns, sums=sums)
