"""
Reading ``chain.toml``: every problem is found at once, and named by its path.

The file becomes a `ChainSettings`, which opens nothing: whether an adapter exists and
whether its options are right is known when the chain is opened.
"""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from memberops.domain import Currency
from memberops.domain.money import NO_CURRENCY
from memberops.domain.values import Language
from memberops.errors import ConfigurationError, nearest
from memberops.tables import TABLES
from memberops.workflows.chain_policies import ChainPolicies
from memberops.workflows.ledger_settings import LedgerSettings
from memberops.workflows.message_settings import OutboxSettings, SmsSettings
from memberops.workflows.message_spelling import read_sms
from memberops.workflows.policy_spelling import SPELLING
from memberops.workflows.structuring import Misfit, Problem, Reader

__all__ = [
    "ChainSettings",
    "PluginSettings",
    "SourceSettings",
    "configuration_error",
    "parse_settings",
    "read_settings",
]

_MOST_PROBLEMS = 10
_ANY_ZONE = "UTC"


@attrs.frozen(kw_only=True)
class SourceSettings:
    """
    Where one table comes from.

    Args:
        adapter: Name of the adapter that reads it, such as ``"csv"``.
        options: What the adapter's factory is given.
        snapshot: Folder in which what was read is kept, and from which it is read
            until the next refresh; None to ask the source each time.
    """

    adapter: str
    options: Mapping[str, Any] = attrs.field(factory=dict)
    snapshot: str | None = None


@attrs.frozen(kw_only=True)
class PluginSettings:
    """
    What the chain says about plugins.

    Args:
        disabled: Names of plugins or distributions that are not loaded.
    """

    disabled: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class ChainSettings:
    """
    What a chain file says.

    Args:
        name: The chain's name, for titles.
        currency: What amounts are in.
        zone: Zone in which a local time is read and a day begins.
        sources: By canonical table, where it comes from; sales are needed.
        language: ``"zh"`` or ``"en"``, for summaries and lists.
        policies: What the chain decides for itself.
        plugins: Which plugins are left out.
        ledger: Where the gift ledger is kept; None if there is none.
        outbox: Where messages are kept on their way; None if there is none.
        sms: Who sends messages, and the templates; None if the file does not say.
    """

    name: str
    currency: Currency
    zone: ZoneInfo
    sources: Mapping[str, SourceSettings]
    language: Language = "zh"
    policies: ChainPolicies = attrs.field(factory=ChainPolicies)
    plugins: PluginSettings = attrs.field(factory=PluginSettings)
    ledger: LedgerSettings | None = None
    outbox: OutboxSettings | None = None
    sms: SmsSettings | None = None


def read_settings(path: str | Path) -> ChainSettings:
    """
    Read a chain file.

    Args:
        path: The file, TOML in UTF-8, with or without a byte-order mark.

    Raises:
        ConfigurationError: The file cannot be read, is no TOML, or has keys or
            values that are not known; the message lists the problems.
    """
    file = Path(path)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"{file.name}: the file is not UTF-8; save it as UTF-8"
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"the chain file {str(file)!r} cannot be read: {error.strerror}"
        ) from None
    return parse_settings(text, file=file.name)


def parse_settings(text: str, *, file: str = "chain.toml") -> ChainSettings:
    """
    Read the text of a chain file.

    Args:
        text: TOML.
        file: What errors call it.

    Raises:
        ConfigurationError: As `read_settings`.

    >>> settings = parse_settings('''
    ... name = "示例"
    ... currency = "CNY"
    ... zone = "Asia/Shanghai"
    ... [sources.sales]
    ... adapter = "csv"
    ... path = "sales.csv"
    ... [policies.fee_waiver]
    ... purchases = 5
    ... ''')
    >>> settings.policies.fee_waiver.purchases, settings.sources["sales"].options
    (5, {'path': 'sales.csv'})
    >>> parse_settings('name = "示例"')
    Traceback (most recent call last):
        ...
    memberops.errors.ConfigurationError: chain.toml has 3 problems:
    - currency is needed
    - sources is needed
    - zone is needed
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        hint = ': text needs quotes, as in provider = "file"'
        told = f"{error}{hint if str(error).startswith('Invalid value') else ''}"
        raise ConfigurationError(f"{file}: this is no TOML: {told}") from None
    try:
        made: ChainSettings = _reader(given).read(given, ChainSettings)
    except Misfit as misfit:
        raise configuration_error(misfit.problems, file=file) from None
    return made


def _reader(given: Mapping[str, Any]) -> Reader:
    """Make a reader that puts the file's currency and zone where they are meant."""
    read_currency = SPELLING.types[Currency]
    spelling = attrs.evolve(
        SPELLING,
        types={
            **SPELLING.types,
            Mapping[str, SourceSettings]: _sources,
            SmsSettings: read_sms,
        },
        fields={**SPELLING.fields, (ChainSettings, "currency"): read_currency},
    )
    reader = Reader(spelling=spelling)
    currency, zone = NO_CURRENCY, _ANY_ZONE
    # What is wrong with either is told when the whole is read.
    with contextlib.suppress(Misfit):
        currency = reader.read(given.get("currency"), Currency)
    with contextlib.suppress(Misfit):
        zone = reader.read(given.get("zone"), ZoneInfo).key
    reader.filled = {
        ("currency", Currency): currency,
        ("currency", str): currency.code,
    }
    reader.facts = {"currency": currency, "zone": zone}
    return reader


_SEVERAL = (
    "is one section [sources.{name}], not several: files of one make are "
    'path = ["a.csv", "b.csv"]; of tills of different makes, the guide "Bring several '
    'tills together" (docs/how-to/bring-tills-together.md) makes one JoinedSource'
)


def _sources(given: Any, _base: Any, _reader: Reader) -> dict[str, SourceSettings]:
    """Read the sources: a canonical table each, an adapter, and its options."""
    if not isinstance(given, Mapping):
        raise Misfit("takes a table for each source, such as [sources.sales]")
    known = [table.name for table in TABLES]
    made, problems = {}, []
    for name, options in given.items():
        if name not in known:
            problems.append(
                Problem((name,), f"is not known; {nearest(name[:40], known)}")
            )
        elif isinstance(options, list):
            problems.append(Problem((name,), _SEVERAL.format(name=name)))
        elif not isinstance(options, Mapping):
            problems.append(Problem((name,), 'takes a table with adapter = "csv"'))
        elif not isinstance(options.get("adapter"), str):
            problems.append(
                Problem((name, "adapter"), 'is needed, as text: adapter = "csv"')
            )
        elif not _is_folder(options.get("snapshot", ".")):
            problems.append(
                Problem((name, "snapshot"), 'takes a folder: snapshot = "snapshot"')
            )
        else:
            own = ("adapter", "snapshot")
            made[name] = SourceSettings(
                adapter=options["adapter"],
                options={key: options[key] for key in options if key not in own},
                snapshot=options.get("snapshot"),
            )
    if "sales" not in given:
        problems.append(Problem(("sales",), "is needed: all figures rest on sales"))
    if problems:
        raise Misfit(problems)
    return made


def _is_folder(given: object) -> bool:
    return isinstance(given, str) and bool(given.strip())


def configuration_error(
    problems: list[Problem], *, file: str = "chain.toml"
) -> ConfigurationError:
    """
    Gather problems into one error: one line for one, a bounded list for several.

    >>> print(configuration_error([Problem(("zone",), "is needed")]))
    chain.toml: zone is needed
    """
    lines = sorted(str(problem) for problem in problems)
    if len(lines) == 1:
        return ConfigurationError(f"{file}: {lines[0]}")
    rest = len(lines) - _MOST_PROBLEMS
    shown = [f"- {line}" for line in lines[:_MOST_PROBLEMS]]
    if rest > 0:
        shown.append(f"- and {rest} more")
    return ConfigurationError("\n".join([f"{file} has {len(lines)} problems:", *shown]))
