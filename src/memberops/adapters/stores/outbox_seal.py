"""Phones and texts of an outbox under a key of the host."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import re
from typing import Any, NoReturn

from memberops.errors import ConfigurationError, MissingExtraError, OutboxStoreError

__all__ = ["SEALED", "KeySeal"]

SEALED = "sealed:1:"
"""Begins what is sealed."""

_KEY = re.compile(r"[0-9a-fA-F]{64}")
_NONCE = 12
_NAME = 4
_PURPOSE = b"memberops outbox"
_HINT = (
    "64 hexadecimal digits, as python -c 'import secrets; print(secrets.token_hex(32))'"
    " makes them"
)


class KeySeal:
    """
    Hides phones, texts and evidence in an outbox by AES-256-GCM (the extra ``seal``).

    What is changed in the database, or was hidden by another key, is not read: nor is
    a phone that was moved to another message, or written plainly beside what is hidden.
    What was written before there was a seal is read as it is.

    The first key hides, all of them show: to change the key, put the new one first and
    keep the old one behind it as long as the outbox has rows of its time. What members
    said is never rewritten, so that is as long as the outbox is kept.

    Args:
        keys: Each 64 hexadecimal digits.

    Raises:
        ConfigurationError: There is no key, or one is none; it is not quoted.
        MissingExtraError: The extra ``seal`` is not installed.

    >>> seal = KeySeal("ab" * 32)
    >>> hidden = seal.hide("13812345678")
    >>> hidden.startswith("sealed:1:"), hidden == seal.hide("13812345678")
    (True, False)
    >>> KeySeal("cd" * 32, "ab" * 32).show(hidden)
    '13812345678'
    >>> seal
    KeySeal(*****)
    """

    def __init__(self, *keys: str) -> None:
        if not keys or not all(_KEY.fullmatch(key) for key in keys):
            raise ConfigurationError(f"a key of the outbox is {_HINT}")
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError:
            raise MissingExtraError("sealing an outbox", "seal") from None
        bits = [bytes.fromhex(key) for key in keys]
        self._ciphers: dict[bytes, Any] = {
            hashlib.sha256(_PURPOSE + each).digest()[:_NAME]: AESGCM(each)
            for each in reversed(bits)
        }
        self._first = hashlib.sha256(_PURPOSE + bits[0]).digest()[:_NAME]

    @classmethod
    def from_environment(cls, variable: str) -> KeySeal:
        """
        Make one of the keys that an environment variable holds, parted by spaces.

        Args:
            variable: Its name.

        Raises:
            ConfigurationError: It holds none, or something else; it is not quoted.
        """
        keys = os.environ.get(variable, "").split()
        if not keys or not all(_KEY.fullmatch(key) for key in keys):
            raise ConfigurationError(
                f"the environment variable {variable[:80]!r} must hold the key of the "
                f"outbox: {_HINT}; older keys follow it, parted by spaces"
            )
        return cls(*keys)

    def hide(self, text: str) -> str:
        """Return what is written for a text: another each time."""
        nonce = os.urandom(_NONCE)
        body = self._ciphers[self._first].encrypt(
            nonce, text.encode("utf-8", "surrogatepass"), _PURPOSE
        )
        return SEALED + base64.b64encode(self._first + nonce + body).decode()

    def show(self, hidden: str) -> str:
        """
        Return the text again.

        Raises:
            OutboxStoreError: It was hidden by another key, or changed since.
        """
        if not hidden.startswith(SEALED):
            return hidden
        try:
            whole = base64.b64decode(hidden.removeprefix(SEALED), validate=True)
        except (binascii.Error, ValueError):
            whole = b""
        name, nonce = whole[:_NAME], whole[_NAME : _NAME + _NONCE]
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise OutboxStoreError(
                "the outbox was sealed by another key: put that one behind the new "
                "one, parted by a space"
            )
        text: bytes | None = None
        with contextlib.suppress(Exception):  # told below, in words
            text = cipher.decrypt(nonce, whole[_NAME + _NONCE :], _PURPOSE)
        if text is None:
            raise OutboxStoreError("what was sealed in the outbox has been changed")
        return text.decode("utf-8", "surrogatepass")

    def __repr__(self) -> str:
        """Show stars."""
        return "KeySeal(*****)"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        """Refuse to be pickled or copied."""
        raise TypeError("a KeySeal is neither pickled nor copied")
