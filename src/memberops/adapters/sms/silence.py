"""Keeping what HTTP libraries log of a request out of every log."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator

__all__ = ["hush", "silenced"]

_HERE = threading.local()


class _Silence(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - none is read
        return not getattr(_HERE, "silent", False)


_SILENCE = _Silence()


def hush(*families: str) -> None:
    """
    Let the loggers of these families drop what they log inside of `silenced`.

    A library that logs requests and answers would log phone numbers and keys. Its
    own calls elsewhere, and those of other threads, are logged as before.
    """
    known = [
        name
        for name in list(logging.root.manager.loggerDict)
        if any(name == family or name.startswith(f"{family}.") for family in families)
    ]
    for name in [*families, *known]:
        logging.getLogger(name).addFilter(_SILENCE)


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """
    Drop what hushed loggers log in this thread while it lasts.

    >>> hush("loud"); logger = logging.getLogger("loud")
    >>> with silenced():
    ...     logger.warning("13812345678")
    """
    before = getattr(_HERE, "silent", False)
    _HERE.silent = True
    try:
        yield
    finally:
        _HERE.silent = before
