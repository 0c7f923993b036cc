"""
The hooks: what a plugin may implement, and so what it can do.

A hook is a capability; there are no flags beside it. A hook takes its arguments by
name, so that one can be added later without breaking a plugin, and each body returns
an empty tuple, so that its declared type is true of the specification too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memberops.adapters.declarations import Adapter
    from memberops.adapters.sms import SmsProviderFactory
    from memberops.adapters.sources import SourceFactory

__all__ = ["hookimpl", "hookspec", "memberops_sms_providers", "memberops_sources"]

hookspec = pluggy.HookspecMarker("memberops")
"""Marks a function of this module as a hook."""

hookimpl = pluggy.HookimplMarker("memberops")
"""Marks a plugin's function or method as the implementation of a hook."""


@hookspec
def memberops_sources() -> Iterable[Adapter[SourceFactory]]:
    """
    Declare the sources from which canonical tables can be read.

    A factory is called as ``factory(context, **options)``, with the
    `memberops.adapters.sources.SourceContext` of the chain and the options
    of its chain file, and returns an object with ``read(table)``, which gives a
    `memberops.adapters.sources.SourceResult`.

    Returns:
        One `Adapter` for each source.

    A complete plugin:

    >>> from memberops.adapters import Adapter, hookimpl, load_adapters
    >>> class AcmeSource:
    ...     def __init__(self, context, *, folder="acme"):
    ...         self.path = context.folder / folder
    ...     def read(self, table):
    ...         ...  # open self.path, and return a SourceResult
    >>> class AcmePlugin:
    ...     @hookimpl
    ...     def memberops_sources(self):
    ...         yield Adapter(name="acme", factory=AcmeSource, summary="Acme tills")
    >>> registry = load_adapters(plugins=[AcmePlugin()], entry_points=False)
    >>> registry.sources["acme"].factory is AcmeSource
    True
    """
    return ()


@hookspec
def memberops_sms_providers() -> Iterable[Adapter[SmsProviderFactory]]:
    """
    Declare the providers through which messages can be sent.

    A factory is called as ``factory(context, **options)``, with the
    `memberops.adapters.sms.SmsContext` of the chain and the options of its chain
    file, and returns a `memberops.adapters.sms.SmsProvider`. It makes no request.

    Returns:
        One `Adapter` for each provider.

    >>> from memberops.adapters import Adapter, hookimpl, load_adapters
    >>> class Acme:
    ...     @hookimpl
    ...     def memberops_sms_providers(self):
    ...         yield Adapter(name="acme", factory=dict, summary="Acme SMS")
    >>> registry = load_adapters(plugins=[Acme()], entry_points=False)
    >>> "acme" in registry.sms_providers
    True
    """
    return ()
