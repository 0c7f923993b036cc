"""``memberops gifts``: the chain's gift ledger."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from memberops.cli import gift_flow_commands as flow
from memberops.cli.answering import give_answer
from memberops.cli.gift_options import (
    By,
    Gift,
    Late,
    Moment,
    Place,
    Reason,
    day_or_moment,
    only_progress,
    strict,
    word,
)
from memberops.cli.options import (
    AsOf,
    ChainFile,
    Language,
    Options,
    read_day,
    read_moment,
)
from memberops.cli.printing import say, shown_findings
from memberops.cli.whole_numbers import Whole
from memberops.cli.wrong_use import FOUND
from memberops.domain import Movement, Posting, PostingKind
from memberops.tables import GIFT_ISSUES, GIFT_MOVEMENTS

if TYPE_CHECKING:
    from memberops.workflows import Answer, Chain

__all__ = ["gift_app"]

_KINDS = "、".join(kind.value for kind in PostingKind)


def balance(
    options: Options, *, as_of: AsOf, place: Place = None, gift: Gift = None
) -> int:
    """某日（或某刻）各库位、批次的结存。What was where, by lot, at a day or moment."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.gift_balances(
            as_of=day_or_moment(as_of, chain),
            place=place,
            gift=gift,
            **only_progress(given),
        )

    return give_answer(options, ask, moment=as_of, place=place, gift=gift)


def movements(
    options: Options,
    *,
    as_of: AsOf,
    since: Annotated[
        str | None,
        Parameter(help="从哪天起，默认当月 1 日。From this day; the month's first."),
    ] = None,
    place: Place = None,
    gift: Gift = None,
) -> int:
    """列出一段时间的出入库流水。What moved in a span of days."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        first = None if since is None else read_day(since, option="--since")
        return chain.gift_movements(
            as_of=day_or_moment(as_of, chain),
            since=first,
            place=place,
            gift=gift,
            **only_progress(given),
        )

    return give_answer(options, ask, moment=as_of, since=since, place=place, gift=gift)


def import_movements(
    file: Annotated[
        Path | None,
        Parameter(
            help="CSV 流水文件，默认取配置中的数据源。A CSV file of movements; the "
            "chain's own sources by default."
        ),
    ] = None,
    /,
    *,
    options: Options,
    as_of: AsOf,
) -> int:
    """流水入账，重复导入不重复计数。Post movements; twice counts once."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.import_gifts(file, as_of=read_day(as_of), **only_progress(given))

    name = "sources" if file is None else file.stem
    return give_answer(strict(options), ask, file=name)


def post(
    options: Options,
    *,
    key: Annotated[str, Parameter(help="凭证号，唯一。Key of the posting.")],
    kind: Annotated[
        str, Parameter(help=f"类型，如 receipt 或入库：{_KINDS}。Its kind.")
    ],
    gift: Annotated[str, Parameter(help="礼品编号。The gift.")],
    quantity: Annotated[Whole, Parameter(help="数量。How many.")],
    source: Annotated[str, Parameter(name="--from", help="转出。Where from.")],
    destination: Annotated[str, Parameter(name="--to", help="转入。Where to.")],
    at: Moment,
    lot: Annotated[str | None, Parameter(help="批次。The lot.")] = None,
    valid_through: Annotated[
        str | None, Parameter(help="批次有效期至。Last day of the lot.")
    ] = None,
    by: By = None,
    reason: Reason = "",
    refers_to: Annotated[
        list[str] | None,
        Parameter(
            consume_multiple=True,
            negative=(),
            help="关联单据，如 ticket=T1。What it rests on, such as ticket=T1.",
        ),
    ] = None,
    late: Late = False,
) -> int:
    """记一笔出入库，同一凭证号只记一次。Write one posting; its key counts once."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        day = (
            None
            if valid_through is None
            else read_day(valid_through, option="--valid-through")
        )
        posting = Posting(
            posting_id=key,
            kind=word(kind, GIFT_MOVEMENTS.column("kind")),
            effective_at=read_moment(at, chain.zone, option="--at"),
            movements=[
                Movement(
                    gift_id=gift,
                    source=source,
                    destination=destination,
                    quantity=quantity,
                    lot_id=lot,
                    valid_through=day,
                )
            ],
            by=by,
            reason=reason,
            refers_to=[each.partition("=")[::2] for each in refers_to or ()],
            late=late,
        )
        return chain.post_gifts(posting, **only_progress(given))

    return give_answer(options, ask, moment=at, posting=key)


def issue(
    options: Options,
    *,
    issue: Annotated[str, Parameter(help="登记编号。Line of the register.")],
    store: Annotated[str, Parameter(help="门店编号。The store that gives.")],
    member: Annotated[str, Parameter(help="会员编号。Who gets it.")],
    gift: Annotated[str, Parameter(help="礼品编号。The gift.")],
    reason: Annotated[
        str,
        Parameter(
            help="原因：birthday 生日、promotion 促销、complaint 投诉。Why it is given."
        ),
    ],
    at: Moment,
    by: Annotated[str, Parameter(help="发放人编号。Who gives it.")],
    quantity: Annotated[Whole, Parameter(help="数量。How many.")] = 1,
    ticket: Annotated[str | None, Parameter(help="小票号。The ticket.")] = None,
) -> int:
    """向会员发放礼品，先到期先出。Give a member a gift, first expired first."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.issue_gift(
            effective_at=read_moment(at, chain.zone, option="--at"),
            issue_id=issue,
            store_id=store,
            member_id=member,
            gift_id=gift,
            quantity=quantity,
            reason=word(reason, GIFT_ISSUES.column("reason")),
            by=by,
            ticket_id=ticket,
            **only_progress(given),
        )

    return give_answer(options, ask, moment=at, issue=issue)


def reverse(
    options: Options,
    *,
    posting: Annotated[str, Parameter(help="要冲销的凭证号。What is taken back.")],
    key: Annotated[str, Parameter(help="冲销凭证号。Key of the reversal.")],
    at: Moment,
    by: By = None,
    reason: Reason = "",
    late: Late = False,
) -> int:
    """冲销一笔凭证。Take a posting back by a counter-entry that names it."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.reverse_gifts(
            posting,
            key=key,
            effective_at=read_moment(at, chain.zone, option="--at"),
            by=by,
            reason=reason,
            late=late,
            **only_progress(given),
        )

    return give_answer(options, ask, moment=at, posting=key)


def export(
    file: Annotated[Path, Parameter(help="写到哪个文件。The file to write.")],
    *,
    chain: ChainFile,
    journal: Annotated[
        bool,
        Parameter(
            negative=(),
            help="写出带哈希链的完整日志，而非 CSV。The whole journal with its chain "
            "of hashes, rather than CSV.",
        ),
    ] = False,
    language: Annotated[
        Language | None, Parameter(help="语言，默认取配置。The chain's by default.")
    ] = None,
) -> int:
    """导出全部流水（CSV 或日志）。Write every posting to a file, CSV or journal."""
    from memberops.workflows import open_chain

    opened = open_chain(chain)
    written = opened.export_gifts(file, journal=journal)
    spoken = language or opened.language
    unit = ("行", "lines")[spoken == "en"]
    head = ("已写出", "Written:")[spoken == "en"]
    say([f"{head} {file} ({written:,} {unit})"])
    return 0


def restore(
    file: Annotated[Path, Parameter(help="日志文件。A journal that was exported.")],
    *,
    chain: ChainFile,
    language: Annotated[
        Language | None, Parameter(help="语言，默认取配置。The chain's by default.")
    ] = None,
) -> int:
    """由日志重建空台账，并核对哈希链。Fill an empty ledger from a journal."""
    from memberops.workflows import open_chain

    opened = open_chain(chain)
    count = opened.restore_gifts(file)
    english = (language or opened.language) == "en"
    say([f"entries restored: {count:,}" if english else f"已恢复 {count:,} 条记录"])
    return 0


def verify(
    *,
    chain: ChainFile,
    language: Annotated[
        Language | None, Parameter(help="语言，默认取配置。The chain's by default.")
    ] = None,
) -> int:
    """重算全部台账并核对哈希链。Refold the whole ledger and check its chain."""
    from memberops.workflows import open_chain

    opened = open_chain(chain)
    spoken: Language = language or opened.language
    entries, findings = opened.verify_gifts()
    if findings:
        say(list(shown_findings(findings, spoken, filed=False)))
        return FOUND
    say(
        [
            f"核对 {entries:,} 条记录：账账相符，哈希链完整"
            if spoken == "zh"
            else f"{entries:,} entries checked: every balance and hash agrees"
        ]
    )
    return 0


_COMMANDS: tuple[tuple[str, Callable[..., int]], ...] = (
    ("balance", balance),
    ("movements", movements),
    ("import", import_movements),
    ("post", post),
    ("apply", flow.apply),
    ("approve", flow.approve),
    ("dispatch", flow.dispatch),
    ("recall", flow.recall),
    ("receive", flow.receive),
    ("issue", issue),
    ("redeem", flow.redeem),
    ("return", flow.take_back),
    ("destroy", flow.destroy),
    ("match", flow.match),
    ("reverse", reverse),
    ("export", export),
    ("restore", restore),
    ("verify", verify),
)


def gift_app() -> App:
    """Declare the commands of the gift ledger."""
    app = App(
        name="gifts",
        help="礼品台账：结存、流水、申请、收发、核对。The gift ledger.",
        help_format="plaintext",
    )
    for name, command in _COMMANDS:
        app.command(command, name=name)
    return app
