"""What a reply says of a message: one reading of statuses and codes for all."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import attrs

from memberops.adapters.sms.http import HttpReply
from memberops.adapters.sms.receipts import rfc_moment
from memberops.domain.message import (
    Message,
    MessageProblem,
    SendOutcome,
    SendResult,
)

__all__ = [
    "Verdict",
    "judge_answer",
    "judge_code",
    "judge_status",
    "next_request",
    "no_secret",
    "plain_code",
    "plain_id",
    "read_document",
    "retry_after",
    "unread",
]

_LONGEST_WAIT = dt.timedelta(days=1)
_CODE = re.compile(r"[A-Za-z0-9_.:+-]{1,80}")
_NUMBER = re.compile(r"(?:\d[_.:+-]*){7}")
_ID = re.compile(r"[!-~]{1,200}")
_MOBILE = re.compile(
    r"(?<![0-9A-Za-z])(?:\+?86[_.:-]?)?1[3-9]\d(?:[_.:-]?\d){8}(?![0-9A-Za-z])"
)
_SHORTEST = 7  # digits of a phone

_SURELY_REFUSED: Mapping[int, MessageProblem] = {
    400: MessageProblem.REQUEST,
    401: MessageProblem.AUTHENTICATION,
    402: MessageProblem.BALANCE,
    403: MessageProblem.AUTHENTICATION,
    404: MessageProblem.REQUEST,
    405: MessageProblem.REQUEST,
    411: MessageProblem.REQUEST,
    413: MessageProblem.REQUEST,
    414: MessageProblem.REQUEST,
    415: MessageProblem.REQUEST,
    421: MessageProblem.REQUEST,
    422: MessageProblem.REQUEST,
    431: MessageProblem.REQUEST,
}
"""Statuses that by their definition (RFC 9110 §15.5) were given before any work."""

_LATER = {
    MessageProblem.THROTTLED,
    MessageProblem.NUMBER_LIMIT,
    MessageProblem.BALANCE,
    MessageProblem.AUTHENTICATION,
    MessageProblem.CONNECTION,
}
"""Reasons that can pass without anybody changing the message."""


@attrs.frozen(kw_only=True)
class Verdict:
    """
    What became of an attempt, before it is told of a message.

    Args:
        outcome: A `memberops.domain.message.SendOutcome`.
        problem: Why it was not accepted.
        raw_code: The provider's own code, the HTTP status, or an error's name.
        retry_after: How long the provider asks to wait.
        begun: False if the request had no room for it.
    """

    outcome: SendOutcome
    problem: MessageProblem | None = None
    raw_code: str = ""
    retry_after: dt.timedelta | None = None
    begun: bool = True

    def of(self, message: Message, **known: Any) -> SendResult:
        """Tell it of a message, with what else is known of the attempt."""
        return SendResult(
            message_id=message.message_id,
            outcome=self.outcome,
            problem=self.problem,
            raw_code=self.raw_code,
            retry_after=self.retry_after,
            begun=self.begun,
            **known,
        )


def plain_code(value: object) -> str:
    """
    Return a provider's code as text, and stars for what is no code.

    A gateway may write the phone it was given where its code belongs.

    >>> plain_code("isv.OUT_OF_SERVICE"), plain_code(0), plain_code("to 13812345678!")
    ('isv.OUT_OF_SERVICE', '0', '*****')
    >>> plain_code("13812345678"), plain_code("+86-138-0013.8000")
    ('*****', '*****')
    """
    text = str(value) if isinstance(value, str | int) else "*****"
    if _CODE.fullmatch(text) is None or _NUMBER.search(text):
        return "*****"
    return text


def plain_id(value: str | None, *, phone: str = "") -> str | None:
    """
    Return a provider's id of a message; None for what holds a phone, or is no id.

    Args:
        value: What stands where its id belongs.
        phone: To which the message goes, if that is known.

    >>> plain_id("900619746936498440^0"), plain_id("SM0123456789abcdef")
    ('900619746936498440^0', 'SM0123456789abcdef')
    >>> plain_id("to:138-1234-5678"), plain_id("x2125551234", phone="+1 212 555 1234")
    (None, None)
    """
    if value is None or _ID.fullmatch(value) is None or _MOBILE.search(value):
        return None
    digits, own = (re.sub(r"\D", "", text, flags=re.ASCII) for text in (value, phone))
    shown = len(own) >= _SHORTEST and own[-10:] in digits
    return None if shown else value


def judge_code(problem: MessageProblem, raw_code: str) -> Verdict:
    """
    Judge a typed refusal: may the same message be tried again?

    A limit, an empty account and a wrong key pass without a change of the message,
    so they postpone. An error inside the provider says nothing: unknown.
    """
    outcome = SendOutcome.REFUSED
    if problem in _LATER:
        outcome = SendOutcome.POSTPONED
    elif problem is MessageProblem.PROVIDER:
        outcome = SendOutcome.UNKNOWN
    return Verdict(outcome=outcome, problem=problem, raw_code=raw_code)


def judge_status(reply: HttpReply, *, now: dt.datetime) -> Verdict | None:
    """
    Judge a reply as far as HTTP goes; None if its body decides.

    Surely not accepted are what never left, 429, and the statuses that are given
    before any work. A redirect is not followed and not a refusal: the request was
    read by a server that may have passed it on, so it is unknown, as are time-outs,
    cut or too long answers, and 5xx.

    Args:
        reply: What came.
        now: For a ``Retry-After`` that is a moment, if the reply has no ``Date``.
    """
    if reply.fate == "unsent":
        return Verdict(
            outcome=SendOutcome.POSTPONED,
            problem=MessageProblem.CONNECTION,
            raw_code=reply.reason,
        )
    unknown = Verdict(outcome=SendOutcome.UNKNOWN, raw_code=f"HTTP {reply.status}")
    if reply.fate == "lost":
        return attrs.evolve(
            unknown, problem=MessageProblem.CONNECTION, raw_code=reply.reason
        )
    if reply.status == 429:  # noqa: PLR2004 - the number is its name
        return Verdict(
            outcome=SendOutcome.POSTPONED,
            problem=MessageProblem.THROTTLED,
            raw_code="HTTP 429",
            retry_after=retry_after(reply.headers, now=now),
        )
    if reply.status // 100 == 2:  # noqa: PLR2004 - the class of success
        return None
    refused = _SURELY_REFUSED.get(reply.status)
    if refused is not None:
        return judge_code(refused, f"HTTP {reply.status}")
    return attrs.evolve(unknown, problem=MessageProblem.PROVIDER)


def judge_answer(
    reply: HttpReply,
    code: str | None,
    *,
    success: Collection[str],
    problem_of: Callable[[str], MessageProblem],
    now: dt.datetime,
) -> Verdict:
    """
    Judge by the status, and by the provider's code where the status leaves it open.

    Args:
        reply: What came.
        code: The code in its body, None if it has none.
        success: Codes that mean accepted.
        problem_of: Tells any other code in our vocabulary.
        now: See `judge_status`.
    """
    verdict = judge_status(reply, now=now)
    if verdict is None:
        if code is None:
            return unread("no code")
        if code in success:
            return Verdict(outcome=SendOutcome.ACCEPTED, raw_code=plain_code(code))
    elif code is None or reply.status // 100 != 4 or reply.status in {408, 429}:  # noqa: PLR2004 - classes and numbers of statuses
        return verdict
    elif code in success:  # a refusal that says all is well
        return unread(verdict.raw_code)
    verdict = judge_code(problem_of(code), plain_code(code))
    if verdict.outcome is not SendOutcome.POSTPONED:
        return verdict
    return attrs.evolve(verdict, retry_after=retry_after(reply.headers, now=now))


def next_request() -> Verdict:
    """Judge a message that its call had no room for: nothing of it has left."""
    return Verdict(
        outcome=SendOutcome.POSTPONED,
        problem=MessageProblem.THROTTLED,
        raw_code="next request",
        retry_after=dt.timedelta(),
        begun=False,
    )


def no_secret() -> Verdict:
    """Judge an attempt for which no secret was to be had: nothing has left."""
    return judge_code(MessageProblem.AUTHENTICATION, "no secret")


def unread(raw_code: str) -> Verdict:
    """Judge an answer that does not say what its provider's answers say."""
    return judge_code(MessageProblem.PROVIDER, raw_code)


def retry_after(headers: Mapping[str, str], *, now: dt.datetime) -> dt.timedelta | None:
    """
    Read ``Retry-After``, in seconds or as a moment, held between now and a day.

    >>> at = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    >>> [str(retry_after({"retry-after": text}, now=at)) for text in
    ...  ("30", "-5", "1000000000", "Sun, 22 Nov 2026 00:02:00 GMT", "soon")]
    ['0:00:30', '0:00:00', '1 day, 0:00:00', '0:02:00', 'None']
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[-+]?\d{1,30}(\.\d{1,30})?", text, re.ASCII):
        seconds = min(max(float(text), 0.0), _LONGEST_WAIT.total_seconds())
        return dt.timedelta(seconds=seconds)
    until = rfc_moment(text)
    if until is None:
        return None
    wait = until - (rfc_moment(headers.get("date", "")) or now)
    return min(max(wait, dt.timedelta()), _LONGEST_WAIT)


def read_document(body: bytes) -> Any:
    """
    Read a JSON document; None if it is none, or nested beyond reason.

    >>> read_document(b'{"code": 0}'), read_document(b'{"code":')
    ({'code': 0}, None)
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
