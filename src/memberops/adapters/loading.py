"""
Loading plugins, each behind a guard of its own.

Every plugin gets a plugin manager to itself. So a plugin that cannot be imported, has a
misspelt hook or raises while it is asked touches no other, and no plugin can wrap or
reorder another. What failed is recorded, and the rest goes on.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from typing import Any

import attrs
import pluggy

from memberops.adapters import builtin, hookspecs
from memberops.adapters.declarations import Adapter
from memberops.adapters.registry import (
    AdapterMap,
    AdapterRegistry,
    PluginFailure,
    PluginRecord,
    Stage,
)
from memberops.errors import AdapterConflictError, InvalidValueError, bounded, nearest

__all__ = ["ENTRY_POINT_GROUP", "hook_names", "load_adapters", "plugin_manager"]

ENTRY_POINT_GROUP = "memberops"
"""The entry-point group under which distributions announce their plugins."""

_LOG = logging.getLogger(__name__)
_MAX_ADAPTERS = 1000


@attrs.frozen
class _Candidate:
    """A plugin that may be loaded, and how."""

    record: PluginRecord
    load: Callable[[], object]

    def named_in(self, names: frozenset[str]) -> bool:
        """Whether its plugin or distribution name is among normal *names*."""
        own = (self.record.name, self.record.distribution)
        return any(_normal(name) in names for name in own if name)

    def order(self) -> tuple[str, str]:
        """Sort by name, whatever the order of installation."""
        return self.record.name, self.record.distribution or ""


def plugin_manager() -> pluggy.PluginManager:
    """Return a new manager that knows every hook and no plugin."""
    manager = pluggy.PluginManager("memberops")
    manager.add_hookspecs(hookspecs)
    return manager


def hook_names() -> tuple[str, ...]:
    """
    Return the names of every hook, sorted.

    >>> hook_names()
    ('memberops_sms_providers', 'memberops_sources')
    """
    hooks = vars(plugin_manager().hook)
    return tuple(sorted(name for name in hooks if not name.startswith("_")))


def load_adapters(
    *,
    plugins: Iterable[object] = (),
    entry_points: bool = True,
    disabled: Iterable[str] = (),
    strict: bool = False,
) -> AdapterRegistry:
    """
    Load what memberops brings, what is installed, and what is given, in that order.

    A plugin that fails is recorded in `AdapterRegistry.failures` and logged once with
    its traceback; its answer to a hook is taken whole or not at all. `SystemExit` and
    `KeyboardInterrupt` pass through. Nothing is kept between two calls, and no
    environment variable is read.

    Args:
        plugins: Modules or objects with hook implementations. One that an entry point
            has brought already is not loaded twice.
        entry_points: Whether to load what installed distributions announce in the
            entry-point group ``"memberops"``.
        disabled: Names of plugins or of distributions that are left out, and so are
            not even imported. Case, and dash, dot or underscore do not matter.
        strict: Whether the first failure is raised instead of recorded.

    Returns:
        The registry; its order depends on names, never on the order of installation.

    Raises:
        AdapterConflictError: Two plugins declare an adapter of the same hook and name.
            This is raised whether *strict* or not: which of the two was meant cannot be
            guessed.
        PluginError: A plugin failed, and *strict* is true.
        InvalidValueError: *disabled* is one text instead of several.

    >>> registry = load_adapters(entry_points=False)
    >>> "csv" in registry.sources, registry.failures
    (True, ())
    >>> list(load_adapters(entry_points=False, disabled=["builtin"]).sources)
    []
    """
    if isinstance(disabled, str):
        raise InvalidValueError(
            f"'disabled' takes several names: disabled=({disabled!r},)"
        )
    off = frozenset(_normal(name) for name in disabled)
    candidates = [_builtin()]
    if entry_points:
        candidates += sorted(_installed(), key=_Candidate.order)
    candidates += [_given(plugin) for plugin in plugins]

    loading = _Loading(strict=strict)
    for candidate in candidates:
        if not candidate.named_in(off):
            loading.take(candidate)
    return AdapterRegistry(
        plugins=loading.plugins,
        failures=loading.failures,
        disabled=[item.record for item in candidates if item.named_in(off)],
        sources=loading.adapters_of("memberops_sources", "source"),
        sms_providers=loading.adapters_of("memberops_sms_providers", "SMS provider"),
    )


@attrs.define(kw_only=True)
class _Loading:
    """What one call of `load_adapters` has gathered so far."""

    strict: bool
    plugins: list[PluginRecord] = attrs.Factory(list)
    failures: list[PluginFailure] = attrs.Factory(list)
    declared: list[tuple[str, PluginRecord, Adapter[Any]]] = attrs.Factory(list)
    _objects: list[object] = attrs.Factory(list)

    def take(self, candidate: _Candidate) -> None:
        """Load, check and ask one plugin; record what fails."""
        record = candidate.record
        stage: Stage = "load"
        try:
            plugin = candidate.load()
            if any(plugin is other for other in self._objects):
                return
            self._refuse_taken_name(record)
            manager = plugin_manager()
            if not inspect.isclass(plugin):
                manager.register(plugin, name=record.name)
            stage = "validate"
            record = attrs.evolve(record, hooks=_valid_hooks(manager, plugin))
        except Exception as error:  # noqa: BLE001 - the guard around a third party
            self._failed(record, stage, error)
            return
        self._objects.append(plugin)
        self.plugins.append(record)
        for hook in record.hooks:
            try:
                adapters = _answer(manager, hook)
            except Exception as error:  # noqa: BLE001 - the guard around a third party
                self._failed(record, "call", error)
            else:
                self.declared += [(hook, record, adapter) for adapter in adapters]

    def _refuse_taken_name(self, record: PluginRecord) -> None:
        for other in self.plugins:
            if _normal(other.name) == _normal(record.name):
                raise InvalidValueError(
                    f"another plugin is called {other}: disable one by the name of its "
                    "distribution, or give the object a '__name__' of its own"
                )

    def _failed(self, record: PluginRecord, stage: Stage, error: Exception) -> None:
        failure = PluginFailure(
            plugin=record.name,
            distribution=record.distribution,
            version=record.version,
            stage=stage,
            error=error,
        )
        if self.strict:
            raise failure.as_error() from error
        _LOG.warning("plugin %s %s", record, failure.describe(), exc_info=error)
        self.failures.append(failure)

    def adapters_of(self, hook: str, capability: str) -> AdapterMap[Any]:
        """Gather what was declared under one hook; a name may occur once."""
        owners: dict[str, PluginRecord] = {}
        entries = []
        for asked, record, adapter in self.declared:
            if asked != hook:
                continue
            first = owners.setdefault(adapter.name, record)
            if first is not record:
                remedy = record.distribution or record.name
                raise AdapterConflictError(
                    f"two plugins declare the {capability} {adapter.name!r}: {first} "
                    f"and {record}; disable one, as in disabled=[{remedy!r}]",
                    plugin=record.name,
                    distribution=record.distribution,
                )
            entries.append((adapter, record.name))
        return AdapterMap(capability, entries)


def _valid_hooks(manager: pluggy.PluginManager, plugin: object) -> tuple[str, ...]:
    """Return the hooks a plugin implements, or raise what is wrong with them."""
    if inspect.isclass(plugin):
        raise InvalidValueError(
            f"{plugin.__name__} is a class: give an instance of it, as in "
            f"{plugin.__name__}()"
        )
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        unmarked = [name for name in dir(plugin) if name.startswith("memberops_")]
        hint = f": mark {bounded(unmarked)} with it" if unmarked else ""
        raise InvalidValueError(
            "it implements no hook; memberops.hookimpl marks an implementation" + hint
        )
    for caller in callers:
        for implementation in caller.get_hookimpls():
            if implementation.wrapper or implementation.hookwrapper:
                raise InvalidValueError(
                    f"{caller.name} is a wrapper: a plugin cannot wrap another's answer"
                )
            if not caller.has_spec() and not implementation.optionalhook:
                raise InvalidValueError(
                    f"no hook is called {caller.name!r}; "
                    f"{nearest(caller.name, hook_names())}"
                )
    return tuple(sorted(caller.name for caller in callers if caller.has_spec()))


def _answer(manager: pluggy.PluginManager, hook: str) -> list[Adapter[Any]]:
    """Ask one plugin, run its generators to the end, and check each item."""
    caller = getattr(manager.hook, hook)
    results = caller()
    if len(results) < len(caller.get_hookimpls()):
        raise InvalidValueError(f"{hook} returned None: return or yield its adapters")
    adapters: dict[str, Adapter[Any]] = {}
    for result in results:
        if not isinstance(result, Iterable):
            raise InvalidValueError(
                f"{hook} returned a {type(result).__name__}: return a list of adapters"
            )
        for item in itertools.islice(result, _MAX_ADAPTERS + 1):
            if not isinstance(item, Adapter):
                raise InvalidValueError(
                    f"{hook} gave a {type(item).__name__} where an Adapter belongs"
                )
            if item.name in adapters:
                raise InvalidValueError(f"{hook} gave {item.name!r} twice")
            adapters[item.name] = item
        if len(adapters) > _MAX_ADAPTERS:
            raise InvalidValueError(f"{hook} gave more than {_MAX_ADAPTERS} adapters")
    return list(adapters.values())


def _normal(name: str) -> str:
    """Bring a name into the form in which packaging tools compare names."""
    return re.sub(r"[-_.]+", "-", name).casefold()


def _builtin() -> _Candidate:
    """Return what memberops itself brings."""
    try:
        version = metadata.version("memberops")
    except metadata.PackageNotFoundError:  # run from its sources
        version = None
    record = PluginRecord(name="builtin", distribution="memberops", version=version)
    return _Candidate(record, lambda: builtin)


def _given(plugin: object) -> _Candidate:
    """Name a plugin that was given as an object: a module, or what says its name."""
    name = plugin.__name__ if inspect.isclass(plugin) else None
    if name is None:
        # Static, because a foreign object may run code when an attribute is read.
        name = inspect.getattr_static(plugin, "__name__", None)
    if not isinstance(name, str):
        name = type(plugin).__name__
    return _Candidate(PluginRecord(name=name), lambda: plugin)


def _installed() -> Iterator[_Candidate]:
    """
    Find the plugins that installed distributions announce, importing none.

    Each distribution is read by itself, because one with damaged metadata would
    end `importlib.metadata.entry_points` for all.
    """
    seen = set()
    for distribution in metadata.distributions():
        try:
            text = distribution.read_text("entry_points.txt") or ""
        except (OSError, UnicodeDecodeError):
            continue
        if f"[{ENTRY_POINT_GROUP}]" not in text:
            continue
        name, version = _identity(distribution)
        # The first on the path is the one that is imported, so the others are shadows.
        if name is not None:
            if _normal(name) in seen:
                continue
            seen.add(_normal(name))
        try:
            points = [
                point
                for point in distribution.entry_points
                if point.group == ENTRY_POINT_GROUP
            ]
        except Exception as error:  # noqa: BLE001 - the guard around a third party
            yield _Candidate(
                PluginRecord(
                    name=name or "unknown", distribution=name, version=version
                ),
                functools.partial(_raise, error),
            )
            continue
        for point in points:
            yield _Candidate(
                PluginRecord(name=point.name, distribution=name, version=version),
                point.load,
            )


def _identity(distribution: metadata.Distribution) -> tuple[str | None, str | None]:
    """Return a distribution's name and version, as far as its metadata has them."""
    try:
        return distribution.name, distribution.version
    except Exception:  # noqa: BLE001 - damaged metadata differs by Python version
        return None, None


def _raise(error: Exception) -> object:
    raise error
