"""Members as arrays: a number for each id, attributes, and when a card is valid."""

from __future__ import annotations

from typing import Any, Literal

import attrs
import narwhals as nw
import numpy as np
import numpy.typing as npt

from memberops.metrics.engine import NO_NUMBER, NO_TEXT, collected, filled_id
from memberops.metrics.facts import Facts, local, same_ids
from memberops.tables import CARDS, MEMBERS

__all__ = ["FOREVER", "Islands", "People", "number_people"]

Ints = npt.NDArray[np.int64]
FOREVER = 99_991_231
_READ = ("member_id", "store_id", "gender", "birth_date", "joined_on")
_GENDER_CODES = {"female": 0, "male": 1, "other": 2}
_UNKNOWN_GENDER = 3


@attrs.frozen(eq=False)
class Islands:
    """
    Runs of days on which a member holds a valid card, as whole numbers yyyymmdd.

    Args:
        member: Number of the member.
        first: First valid day.
        last: Last valid day, included.
    """

    member: Ints
    first: Ints
    last: Ints


@attrs.frozen(eq=False)
class People:
    """
    Every member that the frames name, by number.

    Args:
        codes: In memory: ``member_id`` and ``code``.
        store: Id of the home store by number; what stands for none if unknown.
        gender: 0 female, 1 male, 2 other, 3 unknown.
        birth: yyyymmdd, 0 if unknown.
        joined: yyyymmdd of enrolment, 0 if unknown.
        enrolled: Whether the members frame, or if there is none the cards or sales,
            names the member.
        cards: When cards are valid.
        bought: The members' rows of the facts, with their ``code``.
    """

    codes: nw.DataFrame[Any]
    store: npt.NDArray[Any]
    gender: Ints
    birth: Ints
    joined: Ints
    enrolled: npt.NDArray[np.bool_]
    cards: Islands
    bought: nw.DataFrame[Any]


def _ymd(name: str) -> nw.Expr:
    def part(value: nw.Expr) -> nw.Expr:
        return value.fill_null(0).cast(nw.Int64)

    day = nw.col(name).dt
    return part(day.year()) * 10000 + part(day.month()) * 100 + part(day.day())


def _gender() -> nw.Expr:
    text = nw.col("gender").cast(nw.String).fill_null("unknown")
    code = nw.lit(_UNKNOWN_GENDER)
    for word, number in _GENDER_CODES.items():
        code = nw.when(text == word).then(nw.lit(number)).otherwise(code)
    return code.cast(nw.Int64)


def _members(native: Any, engine: Literal["polars", "pandas"]) -> nw.DataFrame[Any]:
    frame = local(native, MEMBERS, engine, _READ, ["member_id"])
    names = frame.collect_schema().names()
    zero = nw.lit(0, nw.Int64)
    chosen = frame.select(
        filled_id(frame, "member_id"),
        *([filled_id(frame, "store_id")] if "store_id" in names else []),
        (_gender() if "gender" in names else nw.lit(_UNKNOWN_GENDER, nw.Int64)).alias(
            "gender"
        ),
        (_ymd("birth_date") if "birth_date" in names else zero).alias("birth"),
        (_ymd("joined_on") if "joined_on" in names else zero).alias("joined"),
    )
    held = collected(chosen, engine)
    if held["member_id"].n_unique() == len(held):
        return held
    # A member listed twice counts once, and what is known wins over what is not.
    unsaid = nw.when(nw.col("joined") == 0).then(nw.lit(FOREVER)).otherwise("joined")
    known = held.with_columns(unsaid.cast(nw.Int64).alias("joined"))
    once = known.group_by("member_id").agg(
        *([nw.col("store_id").max()] if "store_id" in held.columns else []),
        nw.col("gender").min(),
        nw.col("birth").max(),
        nw.col("joined").min(),
    )
    said = nw.when(nw.col("joined") == FOREVER).then(nw.lit(0)).otherwise("joined")
    return once.with_columns(said.cast(nw.Int64).alias("joined"))


def _cards(native: Any, engine: Literal["polars", "pandas"]) -> nw.DataFrame[Any]:
    needed = ["member_id", "valid_from", "valid_through"]
    frame = local(native, CARDS, engine, needed, needed)
    chosen = frame.select(
        filled_id(frame, "member_id"),
        _ymd("valid_from").alias("first"),
        _ymd("valid_through").alias("last"),
    )
    return collected(chosen, engine)


def _numbered(ids: nw.DataFrame[Any], begin: int) -> nw.DataFrame[Any]:
    """Number ids from *begin* on."""
    rows = ids.with_row_index("code")
    return rows.select("member_id", nw.col("code").cast(nw.Int64) + begin)


def _codes(
    facts: Facts, people: nw.DataFrame[Any] | None, held: nw.DataFrame[Any] | None
) -> tuple[nw.DataFrame[Any], nw.DataFrame[Any]]:
    """Number the listed members in their order, then those who only bought."""
    bought = facts.frame.filter(nw.col("member_id") != nw.lit(facts.none))
    if people is None and held is None:
        codes = _numbered(bought.select("member_id").unique(), 0)
        return codes, bought.join(codes, on="member_id", how="inner")
    listed = (
        people.select("member_id")
        if people is not None
        else held.select("member_id").unique()  # type: ignore[union-attr] # one is given
    )
    codes = _numbered(listed, 0)
    rows = bought.join(codes, on="member_id", how="left")
    others = rows.filter(nw.col("code").is_null()).select("member_id").unique()
    if len(others):
        codes = nw.concat([codes, _numbered(others, len(codes))])
        rows = bought.join(codes, on="member_id", how="inner")
    return codes, rows.with_columns(nw.col("code").cast(nw.Int64))


def number_people(
    facts: Facts,
    *,
    members: Any,
    cards: Any,
    engine: Literal["polars", "pandas"],
) -> People:
    """
    Give every member a number, and gather what is known by number.

    Without cards a membership runs from the enrolment date (without one: from the
    beginning) and does not end. Without members, whoever holds a card or buys is one.
    """
    people = None if members is None else _members(members, engine)
    held = None if cards is None else _cards(cards, engine)
    for name, piece in (("members", people), ("cards", held)):
        if piece is not None:
            same_ids(
                name,
                "member_id",
                facts.frame.schema["member_id"],
                piece.schema["member_id"],
            )
    codes, bought = _codes(facts, people, held)
    count = len(codes)
    text = facts.frame.schema["store_id"] == nw.String
    store: npt.NDArray[Any] = (
        np.full(count, NO_TEXT, object) if text else np.full(count, NO_NUMBER, np.int64)
    )
    gender = np.full(count, _UNKNOWN_GENDER, np.int64)
    birth, joined = np.zeros(count, np.int64), np.zeros(count, np.int64)
    enrolled = np.full(count, people is None)
    if people is not None:
        listed = slice(0, len(people))
        if "store_id" in people.columns:
            same_ids(
                "members",
                "store_id",
                facts.frame.schema["store_id"],
                people.schema["store_id"],
            )
            store[listed] = people["store_id"].to_numpy()
        gender[listed] = people["gender"].to_numpy()
        birth[listed] = people["birth"].to_numpy()
        joined[listed] = people["joined"].to_numpy()
        enrolled[listed] = True
    if held is None:
        at = np.flatnonzero(enrolled)
        islands = Islands(at, joined[at], np.full(len(at), FOREVER, np.int64))
    else:
        numbered = held.join(codes, on="member_id", how="inner")
        at = numbered["code"].to_numpy()
        known = enrolled[at]
        islands = Islands(
            at[known],
            numbered["first"].to_numpy()[known],
            numbered["last"].to_numpy()[known],
        )
    return People(codes, store, gender, birth, joined, enrolled, islands, bought)
