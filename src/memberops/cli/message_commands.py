"""``memberops messages``: from the plan to the receipts, and first only on trial."""

import datetime as dt
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from memberops.cli.answering import give_answer
from memberops.cli.options import AsOf, Options, Store, read_day, read_moment
from memberops.cli.whole_numbers import Whole
from memberops.errors import InvalidValueError

if TYPE_CHECKING:
    from memberops.workflows import Answer, Chain

__all__ = ["message_app"]

_MOST_BYTES = 50_000_000
_HELP = """短信：计划、审批、发送、查证。plan 和 send 默认只预演。
Messages: plan, approve, send, settle. plan and send only try by default."""

Batch = Annotated[str, Parameter(help="批次号。Id of the batch.")]
OneBatch = Annotated[
    str | None,
    Parameter(help="只看该批次，并列出每条短信。Only this batch, and its messages."),
]
At = Annotated[
    str | None,
    Parameter(
        help="发生的时刻，须带时区，默认为现在。When, with its zone; now by default."
    ),
]
Who = Annotated[str, Parameter(help="经办人编号。Who does it.")]
Limit = Annotated[Whole | None, Parameter(help="最多多少条。How many at most.")]


def message_app() -> App:
    """Declare the commands of messages."""
    app = App(name="messages", help=_HELP)
    for command in (plan, approve, send, settle, status, cancel):
        app.command(command, name=command.__name__)
    app.command(opt_out, name="opt-out")
    return app


def _now() -> dt.datetime:
    """Return the moment: a clock is read at the edge alone."""
    from memberops.adapters.sms.options import system_clock

    return system_clock()


def _moment(text: str | None, chain: "Chain") -> dt.datetime:
    return _now() if text is None else read_moment(text, chain.zone, option="--at")


def _who(text: str) -> str:
    """Name the option where the library would name its own word for a person."""
    if not text or text != text.strip():
        raise InvalidValueError(
            "--by must not be empty or have spaces around it"
        ).in_chinese("--by 不能为空，前后不能有空格")
    return text


def plan(
    options: Options,
    *,
    as_of: AsOf,
    template: Annotated[
        str, Parameter(help="模板编号，见 [sms.templates]。Id of the template.")
    ],
    batch: Batch,
    by: Annotated[str, Parameter(help="编制人编号，不得审批。Who makes the batch.")],
    visits: Annotated[
        bool,
        Parameter(
            negative=(),
            help="只发给当日回访计划中短信渠道的会员。Only whom the plan of visits "
            "has on the day for a message.",
        ),
    ] = False,
    members: Annotated[
        Path | None,
        Parameter(
            help="只发给该文件中的会员编号，每行一个。Only the members of this file, "
            "one id a line."
        ),
    ] = None,
    store: Store = None,
    opens: Annotated[
        str | None,
        Parameter(help="最早发送时刻，默认当日零点。Not before; the day's begin."),
    ] = None,
    closes: Annotated[
        str | None,
        Parameter(help="截止发送时刻，默认次日零点。Before; the day's end."),
    ] = None,
    cost_cap: Annotated[
        str | None,
        Parameter(help="费用上限，默认为预计费用。What it may cost at most."),
    ] = None,
    at: At = None,
    write: Annotated[
        bool,
        Parameter(negative=(), help="写入发件箱，等待审批。Write it into the outbox."),
    ] = False,
) -> int:
    """编制短信批次，默认只预演。Plan a batch; --write puts it into the outbox."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        def moment(text: str | None, option: str) -> dt.datetime | None:
            return (
                None if text is None else read_moment(text, chain.zone, option=option)
            )

        return chain.plan_messages(
            template,
            batch_id=batch,
            as_of=read_day(as_of),
            author=_who(by),
            at=_moment(at, chain),
            members=None if members is None else _ids(members),
            visits=visits,
            store=store,
            opens_at=moment(opens, "--opens"),
            closes_at=moment(closes, "--closes"),
            cost_cap=cost_cap,
            write=write,
            **given,
        )

    return give_answer(options, ask, batch=batch, store=store)


def _ids(file: Path) -> list[str]:
    """Read ids, one a line."""
    if file.stat().st_size > _MOST_BYTES:
        raise InvalidValueError("--members takes a file of ids, one a line")
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidValueError(
            f"{file.name}: the file is not UTF-8; save it as UTF-8"
        ) from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def approve(
    options: Options,
    *,
    batch: Batch,
    fingerprint: Annotated[
        str,
        Parameter(
            help="审批单上的指纹：只批准该版本。The fingerprint on the approval form: "
            "that version is approved, and no other."
        ),
    ],
    role: Annotated[
        str,
        Parameter(
            help="审批角色：customer_service_manager（客服经理）、brand_manager（品牌经理）"
            "或配置所定。The role."
        ),
    ],
    by: Who,
    refuse: Annotated[
        bool,
        Parameter(negative=(), help="不同意，或撤回同意。Refuse, or take it back."),
    ] = False,
    comment: Annotated[str, Parameter(help="说明。Why, in words.")] = "",
    at: At = None,
) -> int:
    """审批短信批次，须两人、两个角色。Approve a batch: two people, in two roles."""

    def ask(chain: "Chain", _given: dict[str, Any]) -> "Answer":
        return chain.approve_messages(
            batch,
            fingerprint=fingerprint,
            role=role,
            by=_who(by),
            at=_moment(at, chain),
            refuse=refuse,
            comment=comment,
        )

    return give_answer(options, ask, approval=batch, by=by)


def send(
    options: Options,
    *,
    send: Annotated[  # noqa: A002, RUF100 - the option is called so
        bool, Parameter(negative=(), help="真正发送。Really send.")
    ] = False,
    limit: Limit = None,
    per_second: Annotated[
        Whole | None,
        Parameter(
            help="每个账户每秒最多多少条。How many a second per account at most."
        ),
    ] = None,
    worker: Annotated[
        str | None, Parameter(help="发送进程的名称。A name for the history.")
    ] = None,
) -> int:
    """发送已批准的短信，默认只预演。Send what is approved; only with --send."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.send_messages(
            now=_now,
            send=send,
            limit=limit,
            per_second=per_second,
            worker=worker or f"office-{os.getpid()}",
            sleep=None if per_second is None else time.sleep,
            progress=given["progress"],
        )

    return give_answer(options, ask)


def settle(
    options: Options,
    *,
    receipts: Annotated[
        Path | None,
        Parameter(help="回执文件，每行一个 JSON 对象。Receipts, one JSON a line."),
    ] = None,
    ask_provider: Annotated[
        bool, Parameter(name="--ask", help="向通道查证待查证短信。Ask the provider.")
    ] = True,
    limit: Limit = None,
) -> int:
    """登记回执，查证结果不明的短信；不会重发。Take in receipts, settle unknown ones."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.settle_messages(
            now=_now,
            receipts=receipts,
            ask=ask_provider,
            limit=limit,
            progress=given["progress"],
        )

    return give_answer(options, ask)


def status(options: Options, *, batch: OneBatch = None) -> int:
    """查看各批次的审批与发送情况。How batches and their messages stand."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.message_status(at=_now(), batch_id=batch, reveal=given["reveal"])

    return give_answer(options, ask, batch=batch)


def cancel(
    options: Options,
    *,
    batch: Batch,
    cause: Annotated[str, Parameter(help="取消原因。Why, in a few words.")],
    at: At = None,
) -> int:
    """取消批次：未发出的不再发送。Cancel a batch: what has not left stays."""

    def ask(chain: "Chain", _given: dict[str, Any]) -> "Answer":
        return chain.cancel_messages(batch, cause=cause, at=_moment(at, chain))

    return give_answer(options, ask, batch=batch)


def opt_out(
    options: Options,
    *,
    member: Annotated[str, Parameter(help="会员编号。The member.")],
    evidence: Annotated[str, Parameter(help="退订依据，如“回复R”。What proves it.")],
    at: At = None,
) -> int:
    """登记退订，立即生效。Write an opt-out; it holds at once."""

    def ask(chain: "Chain", _given: dict[str, Any]) -> "Answer":
        return chain.opt_out_messages(member, at=_moment(at, chain), evidence=evidence)

    return give_answer(options, ask, member=member)
