"""The metric set in hand-tuned DuckDB SQL over the same pandas frames."""

from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd


def figures(frames: dict[str, pd.DataFrame], months: list[str]) -> pd.DataFrame:
    """Every base figure for every month and level, staged in temporary tables."""
    con: Any = duckdb.connect()
    con.execute("SET preserve_insertion_order = false")
    con.execute("SET enable_progress_bar = false")
    for name, frame in frames.items():
        con.register(name, frame)
    first = pd.Period(months[0])
    k0 = first.year * 12 + first.month - 1
    k1 = k0 + len(months) - 1
    month = "(year({0}) * 12 + month({0}) - 1)"
    con.execute(f"""
        CREATE TEMP TABLE facts AS
        WITH tickets AS (
            SELECT ticket_id, min(sold_on) AS day, min(store_id) AS store_id,
                   min(member_id) AS member_id, sum(amount)::BIGINT AS amount,
                   sum(quantity)::BIGINT AS items
            FROM sales GROUP BY ticket_id)
        SELECT {month.format("day")} AS k, store_id, member_id,
               sum(amount)::BIGINT AS amount, sum(items)::BIGINT AS items,
               sum((amount > 0)::INT)::BIGINT AS tickets
        FROM tickets GROUP BY ALL""")
    con.execute("""
        CREATE TEMP TABLE people AS
        SELECT member_id, members.store_id, region_id, gender, joined_on,
               coalesce(year(birth_date) * 10000 + month(birth_date) * 100
                        + day(birth_date), 0) AS birth
        FROM members JOIN stores USING (store_id)""")
    con.execute(f"""
        CREATE TEMP TABLE islands AS
        WITH held AS (
            SELECT member_id, {month.format("valid_from")} AS a,
                   {month.format("(valid_through + INTERVAL 1 DAY)")} - 1 AS b
            FROM cards),
        marked AS (
            SELECT *, (a > 1 + max(b) OVER (PARTITION BY member_id ORDER BY a
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))::INT AS fresh
            FROM held WHERE a <= b),
        runs AS (
            SELECT *, sum(coalesce(fresh, 1)) OVER (PARTITION BY member_id ORDER BY a
                   ROWS UNBOUNDED PRECEDING) AS run FROM marked)
        SELECT member_id, store_id, region_id, min(a) AS a, max(b) AS b
        FROM runs JOIN people USING (member_id)
        GROUP BY member_id, store_id, region_id, run""")
    con.execute(f"""
        CREATE TEMP TABLE active AS
        WITH act AS (
            SELECT DISTINCT member_id, k FROM facts
            WHERE member_id IS NOT NULL AND tickets > 0 AND k >= {k0 - 4}
            UNION
            SELECT member_id, {month.format("joined_on")} FROM people
            WHERE {month.format("joined_on")} >= {k0 - 4})
        SELECT member_id, k + o AS k, max((o <= 2)::INT) AS now,
               max((o >= 1)::INT) AS before
        FROM act, range(4) AS t(o) WHERE k + o BETWEEN {k0} AND {k1}
        GROUP BY ALL""")
    con.execute(f"""
        CREATE TEMP TABLE standing AS
        WITH months AS (SELECT unnest(range({k0}, {k1} + 1)) AS k),
        cells AS (
            SELECT store_id, region_id, a, b, count(*) AS n FROM islands GROUP BY ALL),
        valid AS (
            SELECT k, store_id, region_id,
                   sum(n * (k BETWEEN a AND b)::INT) AS valid,
                   sum(n * (k - 1 BETWEEN a AND b)::INT) AS valid_before,
                   sum(n * (k = b + 1)::INT) AS ended
            FROM months, cells GROUP BY ALL),
        flows AS (
            SELECT k, store_id, region_id,
                   sum(now * (k <= b)::INT * (k >= a)::INT) AS buying,
                   sum(before * (k > a)::INT) AS buying_before,
                   sum(now * (k <= b)::INT * (k > a)::INT) AS back,
                   sum(now * before * (k <= b)::INT * (k > a)::INT) AS still,
                   sum(before * (k = b + 1)::INT) AS ended_buying
            FROM active JOIN islands USING (member_id)
            WHERE k BETWEEN a AND b + 1 GROUP BY ALL)
        SELECT k, store_id, region_id, valid AS valid_members,
               valid_before - coalesce(buying_before, 0) AS lapsed_at_start,
               valid - coalesce(buying, 0) AS lapsed_at_end,
               coalesce(back - still, 0) AS won_back,
               ended - coalesce(ended_buying, 0) AS left_
        FROM valid LEFT JOIN flows USING (k, store_id, region_id)""")
    pieces = []
    for level, key in (
        ("store", "store_id"),
        ("region", "region_id"),
        ("chain", "'chain'"),
    ):
        flags = ", ".join(
            [
                f"sum((bought AND amount >= {low} AND amount < {high})::INT) band_{n}"
                for n, (low, high) in enumerate(
                    [(-(2**62), 0), (0, 10_000), (10_000, 30_000), (30_000, 50_000),
                     (50_000, 100_000), (100_000, 2**62)]
                )
            ]
            + [
                f"sum((bought AND gender = '{word}')::INT) AS gender_{word}"
                for word in ("female", "male", "unknown")
            ]
            + [
                "sum((bought AND age0 AND NOT age20)::INT) AS age_0",
                "sum((bought AND age20 AND NOT age30)::INT) AS age_1",
                "sum((bought AND age30 AND NOT age40)::INT) AS age_2",
                "sum((bought AND age40)::INT) AS age_3",
                "sum((bought AND NOT age0)::INT) AS age_4",
            ]
        )  # fmt: skip
        last = "((k // 12) * 10000 + (k % 12 + 1) * 100 + 31)"
        join = "JOIN stores USING (store_id)" if level == "region" else ""
        pieces.append(
            con.execute(f"""
            WITH cell AS (
                SELECT k, {key} AS key, member_id, sum(amount)::BIGINT AS amount,
                       sum(items)::BIGINT AS items, sum(tickets)::BIGINT AS tickets
                FROM facts {join} WHERE k BETWEEN {k0} AND {k1} GROUP BY ALL),
            known AS (
                SELECT cell.*, gender, cell.member_id IS NOT NULL AS is_member,
                       is_member AND tickets > 0 AS bought, birth > 0 AS age0,
                       birth > 0 AND birth + 200000 <= {last} AS age20,
                       birth > 0 AND birth + 300000 <= {last} AS age30,
                       birth > 0 AND birth + 400000 <= {last} AS age40
                FROM cell LEFT JOIN people USING (member_id))
            SELECT '{level}' AS level, key::VARCHAR AS key, k,
                   sum(amount) AS sales, sum(items) AS items, sum(tickets) AS tickets,
                   coalesce(sum(amount) FILTER (is_member), 0) AS member_sales,
                   coalesce(sum(items) FILTER (is_member), 0) AS member_items,
                   coalesce(sum(tickets) FILTER (is_member), 0) AS member_tickets,
                   sum(bought::INT) AS consuming_members, {flags}
            FROM known GROUP BY ALL""")
            .df()
            .merge(
                con.execute(f"""
                SELECT {key}::VARCHAR AS key, k, sum(valid_members) AS valid_members,
                       sum(lapsed_at_start) AS lapsed_at_start,
                       sum(lapsed_at_end) AS lapsed_at_end,
                       sum(lapsed_at_end - lapsed_at_start + won_back + left_)
                           AS newly_lapsed,
                       sum(won_back) AS won_back, sum(left_) AS left
                FROM standing GROUP BY ALL""").df(),
                on=["key", "k"],
                how="outer",
            )
            .assign(level=level)
        )
    table = pd.concat(pieces).fillna(0)
    table["period"] = [f"{int(k) // 12:04}-{int(k) % 12 + 1:02}" for k in table["k"]]
    figures_only: pd.DataFrame = table.drop(columns="k")
    return figures_only
