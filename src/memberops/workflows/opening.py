"""Opening the chain that a file describes: adapters are found and sources made."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable
from pathlib import Path

from memberops.adapters import AdapterRegistry, PluginRecord, load_adapters
from memberops.adapters.sources.contract import Source, SourceContext
from memberops.adapters.sources.joined_source import JoinedSource
from memberops.errors import (
    ConfigurationError,
    MemberOpsError,
    UnknownAdapterError,
    bounded,
    nearest,
)
from memberops.workflows.chain import Chain
from memberops.workflows.configuration import (
    ChainSettings,
    configuration_error,
    read_settings,
)
from memberops.workflows.message_access import opened_messages
from memberops.workflows.refreshing import kept_in_snapshot
from memberops.workflows.source_settings import SourceSettings, section_names
from memberops.workflows.structuring import Problem

__all__ = ["open_chain", "section_sources"]


def open_chain(
    path: str | Path, *, plugins: Iterable[object] = (), entry_points: bool = True
) -> Chain:
    """
    Open the chain that a file describes; see the reference of ``chain.toml``.

    The file is checked, adapters are found and sources are made, but nothing is read.

    Args:
        path: The chain file. Relative paths in it count from its folder.
        plugins: Plugins given as objects, see `memberops.load_adapters`.
        entry_points: Whether installed plugins are loaded.

    Raises:
        ConfigurationError: The file cannot be used; every problem is listed.
        AdapterConflictError: Two plugins declare an adapter of one name.
    """
    file = Path(path)
    settings, registry, context = _prepared(file, plugins, entry_points=entry_points)
    _check_disabled(settings, registry, file.name)
    return Chain(
        name=settings.name,
        currency=settings.currency,
        zone=settings.zone,
        language=settings.language,
        policies=settings.policies,
        sources=_sources(settings, registry, context, file.name),
        registry=registry,
        ledger_settings=None
        if settings.ledger is None
        else settings.ledger.within(context.folder),
        message_settings=opened_messages(
            settings, registry, context.folder, file=file.name
        ),
    )


def section_sources(
    path: str | Path,
    table: str,
    *,
    adapter: str,
    plugins: Iterable[object] = (),
    entry_points: bool = True,
) -> tuple[tuple[str, Source], ...]:
    """
    Make the sources of one table and adapter alone, without their snapshots.

    Args:
        path: The chain file.
        table: The canonical table.
        adapter: Sections of other ones are left aside.
        plugins: See `open_chain`.
        entry_points: See `open_chain`.

    Returns:
        The sources by the names of their sections; none if the file has no such
        section of the table.

    Raises:
        ConfigurationError: The file, or a section of the table, cannot be used.
    """
    file = Path(path)
    settings, registry, context = _prepared(file, plugins, entry_points=entry_points)
    sections = settings.sources.get(table, ())
    names = section_names(table, len(sections))
    made, problems = [], []
    for name, each in zip(names, sections, strict=True):
        if each.adapter != adapter:
            continue
        try:
            made.append((name, _source(each, registry, context)))
        except (MemberOpsError, TypeError, ValueError) as error:
            problems.append(Problem.raised(("sources", name), error))
    if problems:
        raise configuration_error(problems, file=file.name)
    return tuple(made)


def _prepared(
    file: Path, plugins: Iterable[object], *, entry_points: bool
) -> tuple[ChainSettings, AdapterRegistry, SourceContext]:
    """Read a chain file and find the adapters."""
    settings = read_settings(file)
    registry = load_adapters(
        plugins=plugins,
        entry_points=entry_points,
        disabled=settings.plugins.disabled,
    )
    context = SourceContext(
        folder=file.absolute().parent, currency=settings.currency, zone=settings.zone
    )
    return settings, registry, context


def _check_disabled(
    settings: ChainSettings, registry: AdapterRegistry, file: str
) -> None:
    """Refuse to switch off what is not there: a misspelt name switches off nothing."""
    switched_off = {_plain(name) for each in registry.disabled for name in _names(each)}
    known = [
        name
        for each in (*registry.plugins, *registry.disabled)
        for name in _names(each)
    ]
    problems = []
    for name in settings.plugins.disabled:
        close = difflib.get_close_matches(_plain(name), map(_plain, known), n=1)
        # A plugin that is not installed here may well be elsewhere, if none is near.
        if _plain(name) not in switched_off and close:
            hint = nearest(name[:40], known)
            path = ("plugins", "disabled")
            problems.append(Problem(path, f": no plugin is called {name!r}; {hint}"))
    if problems:
        raise configuration_error(problems, file=file)


def _names(record: PluginRecord) -> list[str]:
    return [name for name in (record.name, record.distribution) if name]


def _plain(name: str) -> str:
    return name.casefold().replace("_", "-").replace(".", "-")


def _sources(
    settings: ChainSettings,
    registry: AdapterRegistry,
    context: SourceContext,
    file: str,
) -> dict[str, Source]:
    made: dict[str, Source] = {}
    problems = []
    for table, sections in settings.sources.items():
        names = section_names(table, len(sections))
        parts: list[Source] = []
        for name, source in zip(names, sections, strict=True):
            try:
                own = _source(source, registry, context)
                parts.append(kept_in_snapshot(own, source, context))
            except UnknownAdapterError as error:
                failed = [f"{failure.plugin}" for failure in registry.failures]
                hint = f" (plugins that failed: {bounded(failed)})" if failed else ""
                off = [record.name for record in registry.disabled]
                hint += f" (plugins that are disabled: {bounded(off)})" if off else ""
                path = ("sources", name, "adapter")
                problems.append(Problem(path, f": {error}{hint}"))
            except (MemberOpsError, TypeError, ValueError) as error:
                problems.append(Problem.raised(("sources", name), error))
        if len(parts) == 1:
            made[table] = parts[0]
        elif len(parts) == len(names):
            made[table] = JoinedSource(*parts, names=names)
    if problems:
        raise configuration_error(problems, file=file)
    return made


def _source(
    source: SourceSettings,
    registry: AdapterRegistry,
    context: SourceContext,
) -> Source:
    factory = registry.sources[source.adapter].factory
    try:
        taken = list(inspect.signature(factory).parameters.values())
    except ValueError:
        # What is written in C may not tell its arguments.
        return factory(context, **source.options)
    known = [one.name for one in taken if one.kind is one.KEYWORD_ONLY]
    if not any(one.kind is one.VAR_KEYWORD for one in taken):
        for name in source.options:
            if name not in [one.name for one in taken]:
                raise ConfigurationError(
                    f"the adapter {source.adapter!r} has no option {name[:40]!r}; "
                    f"{nearest(name[:40], known)}"
                )
    return factory(context, **source.options)
