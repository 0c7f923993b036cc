"""
Codes of Twilio, told in our vocabulary.

Source: Twilio's error and warning dictionary (https://www.twilio.com/docs/api/errors).
Read in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

from memberops.domain.message import MessageProblem as Problem

__all__ = ["problem_of_twilio"]

_CODES: Mapping[str, Problem] = {
    "20003": Problem.AUTHENTICATION,
    "20005": Problem.AUTHENTICATION,
    "20404": Problem.REQUEST,
    "20429": Problem.THROTTLED,
    "20500": Problem.PROVIDER,
    "20503": Problem.PROVIDER,
    "21211": Problem.INVALID_NUMBER,
    "21212": Problem.REQUEST,
    "21408": Problem.REQUEST,
    "21601": Problem.REQUEST,
    "21602": Problem.CONTENT,
    "21603": Problem.REQUEST,
    "21604": Problem.INVALID_NUMBER,
    "21606": Problem.REQUEST,
    "21608": Problem.REQUEST,
    "21610": Problem.OPTED_OUT,
    "21611": Problem.THROTTLED,
    "21612": Problem.UNREACHABLE,
    "21614": Problem.INVALID_NUMBER,
    "21617": Problem.CONTENT,
    "30001": Problem.THROTTLED,
    "30002": Problem.AUTHENTICATION,
    "30003": Problem.UNREACHABLE,
    "30004": Problem.OPTED_OUT,
    "30005": Problem.INVALID_NUMBER,
    "30006": Problem.INVALID_NUMBER,
    "30007": Problem.CONTENT,
    "30008": Problem.CARRIER,
    "30010": Problem.BALANCE,
    "30022": Problem.THROTTLED,
    "30036": Problem.EXPIRED,
    "63038": Problem.THROTTLED,
}


def problem_of_twilio(code: str) -> Problem:
    """
    Tell a code in our vocabulary.

    >>> problem_of_twilio("21610").value, problem_of_twilio("21999").value
    ('opted_out', 'other')
    >>> problem_of_twilio("20500").value
    'provider'
    """
    return _CODES.get(code, Problem.OTHER)
