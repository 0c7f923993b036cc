"""The forms of a month about messages, where the chain has an outbox (HQ §6.1)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from memberops.domain import Finding, Severity
from memberops.errors import MemberOpsError
from memberops.metrics import message_effect
from memberops.reports import Form
from memberops.reports.forms.messages import message_batch_form, message_effect_form
from memberops.workflows.message_access import needed_outbox, outbox
from memberops.workflows.message_batches import batch_rows
from memberops.workflows.message_held_out import held_out_members
from memberops.workflows.month_forms import FormStep, MonthWork

__all__ = ["MESSAGE_STEPS", "has_outbox", "month_messages"]

_SENT = ["batch_id", "member_id", "store_id", "state", "on"]


def has_outbox(work: MonthWork) -> bool:
    """
    Read the chain's outbox for the forms of the month; say whether there is one.

    An outbox that was never begun, or cannot be opened, is told in a finding: the
    other forms of the month go on.
    """
    settings = work.chain.message_settings
    if settings is None or settings.outbox is None:
        return False
    file = settings.outbox.database
    if file is not None and not Path(file).exists():
        told = "the outbox has not been begun: no batch was written yet"
        work.note(
            [_finding("empty", Severity.INFO, told, "发件箱尚未启用：还没有批次")]
        )
        return False
    try:
        with outbox(work.chain) as kept:
            rows = batch_rows(work.chain, kept)
            messages = kept.messages()
        held = held_out_members(needed_outbox(work.chain).held_out)
    except MemberOpsError as error:
        english = f"the outbox cannot be read: {error}"
        chinese = f"发件箱无法读取（{type(error).__name__}），未生成短信报表"
        work.note([_finding("unavailable", Severity.ERROR, english, chinese)])
        return False
    zone = work.chain.zone
    days = rows["opens_at"].astype("datetime64[us, UTC]").dt.tz_convert(zone)
    rows["day"] = days.dt.tz_localize(None).dt.normalize()
    moments = messages["claimed_at"].astype("datetime64[us, UTC]").dt.tz_convert(zone)
    messages["on"] = moments.dt.tz_localize(None).dt.normalize()
    work.kept["message_batches"] = rows
    work.kept["messages"] = messages[_SENT]
    work.kept["held_out"] = held
    return True


def _finding(rule: str, severity: Severity, english: str, chinese: str) -> Finding:
    return Finding(
        table="outbox",
        rule=f"outbox-{rule}",
        severity=severity,
        message_en=english,
        message_zh=chinese,
    )


def _batches(work: MonthWork, *, days_before: int = 0) -> pd.DataFrame:
    """Return the batches that opened in the month, or some days before it."""
    rows = work.kept["message_batches"]
    first = pd.Timestamp(work.month.start) - pd.Timedelta(days=days_before)
    last = pd.Timestamp(work.month.through)
    return rows[rows["day"].between(first, last).to_numpy(bool)]


def month_messages(work: MonthWork) -> pd.DataFrame | None:
    """
    Count the month's messages by store: ``store_id``, ``messages``, ``delivered``.

    Returns:
        None where the chain has no outbox.
    """
    if "messages" not in work.kept:
        return None
    rows = work.kept["messages"]
    rows = rows[rows["batch_id"].isin(_batches(work)["batch_id"]).to_numpy(bool)]
    left = ~rows["state"].isin(["queued", "expired", "canceled"])
    rows = rows[left.to_numpy(bool)]
    counted = rows.assign(delivered=(rows["state"] == "delivered").astype("int64"))
    grouped = counted.groupby("store_id")["delivered"]
    sums = pd.DataFrame({"messages": grouped.size(), "delivered": grouped.sum()})
    return sums.astype("int64").reset_index()


def _batch_form(work: MonthWork) -> Form | None:
    rows = _batches(work)
    if not len(rows):
        return None
    return message_batch_form(
        rows,
        zone=work.chain.zone,
        currency=work.chain.currency,
        policy=work.policies.messages,
    )


def _effect_form(work: MonthWork) -> Form | None:
    """Measure the batches of the month, and those whose days ended in it."""
    policy = work.policies.message_effect
    pieces = []
    rows = _batches(work, days_before=policy.days)
    for name, day, cost in zip(
        rows["batch_id"].tolist(), rows["day"], rows["cost"].tolist(), strict=True
    ):
        piece = _effect(work, name, day)
        if piece is not None:
            # Of the whole batch, so said once: else a sum of rows would be too much.
            once = pd.Series(cost, piece.index, "Int64")
            pieces.append(piece.assign(cost=once.where(piece["group"] == "written_to")))
    if not pieces:
        return None
    return message_effect_form(
        pd.concat(pieces, ignore_index=True),
        currency=work.chain.currency,
        policy=policy,
    )


def _effect(work: MonthWork, batch_id: str, day: pd.Timestamp) -> pd.DataFrame | None:
    """Measure one batch; None if no message of it left by the month's end."""
    policy, through = work.policies.message_effect, work.month.through
    rows, held = work.kept["messages"], work.kept["held_out"]
    rows = rows[(rows["batch_id"] == batch_id).to_numpy(bool)]
    held = held[(held["batch_id"] == batch_id).to_numpy(bool)]
    if not len(rows) or not (rows["on"] <= pd.Timestamp(through)).any():
        return None
    people = {*rows["member_id"], *held["member_id"]}
    sales = work.tables["sales"]
    near = sales["sold_on"] >= day
    sales = sales[(near & sales["member_id"].isin(people)).to_numpy(bool)]
    effect = message_effect(
        rows.reset_index(drop=True),
        sales,
        as_of=through,
        held_out=held,
        sent_on=day.date(),
        policy=policy,
    )
    table = effect.groups.merge(_compared(effect.differences), on="group", how="left")
    delivery = effect.delivery.iloc[0]
    written = table["group"] == "written_to"
    own, why = table["undefined"], table["why"].fillna("")
    parted = own.where((own == "") | (why == ""), own + "; ")
    return table.assign(
        batch_id=batch_id,
        messages=pd.Series(delivery["messages"], table.index, "Int64").where(written),
        waiting=pd.Series(delivery["waiting"], table.index, "Int64").where(written),
        delivered_share=table["group"].map({"written_to": delivery["delivered_share"]}),
        complete="yes" if effect.complete else "no",
        undefined=parted + why,
    )


def _compared(differences: pd.DataFrame) -> pd.DataFrame:
    """Put each difference in the row of a group: that of the two which is not yet."""
    pairs = differences["group"] + "-" + differences["against"]
    again = differences["group"].duplicated()
    return differences.assign(
        compared=pairs,
        group=differences["group"].where(~again, differences["against"]),
        why=differences["undefined"],
    )[["group", "compared", "difference", "low", "high", "why"]]


MESSAGE_STEPS: tuple[FormStep, ...] = (
    FormStep(
        name="message_batch",
        title_en="approval of messages",
        title_zh="短信发送审批单",
        make=_batch_form,
    ),
    FormStep(
        name="message_effect",
        title_en="effect of messages",
        title_zh="短信效果分析表",
        make=_effect_form,
    ),
)
"""The forms that a month has where the chain has an outbox."""
