"""How long a message is: the rule of the mainland, and that of GSM 03.38."""

import json

import pytest
import smsutil
from hypothesis import given, settings
from hypothesis import strategies as st

from disagreements import DISAGREEMENTS
from memberops.errors import InvalidValueError
from memberops.policies.sms_segments import (
    GSM_RULE,
    MAINLAND_RULE,
    SmsRule,
    sms_segments,
)

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ESCAPED = "\f^{}\\[~]|€"


def many(alphabet, most=340):
    """Draw texts as long as the edges of parts are apart."""
    return st.builds(
        lambda core, filler, size: core + filler * size + core,
        st.text(alphabet, max_size=20),
        st.sampled_from(alphabet),
        st.integers(0, most),
    )


@pytest.mark.parametrize(
    ("text", "rule", "characters", "segments"),
    [
        ("", "mainland", 0, 0),
        ("", "gsm", 0, 0),
        ("中" * 70, "mainland", 70, 1),
        ("中" * 71, "mainland", 71, 2),
        ("中" * 134, "mainland", 134, 2),
        ("中" * 135, "mainland", 135, 3),
        ("a" * 70, "mainland", 70, 1),
        ("a" * 160, "mainland", 160, 3),
        ("a" * 160, "gsm", 160, 1),
        # a part of 67 has room for one half of a pair alone: it begins the next
        ("中" * 66 + "😀" + "中" * 66, "mainland", 134, 3),
        ("中" * 66 + "😀" + "中" * 65, "mainland", 133, 2),
        ("a" * 161, "gsm", 161, 2),
        ("a" * 306, "gsm", 306, 2),
        ("a" * 307, "gsm", 307, 3),
        ("€" * 80, "gsm", 160, 1),
        # 153 is odd: a pair that would straddle begins the next part.
        ("€" * 153, "gsm", 306, 3),
        ("a" + "€" * 76 + "a" * 153, "gsm", 306, 2),
        ("中" * 70, "gsm", 70, 1),
        ("中" * 71, "gsm", 71, 2),
        ("ç", "gsm", 1, 1),
        ("ç" * 71, "gsm", 71, 2),
        ("😀" * 35, "gsm", 70, 1),
        ("😀" * 36, "gsm", 72, 2),
        ("😀" * 67, "gsm", 134, 3),
        ("\x1b" * 71, "gsm", 71, 2),
    ],
)
def test_the_edges_of_parts(text, rule, characters, segments):
    """On and beyond each edge the standards' own counts come out."""
    length = sms_segments(text, rule=rule)

    assert (length.characters, length.segments) == (characters, segments)


def test_the_vendor_says_how_160_split():
    """160 characters are 67 + 67 + 26, so three parts, whatever the characters."""
    assert sms_segments("a" * 160).segments == len([67, 67, 26])


def test_more_than_the_provider_takes_does_not_fit():
    """A mainland provider takes 500 characters, and not one more."""
    assert sms_segments("中" * 500).fits
    assert not sms_segments("中" * 501).fits
    assert sms_segments("中" * 501, rule="gsm").fits


@settings(max_examples=120)
@given(many(BASIC + ESCAPED) | many("aé€中😀\u200d") | many("a€"))
def test_another_library_counts_the_same(text):
    """Parts and encoding of GSM 03.38 are those that smsutil finds."""
    own = sms_segments(text, rule="gsm")
    other = smsutil.split(text)

    if not text:
        assert own.segments == 0  # smsutil sends a part of nothing
        return
    assert own.segments == len(other.parts)
    assert (own.encoding == "gsm7") == (other.encoding == "gsm0338")


@settings(max_examples=60)
@given(many("a中。€😀"), st.integers(1, 80), st.integers(2, 80))
def test_the_mainland_counts_what_is_cut_off(text, single, part):
    """Cutting a long text in pieces, one after the other, gives the same number."""
    part = min(single, part)
    if part < 2:
        return
    units = text.encode("utf-16-be")
    pieces = 0
    rest = len(units) // 2
    if 0 < rest <= single:
        pieces, rest = 1, 0
    place = 0
    while rest > 0 and len(units) // 2 > single:
        end = place + part
        if 0xD800 <= int.from_bytes(units[2 * end - 2 : 2 * end]) < 0xDC00:
            end -= 1  # the half of a pair that stands first
        rest, pieces, place = rest - (end - place), pieces + 1, end

    length = sms_segments(
        text, rule=SmsRule(name="own", dense=False, single=single, part=part)
    )

    assert (length.characters, length.segments) == (len(units) // 2, pieces)


def test_the_cases_of_others(shared):
    """Every segments case of the collection comes out, or is listed as decided."""
    cases = json.loads((shared / "cases/peer_cases.json").read_text(encoding="utf-8"))
    told = {name for name, _ in DISAGREEMENTS}
    seen = 0
    for case in cases["cases"]:
        if case["area"] != "sms" or case["kind"] != "segments":
            continue
        dense = case["input"]["encoding"] == "gsm7"
        text = ("a" if dense else "中") * case["input"]["length"]
        found = sms_segments(text, rule=GSM_RULE if dense else MAINLAND_RULE)
        assert (found.segments == case["expect"]) != (case["id"] in told), case["id"]
        seen += 1
    assert seen == 4


def test_wrong_rules_are_refused():
    """An unknown rule, parts of nothing and parts above the whole are refused."""
    with pytest.raises(InvalidValueError, match="did you mean 'mainland'"):
        sms_segments("a", rule="mainlnd")
    for wrong in ({"part": 71}, {"part": 1}, {"single": 0}, {"dense_part": 161}):
        with pytest.raises(InvalidValueError):
            SmsRule(name="own", dense=True, **wrong)
