"""`find`, `aggregate`, `explain`, `index`, `verify`: what is asked of the server, and what is printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import bson
import pytest
from click.testing import CliRunner

from laura_fast.cli._documents import fields, order
from laura_fast.cli._group import commands
from laura_fast.errors import ClientError, InvalidArgumentError
from laura_fast.storage.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from tests.unit.client.documents.fake_router import FakeRouter

    Typed = Callable[..., Result]


@pytest.fixture
def filled(router: FakeRouter) -> FakeRouter:
    router.page = 10
    router.collections["d.c"] = [bson.encode({"_id": number, "n": bson.Int64(number % 3)}) for number in range(45)]
    return router


def test_a_table_is_a_screen_of_documents(typed: Typed, filled: FakeRouter) -> None:
    lines = typed("find", "d.c").stdout.splitlines()
    assert [line.split() for line in (lines[0], lines[2], lines[21])] == [["_id", "n"], ["0", "0"], ["19", "1"]]
    assert lines[-1].startswith("20 documents; there are more: --limit, or -o json for all · 21 examined")


def test_a_limit_that_was_asked_for_is_not_called_short(typed: Typed, filled: FakeRouter) -> None:
    assert typed("find", "d.c", "--limit", "30").stdout.splitlines()[-1].startswith("30 documents · 30 examined")
    assert typed("find", "d.c", '{"_id": 7}').stdout.splitlines() == [
        "_id  7",
        "n    1",
        "1 document · 1 examined · 0 ms",
    ]
    assert typed("find", "d.none").stdout.splitlines()[0] == "no documents"


def test_json_is_everything_a_line_each(typed: Typed, filled: FakeRouter) -> None:
    lines = typed("find", "d.c", "-o", "json").stdout.splitlines()
    assert [json.loads(line)["_id"] for line in lines] == list(range(45))
    canonical = typed("find", "d.c", '{"_id": 4}', "-o", "json", "--canonical").stdout
    assert canonical == '{"_id": {"$numberInt": "4"}, "n": {"$numberLong": "1"}}\n'


def test_a_query_is_sent_as_it_was_typed(typed: Typed, filled: FakeRouter) -> None:
    typed("find", "d.c", '{"n": 1}', "-p", "n,-_id", "--sort", "-n", "--skip", "2", "--limit", "3")
    sent = filled.requests[-1]
    assert [bson.decode(part) for part in (sent.query, sent.projection, sent.sort)] == [
        {"n": 1},
        {"n": 1, "_id": 0},
        {"n": -1},
    ]
    assert (sent.skip, sent.limit) == (2, 3)


def test_order_and_fields_are_written_short_or_as_documents() -> None:
    assert list(order("-Size, name").items()) == [("Size", -1), ("name", 1)]
    assert order(' {"Size": -1}') == {"Size": -1}
    assert fields("name,-Depends") == {"name": 1, "Depends": 0}
    assert fields('{"a": {"$slice": 2}}') == {"a": {"$slice": 2}}
    for wrong in ("", "a,,b", "-"):
        with pytest.raises(InvalidArgumentError, match="write field,other"):
            order(wrong)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("find", "packages"), "namespace 'packages': write database.collection"),
        (("find", "d.c", "{'a': 1}"), "not JSON at column 2"),
        (("find", "d.c", "[]"), "an array where a document is needed"),
        (("find", "d.c", "--limit", "-1"), "-1 is not in the range"),
        (("find", "d.c", "-p", "a,"), "write field,other or a JSON document"),
        (("aggregate", "d.c", "{"), "not JSON at column 2"),
        (("explain", "d.c", '{"a": 1}', "--pipeline", "[]"), "--pipeline stands alone"),
        (("import", "x.csv", "-n", "d.c", "--types", "a=number"), "write column=type"),
        (("import", "x.csv"), "Missing option '--namespace'"),
    ],
)
def test_wrong_usage_is_2_and_says_what(arguments: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(commands, list(arguments))
    assert (result.exit_code, said in result.stderr) == (2, True)


def test_what_the_server_refuses_is_a_failure(typed: Typed) -> None:
    result = typed("find", "d.c", '{"$foo": 1}')
    assert isinstance(result.exception, ClientError)
    assert "invalid argument: unknown operator: $foo" in str(result.exception)


def test_results_of_a_pipeline(typed: Typed, filled: FakeRouter) -> None:
    assert typed("aggregate", "d.c", '[{"$count": "n"}]').stdout.splitlines() == ["n  45", "1 document"]
    assert typed("aggregate", "d.c", '{"$count": "n"}', "-o", "json").stdout == '{"n": 45}\n'
    filled.collections["d.c"] *= 30
    assert typed("aggregate", "d.c", "[]").stdout.splitlines()[-1].startswith("1\u202f000 documents; there are more")


def test_an_explanation_as_a_tree_and_as_it_is(typed: Typed, router: FakeRouter) -> None:
    router.explanation = {"plan": {"index": "n_1"}, "why": "bounds on n"}
    assert typed("explain", "d.c", '{"n": 1}').stdout.splitlines() == [
        "d.c",
        "├── plan",
        "│   └── index: n_1",
        "└── why: bounds on n",
    ]
    typed("explain", "d.c", "--pipeline", '{"$count": "n"}', "--execute", "-o", "json")
    assert router.requests[-1].execute
    assert bson.decode(router.requests[-1].aggregation.pipeline[0]) == {"$count": "n"}


def test_indexes_are_created_listed_and_dropped(typed: Typed, filled: FakeRouter) -> None:
    created = typed("index", "create", "d.c", "n,-_id", "--unique", "--partial", '{"n": {"$gt": 0}}')
    assert created.stdout == "d.c: index n_1__id_-1 built from 45 documents\n"
    assert typed("index", "create", "d.c", "n,-_id").stdout == "d.c: index n_1__id_-1 is there already\n"
    typed("index", "create", "d.c", "n,-_id", "--name", "mine", "--unique", "--partial", '{"n": {"$gt": 0}}')
    definition = bson.decode(filled.requests[-1].definition)
    assert definition == {
        "key": {"n": 1, "_id": -1},
        "name": "mine",
        "unique": True,
        "partialFilterExpression": {"n": {"$gt": 0}},
    }
    lines = [line.split() for line in typed("index", "list", "d.c").stdout.splitlines()]
    assert lines[2] == ["_id_", "_id", "ready"]
    assert lines[3][:5] == ["mine", "n,-_id", "building", "yes", "unique"]
    listed = [json.loads(line) for line in typed("index", "list", "d.c", "-o", "json").stdout.splitlines()]
    assert [(index["name"], index["ready"]) for index in listed] == [
        ("_id_", True),
        ("mine", False),
        ("n_1__id_-1", False),
    ]
    assert typed("index", "drop", "d.c", "mine").stdout == "d.c: index mine dropped\n"
    assert "d.c has no index mine" in str(typed("index", "drop", "d.c", "mine").exception)


def test_a_verification_ends_with_1_where_something_does_not_agree(typed: Typed, router: FakeRouter) -> None:
    good = typed("verify")
    assert (good.exit_code, good.stdout) == (
        0,
        "2 documents, 3 index entries, 4 log entries checked: everything agrees\n",
    )
    router.problems = ["index a_1: no entry\nof 7"]
    bad = typed("verify", "d.c")
    assert (bad.exit_code, bad.stdout.splitlines()[0]) == (1, "index a_1: no entry\\nof 7")
    assert bad.stdout.endswith("checked: 1 problem\n")
    assert (router.requests[-1].database, router.requests[-1].collection) == ("d", "c")
    assert json.loads(typed("verify", "-o", "json").stdout)["problems"] == ["index a_1: no entry\nof 7"]


def test_collections_of_one_database_and_of_all(typed: Typed, filled: FakeRouter) -> None:
    assert typed("collections", "none").stdout == "no collections\n"
    filled.collections["e.f.g"] = []
    lines = [line.split() for line in typed("collections").stdout.splitlines()]
    assert [lines[0], *lines[2:]] == [["COLLECTION", "DOCUMENTS", "INDEXES"], ["d.c", "45", "0"], ["e.f.g", "0", "0"]]
    told = json.loads(typed("collections", "e", "-o", "json").stdout)
    assert told == {"namespace": "e.f.g", "documents": 0, "indexes": 0}


def test_a_data_directory_is_checked_without_a_server(tmp_path: Path) -> None:
    Environment.open(tmp_path / "data").close()
    sound = CliRunner().invoke(commands, ["verify", "--data-dir", str(tmp_path / "data"), "--replay"])
    assert (sound.exit_code, "everything agrees" in sound.stdout) == (0, True)
    for wrong in (("verify", "d.c", "--data-dir", "x"), ("verify", "--replay")):
        assert CliRunner().invoke(commands, list(wrong)).exit_code == 2
