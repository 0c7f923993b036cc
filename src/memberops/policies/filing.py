"""Filing a complete profile, and the welcome within 7 days of it (VIP, HQ §4.1)."""

from __future__ import annotations

import datetime as dt

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Decision, Reason, Statement
from memberops.domain.values import check_as_of, identifier
from memberops.errors import ColumnTypeError, InvalidValueError, MissingColumnsError
from memberops.policies.intake import days_of
from memberops.policies.term import not_negative
from memberops.schedules.dates import add_days

__all__ = ["Welcome", "file_profiles"]

_TEXTS = {
    "not_filed": ("not filed yet", "尚未归档"),
    "contacted": ("welcomed in time", "已按时联系"),
    "contacted_late": ("welcomed late", "已联系，但已逾期"),
    "due": ("to be welcomed", "待联系"),
    "overdue": ("the welcome is overdue", "逾期未联系"),
}


def _needed(frame: pd.DataFrame, name: str, columns: tuple[str, ...]) -> None:
    missing = [column for column in columns if column not in frame]
    if missing:
        raise MissingColumnsError(name, missing, [str(each) for each in frame])


def file_profiles(
    audited: pd.DataFrame, *, as_of: dt.date, filed: pd.DataFrame | None = None
) -> pd.DataFrame:
    """
    File the profiles that are complete; who was filed before keeps the day.

    Filing the same day twice adds nothing.

    Args:
        audited: What `ProfileAudit.decide_frame` gave.
        as_of: The day of filing.
        filed: What this function gave before, if anything.

    Returns:
        ``member_id`` and ``filed_on``: the earlier filings, then the new ones in the
        order of *audited*.

    Raises:
        MissingColumnsError: A frame lacks a column.

    >>> audited = pd.DataFrame({"member_id": ["M1", "M2"], "complete": [True, False]})
    >>> filed = file_profiles(audited, as_of=dt.date(2026, 11, 5))
    >>> filed["member_id"].tolist()
    ['M1']
    >>> len(file_profiles(audited, as_of=dt.date(2026, 11, 6), filed=filed))
    1
    """
    check_as_of(as_of)
    _needed(audited, "audited", ("member_id", "complete"))
    complete = audited.loc[audited["complete"].astype(bool), "member_id"]
    complete = complete.drop_duplicates()
    new = pd.DataFrame({"member_id": complete.astype("str")})
    new["filed_on"] = pd.Series(
        pd.Timestamp(as_of), index=new.index, dtype="datetime64[us]"
    )
    if filed is None or filed.empty:
        return new.reset_index(drop=True)
    _needed(filed, "filed", ("member_id", "filed_on"))
    before = filed[["member_id", "filed_on"]]
    new = new[~new["member_id"].isin(before["member_id"])]
    return pd.concat([before, new], ignore_index=True)


@attrs.frozen(kw_only=True)
class Welcome:
    """
    A newly filed member is contacted within 7 days (VIP).

    The last day that is in time is the day of filing plus *days*. A contact before the
    filing, such as a question about the form, is no welcome.

    Args:
        days: Days after filing.
        policy: Id of the policy.
        version: Version of the policy.

    >>> answer = Welcome().decide(filed_on=dt.date(2026, 11, 5),
    ...                           as_of=dt.date(2026, 11, 13))
    >>> answer.outcome
    'overdue'
    >>> print(answer.explain("zh"))
    逾期未联系（应于 2026-11-12 前联系，含当天）
    """

    days: int = attrs.field(default=7, validator=not_negative)
    policy: str = attrs.field(default="welcome", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    def decide(
        self,
        *,
        filed_on: dt.date | None,
        contacted_on: dt.date | None = None,
        as_of: dt.date,
    ) -> Decision:
        """
        Decide how one welcome stands.

        Args:
            filed_on: The day of filing; None if the profile is not filed.
            contacted_on: The day of the first contact since; None if there was none.
            as_of: The day asked for; what happens later is not known yet.

        Returns:
            A decision: ``"not_filed"``, ``"due"``, ``"overdue"``, ``"contacted"`` or
            ``"contacted_late"``.

        Raises:
            InvalidValueError: A day is no plain date.
        """
        check_as_of(as_of)
        for day in (filed_on, contacted_on):
            if day is not None and type(day) is not dt.date:
                raise InvalidValueError(
                    "'filed_on' and 'contacted_on' are dates without time, "
                    f"not a {type(day).__name__}"
                )
        due, changes_on = None, None
        if filed_on is None or filed_on > as_of:
            outcome, changes_on = "not_filed", filed_on
        else:
            due = add_days(filed_on, self.days)
            if contacted_on is not None and filed_on <= contacted_on <= as_of:
                outcome = "contacted" if contacted_on <= due else "contacted_late"
            elif as_of > due:
                outcome = "overdue"
            else:
                outcome, changes_on = "due", add_days(due, 1)
            if outcome in ("due", "overdue") and contacted_on is not None:
                later = contacted_on if contacted_on > as_of else None
                changes_on = min(filter(None, (changes_on, later)), default=None)
        english, chinese = _TEXTS[outcome]
        if due is not None:
            english = f"{english} (due by {due})"
            chinese = f"{chinese}（应于 {due} 前联系，含当天）"
        reason = Reason(
            rule="welcome",
            met={"contacted": True, "overdue": False, "contacted_late": False}.get(
                outcome
            ),
            figures=() if due is None else (("due", str(due)),),
            text_en=english,
            text_zh=chinese,
        )
        return Decision(
            outcome=outcome,
            grounds=Statement(reasons=[reason]),
            policy=self.policy,
            version=self.version,
            as_of=as_of,
            changes_on=changes_on,
        )

    def decide_frame(self, filed: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
        """
        Decide for all filings; row by row the same answer as `decide`.

        Args:
            filed: What `file_profiles` gave, with ``contacted_on`` (days, gaps where
                there was no contact) if contacts are known.
            as_of: The day asked for.

        Returns:
            The same frame with ``welcome_due`` (missing where not filed yet) and
            ``welcome``, the outcome.

        Raises:
            MissingColumnsError: ``filed_on`` is absent.
            ColumnTypeError: A column holds no days.
        """
        check_as_of(as_of)
        if not isinstance(filed, pd.DataFrame):
            raise ColumnTypeError(
                f"the filings must be a pandas frame, not a {type(filed).__name__}"
            )
        _needed(filed, "filed", ("filed_on",))
        day = pd.Timestamp(as_of)
        filed_on = days_of(filed["filed_on"], "filed_on")
        filed_on = filed_on.where(filed_on <= day)
        due = filed_on + pd.Timedelta(days=self.days)
        contacted = pd.Series(pd.NaT, index=filed.index, dtype="datetime64[us]")
        if "contacted_on" in filed:
            contacted = days_of(filed["contacted_on"], "contacted_on")
            contacted = contacted.where((contacted >= filed_on) & (contacted <= day))
        states = np.select(
            [filed_on.isna(), contacted <= due, contacted > due, day > due],
            ["not_filed", "contacted", "contacted_late", "overdue"],
            default="due",
        )
        return filed.assign(
            welcome_due=due.astype("datetime64[us]"),
            welcome=pd.Series(states, index=filed.index, dtype="str"),
        )
