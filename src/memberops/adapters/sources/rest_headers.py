"""Headers that a chain file has sent with each request, and what a cursor is of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from memberops.adapters.sources.moment_cursor import digest_of
from memberops.errors import ConfigurationError

__all__ = ["headers_mark", "sent_headers"]

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_SECRET = re.compile(
    r"auth|cookie|credential|jwt|key|passw|pwd|secret|session|signature|token",
    re.IGNORECASE,
)


def sent_headers(headers: Any) -> dict[str, str]:
    """
    Check the headers of a chain file.

    Raises:
        ConfigurationError: They are no table of texts, or one cannot be sent. No
            value is shown.

    >>> sent_headers({"X-Tenant": "a"}), sent_headers(None)
    ({'X-Tenant': 'a'}, {})
    >>> sent_headers({"X-Tenant": 7})
    Traceback (most recent call last):
        ...
    memberops.errors.ConfigurationError: 'headers' is a table of texts, as in headers...
    """
    if headers is not None and not isinstance(headers, Mapping):
        raise _no_texts("")
    given = dict(headers or {})
    for name, value in given.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _no_texts("; the name of one cannot be sent")
        if not isinstance(value, str) or not value.isprintable():
            raise _no_texts(f"; {name[:40]!r} is none; a key belongs into 'auth'")
    return given


def _no_texts(what: str) -> ConfigurationError:
    example = 'headers = { X-Tenant = "a" }'
    return ConfigurationError(f"'headers' is a table of texts, as in {example}{what}")


def headers_mark(headers: Mapping[str, str]) -> str:
    """
    Return a digest of the headers that may choose what a service gives.

    Those whose name tells of a secret are left out: a key is renewed, and nothing of
    it belongs into a cursor.

    >>> headers_mark({"X-Tenant": "a"}) == headers_mark({"x-tenant": "a"})
    True
    >>> headers_mark({"X-Tenant": "a"}) == headers_mark({"X-Tenant": "b"})
    False
    >>> headers_mark({"X-Api-Key": "k"})
    ''
    """
    plain = sorted(
        (name.lower(), value)
        for name, value in headers.items()
        if not _SECRET.search(name)
    )
    return digest_of(plain) if plain else ""
