"""Promises of how the tests start servers of others: nothing of them is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from servers import start

# Two processes, of which one is the other's: both write their numbers, and stay.
_STUBBORN = "echo $$ >> {pids}; sh -c 'echo $$ >> {pids}; sleep 300 & wait' & wait"
_SERVING = """
import contextlib, sys
from pathlib import Path
from servers import start
command = ["sh", "-c", {script!r}]
{block}
"""
_BLOCKS = {
    "while it starts": """
with start._serving(command, 1, "/", folder=Path({folder!r})):
    pass
""",
    "while it serves": """
start._answers = lambda port, path: Path({pids!r}).exists()
with start._serving(command, 1, "/", folder=Path({folder!r})):
    import time
    time.sleep(300)
""",
    "while it is installed": """
import time
start._run(command, until=time.monotonic() + 300)
""",
}


def there(pid):
    """Return whether a process lives, and is not only waited for."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until(met, seconds=20):
    """Wait for something that has to happen."""
    until = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("when", _BLOCKS)
def test_an_interrupt_leaves_no_process_behind(when, tmp_path):
    """Whenever it comes: all that a server started is gone with it."""
    pids = tmp_path / "pids"
    block = _BLOCKS[when].format(folder=str(tmp_path), pids=str(pids))
    script = _STUBBORN.format(pids=pids)
    process = subprocess.Popen(  # noqa: S603 - this Python
        [sys.executable, "-c", _SERVING.format(script=script, block=block)],
        cwd=Path(__file__).parent,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    started = pids.read_text().split()
    assert all(there(pid) for pid in started)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(30) != 0
    wait_until(lambda: not any(there(pid) for pid in started))


def test_a_server_that_is_not_installed_says_why(tmp_path, monkeypatch):
    """What was wrong when it was installed is the reason of the skip."""
    monkeypatch.setattr(start, "FOLDER", tmp_path)
    monkeypatch.setattr(start.shutil, "which", lambda name: None)
    told = start.install("vendure", 1)
    assert "needs npm and node 20" in told
    with (
        pytest.raises(start.CannotStartError, match="needs npm and node 20"),
        start.vendure(),
    ):
        pass


def test_installing_ends_when_its_time_is_over(tmp_path, monkeypatch):
    """It is stopped with all that it started, and the reason is told."""
    monkeypatch.setattr(start, "FOLDER", tmp_path)
    begun = time.monotonic()
    monkeypatch.setattr(start, "_node", lambda: 20)
    fake = tmp_path / "bin" / "npm"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n{_STUBBORN.format(pids=tmp_path / 'pids')}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    assert "no end in time" in start.install("medusa", 1)
    assert time.monotonic() - begun < 20
    started = (tmp_path / "pids").read_text().split()
    assert len(started) == 2
    wait_until(lambda: not any(there(pid) for pid in started))
