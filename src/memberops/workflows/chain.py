"""A chain: its sources and its policies, ready to be asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from memberops.adapters import AdapterRegistry
from memberops.adapters.sources.contract import Source
from memberops.adapters.sources.guarded_reading import guarded_read, note_place
from memberops.domain import Currency
from memberops.domain.values import Language, check_language
from memberops.errors import (
    InvalidValueError,
    MemberOpsError,
    UnknownTableError,
    bounded,
    nearest,
)
from memberops.schedules import Period
from memberops.tables import TABLES
from memberops.tables import table as table_named
from memberops.workflows import (
    appointment_questions,
    count_approvals,
    count_questions,
    gift_catalogue,
    gift_deliveries,
    gift_files,
    gift_matching,
    gift_papers,
    gift_postings,
    gift_questions,
    gift_steps,
    member_questions,
    message_access,
    message_delivery,
    message_planning,
    message_pushes,
    message_steps,
    profile_questions,
    refreshing,
    service_questions,
    tier_questions,
    visit_questions,
    waiver_questions,
)
from memberops.workflows.chain_policies import ChainPolicies
from memberops.workflows.chain_tables import ChainTables, FrameSource
from memberops.workflows.ledger_settings import LedgerSettings
from memberops.workflows.message_settings import MessageSettings

if TYPE_CHECKING:
    from memberops.workflows.month_end import MonthEnd

__all__ = ["Chain", "Progress"]


class Progress(Protocol):
    """Is told what is being done: a bar, a log line, or nothing."""

    def __call__(self, step_en: str, step_zh: str, done: int, total: int, /) -> None:
        """
        Take note that a step begins.

        Args:
            step_en: The step in English; empty after the last one.
            step_zh: The same in Chinese.
            done: How many steps are done.
            total: How many steps there are.
        """


def _names_of_tables(
    _instance: object, _attribute: object, value: Mapping[str, Source]
) -> None:
    known = [table.name for table in TABLES]
    for name in value:
        if name not in known:
            raise UnknownTableError(
                f"no table is called {name!r}; {nearest(str(name), known)}"
            )
    if "sales" not in value:
        raise InvalidValueError(
            "a chain needs a source of sales: all figures rest on them"
        )


def _zone(value: ZoneInfo | str) -> ZoneInfo:
    """Take a zone by its name, too."""
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        raise InvalidValueError(
            f"'zone' must be a zone such as ZoneInfo('Asia/Shanghai') or its name, "
            f"not {str(value)[:40]!r}"
        ) from None


def _currency(given: Any) -> Any:
    return Currency(given) if isinstance(given, str) else given


@attrs.frozen(kw_only=True, eq=False)
class Chain:
    """
    One chain of stores: where its tables come from, and what it decides for itself.

    Made by `memberops.open_chain` from a file, by `from_frames` from frames, or from
    any sources. Nothing is read before `read`, `month_end` or a question is called.

    Args:
        sources: By canonical table, an object with ``read(table)``.
        currency: What amounts are in: a currency, or its ISO 4217 code.
        zone: Zone in which a day begins, or its name.
        name: Name of the chain, for titles.
        language: ``"zh"`` or ``"en"``, for summaries and lists.
        policies: The chain's policies; the manual's by default.
        registry: The plugins that were loaded, if any.
        ledger_settings: Where the gift ledger is kept; None if there is none.
        message_settings: Where messages are kept, who sends them, and the templates;
            None if the chain sends none.

    Raises:
        InvalidValueError: No source of sales, or an unknown language.
        UnknownTableError: A source for what is no canonical table.
        CurrencyMismatchError: A policy counts in another currency.

    >>> from memberops.testing import sales_frame
    >>> chain = Chain.from_frames(
    ...     sales=sales_frame([("T1", "2026-10-03", "S1", "M1", 2, "39.80")]))
    >>> chain.read()
    ChainTables(sales: 1 of 1)
    >>> pack = chain.month_end("2026-10")
    >>> int(pack.frame("spending_power")["member_sales"].iloc[-1])
    3980
    """

    sources: Mapping[str, Source] = attrs.field(
        validator=_names_of_tables, repr=lambda sources: bounded(sources, limit=9)
    )
    currency: Currency = attrs.field(
        default=Currency("CNY"),
        converter=_currency,
        validator=attrs.validators.instance_of(Currency),
    )
    zone: ZoneInfo = attrs.field(
        factory=lambda: ZoneInfo("Asia/Shanghai"), converter=_zone
    )
    name: str = ""
    language: Language = attrs.field(default="zh", converter=check_language)
    policies: ChainPolicies = attrs.field(
        default=attrs.Factory(
            lambda self: ChainPolicies.of(self.currency, zone=self.zone.key),
            takes_self=True,
        ),
        repr=False,
    )
    registry: AdapterRegistry | None = attrs.field(default=None, repr=False)
    ledger_settings: LedgerSettings | None = attrs.field(
        default=None,
        repr=False,
        validator=attrs.validators.optional(
            attrs.validators.instance_of(LedgerSettings)
        ),
    )
    message_settings: MessageSettings | None = attrs.field(
        default=None,
        repr=False,
        validator=attrs.validators.optional(
            attrs.validators.instance_of(MessageSettings)
        ),
    )

    def __attrs_post_init__(self) -> None:
        """Hold the policies against the currency."""
        self.policies.check_currency(self.currency)

    @classmethod
    def from_frames(
        cls,
        *,
        sales: Any,
        members: Any = None,
        cards: Any = None,
        stores: Any = None,
        targets: Any = None,
        complaints: Any = None,
        case_events: Any = None,
        visits: Any = None,
        consents: Any = None,
        appointments: Any = None,
        surveys: Any = None,
        levels: Any = None,
        **settings: Any,
    ) -> Chain:
        """
        Make a chain of frames that the host has already.

        Args:
            sales: See `memberops.tables.SALES`; of any engine that narwhals takes.
            members: See `memberops.tables.MEMBERS`.
            cards: See `memberops.tables.CARDS`.
            stores: See `memberops.tables.STORES`.
            targets: See `memberops.tables.TARGETS`.
            complaints: See `memberops.tables.COMPLAINTS`.
            case_events: See `memberops.tables.CASE_EVENTS`.
            visits: See `memberops.tables.VISITS`.
            consents: See `memberops.tables.CONSENTS`.
            appointments: See `memberops.tables.APPOINTMENTS`.
            surveys: See `memberops.tables.SURVEYS`.
            levels: See `memberops.tables.LEVELS`.
            **settings: What `Chain` takes: ``currency``, ``zone``, ``name``, ...; and
                frames of further tables, such as ``gifts`` and ``stocktakes``.

        Raises:
            InvalidValueError: There is no such table or setting; with the nearest.
        """
        further = {
            table.name: settings.pop(table.name)
            for table in TABLES
            if table.name in settings
        }
        names = [field.alias for field in attrs.fields(cls) if field.name != "sources"]
        for name in settings:
            if name not in names:
                known = [table.name for table in TABLES] + names
                raise InvalidValueError(
                    f"'from_frames' takes no {name[:40]!r}; {nearest(name, known)}"
                )
        frames = {
            "sales": sales,
            "members": members,
            "cards": cards,
            "stores": stores,
            "targets": targets,
            "complaints": complaints,
            "case_events": case_events,
            "visits": visits,
            "consents": consents,
            "appointments": appointments,
            "surveys": surveys,
            "levels": levels,
            **further,
        }
        given = {name: frame for name, frame in frames.items() if frame is not None}
        zone = settings.get("zone")
        if isinstance(zone, str):
            zone = settings["zone"] = _zone(zone)
        sources = {name: FrameSource(frame, zone) for name, frame in given.items()}
        return cls(sources=sources, **settings)

    def read(
        self,
        *,
        only: Collection[str] | None = None,
        progress: Progress | None = None,
    ) -> ChainTables:
        """
        Read every table that has a source, or only those that are asked for.

        Args:
            only: Names of tables; one without a source is left out. None for all.
            progress: Is told each table before it is read.

        Raises:
            SourceError: A source cannot be opened or read, or a plugin's failed.
            MissingColumnsError: A source has no column that a table needs.
            UnknownTableError: *only* names what is no table.
        """
        wanted = self.sources if only is None else [table_named(n).name for n in only]
        tables = [
            table
            for table in TABLES
            if table.name in self.sources and table.name in wanted
        ]
        results = {}
        for done, table in enumerate(tables):
            if progress is not None:
                progress(
                    f"reading {table.title_en.lower()}",
                    f"读取{table.title_zh}",
                    done,
                    len(tables),
                )
            try:
                results[table.name] = guarded_read(self.sources[table.name], table.name)
            except MemberOpsError as error:
                # The kind of error stays; a note says which part of the chain it is.
                note_place(error, f"sources.{table.name}")
                raise
        return ChainTables(results)

    refresh = refreshing.refresh
    expiring = member_questions.expiring
    waiver = waiver_questions.waiver
    simulate_waivers = waiver_questions.simulate_waivers
    tiers = tier_questions.tiers
    premium = tier_questions.premium
    audit = profile_questions.audit
    sla = service_questions.sla
    hard_cases = service_questions.hard_cases
    visits = visit_questions.visits
    visit_coverage = visit_questions.visit_coverage
    appointments = appointment_questions.appointments
    ledger = gift_catalogue.ledger
    gift_balances = gift_questions.gift_balances
    gift_movements = gift_questions.gift_movements
    import_gifts = gift_postings.import_gifts
    post_gifts = gift_steps.post_gifts
    issue_gift = gift_steps.issue_gift
    reverse_gifts = gift_steps.reverse_gifts
    redeem_gift = gift_steps.redeem_gift
    return_gift = gift_steps.return_gift
    destroy_gifts = gift_steps.destroy_gifts
    apply_for_gifts = gift_papers.apply_for_gifts
    approve_gifts = gift_papers.approve_gifts
    dispatch_gifts = gift_deliveries.dispatch_gifts
    recall_gifts = gift_deliveries.recall_gifts
    receive_gifts = gift_deliveries.receive_gifts
    gift_match = gift_matching.gift_match
    export_gifts = gift_files.export_gifts
    restore_gifts = gift_files.restore_gifts
    verify_gifts = gift_files.verify_gifts
    count_sheets = count_questions.count_sheets
    count_differences = count_questions.count_differences
    approve_counts = count_approvals.approve_counts
    count_summaries = count_questions.count_summaries
    outbox = message_access.outbox
    sms_provider = message_access.sms_provider
    plan_messages = message_planning.plan_messages
    approve_messages = message_steps.approve_messages
    cancel_messages = message_steps.cancel_messages
    message_status = message_steps.message_status
    opt_out_messages = message_steps.opt_out_messages
    send_messages = message_delivery.send_messages
    settle_messages = message_delivery.settle_messages
    take_receipts = message_pushes.take_receipts

    def month_end(
        self,
        month: str | Period,
        *,
        tables: ChainTables | None = None,
        as_of: dt.date | None = None,
        reveal: str | Collection[str] = (),
        progress: Progress | None = None,
    ) -> MonthEnd:
        """
        Make every form of a month that the chain's tables allow (HQ §5, §4.2).

        Args:
            month: A calendar month, such as ``"2026-10"``.
            tables: What `read` gave, to make several months of one reading.
            as_of: The day as of which expiring members are judged; the last day of
                the month by default.
            reveal: Personal columns that are shown in full: ``"name"``, ``"phone"``, or
                both.
            progress: Is told each step before it begins.

        Raises:
            InvalidValueError: *month* is no calendar month, *as_of* no day of it, or
                *reveal* names something else.
            ScheduleError: *month* cannot be read.
            SourceError: See `read`.
        """
        from memberops.workflows.month_end import make_month_end

        return make_month_end(
            self, month, tables=tables, as_of=as_of, reveal=reveal, progress=progress
        )
