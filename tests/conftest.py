"""Fixtures that the whole suite shares."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from canaries import (  # noqa: F401 - hooks and a fixture
    nothing_is_left,
    pytest_configure,
    pytest_runtest_setup,
    pytest_runtest_teardown,
)
from ledger_databases import Server
from sql_servers import MariaServer

# What has no count of its own gets these; see counts.py for shares of them.
settings.register_profile(
    "default",
    max_examples=20,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "nightly", parent=settings.get_profile("default"), max_examples=300
)
settings.load_profile("default")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared facts beside the project; the test is skipped without it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder ../shared (real data and reference results)")
    return folder


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server for the session; the test is skipped where there is none."""
    server = Server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mariadb():
    """A MariaDB server for the session; the test is skipped where there is none."""
    server = MariaServer()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request, tmp_path):
    """What `open_ledger` takes for a database that nobody has used, one a call."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql").new_url
    numbers = iter(range(1000))
    return lambda: str(tmp_path / f"ledger{next(numbers)}.db")
