"""Promises of the words for mistakes with messages: Chinese, and with a way out."""

import pickle
from zoneinfo import ZoneInfo

import pytest

from memberops import open_chain
from memberops.cli import main
from memberops.cli.options import read_moment
from memberops.errors import ApprovalError, InvalidValueError, UnknownTableError
from message_chain import CHAIN, FILE, NOON, plan, write_message_chain


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A chain whose batch B1 is planned; the file and the batch's fingerprint."""
    file = write_message_chain(tmp_path_factory.mktemp("words"))
    return file, plan(open_chain(file)).frame()["fingerprint"].iloc[0]


@pytest.fixture
def told(planned, capsys):
    """Run a command of messages that fails; return what it says in Chinese."""
    file, mark = planned

    def run(name, **given):
        if name == "approve":
            given = {"batch": "B1", "fingerprint": mark, "role": "brand_manager",
                     "by": "E2", "at": NOON.isoformat()} | given  # fmt: skip
        options = [
            each
            for key, text in given.items()
            for each in (f"--{key}", *([text] if key != "write" else []))
        ]
        chain = ["--chain", str(file), "--language", "zh"]
        assert main(["messages", name, *chain, *options]) == 2
        return capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"by": "A1"}, "错误：编制人不得审批自己编制的批次，请由他人审批\n"),
        ({"fingerprint": "0" * 12}, "错误：指纹不符：审批的是另一版本"),
        ({"fingerprint": "0"}, "错误：指纹须填审批单上的 12 位或更多，而不是 '0'\n"),
        (
            {"role": "boss"},
            "错误：'boss' 不是审批角色；可用角色：customer_service_manager、brand_man",
        ),
        ({"batch": "B7"}, "错误：发件箱里没有批次 'B7'；已有 1 个批次"),
        ({"by": " e02"}, "错误：--by 不能为空，前后不能有空格\n"),
    ],
)
def test_everyday_mistakes_are_told_in_chinese(told, given, words):
    """Who reads Chinese needs no English, and learns what to do."""
    err = told("approve", **given)
    assert err.startswith(words)
    assert "英文" not in err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("12:00", "--at 须为带时区的时刻，写作 2026-11-05T09:00+08:00，而不是 '12:00'"),
        (
            "2026-11-05 09:00",
            "--at 须带时区：Asia/Shanghai 的 2026-11-05 09:00 写作 2026-11-05T09:00",
        ),
        ("1800-11-05T09:00+08:00", "--at 须在 1901 年至 2199 年之间"),
    ],
)
def test_a_moment_that_is_not_clear_is_told_in_chinese(text, words):
    """What it lacks, and how it is written."""
    with pytest.raises(InvalidValueError) as caught:
        read_moment(text, ZoneInfo("Asia/Shanghai"), option="--at")
    assert caught.value.text_zh.startswith(words)


def test_a_wrong_day_is_told_in_chinese(told):
    """So is a day that is not there, of every question."""
    wish = {"as-of": "2026-02-30", "template": "birthday", "batch": "B2", "by": "A1"}
    assert told("plan", **wish) == (
        "错误：--as-of 须为存在的日期，写作 2026-10-05，而不是 '2026-02-30'\n"
    )


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"template": "birthda"}, "没有模板 'birthda'；已有：birthday"),
        (
            {"batch": "B1", "write": "", "closes": "2026-11-05T20:00+08:00"},
            "发件箱里已有 'B1' 而内容不同（",
        ),
        ({"cost-cap": "0.01"}, "计费 3 条共 ¥0.15，超过费用上限 ¥0.01"),
    ],
)
def test_a_plan_that_cannot_be_is_told_in_chinese(told, given, words):
    """A template that is not there, and a cap below the cost."""
    wish = {"as-of": "2026-11-05", "template": "birthday", "batch": "B2", "by": "A1"}
    assert words in told("plan", **(wish | given))


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("cancel", {"batch": "B1", "cause": ""}, "错误：请写明取消原因\n"),
        ("opt-out", {"member": "M1", "evidence": " "}, "错误：请写明退订依据，"),
    ],
)
def test_a_step_without_its_ground_is_told_in_chinese(told, name, given, words):
    """Why a batch is canceled, and what proves an opt-out, is said."""
    assert told(name, **given).startswith(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("生日快乐！", "推广短信正文须以“拒收请回复R”结尾，且仅出现一次"),
        ("好" * 70 + "拒收请回复R", "含签名共 81 字，最多 70 字，超出 11 字"),
    ],
)
def test_a_template_that_cannot_be_sent_is_told_in_chinese(tmp_path, text, words):
    """70 + 6 characters and a signature of 5 are 81, 11 more than 70."""
    file = write_message_chain(tmp_path)
    said = file.read_text("utf-8").replace("${name}，生日快乐！拒收请回复R", text)
    file.write_text(said, "utf-8")
    with pytest.raises(InvalidValueError) as caught:
        plan(open_chain(file), write=False)
    assert words in caught.value.text_zh


def test_a_chinese_text_goes_along_with_an_error():
    """The English stays the message; a pickle, as between processes, loses neither."""
    error = ApprovalError("no").in_chinese("不行")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (str(again), again.text_zh) == ("no", "不行")
    assert ApprovalError("no").text_zh == ""


def test_a_gap_without_a_column_names_the_template(tmp_path):
    """A misspelled gap is told by the section of the file, with the nearest column."""
    file = write_message_chain(tmp_path)
    text = file.read_text("utf-8").replace("${name}", "${nmae}")
    file.write_text(text, "utf-8")
    with pytest.raises(InvalidValueError) as caught:
        plan(open_chain(file), write=False)
    for part in ("[sms.templates.birthday]", "did you mean 'name'?", "variables = {"):
        assert part in str(caught.value)
    assert "会员档案没有列 'nmae'" in caught.value.text_zh


def test_marketing_without_a_table_of_consents_is_refused(tmp_path):
    """There is nobody to approve; a notice needs no consent."""
    section = '[sources.consents]\nadapter = "csv"\npath = "consents.csv"\n'
    file = write_message_chain(tmp_path, sms=FILE)
    text = file.read_text("utf-8")
    assert section in CHAIN
    file.write_text(text.replace(section, ""), "utf-8")
    with pytest.raises(UnknownTableError, match=r"add \[sources.consents\]"):
        plan(open_chain(file), write=False)
    text = file.read_text("utf-8").replace('"marketing"', '"notice"')
    file.write_text(text.replace("拒收请回复R", ""), "utf-8")
    assert len(plan(open_chain(file), write=False).frame()) == 1


def test_an_audience_of_nobody_has_no_form_to_approve(tmp_path):
    """Where all are left out, there is no row and no fingerprint."""
    chain = open_chain(write_message_chain(tmp_path))
    answer = plan(chain, write=False, members=["M3"])
    assert answer.frame().empty
    assert "left out 1" in answer.explain("en")


def test_text_without_quotes_is_told(tmp_path, capsys):
    """What TOML calls an invalid value is most often a missing quote."""
    file = write_message_chain(tmp_path, sms="[sms]\nprovider = file\n")
    assert main(["messages", "status", "--chain", str(file)]) == 2
    assert 'text needs quotes, as in provider = "file"' in capsys.readouterr().err
