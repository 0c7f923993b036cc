"""Every example in the docs, the README and the docstrings runs as a test."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sybil import Sybil
from sybil.parsers.myst import (
    DocTestDirectiveParser,
    PythonCodeBlockParser,
    SkipParser,
)
from sybil.parsers.rest import DocTestParser


def _enter(namespace: dict[str, Any]) -> None:
    """Run the examples of one document in an empty folder: they may write files."""
    folder = tempfile.mkdtemp(prefix="examples-")
    namespace["_folders"] = (os.getcwd(), folder)  # noqa: PTH109 - as chdir takes it
    os.chdir(folder)


def _enter_page(namespace: dict[str, Any]) -> None:
    """The same for a page of the docs, which is a module of its own."""
    namespace["__name__"] = "__docs__"
    _enter(namespace)


def _leave(namespace: dict[str, Any]) -> None:
    """Go back, and remove the folder."""
    before, folder = namespace["_folders"]
    os.chdir(before)
    shutil.rmtree(folder, ignore_errors=True)


markdown = Sybil(
    parsers=[
        DocTestDirectiveParser(optionflags=ELLIPSIS | NORMALIZE_WHITESPACE),
        PythonCodeBlockParser(doctest_optionflags=ELLIPSIS | NORMALIZE_WHITESPACE),
        SkipParser(),
    ],
    patterns=["*.md"],
    setup=_enter_page,
    teardown=_leave,
)
docstrings = Sybil(
    parsers=[DocTestParser(optionflags=ELLIPSIS | NORMALIZE_WHITESPACE)],
    patterns=["*.py"],
    path="src",
    setup=_enter,
    teardown=_leave,
)

pytest_collect_file = (markdown + docstrings).pytest()


@pytest.fixture(autouse=True)
def _in_an_empty_folder() -> Iterator[None]:
    """
    Run each test in a folder of its own, so that examples may write files.

    It is not one of `tmp_path_factory`, which looks through all earlier ones for the
    next number: with thousands of tests that is seconds.
    """
    with tempfile.TemporaryDirectory(prefix="cwd-") as folder, contextlib.chdir(folder):
        yield


@cache
def _shares_scenes(file: Path) -> bool:
    """Say whether what one test of a file made is what its other tests read."""
    return not file.name.startswith("test_") or 'scope="module"' in file.read_text(
        "utf-8"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """
    Keep together on a worker only what belongs together.

    The examples of a document share names, and the tests of some modules share dear
    scenes. All other tests fill the gaps that those leave at the end, so that no
    worker waits for a long file of another.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            whole = _shares_scenes(config.rootpath / file)
            return file if whole else nodeid.partition("[")[0]

    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what stays together: the rest is of smaller pieces."""
    items.sort(key=lambda item: not _shares_scenes(item.path))
