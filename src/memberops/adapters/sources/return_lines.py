"""Lines of returns whose amounts are positive: a word beside them tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from memberops.adapters.sources.column_values import Cells, TextColumn
from memberops.adapters.sources.finding_log import FindingLog
from memberops.adapters.sources.headings import shown_heading
from memberops.adapters.sources.likely_returns import (
    MOST_WORDS,
    LikelyReturns,
    likely_returns,
    listed_words,
    names_kinds,
    positive_rows,
)
from memberops.adapters.sources.return_words import plain_word
from memberops.domain import Severity
from memberops.errors import ConfigurationError, nearest
from memberops.tables import SALES, Table

__all__ = ["ReturnRule", "may_mark_returns", "return_rule", "tell_returns", "turned"]

_Array = npt.NDArray[Any]
_SIGNED = ("quantity", "amount")


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@attrs.frozen(kw_only=True)
class ReturnRule:
    """
    A rule that says which sales lines are returns although their amounts are positive.

    Quantity and amount of such a line become negative, whatever their sign was.
    Case, width and spaces around a word do not matter.

    Args:
        column: A heading of the source, or a canonical column.
        equals: The texts that mark a return.
        starts_with: Or what such texts begin with.

    Raises:
        ConfigurationError: There is not exactly one condition, or a word is no text.

    >>> rule = ReturnRule(column="类型", equals=["退货", "Refund"])
    >>> [rule.matches(text) for text in ("退货 ", "REFUND", "销售", "")]
    [True, True, False, False]
    """

    column: str
    equals: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    starts_with: tuple[str, ...] = attrs.field(default=(), converter=_texts)

    def __attrs_post_init__(self) -> None:
        """Check that there is one condition, of texts."""
        words: tuple[Any, ...] = (*self.equals, *self.starts_with)
        whole = all(isinstance(word, str) and word.strip() for word in words)
        if bool(self.equals) == bool(self.starts_with) or not whole:
            raise ConfigurationError(
                "'returns' needs the texts that mark a return, in 'equals' or in "
                f"'starts_with': {_EXAMPLE}"
            )

    def matches(self, text: str) -> bool:
        """Tell whether a text marks a return."""
        plain = plain_word(text)
        begins = tuple(map(plain_word, self.starts_with))
        return plain in map(plain_word, self.equals) or (
            bool(begins) and plain.startswith(begins)
        )

    def rows(self, text: TextColumn) -> _Array:
        """Tell for each row of the column whether it is a return."""
        found = [self.matches(each) for each in text.texts]
        return np.asarray(np.array(found, dtype=bool)[text.codes])

    def text(
        self, columns: Mapping[str, TextColumn], extra: Mapping[str, TextColumn]
    ) -> TextColumn:
        """
        Return the text of the rule's column.

        Args:
            columns: The text of canonical columns.
            extra: The text of other headings.

        Raises:
            ConfigurationError: The column is in neither.
        """
        text = extra.get(self.column) or columns.get(self.column)
        if text is None:
            raise ConfigurationError(
                f"'returns' names {self.column[:40]!r}, which is not there; "
                f"{nearest(self.column, (*columns, *extra))}"
            )
        return text


_EXAMPLE = 'returns = { column = "类型", equals = ["退货", "退款"] }'


def return_rule(
    rule: ReturnRule | Mapping[str, Any] | None, table: Table
) -> ReturnRule | None:
    """
    Make the rule of what a chain file holds.

    Raises:
        ConfigurationError: A key is unknown or missing, or the table has no returns.

    >>> return_rule({"column": "类型", "equals": "退货"}, SALES).equals
    ('退货',)
    """
    if rule is None:
        return None
    if table.name != SALES.name:
        raise ConfigurationError(
            f"'returns' is about lines of sales, and {table.name} has none"
        )
    if isinstance(rule, ReturnRule):
        return rule
    if not isinstance(rule, Mapping):
        raise ConfigurationError(f"'returns' is a table, as in {_EXAMPLE}")
    known = [field.name for field in attrs.fields(ReturnRule)]
    for name in rule:
        if name not in known:
            raise ConfigurationError(
                f"'returns' has no key {str(name)[:40]!r}; {nearest(str(name), known)}"
            )
    if not isinstance(rule.get("column"), str):
        raise ConfigurationError(f"'returns' needs a text 'column': {_EXAMPLE}")
    for name in ("equals", "starts_with"):
        if not isinstance(rule.get(name, ()), str | list | tuple):
            raise ConfigurationError(f"{name!r} of 'returns' is a list: {_EXAMPLE}")
    return ReturnRule(**rule)


def may_mark_returns(heading: str, table: Table, rule: ReturnRule | None) -> bool:
    """
    Tell whether an unread column is to be looked at for words of returns.

    >>> may_mark_returns("单据类型", SALES, None), may_mark_returns("备注", SALES, None)
    (True, False)
    """
    return table.name == SALES.name and rule is None and names_kinds(heading)


def turned(
    cells: dict[str, Cells], hit: _Array, rule: ReturnRule, log: FindingLog
) -> None:
    """
    Make quantity and amount of the marked rows negative, whatever their sign is.

    Args:
        cells: The columns, in whose place the new ones are put.
        hit: Which rows are marked.
        rule: What marks them.
        log: Takes the finding.
    """
    before = cells.get("amount")
    positive = 0 if before is None else int((hit & positive_rows(before)).sum())
    count = int(hit.sum())
    column = shown_heading(rule.column)
    log.add(
        "returns-by-rule",
        f"lines that {column!r} marks as returns: {count}; of these the amount was "
        f"positive, and is negative now: {positive}",
        f"“{column}”标记为退货的行：{count}，其中金额原为正数、已改为负数的：{positive}",
        column="amount",
        count=count,
    )
    for name in _SIGNED if count else ():
        if name in cells:
            cells[name] = _negative(cells[name], hit)


def _negative(cells: Cells, hit: _Array) -> Cells:
    used, back = np.unique(cells.codes[hit], return_inverse=True)
    codes = cells.codes.astype(np.int64)
    codes[hit] = len(cells.missing) + back
    return attrs.evolve(
        cells,
        codes=codes,
        typed=np.concatenate([cells.typed, -np.abs(cells.typed[used])]),
        missing=np.concatenate([cells.missing, cells.missing[used]]),
        problem=np.concatenate([cells.problem, cells.problem[used]]),
    )


def tell_returns(
    cells: Mapping[str, Cells],
    columns: Mapping[str, TextColumn],
    counts: _Array,
    log: FindingLog,
    rule: ReturnRule | None = None,
) -> None:
    """
    Warn of lines that a column seems to mark as returns, and whose amount is positive.

    Args:
        cells: The columns, as the rule has left them.
        columns: The text of the columns to be looked at: that of the rule, or those
            that mean no column.
        counts: Which rows count so far.
        log: Takes the findings.
        rule: What marks returns, if the chain says so.
    """
    amount = cells.get("amount")
    if amount is None:
        return
    for likely in likely_returns(amount, columns, counts):
        if rule is None:
            _tell_unread(likely, log)
        else:
            _tell_unmatched(rule, columns[likely.heading], likely, log)


def _tell_unread(likely: LikelyReturns, log: FindingLog) -> None:
    """Tell of returns in a column that nothing reads."""
    column, count = shown_heading(likely.heading), likely.count
    log.add(
        "returns-positive",
        f"lines that {column!r}, which is not read, seems to mark as returns, and "
        f"whose amounts are positive: {count}; they count as sales. If they are "
        f"returns, say {likely.option}",
        f"“{column}”列（未读取）疑似标记为退货、而金额为正数的行：{count}，目前按"
        f"销售计入；如确为退货，请写明 {likely.option}",
        severity=Severity.WARNING,
        column="amount",
        count=count,
    )


def _tell_unmatched(
    rule: ReturnRule,
    text: TextColumn,
    likely: LikelyReturns,
    log: FindingLog,
) -> None:
    """Tell of returns that the words of the rule do not take."""
    used = np.unique(text.codes).tolist()
    taken = any(rule.matches(text.texts[each]) for each in used)
    condition, shown, count = likely.condition, likely.listed, likely.count
    own = "equals" if rule.equals else "starts_with"
    # The beginning of a word is no whole one, but a whole word is a beginning.
    adds = condition in ("equals", own)
    add_en = f"add {shown} to its {own!r}"
    add_zh = f"请在其 {own} 中补上 {shown}"
    if not adds:
        shown = listed_words([*rule.equals[:MOST_WORDS], *likely.words])
        add_en = f"say {condition} = [{shown}] in it, in place of {own!r}"
        add_zh = f"请将其 {own} 改为 {condition} = [{shown}]"
    none_en = "" if taken else "the words of 'returns' match no line; "
    none_zh = "" if taken else "returns 所列的词未匹配任何行；"
    column = shown_heading(rule.column)
    log.add(
        "returns-positive",
        f"{none_en}lines that {column!r} seems to mark as returns, which 'returns' "
        f"does not take, and whose amounts are positive: {count}; they count as sales. "
        f"If they are returns, {add_en}",
        f"{none_zh}“{column}”列疑似标记为退货、returns 未包括、而金额为正数的行："
        f"{count}，目前按销售计入；如确为退货，{add_zh}",
        severity=Severity.WARNING,
        column="amount",
        count=count,
    )
