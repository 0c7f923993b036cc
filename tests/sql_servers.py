"""A MariaDB server of our own for tests of sources, from the machine's binaries."""

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from ledger_databases import quick_folder

_NUMBERS = itertools.count()
_PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/libexec"])
_PATIENCE = 60


def _found(*names):
    return next(filter(None, (shutil.which(n, path=_PLACES) for n in names)), None)


class MariaServer:
    """A MariaDB that listens on a socket alone, with its data in a fresh folder."""

    def __init__(self):
        install = _found("mariadb-install-db", "mysql_install_db")
        server = _found("mariadbd", "mysqld")
        if not install or not server:
            pytest.skip("needs the binaries of a MariaDB server (mariadb-server-core)")
        pytest.importorskip("pymysql", reason="needs pymysql, the extra mysql")
        self._folder = quick_folder()
        folder = Path(self._folder.name)
        folder.chmod(0o755)
        data = folder / "data"
        self._socket = data / "s"
        # A server is never root: it gives itself and its folder to nobody.
        user = ["--user=nobody"] if os.geteuid() == 0 else []
        scratch = folder / "scratch"
        scratch.mkdir()
        if user:
            shutil.chown(scratch, "nobody")
        small = ["--innodb-log-file-size=4M", "--innodb-buffer-pool-size=32M"]
        small.append(f"--tmpdir={scratch}")
        subprocess.run(  # noqa: S603 - programs of this machine, our words
            [install, "--no-defaults", *user, *small, f"--datadir={data}",
             "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, capture_output=True, timeout=_PATIENCE, cwd=scratch,
        )  # fmt: skip
        self._process = subprocess.Popen(  # noqa: S603 - the same
            [server, "--no-defaults", *user, *small, f"--datadir={data}",
             "--skip-networking", f"--socket={self._socket}",
             f"--pid-file={data / 'pid'}", "--innodb-flush-log-at-trx-commit=0",
             "--default-time-zone=+08:00", "--character-set-server=utf8mb4"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._wait()

    def _connect(self):
        import pymysql

        return pymysql.connect(unix_socket=str(self._socket), user="root")

    def _wait(self):
        end = time.monotonic() + _PATIENCE
        while True:
            with contextlib.closing(socket.socket(socket.AF_UNIX)) as line:
                if line.connect_ex(str(self._socket)) == 0:
                    return
            if time.monotonic() > end or self._process.poll() is not None:
                self.stop()
                pytest.skip("the MariaDB of this machine does not start")
            time.sleep(0.02)

    def new_url(self, kind="mariadb"):
        """Return the URL of a database that nobody has used."""
        name = f"pos{os.getpid()}x{next(_NUMBERS)}"
        with contextlib.closing(self._connect()) as connection:
            connection.cursor().execute(f"CREATE DATABASE {name}")
        # Without TLS a connection loads no certificates, which takes 60 ms each time.
        line = f"unix_socket={self._socket}&ssl_disabled=1"
        return f"{kind}://root@localhost/{name}?{line}"

    def stop(self):
        """Stop the server for good."""
        self._process.kill()
        self._process.wait(_PATIENCE)
        self._folder.cleanup()
