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
from memberops.errors import ConfigurationError
from memberops.workflows.chain_policies import ChainPolicies
from memberops.workflows.ledger_settings import LedgerSettings
from memberops.workflows.message_settings import OutboxSettings, SmsSettings
from memberops.workflows.message_spelling import read_sms
from memberops.workflows.policy_spelling import SPELLING
from memberops.workflows.source_settings import SourceSettings, read_sources
from memberops.workflows.structuring import Misfit, Problem, Reader

__all__ = [
    "ChainSettings",
    "PluginSettings",
    "configuration_error",
    "parse_settings",
    "read_settings",
]

_MOST_PROBLEMS = 10
_ANY_ZONE = "UTC"
_SECTION = "[sources."


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
        sources: By canonical table, the sections that say where it comes from, one or
            several; sales are needed.
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
    sources: Mapping[str, tuple[SourceSettings, ...]]
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
    return parse_settings(text, file=file.name, folder=file.parent)


def parse_settings(
    text: str, *, file: str = "chain.toml", folder: Path | None = None
) -> ChainSettings:
    """
    Read the text of a chain file.

    Args:
        text: TOML.
        file: What errors call it.
        folder: Folder that its paths count from; None if they are not looked at.

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
    >>> settings.policies.fee_waiver.purchases, settings.sources["sales"][0].options
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
        raise ConfigurationError(
            f"{file}: this is no TOML: {error}{_hint(str(error), text)}"
        ) from None
    try:
        made: ChainSettings = _reader(given, folder).read(given, ChainSettings)
    except Misfit as misfit:
        raise configuration_error(misfit.problems, file=file) from None
    return made


def _reader(given: Mapping[str, Any], folder: Path | None) -> Reader:
    """Make a reader that puts the file's currency and zone where they are meant."""
    read_currency = SPELLING.types[Currency]
    spelling = attrs.evolve(
        SPELLING,
        types={
            **SPELLING.types,
            Mapping[str, tuple[SourceSettings, ...]]: read_sources,
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
    reader.facts = {"currency": currency, "zone": zone, "folder": folder}
    return reader


def _hint(error: str, text: str) -> str:
    """Say what the reader of TOML does not: what was probably meant."""
    if error.startswith("Invalid value"):
        return ': text needs quotes, as in provider = "file"'
    if error.startswith(("Cannot overwrite", "Cannot declare")) and _SECTION in text:
        return (
            ": where a table has several sections each has two brackets, "
            "[[sources.sales]]"
        )
    return ""


def configuration_error(
    problems: list[Problem], *, file: str = "chain.toml"
) -> ConfigurationError:
    """
    Gather problems into one error: one line for one, a bounded list for several.

    Its Chinese text holds all of them where one has a Chinese text at least.

    >>> print(configuration_error([Problem(("zone",), "is needed")]))
    chain.toml: zone is needed
    """
    told = sorted(problems, key=str)
    shown, rest = told[:_MOST_PROBLEMS], len(told) - _MOST_PROBLEMS
    if len(told) == 1:
        english = f"{file}: {shown[0]}"
        chinese = f"{file}：{shown[0].in_chinese()}"
    else:
        lines = [f"{file} has {len(told)} problems:", *map("- {}".format, shown)]
        lines_zh = [f"{file} 有 {len(told)} 个问题："]
        lines_zh += [f"- {each.in_chinese()}" for each in shown]
        if rest > 0:
            lines.append(f"- and {rest} more")
            lines_zh.append(f"- 另有 {rest} 个")
        english, chinese = "\n".join(lines), "\n".join(lines_zh)
    error = ConfigurationError(english)
    return error.in_chinese(chinese) if any(one.text_zh for one in shown) else error
