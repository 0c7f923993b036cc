"""Secrets: read when they are needed, and never shown."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from memberops.errors import ConfigurationError

__all__ = ["Secret", "secret_option"]

_MASK = "*****"
# Upper case only, so that a key that was pasted here is not quoted as a name.
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,79}")


class Secret:
    """
    A key or a token that is fetched at each use and never shown.

    Its repr, its text and any format of it are stars. It cannot be pickled or written
    as JSON, and nothing of it but the way to fetch it is kept.

    Args:
        fetch: Called at each use; returns the secret's text.
        source: What an error may say of where it comes from, such as the name of an
            environment variable.

    Raises:
        ConfigurationError: On `reveal`, if there is nothing to be had.

    >>> key = Secret(lambda: "s3cret", source="the vault")
    >>> key, f"{key:>9}", key.reveal()
    (Secret(*****), '    *****', 's3cret')
    >>> Secret.from_environment("NO_SUCH_VARIABLE").reveal()
    Traceback (most recent call last):
        ...
    memberops.errors.ConfigurationError: no secret came from the environment ...
    """

    __slots__ = ("_fetch", "_source")

    def __init__(self, fetch: Callable[[], str], *, source: str = "a function") -> None:
        if not callable(fetch):
            raise ConfigurationError(
                "a secret is given by a function that returns it, or by "
                "Secret.from_environment('NAME'), never as a literal"
            )
        self._fetch = fetch
        self._source = source

    @classmethod
    def from_environment(cls, variable: str) -> Secret:
        """Return the secret that an environment variable holds at each use."""
        return cls(
            lambda: os.environ.get(variable, ""),
            source=f"the environment variable {variable!r:.80}",
        )

    def reveal(self) -> str:
        """
        Fetch the secret.

        Raises:
            ConfigurationError: It is empty, no text, or could not be fetched. What
                the function itself raised is left out: it may hold the secret.
        """
        try:
            value: object = self._fetch()
        except Exception as error:  # noqa: BLE001 - whatever a vault's client raises
            reason = f" ({type(error).__name__})"
        else:
            if isinstance(value, str) and value.strip():
                return value.strip()
            reason = ""
        raise ConfigurationError(
            f"no secret came from {self._source}{reason}: set it first"
        ) from None

    def __repr__(self) -> str:
        """Show stars."""
        return f"Secret({_MASK})"

    def __str__(self) -> str:
        """Show stars."""
        return _MASK

    def __format__(self, spec: str) -> str:
        """Show stars in any format."""
        return format(_MASK, spec)

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        """Refuse to be pickled or copied."""
        raise TypeError("a Secret is neither pickled nor copied")


def secret_option(option: str, value: Any) -> Secret:
    """
    Read an option that is a secret.

    Args:
        option: Its name.
        value: A `Secret`, a function that returns the text, or as a chain file says
            it a table with the one key ``env``.

    Raises:
        ConfigurationError: It is a literal, or anything else. It is not quoted.

    >>> secret_option("token", {"env": "GATEWAY_TOKEN"})
    Secret(*****)
    >>> secret_option("token", "s3cret")
    Traceback (most recent call last):
        ...
    memberops.errors.ConfigurationError: 'token' is a secret and is not written down...
    """
    if isinstance(value, Secret):
        return value
    if callable(value):
        return Secret(value, source=f"the function given as {option!r}")
    if isinstance(value, Mapping) and set(value) == {"env"}:
        variable = value["env"]
        if isinstance(variable, str) and _VARIABLE.fullmatch(variable):
            return Secret.from_environment(variable)
    raise ConfigurationError(
        f"{option!r} is a secret and is not written down: put it into an environment "
        f'variable and name that, as in {option} = {{ env = "MEMBEROPS_KEY" }}, '
        "or give a function that returns it"
    )
