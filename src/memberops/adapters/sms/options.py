"""Reading the options of a chain file, wrong ones being named."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import attrs

from memberops.adapters.sms.contract import SmsContext
from memberops.adapters.sms.http import HttpLimits
from memberops.adapters.sms.secrets import Secret, secret_option
from memberops.errors import ConfigurationError, nearest

__all__ = [
    "made_of",
    "name_option",
    "optional_secret",
    "read_limits",
    "seconds_option",
    "size_option",
    "system_clock",
    "text_option",
]

_ValueT = TypeVar("_ValueT")
_DAY = 86_400
_NAME = re.compile(r"\w[\w.-]{0,39}")


def system_clock() -> dt.datetime:
    """Return the moment by this machine's clock: signatures and waits need it."""
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - the edge; tests give another


def optional_secret(option: str, value: Any) -> Secret | None:
    """Read a secret that may be left out."""
    return None if value is None else secret_option(option, value)


def text_option(option: str, value: Any, *, example: str) -> str:
    """Return a text that is not empty, else raise with an example."""
    if isinstance(value, str) and value.strip() and value.isprintable():
        return value.strip()
    raise ConfigurationError(f"{option!r} is a text, such as {example!r}")


def made_of(kind: type[_ValueT], option: str, value: Any) -> _ValueT:
    """
    Make a frozen value of a chain file's table; a value itself is returned.

    Raises:
        ConfigurationError: A key is unknown, or a value cannot be; values are not
            quoted.
    """
    if isinstance(value, kind):
        return value
    table: Any = {} if value is None else value
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{option!r} is a table")
    known = [field.name for field in attrs.fields(kind)]  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise ConfigurationError(
                f"{option!r} has no key {str(key)!r:.60}; {nearest(str(key), known)}"
            )
    try:
        return kind(**table)
    except ConfigurationError:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(
            f"{option!r} holds a value that cannot be ({type(error).__name__}): see "
            f"{kind.__name__}"
        ) from None


def read_limits(context: SmsContext, value: Any) -> HttpLimits:
    """Read `HttpLimits`; the file of authorities counts from the chain's folder."""
    limits = made_of(HttpLimits, "limits", value)
    if limits.ca_file is None:
        return limits
    return attrs.evolve(limits, ca_file=Path(context.folder) / limits.ca_file)


def name_option(value: Any) -> str:
    """
    Return the name of an account, as receipts and the outbox call it.

    Raises:
        ConfigurationError: It is no name.

    >>> name_option("aliyun-beijing")
    'aliyun-beijing'
    """
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    raise ConfigurationError(
        "'name' is a word of up to 40 letters, digits, '-', '_' and '.', such as "
        "'aliyun-beijing': one for each account"
    )


def seconds_option(option: str, value: Any) -> int:
    """Return a whole number of seconds, up to a day, else raise."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _DAY:
        return value
    raise ConfigurationError(
        f"{option!r} is a whole number of seconds, from 0 to {_DAY} (a day)"
    )


def size_option(option: str, value: Any, *, most: int) -> int:
    """Return a whole number from 1 to *most*, else raise."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
        return value
    raise ConfigurationError(f"{option!r} is a whole number from 1 to {most}")
