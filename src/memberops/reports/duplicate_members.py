"""Members who may be enrolled twice: reported, never merged (HQ §4.1)."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from memberops.domain import Currency
from memberops.reports.form import Form
from memberops.reports.forms.columns import (
    count_column,
    day_column,
    sentence_columns,
)
from memberops.reports.forms.places import same_column, store_columns, with_stores
from memberops.reports.forms.rows import check_given, figures_line, form_rows
from memberops.tables import MEMBERS

__all__ = ["duplicate_members_form"]

_NO_MONEY = Currency("CNY")


def duplicate_members_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    as_of: dt.date | None = None,
) -> Form:
    """
    Make the list of members who may be one person: 疑似重复会员.

    Args:
        frame: What `memberops.policies.possible_duplicates` gave.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        as_of: The day of the list.

    Raises:
        MissingColumnsError: The frame lacks a column.
    """
    check_given(frame, "duplicate_members", ("group", "members", "member_id"))
    if "store_id" not in frame:
        frame = frame.assign(store_id=None)
    columns = (
        count_column("group", "Group", "组号"),
        *sentence_columns("reason", "Why", "疑似原因"),
        count_column("members", "Members in the group", "组内人数"),
        same_column(MEMBERS, "member_id"),
        *store_columns(stores),
        day_column("joined_on", "Enrolled on", "入会日期"),
    )
    english, chinese = figures_line("Nothing is merged by itself", "系统不会自动合并",
                                    as_of)  # fmt: skip
    return Form(
        name="duplicate_members",
        title_en="Members who may be enrolled twice",
        title_zh="疑似重复会员",
        columns=columns,
        frame=form_rows(with_stores(frame, stores), columns),
        currency=_NO_MONEY,
        notes_en=(english,),
        notes_zh=(chinese,),
    )
