"""The files of a reading: each once, and named in every error."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from memberops.domain import Finding, Severity
from memberops.errors import (
    ConfigurationError,
    InvalidValueError,
    MissingColumnsError,
    SourceError,
)

__all__ = ["equal_files", "naming", "refuse_twice"]


@contextmanager
def naming(file: str, table: str) -> Iterator[None]:
    """
    Begin the message of an error with the file and the table that it is about.

    >>> with naming("sales.csv", "sales"):
    ...     raise SourceError("it is empty")
    Traceback (most recent call last):
        ...
    memberops.errors.SourceError: sales.csv (sales): it is empty
    """
    try:
        yield
    except (
        ConfigurationError,
        InvalidValueError,
        MissingColumnsError,
        SourceError,
    ) as error:
        named = not file or file in str(error)
        place = table if named else f"{file} ({table})"
        error.args = (f"{place}: {error}",)
        raise


def refuse_twice(paths: Sequence[Path]) -> None:
    """
    Refuse a file that is given twice: its rows would count twice.

    Raises:
        ConfigurationError: Naming the file.
    """
    seen = set()
    for path in paths:
        whole = path.resolve()
        if whole in seen:
            raise ConfigurationError(
                f"the file {path.name} is given twice, so its rows would count twice: "
                "name it once, or give patterns that do not overlap"
            )
        seen.add(whole)


def equal_files(paths: Sequence[Path], table: str) -> list[Finding]:
    """Warn of each file that equals an earlier one to the byte."""
    sizes: dict[int, list[Path]] = {}
    for path in paths:
        sizes.setdefault(path.stat().st_size, []).append(path)
    findings = []
    for size, group in sizes.items():
        firsts: dict[str, Path] = {}
        # Files of different sizes differ, so most files are read no second time.
        for path in group if len(group) > 1 and size else ():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            first = firsts.setdefault(digest, path)
            if first is not path:
                findings.append(
                    Finding(
                        table=table,
                        rule="file-twin",
                        source=path.name,
                        severity=Severity.WARNING,
                        message_en=f"the file equals {first.name} to the byte; its "
                        "rows count once more: remove one if it is a copy",
                        message_zh=f"该文件与 {first.name} 内容完全相同，其数据被重复"
                        "计入；如为副本，请删除其一",
                    )
                )
    return findings
