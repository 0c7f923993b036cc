"""Promises of the command about its streams, files, statuses and refusals."""

import os
import subprocess
import sys

import pytest

from memberops.cli import main
from memberops.cli.wrong_use import tell_wrong_use
from memberops.errors import InvalidValueError
from memberops.policies import ServiceLevels
from office_chain import MOMENT, TODAY, write_office


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """The chain of `office_chain`."""
    return write_office(tmp_path_factory.mktemp("office"))


def run(*arguments, redirect="", **environment):
    """Run the command as a process of its own, through a shell."""
    program = "from memberops.cli import main; import sys; sys.exit(main())"
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(  # noqa: S603 - our own command
        ["/bin/bash", "-c", f'set -o pipefail; "$@" {redirect}', "-", *command],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_csv_on_a_pipe_is_utf_8_whatever_the_locale(office):
    """No locale of the machine turns a Chinese heading into question marks."""
    asked = ("expiring", "--chain", str(office), "--as-of", TODAY)
    done = run(*asked, PYTHONIOENCODING="cp1252")
    assert done.returncode == 0
    assert "会员编号" in done.stdout.decode("utf-8")
    assert b"?" not in done.stdout


def test_a_reader_that_leaves_and_a_closed_output_are_no_failure(office):
    """Help into a reader that has gone, and no output at all, exit with 0."""
    piped = run("--help", redirect="| true")
    assert (piped.returncode, piped.stderr) == (0, b"")
    closed = run("tiers", "--chain", str(office), "--as-of", TODAY, redirect=">&-")
    assert (closed.returncode, b"Traceback" in closed.stderr) == (0, False)


@pytest.mark.parametrize(
    "asked",
    [
        ("visits", "--as-of", "9999-12-31"),
        ("visits", "--as-of", "9999-11-05"),
        ("appointments", "--as-of", "9999-12-31"),
        ("appointments", "--as-of", TODAY, "--days-ahead", "99999999999"),
        ("appointments", "--as-of", TODAY, "--days-ahead", "-5"),
        ("expiring", "--as-of", "9999-12-31"),
        ("waiver", "--as-of", "9999-12-31"),
        ("sla", "--as-of", "0001-01-01T00:00+08:00"),
        ("sla", "--as-of", "9999-12-31T23:59-08:00"),
    ],
)
def test_a_day_too_far_away_is_wrong_use_in_one_line(office, capsys, asked):
    """Status 2 and one line, never a traceback or an empty list."""
    name, *more = asked
    assert main([name, "--chain", str(office), *more]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh", "错误：sources.till: 值不对\n"),
        ("en", "error: sources.till: bad value\n"),
        (None, "错误 error: sources.till: 值不对 bad value\n"),
    ],
)
def test_the_place_of_an_error_is_told_in_each_language(capsys, language, told):
    """An error that has a Chinese text keeps its notes."""
    error = InvalidValueError("bad value").in_chinese("值不对")
    error.add_note("sources.till")
    assert tell_wrong_use(error, language) == 2
    assert capsys.readouterr().err == told


def test_a_fault_of_the_program_is_not_told_as_findings(office, capsys, monkeypatch):
    """Status 1 is findings; what nobody foresaw is 3, with its traceback."""

    def broken(*_arguments, **_given):
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("memberops.workflows.Chain.tiers", broken)
    assert main(["tiers", "--chain", str(office), "--as-of", TODAY]) == 3
    assert "RuntimeError: unforeseen" in capsys.readouterr().err


def test_hours_beyond_a_century_are_refused_as_the_policy_is_made():
    """A number that no calendar can count is wrong use, not an overflow."""
    with pytest.raises(InvalidValueError, match="at most 876600 hours"):
        ServiceLevels(callback_hours=9_999_999_999)


def test_a_narrower_question_writes_files_of_its_own(office, tmp_path):
    """One case, one store, one member and another moment leave the whole list alone."""

    def ask(name, *more, at=TODAY):
        out = ("--out", str(tmp_path))
        assert main([name, "--chain", str(office), "--as-of", at, *out, *more]) == 0

    ask("sla", at=MOMENT)
    whole = (tmp_path / "sla-2026-11-05T0900+0800" / "service_board.csv").read_bytes()
    ask("sla", "--case", "K1", at=MOMENT)
    ask("sla", "--store", "S1", at="2026-11-05T18:00+08:00")
    ask("waiver")
    ask("waiver", "--member", "M4")
    assert {each.name for each in tmp_path.iterdir() if each.is_dir()} == {
        "sla-2026-11-05T0900+0800",
        "sla-2026-11-05T0900+0800-case-K1",
        "sla-2026-11-05T1800+0800-store-S1",
        "waiver-2026-11-05",
        "waiver-2026-11-05-member-M4",
    }
    kept = tmp_path / "sla-2026-11-05T0900+0800" / "service_board.csv"
    assert kept.read_bytes() == whole


@pytest.mark.parametrize("typed", ["13812345678", "王小明"])
def test_a_phone_or_name_typed_for_a_member_is_not_echoed(office, capsys, typed):
    """The refusal says what was wrong and masks what may be personal."""
    asked = ["waiver", "--chain", str(office), "--as-of", TODAY, "--member", typed]
    assert main(asked) == 2
    said = capsys.readouterr().err
    assert typed not in said
    assert "no card is on file" in said
