"""Entries: what of a document an index has, by MongoDB's rules for arrays, missing fields and sparse indexes."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from laura_fast.domain.documents.indexing.definitions import parse_definition
from laura_fast.domain.documents.indexing.entries import compile_index, row_entries, scalar_entries
from laura_fast.domain.documents.keys import EMPTY_ARRAY, encode_compound, encode_value
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import indexes as limits
from tests.properties.planned_queries import Maker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from laura_fast.domain.documents.indexing.entries import Entries


def entries(document: dict[str, Any], *paths: str, **options: Any) -> Entries:
    definition = parse_definition({"key": {path.lstrip("-"): -1 if path[0] == "-" else 1 for path in paths}, **options})
    found = compile_index(definition).entries(document)
    if definition.partial is None:
        assert row_entries(definition)(document) == found, "the short cut agrees with the rules"
    return found


def keys(*values: Any) -> tuple[bytes, ...]:
    return tuple(sorted(map(encode_value, values)))


@pytest.mark.parametrize(
    ("document", "path", "values", "multikey"),
    [
        ({"a": 5}, "a", [5], 0),
        ({}, "a", [None], 0),
        ({"a": None}, "a", [None], 0),
        ({"a": {"b": 5}}, "a", [{"b": 5}], 0),
        ({"a": {"b": 5}}, "a.b", [5], 0),
        ({"a": 5}, "a.b", [None], 0),
        ({"a": [1, 2, 2, 1]}, "a", [1, 2], 1),
        ({"a": [1, 1.0]}, "a", [1], 1),
        ({"a": [[1, 2], 3]}, "a", [[1, 2], 3], 1),
        ({"a": [[]]}, "a", [[]], 1),
        ({"a": [None]}, "a", [None], 1),
        ({"a": [{"b": 1}, {"b": 2}]}, "a.b", [1, 2], 1),
        ({"a": [{"b": [1, 2]}, {"b": 3}]}, "a.b", [1, 2, 3], 1),
        ({"a": [{"b": 1}, {}]}, "a.b", [1, None], 1),
        ({"a": [{"b": 1}, 7]}, "a.b", [1, None], 1),
        ({"a": [[{"b": 1}]]}, "a.b", [None], 1),
        ({"a": []}, "a.b", [None], 1),
        ({"a": {"0": 5}}, "a.0", [5], 0),
        ({"a": [5, 6]}, "a.0", [5], 1),
        ({"a": [[5, 6], 7]}, "a.0", [5, 6], 1),
        ({"a": [5]}, "a.1", [None], 1),
        ({"a": [{"b": 5}, {"b": 6}]}, "a.1.b", [6], 1),
        ({"a": [8, {"0": 5}, {"0": 6}]}, "a.0", [8, 5, 6], 1),
        ({"a": [1]}, "a.99999999999999999999", [None], 1),
    ],
)
def test_one_field(document: dict[str, Any], path: str, values: list[Any], multikey: int) -> None:
    assert entries(document, path) == (keys(*values), multikey)
    assert entries(document, f"-{path}").multikey == multikey


def test_an_empty_array_is_indexed_as_less_than_null() -> None:
    assert entries({"a": []}, "a") == ((EMPTY_ARRAY,), 1)
    assert encode_value(None) > EMPTY_ARRAY


@pytest.mark.parametrize(
    ("document", "paths", "rows"),
    [
        ({"a": 1, "b": 2}, ["a", "b"], [(1, 2)]),
        ({"a": 1}, ["a", "b"], [(1, None)]),
        ({"a": [1, 2], "b": 3}, ["a", "b"], [(1, 3), (2, 3)]),
        ({"a": [{"b": 1, "c": 2}, {"b": 3}]}, ["a.b", "a.c"], [(1, 2), (3, None)]),
        ({"a": [{"b": 1}, 5]}, ["a", "a.b"], [({"b": 1}, 1), (5, None)]),
        ({"a": [{"b": [1, 2], "c": 3}]}, ["a.b", "a.c"], [(1, 3), (2, 3)]),
        ({"a": [{"b": [1]}, {"c": [2]}]}, ["a.b", "a.c"], [(1, None), (None, 2)]),
        ({"a": [7, {"b": 1}], "b": 2}, ["a.0", "b"], [(7, 2)]),
        ({"a": [7, {"b": 1}]}, ["a.0", "a.b"], [(7, None), (7, 1)]),
    ],
)
def test_fields_below_one_array_go_through_it_together(
    document: dict[str, Any], paths: list[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    expected = sorted(encode_compound(row, [False] * len(paths)) for row in rows)
    assert list(entries(document, *paths).keys) == expected


def test_only_fields_behind_an_array_are_multikey() -> None:
    assert entries({"a": 1, "b": [1, 2], "c": {"d": 3}}, "a", "b", "c.d").multikey == 0b010
    assert entries({"a": [{"b": 1, "c": 2}], "d": 3}, "d", "a.b", "a.c").multikey == 0b110


def test_a_descending_field_sorts_the_other_way() -> None:
    low, high = (entries({"a": 1, "b": value}, "a", "-b").keys[0] for value in (1, 2))
    assert high < low


def test_a_sparse_index_has_no_entry_without_any_of_its_fields() -> None:
    assert entries({"c": 1}, "a", "b", sparse=True).keys == ()
    assert len(entries({"b": None}, "a", "b", sparse=True).keys) == 1
    assert entries({"a": [{"b": 1}, {"c": 2}]}, "a.b", sparse=True).keys == keys(1)


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        ({"a": [1, 2], "b": [3]}, ["a", "b"]),
        ({"a": [1], "b": []}, ["a", "b"]),
        ({"a": [{"b": [1], "c": [2]}]}, ["a.b", "a.c"]),
        ({"a": [1], "b": {"c": [{"d": 1}]}}, ["a", "x", "b.c.d"]),
    ],
)
def test_arrays_side_by_side_are_refused_by_name(document: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(InvalidArgumentError, match="cannot index parallel arrays") as refused:
        entries(document, *paths, name="mine")
    assert '"mine"' in refused.value.message
    assert refused.value.reason == "CANNOT_INDEX"


def test_a_document_has_a_bounded_number_of_entries() -> None:
    fitting = list(range(limits.MAX_INDEX_KEYS))
    assert len(entries({"a": fitting}, "a").keys) == limits.MAX_INDEX_KEYS
    with pytest.raises(InvalidArgumentError, match="more than 20000 entries"):
        entries({"a": [*fitting, -1]}, "a")
    with pytest.raises(InvalidArgumentError, match="more than 20000 entries"):
        entries({"a": [{"b": list(range(200))}] * 101}, "a.b")


def test_a_partial_index_has_entries_of_matches_only() -> None:
    chosen = {"partialFilterExpression": {"b": {"$gt": 5}}}
    assert entries({"a": 1, "b": 6}, "a", **chosen).keys == keys(1)
    assert entries({"a": 1, "b": 5}, "a", **chosen).keys == ()
    with pytest.raises(InvalidArgumentError, match=r"\$gr"):
        entries({}, "a", partialFilterExpression={"b": {"$gr": 5}})


@pytest.mark.parametrize("number", range(20))
def test_the_short_cut_agrees_with_the_rules_on_random_documents(number: int) -> None:
    maker = Maker(Random(number))  # noqa: S311 - documents, no secrets
    documents = [maker.document(identity) for identity in range(30)]
    for at in range(10):
        definition = {**maker.definition(at), "partialFilterExpression": None}
        rules = row_entries(parse_definition(definition))
        shortcut = scalar_entries(parse_definition(definition), rules)
        for document in documents:
            assert _outcome(shortcut, document) == _outcome(rules, document), (definition, document)


def _outcome(entries_of: Callable[[dict[str, Any]], Entries], document: dict[str, Any]) -> Entries | str:
    try:
        return entries_of(document)
    except InvalidArgumentError as error:
        return error.message


def test_documents_without_arrays_take_the_short_cut() -> None:
    definition = parse_definition({"key": {"a": 1, "b.c": -1}})

    def never(document: dict[str, Any]) -> Entries:
        raise AssertionError(document)

    shortcut = scalar_entries(definition, never)
    assert shortcut({"a": [1, 2], "b": {"c": 3}}) == (
        tuple(sorted(encode_compound([each, 3], [False, True]) for each in (1, 2))),
        0b01,
    )
    assert shortcut({"a": 1, "b": {"c": 2, "d": [1]}, "e": [1]}).keys == (encode_compound([1, 2], [False, True]),)
