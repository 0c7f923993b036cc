"""From a chain's settings to its outbox and its provider of SMS."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from memberops.adapters import AdapterRegistry, load_adapters
from memberops.adapters.stores import open_outbox
from memberops.errors import (
    ConfigurationError,
    InvalidValueError,
    MemberOpsError,
    MissingExtraError,
    UnknownAdapterError,
)
from memberops.workflows.configuration import ChainSettings, configuration_error
from memberops.workflows.message_settings import (
    MessageSettings,
    OutboxSettings,
    ProviderSettings,
    SmsSettings,
)
from memberops.workflows.problems import Problem

if TYPE_CHECKING:
    from memberops.adapters.sms import SmsProvider
    from memberops.adapters.stores.outbox_rows import Seal
    from memberops.adapters.stores.outbox_store import SqlOutbox
    from memberops.workflows.chain import Chain

__all__ = [
    "made_provider",
    "needed_outbox",
    "opened_messages",
    "outbox",
    "sms_provider",
    "sms_settings",
]


def opened_messages(
    settings: ChainSettings, registry: AdapterRegistry, folder: Path, *, file: str
) -> MessageSettings | None:
    """
    Return what a file says of messages, with its files in the chain's folder.

    The provider is made once and closed again: it asks nobody anything, and a wrong
    option or a secret that is written down is told at once.

    Args:
        settings: What the file says.
        registry: What is installed.
        folder: The chain's.
        file: What errors call the file.

    Raises:
        ConfigurationError: No such provider, or a wrong option of it.
    """
    if settings.outbox is None and settings.sms is None:
        return None
    sms = attrs.evolve(settings.sms or SmsSettings(), folder=folder)
    problems = []
    for account in sms.senders():
        place = ("sms", "providers", account.name) if account.name else ("sms",)
        try:
            # What is not installed is told when something is to be sent.
            with contextlib.suppress(MissingExtraError):
                made_provider(sms, account, registry, settings.currency.code).close()
        except UnknownAdapterError as error:
            key = "kind" if account.name else "provider"
            problems.append(Problem.raised((*place, key), error))
        except (MemberOpsError, ValueError) as error:
            problems.append(Problem.raised(place, error))
    if problems:
        raise configuration_error(problems, file=file)
    kept = settings.outbox
    return MessageSettings(
        outbox=None if kept is None else kept.within(folder), sms=sms
    )


def made_provider(
    sms: SmsSettings,
    account: ProviderSettings,
    registry: AdapterRegistry,
    currency: str,
) -> SmsProvider:
    """
    Make a provider by the settings.

    Args:
        sms: All settings.
        account: Of these, the one that sends.
        registry: What is installed.
        currency: Code of the chain's currency.

    Raises:
        UnknownAdapterError: No provider is of that kind.
        ConfigurationError: An option is wrong, or the provider does not take the name
            of its account.
        MissingExtraError: What it needs is not installed.
    """
    from memberops.adapters.sms import SmsContext

    factory = registry.sms_providers[account.kind].factory
    context = SmsContext(folder=sms.folder, currency=currency)
    options = dict(account.options)
    if account.name not in {"", account.kind}:
        options["name"] = account.name
    try:
        made = factory(context, **options)
    except TypeError as error:
        # It names options, such as one that is missing, and never a value.
        told = str(error).partition("() ")[2] or type(error).__name__
        raise ConfigurationError(
            f"the provider {account.kind!r} cannot be made so: {told}"
        ) from None
    if account.name and made.name != account.name:
        made.close()
        raise ConfigurationError(
            f"the provider {account.kind!r} does not take the option 'name', so it "
            "cannot be one of several accounts under another name than its own, "
            f"{made.name[:40]!r}"
        )
    return made


def outbox(chain: Chain, *, seal: Seal | None = None) -> SqlOutbox:
    """
    Open the chain's outbox, or begin it (HQ §6.1); use it in a ``with`` statement.

    Args:
        chain: The chain; a method of it.
        seal: Hides phones and texts in the database, by a key of the host; by default
            that of the settings, if they name one.

    Raises:
        InvalidValueError: The chain has no outbox.
        ConfigurationError: The environment does not hold its address, or its key.
        MissingExtraError: See `memberops.adapters.stores.open_outbox`, also for what
            else can fail.
    """
    kept = needed_outbox(chain)
    address = kept.address()
    hidden = kept.seal() if seal is None else seal
    return open_outbox(address, policy=chain.policies.outbox, seal=hidden)


@contextlib.contextmanager
def outbox_as_it_is(chain: Chain) -> Iterator[SqlOutbox]:
    """
    Open the chain's outbox to look at; one that nobody began is empty, and not begun.

    Args:
        chain: The chain.

    Raises:
        InvalidValueError: See `outbox`, also for what else can fail.
    """
    settings = needed_outbox(chain)
    if settings.database is None or Path(settings.database).exists():
        with outbox(chain) as kept:
            yield kept
        return
    with (
        tempfile.TemporaryDirectory(prefix="memberops-") as folder,
        open_outbox(
            Path(folder) / "outbox.db",
            policy=chain.policies.outbox,
            seal=settings.seal(),
        ) as kept,
    ):
        yield kept


def needed_outbox(chain: Chain) -> OutboxSettings:
    """Return where the outbox is, or say how a chain gets one."""
    settings = chain.message_settings
    if settings is None or settings.outbox is None:
        raise InvalidValueError(
            'the chain has no outbox: add [outbox] with database = "outbox.db" to '
            "chain.toml, or give Chain message_settings=MessageSettings(...)"
        ).in_chinese(
            '没有配置发件箱：请在 chain.toml 加 [outbox]，写 database = "outbox.db"'
        )
    return settings.outbox


def sms_settings(chain: Chain) -> SmsSettings:
    """Return who sends, and the templates; by default a file, and none."""
    settings = chain.message_settings
    return SmsSettings() if settings is None else settings.sms


def sms_provider(chain: Chain, name: str = "") -> SmsProvider:
    """
    Make the chain's provider of SMS; close it after use.

    Args:
        chain: The chain; a method of it.
        name: Which account, if it has several; by default the one that sends what
            names none.

    Raises:
        InvalidValueError: No account has that name.
        UnknownAdapterError: No provider is of the kind that the chain says.
        ConfigurationError: An option is wrong.
        MissingExtraError: What it needs is not installed.
    """
    registry = load_adapters() if chain.registry is None else chain.registry
    settings = sms_settings(chain)
    account = settings.sender(name)
    return made_provider(settings, account, registry, chain.currency.code)
