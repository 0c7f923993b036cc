"""Every example in the docs, the README and the docstrings runs as a test."""

import os
import shutil
import tempfile
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
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
def _in_an_empty_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run each test in a folder of its own, so that examples may write files."""
    monkeypatch.chdir(tmp_path_factory.mktemp("cwd"))
