"""Promises of the doctor for web services: paths and kinds, and no values."""

import tomllib
from pathlib import Path

import pytest

from memberops import open_chain
from memberops.adapters.sources.http_reading import JsonAnswer, ReadingPatience
from memberops.adapters.sources.rest_look import RestLook, look_at
from memberops.adapters.sources.rest_resource import Lines, Paging, RestResource
from memberops.cli import main
from memberops.errors import ConfigurationError, SourceError, UnknownTableError
from memberops.tables import table
from memberops.testing.faulty_pos import FaultyPos, PosWorld
from memberops.workflows.doctor_service import _proposed, propose_service

pytest.importorskip("httpx2", reason="needs the extra 'sms'")

HEAD = 'name = "x"\ncurrency = "CNY"\nzone = "Asia/Shanghai"\n'
SECTION = """[[sources.{table}]]
adapter = "rest"
base_url = "{url}"
path = "{path}"
snapshot = "kept"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The folder of a chain file."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def pos():
    """A shop with a few customers and orders."""
    world = PosWorld(seed=1)
    world.happen(40)
    with FaultyPos(world) as made:
        yield made


def chain_file(pos, **paths):
    """Write a chain file whose sections lack their columns."""
    text = "".join(
        SECTION.format(table=name, url=pos.url, path=path)
        for name, path in paths.items()
    )
    Path("chain.toml").write_text(HEAD + text, "utf-8")
    return text


def test_the_first_page_gives_a_section_that_reads_the_service(pos, capsys):
    """With its lines pasted in, the chain reads what the shop has."""
    text = chain_file(pos, sales="orders", members="customers")
    before = len(pos.requests)
    for name in ("sales", "members"):
        asked = f"doctor --chain chain.toml --table {name} --toml --language en"
        assert main(asked.split()) == 0
        proposed = capsys.readouterr().out
        lines = [
            line
            for line in proposed.splitlines()
            if not line.startswith(("[", "adapter", "#"))
        ]
        own = f"[[sources.{name}]]\n"
        text = text.replace(own, own + "\n".join(lines) + "\n")
    assert len(pos.requests) == before + 2
    everything = 'paging = { kind = "key", field = "after", start = 0 }\n'
    text = text.replace('snapshot = "kept"\n', everything)
    Path("chain.toml").write_text(HEAD + text, "utf-8")
    tables = open_chain("chain.toml", entry_points=False).read()
    assert len(tables["members"]) == len(pos.world.customers)
    sold = {(str(each["id"]), each["store"]) for each in pos.world.orders.values()}
    frame = tables["sales"]
    assert {*zip(frame["ticket_id"], frame["store_id"], strict=True)} == sold


def test_paths_and_kinds_are_told_and_no_person(pos):
    """A phone is a number as text; the sample of it is masked, as of a file."""
    chain_file(pos, sales="orders", members="customers")
    (found,) = propose_service("chain.toml", "members")
    kinds = {each.path: each.kinds for each in found.paths}
    assert kinds["id"] == ("whole number",)
    assert kinds["mobile"] == ("number as text",)
    told = found.describe("en") + found.describe("zh") + found.mapping.toml()
    for person in pos.world.customers.values():
        assert person["mobile"] not in told
        assert person["name"] not in told
    (sales,) = propose_service("chain.toml", "sales")
    assert sales.mapping.named["item_id"] == "sku"
    assert sales.mapping.named["ticket_id"] == "/id"
    rules = {each.rule: each for each in sales.mapping.questions}
    assert "refunds.lines" in rules["lists-unread"].text_en
    assert 'changed_at = "updated_at"' in rules["cursor-likely"].toml
    assert "updated_at" not in sales.mapping.named.values()


def look(*records, others=()):
    """Make what was seen of some records."""
    return RestLook(asked="x", found_at="data", records=records, others=others)


def test_names_that_may_be_values_are_not_told():
    """An object that is filed by phones or by names of people gives no path."""
    seen = look(
        {"id": 1, "by_phone": {"p13800138000": {"n": 1}, "13800138001": 2},
         "by_name": {"王小明": 1}, "店": "S1"},
        {"id": 2, "by_name": {"李白": 2}, "店": "S2"},
    )  # fmt: skip
    assert [each.path for each in seen.paths] == ["id", "店"]


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "nothing"), ("", "nothing"), ([], "nothing"), (True, "true or false"),
     (5, "whole number"), (0.5, "number"), ("5.00", "number as text"), ("T5", "text"),
     ("2026-11-05", "day"), ("2026-11-05T01:02:03Z", "moment"), (["a"], "list")],
)  # fmt: skip
def test_kinds_are_those_of_the_values(value, kind):
    """One word for what stands at a path."""
    (seen,) = look({"x": value}).paths
    assert seen.kinds == (kind,)


def test_nested_names_and_lists_have_the_paths_of_a_section():
    """An object's field is named through it; a list's fields count from its lines."""
    proposal = _proposed(
        "sales",
        look(
            {"id": 7, "data": {"lines": [{"id": 1, "sku": "A", "qty": 1, "amount": 5}]},
             "store": {"id": "S1"}, "sold": {"on": "2026-11-05"}},
            others=("meta",),
        ),
        table("sales"),
    )  # fmt: skip
    named = proposal.mapping.named
    assert proposal.mapping.place["each"] == '"data.lines"'
    assert named["store_id"] == "/store.id"
    assert named["sold_on"] == "/sold.on"
    assert named["ticket_id"] == "/id"
    assert {each.rule for each in proposal.mapping.questions} >= {"records-likely"}


def test_a_bare_list_needs_no_path_of_its_records():
    """The section says where the service is: its own path is not given again."""
    bare = RestLook(asked="orders", found_at="", records=({"id": 1, "amount": 5},))
    mapping = _proposed("sales", bare, table("sales")).mapping
    assert mapping.named == {"ticket_id": "id", "amount": "amount"}
    assert tomllib.loads(mapping.toml()) == {
        "sources": {"sales": {"adapter": "rest", "columns": dict(mapping.named)}}
    }


def looked_at(page, records, around=None, **section):
    """Look at a service that gives one page, as a section describes it."""

    class Reader:
        patience = ReadingPatience()

        def read(self, *_args, **_named):
            return JsonAnswer(document={"rows": page, **(around or {})}, headers={})

    lines = [Lines(columns={})]
    resource = RestResource(path="x", records=records, lines=lines, **section)
    return look_at(Reader(), resource)


def test_what_names_a_record_is_proposed_where_it_has_no_id():
    """The key's path is the id; of lines that share a ticket none is one."""
    vips = [{"member_id": n, "mobile": "13812345678"} for n in ("V1", "V2")]
    members = table("members")

    def mapping(page, **section):
        return _proposed("members", looked_at(page, "rows", **section), members).mapping

    made = mapping(vips)
    assert made.named["member_id"] == "member_id"
    assert tomllib.loads(made.toml())["sources"]["members"]["id"] == "member_id"
    assert [each.rule for each in made.questions].count("id-likely") == 1
    assert "id" not in mapping(vips, id="member_id").place
    assert "id" not in mapping([{"id": 1}, {"id": 2}]).place

    line = {"sku": "A", "qty": 1, "amount": 5}
    orders = [{"ticket_id": number, "rows": [line]} for number in ("T1", "T2")]
    sales = _proposed("sales", looked_at(orders, "rows"), table("sales")).mapping
    assert (sales.place["each"], sales.place["id"]) == ('"rows"', '"ticket_id"')

    lines = [{"ticket_id": "T1", **line} for _ in range(2)]
    sales = _proposed("sales", looked_at(lines, "rows"), table("sales")).mapping
    assert "id" not in sales.place
    (asked,) = [q for q in sales.questions if q.rule == "id-missing"]
    assert "'id'" in asked.text_en


@pytest.mark.parametrize(
    ("around", "told"),
    [({"hasMore": True}, True), ({"total": 3}, True), ({"meta": {"next": "x"}}, True),
     ({"hasMore": False}, False), ({"total": 2}, False), ({}, False)],
)  # fmt: skip
def test_signs_of_further_pages_are_told_unless_the_section_has_paging(around, told):
    """A page that is taken for all would be a table cut short."""
    page = [{"id": 1}, {"id": 2}]
    paging = Paging(kind="page", field="page", first=1)
    for section, expected in (({}, told), ({"paging": paging}, False)):
        seen = looked_at(page, "rows", around, **section)
        questions = _proposed("members", seen, table("members")).mapping.questions
        asked = [each for each in questions if each.rule == "pages-unread"]
        assert bool(asked) is expected
        for each in asked:
            assert "more records than the 2 of this answer" in each.text_en
            assert "2" in each.text_zh
            assert "paging" in each.text_zh


def test_a_path_of_records_that_the_section_has_is_not_given_again():
    """A name that stands twice in a section is an error of TOML."""
    for records, given in (("rows", {}), ("", {"records": '"rows"'})):
        seen = looked_at([{"id": 1, "amount": 5}], records)
        assert _proposed("sales", seen, table("sales")).mapping.place == given


@pytest.mark.parametrize("page", [["王小明", 5], [[{"id": 1}]]])
def test_records_that_have_no_names_are_an_error(page):
    """Nothing in them could be mapped."""
    with pytest.raises(SourceError, match="objects") as caught:
        looked_at(page, "rows")
    assert "王" not in str(caught.value)


def test_wrong_use_is_told(pos, capsys):
    """A file's section, a table without section, a service without a list."""
    asked = ["doctor", "--chain", "chain.toml", "--language", "en"]
    chain_file(pos, sales="orders")
    assert main(asked) == 2
    assert "--table" in capsys.readouterr().err
    for more in (["a.csv"], ["--url-env", "POS_URL"], ["--from", "receipts"]):
        assert main(["doctor", *more, *asked[1:], "--table", "sales"]) == 2
        assert "--chain" in capsys.readouterr().err
    with pytest.raises(ConfigurationError, match="no section of members"):
        propose_service("chain.toml", "members")
    with pytest.raises(UnknownTableError):
        propose_service("chain.toml", "sale")
    chain_file(pos, sales="nothing")
    with pytest.raises(SourceError):
        propose_service("chain.toml", "sales")
    csv = HEAD + '[sources.sales]\nadapter = "csv"\npath = "a.csv"\n'
    Path("chain.toml").write_text(csv, "utf-8")
    with pytest.raises(ConfigurationError, match="by their paths"):
        propose_service("chain.toml", "sales")
