"""Secrets of providers: those of `memberops.adapters.secrets`."""

from memberops.adapters.secrets import Secret, secret_option

__all__ = ["Secret", "secret_option"]
