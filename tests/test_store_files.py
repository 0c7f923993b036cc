"""A database in a file is readable by its owner only."""

import os
import stat

import pytest

from memberops.adapters.stores import open_ledger, open_outbox

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


def _modes(folder):
    return {
        each.name: stat.S_IMODE(each.stat().st_mode)
        for each in sorted(folder.iterdir())
    }


@pytest.mark.parametrize("opened", [open_ledger, open_outbox])
@pytest.mark.parametrize("url", [False, True])
def test_a_new_file_and_its_log_are_readable_by_their_owner_only(tmp_path, opened, url):
    """Phones and members in them are nobody else's, whatever the umask allows."""
    file = tmp_path / "kept.db"
    before = os.umask(0)
    try:
        with opened(f"sqlite:///{file}" if url else file) as kept:
            kept.verify()
            modes = _modes(tmp_path)
    finally:
        os.umask(before)

    assert modes == dict.fromkeys(("kept.db", "kept.db-shm", "kept.db-wal"), 0o600)


def test_a_link_to_a_file_that_is_not_there_yet_is_followed(tmp_path):
    """The file that the link names is made for its owner only."""
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    with open_ledger(tmp_path / "link.db"):
        pass

    assert _modes(tmp_path)["real.db"] == 0o600


def test_a_file_that_is_there_keeps_its_mode(tmp_path):
    """Whoever shares a ledger with a group goes on doing so."""
    file = tmp_path / "kept.db"
    with open_ledger(file):
        pass
    file.chmod(0o660)
    with open_ledger(file) as kept:
        kept.verify()
        assert set(_modes(tmp_path).values()) == {0o660}
