"""Promises of what may stand behind the path of a SQLite file in its address."""

import sqlite3
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from memberops.adapters.sources import SourceContext
from memberops.adapters.sources.sql_source import SqlSource
from memberops.domain import Currency
from memberops.errors import ConfigurationError, SourceError


@pytest.fixture
def read(tmp_path):
    """Read the stores of a till's file by an address."""
    with closing(sqlite3.connect(tmp_path / "till.db")) as till, till:
        till.execute("CREATE TABLE stores (store_id TEXT, name TEXT)")
        till.execute("INSERT INTO stores VALUES ('S1', '一店')")
    context = SourceContext(
        folder=Path(tmp_path), currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
    )

    def reading(url):
        return SqlSource(context, url=url, table="stores").read("stores")

    return reading


@pytest.mark.parametrize(
    "behind",
    [
        "mode=ro",
        "mode=ro&uri=true",
        "mode=rwc&immutable=1",
        "nolock=1&cache=private",
        "timeout=x&check_same_thread=false&detect_types=3",
    ],
)
def test_an_address_of_another_program_is_read_and_only_read(read, behind):
    """A file is opened for reading whatever the address says, with its lock options."""
    assert read(f"sqlite:///till.db?{behind}").frame["name"].tolist() == ["一店"]


@pytest.mark.parametrize("behind", ["vfs=none", "immutable=yes", "immutable=1%26a=b"])
def test_what_is_not_known_behind_the_question_mark_is_refused_with_a_hint(
    read, behind, monkeypatch
):
    """The option is named, its value never, and of a secret address neither."""
    name, _, value = behind.partition("=")
    with pytest.raises(ConfigurationError, match=rf"'{name}' behind.*'mode=ro'") as got:
        read(f"sqlite:///till.db?{behind}")
    assert f"{value}'" not in str(got.value)
    monkeypatch.setenv("TILL", f"sqlite:///till.db?{behind}")
    with pytest.raises(ConfigurationError, match="says something behind"):
        read({"env": "TILL"})


def test_a_path_written_as_sqlite_does_is_told_how_to_be_written(read):
    """Whoever writes file: is told to leave it out."""
    with pytest.raises(SourceError, match="leave out 'file:'"):
        read("sqlite:///file:till.db?mode=ro&uri=true")
