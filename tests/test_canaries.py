"""The watch over every test is not blind."""

import logging
import os
import tempfile
from pathlib import Path

import pytest

import canaries
from memberops.adapters.secrets import Secret
from memberops.errors import InvalidValueError

PHONE = "13987654321"


@pytest.fixture
def found():
    """What the watch has seen since the test began; it forgets that afterwards."""
    assert canaries.WATCH.taken() == []
    return canaries.WATCH.taken


@pytest.mark.parametrize("text", [PHONE, f"86{PHONE}", f"+86-{PHONE}", f"a{PHONE}b"])
def test_an_error_of_ours_is_heard_as_it_is_made(found, text):
    """It need not be raised, nor fail the test; what is told of it shows no phone."""
    InvalidValueError(f"the phone {text} is wrong")
    (told,) = found()
    assert told.endswith("in a InvalidValueError")
    assert PHONE not in told


def test_a_log_is_heard_with_its_traceback(found):
    """A phone that only the traceback of an error shows is seen as well."""
    logging.getLogger("memberops.any").warning("to %s", PHONE)
    try:
        int(f"x{PHONE}")
    except ValueError:
        logging.getLogger("other").exception("it failed")
    assert len(found()) == 2


def test_a_secret_is_known_once_a_provider_was_given_it(found):
    """Whatever the tests give as a secret is looked for from then on."""
    logging.getLogger("other").error("a-secret-of-mine")
    assert found() == []
    Secret(lambda: "a-secret-of-mine").reveal()
    logging.getLogger("other").error("a-secret-of-mine")
    assert len(found()) == 1
    canaries.SECRETS.discard("a-secret-of-mine")


def test_a_temporary_file_that_is_left_is_found(found, tmp_path):
    """So is one in a folder of the test; a table of the test's own may hold phones."""
    handle, name = tempfile.mkstemp(dir=tmp_path)
    os.close(handle)
    Path(name).write_text(PHONE, "utf-8")
    assert Path(name) in list(canaries.left_behind())
    for path, seen in ((Path(name), 1), (tmp_path / "members.csv", 0)):
        path.write_text(PHONE, "utf-8")
        canaries.examine(path)
        assert len(found()) == seen
    key = tmp_path / "outbox.db"
    key.write_text(min(canaries.SECRETS), "utf-8")
    canaries.examine(key)
    assert len(found()) == 1


@pytest.mark.parametrize(
    "text", ["138****4321", "1398765432", "139876543210", "2026-11-22", "23987654321"]
)
def test_what_is_masked_or_no_phone_is_none(found, text):
    """Stars, and numbers of another length, are left alone."""
    canaries.WATCH.look(text, "a text")
    assert found() == []
