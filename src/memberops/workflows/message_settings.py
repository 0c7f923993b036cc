"""Where a chain keeps its messages, who sends them, and which templates it has."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from memberops.adapters.stores import KeySeal
from memberops.domain.message import MessageTemplate
from memberops.errors import ConfigurationError, InvalidValueError, bounded, nearest
from memberops.policies.message_text import gap_names

__all__ = [
    "MessageSettings",
    "OutboxSettings",
    "ProviderSettings",
    "SmsSettings",
    "TemplateSettings",
]


_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,79}")
_KEY = re.compile(r"[0-9A-Fa-f]{32,}")


def _pairs(given: Mapping[str, str] | Iterable[tuple[str, str]]) -> Any:
    return tuple(dict(given).items())


def _gathered(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(values)


@attrs.frozen(kw_only=True)
class OutboxSettings:
    """
    Where messages are kept on their way: a SQLite file, or a database of a server.

    The address of a server holds a password, which does not belong in a file: the
    chain file names the environment variable that holds it.

    Args:
        database: For SQLite, the file; a relative one counts from the chain's folder.
        url_env: For PostgreSQL, name of the environment variable with the address,
            such as ``postgresql://user:password@host/name``.
        seal_env: Name of the environment variable with the key by which phones and
            texts are hidden in the database; see
            `memberops.adapters.stores.KeySeal`. None leaves them as they are.
        held_out: CSV file that lists who was held out of which batch, so that the
            effect can be measured; it only grows.

    Raises:
        InvalidValueError: Neither *database* nor *url_env*, or both, or an address;
            or what should name a variable is none.

    >>> OutboxSettings(database="outbox.db").within(Path("office")).database
    'office/outbox.db'
    """

    database: str | None = attrs.field(default=None, repr=False)
    url_env: str | None = None
    seal_env: str | None = attrs.field(default=None, repr=False)
    held_out: str = "held-out.csv"

    def __attrs_post_init__(self) -> None:
        """Hold file and variable against each other."""
        if bool(self.database) == bool(self.url_env):
            raise InvalidValueError(
                "an outbox needs either 'database', a SQLite file, or 'url_env', the "
                "name of the environment variable with the address of PostgreSQL"
            )
        if self.database and "://" in self.database:
            raise InvalidValueError(
                "'database' is a SQLite file; an address holds a password and is not "
                "written down: put it into an environment variable, and name that as "
                "'url_env'"
            )
        named = self.seal_env
        if named is not None and (
            _KEY.fullmatch(named) or not _VARIABLE.fullmatch(named)
        ):
            # not quoted: it may be the key
            raise InvalidValueError(
                "'seal_env' names an environment variable, in capital letters, such as "
                "'MEMBEROPS_OUTBOX_KEY'; the key itself is not written down"
            )
        if not self.held_out:
            raise InvalidValueError("'held_out' names a file")

    def within(self, folder: Path) -> OutboxSettings:
        """Return the settings with files that count from a folder."""
        return attrs.evolve(
            self,
            database=self.database and str(folder / self.database),
            held_out=str(folder / self.held_out),
        )

    def address(self) -> str:
        """
        Return the file, or the address that the environment holds.

        Raises:
            ConfigurationError: The environment has no such variable, or it holds no
                address of PostgreSQL.
        """
        if self.database is not None:
            return self.database
        name = self.url_env or ""
        address = os.environ.get(name, "")
        if not address.startswith(("postgresql", "postgres:")):
            raise ConfigurationError(
                f"outbox.url_env: the environment variable {name[:40]!r} must hold the "
                "address of PostgreSQL, postgresql://user:password@host/name"
            )
        return address

    def seal(self) -> KeySeal | None:
        """
        Return the seal whose key the environment holds; None if there is none.

        Raises:
            ConfigurationError: The environment has no such variable, or no key in it.
            MissingExtraError: The extra ``seal`` is not installed.
        """
        if self.seal_env is None:
            return None
        try:
            return KeySeal.from_environment(self.seal_env)
        except ConfigurationError as error:
            raise ConfigurationError(f"outbox.seal_env: {error}") from None


@attrs.frozen(kw_only=True)
class TemplateSettings:
    """
    A template of the chain, and how it is filled.

    Args:
        template: What is written.
        variables: For a gap the column of the members that fills it; by default that
            of its name.
        sample: Made-up values for the text that is shown to those who approve.
        rules: Rules of the visit plan that are answered by this message.

    Raises:
        InvalidValueError: A variable or a sample is of a gap that is not there.
    """

    template: MessageTemplate
    variables: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    sample: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    rules: tuple[str, ...] = attrs.field(default=(), converter=_gathered)

    def __attrs_post_init__(self) -> None:
        """Refuse values for gaps that the text does not have."""
        names = gap_names(self.template)
        for field, given in (("variables", self.variables), ("sample", self.sample)):
            for gap, _ in given:
                if gap not in names:
                    raise InvalidValueError(
                        f"'{field}' has {gap[:40]!r}, which is no gap of the text: "
                        f"{nearest(gap[:40], names)}"
                    )


@attrs.frozen(kw_only=True)
class ProviderSettings:
    """
    One account at one provider.

    Args:
        name: What the outbox and receipts call the account; empty for the name that
            the provider gives itself.
        kind: Which provider, such as ``"aliyun"``.
        options: What its factory is given; secrets as ``{"env": "NAME"}``.
    """

    name: str = ""
    kind: str = "file"
    options: Mapping[str, Any] = attrs.field(factory=dict, repr=False)

    @property
    def title(self) -> str:
        """What the outbox and receipts call it, as far as the settings tell."""
        return self.name or str(self.options.get("name", self.kind))


@attrs.frozen(kw_only=True)
class SmsSettings:
    """
    Who sends, and what.

    Args:
        provider: Which provider, such as ``"file"``; where there are *accounts*, the
            one of them that sends what names none.
        options: What the provider's factory is given; secrets as ``{"env": "NAME"}``.
        accounts: Several accounts, also of one provider, instead of the *options*.
        templates: The chain's templates.
        folder: The chain's folder.

    Raises:
        InvalidValueError: Two templates or accounts of one name, *options* beside
            accounts, or a template of an account that is not there.

    >>> accounts = [ProviderSettings(name=n, kind="aliyun") for n in ("care", "sale")]
    >>> sms = SmsSettings(provider="care", accounts=accounts)
    >>> [each.name for each in sms.senders()], sms.sender("sale").kind
    (['care', 'sale'], 'aliyun')
    """

    provider: str = "file"
    options: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    accounts: tuple[ProviderSettings, ...] = attrs.field(
        default=(), converter=_gathered
    )
    templates: tuple[TemplateSettings, ...] = attrs.field(
        default=(), converter=_gathered
    )
    folder: Path = attrs.field(factory=Path, repr=False)

    def __attrs_post_init__(self) -> None:
        """Refuse two of one name, and what names nothing."""
        names = [each.template.template_id for each in self.templates]
        if len(set(names)) < len(names):
            raise InvalidValueError("a template's id names one template")
        if not self.accounts:
            return
        known = [each.name for each in self.accounts]
        if len(set(known)) < len(known) or not all(known):
            raise InvalidValueError("an account has a name, and no other has it")
        if self.options:
            raise InvalidValueError(
                f"{bounded(sorted(self.options))} beside accounts is nobody's option: "
                "write it into the section of its account"
            )
        if self.provider not in known:
            raise InvalidValueError(
                f"'provider' is the account that sends what names none; "
                f"{nearest(self.provider[:40], known)}"
            )
        for each in self.templates:
            name = each.template.provider
            if name and name not in known:
                raise InvalidValueError(
                    f"the template {each.template.template_id[:40]!r} is of no account "
                    f"{name[:40]!r}: {nearest(name[:40], known)}"
                )

    def senders(self) -> tuple[ProviderSettings, ...]:
        """Return all accounts, first the one that sends what names none."""
        if not self.accounts:
            return (ProviderSettings(kind=self.provider, options=self.options),)
        return tuple(sorted(self.accounts, key=lambda each: each.name != self.provider))

    def sender(self, name: str = "") -> ProviderSettings:
        """
        Return the account of a name, by default the one that sends what names none.

        Raises:
            InvalidValueError: There is none of that name; with the nearest.
        """
        known = {each.name: each for each in self.senders()}
        if not name or not self.accounts:
            return next(iter(known.values()))
        if name not in known:
            raise InvalidValueError(
                f"no account is called {name[:40]!r}: {nearest(name[:40], known)}"
            )
        return known[name]

    def template(self, template_id: str) -> TemplateSettings:
        """
        Return a template.

        Raises:
            InvalidValueError: There is none of that id; with the nearest.
        """
        for each in self.templates:
            if each.template.template_id == template_id:
                return each
        known = [each.template.template_id for each in self.templates]
        hint = nearest(template_id[:40], known) if known else "the chain has none yet"
        raise InvalidValueError(
            f"no template is called {template_id[:40]!r}: {hint}; a template is a "
            "section [sms.templates.<id>] with kind and text"
        ).in_chinese(
            f"没有模板 {template_id[:40]!r}；已有：{'、'.join(known[:12]) or '无'}。"
            "模板写在 [sms.templates.<编号>]，须有 kind 和 text"
        )


@attrs.frozen(kw_only=True)
class MessageSettings:
    """
    All that a chain says about sending messages.

    Args:
        outbox: Where they are kept; None to plan only.
        sms: Who sends, and the templates.
    """

    outbox: OutboxSettings | None = None
    sms: SmsSettings = attrs.field(factory=SmsSettings)
