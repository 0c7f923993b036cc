"""What every question of the office begins and ends with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Hashable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import attrs
import pandas as pd

from memberops import metrics
from memberops.domain import Finding
from memberops.domain.values import check_as_of
from memberops.errors import InvalidValueError, UnknownTableError, nearest
from memberops.policies.service_decision import instant_of
from memberops.reports import Form
from memberops.tables import table as table_named
from memberops.workflows.answers import Answer, AnyDecision
from memberops.workflows.chain_policies import ChainPolicies
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.form_files import revealed_columns
from memberops.workflows.month_findings import plugin_findings

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["Inquiry", "inquire", "moment_of", "of_store"]

_Counted = TypeVar("_Counted")
_NOTHING = ("nobody and nothing is concerned", "没有符合条件的记录")
_DAY, _TICK = dt.timedelta(days=1), dt.timedelta(microseconds=1)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Inquiry:
    """
    One question while it is being answered.

    Args:
        chain: Who is asked.
        question: What is asked.
        titles: The question as people say it, in English and in Chinese.
        as_of: The day, in the chain's zone.
        tables: What was read.
        reveal: Personal columns to show in full.
        store: The only store that is asked about; None for all.
    """

    chain: Chain
    question: str
    titles: tuple[str, str]
    as_of: dt.date
    tables: ChainTables
    reveal: tuple[str, ...]
    store: str | None
    _counted: dict[Hashable, Any] = attrs.field(factory=dict, init=False)

    @property
    def policies(self) -> ChainPolicies:
        """The chain's policies."""
        return self.chain.policies

    @property
    def stores(self) -> pd.DataFrame | None:
        """The stores, if there is a source of them."""
        return self.tables.get("stores")

    def once(self, name: Hashable, count: Callable[[], _Counted]) -> _Counted:
        """
        Count something the first time that this question needs it, and keep it.

        Args:
            name: What is counted; it stands for one thing of the question.
            count: Counts it; nobody may change what it returns.
        """
        if name not in self._counted:
            self._counted[name] = count()
        counted: _Counted = self._counted[name]
        return counted

    @property
    def tickets(self) -> Any:
        """The sales known on the day, by ticket; see `memberops.metrics.tickets`."""
        return self.once(
            "tickets",
            lambda: metrics.tickets(
                self.tables["sales"],
                known_through=self.as_of,
                policy=self.policies.metrics,
            ),
        )

    def revealed(self, frame: pd.DataFrame | None) -> tuple[str, ...]:
        """Return which revealed columns a frame has: a form can show no others."""
        return tuple(
            name for name in self.reveal if frame is not None and name in frame
        )

    def answer(
        self,
        *forms: Form,
        lines: Iterable[tuple[str, str]],
        findings: Iterable[Finding] = (),
        decisions: Iterable[AnyDecision] = (),
        nothing: tuple[str, str] = _NOTHING,
    ) -> Answer:
        """
        Put the answer together.

        Args:
            *forms: The forms, the main one first.
            lines: Sentences, each in English and in Chinese.
            findings: What the question itself found.
            decisions: The decisions of single cases.
            nothing: What is said, too, where the forms have no rows.
        """
        said = tuple(lines)
        if forms and not decisions and all(form.frame.empty for form in forms):
            said += (nothing,)
        return Answer(
            question=self.question,
            titles=self.titles,
            chain=self.chain.name,
            as_of=self.as_of,
            forms=forms,
            decisions=decisions,
            lines_en=[english for english, _ in said],
            lines_zh=[chinese for _, chinese in said],
            findings=[
                *plugin_findings(self.chain.registry),
                *self.tables.findings,
                *findings,
            ],
            tables=self.tables,
            language=self.chain.language,
            reveal=self.reveal,
        )


def inquire(
    chain: Chain,
    question: str,
    *,
    titles: tuple[str, str],
    as_of: dt.date,
    needs: Collection[str],
    uses: Collection[str] = (),
    tables: ChainTables | None = None,
    reveal: str | Collection[str] = (),
    store: str | None = None,
    progress: Progress | None = None,
) -> Inquiry:
    """
    Check what is asked and read the tables that it takes, and no others.

    Args:
        chain: Who is asked.
        question: What is asked.
        titles: The question as people say it, in English and in Chinese.
        as_of: The day.
        needs: Tables without which there is no answer.
        uses: Tables that make it better.
        tables: What was read before, if anything.
        reveal: Personal columns to show in full.
        store: The only store that is asked about.
        progress: Is told each table before it is read.

    Raises:
        InvalidValueError: *as_of* is no plain date, *reveal* names something else, or
            no such store is known.
        UnknownTableError: A table that is needed has no source, or was not read.
        SourceError: A source cannot be read.
    """
    check_as_of(as_of)
    columns = revealed_columns(reveal)
    held = chain.sources if tables is None else tables
    for name in needs:
        if name not in held:
            table = table_named(name)
            raise UnknownTableError(
                f"{question!r} needs a source of {name} ({table.title_zh}): "
                f"add [sources.{name}]"
                if name not in chain.sources
                else f"{question!r} needs {name}, which 'tables' does not hold: "
                "read it too"
            )
    if tables is None:
        tables = chain.read(only=(*needs, *uses), progress=progress)
    if store is not None:
        _check_store(store, tables)
    return Inquiry(
        chain=chain,
        question=question,
        titles=titles,
        as_of=as_of,
        tables=tables,
        reveal=columns,
        store=store,
    )


def moment_of(as_of: dt.date, zone: ZoneInfo) -> tuple[dt.date, dt.datetime]:
    """
    Return the day and the moment that are meant by either.

    Args:
        as_of: A moment with its zone, or a day, which is meant to its end.
        zone: The chain's.

    Raises:
        InvalidValueError: A moment without a zone, or what is neither.

    >>> day, moment = moment_of(dt.date(2026, 11, 5), ZoneInfo("Asia/Shanghai"))
    >>> moment.isoformat()
    '2026-11-05T15:59:59.999999+00:00'
    """
    if isinstance(as_of, dt.datetime):
        moment = instant_of(as_of, "as_of")
        return moment.astimezone(zone).date(), moment
    after = dt.datetime.combine(check_as_of(as_of) + _DAY, dt.time(), tzinfo=zone)
    return as_of, after.astimezone(dt.UTC) - _TICK


def _check_store(store: str, tables: ChainTables) -> None:
    """Refuse a store that nobody knows: its empty list would say that all is well."""
    places = ["stores"] if "stores" in tables else list(tables)
    known: set[str] = set()
    for name in places:
        if "store_id" in tables[name]:
            known |= set(tables[name]["store_id"].dropna().astype(str))
    if store not in known:
        raise InvalidValueError(
            f"no store is called {str(store)[:40]!r}; {nearest(str(store)[:40], known)}"
        )


def of_store(form: Form, store: str | None) -> Form:
    """Return a form with the rows of one store only; of all where it is None."""
    if store is None or "store_id" not in form.frame:
        return form
    rows = form.frame[(form.frame["store_id"] == store).to_numpy()]
    return attrs.evolve(form, frame=rows, charts=())
