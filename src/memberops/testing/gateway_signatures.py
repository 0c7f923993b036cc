"""
Reading the signatures of requests as a provider's server does.

Written from the providers' descriptions and not from our signers, so that one mistake
in both is unlikely: it takes the request as it came, and encodes nothing anew.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Iterable

from memberops.testing.faulty_gateway_server import GatewayRequest

__all__ = ["canonical_request", "is_fresh", "mac_chain", "same", "signed_fields"]

_FIELD = re.compile(r"(Credential|SignedHeaders|Signature)=([^, ]+)")
_SKEW = dt.timedelta(minutes=15)


def signed_fields(request: GatewayRequest, scheme: str) -> dict[str, str]:
    """
    Return the parts of the header ``Authorization`` of a scheme; none if it is wrong.

    >>> request = GatewayRequest(method="POST", target="/", headers={
    ...     "authorization": "X Credential=a, SignedHeaders=b;c,Signature=d"})
    >>> signed_fields(request, "X")
    {'Credential': 'a', 'SignedHeaders': 'b;c', 'Signature': 'd'}
    >>> signed_fields(request, "Y")
    {}
    """
    given, _, rest = request.headers.get("authorization", "").partition(" ")
    found = dict(_FIELD.findall(rest)) if given == scheme else {}
    return found if len(found) == 3 else {}  # noqa: PLR2004 - the three fields


def canonical_request(
    request: GatewayRequest, names: Iterable[str], *, body_hash: str | None = None
) -> str:
    """
    Return the text that ACS3, TC3 and Signature Version 4 sign, in hexadecimal SHA-256.

    Args:
        request: As it came.
        names: The headers that are signed, in their order.
        body_hash: Of the body; made of it by default.
    """
    path, _, query = request.target.partition("?")
    # a space may come as a plus, and is signed as %20
    ordered = "&".join(sorted(query.replace("+", "%20").split("&")))
    lines = [f"{name}:{request.headers.get(name, '')}" for name in names]
    digest = body_hash or hashlib.sha256(request.body).hexdigest()
    text = "\n".join(
        [request.method, path, ordered, *lines, "", ";".join(names), digest]
    )
    return hashlib.sha256(text.encode("latin-1")).hexdigest()


def mac_chain(key: str, *texts: str) -> str:
    """Return HMAC-SHA256 of each text under that of the one before, in hexadecimal."""
    code = key.encode()
    for text in texts:
        code = hmac.digest(code, text.encode(), "sha256")
    return code.hex()


def same(given: str, wanted: str) -> bool:
    """Compare two texts in a time that tells nothing."""
    return hmac.compare_digest(given.encode(), wanted.encode())


def is_fresh(moment: dt.datetime) -> bool:
    """Tell whether a moment is within a quarter of an hour of this machine's clock."""
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - a server has a clock
    return abs(now - moment) < _SKEW
