"""Names of persons that a system keeps in parts."""

from __future__ import annotations

__all__ = ["full_name"]


def full_name(given: str | None, family: str | None) -> str | None:
    """
    Join a name as its bearer writes it.

    >>> full_name("三", "张"), full_name("Ada", "Lovelace"), full_name(None, None)
    ('张三', 'Ada Lovelace', None)
    """
    first, last = (given or "").strip(), (family or "").strip()
    if first and last and not f"{first}{last}".isascii():
        return f"{last}{first}"
    return f"{first} {last}".strip() or None
