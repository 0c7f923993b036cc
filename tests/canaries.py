"""
A watch over every test: no phone and no secret where it is not needed.

Every mainland mobile number of the tests is made up, so each is a canary. None may be
in a log or in an error of ours, whichever test makes it, even if the test catches it;
nor any secret that a provider was given. In the tests of messages the logs are heard
at their lowest level, and every file that is left is read as well.
"""

import functools
import logging
import re
import tempfile
import traceback
from pathlib import Path

import pytest

from memberops import errors

PHONE = re.compile(r"(?<![\d.*])(?:86)?1[3-9]\d{9}(?!\d)")
SECRETS = {
    "canary-secret-9f8e7d6c",
    "cAnArY-s3cret",
    "the-key-of-the-storm",
    "a-key-of-the-gateway",
}
OF_MESSAGES = ("test_message_", "test_outbox", "test_sms_", "test_faulty_gateway")
BUSY = {"test_message_chaos", "test_outbox_machine", "test_outbox_races"}
"""Their logs at the lowest level would cost more than the tests; errors are heard."""
LOUD = ("memberops", "httpx2", "httpcore2", "sqlalchemy.engine")
NEEDED = {
    "*.csv": "a chain's tables, as the test wrote them, or a list it asked for",
    "*.toml": "the settings that the test wrote itself",
    "*.jsonl": "what the provider of files sends, and receipts as they come",
    "*.json": "as above",
    "*.xlsx": "a form that was asked for with phones",
    "*.db": "an outbox without a seal: who sends needs the phone; of mode 0600",
    "*.db-wal": "the same, before it is written back",
    "*.db-shm": "the index of that",
}
"""Which files may hold a phone, and why; no file may hold a secret."""


class Watch(logging.Handler):
    """Hears logs and errors, and keeps what should not be there, cut short."""

    def __init__(self):
        super().__init__(level=0)
        self.found = []

    def look(self, text, where, *, phones=True):
        """Look for canaries in a text."""
        seen = [each for each in SECRETS if each in text]
        if phones and (phone := PHONE.search(text)):
            seen.append(phone[0])
        self.found += [f"{each[:4]}… in {where}" for each in seen]

    def emit(self, record):
        """Hear a record as a file would get it, with its traceback."""
        text = record.getMessage()
        if record.exc_info:
            text += "".join(traceback.format_exception(*record.exc_info))
        self.look(text, f"the log {record.name}")

    def taken(self):
        """Return what was found since the last call."""
        found, self.found = self.found, []
        return found


WATCH = Watch()


def hear_errors():
    """Look at each error of ours as it is made."""
    begin = errors.MemberOpsError.__init__

    @functools.wraps(begin)
    def heard(self, *args):
        begin(self, *args)
        WATCH.look(" ".join(map(str, self.args)), f"a {type(self).__name__}")

    errors.MemberOpsError.__init__ = heard


def hear_secrets():
    """Look for whatever a provider was given from then on."""
    from memberops.adapters.secrets import Secret

    reveal = Secret.reveal

    @functools.wraps(reveal)
    def heard(self):
        shown = reveal(self)
        if len(shown) >= 8:  # shorter ones are words like "id"
            SECRETS.add(shown)
        return shown

    Secret.reveal = heard


def files_of(item):
    """Yield the files in the folders that a test was given, and temporary ones."""
    given = [each for each in item.funcargs.values() if isinstance(each, Path)]
    for folder in given:
        if FOLDERS in folder.as_posix() and folder.is_dir():
            yield from (each for each in folder.rglob("*") if each.is_file())
    yield from left_behind()


def left_behind():
    """Yield temporary files that were made since the last call and are still there."""
    made, MADE[:] = MADE[:], []
    for path in map(Path, made):
        if path.is_file():
            yield path
        elif path.is_dir():
            MADE.append(str(path))  # others may go on with it: see `nothing_is_left`


def examine(path):
    """Look for canaries in a file."""
    needed = any(path.match(pattern) for pattern in NEEDED)
    text = path.read_bytes().decode("utf-8", "replace")
    WATCH.look(text, f"the file {path.name}", phones=not needed)


FOLDERS = "/pytest-"
MADE = []


def hear_temporary_files():
    """Remember each temporary file and folder that is made in this process."""
    make = tempfile.mkdtemp

    @functools.wraps(make)
    def heard(*args, **options):
        made = make(*args, **options)
        MADE.append(made)
        return made

    tempfile.mkdtemp = heard
    begin = tempfile._mkstemp_inner

    @functools.wraps(begin)
    def opened(*args, **options):
        handle, name = begin(*args, **options)
        MADE.append(name)
        return handle, name

    tempfile._mkstemp_inner = opened


def of_messages(item):
    """Tell whether a test is one of messages."""
    return item.path.name.startswith(OF_MESSAGES)


def pytest_configure():
    """Begin to hear."""
    logging.getLogger().addHandler(WATCH)
    hear_errors()
    hear_secrets()
    hear_temporary_files()


def pytest_runtest_setup(item):
    """Let all logs speak in the tests of messages."""
    loud = of_messages(item) and item.path.stem not in BUSY
    for name in LOUD:
        level = logging.NOTSET
        if loud:
            # The rows below INFO are dropped by ours, and are many.
            quieter = name.startswith("sqlalchemy")
            level = logging.INFO if quieter else logging.DEBUG
        logging.getLogger(name).setLevel(level)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    """Fail the test that let a canary out."""
    given = yield
    if of_messages(item):
        for path in files_of(item):
            examine(path)
    assert not (found := WATCH.taken()), f"canaries were seen: {found[:5]}"
    return given


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left():
    """Look, when all is over, at what is left of every temporary folder."""
    yield
    for folder in map(Path, MADE):
        for path in folder.rglob("*") if folder.is_dir() else ():
            if path.is_file():
                examine(path)
    assert not (found := WATCH.taken()), f"canaries were left: {found[:5]}"
