"""Gift movements of the chain's own sources: what of them may go into the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pandas as pd

from memberops.adapters.sources.contract import Source, SourceResult
from memberops.adapters.sources.csv_source import CsvSource
from memberops.adapters.sources.overlapping_sections import SEVERAL
from memberops.adapters.sources.refused_records import refused_records, sections_of
from memberops.domain import Finding, Severity
from memberops.domain.gift import POINTS
from memberops.errors import InvalidValueError, bounded
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.gift_handed_in import Torn, torn_in_files

if TYPE_CHECKING:
    import datetime as dt

    from memberops.workflows.chain import Chain

__all__ = ["TABLE", "MovementsHere", "torn_in_sources"]

TABLE = "gift_movements"
_KEY = ("posting_id",)


@attrs.frozen(kw_only=True, eq=False)
class MovementsHere:
    """
    The movements of a source that concern the ledger on a day.

    A system that sells tells the movements of all its goods, and goes on after the
    day that is asked about: neither is an error.

    Args:
        frame: What concerns the ledger.
        later: Rows that take effect after the day.
        goods: Rows of goods that are no gifts of the chain.
        findings: What was left out.
    """

    frame: pd.DataFrame
    later: int
    goods: int
    findings: tuple[Finding, ...]

    @classmethod
    def of(
        cls, frame: pd.DataFrame, tables: ChainTables, moment: dt.datetime
    ) -> MovementsHere:
        """
        Leave out what does not concern the ledger.

        Args:
            frame: The movements.
            tables: What was read; of its gifts and of points movements are kept.
            moment: What takes effect later is left out.

        Raises:
            InvalidValueError: Goods moved, and no table says which are gifts.
        """
        due = (frame["effective_at"] <= pd.Timestamp(moment)).to_numpy()
        # A posting of which one row is later is later as a whole: none goes in half.
        late_keys = frame.loc[~due, "posting_id"].unique()
        due = ~frame["posting_id"].isin(late_keys).to_numpy()
        moved = frame[due]
        points = moved["gift_id"] == POINTS
        if "gifts" not in tables:
            if not points.all():
                raise InvalidValueError(
                    "the source tells of goods, and the chain does not list its "
                    "gifts: every good would go into the ledger; add [sources.gifts]"
                ).in_chinese(
                    "数据源含商品流水，而连锁没有礼品档案，所有商品都会记入台账："
                    "请添加 [sources.gifts]"
                )
            gifts = points
        else:
            gifts = points | moved["gift_id"].isin(tables["gifts"]["gift_id"])
        kept = moved[gifts.to_numpy()].reset_index(drop=True)
        others = moved[~gifts.to_numpy()]
        return cls(
            frame=kept,
            later=len(frame) - len(moved),
            goods=len(others),
            findings=tuple(_told(kept, others)),
        )


def _told(kept: pd.DataFrame, others: pd.DataFrame) -> list[Finding]:
    if others.empty:
        return []
    names = sorted(others["gift_id"].astype(str).unique())
    mixed = kept["posting_id"].isin(others["posting_id"])
    parts = kept.loc[mixed, "posting_id"].nunique()
    found = [
        Finding(
            table=TABLE,
            rule="movement-of-no-gift",
            # Where nothing is a gift, the ids of the two systems hardly agree.
            severity=Severity.INFO if len(kept) else Severity.WARNING,
            count=len(others),
            message_en=f"movements of {len(names)} goods that the table of gifts does "
            f"not list are left out: {bounded(names)}",
            message_zh=f"礼品档案中没有的 {len(names)} 种商品，其流水未采用："
            f"{bounded(names)}",
        )
    ]
    if parts:
        found.append(
            Finding(
                table=TABLE,
                rule="posting-in-part",
                severity=Severity.INFO,
                count=parts,
                message_en="postings of gifts and other goods: of them the gifts alone "
                "are entered; a good that becomes a gift later needs postings of "
                "its own",
                message_zh="同一凭证既有礼品又有其他商品：只入账其中的礼品；"
                "以后新增为礼品的商品须另行入账",
            )
        )
    return found


def torn_in_sources(chain: Chain, result: SourceResult) -> Torn:
    """
    Tell the postings of which a row was rejected, by whatever their source can tell.

    Args:
        chain: The chain.
        result: What its sources of movements gave.

    Raises:
        SourceError: A source cannot be read once more.
    """
    # What an earlier section gives too is whole there.
    several = int((result.rejects["rule"] == SEVERAL).sum())
    if result.rejected == several:
        return Torn()
    if TABLE not in chain.sources:
        # The tables were read elsewhere: whose rows were rejected is not known here.
        return Torn(nameless=True)
    parts = [_torn(chain, each) for each in sections_of(chain.sources[TABLE])]
    return Torn(
        frozenset[str]().union(*(part.keys for part in parts)),
        any(part.nameless for part in parts),
    )


def _torn(chain: Chain, source: Source) -> Torn:
    if isinstance(source, CsvSource):
        paths, options = source.files(TABLE)
        return torn_in_files(chain, paths, source.read(TABLE), options)
    names = refused_records(source, TABLE, _KEY)
    return Torn(frozenset(name[0] for name in names if name), () in names)
