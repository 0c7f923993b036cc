"""How a request says who asks, without anybody else being told."""

from __future__ import annotations

import base64
from typing import Literal

import attrs

from memberops.adapters.secrets import Secret
from memberops.errors import ConfigurationError

__all__ = ["Credential"]


@attrs.frozen(kw_only=True)
class Credential:
    """
    How a request says who asks.

    Args:
        kind: ``bearer``, ``basic`` (with *user*), ``header`` or ``query`` (with
            *name*).
        secret: The key, token or password.
        user: Of ``basic``; a `Secret` too where half a key stands there.
        name: Of the header or the parameter.
        prefix: What stands before the secret in a header, such as ``"token "``.

    >>> key = Secret(lambda: "k", source="a test")
    >>> Credential(kind="bearer", secret=key).headers()
    {'Authorization': 'Bearer k'}
    >>> Credential(kind="query", secret=key, name="access_token").parameters()
    {'access_token': 'k'}
    """

    kind: Literal["bearer", "basic", "header", "query"] = attrs.field(
        validator=attrs.validators.in_(("bearer", "basic", "header", "query"))
    )
    secret: Secret = attrs.field(validator=attrs.validators.instance_of(Secret))
    user: str | Secret = ""
    name: str = ""
    prefix: str = ""

    def __attrs_post_init__(self) -> None:
        """Ask for what the kind needs."""
        if self.kind in {"header", "query"} and not self.name:
            raise ConfigurationError(f"'auth' of the kind {self.kind!r} needs a 'name'")
        if self.kind == "basic" and not self.user:
            raise ConfigurationError("'auth' of the kind 'basic' needs a 'user'")

    def headers(self) -> dict[str, str]:
        """Return the headers that carry the secret."""
        if self.kind == "query":
            return {}
        secret = self.secret.reveal()
        if self.kind == "basic":
            user = self.user if isinstance(self.user, str) else self.user.reveal()
            pair = base64.b64encode(f"{user}:{secret}".encode()).decode("ascii")
            return {"Authorization": f"Basic {pair}"}
        if not secret.isprintable() or not secret.isascii():
            raise ConfigurationError("the secret of 'auth' cannot stand in a header")
        if self.kind == "bearer":
            return {"Authorization": f"Bearer {secret}"}
        return {self.name: f"{self.prefix}{secret}"}

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the address that carry the secret."""
        return {self.name: self.secret.reveal()} if self.kind == "query" else {}
