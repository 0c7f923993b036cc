"""Promises of the sources of POS systems, kept on what real servers answered once."""

import json
from pathlib import Path

import pytest

from pos_checks import (
    CONTEXT,
    Replay,
    assert_is,
    assert_month_end,
    read_changed,
    read_whole,
)
from servers.kinds import KINDS
from servers.truth import Truth

RECORDED = Path(__file__).parent / "data" / "pos" / "recorded"


@pytest.fixture(scope="module", params=sorted(KINDS))
def played(request):
    """A source read whole and since then, on a recording; and the recording."""
    server, recording = Replay.of(RECORDED / f"{request.param}.json")
    kind = KINDS[request.param]
    given = {**recording["options"], kind.secret: lambda: "secret", "url": server.url}
    source = kind.source(CONTEXT, **given, overlap_seconds=0)
    try:
        frames, before = read_whole(source, kind.tables)
        merged, changes = read_changed(source, frames, before)
    finally:
        server.close()
    assert not server.unknown
    return {"first": frames, "merged": merged, "changes": changes}, recording


def test_what_a_server_was_given_comes_out(played):
    """Members, stores and lines, read whole and after the changes of every kind."""
    readings, recording = played
    assert_is(readings["first"], Truth.read(recording["first"]))
    assert_is(readings["merged"], Truth.read(recording["then"]))
    for table in ("members", "sales"):
        assert not readings["changes"][table].whole


@pytest.mark.parametrize(
    "played",
    ["tryton", pytest.param("medusa", marks=pytest.mark.nightly)],
    indirect=True,
)
def test_the_month_end_counts_what_was_sold(played):
    """Sales, tickets and buyers of each store, as plain Python counts them."""
    readings, recording = played
    assert_month_end(
        readings["merged"], Truth.read(recording["then"]), recording["month"]
    )


def test_a_recording_names_its_server_and_no_place_or_secret(played):
    """It says of which version it is and how it is made again."""
    _, recording = played
    assert "==" in recording["server"] or "@" in recording["server"]
    assert recording["how"].startswith("python tests/servers/record.py ")
    text = json.dumps(recording)
    assert "127.0.0.1" not in text
    assert "not-a-secret" not in text
    assert "sk_" not in text
