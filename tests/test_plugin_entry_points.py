"""Plugins of installed distributions, the example in this repository among them."""

from __future__ import annotations

import importlib
import importlib.metadata
import itertools
import sys
import textwrap
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from memberops.adapters import PluginRecord, load_adapters, plugin_rows
from memberops.adapters.sources import SourceContext
from memberops.domain import Currency
from memberops.errors import AdapterConflictError, InvalidValueError, PluginError
from memberops.testing import check_source

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a distribution with one plugin module."""
    numbers = itertools.count()

    def _install(
        distribution, entry_points, code="", *, module_name="", metadata=None, site=None
    ):
        folder = tmp_path / (site or f"site{next(numbers)}")
        info = folder / f"{distribution.replace('-', '_')}-1.5.dist-info"
        info.mkdir(parents=True)
        text = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n"
        (info / "METADATA").write_text(text if metadata is None else metadata)
        if isinstance(entry_points, bytes):
            (info / "entry_points.txt").write_bytes(entry_points)
        else:
            (info / "entry_points.txt").write_text(textwrap.dedent(entry_points))
        if module_name:
            (folder / f"{module_name}.py").write_text(textwrap.dedent(code))
            monkeypatch.delitem(sys.modules, module_name, raising=False)
        if site is None:
            monkeypatch.syspath_prepend(folder)
        return folder

    yield _install
    for name in [name for name in sys.modules if name.startswith("plugintest_")]:
        del sys.modules[name]


CODE = """
    from memberops.adapters import Adapter, hookimpl

    @hookimpl
    def memberops_sources():
        yield Adapter(name={name!r}, factory=dict, summary="a test")
"""


def install_source(install, distribution, name):
    """Install a distribution whose plugin declares one source."""
    module_name = f"plugintest_{name.replace('-', '_')}_{distribution[:1]}"
    install(
        distribution,
        f"[memberops]\n{name} = {module_name}\n",
        CODE.format(name=name),
        module_name=module_name,
    )


def test_an_installed_distribution_is_found(install):
    """An entry point of the group brings its plugin, with name and version."""
    install_source(install, "b-till", "till")
    registry = load_adapters(strict=True)
    (record,) = (item for item in registry.plugins if item.name == "till")

    assert record == PluginRecord(
        name="till",
        distribution="b-till",
        version="1.5",
        hooks=("memberops_sources",),
    )
    assert registry.sources.plugin_of("till") == "till"
    assert "till" not in load_adapters(entry_points=False).sources


def test_entry_points_load_in_the_order_of_their_names(install):
    """The order of installation, and of the path, changes nothing."""
    for name in ("beta", "zeta", "alpha"):
        install_source(install, f"{name}-till", name)
    names = [item.name for item in load_adapters().plugins if "eta" in item.name]

    assert names == ["beta", "zeta"]


IMPORT_ERRORS = {
    "ModuleNotFoundError": "import plugintest_no_such_module",
    "SyntaxError": "def (",
    "RuntimeError": "raise RuntimeError('no licence')",
}


@pytest.mark.parametrize("error", IMPORT_ERRORS)
def test_a_failing_import_is_a_record(install, error):
    """A module that cannot be imported is one failure; others load after it."""
    install("a-broken", "[memberops]\nbroken = plugintest_broken\n",
            IMPORT_ERRORS[error], module_name="plugintest_broken")  # fmt: skip
    install_source(install, "b-till", "till")

    registry = load_adapters()
    (failure,) = registry.failures

    assert "till" in registry.sources
    assert (failure.plugin, failure.distribution) == ("broken", "a-broken")
    assert (failure.stage, type(failure.error).__name__) == ("load", error)
    with pytest.raises(PluginError, match="plugin 'broken' of a-broken failed at load"):
        load_adapters(strict=True)


@pytest.mark.parametrize("error", ["SystemExit", "KeyboardInterrupt"])
def test_an_import_that_stops_the_program_stops_it(install, error):
    """The guard is for failures; it does not keep a program from ending."""
    install("a-broken", "[memberops]\nbroken = plugintest_exit\n",
            f"raise {error}", module_name="plugintest_exit")  # fmt: skip

    with pytest.raises((SystemExit, KeyboardInterrupt)):
        load_adapters()


@pytest.mark.parametrize("name", ["broken", "BROKEN", "a-broken", "A_Broken"])
def test_what_is_disabled_is_not_imported(install, name):
    """A plugin is left out by its own or its distribution's name, in any spelling."""
    install("a-broken", "[memberops]\nbroken = plugintest_broken\n",
            "raise RuntimeError", module_name="plugintest_broken")  # fmt: skip

    registry = load_adapters(disabled=[name])

    assert registry.failures == ()
    assert [(item.name, item.distribution) for item in registry.disabled] == [
        ("broken", "a-broken")
    ]
    assert "plugintest_broken" not in sys.modules


def test_the_environment_is_not_read(install, monkeypatch):
    """The library takes arguments; only the command may know the environment."""
    install_source(install, "b-till", "till")
    monkeypatch.setenv("MEMBEROPS_DISABLE_PLUGINS", "till")

    assert "till" in load_adapters().sources


def test_one_text_is_not_several_names():
    """``disabled="csv"`` would disable c, s and v; it is an error."""
    with pytest.raises(InvalidValueError, match=r"disabled=\('csv',\)"):
        load_adapters(disabled="csv")


def test_an_entry_point_without_its_object_is_a_record(install):
    """An entry point to a name that the module lacks is a failure to load."""
    install("b-till", "[memberops]\ntill = plugintest_till:Plugin\n",
            "x = 1", module_name="plugintest_till")  # fmt: skip
    (failure,) = load_adapters().failures

    assert (failure.stage, type(failure.error)) == ("load", AttributeError)


def test_two_entry_points_of_one_name(install):
    """Of two distributions with one plugin name the first by name stays."""
    install_source(install, "b-till", "till")
    install_source(install, "a-till", "till")

    registry = load_adapters()
    (failure,) = registry.failures

    assert failure.distribution == "b-till"
    assert "another plugin is called 'till' (a-till 1.5)" in failure.describe()
    assert load_adapters(disabled=["a-till"]).failures == ()


def test_a_distribution_in_two_places_is_one(install):
    """A second copy further down the path is a shadow, as it is for imports."""
    install_source(install, "b-till", "till")
    install("B_Till", "[memberops]\nother = plugintest_other\n",
            CODE.format(name="other"), module_name="plugintest_other")  # fmt: skip

    # The copy that was installed last stands first on the path.
    registry = load_adapters(strict=True)

    assert "other" in registry.capabilities
    assert "till" not in registry.capabilities


@pytest.mark.parametrize(
    ("entry_points", "failures"),
    [
        ("[memberops]\nno equals sign\n", 1),
        ("[other]\nno equals sign\n", 0),
        (b"\xff\xfe[memberops]\nx = y\n", 0),
    ],
    ids=["ours", "foreign", "unreadable"],
)
def test_damaged_metadata_harms_nobody(install, entry_points, failures):
    """A distribution whose entry points cannot be read is a failure only if ours."""
    install("a-damaged", entry_points)
    install_source(install, "b-till", "till")
    registry = load_adapters()

    assert "till" in registry.sources
    assert [f.distribution for f in registry.failures] == ["a-damaged"] * failures


def test_a_distribution_without_a_name_still_counts(install):
    """Metadata without a name cost the plugin its origin, and nothing else."""
    install("nameless", "[memberops]\ntill = plugintest_till_n\n",
            CODE.format(name="till"), module_name="plugintest_till_n",
            metadata="")  # fmt: skip
    registry = load_adapters()

    assert "till" in registry.sources
    assert registry.failures == ()


def test_a_plugin_given_and_installed_is_loaded_once(install):
    """Passing the module of an installed plugin does not clash with its entry point."""
    install_source(install, "b-till", "till")
    given_too = importlib.import_module("plugintest_till_b")

    assert "till" in load_adapters(plugins=[given_too], strict=True).sources


def test_a_clash_of_distributions_names_them(install):
    """The message has both distributions, because they are what one uninstalls."""
    install_source(install, "b-till", "till")
    install_source(install, "c-till", "csv")

    with pytest.raises(AdapterConflictError) as caught:
        load_adapters()

    version = importlib.metadata.version("memberops")
    assert f"'builtin' (memberops {version}) and 'csv' (c-till 1.5)" in str(
        caught.value
    )
    assert caught.value.distribution == "c-till"
    assert "till" in load_adapters(disabled=["c-till"]).sources


def test_the_listing_shows_all_that_is_to_know(install):
    """Rows tell what is loaded, what failed and why, and what is disabled."""
    install_source(install, "b-till", "till")
    install("a-broken", "[memberops]\nbroken = plugintest_no_such_module\n")
    install_source(install, "z-off", "off")
    registry = load_adapters(disabled=["off", "memberops-acme"])
    rows = {row["plugin"]: row for row in plugin_rows(registry)}

    assert rows["till"] == {
        "plugin": "till",
        "distribution": "b-till",
        "version": "1.5",
        "status": "loaded",
        "capability": "source",
        "adapter": "till",
        "summary": "a test",
        "problem": "",
    }
    assert (rows["broken"]["status"], rows["broken"]["version"]) == ("failed", "1.5")
    assert rows["broken"]["problem"].startswith("failed at load: ModuleNotFoundError")
    assert (rows["off"]["status"], rows["off"]["adapter"]) == ("disabled", "")
    assert {tuple(row) for row in rows.values()} == {tuple(rows["till"])}


@pytest.fixture
def _acme():
    """Skip where the example distribution is not installed."""
    try:
        importlib.metadata.distribution("memberops-acme")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("needs the example: pip install -e examples/memberops-acme")


@pytest.mark.usefixtures("_acme")
def test_the_example_comes_through_a_real_entry_point(tmp_path):
    """An installed third-party plugin is found, listed, and reads a till's export."""
    registry = load_adapters(strict=True)
    (row,) = (row for row in plugin_rows(registry, "zh") if row["plugin"] == "acme")
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "sales.jsonl").write_text(
        '{"receipt": "R1", "at": "2026-10-05T23:30:00", "shop": "S01", "lines": '
        '[{"sku": "A", "qty": 2, "paid": 39.80}, {"sku": "B", "qty": 1}]}\n',
        encoding="utf-8",
    )
    context = SourceContext(
        folder=tmp_path, currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
    )
    source = registry.sources["acme-pos"].factory(context)
    result = check_source(source, "sales")

    assert row["distribution"] == "memberops-acme"
    assert row["version"] == importlib.metadata.version("memberops-acme")
    assert (row["status"], row["capability"]) == ("已加载", "数据源")
    assert (result.rows_read, result.accepted, result.rejected) == (2, 1, 1)
    assert result.frame["amount"].tolist() == [3980]
    assert [(f.column, f.rule, f.row) for f in result.findings] == [
        ("amount", "value-missing", 1)
    ]


def test_the_example_depends_on_what_it_says():
    """The example has the entry point that its README and the docs describe."""
    text = (ROOT / "examples/memberops-acme/pyproject.toml").read_text("utf-8")

    assert '[project.entry-points.memberops]\nacme = "memberops_acme"\n' in text
