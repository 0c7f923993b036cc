"""
The files of a snapshot: a table is replaced as a whole, or not at all.

For each table there is a manifest, ``sales.json``, that names its files with their
hashes. Files are written under names made of their hash, and the manifest last: a
crash in between leaves the old manifest with the old files.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pandas as pd

from memberops.adapters.sources.contract import REJECT_COLUMNS
from memberops.domain import Finding, Severity
from memberops.errors import MissingExtraError, SourceError

__all__ = ["KeptTable", "SnapshotFolder"]

_FORMAT = 1
_TRIES = 5
_RECORD = "record"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class KeptTable:
    """
    One table of a snapshot.

    Args:
        table: Its name.
        frame: Its rows in canonical form.
        rejects: The rows that were refused, as `SourceResult` holds them, with a
            column ``record``: the key of the record as JSON, or ``""``.
        findings: What the last reading found.
        earlier: What readings before it found, once for each kind.
        cursor: Where the next reading begins; None if it has to be whole.
        key: Columns by which records are replaced.
        origin: What tells one way to read the source from another.
        refreshed_at: When it was read.
        unlisted: How many rows were refused beyond those of *rejects*.
        replaced: How many rows a later file replaced.
    """

    table: str
    frame: pd.DataFrame
    rejects: pd.DataFrame
    findings: tuple[Finding, ...]
    earlier: tuple[Finding, ...]
    cursor: str | None
    key: tuple[str, ...]
    origin: str
    refreshed_at: dt.datetime
    unlisted: int = 0
    replaced: int = 0


@attrs.frozen(repr=False)
class SnapshotFolder:
    """
    A folder of tables that were read before; only its owner may read the files.

    Args:
        path: The folder; it is made when something is written.
    """

    path: Path = attrs.field(converter=Path)

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that it holds."""
        return tuple(sorted(file.stem for file in self.path.glob("*.json")))

    @contextlib.contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """
        Hold a table for writing; the system lets go of it when a process dies.

        Raises:
            SourceError: Somebody else holds it, or the folder cannot be written to.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(
                self.path / f".{table}.lock", os.O_RDWR | os.O_CREAT, mode=0o600
            )
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            try:
                _hold(handle)
            except OSError:
                raise SourceError(
                    f"the snapshot of {table} is being refreshed by somebody else: "
                    "wait until that is done"
                ) from None
            yield
        finally:
            os.close(handle)

    def read(self, table: str) -> KeptTable | None:
        """
        Read a table; None if the folder does not hold it.

        Raises:
            SourceError: A file is damaged or cannot be read.
            MissingExtraError: The extra ``parquet`` is not installed.
        """
        for _ in range(_TRIES):
            try:
                text = (self.path / f"{table}.json").read_bytes()
            except FileNotFoundError:
                return None
            except OSError as error:
                raise self._unreadable(table, error.strerror or "") from None
            try:
                return self._kept(table, json.loads(text))
            except FileNotFoundError:
                # Replaced since the manifest was read: there is a newer one.
                continue
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise self._unreadable(table, type(error).__name__) from None
        raise self._unreadable(table, "a file is absent")

    def _kept(self, table: str, told: Any) -> KeptTable:
        if told["format"] != _FORMAT or told["table"] != table:
            raise ValueError
        frame = _as_before(self._load(table, told["frame"]), told["frame"]["types"])
        rejects = self._load(table, told["rejects"]).fillna("")
        return KeptTable(
            table=table,
            frame=frame,
            rejects=rejects[[*REJECT_COLUMNS, _RECORD]],
            findings=tuple(map(_finding, told["findings"])),
            earlier=tuple(map(_finding, told["earlier"])),
            cursor=told["cursor"],
            key=tuple(told["key"]),
            origin=told["origin"],
            refreshed_at=dt.datetime.fromisoformat(told["refreshed_at"]),
            unlisted=told.get("unlisted", 0),
            replaced=told.get("replaced", 0),
        )

    def _load(self, table: str, told: dict[str, Any]) -> pd.DataFrame:
        if not re.fullmatch(rf"{table}-[0-9a-f]{{32}}\.parquet", told["file"]):
            raise ValueError
        data = (self.path / told["file"]).read_bytes()
        if hashlib.sha256(data).hexdigest() != told["sha256"]:
            raise ValueError
        try:
            return pd.read_parquet(io.BytesIO(data), engine="pyarrow")
        except ImportError:
            raise MissingExtraError("a snapshot / 快照", "parquet") from None

    def write(self, kept: KeptTable) -> None:
        """
        Put a table in the place of what was kept of it; hold it with `locked`.

        Raises:
            SourceError: The folder cannot be written to, or a value is not of its
                column; what was kept is still there.
            MissingExtraError: The extra ``parquet`` is not installed.
        """
        told: dict[str, Any] = {
            "format": _FORMAT,
            "table": kept.table,
            "origin": kept.origin,
            "cursor": kept.cursor,
            "key": list(kept.key),
            "refreshed_at": kept.refreshed_at.isoformat(),
            "unlisted": kept.unlisted,
            "replaced": kept.replaced,
            "findings": [_told(finding) for finding in kept.findings],
            "earlier": [_told(finding) for finding in kept.earlier],
        }
        try:
            types = {name: str(kept.frame[name].dtype) for name in kept.frame}
            told["frame"] = {**self._save(kept.table, kept.frame), "types": types}
            told["rejects"] = self._save(kept.table, kept.rejects)
            text = json.dumps(told, ensure_ascii=False, indent=1).encode()
            self._put(f"{kept.table}.json", text)
        except OSError as error:
            raise self._unwritable(error) from None
        named = {told["frame"]["file"], told["rejects"]["file"]}
        self._sweep(kept.table, named)

    def _save(self, table: str, frame: pd.DataFrame) -> dict[str, Any]:
        out = io.BytesIO()
        try:
            frame.to_parquet(out, engine="pyarrow", index=False, compression="zstd")
        except ImportError:
            raise MissingExtraError("a snapshot / 快照", "parquet") from None
        except (TypeError, ValueError) as error:  # of pyarrow: it quotes the value
            raise SourceError(
                f"the table {table} cannot be kept: a column of texts holds values "
                f"that are no texts ({type(error).__name__})"
            ) from None
        data = out.getvalue()
        digest = hashlib.sha256(data).hexdigest()
        name = f"{table}-{digest[:32]}.parquet"
        self._put(name, data)
        return {"file": name, "sha256": digest, "rows": len(frame)}

    def _put(self, name: str, data: bytes) -> None:
        """Write a file beside its place, and move it there when it is on the disk."""
        # mkstemp makes a file that only its owner may read.
        handle, part = tempfile.mkstemp(
            dir=self.path, prefix=f".{name.partition('-')[0]}-", suffix=".part"
        )
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(part).replace(self.path / name)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        _sync_folder(self.path)

    def _sweep(self, table: str, named: set[str]) -> None:
        """Take away what no manifest names: older files, and parts of a crash."""
        ours = re.compile(rf"{table}-[0-9a-f]{{32}}\.parquet|\.{table}[-.].*\.part")
        for file in self.path.iterdir():
            if file.name not in named and ours.fullmatch(file.name):
                # Somebody may be reading it, which some systems do not let go.
                with contextlib.suppress(OSError):
                    file.unlink()

    def _unreadable(self, table: str, why: str) -> SourceError:
        return SourceError(
            f"the snapshot of {table} in {self.path.name!r} cannot be read ({why}): "
            "refresh it"
        )

    def _unwritable(self, error: OSError) -> SourceError:
        return SourceError(
            f"the snapshot folder {self.path.name!r} cannot be written to: "
            f"{error.strerror}"
        )


def _as_before(frame: pd.DataFrame, types: dict[str, str]) -> pd.DataFrame:
    """Give numbers and days the types that they had; text has that of this pandas."""
    exact = ("int64", "Int64", "datetime64")
    wanted = {
        name: dtype
        for name, dtype in types.items()
        if dtype.startswith(exact) and str(frame[name].dtype) != dtype
    }
    return frame[list(types)].astype(wanted) if wanted else frame[list(types)]


def _told(finding: Finding) -> dict[str, Any]:
    return {**attrs.asdict(finding), "severity": finding.severity.value}


def _finding(told: dict[str, Any]) -> Finding:
    return Finding(**{**told, "severity": Severity(told["severity"])})


def _sync_folder(path: Path) -> None:
    """Make a new name outlast a loss of power, where the system can do that."""
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _hold(handle: int) -> None:
    """Lock an open file, or raise `OSError` at once if another has it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
