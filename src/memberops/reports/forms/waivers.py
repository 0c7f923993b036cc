"""Forms of fee waivers: who is waived and why, and policies compared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from memberops.domain import Currency
from memberops.policies import FeeWaiver, Simulation, TierPolicy
from memberops.policies.fee_waiver import waiver_texts
from memberops.reports.form import Form
from memberops.reports.forms.columns import (
    amount_column,
    answer_column,
    count_column,
    day_column,
    sentence_columns,
    text_column,
)
from memberops.reports.forms.membership import tier_terms
from memberops.reports.forms.places import (
    PLACE_COLUMNS,
    STORE_NAME,
    UNASSIGNED,
    same_column,
    with_place_names,
)
from memberops.reports.forms.rows import (
    about_members,
    check_given,
    form_rows,
    policy_line,
)
from memberops.tables import CARDS

__all__ = ["fee_waiver_form", "waiver_changes_form", "waiver_simulation_form"]

_FREE = ("fee waived: a free year", "已免年费：在免费年度内")


def fee_waiver_form(
    frame: pd.DataFrame,
    *,
    stores: pd.DataFrame | None = None,
    members: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: FeeWaiver | None = None,
    as_of: dt.date | None = None,
) -> Form:
    """
    Make the form 会员免年费核定表: whose fee is waived, and what the others lack.

    Args:
        frame: What `FeeWaiver.decide_frame` returned for the cards with their
            `FeeWaiver.figures`, as pandas.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        members: ``member_id`` with ``name`` and ``phone``, to show them masked, and
            ``store_id`` for cards that have none.
        reveal: Which of ``"name"`` and ``"phone"`` are shown in full.
        policy: The waiver.
        as_of: The day on which the figures were known. A waiver by calendar year
            needs it to say the last day.

    Raises:
        MissingColumnsError: The frame lacks a column, or another frame its id.
        InvalidValueError: *reveal* names a column that is not personal.

    >>> cards = pd.DataFrame({"card_id": ["C1"], "member_id": ["M1"],
    ...     "valid_from": pd.to_datetime(["2025-12-01"]),
    ...     "valid_through": pd.to_datetime(["2026-11-30"]),
    ...     "purchases": [2], "spend": [77000]})
    >>> form = fee_waiver_form(FeeWaiver().decide_frame(cards))
    >>> print(form.frame["reason_zh"].item())
    还差 1 次消费或 230.00 元（截至 2026-11-30）
    """
    policy = policy or FeeWaiver()
    figures = list({each.figure: each for each in policy.rule.conditions}.values())
    names = [each.figure for each in figures]
    lacks = [f"missing_{name}" for name in names]
    needed = ("card_id", "member_id", "valid_through", "waived", *names, *lacks)
    check_given(frame, "fee_waiver", needed)
    rows, about = about_members(
        _with_reasons(frame, names, policy, as_of), stores, members
    )
    columns = (
        *about,
        same_column(CARDS, "card_id"),
        same_column(CARDS, "valid_through"),
        answer_column("waived", "Fee waived", "是否免年费"),
        *(
            (count_column if each.currency is None else amount_column)(
                each.figure,
                f"{each.words.name_en} so far".capitalize(),
                f"已有{each.words.name_zh}",
            )
            for each in figures
        ),
        *(
            (count_column if each.currency is None else amount_column)(
                f"missing_{each.figure}",
                f"{each.words.name_en} still missing".capitalize(),
                f"还差{each.words.name_zh}",
            )
            for each in figures
        ),
        *sentence_columns("reason", "Why", "理由"),
        day_column("last_on", "Last day that counts", "计入截止日"),
    )
    english, chinese = policy_line(policy, as_of)
    return Form(
        name="fee_waiver",
        title_en="Fee waivers",
        title_zh="会员免年费核定表",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=policy.currency,
        notes_en=(english, "What is missing of one figure is missing by itself."),
        notes_zh=(chinese, "各项缺口分别计算。"),
        revealed=tuple(reveal),
    )


def _with_reasons(
    frame: pd.DataFrame, names: list[str], policy: FeeWaiver, as_of: dt.date | None
) -> pd.DataFrame:
    """Say why, once for all rows that share their figures and last day."""
    written: dict[tuple[Any, ...], tuple[str, str, dt.date]] = {}
    said = []
    for ends, waived, *values in zip(
        pd.to_datetime(frame["valid_through"]),
        frame["waived"],
        *(frame[name] for name in names),
        strict=True,
    ):
        units = [None if pd.isna(value) else int(value) for value in values]
        key = (ends, bool(waived), *units)
        if key not in written:
            last = policy.last_day(ends.date(), as_of=as_of or ends.date())
            reading = policy.rule.weigh(dict(zip(names, units, strict=True)))
            free = waived and not reading.met
            said_of = _FREE if free else waiver_texts(reading, last, as_of=as_of)
            written[key] = (*said_of, last)
        said.append(written[key])
    english, chinese, days = zip(*said, strict=True) if said else ((), (), ())
    texts = {"reason_en": english, "reason_zh": chinese}
    return frame.assign(
        **{
            name: pd.Series(list(values), index=frame.index, dtype="str")
            for name, values in texts.items()
        },
        last_on=pd.Series(list(days), index=frame.index, dtype=object).astype(
            "datetime64[us]"
        ),
    )


def waiver_simulation_form(
    frame: Simulation,
    *,
    stores: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    policy: FeeWaiver | None = None,
    tiers: TierPolicy | None = None,
    as_of: dt.date | None = None,
) -> Form:
    """
    Make the form 免年费方案测算表: who would pay under each policy, and what it brings.

    Args:
        frame: What `memberops.policies.simulate` returned.
        stores: ``store_id`` and ``name``, to name the stores.
        reveal: No column of it is personal.
        policy: The first of the policies, whose currency money is in.
        tiers: The levels, to call them by their names.
        as_of: The day on which the tickets were known.

    Raises:
        InvalidValueError: *reveal* names a column.
    """
    policy = policy or FeeWaiver()
    level, key, _ = PLACE_COLUMNS
    parts = [
        frame.by_policy.assign(level="chain", key="chain"),
        frame.by_store.assign(level="store").rename(columns={"store_id": "key"}),
        frame.by_tier.assign(level="tier").rename(columns={"tier": "key"}),
    ]
    rows = pd.concat(
        [part.assign(key=part["key"].replace("", UNASSIGNED[0])) for part in parts],
        ignore_index=True,
    )
    named = stores is not None and "name" in stores.columns
    words = (*level.words, ("tier", "Level of members", "会员等级"))
    columns = (
        text_column("level", "Level", "层级", words=words),
        text_column(
            "key",
            "Store or level of members",
            "门店或会员等级",
            words=(*key.words, *tier_terms(tiers)),
        ),
        *((STORE_NAME,) if named else ()),
        text_column("policy", "Policy", "方案"),
        text_column("policy_id", "Policy id", "规则编号"),
        text_column("version", "Version", "版本"),
        count_column("cards", "Cards", "会员卡数"),
        count_column("waived", "Fee waived", "免年费数"),
        count_column("fee_due", "Fee due", "应缴数"),
        amount_column("fee_income", "Fee income", "年费收入"),
        amount_column("fee_waived", "Fees waived", "免除金额"),
        count_column("changed", "Other answer than the first", "结果变化数"),
    )
    first = frame.by_policy.iloc[0] if len(frame.by_policy) else None
    label = "" if first is None else str(first["policy"])
    english, chinese = policy_line(policy, as_of)
    return Form(
        name="waiver_simulation",
        title_en="Waiver policies compared",
        title_zh="免年费方案测算表",
        columns=columns,
        frame=form_rows(with_place_names(rows, stores), columns),
        currency=policy.currency,
        notes_en=(english, f"Compared with {label!r}."),
        notes_zh=(chinese, f"以“{label}”为比较基准。"),
        revealed=tuple(reveal),
    )


def waiver_changes_form(
    frame: Simulation,
    *,
    policies: Mapping[str, FeeWaiver],
    stores: pd.DataFrame | None = None,
    members: pd.DataFrame | None = None,
    reveal: Collection[str] = (),
    as_of: dt.date | None = None,
) -> Form:
    """
    Make the form 免年费方案差异名单: the cards whose answer the policies change.

    Args:
        frame: What `memberops.policies.simulate` returned.
        policies: The policies that it was given.
        stores: ``store_id`` with ``name`` and ``region_id``, to name the stores.
        members: ``member_id`` with ``name`` and ``phone``, to show them masked.
        reveal: Which of ``"name"`` and ``"phone"`` are shown in full.
        as_of: The day on which the tickets were known.

    Raises:
        MissingColumnsError: A policy was not compared.
        InvalidValueError: *reveal* names a column that is not personal.
    """
    check_given(
        frame.changed, "waiver_changes", [f"waived_{name}" for name in policies]
    )
    rows, about = about_members(frame.changed, stores, members)
    each = [
        column
        for name in policies
        for column in (
            answer_column(f"waived_{name}", f"Waived by {name}", f"{name}：免年费"),
            amount_column(f"fee_{name}", f"Fee by {name}", f"{name}：应缴年费"),
            *sentence_columns(name, f"Why by {name}", f"{name}：理由"),
        )
    ]
    columns = (
        *about,
        same_column(CARDS, "card_id"),
        same_column(CARDS, "valid_through"),
        *each,
    )
    lines = [policy_line(policy, as_of) for policy in policies.values()]
    first = next(iter(policies.values()), None)
    return Form(
        name="waiver_changes",
        title_en="Cards whose answer changes",
        title_zh="免年费方案差异名单",
        columns=columns,
        frame=form_rows(rows, columns),
        currency=Currency("CNY") if first is None else first.currency,
        notes_en=tuple(dict.fromkeys(line[0] for line in lines)),
        notes_zh=tuple(dict.fromkeys(line[1] for line in lines)),
        revealed=tuple(reveal),
    )
