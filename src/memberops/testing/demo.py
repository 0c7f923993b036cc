"""
Write the demonstration chain: ``python -m memberops.testing.demo FOLDER``.

It has 12 stores, 5 000 members and the 25 months that end in October 2026, so that
October 2026 has a month before and a year before, and cards that expire in November.
Its stores apply for gifts in October, give them, and count them after a promotion.
Messages for the birthdays of October were approved by two and sent to a file.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sys
from typing import TYPE_CHECKING

import attrs

from memberops.errors import InvalidValueError, MissingExtraError
from memberops.testing.synthetic_gifts import write_gifts
from memberops.testing.writing import WrittenChain, write_chain
from memberops.workflows import ChainTables, open_chain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from memberops.workflows import Chain

__all__ = ["main"]

_LEVELS = """
[policies.tiers]
levels = [
    { name = "regular", name_zh = "普通会员" },
    { name = "silver", name_zh = "银卡", rule = { spend = "2000" } },
    { name = "gold", name_zh = "金卡", rule = { spend = "5000" } },
]
"""
"""A chain has no levels of its own accord; the demonstration shows some."""
_MESSAGES = """
[outbox]
database = "outbox.db"

[sms]
provider = "file"
signature = "示例连锁"

[sms.templates.birthday]
kind = "marketing"
text = "${name}，生日月快乐！本月到店有礼。拒收请回复R"
rules = ["birthday", "birthday_premium"]

[policies.messages]
price = "0.05"
hold_out = "0.2"
"""
_SENT_ON = 10
"""The day on which the birthdays of the month are greeted."""
_MOST = 1000
_LOST = 12
"""One message in so many does not arrive."""


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Write the demonstration chain and say what was written.

    Args:
        arguments: The folder; the arguments of the command line if None.

    Returns:
        Exit status: 0, or 2 if it was used wrongly.

    >>> main([])
    2
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if len(given) != 1 or given[0].startswith("-"):
        sys.stderr.write(
            "用法 usage: python -m memberops.testing.demo FOLDER\n"
            "在文件夹 FOLDER 中生成示例连锁的虚构数据。\n"
            "Writes the made-up data of a demonstration chain into FOLDER.\n"
        )
        return 2
    try:
        written = write_chain(given[0])
        write_gifts(written)
        with written.chain_file.open("a", encoding="utf-8", newline="\n") as file:
            file.write(_LEVELS + _MESSAGES)
        _post_gifts(written)
        _send_messages(written)
    except (InvalidValueError, OSError) as error:
        sys.stderr.write(f"无法写入，请换一个空文件夹。\nCannot write: {error}\n")
        return 2
    frames, planted = written.frames, written.planted
    stores, members, lines = map(len, (frames.stores, frames.members, frames.sales))
    first, last = written.chain.first_month, written.chain.last_day
    span = f"{first:%Y-%m}–{last:%Y-%m}"
    sys.stdout.write(
        f"已生成虚构的示例连锁：{stores} 家门店，{members} 名会员，{lines} 行销售明细"
        f"（{span}），另有意放入 {len(planted)} 行有问题的数据 → {written.chain_file}\n"
        f"Wrote a made-up chain: {stores} stores, {members} members, "
        f"{lines} sales lines ({span}), and {len(planted)} damaged rows on purpose "
        f"→ {written.chain_file}\n"
        "虚构的手机号都不是真实号段，资料稽核（audit）会逐一判为无效，这是有意的。\n"
        "The made-up phones are no real numbers on purpose: audit calls each invalid.\n"
    )
    return 0


def _post_gifts(written: WrittenChain) -> None:
    """Begin the gift ledger, where a database is installed for it."""
    with contextlib.suppress(MissingExtraError):
        open_chain(written.chain_file).import_gifts(
            written.folder / "gift_movements.csv", as_of=written.chain.last_day
        )


def _send_messages(written: WrittenChain) -> None:
    """Greet the birthdays of a month, where a database is installed for the outbox."""
    chain = open_chain(written.chain_file)
    day = written.chain.last_day.replace(day=_SENT_ON)
    at = dt.datetime.combine(day, dt.time(10), tzinfo=chain.zone)
    tables = chain.read(only=("members", "stores", "cards", "consents", "complaints"))
    result = tables.results["members"]
    months = result.frame["birth_date"].dt.month
    born = months.eq(day.month).fillna(value=False).to_numpy(bool)
    # The made-up phones are nobody's, so none could be written to; a few get numbers
    # beside 13800138000, which is a service of the network and nobody's phone either.
    people = result.frame[born].head(_MOST).copy()
    people["phone"] = [f"13800138{n:03d}" for n in range(len(people))]
    phones = result.frame["phone"].copy()
    phones.loc[people.index] = people["phone"]
    frame = result.frame.assign(phone=phones)
    tables = ChainTables(
        {**tables.results, "members": attrs.evolve(result, frame=frame)}
    )
    with contextlib.suppress(MissingExtraError):
        planned = chain.plan_messages(
            "birthday",
            batch_id=f"birthday-{day:%Y-%m}",
            as_of=day,
            author="E01",
            at=at,
            members=people["member_id"].tolist(),
            write=True,
            tables=tables,
        )
        row = planned.frame().iloc[0]
        for role, who in (
            ("customer_service_manager", "E02"),
            ("brand_manager", "E03"),
        ):
            chain.approve_messages(
                row["batch_id"],
                fingerprint=row["fingerprint"],
                role=role,
                by=who,
                at=at,
            )
        chain.send_messages(now=lambda: at, send=True)
        _report(chain, written.folder / "receipts.jsonl", at)


def _report(chain: Chain, file: Path, at: dt.datetime) -> None:
    """Write receipts as a web server would have, and take them in."""
    with chain.outbox() as outbox:
        ids = outbox.messages()["message_id"]
    words = ("undelivered", *["delivered"] * (_LOST - 1))
    lines = [
        json.dumps({"message_id": own, "status": words[place % _LOST]})
        for place, own in enumerate(ids)
    ]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    chain.settle_messages(now=lambda: at, receipts=file, ask=False)


if __name__ == "__main__":
    raise SystemExit(main())
