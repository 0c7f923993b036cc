"""What is wrong with a file, each problem named by its path."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

__all__ = ["Misfit", "Problem"]

_LONGEST = 300


@attrs.frozen
class Problem:
    """
    One thing that is wrong with a file.

    Args:
        path: The keys that lead to it.
        text: The rest of the sentence; a clause of its own begins with a colon.
        text_zh: The same in Chinese, always a clause of its own; empty where the
            English is all there is.

    >>> str(Problem(("policies", "term"), ": no such term")), str(Problem((), "x"))
    ('policies.term: no such term', 'x')
    """

    path: tuple[str, ...]
    text: str
    text_zh: str = ""

    @classmethod
    def raised(cls, path: tuple[str, ...], error: Exception) -> Problem:
        """
        Make a problem of what an error says, in Chinese too where it does.

        >>> from memberops.errors import SourceError
        >>> Problem.raised(("sales",), SourceError("it is empty").in_chinese("为空"))
        Problem(path=('sales',), text=': it is empty', text_zh='为空')
        """
        return cls(path, f": {error}", getattr(error, "text_zh", ""))

    @property
    def _place(self) -> str:
        return ".".join(part[:40] for part in self.path)

    def __str__(self) -> str:
        """Write path and text, bounded."""
        own = self.text
        line = f"{self._place}{own}" if own[:1] == ":" else f"{self._place} {own}"
        return _bounded(line.strip(": "))

    def in_chinese(self) -> str:
        """
        Write path and Chinese text, bounded; the English where there is none.

        >>> Problem(("sources", "sales"), ": it is empty", "为空").in_chinese()
        'sources.sales：为空'
        >>> Problem(("zone",), "is needed").in_chinese()
        'zone is needed'
        """
        if not self.text_zh:
            return str(self)
        return _bounded("：".join(filter(None, (self._place, self.text_zh))))

    def under(self, *keys: str) -> Problem:
        """
        Return the problem as it is seen from further up.

        >>> str(Problem(("count",), "is needed").under("policies", "term"))
        'policies.term.count is needed'
        """
        return attrs.evolve(self, path=(*keys, *self.path))


class Misfit(Exception):  # noqa: N818 - not an error of the library: it is gathered
    """
    What is wrong with one table or value, with paths that begin there.

    Args:
        problems: The problems, or the text of one about the value itself.
    """

    def __init__(self, problems: str | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = [Problem((), problems)]
        self.problems = list(problems)
        super().__init__(len(self.problems))

    def under(self, *keys: str) -> list[Problem]:
        """Return the problems as they are seen from further up."""
        return [problem.under(*keys) for problem in self.problems]


def _bounded(line: str) -> str:
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
