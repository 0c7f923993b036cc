"""Every example in the docs, the README and the docstrings runs as a test."""

import ast
import contextlib
import gc
import os
import shutil
import tempfile
import unittest
from collections.abc import Iterator
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sybil import Document, Sybil
from sybil.document import PythonDocStringDocument
from sybil.integration.pytest import SybilFile, SybilItem
from sybil.parsers.myst import (
    DocTestDirectiveParser,
    PythonCodeBlockParser,
    SkipParser,
)
from sybil.parsers.rest import DocTestParser
from sybil.text import LineNumberOffsets


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


class Docstrings(PythonDocStringDocument):
    """The docstrings of a module, found without a look into every expression of it."""

    @staticmethod
    def extract_docstrings(python_source_code: str) -> Iterator[tuple[int, int, str]]:
        """Yield where each docstring begins and ends, and its text."""
        if ">>>" not in python_source_code:
            return
        offsets = LineNumberOffsets(python_source_code)
        statements: list[ast.AST] = [ast.parse(python_source_code)]
        for statement in statements:  # it grows: the statements inside it follow
            for block in ("body", "handlers", "orelse", "finalbody", "cases"):
                statements.extend(getattr(statement, block, ()))
            if not isinstance(
                statement,
                (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef),
            ):
                continue
            text = ast.get_docstring(statement, clean=False)
            if text is not None:
                string = statement.body[0]
                line = offsets.get(string.lineno - 1, string.col_offset)
                start = python_source_code.index('"""', line) + len('"""')
                yield start, start + len(text), text


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
    document_types={".py": Docstrings},
    setup=_enter,
    teardown=_leave,
)


class Examples(SybilItem):
    """All examples of a document: they share names, so one without the others fails."""

    def __init__(
        self, parent: pytest.Collector, sybil: Sybil, document: Document
    ) -> None:
        """Take the fixtures that a document of examples asks for."""
        self.examples = list(document)
        super().__init__(parent, sybil, self.examples[0])

    def runtest(self) -> None:
        """Run one after the other; what is skipped skips no other."""
        for example in self.examples:
            self.example = example
            with contextlib.suppress(unittest.SkipTest):
                example.evaluate()


class Page(SybilFile):
    """A file of which all examples are one test: what a test costs is paid once."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the test, if there is an example."""
        for sybil in self.sybils:
            document = sybil.parse(self.path)
            self.documents.append(document)
            if document.regions:
                yield Examples.from_parent(self, sybil=sybil, document=document)


def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    """Look for examples in pages of the docs and in modules of the package."""
    sybils = [each for each in (markdown, docstrings) if each.should_parse(file_path)]
    return Page.from_parent(parent, path=file_path, sybils=sybils) if sybils else None


def _empty(folder: str) -> None:
    """Remove what a test left in a folder, or make the folder anew if that is gone."""
    try:
        left = list(os.scandir(folder))
    except FileNotFoundError:
        os.mkdir(folder)  # noqa: PTH102 - the name is what `scandir` takes
        return
    for entry in left:
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            os.unlink(entry.path)  # noqa: PTH108 - as above


@pytest.fixture(scope="session")
def _folder_of_the_worker() -> Iterator[str]:
    """One folder for the tests to run in: to make one for each costs more than most."""
    with tempfile.TemporaryDirectory(prefix="cwd-") as folder:
        yield folder


@pytest.fixture(autouse=True)
def _in_an_empty_folder(_folder_of_the_worker: str) -> Iterator[None]:
    """Run each test in an empty folder, so that examples may write files."""
    before = os.getcwd()  # noqa: PTH109 - as chdir takes it
    os.chdir(_folder_of_the_worker)
    yield
    os.chdir(before)
    _empty(_folder_of_the_worker)


@pytest.fixture(scope="session")
def _numbers() -> Iterator[int]:
    """The numbers of the folders given to tests."""
    return count()


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory, _numbers: Iterator[int]) -> Path:
    """
    Give a test a folder of its own.

    pytest's own looks through all earlier folders for the next number: with thousands
    of tests that is seconds.
    """
    folder = tmp_path_factory.getbasetemp() / f"t{next(_numbers)}"
    folder.mkdir()
    return folder


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

        def mark_test_complete(
            self, node: Any, item_index: int, duration: float = 0
        ) -> None:
            """Forget a scope when it is done: all scopes of a worker are counted."""
            super().mark_test_complete(node, item_index, duration)
            work = self.assigned_work[node]
            scope = self._split_scope(self.registered_collections[node][item_index])
            if all(work[scope].values()):
                del work[scope]

    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what stays together: the rest is of smaller pieces."""
    items.sort(key=lambda item: not _shares_scenes(item.path))


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass by what the whole run needs."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Give all back to the collector: libraries complain of what outlives them."""
    gc.unfreeze()
