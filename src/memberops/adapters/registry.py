"""What is installed: the plugins, what they declare, and what went wrong with them."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Literal

import attrs

from memberops.adapters.declarations import Adapter, FactoryT
from memberops.domain.values import Language, check_language
from memberops.errors import PluginError, UnknownAdapterError

if TYPE_CHECKING:
    from memberops.adapters.sms import SmsProviderFactory
    from memberops.adapters.sources import SourceFactory

__all__ = [
    "AdapterMap",
    "AdapterRegistry",
    "PluginFailure",
    "PluginRecord",
    "Stage",
    "plugin_rows",
]

Stage = Literal["load", "validate", "call"]
"""Where a plugin failed: on import or registration, on checking, on being asked."""

_MAX_TEXT = 300
_STAGES_ZH = {"load": "加载", "validate": "校验", "call": "调用"}
_STATUS_ZH = {"loaded": "已加载", "failed": "失败", "disabled": "已停用"}
_CAPABILITIES_ZH = {"source": "数据源", "SMS provider": "短信服务商"}


@attrs.frozen(kw_only=True)
class PluginRecord:
    """
    A plugin by name.

    Args:
        name: Name of its entry point, or of the module or object that was given.
        distribution: The installed distribution that brought it, or None if it was
            given as an object.
        version: Version of that distribution.
        hooks: The hooks it implements, which are its capabilities.

    >>> str(PluginRecord(name="acme", distribution="memberops-acme", version="1.0"))
    "'acme' (memberops-acme 1.0)"
    """

    name: str
    distribution: str | None = None
    version: str | None = None
    hooks: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """The distribution and its version, or empty."""
        return " ".join(part for part in (self.distribution, self.version) if part)

    def __str__(self) -> str:
        """Name the plugin and where it comes from."""
        return f"{self.name!r} ({self.origin})" if self.origin else repr(self.name)


@attrs.frozen(kw_only=True)
class PluginFailure:
    """
    What went wrong with one plugin; the others are not touched by it.

    Args:
        plugin: The plugin's name.
        distribution: The distribution that brought it, if known.
        stage: `Stage`.
        error: What was raised, with its traceback.
        version: Version of the distribution, if known.

    >>> failure = PluginFailure(plugin="acme", distribution="memberops-acme",
    ...                         stage="load", error=ImportError("no module 'acme'"))
    >>> print(failure.describe("en"))
    failed at load: ImportError: no module 'acme'
    >>> print(failure.describe("zh"))
    加载时失败：ImportError: no module 'acme'
    """

    plugin: str
    distribution: str | None
    stage: Stage
    error: Exception
    version: str | None = None

    def describe(self, language: Language = "en") -> str:
        """Write stage and error as one line of at most about 300 characters."""
        text = " ".join("".join(traceback.format_exception_only(self.error)).split())
        if len(text) > _MAX_TEXT:
            text = text[: _MAX_TEXT - 1] + "…"
        if check_language(language) == "zh":
            return f"{_STAGES_ZH[self.stage]}时失败：{text}"
        return f"failed at {self.stage}: {text}"

    def as_error(self) -> PluginError:
        """Turn the record into the exception that ``strict=True`` raises."""
        whose = f" of {self.distribution}" if self.distribution else ""
        return PluginError(
            f"plugin {self.plugin!r}{whose} {self.describe()}",
            plugin=self.plugin,
            distribution=self.distribution,
        )


def _sorted_by_name(entries: Any) -> tuple[tuple[Adapter[Any], str], ...]:
    return tuple(sorted(entries, key=lambda entry: str(entry[0].name)))


def _records(records: Any) -> tuple[Any, ...]:
    return tuple(records)


@attrs.frozen
class AdapterMap(Mapping[str, Adapter[FactoryT]], Generic[FactoryT]):
    """
    Adapters of one capability by name, sorted by name.

    Args:
        capability: What they are, such as ``"source"``.
        entries: Pairs of an adapter and the name of the plugin that declared it.

    Raises:
        UnknownAdapterError: On ``adapters[name]``, with the nearest name.

    >>> csv = Adapter(name="csv", factory=dict, summary="files")
    >>> adapters = AdapterMap("source", [(csv, "builtin")])
    >>> adapters["csv"] is csv, "cvs" in adapters, adapters.plugin_of("csv")
    (True, False, 'builtin')
    >>> adapters["cvs"]
    Traceback (most recent call last):
        ...
    memberops.errors.UnknownAdapterError: no source adapter is called 'cvs'; did you ...
    """

    capability: str
    entries: tuple[tuple[Adapter[FactoryT], str], ...] = attrs.field(
        converter=_sorted_by_name
    )

    def _entry(self, name: object) -> tuple[Adapter[FactoryT], str] | None:
        for entry in self.entries:
            if entry[0].name == name:
                return entry
        return None

    def __getitem__(self, name: str) -> Adapter[FactoryT]:
        """Return the adapter of that name."""
        entry = self._entry(name)
        if entry is None:
            raise UnknownAdapterError(self.capability, name, self)
        return entry[0]

    # The mixins of Mapping expect a KeyError, which UnknownAdapterError is not.
    def __contains__(self, name: object) -> bool:
        """Whether an adapter has that name."""
        return self._entry(name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        """Return the adapter of that name, or *default*."""
        entry = self._entry(name)
        return default if entry is None else entry[0]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, sorted."""
        return (adapter.name for adapter, _ in self.entries)

    def __len__(self) -> int:
        """Count the adapters."""
        return len(self.entries)

    def plugin_of(self, name: str) -> str:
        """
        Return the name of the plugin that declared an adapter.

        Raises:
            UnknownAdapterError: No adapter has that name.
        """
        entry = self._entry(name)
        if entry is None:
            raise UnknownAdapterError(self.capability, name, self)
        return entry[1]


@attrs.frozen(kw_only=True)
class AdapterRegistry:
    """
    What `memberops.adapters.load_adapters` found; it never changes.

    Args:
        plugins: The plugins that loaded, in the order of loading.
        failures: What failed, in the order of failing.
        disabled: The plugins that were switched off, and so not imported.
        sources: The sources by name.
        sms_providers: The providers of SMS by name.
    """

    plugins: tuple[PluginRecord, ...] = attrs.field(converter=_records)
    failures: tuple[PluginFailure, ...] = attrs.field(converter=_records)
    disabled: tuple[PluginRecord, ...] = attrs.field(converter=_records)
    sources: AdapterMap[SourceFactory]
    sms_providers: AdapterMap[SmsProviderFactory]

    @property
    def capabilities(self) -> Mapping[str, tuple[str, ...]]:
        """Each loaded plugin's name with the hooks it implements."""
        return MappingProxyType({plugin.name: plugin.hooks for plugin in self.plugins})

    def describe(self, language: Language = "en") -> str:
        """
        Write one line for each adapter, failure and disabled plugin.

        >>> from memberops.adapters import load_adapters
        >>> print(load_adapters(entry_points=False).describe("zh"))
        builtin (memberops ...)：已加载，数据源 csv：CSV 文件：...
        """
        comma, colon = (
            ("，", "：") if check_language(language) == "zh" else (", ", ": ")
        )
        lines = []
        for row in plugin_rows(self, language):
            origin = f"{row['distribution']} {row['version']}".strip()
            who = f"{row['plugin']} ({origin})" if origin else row["plugin"]
            what = f"{row['capability']} {row['adapter']}".strip()
            state = comma.join(filter(None, (row["status"], what)))
            text = row["problem"] or row["summary"]
            lines.append(colon.join(filter(None, (who, state, text))))
        return "\n".join(lines)


def plugin_rows(
    registry: AdapterRegistry, language: Language = "en"
) -> tuple[dict[str, str], ...]:
    """
    Return the listing of what is installed as plain rows, for a table to print.

    There is one row for each adapter, one for each failure, one for each plugin
    that declares nothing, and one for each that is disabled.

    Args:
        registry: What was loaded.
        language: Language of status, capability, summary and problem.

    Returns:
        Rows of text under the keys ``plugin``, ``distribution``, ``version``,
        ``status`` ("loaded", "failed" or "disabled"), ``capability``, ``adapter``,
        ``summary`` and ``problem``; what does not apply is empty.

    >>> from memberops.adapters import load_adapters
    >>> row = plugin_rows(load_adapters(entry_points=False))[0]
    >>> row["plugin"], row["status"], row["capability"], row["adapter"]
    ('builtin', 'loaded', 'source', 'csv')
    """
    chinese = check_language(language) == "zh"
    failed = {(failure.plugin, failure.distribution) for failure in registry.failures}

    def row(plugin: PluginRecord, status: str, **texts: str) -> dict[str, str]:
        return {
            "plugin": plugin.name,
            "distribution": plugin.distribution or "",
            "version": plugin.version or "",
            "status": _STATUS_ZH[status] if chinese else status,
            **dict.fromkeys(("capability", "adapter", "summary", "problem"), ""),
            **texts,
        }

    maps: tuple[AdapterMap[Any], ...] = (registry.sources, registry.sms_providers)
    every = [(kind.capability, *entry) for kind in maps for entry in kind.entries]
    rows = []
    for plugin in registry.plugins:
        declared = [
            row(
                plugin,
                "loaded",
                capability=_CAPABILITIES_ZH[kind] if chinese else kind,
                adapter=adapter.name,
                summary=adapter.describe(language),
            )
            for kind, adapter, owner in every
            if owner == plugin.name
        ]
        if not declared and (plugin.name, plugin.distribution) not in failed:
            declared = [row(plugin, "loaded")]
        rows += declared
    for failure in registry.failures:
        plugin = PluginRecord(
            name=failure.plugin,
            distribution=failure.distribution,
            version=failure.version,
        )
        rows.append(row(plugin, "failed", problem=failure.describe(language)))
    rows += [row(plugin, "disabled") for plugin in registry.disabled]
    return tuple(rows)
