"""
Codes of Tencent Cloud SMS, told in our vocabulary.

Source: the list of codes in the official SDK (version 3.1.153, sms v20210111) and the
page of report codes. Read in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

from memberops.domain.message import MessageProblem as Problem

__all__ = ["problem_of_report", "problem_of_tencent"]

_CODES: Mapping[str, Problem] = {
    "FailedOperation.ContainSensitiveWord": Problem.CONTENT,
    "FailedOperation.MarketingSendTimeConstraint": Problem.THROTTLED,
    "FailedOperation.InsufficientBalanceInSmsPackage": Problem.BALANCE,
    "FailedOperation.PhoneNumberInBlacklist": Problem.OPTED_OUT,
    "FailedOperation.PhoneNumberParseFail": Problem.INVALID_NUMBER,
    "FailedOperation.ProhibitSubAccountUse": Problem.AUTHENTICATION,
    "FailedOperation.NotEnterpriseCertification": Problem.AUTHENTICATION,
    "FailedOperation.SignatureIncorrectOrUnapproved": Problem.SIGNATURE,
    "FailedOperation.MissingSignature": Problem.SIGNATURE,
    "FailedOperation.SignIdNotExist": Problem.SIGNATURE,
    "FailedOperation.TemplateIncorrectOrUnapproved": Problem.TEMPLATE,
    "FailedOperation.TemplateUnapprovedOrNotExist": Problem.TEMPLATE,
    "FailedOperation.TemplateIdNotExist": Problem.TEMPLATE,
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": Problem.TEMPLATE,
    "FailedOperation.JsonParseFail": Problem.REQUEST,
    "FailedOperation.FailResolvePacket": Problem.REQUEST,
    "InternalError.JsonParseFail": Problem.REQUEST,
    "InternalError.SigFieldMissing": Problem.AUTHENTICATION,
    "InternalError.SigVerificationFail": Problem.AUTHENTICATION,
    "InternalError.RestApiInterfaceNotExist": Problem.REQUEST,
    # The clock of the machine is wrong by more than ten minutes.
    "InternalError.RequestTimeException": Problem.AUTHENTICATION,
    "InvalidParameter.DirtyWordFound": Problem.CONTENT,
    "InvalidParameterValue.ContentLengthLimit": Problem.CONTENT,
    "InvalidParameterValue.IncorrectPhoneNumber": Problem.INVALID_NUMBER,
    "InvalidParameterValue.SdkAppIdNotExist": Problem.AUTHENTICATION,
    "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter": Problem.CONTENT,
    "InvalidParameterValue.TemplateParameterFormatError": Problem.TEMPLATE,
    "InvalidParameterValue.TemplateParameterLengthLimit": Problem.TEMPLATE,
    "InvalidParameterValue.MarketingTemplateWithoutUnsubscribe": Problem.TEMPLATE,
    "LimitExceeded.AppCountryOrRegionInBlacklist": Problem.REQUEST,
    "LimitExceeded.PhoneNumberCountLimit": Problem.REQUEST,
    "LimitExceeded.DeliveryFrequencyLimit": Problem.NUMBER_LIMIT,
    "UnauthorizedOperation.ServiceSuspendDueToArrears": Problem.BALANCE,
    "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone": Problem.TEMPLATE,
    "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone": Problem.TEMPLATE,
}

_BEGINNINGS: tuple[tuple[str, Problem], ...] = (
    ("LimitExceeded.PhoneNumber", Problem.NUMBER_LIMIT),
    ("LimitExceeded", Problem.THROTTLED),
    ("RequestLimitExceeded", Problem.THROTTLED),
    ("InternalError", Problem.PROVIDER),
    ("InternalServerError", Problem.PROVIDER),
    # Raised by what stands behind the door, maybe after the message left.
    ("FailedOperation.OtherError", Problem.PROVIDER),
    ("FailedOperation.ParametersOtherError", Problem.REQUEST),
    ("FailedOperation", Problem.OTHER),
    ("AuthFailure", Problem.AUTHENTICATION),
    ("UnauthorizedOperation", Problem.AUTHENTICATION),
    ("InvalidParameter", Problem.REQUEST),
    ("MissingParameter", Problem.REQUEST),
    ("UnknownParameter", Problem.REQUEST),
    ("InvalidAction", Problem.REQUEST),
    ("NoSuchVersion", Problem.REQUEST),
    ("UnsupportedOperation", Problem.REQUEST),
    ("UnsupportedRegion", Problem.REQUEST),
    ("UnsupportedProtocol", Problem.REQUEST),
)


def problem_of_tencent(code: str) -> Problem:
    """
    Tell a code of sending in our vocabulary; an unheard-of one says nothing.

    >>> problem_of_tencent("LimitExceeded.PhoneNumberOneHourLimit").value
    'number_limit'
    >>> problem_of_tencent("InternalError.Timeout").value
    'provider'
    """
    if code in _CODES:
        return _CODES[code]
    for beginning, problem in _BEGINNINGS:
        if code.startswith(beginning):
            return problem
    return Problem.PROVIDER


def problem_of_report(code: str) -> Problem:
    """
    Tell a carrier's code of a report in our vocabulary.

    >>> problem_of_report("EXPIRED").value, problem_of_report("MK:0001").value
    ('expired', 'carrier')
    """
    return {
        "EXPIRED": Problem.EXPIRED,
        "UNDELIV": Problem.UNREACHABLE,
    }.get(code, Problem.CARRIER)
