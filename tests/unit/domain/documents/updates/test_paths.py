"""Where an update goes: what is made on the way, in which order, and what bars it."""

from __future__ import annotations

from typing import Any

import pytest
from bson.code import Code

from laura_fast.domain.documents.updates import compile_update
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import documents as limits
from tests.unit.domain.documents.updates.applying import NOW, NOW_MS, after, applied, is_invalid, refuses


@pytest.mark.parametrize(
    ("old", "path", "new"),
    [
        ({}, "a.b.c", {"a": {"b": {"c": 7}}}),
        ({"a": {"x": 1}}, "a.b.c", {"a": {"x": 1, "b": {"c": 7}}}),
        ({"a": []}, "a.2", {"a": [None, None, 7]}),
        ({"a": [1, 2]}, "a.0", {"a": [7, 2]}),
        ({"a": [{"b": 1}]}, "a.0.b", {"a": [{"b": 7}]}),
        ({"a": [1]}, "a.2.b", {"a": [1, None, {"b": 7}]}),
        ({}, "a.0", {"a": {"0": 7}}),
        ({"a": {}}, "a.0.1", {"a": {"0": {"1": 7}}}),
        ({"a": [[1]]}, "a.0.1", {"a": [[1, 7]]}),
    ],
)
def test_set_makes_what_is_missing(old: dict[str, Any], path: str, new: dict[str, Any]) -> None:
    assert after(old, {"$set": {path: 7}}) == {"_id": 1, **new}


def test_new_fields_come_in_the_order_of_their_paths() -> None:
    update = {"$set": {"c": 1, "a": 1, "n.10": 1, "n.9": 1}, "$inc": {"b": 1}, "$rename": {"z": "aa"}}
    result = after({"z": 5, "x": 6}, update)
    assert list(result) == ["_id", "x", "a", "aa", "b", "c", "n"]
    assert list(result["n"]) == ["9", "10"]


def test_fields_that_are_there_stay_in_place() -> None:
    assert list(after({"c": 1, "b": 1, "a": 1}, {"$set": {"a": 2, "b": 2}, "$unset": {"c": ""}})) == ["_id", "b", "a"]


@pytest.mark.parametrize("value", [1, "x", None, True])
def test_a_scalar_in_the_way_is_named(value: Any) -> None:
    refuses({"a": {"b": value}}, {"$set": {"a.b.c": 1}}, "$set", "'a.b.c'", "'a.b'")
    refuses({"a": {"b": value}}, {"$pop": {"a.b.c": 1}}, "$pop", "'a.b.c'", "'a.b'")


@pytest.mark.parametrize("part", ["b", "01", "-1", "99999999999999999999", "²", "1e3"])
def test_arrays_have_no_fields(part: str) -> None:
    refuses({"a": [1, 2]}, {"$set": {f"a.{part}": 1}}, "$set", f"'a.{part}'", "array")
    assert not applied({"_id": 1, "a": [1]}, {"$unset": {f"a.{part}": ""}}).changed


def test_unset_keeps_the_elements_of_an_array_where_they_are() -> None:
    assert after({"a": [1, 2, 3]}, {"$unset": {"a.1": ""}})["a"] == [1, None, 3]
    assert after({"a": [{"b": 1, "c": 2}]}, {"$unset": {"a.0.b": ""}})["a"] == [{"c": 2}]


def test_unset_makes_nothing_on_its_way() -> None:
    assert not applied({"_id": 1}, {"$unset": {"a.b": ""}}).changed


def test_an_update_has_a_bounded_number_of_paths() -> None:
    half = {f"a{number}": 1 for number in range(limits.MAX_PATHS // 2)}
    assert len(after({}, {"$set": half})) == limits.MAX_PATHS // 2 + 1
    is_invalid({"$set": half, "$inc": {f"b{number}": 1 for number in range(limits.MAX_PATHS // 2 + 1)}}, "10,001")


def test_padding_is_bounded_over_the_whole_update() -> None:
    refuses({"a": []}, {"$set": {f"a.{limits.MAX_ARRAY_PADDING + 1}": 1}}, "'a'", "1500000")
    half = limits.MAX_ARRAY_PADDING // 2 + 1
    refuses({"a": [], "b": []}, {"$set": {f"a.{half}": 1, f"b.{half}": 1}}, "'b'")
    assert len(after({"a": []}, {"$set": {"a.1000": 1}})["a"]) == 1001


def test_a_document_that_grows_too_large_is_refused() -> None:
    half = "x" * (limits.MAX_DOCUMENT_BYTES // 2)
    refuses({"a": half}, {"$set": {"b": half}}, reason="DOCUMENT_TOO_LARGE")
    refuses({"a": half}, {"b": half * 2}, reason="DOCUMENT_TOO_LARGE")


def test_a_document_that_grows_too_deep_is_refused() -> None:
    deep: Any = 1
    for _ in range(60):
        deep = {"x": deep}
    refuses({}, {"$set": {"a" + ".b" * 50: deep}}, reason="MALFORMED_BSON")
    is_invalid({"$set": {"a" + ".b" * 100: 1}}, "101 parts")


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ({"$set": {"a": 1}, "$inc": {"a": 1}}, ("$set of 'a'", "$inc of 'a'")),
        ({"$set": {"a.b": 1}, "$unset": {"a": 1}}, ("'a.b'", "'a'", "$unset")),
        ({"$set": {"a": 1, "a.b.c": 1}}, ("'a'", "'a.b.c'")),
        ({"$rename": {"a": "b"}, "$set": {"b.c": 1}}, ("$rename of 'b'", "$set of 'b.c'")),
        ({"$rename": {"a": "a"}}, ("$rename of 'a'",)),
        ({"$rename": {"a.b": "a"}}, ("'a.b'", "'a'")),
        ({"$set": {"a": 1}, "$setOnInsert": {"a": 1}}, ("$set of 'a'", "$setOnInsert of 'a'")),
        ({"$foo": {"a": 1}}, ("$foo",)),
        ({"$set": {"a": 1}, "b": 1}, ("$set", "'b'")),
        ({"b": 1, "$set": {"a": 1}}, ("$set", "'b'")),
        ({}, ("empty",)),
        (5, ("document",)),
        ({"$set": 1}, ("$set", "int")),
        ({"$set": {"": 1}}, ("$set", "''")),
        ({"$set": {"a..b": 1}}, ("$set", "'a..b'")),
        ({"$set": {"a.": 1}}, ("$set", "'a.'")),
        ({"$inc": {"a.$x": 1}}, ("$inc", "'a.$x'")),
        ({"$rename": {"a": 1}}, ("$rename", "'a'")),
        ({"$rename": {"a": Code("b")}}, ("$rename", "'a'")),
        ({"$rename": {"a": "b..c"}}, ("$rename", "'b..c'")),
    ],
)
def test_what_is_wrong_whatever_the_document(update: Any, words: tuple[str, ...]) -> None:
    is_invalid(update, *words)


@pytest.mark.parametrize(
    ("update", "word"),
    [
        ({"$set": {"a.$": 1}}, "$ in 'a.$'"),
        ({"$inc": {"a.$[].b": 1}}, "$[] in"),
        ({"$inc": {"a.$[x].b": 1}}, "$[x] in"),
        ([{"$set": {"a": 1}}], "pipeline"),
    ],
)
def test_what_mongodb_has_and_we_have_not_says_so(update: Any, word: str) -> None:
    is_invalid(update, word, "not supported", reason="UPDATE_UNSUPPORTED")


@pytest.mark.parametrize(
    ("old", "operand", "new"),
    [
        ({"a": 1, "b": 2}, {"a": "c"}, [("b", 2), ("c", 1)]),
        ({"a": 1, "b": 2}, {"a": "b"}, [("b", 1)]),
        ({"a": {"x": 1}}, {"a.x": "b.y"}, [("a", {}), ("b", {"y": 1})]),
        ({"a": [1]}, {"a": "b"}, [("b", [1])]),
        ({"a": 1, "b": 2}, {"a": "x", "b": "y"}, [("x", 1), ("y", 2)]),
        ({"a": 1}, {"a": "b.0"}, [("b", {"0": 1})]),
    ],
)
def test_rename(old: dict[str, Any], operand: dict[str, str], new: list[Any]) -> None:
    assert [pair for pair in after(old, {"$rename": operand}).items() if pair[0] != "_id"] == new


@pytest.mark.parametrize(
    ("old", "operand", "barrier"),
    [
        ({"a": [{"x": 1}]}, {"a.0.x": "b"}, "'a' is of type array"),
        ({"a": [1]}, {"a.0": "b"}, "'a' is of type array"),
        ({"a": 1, "b": [1]}, {"a": "b.0"}, "'b' is of type array"),
        ({"a": 1, "b": [{}]}, {"a": "b.0.x"}, "'b' is of type array"),
        ({"a": 1, "b": 2}, {"a": "b.x"}, "'b' is of type int"),
        ({"a": 1}, {"a.x": "b"}, "'a' is of type int"),
    ],
)
def test_rename_goes_through_documents_only(old: dict[str, Any], operand: dict[str, str], barrier: str) -> None:
    refuses(old, {"$rename": operand}, "$rename", barrier)


@pytest.mark.parametrize(
    "update",
    [
        {"$set": {"_id": 2}},
        {"$unset": {"_id": ""}},
        {"$inc": {"_id": 1}},
        {"$rename": {"_id": "b"}},
        {"$rename": {"a": "_id"}},
        {"_id": 2, "a": 1},
    ],
)
def test_the_id_never_changes(update: dict[str, Any]) -> None:
    refuses({"a": 5}, update, "_id")


def test_a_part_of_the_id_never_changes() -> None:
    compiled = compile_update({"$set": {"_id.x": 2}})
    with pytest.raises(InvalidArgumentError, match="_id"):
        compiled.apply({"_id": {"x": 1}}, NOW_MS, NOW)


def test_the_same_id_may_be_said_again() -> None:
    assert not applied({"_id": 1}, {"$set": {"_id": 1.0}}).changed
    assert after({"b": 1}, {"a": 1, "_id": 1.0}) == {"_id": 1, "a": 1}
    assert type(after({"b": 1}, {"a": 1, "_id": 1.0})["_id"]) is int


def test_a_replacement_replaces_all_but_the_id() -> None:
    assert list(after({"a": 1, "b": 2}, {"b": 3, "c": 4}).items()) == [("_id", 1), ("b", 3), ("c", 4)]
    assert after({"a": 1}, {"_id": 1}) == {"_id": 1}
    assert not applied({"_id": 1, "a": 1}, {"a": 1}).changed
    assert applied({"_id": 1, "a": 1, "b": 1}, {"b": 1, "a": 1}).changed
