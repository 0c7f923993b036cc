"""Finding a value in a JSON document by a path such as ``data.0.code``."""

from __future__ import annotations

from typing import Any

__all__ = ["look_up", "text_at"]


def look_up(document: Any, path: str) -> Any:
    """
    Return what stands at a path, None if nothing does.

    Args:
        document: As `json.loads` gives it.
        path: Names and positions joined by dots; empty for the document itself.

    >>> look_up({"data": [{"code": 0}]}, "data.0.code")
    0
    >>> look_up({"data": []}, "data.0.code") is None
    True
    """
    for step in path.split(".") if path else ():
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and step.isdecimal() and len(step) < 7:  # noqa: PLR2004 - no list is longer
            at = int(step)
            document = document[at] if at < len(document) else None
        else:
            return None
    return document


def text_at(document: Any, path: str) -> str | None:
    """
    Return a text or a whole number at a path as text, None for all else and empty.

    >>> text_at({"code": 0}, "code"), text_at({"code": True}, "code")
    ('0', None)
    """
    value = look_up(document, path)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None
