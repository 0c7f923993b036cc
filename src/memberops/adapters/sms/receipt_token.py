"""Proof of receipts for providers that sign none: a secret in the address."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs, urlsplit

from memberops.adapters.sms.contract import ReceiptRequest
from memberops.adapters.sms.secrets import Secret

__all__ = ["carries_token"]


def carries_token(request: ReceiptRequest, token: Secret | None) -> bool:
    """
    Tell whether a pushed request was sent to the address that only we two know.

    Args:
        request: As it came; the address has ``token=…`` among its parameters.
        token: The secret; without one nothing is proven.

    >>> request = ReceiptRequest(url="https://shop.example.com/sms?token=s3cret")
    >>> carries_token(request, Secret(lambda: "s3cret")), carries_token(request, None)
    (True, False)
    """
    if token is None:
        return False
    try:
        given = parse_qs(urlsplit(request.url).query).get("token", [""])
    except ValueError:  # no address at all
        return False
    wanted = token.reveal().encode()
    return len(given) == 1 and hmac.compare_digest(
        given[0].encode("utf-8", "replace"), wanted
    )
