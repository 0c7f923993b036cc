"""The documentation keeps up with the code."""

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import memberops
from memberops.tables import TABLES

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def test_the_readme_names_the_two_commands():
    """A newcomer finds `make demo` and `make test` in the README."""
    text = (ROOT / "README.md").read_text("utf-8")

    assert "make demo" in text
    assert "make test" in text


def test_each_page_is_in_a_table_of_contents():
    """Every page of the docs is listed in an index."""
    pages = {
        page.relative_to(DOCS).with_suffix("").as_posix()
        for page in DOCS.rglob("*.md")
        if "_build" not in page.parts
    }
    listed = {"index"}
    for index in DOCS.rglob("index.md"):
        folder = index.parent.relative_to(DOCS).as_posix()
        for line in index.read_text("utf-8").splitlines():
            name = line.strip()
            prefixed = name if folder == "." else f"{folder}/{name}"
            if prefixed in pages:
                listed.add(prefixed)

    assert pages == listed


def load_directive():
    """Load the Sphinx extension that makes the page of tables."""
    path = DOCS / "_ext" / "canonical_tables.py"
    spec = importlib.util.spec_from_file_location("canonical_tables", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_page_of_tables_has_each_column_with_its_headings(table):
    """The reference of the tables shows each column, need, headings and meaning."""
    docutils = pytest.importorskip("docutils", reason="needs the docs group")
    assert docutils
    text = "\n".join(load_directive().describe(table))

    for column in table.columns:
        (row,) = [line for line in text.splitlines() if f"| `{column.name}` |" in line]
        assert column.heading_zh in row
        assert column.heading_en in row
        assert column.meaning_zh in row
        assert column.meaning_en in row
        assert ("yes" in row.split("|")[3]) == column.required
    page = (DOCS / "reference" / "tables.md").read_text("utf-8")
    assert f"{{canonical-table}} {table.name}" in page


@pytest.mark.parametrize(
    "module",
    ["domain", "schedules", "policies", "metrics", "adapters", "reports", "workflows",
     "testing", "errors"],
)  # fmt: skip
def test_each_public_module_has_a_reference_page(module):
    """Every package that users import from has its page of public names."""
    page = (DOCS / "reference" / f"{module}.md").read_text("utf-8")

    assert f"automodule:: memberops.{module}" in page
    public = importlib.import_module(f"memberops.{module}")
    for name in public.__all__:
        value = getattr(public, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, name


def test_texts_name_no_machine():
    """No path of one machine and no local address stands in any text."""
    pattern = re.compile(r"(?<![\w.`/])/(?:home|root|work|tmp|Users)/\w")
    for page in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]:
        if "_build" not in page.parts:
            assert not pattern.search(page.read_text("utf-8")), page.name


def test_the_top_of_the_package_teaches():
    """The package's docstring says what importing does not do."""
    assert "neither pandas nor pluggy" in memberops.__doc__
