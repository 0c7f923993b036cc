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

    >>> str(Problem(("policies", "term"), ": no such term")), str(Problem((), "x"))
    ('policies.term: no such term', 'x')
    """

    path: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        """Write path and text, bounded."""
        place = ".".join(part[:40] for part in self.path)
        line = f"{place}{self.text}" if self.text[:1] == ":" else f"{place} {self.text}"
        line = line.strip(": ")
        return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"

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
