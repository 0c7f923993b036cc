"""Broken plugins: each is a record, and the others do not notice."""

from __future__ import annotations

import itertools
import logging
from types import ModuleType

import pytest

from memberops.adapters import Adapter, hookimpl, load_adapters
from memberops.errors import AdapterConflictError, PluginError


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


GOOD = plugin(lambda: [adapter("good")], name="good")


# Failures: each plugin below is broken in one way


def _late():
    yield adapter("late")
    raise OSError("the till is\n\noff")


def _forever():
    for number in itertools.count():
        yield adapter(f"n{number}")


class _Unmarked:
    def memberops_sources(self):
        return [adapter("unmarked")]


class _Misspelt:
    @hookimpl
    def memberops_source(self):
        return [adapter("misspelt")]

    @hookimpl
    def memberops_sources(self):
        return [adapter("fine")]


class _WrongArguments:
    @hookimpl
    def memberops_sources(self, chain):
        return [adapter(chain)]


class _Wrapper:
    @hookimpl(wrapper=True)
    def memberops_sources(self):
        answer = yield
        return answer


class _Hostile:
    def __getattr__(self, name):
        raise RuntimeError("do not touch me")

    def __dir__(self):
        raise RuntimeError("do not list me")


class _UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def _unspeakable():
    raise _UnspeakableError


BROKEN = {
    "late": (plugin(_late), "call", "OSError: the till is off"),
    "raises": (plugin(lambda: 1 // 0), "call", "ZeroDivisionError"),
    "endless": (plugin(_forever), "call", "more than 1000 adapters"),
    "none": (plugin(lambda: None), "call", "returned None: return or yield"),
    "bare": (plugin(lambda: adapter("x")), "call", "returned a Adapter: return a list"),
    "text": (plugin(lambda: "csv"), "call", "gave a str where an Adapter belongs"),
    "wrong": (plugin(lambda: [adapter("x"), 7]), "call", "gave a int where an Adapter"),
    "twice": (
        plugin(lambda: [adapter("x"), adapter("x")]),
        "call",
        "memberops_sources gave 'x' twice",
    ),
    "name": (plugin(lambda: [adapter("X!")]), "call", "not 'X!'"),
    "unspeakable": (plugin(_unspeakable), "call", "_UnspeakableError"),
    "misspelt": (
        _Misspelt(),
        "validate",
        "no hook is called 'memberops_source'; did you mean 'memberops_sources'?",
    ),
    "unmarked": (_Unmarked(), "validate", "mark 'memberops_sources' with it"),
    "empty": (module("empty"), "validate", "it implements no hook"),
    "nothing": (None, "validate", "it implements no hook"),
    "class": (_Misspelt, "validate", "_Misspelt is a class: give an instance"),
    "wrapper": (_Wrapper(), "validate", "memberops_sources is a wrapper"),
    "arguments": (_WrongArguments(), "load", "{'chain'} are declared in the hookimpl"),
    "hostile": (_Hostile(), "load", "do not list me"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_a_record_and_the_others_go_on(kind, caplog):
    """What is wrong is recorded with its stage, and the healthy plugins stay."""
    broken, stage, words = BROKEN[kind]

    registry = load(plugin(lambda: [adapter("first")], "first"), broken, GOOD)
    (failure,) = registry.failures

    assert set(registry.sources) - set(load().sources) == {"first", "good"}
    assert failure.stage == stage
    assert words in failure.describe("en")
    assert failure.describe("en").startswith(f"failed at {stage}: ")
    assert len(failure.describe("en").splitlines()) == 1
    assert isinstance(failure.error, Exception)
    (logged,) = caplog.records
    assert (logged.levelno, logged.exc_info[1]) == (logging.WARNING, failure.error)


@pytest.mark.parametrize("kind", BROKEN)
def test_strict_raises_the_first_failure(kind):
    """With ``strict=True`` a failure is a PluginError that names the plugin."""
    broken, stage, words = BROKEN[kind]

    with pytest.raises(PluginError, match=f"failed at {stage}: ") as caught:
        load(GOOD, broken, strict=True)

    assert words in str(caught.value)
    assert caught.value.__cause__ is not None
    assert caught.value.plugin != "good"


def test_several_failures_are_all_recorded():
    """Failures of several plugins come in the order of loading."""
    registry = load(BROKEN["late"][0], _Misspelt(), module("empty"))

    assert [(f.plugin, f.stage) for f in registry.failures] == [
        ("acme", "call"),
        ("_Misspelt", "validate"),
        ("empty", "validate"),
    ]
    # A plugin that answers badly was loaded; one that is invalid was not.
    assert list(registry.capabilities) == ["builtin", "acme"]


def test_an_answer_is_taken_whole_or_not_at_all():
    """Nothing that a generator gave before it raised is kept."""
    assert "late" not in load(BROKEN["late"][0]).sources


def test_a_long_error_is_cut():
    """A failure's text is bounded, whatever a third party puts into its error."""

    def shout():
        raise ValueError("x" * 100_000)

    (failure,) = load(plugin(shout)).failures

    assert len(failure.describe("en")) < 350
    assert len(str(failure.as_error())) < 400


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_who_stops_the_program_stops_it(kind):
    """SystemExit and KeyboardInterrupt pass, in a hook and late in a generator."""

    def at_once():
        raise kind

    def late():
        yield adapter("x")
        raise kind

    for answer in (at_once, late):
        with pytest.raises(kind):
            load(plugin(answer))


def test_a_hook_of_a_later_version_may_be_optional():
    """An implementation marked optional waits for the memberops that knows its hook."""

    class Ahead:
        @hookimpl
        def memberops_sources(self):
            return [adapter("ahead")]

        @hookimpl(optionalhook=True)
        def memberops_weather(self):
            return []

    registry = load(Ahead(), strict=True)

    assert registry.capabilities["Ahead"] == ("memberops_sources",)
    assert "ahead" in registry.sources


def test_two_plugins_of_one_name():
    """A second plugin of the same name is a failure that says how to go on."""
    registry = load(GOOD, plugin(lambda: [adapter("other")], name="Good"))
    (failure,) = registry.failures

    assert "another plugin is called 'good'" in failure.describe()
    assert "other" not in registry.sources


# Conflicts


@pytest.mark.parametrize("strict", [True, False])
def test_a_clash_names_both_plugins(strict):
    """Two sources of one name are an error, and never a silent rename."""
    other = plugin(lambda: [adapter("good")], name="rival")

    with pytest.raises(AdapterConflictError) as caught:
        load(GOOD, other, strict=strict)

    assert "the source 'good': 'good' and 'rival'; disable one" in str(caught.value)
    assert caught.value.plugin == "rival"
    assert "good" in load(GOOD, other, disabled=["rival"]).sources
