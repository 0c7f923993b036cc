"""Promises of options that are numbers: what is no whole number is never rounded."""

import inspect
import typing

import pytest

from memberops.cli import main
from memberops.cli.application import application
from memberops.cli.whole_numbers import read_whole
from memberops.errors import InvalidValueError

WRONG = ["1.5", "0.4", "2.0", "0x10", "1e3", "1_000", "１２", "²", "-1", "+1", "", " 1"]


@pytest.mark.parametrize("text", [*WRONG, "1" * 19])
def test_what_is_not_written_in_digits_is_refused(text):
    """A decimal, another base, a sign or another script's digits are no count."""
    with pytest.raises(InvalidValueError, match="in digits"):
        read_whole(text)


def commands(app):
    """Yield each command of an application, those of its parts too."""
    for name in app:
        if not name.startswith("-"):
            part = app[name]
            yield from commands(part)
            if part.default_command is not None:
                yield name, part.default_command


def numbers(command):
    """Yield the options of a command that are numbers, and whether they are strict."""
    hints = typing.get_type_hints(command, include_extras=True)
    for name, hint in hints.items():
        if name != "return" and int in flat(hint):
            yield name, "_converted" in repr(hint)


def flat(hint):
    """List what a hint is made of."""
    inside = [each for part in typing.get_args(hint) for each in flat(part)]
    return [hint, *inside]


def test_every_option_that_is_a_number_is_a_whole_one():
    """No command rounds what it was given: all its numbers are read by one rule."""
    found = [
        (name, option, strict)
        for name, command in commands(application())
        for option, strict in numbers(inspect.unwrap(command))
    ]
    assert {option for _, option, _ in found} >= {"quantity", "number", "part", "limit"}
    assert [each for each in found if not each[2]] == []


def test_a_rounded_quantity_is_not_written(tmp_path, capsys):
    """A gift is given in whole pieces: half a piece is wrong use, and named so."""
    given = {
        "--application": "A1", "--store": "S01", "--gift": "CUP", "--quantity": "1.5",
        "--purpose": "birthday", "--by": "E1", "--at": "2026-10-05T09:00+08:00",
        "--applications": str(tmp_path / "a.csv"), "--chain": str(tmp_path / "c.toml"),
    }  # fmt: skip
    words = [each for pair in given.items() for each in pair]
    assert main(["gifts", "apply", *words]) == 2
    said = capsys.readouterr().err
    assert "--quantity" in said
    assert "'1.5'" in said
