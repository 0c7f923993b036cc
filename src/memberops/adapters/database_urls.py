"""Addresses of databases in which a piece of a password may pass for something else."""

from __future__ import annotations

import re

__all__ = ["SIGNS", "is_ambiguous", "is_mangled"]

SIGNS = "the signs @ / # ? : % of a password as %40 %2F %23 %3F %3A %25"
"""How an error says what is to be escaped."""

_PARTS = re.compile(r"[\w+.-]+://(?:[^:/]*(?::[^@]*)?@)?(?P<rest>.*)", re.DOTALL)
_NO_SLASHES = re.compile(r"\s*(?:postgres|mysql|mariadb)[\w+]*:", re.IGNORECASE)


def is_ambiguous(address: str) -> bool:
    """
    Tell if the password of an address cannot be told from its host.

    An ``@`` ends user and password. After another one nobody can say which piece is
    the host's, and whoever looks for that host asks the network for a password.

    Args:
        address: It, unless it is one of a file.

    >>> is_ambiguous("mysql://reader:p@ss@db.example/pos")
    True
    >>> is_ambiguous("mysql://reader:p%40ss@db.example/pos")
    False
    """
    found = _PARTS.fullmatch(address)
    return found is not None and "@" in found["rest"]


def is_mangled(path: str) -> bool:
    """
    Tell if what is given as the path of a file was meant as an address.

    >>> is_mangled("postgresql:/reader:s3cret@db/gifts"), is_mangled("gifts.db")
    (True, False)
    """
    return _NO_SLASHES.match(path) is not None
