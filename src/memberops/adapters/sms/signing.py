"""Signatures of requests and callbacks: pure functions of what is signed."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

__all__ = [
    "form_encoded",
    "matches_twilio",
    "sign_acs3",
    "sign_tc3",
    "sign_twilio",
]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def form_encoded(fields: Mapping[str, str]) -> str:
    """
    Encode fields, sorted by name, as RFC 3986 does: a space is %20.

    >>> form_encoded({"b": "a b", "a": "*~张"})
    'a=%2A~%E5%BC%A0&b=a%20b'
    """
    return "&".join(
        f"{quote(name, safe='')}={quote(value, safe='', errors='replace')}"
        for name, value in sorted(fields.items())
    )


def sign_acs3(
    *,
    key_id: str,
    key: str,
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
) -> str:
    """
    Return the ``Authorization`` of Alibaba Cloud, ACS3-HMAC-SHA256.

    Args:
        key_id: The AccessKey ID.
        key: The AccessKey secret.
        method: Of the request.
        path: Of the address.
        query: Parameters of the address, not encoded.
        headers: Those to sign; moment and nonce are among them.
        body: The bytes that are sent.

    >>> sign_acs3(key_id="id", key="key", method="POST", path="/", query={},
    ...           headers={"Host": "x"}, body=b"").partition("Signature=")[0]
    'ACS3-HMAC-SHA256 Credential=id,SignedHeaders=host,'
    """
    signed = {name.lower(): value.strip() for name, value in headers.items()}
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    request = "\n".join(
        [method, path, form_encoded(query), lines, names, _digest(body)]
    )
    text = f"ACS3-HMAC-SHA256\n{_digest(request.encode())}"
    signature = _mac(key.encode(), text).hex()
    return (
        f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={names},"
        f"Signature={signature}"
    )


def sign_tc3(
    *,
    key_id: str,
    key: str,
    service: str,
    host: str,
    content_type: str,
    body: bytes,
    at: dt.datetime,
) -> str:
    """
    Return the ``Authorization`` of Tencent Cloud, TC3-HMAC-SHA256.

    Args:
        key_id: The SecretId.
        key: The SecretKey.
        service: Such as ``sms``.
        host: The ``Host`` header.
        content_type: The ``Content-Type`` header.
        body: The bytes that are sent.
        at: The moment, which is also sent as ``X-TC-Timestamp``.
    """
    moment = at.astimezone(dt.UTC)
    day = moment.date().isoformat()
    scope = f"{day}/{service}/tc3_request"
    request = "\n".join(
        [
            "POST",
            "/",
            "",
            f"content-type:{content_type}\nhost:{host}\n",
            "content-type;host",
            _digest(body),
        ]
    )
    text = "\n".join(
        [
            "TC3-HMAC-SHA256",
            str(int(moment.timestamp())),
            scope,
            _digest(request.encode()),
        ]
    )
    derived = _mac(_mac(_mac(f"TC3{key}".encode(), day), service), "tc3_request")
    return (
        f"TC3-HMAC-SHA256 Credential={key_id}/{scope}, "
        f"SignedHeaders=content-type;host, Signature={_mac(derived, text).hex()}"
    )


def sign_twilio(*, token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """
    Return the ``X-Twilio-Signature`` of a callback, HMAC-SHA1 in base 64.

    Args:
        token: The account's auth token.
        url: The address that was called, parameters included.
        fields: Of the form in the body; of a repeated name each value counts once.

    >>> fields = [("b", "2"), ("a", "1")]
    >>> sign_twilio(token="key", url="https://x/", fields=fields) == sign_twilio(
    ...     token="key", url="https://x/a1", fields=[("b", "2")])
    True
    """
    text = url + "".join(f"{name}{value}" for name, value in sorted(set(fields)))
    # SHA-1 is Twilio's choice, and as an HMAC it holds.
    code = hmac.new(token.encode(), text.encode("utf-8", "replace"), hashlib.sha1)
    return base64.b64encode(code.digest()).decode()


def matches_twilio(
    given: str, *, token: str, url: str, fields: Iterable[tuple[str, str]]
) -> bool:
    """
    Tell whether a callback's signature is Twilio's, with or without the port.

    Twilio signs the address sometimes with the standard port and sometimes not.

    Args:
        given: The header that came.
        token: As `sign_twilio` takes it.
        url: As `sign_twilio` takes it.
        fields: As `sign_twilio` takes it.
    """
    pairs = list(fields)
    try:
        parts = urlsplit(url)
        standard = 443 if parts.scheme == "https" else 80
        host = parts.hostname or ""
        port = parts.port or standard
    except ValueError:
        return False
    host = f"[{host}]" if ":" in host else host
    netlocs = {parts.netloc, host, f"{host}:{port}"}
    if parts.port not in {None, standard}:
        netlocs.discard(host)
    return any(
        hmac.compare_digest(
            sign_twilio(
                token=token, url=parts._replace(netloc=netloc).geturl(), fields=pairs
            ).encode(),
            given.encode("utf-8", "replace"),
        )
        for netloc in sorted(netlocs)
    )
