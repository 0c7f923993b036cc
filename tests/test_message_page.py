"""The how-to of messages works as it stands: its files, its commands, its receipts."""

import re
import shlex
from pathlib import Path

import pytest

from memberops.adapters.sms import options
from memberops.cli import main
from message_chain import NOON

PAGE = Path(__file__).resolve().parents[1] / "docs" / "how-to" / "send-messages.md"


def test_the_promotion_of_the_how_to_runs_from_nothing(tmp_path, monkeypatch, capsys):
    """Whoever copies the four files and the commands has a delivered message."""
    if not PAGE.exists():
        pytest.skip("the docs are not here")
    text = PAGE.read_text("utf-8")
    part = text[text.index("## A promotion, from nothing") :]
    part = part[: part.index("## By the visit plan")]
    named = re.findall(r"`([\w.]+)`[^`]*:\n\n```\w+\n(.*?)```", part, re.DOTALL)
    for name, body in named:
        (tmp_path / name).write_text(body, "utf-8")
    assert {"chain.toml", "sales.csv", "members.csv", "consents.csv"} <= {
        name for name, _ in named
    }
    (line,) = re.findall(r'^\{"message_id".*$', part, re.MULTILINE)
    noon = NOON.replace(day=21)
    monkeypatch.setattr(options, "system_clock", lambda: noon)
    monkeypatch.chdir(tmp_path)
    mark, said = "", ""
    for command in re.findall(r"^memberops (.*)$", part, re.MULTILINE):
        if "settle" in command:
            sent = (tmp_path / "messages.jsonl").read_text("utf-8")
            (own,) = re.findall(r'"message_id": "(\w+)"', sent)
            receipt = line.replace("$MESSAGE", own)
            (tmp_path / "receipts.jsonl").write_text(receipt + "\n", "utf-8")
        assert main(shlex.split(command.replace("$FINGERPRINT", mark))) == 0
        said = capsys.readouterr()
        mark = mark or re.search(r",([0-9a-f]{12}),", said.out)[1]
    assert "入队 1 = 已送达 1" in said.err
