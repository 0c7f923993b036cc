"""
Codes of Alibaba Cloud SMS, told in our vocabulary.

Source: the API reference, pages 101346 (codes of sending), 101347 (codes of reports),
and the common codes of the gateway. Read in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

from memberops.domain.message import MessageProblem as Problem

__all__ = ["REPORT_CODES", "problem_of_aliyun"]

_CODES: Mapping[str, Problem] = {
    "isv.BUSINESS_LIMIT_CONTROL": Problem.NUMBER_LIMIT,
    "isv.DAY_LIMIT_CONTROL": Problem.NUMBER_LIMIT,
    "isv.MONTH_LIMIT_CONTROL": Problem.NUMBER_LIMIT,
    "isv.AMOUNT_NOT_ENOUGH": Problem.BALANCE,
    "isv.OUT_OF_SERVICE": Problem.BALANCE,
    "isv.ACCOUNT_NOT_EXISTS": Problem.AUTHENTICATION,
    "isv.ACCOUNT_ABNORMAL": Problem.AUTHENTICATION,
    "isv.DENY_IP_RANGE": Problem.AUTHENTICATION,
    "isv.PRODUCT_UN_SUBSCRIPT": Problem.AUTHENTICATION,
    "isv.PRODUCT_UNSUBSCRIBE": Problem.AUTHENTICATION,
    "isp.RAM_PERMISSION_DENY": Problem.AUTHENTICATION,
    "isv.MOBILE_NUMBER_ILLEGAL": Problem.INVALID_NUMBER,
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": Problem.INVALID_NUMBER,
    "isv.MOBILE_COUNT_OVER_LIMIT": Problem.REQUEST,
    "isv.CUSTOMER_REFUSED": Problem.OPTED_OUT,
    "isv.SMS_SIGNATURE_ILLEGAL": Problem.SIGNATURE,
    "isv.SMS_SIGN_ILLEGAL": Problem.SIGNATURE,
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": Problem.SIGNATURE,
    "isv.SMS_TEMPLATE_ILLEGAL": Problem.TEMPLATE,
    "isv.TEMPLATE_MISSING_PARAMETERS": Problem.TEMPLATE,
    "isv.TEMPLATE_PARAMS_ILLEGAL": Problem.TEMPLATE,
    "isv.SMS_CONTENT_ILLEGAL": Problem.CONTENT,
    "isv.BLACK_KEY_CONTROL_LIMIT": Problem.CONTENT,
    "isv.PARAM_LENGTH_LIMIT": Problem.CONTENT,
    "isv.PARAM_NOT_SUPPORT_URL": Problem.CONTENT,
    "isv.INVALID_PARAMETERS": Problem.REQUEST,
    "isv.INVALID_JSON_PARAM": Problem.REQUEST,
    "isv.SYSTEM_ERROR": Problem.PROVIDER,
    # Somebody sent this nonce before: what that request did is not known.
    "SignatureNonceUsed": Problem.PROVIDER,
}

_BEGINNINGS: tuple[tuple[str, Problem], ...] = (
    ("isv.", Problem.OTHER),
    ("isp.", Problem.PROVIDER),
    ("Throttling", Problem.THROTTLED),
    ("InvalidAccessKeyId", Problem.AUTHENTICATION),
    ("InvalidTimeStamp", Problem.AUTHENTICATION),
    ("SignatureDoesNotMatch", Problem.AUTHENTICATION),
    ("IncompleteSignature", Problem.AUTHENTICATION),
    ("Forbidden", Problem.AUTHENTICATION),
    ("NoPermission", Problem.AUTHENTICATION),
    ("Missing", Problem.REQUEST),
    ("Invalid", Problem.REQUEST),
    ("Unsupported", Problem.REQUEST),
)

REPORT_CODES: Mapping[str, Problem] = {
    "MOBILE_NOT_ON_SERVICE": Problem.UNREACHABLE,
    "MOBILE_TERMINAL_ERROR": Problem.UNREACHABLE,
    "MOBILE_ACCOUNT_ABNORMAL": Problem.UNREACHABLE,
    "IS_CLOSED": Problem.UNREACHABLE,
    "INVALID_NUMBER": Problem.INVALID_NUMBER,
    "MOBILE_IN_BLACK": Problem.OPTED_OUT,
    "USER_REJECT": Problem.OPTED_OUT,
    "MOBILE_SEND_LIMIT": Problem.NUMBER_LIMIT,
    "CONTENT_KEYWORD": Problem.CONTENT,
    "CONTENT_ERROR": Problem.CONTENT,
    "NO_ROUTE": Problem.CARRIER,
    "EXPIRED": Problem.EXPIRED,
}
"""Codes of a report or a query; others are the carrier's own."""


def problem_of_aliyun(code: str) -> Problem:
    """
    Tell a code of sending in our vocabulary; an unheard-of one says nothing.

    >>> problem_of_aliyun("isv.BUSINESS_LIMIT_CONTROL").value
    'number_limit'
    >>> problem_of_aliyun("Throttling.User").value, problem_of_aliyun("Odd").value
    ('throttled', 'provider')
    """
    if code in _CODES:
        return _CODES[code]
    for beginning, problem in _BEGINNINGS:
        if code.startswith(beginning):
            return problem
    return Problem.PROVIDER
