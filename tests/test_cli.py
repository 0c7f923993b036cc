"""Promises of the command: it prints what the library returns, and its exit status."""

import builtins
import csv
import io
import os
import pty
import re
import subprocess
import sys

import pytest

from memberops import __version__
from memberops.cli import main
from memberops.testing import SyntheticChain, write_chain

SMALL = SyntheticChain(seed=5, stores=3, regions=1, members=120, months=3)


def only(chain_file, *tables):
    """Leave out all other sources: what a form says is promised elsewhere."""
    text = chain_file.read_text("utf-8")
    kept = "|".join(tables)
    text = re.sub(rf"\[sources\.(?!(?:{kept})[.\]])[^\[]*", "", text)
    file = chain_file.with_name(f"{'-'.join(tables)}.toml")
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def chain_file(tmp_path_factory):
    """A small chain with the dirt of real exports, up to December 2024."""
    folder = tmp_path_factory.mktemp("cli") / "demo"
    whole = write_chain(folder, chain=SMALL).chain_file
    return only(whole, "members", "cards", "stores", "sales")


@pytest.fixture(scope="module")
def sales_file(chain_file):
    """The same chain with its sales alone, which is soon closed."""
    return only(chain_file, "sales")


@pytest.fixture(scope="module")
def said_before():
    """What a command said, and where it wrote: the same again takes time."""
    return {}


@pytest.fixture
def run(chain_file, tmp_path, capsys, said_before):
    """Run the month end of November 2024; return status, output, errors, folder."""

    def command(*more, month="2024-11"):
        key = (month, *more)
        if key not in said_before:
            out = tmp_path / "out"
            status = main(
                ["month-end", "--chain", str(chain_file), "--month", month,
                 "--out", str(out), *more]
            )  # fmt: skip
            said = capsys.readouterr()
            said_before[key] = (status, said.out, said.err, out)
        return said_before[key]

    return command


def test_a_month_end_writes_workbook_forms_and_rejects(run):
    """One workbook, one CSV a form, one rejects file a table; then a summary."""
    status, out, err, folder = run()
    assert status == 0
    assert err == ""
    assert sorted(path.name for path in folder.iterdir()) == [
        "2024-11",
        "month-end-2024-11.xlsx",
    ]
    forms = {path.name for path in (folder / "2024-11").glob("*.csv")}
    assert {"expiring_members.csv", "spending_power.csv", "findings.csv"} <= forms
    assert len(forms) >= 9
    rejects = folder / "2024-11/rejects/sales-rejects.csv"
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) == 1 + 7
    assert "销售明细：读取" in out
    assert "门店档案中没有这些门店" in out or "见 findings.csv" in out
    assert str(folder / "month-end-2024-11.xlsx") in out


def test_another_language_than_the_chains_can_be_asked_for(run):
    """--language changes the summary and the headings of the CSV files."""
    _, out, _, folder = run("--language", "en", "--fail-on", "error")
    assert "rows read" in out
    assert "Written:" in out
    heading = (folder / "2024-11/lapse.csv").read_text("utf-8-sig").split("\r")[0]
    assert "Valid members" in heading


def test_refused_rows_fail_the_command_if_asked_to(run):
    """Damaged rows are refused and told; whether that is a failure is a choice."""
    status, out, err, _ = run("--language", "en", "--fail-on", "error")
    assert status == 1
    assert err == ""
    assert "(required-missing)" in out


def test_only_findings_as_bad_as_chosen_fail_the_command(tmp_path, capsys):
    """A chain with remarks alone passes --fail-on warning, not --fail-on info."""
    busy = SyntheticChain(
        stores=1, regions=1, members=200, months=2, tickets_per_member=2
    )
    written = write_chain(tmp_path / "clean", chain=busy, dirty=False)
    sales_file = only(written.chain_file, "sales")
    command = ["month-end", "--chain", str(sales_file), "--month", "2024-11",
               "--out", str(tmp_path / "out"), "--fail-on"]  # fmt: skip
    assert main([*command, "warning"]) == 0
    assert main([*command, "info"]) == 1


def test_phones_are_shown_only_if_asked_for_by_name(run):
    """--reveal takes the columns; without it both lists are masked."""

    def phones(folder):
        file = folder / "2024-11/expiring_members.csv"
        rows = csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))
        return [row["手机号"] for row in rows if row["手机号"]]

    masked = phones(run()[3])
    assert masked
    assert all(phone.startswith("*******") for phone in masked)
    shown = phones(run("--reveal", "phone")[3])
    assert [phone[-4:] for phone in shown] == [phone[-4:] for phone in masked]
    assert all(phone.isdecimal() for phone in shown)
    status, _, err, _ = run("--reveal", "email")
    assert status == 2
    assert "known are: 'name', 'phone'" in err


def test_as_of_chooses_the_day_of_the_expiring_list(run):
    """A day of the month is taken; another is wrong use."""
    assert run("--as-of", "2024-11-05")[0] == 0
    status, _, err, _ = run("--as-of", "2024-12-05")
    assert status == 2
    assert "a day of the run month 2024-11, not 2024-12-05" in err


WRONG = [
    (["month-end", "--chian", "x"], "--chian"),
    (["month-end"], "requires an argument"),
    (["monthend"], "monthend"),
    (["month-end", "--chain", "c.toml", "--month", "2026-10", "--out", "o", "--fail-on",
      "bad"], "bad"),
    (["month-end", "--chain", "absent.toml", "--month", "2026-10", "--out", "o"],
     "'absent.toml' cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "told"), WRONG)
def test_wrong_use_is_one_line_and_status_2(arguments, told, capsys):
    """An unknown option or command, a missing one, a file that is not there."""
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err
    assert said.err.startswith("错误 error: ")
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err


def test_a_bad_chain_file_lists_its_problems(tmp_path, capsys):
    """Each problem with its path, and no traceback."""
    file = tmp_path / "chain.toml"
    file.write_text('name = "x"\ncurency = "CNY"\n', encoding="utf-8")
    command = ["month-end", "--chain", str(file), "--month", "2026-10", "--out", "o"]
    assert main(command) == 2
    err = capsys.readouterr().err
    assert "- curency is not known; did you mean 'currency'?" in err
    assert "- sources is needed" in err


def test_errors_say_their_kind_in_chinese_and_their_place(chain_file, tmp_path, capsys):
    """Beside the English detail; a source that cannot be read names its section."""
    (tmp_path / "chain.toml").write_text(
        chain_file.read_text("utf-8"), encoding="utf-8"
    )
    command = ["month-end", "--chain", str(tmp_path / "chain.toml"), "--month",
               "2024-11", "--out", str(tmp_path / "out")]  # fmt: skip
    assert main(command) == 2
    err = capsys.readouterr().err
    assert "数据源无法读取" in err
    assert "sources.members: " in err
    assert "members.csv" in err


def test_a_month_and_a_day_say_how_they_are_written(run):
    """The format is in the first words, not the last."""
    status, _, err, _ = run(month="2024/11")
    assert status == 2
    assert "a month is written as '2026-10'" in err
    assert "月份或日期有误" in err
    status, _, err, _ = run("--as-of", "5.11.")
    assert status == 2
    assert "written as 2026-10-05" in err


def test_what_is_no_month_is_status_2(run):
    """Neither a month 13 nor a quarter is a crash."""
    status, _, err, _ = run(month="2026-13")
    assert status == 2
    assert "a month of 2026 is 1 to 12, not 13" in err
    status, _, err, _ = run(month="2026-Q4")
    assert status == 2
    assert "a calendar month such as" in err


def test_a_folder_that_cannot_be_written_is_status_2(sales_file, tmp_path, capsys):
    """A file stands where the folder should be."""
    out = tmp_path / "out"
    out.write_text("in the way", encoding="utf-8")
    command = ["month-end", "--chain", str(sales_file), "--month", "2024-11",
               "--out", str(out)]  # fmt: skip
    assert main(command) == 2
    err = capsys.readouterr().err
    assert str(out) in err
    assert out.read_text("utf-8") == "in the way"


def test_help_and_version(capsys):
    """Help speaks both languages; the version is the library's."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"
    assert main(["month-end", "--help"]) == 0
    out = capsys.readouterr().out
    assert "连锁配置文件" in out
    assert "The chain file" in out
    assert main(["--help"]) == 0
    assert "生成月末全部报表" in capsys.readouterr().out


def test_plugins_are_listed_with_their_adapters(capsys):
    """In English or Chinese, one line each."""
    assert main(["plugins", "--language", "en"]) == 0
    assert "builtin (memberops " in (out := capsys.readouterr().out)
    assert "source csv" in out
    assert main(["plugins", "--language", "zh"]) == 0
    assert "数据源 csv" in capsys.readouterr().out


@pytest.mark.parametrize("absent", ["cyclopts", "rich"])
def test_without_the_extra_the_command_names_it(absent, monkeypatch, capsys):
    """A plain line and status 2, not an ImportError."""
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.partition(".")[0] == absent:
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["--version"]) == 2
    err = capsys.readouterr().err
    assert "pip install 'memberops[cli]'" in err
    assert err.count("\n") == 1


def process(chain_file, out, *more, **options):
    """Return what runs the command as a process of its own."""
    return {
        "args": [
            sys.executable, "-c", ("import sys; from memberops.cli import main; "
            "sys.exit(main())"), "month-end", "--chain", str(chain_file),
            "--month", "2024-11", "--out", str(out), *more,
        ],
        **options,
    }  # fmt: skip


def test_a_terminal_that_cannot_show_chinese_gets_no_traceback(sales_file, tmp_path):
    """Question marks are better than a UnicodeEncodeError at the end of the work."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        **process(sales_file, tmp_path / "out", env=environment),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == b""
    assert b"2024-11" in done.stdout


def test_a_reader_that_stops_reading_is_no_failure(sales_file, tmp_path):
    """The files are written, and the status is that of the month end (`| head`)."""
    with subprocess.Popen(
        **process(sales_file, tmp_path / "out", "--fail-on", "error"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        running.stdout.close()
        errors = running.stderr.read()
    assert errors == b""
    assert running.returncode == 1


def on_a_terminal(sales_file, out, *more):
    """Run the command with standard error on a terminal; return it, and the output."""
    reader, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        **process(sales_file, out, *more, env=environment),
        stdout=subprocess.PIPE,
        stderr=terminal,
    ) as running:
        os.close(terminal)
        drawn = b""
        try:
            while piece := os.read(reader, 4096):
                drawn += piece
        except OSError:  # Linux says so when the other end is closed.
            pass
        told = running.communicate()[0]
    os.close(reader)
    assert running.returncode == 0
    return drawn.decode(), told.decode()


def test_the_bar_is_shown_on_a_terminal(sales_file, tmp_path):
    """On a terminal's standard error; not in what is piped on."""
    drawn, told = on_a_terminal(sales_file, tmp_path / "out")
    assert "读取会员档案" in drawn or "统计" in drawn
    assert "统计" not in told


def test_no_bar_is_shown_if_unwanted(sales_file, tmp_path, monkeypatch):
    """On a terminal neither, with --no-progress."""
    error = io.StringIO()
    error.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", error)
    monkeypatch.setenv("TERM", "xterm")
    command = ["month-end", "--chain", str(sales_file), "--month", "2024-11",
               "--out", str(tmp_path / "out")]  # fmt: skip
    assert main([*command, "--no-progress"]) == 0
    assert error.getvalue() == ""
