"""
The files of a reading: each once, in the folder it was asked for in, and named.

A path that is written out may lead anywhere: whoever writes the chain file decides.
What a pattern or a folder brings in is not written out, so it has to lie in the folder
that the pattern begins with; a link that leads out of it is refused, not followed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from memberops.adapters.sources.rejects import is_rejects_file
from memberops.domain import Finding, Severity
from memberops.errors import (
    ConfigurationError,
    InvalidValueError,
    MissingColumnsError,
    SourceError,
)

__all__ = ["equal_files", "found_files", "naming", "refuse_twice"]

_WILD = frozenset("*?[")
_PASSED = (".", "~$")


@contextmanager
def naming(file: str, table: str) -> Iterator[None]:
    """
    Begin the message of an error with the file and the table that it is about.

    Its Chinese text begins with them too, where it has one.

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
        english, chinese = str(error), error.text_zh
        place = f"{file} ({table})" if file and file not in english else table
        error.args = (f"{place}: {english}",)
        if chinese:
            place = f"{file}（{table}）" if file and file not in chinese else table
            error.in_chinese(f"{place}：{chinese}")
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


def found_files(folder: Path, path: str, *, endings: Sequence[str]) -> list[Path]:
    """
    Return the files that a path, a pattern or a folder means, in the order of names.

    Args:
        folder: What a relative path counts from.
        path: A file; a pattern with ``*``, ``?`` or ``[``; or a folder, of which the
            files with a usual ending are taken, and none of the folders in it.
        endings: The usual endings.

    Returns:
        The files. Rejects files of this library, hidden files and the lock files of
        spreadsheet programs are passed over unless they are written out.

    Raises:
        ConfigurationError: ``..`` stands behind a wildcard.
        SourceError: No file fits, or one lies outside the folder.

    >>> _ = Path("sales-10.csv").write_text("x"), Path("notes.doc").write_text("x")
    >>> [file.name for file in found_files(Path(), ".", endings=(".csv",))]
    ['sales-10.csv']
    """
    whole = folder / path
    if whole.is_dir():
        base, found = whole, sorted(whole.iterdir())
        found = [each for each in found if each.name.lower().endswith(tuple(endings))]
        none = f"the folder {path!r} holds no file that ends in {', '.join(endings)}"
    elif not _WILD & set(path) or whole.exists():
        return [whole]
    else:
        parts = whole.parts
        first = next(at for at, part in enumerate(parts) if _WILD & set(part))
        if ".." in parts[first:]:
            raise ConfigurationError(
                f"the pattern {path[:80]!r} has '..' behind a wildcard: "
                "write the folder out, then the pattern"
            )
        base = Path(*parts[:first])
        found = sorted(base.glob("/".join(parts[first:])))
        none = f"no file fits {path!r} in the chain's folder"
    found = [
        each
        for each in found
        if not each.name.startswith(_PASSED)
        and not is_rejects_file(each)
        and not each.is_dir()
    ]
    if not found:
        raise SourceError(none)
    home = base.resolve()
    for each in found:
        if not each.resolve().is_relative_to(home):
            raise SourceError(
                f"{each.name} is a link out of the folder {base.name or '.'!r}: "
                "name the file itself if it is meant"
            )
    return found
