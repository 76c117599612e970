"""Extended JSON: what is read, what is refused and why, and that canonical text loses nothing."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from bson.datetime_ms import DatetimeMS
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.client.documents.codec import decode, encode
from laura_fast.client.documents.extended_json import dump, parse, parse_pipeline, parse_query, parse_value_at
from laura_fast.errors import InvalidArgumentError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": {"$numberLong": "5"}}', bson.Int64(5)),
        ('{"a": {"$date": "1970-01-01T00:00:01Z"}}', DatetimeMS(1000)),
        ('{"a": {"$date": {"$numberLong": "-62135596800001"}}}', DatetimeMS(-62135596800001)),
        ('{"a": {"$oid": "507f1f77bcf86cd799439011"}}', bson.ObjectId("507f1f77bcf86cd799439011")),
        ('{"a": {"$binary": {"base64": "AQI=", "subType": "00"}}}', b"\x01\x02"),
        ('{"a": {"$numberDecimal": "1.50"}}', bson.Decimal128("1.50")),
        ('{"a": {"$regularExpression": {"pattern": "x", "options": "i"}}}', bson.Regex("x", "i")),
        ('{"a": {"$timestamp": {"t": 1, "i": 2}}}', bson.Timestamp(1, 2)),
        ('{"a": {"$minKey": 1}}', bson.MinKey()),
        ('{"a": [1, 2.5, "é", null, true]}', [1, 2.5, "é", None, True]),
    ],
)
def test_both_forms_are_read(text: str, value: Any) -> None:
    assert parse(text) == parse_query(text) == {"a": value}
    assert type(parse(text)["a"]) is type(value)


def test_in_a_query_regex_is_an_operator_among_others() -> None:
    """`json_util` makes a value of it and drops what stands beside it."""
    text = '{"name": {"$regex": "^lib", "$ne": "libc6"}}'
    assert parse_query(text) == {"name": {"$regex": "^lib", "$ne": "libc6"}}
    both = '{"name": {"$regex": "^lib", "$options": "i"}}'
    assert parse_query(both) == {"name": {"$regex": "^lib", "$options": "i"}}
    assert parse(both) == {"name": bson.Regex("^lib", "i")}
    assert parse(text) == parse_query(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{'a': 1}", "not JSON at column 2: expecting property name enclosed in double quotes"),
        ('{"a": 1,\n"b": }', r"not JSON at line 2, column 6: expecting value"),
        ('{"a": 1} x', "not JSON at column 10: extra data"),
        ("", "not JSON at column 1: expecting value"),
        ("[1]", "an array where a document is needed"),
        ("7", "a number where a document is needed"),
        ('{"$date": "1970-01-01T00:00:01Z"}', "a value where a document is needed"),
        ('{"a": {"$gt": 1}, "a": {"$lt": 5}}', "'a' occurs twice in one document"),
        ('{"a": {"$oid": "zz"}}', "'zz' is not a valid ObjectId"),
        ('{"a": {"$oid": 5}}', "must be an instance of"),
        ('{"a": {"$date": "soon"}}', "does not match ISO-8601"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(InvalidArgumentError, match=reason):
        parse(text)
    with pytest.raises(InvalidArgumentError, match=reason):
        parse_query(text)


def test_bytes_that_are_no_text() -> None:
    assert parse('{"é": 1}'.encode()) == {"é": 1}
    with pytest.raises(InvalidArgumentError, match="byte 3 is not UTF-8"):
        parse(b'{"\xff": 1}')


def test_a_pipeline_is_a_list_or_one_stage() -> None:
    assert parse_pipeline('[{"$match": {"a": 1}}, {"$count": "n"}]') == [{"$match": {"a": 1}}, {"$count": "n"}]
    assert parse_pipeline('{"$count": "n"}') == [{"$count": "n"}]
    assert parse_pipeline("[]") == []
    with pytest.raises(InvalidArgumentError, match="a string where a document is needed"):
        parse_pipeline('["$count"]')


def test_a_value_among_others() -> None:
    assert parse_value_at('{"a": 1} {"b": 2}', 9) == ({"b": 2}, 17)
    with pytest.raises(InvalidArgumentError):
        parse_value_at('{"a": 1', 0)


def test_relaxed_is_for_people_and_canonical_for_machines() -> None:
    document = {"n": bson.Int64(5), "when": DatetimeMS(1000), "word": "naïve"}
    assert dump(document) == '{"n": 5, "when": {"$date": "1970-01-01T00:00:01Z"}, "word": "naïve"}'
    assert dump(document, canonical=True) == (
        '{"n": {"$numberLong": "5"}, "when": {"$date": {"$numberLong": "1000"}}, "word": "naïve"}'
    )


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-(2**63), 2**63 - 1).map(bson.Int64),
        st.floats(allow_nan=False),
        st.text(st.characters(exclude_categories=["Cs"])),
        st.binary(max_size=8),
        st.binary(min_size=12, max_size=12).map(bson.ObjectId),
        st.integers(-(2**63), 2**63 - 1).map(DatetimeMS),
        st.builds(bson.Timestamp, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
        st.sampled_from([bson.MinKey(), bson.MaxKey(), bson.Regex("a.b", "im"), bson.Decimal128("-0.10")]),
        st.binary(min_size=16, max_size=16).map(lambda octets: bson.Binary(octets, 4)),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc.é", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("xyz", max_size=3), VALUES, max_size=4))
def test_canonical_text_loses_nothing(document: dict[str, Any]) -> None:
    octets = encode(document)
    assert encode(parse(dump(decode(octets), canonical=True))) == octets
