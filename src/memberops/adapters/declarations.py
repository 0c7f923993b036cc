"""What a plugin hands over: a name, something to call, and a line about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attrs

from memberops.domain.values import Language, check_language
from memberops.errors import InvalidValueError

__all__ = ["Adapter"]

FactoryT = TypeVar("FactoryT", bound=Callable[..., Any])

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_NAME = 40
_MAX_SUMMARY = 120


def _check_name(_instance: object, _attribute: object, value: Any) -> None:
    if (
        not isinstance(value, str)
        or len(value) > _MAX_NAME
        or _NAME.fullmatch(value) is None
    ):
        raise InvalidValueError(
            "an adapter's name is at most 40 lower-case letters and digits, in words "
            f"joined by dashes, such as 'acme-pos', not {value!r:.60}"
        )


def _check_factory(_instance: object, _attribute: object, value: Any) -> None:
    if not callable(value):
        raise InvalidValueError(
            "an adapter's factory is called to make the thing, and a "
            f"{type(value).__name__} cannot be called; give the class or a function"
        )


def _check_summary(_instance: object, attribute: Any, value: Any) -> None:
    if (
        not isinstance(value, str)
        or len(value) > _MAX_SUMMARY
        or len(value.splitlines()) > 1
        or value != value.strip()
        or (not value and attribute.default is attrs.NOTHING)
    ):
        raise InvalidValueError(
            f"{attribute.name!r} is one line of at most {_MAX_SUMMARY} characters that "
            f"says what the adapter does, not {value!r:.60}"
        )


@attrs.frozen(kw_only=True)
class Adapter(Generic[FactoryT]):
    """
    One thing that a plugin can do, declared and not yet done.

    A hook returns adapters; the host calls the factory when somebody asks for the
    adapter by name, and not before. So a factory may import what it needs, and
    nothing is opened by loading a plugin.

    Args:
        name: What a chain file calls it: lower-case words joined by dashes, such
            as ``"acme-pos"``. It is unique among the adapters of its hook.
        factory: What makes the thing; its signature is that of the hook.
        summary: One line in English for a list of what is installed.
        summary_zh: The same in Chinese; the English stands in while it is empty.

    Raises:
        InvalidValueError: The name is no such word, the factory cannot be called,
            or a summary is not one line.

    >>> adapter = Adapter(name="acme-pos", factory=dict, summary="Acme tills")
    >>> adapter.factory(shop="S01")
    {'shop': 'S01'}
    >>> adapter.describe("zh")
    'Acme tills'
    """

    name: str = attrs.field(validator=_check_name)
    factory: FactoryT = attrs.field(validator=_check_factory)
    summary: str = attrs.field(validator=_check_summary)
    summary_zh: str = attrs.field(default="", validator=_check_summary)

    def describe(self, language: Language = "en") -> str:
        """Return the summary in English or Chinese."""
        if check_language(language) == "zh" and self.summary_zh:
            return self.summary_zh
        return self.summary
