"""Plugins: what loads, what fails, and that one failure touches nothing else."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.adapters import (
    Adapter,
    AdapterMap,
    AdapterRegistry,
    hookimpl,
    load_adapters,
    plugin_rows,
)
from memberops.adapters.loading import hook_names, plugin_manager
from memberops.errors import (
    AdapterConflictError,
    InvalidValueError,
    PluginError,
    UnknownAdapterError,
)
from memberops.testing import load_only

ROOT = Path(__file__).resolve().parents[1]


def adapter(name, **changes):
    """Return an adapter that makes a dict."""
    return Adapter(**{"name": name, "factory": dict, "summary": "a test"} | changes)


def plugin(answer, name="acme"):
    """Return a plugin object whose hook calls *answer*."""

    @hookimpl
    def memberops_sources():
        return answer()

    return module(name, memberops_sources=memberops_sources)


def module(name, **names):
    """Return a module made in memory."""
    made = ModuleType(name)
    vars(made).update(names)
    return made


def load(*plugins, **options):
    """Load plugins that are given, and no installed one."""
    return load_adapters(plugins=plugins, entry_points=False, **options)


BUILT_IN = (
    *("csv", "erpnext", "excel", "medusa", "odoo", "rest", "shopify", "sql"),
    *("square", "tryton", "vendure", "woocommerce", "youzan"),
)
GOOD = plugin(lambda: [adapter("good")], name="good")


# What a plugin declares


@given(st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,2}", fullmatch=True))
def test_a_dashed_lower_case_word_is_a_name(name):
    """Every lower-case word with dashes inside is a name."""
    assert adapter(name).name == name


@pytest.mark.parametrize(
    "name",
    ["", "Acme", "acme_pos", "-acme", "acme-", "a--b", "1acme", "a b", "收银", "é", 7,
     None, "a" * 41, "acme\n"],
)  # fmt: skip
def test_any_other_name_is_refused(name):
    """A name that a chain file could misread is refused when it is declared."""
    with pytest.raises(InvalidValueError, match="such as 'acme-pos', not"):
        adapter(name)


@pytest.mark.parametrize("factory", ["acme:Source", None, {}])
def test_a_factory_is_callable(factory):
    """What cannot be called is no factory."""
    with pytest.raises(InvalidValueError, match="cannot be called; give the class"):
        adapter("acme", factory=factory)


@pytest.mark.parametrize("summary", ["", " x", "two\nlines", "x" * 121, None])
def test_a_summary_is_one_line(summary):
    """A summary is one line of text, so that a list of plugins stays a list."""
    with pytest.raises(InvalidValueError, match="'summary' is one line"):
        adapter("acme", summary=summary)


def test_an_adapter_speaks_chinese_where_it_can():
    """The Chinese summary is used if there is one, else the English."""
    both = adapter("acme", summary="tills", summary_zh="收银机")

    assert (both.describe("zh"), both.describe("en")) == ("收银机", "tills")
    assert adapter("acme").describe("zh") == "a test"
    with pytest.raises(InvalidValueError, match="'zh' or 'en'"):
        both.describe("fr")


def test_an_adapter_never_changes():
    """A declaration is frozen."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        adapter("acme").name = "other"


# The hooks


def test_the_signatures_of_the_hooks():
    """The hooks, literally: whoever changes one changes every plugin."""
    signatures = {
        name: caller.spec.argnames + caller.spec.kwargnames
        for name, caller in vars(plugin_manager().hook).items()
        if not name.startswith("_")
    }

    assert signatures == {"memberops_sms_providers": (), "memberops_sources": ()}


def test_the_body_of_a_hook_is_an_empty_answer():
    """A specification answers what its type says: nothing, as an iterable."""
    for caller in vars(plugin_manager().hook).values():
        if hasattr(caller, "spec"):
            assert caller.spec.function() == ()


def test_each_hook_has_its_page():
    """Every hook has a heading with its current signature in the docs, and no other."""
    page = (ROOT / "docs/plugins/hooks.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## `(memberops_\w+\(.*\))`$", page, flags=re.MULTILINE)
    expected = [
        f"{name}({', '.join(getattr(plugin_manager().hook, name).spec.argnames)})"
        for name in hook_names()
    ]

    assert headings == expected


# The registry


def test_what_memberops_brings_is_a_plugin_like_any_other():
    """The built-in plugin is listed, has its hooks, and can be switched off."""
    registry = load()

    assert list(registry.sources) == list(BUILT_IN)
    assert list(registry.sms_providers) == [
        "aliyun", "aws", "file", "form", "tencent", "twilio",
    ]  # fmt: skip
    assert registry.capabilities == {
        "builtin": ("memberops_sms_providers", "memberops_sources")
    }
    assert registry.plugins[0].version == importlib.metadata.version("memberops")
    assert list(load(disabled=["builtin"]).sources) == []
    assert list(load(disabled=["memberops"]).sources) == []


def test_loading_does_not_load_pandas():
    """Neither hook, registry nor the built-in declaration needs pandas."""
    code = (
        "import sys; from memberops.adapters import load_adapters; "
        "load_adapters(entry_points=False); print('pandas' in sys.modules)"
    )
    result = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert result.stdout == "False\n"


def test_two_calls_share_nothing():
    """There is no global: what one call loaded, the next does not know."""
    assert list(load(GOOD).sources) == sorted([*BUILT_IN, "good"])
    assert list(load().sources) == list(BUILT_IN)


def test_results_are_sorted_by_name():
    """The order of adapters is that of names, never that of loading."""
    names = ["zebra", "acme", "mid"]
    plugins = [plugin(lambda n=n: [adapter(n)], name=n) for n in names]
    backward = [plugin(lambda: [adapter(n) for n in names])]

    found = sorted([*BUILT_IN, *names])
    assert list(load(*plugins).sources) == found
    assert list(load(*backward).sources) == found


def test_an_unknown_adapter_names_the_nearest():
    """A misspelt source is an error that says what was meant."""
    registry = load(GOOD)

    with pytest.raises(UnknownAdapterError, match="'goood'; did you mean 'good'"):
        registry.sources["goood"]
    with pytest.raises(UnknownAdapterError, match=r"known are: 'csv', .*'good'"):
        registry.sources.plugin_of("zzz")


def test_the_sources_are_a_mapping():
    """A look-up that is only a question does not raise."""
    sources = load(GOOD).sources

    assert "good" in sources
    assert "goood" not in sources
    assert sources.get("goood") is None
    assert sources.get("good") is sources["good"]
    assert (len(sources), dict(sources)["good"].name) == (len(BUILT_IN) + 1, "good")
    assert sources.plugin_of("good") == "good"


def test_the_registry_never_changes():
    """Neither the registry nor what hangs on it can be changed."""
    registry = load(GOOD)

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        registry.plugins = ()
    with pytest.raises(TypeError):
        registry.sources["x"] = adapter("x")
    with pytest.raises(TypeError):
        registry.capabilities["x"] = ()
    assert isinstance(registry.sources, AdapterMap)
    assert isinstance(registry, AdapterRegistry)


def test_a_plugin_may_be_an_object():
    """An instance with a hook method is a plugin; its class names it."""

    class Acme:
        def __init__(self, name):
            self.__name__ = f"acme-{name}"
            self.name = name

        @hookimpl
        def memberops_sources(self):
            return [adapter(self.name)]

    registry = load(Acme("east"), Acme("west"), strict=True)

    assert list(registry.sources) == sorted([*BUILT_IN, "east", "west"])
    assert list(registry.capabilities) == ["builtin", "acme-east", "acme-west"]


def test_the_same_object_is_loaded_once():
    """A plugin that comes twice is no conflict with itself."""
    assert list(load(GOOD, GOOD, strict=True).sources) == sorted([*BUILT_IN, "good"])


# The listing


def test_a_plugin_that_declares_nothing_is_listed():
    """An empty answer is no failure, but the plugin is not lost from the list."""
    rows = plugin_rows(load(plugin(tuple, name="shy")))

    assert {(row["plugin"], row["status"]) for row in rows} == {
        ("builtin", "loaded"),
        ("shy", "loaded"),
    }
    assert [row["adapter"] for row in rows if row["plugin"] == "shy"] == [""]


def test_the_listing_is_in_both_languages():
    """One text for the terminal, in English and in Chinese."""
    registry = load(plugin(lambda: 1 // 0), disabled=["memberops"])
    english = registry.describe("en").splitlines()
    chinese = registry.describe("zh").splitlines()

    assert english[0].startswith("acme: failed: failed at call: ZeroDivisionError")
    assert chinese[0].startswith("acme：失败：调用时失败：ZeroDivisionError")
    assert english[1].startswith("builtin (memberops ")
    assert english[1].endswith("): disabled")
    assert chinese[1].endswith(")：已停用")


# The kit for authors


def test_load_only_has_one_plugin_and_is_strict():
    """An author sees the plugin alone, its faults, and its clash with memberops."""

    class Misspelt:
        @hookimpl
        def memberops_source(self):
            return []

    assert list(load_only(GOOD).sources) == ["good"]
    with pytest.raises(PluginError, match="did you mean 'memberops_sources'"):
        load_only(Misspelt())
    with pytest.raises(AdapterConflictError, match="'csv'"):
        load_only(plugin(lambda: [adapter("csv")]))
