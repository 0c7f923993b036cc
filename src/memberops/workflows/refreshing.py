"""Bringing the snapshots of a chain up to date."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from memberops.adapters.sources.contract import Source, SourceContext
from memberops.adapters.sources.guarded_reading import note_place
from memberops.adapters.sources.joined_source import JoinedSource
from memberops.adapters.sources.snapshot import SnapshotSource
from memberops.adapters.sources.snapshot_counts import TableRefresh
from memberops.errors import ConfigurationError, MemberOpsError, bounded
from memberops.tables import TABLES
from memberops.tables import table as table_named

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress
    from memberops.workflows.source_settings import SourceSettings

__all__ = ["kept_in_snapshot", "refresh"]


def refresh(
    chain: Chain,
    tables: Collection[str] | None = None,
    *,
    whole: bool = False,
    allow_loss: bool = False,
    progress: Progress | None = None,
) -> tuple[TableRefresh, ...]:
    """
    Bring the snapshots of the chain up to date; nothing else asks their sources.

    A source that can tell what changed is asked for that, and any other is read
    whole. After it, whatever reads these tables needs no network.

    Args:
        chain: The chain; ``chain.refresh()`` gives itself.
        tables: Their names; None for all that have a ``snapshot`` in the chain file.
        whole: Read them whole, not what changed.
        allow_loss: Take over a table of which all, or more than half, is gone; the
            refresh is stopped otherwise, and the table stays as it was.
        progress: Is told each table before it is refreshed.

    Returns:
        What changed, table by table, and section by section where a table has
        several; see `memberops.workflows.TableRefresh.describe`.

    Raises:
        ConfigurationError: A table has no snapshot.
        SourceError: A source cannot be read, or has lost too much: the tables before
            it are refreshed, the others are as they were.
        UnknownTableError: A name is that of no table.
    """
    kept = {
        table.name: found
        for table in TABLES
        if (found := _snapshots(table.name, chain.sources.get(table.name)))
    }
    wanted = list(kept) if tables is None else [table_named(n).name for n in tables]
    missing = [name for name in wanted if name not in kept]
    if missing or not wanted:
        which = f"{bounded(missing)} has" if missing else "no source of the chain has"
        raise ConfigurationError(
            f'{which} {"no" if missing else "a"} snapshot: add snapshot = "snapshot" '
            f"to [sources.{(missing or ['sales'])[0]}]"
        )
    each_one = [
        (name, place, source)
        for name in dict.fromkeys(wanted)
        for place, source in kept[name].items()
    ]
    done: list[TableRefresh] = []
    for at, (name, place, source) in enumerate(each_one):
        section = place if place != name else ""
        if progress is not None:
            table = table_named(name)
            more = f" ({section})" if section else ""
            progress(
                f"refreshing {table.title_en.lower()}{more}",
                f"更新{table.title_zh}{more}",
                at,
                len(each_one),
            )
        try:
            told = source.refresh([name], whole=whole, allow_loss=allow_loss)
        except MemberOpsError as error:
            note_place(error, f"sources.{place}")
            raise
        done += [_of_section(each, section) for each in told]
    return tuple(done)


def _of_section(told: TableRefresh, section: str) -> TableRefresh:
    """Name the section, in its findings too, where a table has several."""
    if not section:
        return told
    findings = [
        attrs.evolve(each, source=f"{section} {each.source or ''}".strip())
        for each in told.findings
    ]
    return attrs.evolve(told, section=section, findings=tuple(findings))


def _snapshots(table: str, source: Source | None) -> dict[str, SnapshotSource]:
    """Name the sections of a table that have a snapshot."""
    sections: tuple[tuple[str, Source | None], ...] = ((table, source),)
    if isinstance(source, JoinedSource):
        sections = source.sections
    return {name: own for name, own in sections if isinstance(own, SnapshotSource)}


def kept_in_snapshot(
    source: Source, settings: SourceSettings, context: SourceContext
) -> Source:
    """
    Put a snapshot in front of a source whose settings ask for one.

    Args:
        source: The source.
        settings: What the chain file says of it.
        context: Folder, currency and zone of the chain.
    """
    if settings.snapshot is None:
        return source
    folder = context.folder / Path(settings.snapshot)
    return SnapshotSource(source, folder, origin=_origin(settings, context))


def _origin(settings: SourceSettings, context: SourceContext) -> str:
    """Digest whatever decides what becomes of a source's rows."""
    told = [
        settings.adapter,
        settings.options,
        context.currency.code,
        context.currency.digits,
        context.zone.key,
    ]
    text = json.dumps(told, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
