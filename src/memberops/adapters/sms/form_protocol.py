"""How a gateway with a plain HTTP interface calls things."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import attrs

from memberops.domain.message import MessageProblem, ReceiptStatus
from memberops.errors import ConfigurationError, bounded, nearest

__all__ = ["FormProtocol"]

_SENT = ("id", "phone", "text", "template", "variables", "signature", "batch")


def _texts(value: Any) -> Mapping[str, str]:
    return MappingProxyType({str(key): str(text) for key, text in dict(value).items()})


def _names(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value)


def _problems(value: Any) -> Mapping[str, MessageProblem]:
    table = {}
    for code, name in dict(value).items():
        try:
            table[str(code)] = MessageProblem(name)
        except ValueError:
            raise ConfigurationError(
                f"'codes' says {str(name)!r:.60} of a code; "
                f"{nearest(str(name), [item.value for item in MessageProblem])}"
            ) from None
    return MappingProxyType(table)


def _statuses(value: Any) -> Mapping[str, ReceiptStatus]:
    table = {}
    for word, name in dict(value).items():
        try:
            table[str(word)] = ReceiptStatus(name)
        except ValueError:
            raise ConfigurationError(
                f"'statuses' says {str(name)!r:.60} of a word; "
                f"{nearest(str(name), [item.value for item in ReceiptStatus])}"
            ) from None
    return MappingProxyType(table)


@attrs.frozen(kw_only=True)
class FormProtocol:
    """
    The words of a gateway; the defaults are those of `FormGateway`.

    Paths such as ``data.0.code`` lead into a JSON document.

    Args:
        encoding: How messages are sent: ``json`` or ``form``.
        fields: What we know of a message (``id``, ``phone``, ``text``, ``template``,
            ``variables``, ``signature``, ``batch``) and the field it goes to; what is
            not named is not sent.
        constants: Fields that are the same in each request.
        token_header: Header of the token; empty if it is a field.
        token_scheme: Word before the token in that header.
        token_field: Field of the token, where it is no header; queries are then
            posted as messages are.
        code: Path to the code of an answer.
        success: Codes that mean accepted, or answered for a query.
        codes: The gateway's codes and the `memberops.domain.message.MessageProblem`
            of each. ``provider`` marks one after which the fate is unknown. Codes
            that are not here refuse, as ``other``.
        gateway_id: Path to the gateway's id in the answer.
        segments: Path to the number of parts in the answer.
        query_field: Parameter of a query, or field where it is posted, with our id.
        status: Path to the status in the answer to a query.
        statuses: The gateway's words and the
            `memberops.domain.message.ReceiptStatus` of each.
        receipts: Path to the receipts in what is pushed.
        receipt_id: Path to our id in a receipt.
        receipt_gateway_id: Path to the gateway's id in a receipt.
        error: Path to the code of a failure, in receipts and queries.
        at: Path to the moment, ISO 8601 with its offset.
        segment: Path to the number of the part.
        signature_header: Header of a receipt's signature.

    Raises:
        ConfigurationError: A word of ours is misspelt.

    >>> FormProtocol(codes={"21": "ballance"})
    Traceback (most recent call last):
        ...
    memberops.errors.ConfigurationError: 'codes' says 'ballance' of a code; did you ...
    """

    encoding: Literal["json", "form"] = "json"
    fields: Mapping[str, str] = attrs.field(
        converter=_texts,
        default={name: name for name in _SENT[:5]},
    )
    constants: Mapping[str, str] = attrs.field(converter=_texts, factory=dict)
    token_header: str = "Authorization"  # noqa: S105 - the name of a header
    token_scheme: str = "Bearer"  # noqa: S105 - a word of RFC 6750
    token_field: str = ""
    code: str = "code"
    success: tuple[str, ...] = attrs.field(converter=_names, default=("0",))
    codes: Mapping[str, MessageProblem] = attrs.field(
        converter=_problems,
        default={problem.value: problem.value for problem in MessageProblem},
    )
    gateway_id: str = "id"
    segments: str = "segments"
    query_field: str = "id"
    status: str = "status"
    statuses: Mapping[str, ReceiptStatus] = attrs.field(
        converter=_statuses,
        default={status.value: status.value for status in ReceiptStatus},
    )
    receipts: str = ""
    receipt_id: str = "id"
    receipt_gateway_id: str = "gateway_id"
    error: str = "error"
    at: str = "at"
    segment: str = "segment"
    signature_header: str = "X-Signature"

    def __attrs_post_init__(self) -> None:
        """Refuse what a message does not have, and a body that cannot be."""
        unknown = [name for name in self.fields if name not in _SENT]
        if unknown:
            raise ConfigurationError(
                f"'fields' sends {bounded(unknown)}; {nearest(unknown[0], _SENT)}"
            )
        if "id" not in self.fields or "phone" not in self.fields:
            raise ConfigurationError("'fields' sends 'id' and 'phone' at least")
        if self.encoding not in {"json", "form"}:
            raise ConfigurationError("'encoding' is 'json' or 'form'")
