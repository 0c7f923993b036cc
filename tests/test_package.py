"""The package itself: light to import, complete, and within its own rules."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import memberops

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def run(code):
    """Run code in a bare interpreter and return what it prints."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_import_loads_nothing_heavy():
    """Importing memberops loads no pandas, pluggy, narwhals, attrs or logging."""
    code = (
        "import sys; import memberops; "
        "heavy = {'pandas', 'pluggy', 'narwhals', 'numpy', 'attr', 'cattrs', 'logging',"
        " 'dateutil', 'polars', 'decimal', 'datetime'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )

    assert run(code) == "[]"


def test_import_has_no_side_effects():
    """
    Importing every public name leaves pandas options and warnings as they were.

    Nor do the policies load the phone library, or the stores SQLAlchemy or a driver.
    """
    code = (
        "import sys, warnings, locale, decimal, pandas as pd\n"
        "def state(): return (list(warnings.filters), locale.setlocale(0), "
        "repr(decimal.getcontext()), {k: pd.get_option(k) for k in "
        "('display.width', 'mode.copy_on_write')})\n"
        "before = state()\n"
        "import memberops\n"
        "for name in memberops.__all__: getattr(memberops, name)\n"
        "after = state()\n"
        "import memberops.adapters.stores, memberops.policies.phones\n"
        "late = {'phonenumbers', 'sqlalchemy', 'psycopg', 'sqlite3'}\n"
        "print(before[1:] == after[1:], late & set(sys.modules))"
    )

    assert run(code) == "True set()"


def test_every_public_name_is_there():
    """What __all__ promises can be had, and help() has something to say of it."""
    assert [n for n in memberops.__all__ if not getattr(memberops, n).__doc__] == []


def test_type_checkers_see_what_is_loaded():
    """Each lazy name is imported for type checkers from the package it comes from."""
    tree = ast.parse(Path(memberops.__file__).read_text("utf-8"))
    seen = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for name in memberops._HOMES:
        getattr(memberops, name)
    loaded = {name: f"memberops.{home}" for name, home in memberops._HOMES.items()}

    assert loaded.items() <= seen.items()
    assert loaded.keys() <= set(memberops.__all__)
    assert all(name in sys.modules[home].__all__ for name, home in loaded.items())


def test_an_unknown_name_is_an_attribute_error():
    """A misspelt name fails as for any module."""
    with pytest.raises(AttributeError, match="no attribute 'FeeWavier'"):
        memberops.FeeWavier  # noqa: B018 - reading it is the test


def test_the_version_is_told_once():
    """The package and its metadata name the same version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert project["version"] == memberops.__version__


def test_modules_stay_small():
    """No module has more than 400 lines, and none is a drawer without a name."""
    sizes = {path: len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert [path for path, size in sizes.items() if size > 400] == []
    drawers = {"utils", "helpers", "common", "misc"}
    assert [path for path in SOURCES if path.stem in drawers] == []
    assert len(SOURCES) > 100
