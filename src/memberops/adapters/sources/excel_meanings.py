"""What the headings of a sheet mean to the table that is read from it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.tables import Column, Kind, normal_heading

__all__ = ["HeadingMeanings"]

_WORDS = (Kind.ID, Kind.TEXT, Kind.CHOICE)


@attrs.frozen
class HeadingMeanings:
    """
    What each heading means that is known.

    Args:
        columns: By heading its column; None where an option makes a column of it and
            of others, or looks at it.
        asked: The headings that an option names.
    """

    columns: dict[str, Column | None]
    asked: frozenset[str]

    @classmethod
    def of(cls, options: ReadingOptions) -> HeadingMeanings:
        """Take the headings of a table, and those that the options name."""
        table = options.converter.table
        found: dict[str, Column | None] = dict(table.by_heading())
        ruled = options.headings_ruled
        asked = {normal_heading(text) for text in (*options.headings_joined, *ruled)}
        for form in asked:
            found.setdefault(form, None)
        for name, heading in options.columns.items():
            if name in table.names:
                text = heading.rpartition("#")[0] if "#" in heading else heading
                form = normal_heading(text)
                found[form] = table.column(name)
                asked.add(form)
        return cls(found, frozenset(asked))

    def known(self, text: str) -> bool:
        """Tell whether a text is a known heading."""
        return normal_heading(text) in self.columns

    def named(self, text: str) -> bool:
        """Tell whether an option names a text."""
        return normal_heading(text) in self.asked

    def words(self, names: Sequence[str]) -> bool:
        """Tell whether a column, by all its names, holds ids or texts."""
        column = self._meant(names)
        return column is not None and column.kind in _WORDS

    def shown(self, names: Sequence[str]) -> bool:
        """Tell whether its numbers are meant as the sheet shows them."""
        if self._meant(names) is None:  # a part of an id, or what a rule looks at
            return any(map(self.named, names))
        return self.words(names)

    def needed(self, names: Sequence[str]) -> bool:
        """Tell whether no row may lack it."""
        column = self._meant(names)
        return column is not None and column.required

    def _meant(self, names: Sequence[str]) -> Column | None:
        forms = [normal_heading(name) for name in names]
        told = [
            *filter(self.asked.__contains__, forms),
            *filter(self.columns.get, forms),
        ]
        return self.columns[told[0]] if told else None
