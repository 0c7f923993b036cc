"""The questions about service: cases, visits, appointments."""

from collections.abc import Callable

__all__ = ["COMMANDS"]

COMMANDS: tuple[Callable[..., int], ...] = ()
"""In the order of the help."""
