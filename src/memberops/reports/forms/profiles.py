"""Forms of the members' files: application and daily audit (HQ §4.1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import pandas as pd

from memberops.domain import Currency
from memberops.policies import ProfileAudit
from memberops.reports.form import Form
from memberops.reports.forms.columns import (
    answer_column,
    sentence_columns,
    text_column,
)
from memberops.reports.forms.places import (
    ids,
    looked_up,
    same_column,
    store_columns,
    with_stores,
)
from memberops.reports.forms.rows import check_given, form_rows, policy_line
from memberops.reports.forms.words import BIRTHDAY_CALENDARS, GENDERS
from memberops.tables import CARDS, CONSENTS, MEMBERS

__all__ = ["member_application_form", "profile_audit_form"]

_NO_MONEY = Currency("CNY")
_MESSAGES = ("all", "sms", "message")
_PROFILE = (
    "name", "gender", "birth_date", "birthday_calendar", "lunar_birthday", "phone",
    "store_id", "joined_on", "referrer_id",
)  # fmt: skip
_FAULTS = (
    *sentence_columns("missing", "Missing fields", "缺项"),
    *sentence_columns("implausible", "Findings", "不合理项"),
)


def member_application_form(
    frame: pd.DataFrame,
    *,
    members: pd.DataFrame,
    cards: pd.DataFrame | None = None,
    consents: pd.DataFrame | None = None,
    stores: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: ProfileAudit | None = None,
    as_of: dt.date | None = None,
) -> Form:
    """
    Make the form 会员申请表, a row a member, with what the file lacks (HQ §4.1).

    Args:
        frame: What `ProfileAudit.decide_frame` returned.
        members: The members whose files were audited, as far as their columns are
            known.
        cards: ``card_id``, ``member_id`` and ``valid_from``, to show the number of
            the card that began last.
        consents: ``member_id``, ``channel``, ``given`` and ``on``: the last word on
            messages (by SMS, by message, or by all channels) counts.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        reveal: Which of ``"name"``, ``"phone"``, ``"birth_date"`` and
            ``"lunar_birthday"`` are shown in full.
        policy: The audit.
        as_of: The day of the audit; consents of later days are not known.

    Raises:
        MissingColumnsError: A frame lacks a column.
        InvalidValueError: *reveal* names a column that is not personal.

    >>> members = pd.DataFrame(
    ...     {"member_id": ["M1"], "name": ["王小明"], "phone": [None]})
    >>> audit = ProfileAudit(required=("name", "phone"), plausible=())
    >>> answers = audit.decide_frame(members, as_of=dt.date(2026, 11, 5))
    >>> form = member_application_form(answers, members=members, policy=audit)
    >>> form.frame[["name", "missing_zh"]].values.tolist()
    [['*****', '手机号']]
    """
    faults = ["member_id", *(column.name for column in _FAULTS)]
    check_given(frame, "member_application", faults)
    MEMBERS.check_columns(members.columns, ["member_id"])
    rows = frame[faults].assign(member_id=ids(frame["member_id"]))
    for name in _PROFILE:
        if name in members:
            known = looked_up(rows["member_id"], members, "member_id", name)
            rows = rows.assign(**{name: known})
    if cards is not None:
        CARDS.check_columns(cards.columns, ["card_id", "member_id", "valid_from"])
        last = cards.sort_values("valid_from", kind="stable", na_position="first")
        rows["card_id"] = looked_up(rows["member_id"], last, "member_id", "card_id")
    if consents is not None:
        said = _said(consents, as_of)
        rows["consent"] = looked_up(rows["member_id"], said, "member_id", "given")
    if "store_id" not in rows:
        rows = rows.assign(store_id=None)
    enrolled = same_column(MEMBERS, "store_id")
    places = store_columns(stores)
    columns = (
        same_column(MEMBERS, "member_id"),
        same_column(CARDS, "card_id"),
        same_column(MEMBERS, "name"),
        same_column(MEMBERS, "gender", words=GENDERS),
        same_column(MEMBERS, "birth_date"),
        same_column(MEMBERS, "birthday_calendar", words=BIRTHDAY_CALENDARS),
        same_column(MEMBERS, "lunar_birthday"),
        same_column(MEMBERS, "phone"),
        text_column(
            "store_id",
            enrolled.heading_en,
            enrolled.heading_zh,
            words=places[0].words,
        ),
        *places[1:],
        same_column(MEMBERS, "joined_on"),
        answer_column("consent", "Consent to messages", "同意接收信息"),
        same_column(MEMBERS, "referrer_id"),
        *_FAULTS,
    )
    english, chinese = policy_line(policy or ProfileAudit(), as_of)
    return Form(
        name="member_application",
        title_en="Applications of members",
        title_zh="会员申请表",
        columns=columns,
        frame=form_rows(with_stores(rows, stores), columns),
        currency=_NO_MONEY,
        notes_en=(english, "A birthday without a calendar is solar."),
        notes_zh=(chinese, "未注明历法的生日按公历。"),
        revealed=tuple(reveal),
    )


def _said(consents: pd.DataFrame, as_of: dt.date | None) -> pd.DataFrame:
    """Take each member's last word on messages."""
    CONSENTS.check_columns(consents.columns, ["member_id", "channel", "given", "on"])
    about = consents[consents["channel"].isin(_MESSAGES)]
    if as_of is not None:
        about = about[(about["on"] <= pd.Timestamp(as_of)).to_numpy(bool)]
    order = ["on", *(["at"] if "at" in about else [])]
    return about.sort_values(order, kind="stable", na_position="first")


def profile_audit_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: ProfileAudit | None = None,
    as_of: dt.date | None = None,
) -> Form:
    """
    Make the form 会员资料退回清单: for each store, the files that go back to it.

    Args:
        frame: What `ProfileAudit.daily_list` returned.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        reveal: Which of ``"name"`` and ``"phone"`` are shown in full, as they were
            when the list was made.
        policy: The audit.
        as_of: The day of the list.

    Raises:
        MissingColumnsError: The frame lacks a column, or *stores* its id.
        InvalidValueError: *reveal* names a column that is not personal.
    """
    faults = [column.name for column in _FAULTS]
    check_given(frame, "profile_audit", ["store_id", "member_id", *faults])
    profile = [same_column(MEMBERS, n) for n in ("name", "phone") if n in frame]
    columns = (
        *store_columns(stores),
        same_column(MEMBERS, "member_id"),
        *profile,
        same_column(MEMBERS, "joined_on"),
        *_FAULTS,
    )
    policy = policy or ProfileAudit()
    english, chinese = policy_line(policy, as_of)
    return Form(
        name="profile_audit",
        title_en="Files that go back to the stores",
        title_zh="会员资料退回清单",
        columns=columns,
        frame=form_rows(with_stores(frame, stores), columns),
        currency=_NO_MONEY,
        notes_en=(english, f"Required fields: {len(policy.required)}."),
        notes_zh=(chinese, f"必填项：{len(policy.required)} 项。"),
        revealed=tuple(reveal),
    )
