"""BSON at the edge: what goes through unchanged, and what is refused with a reason."""

from __future__ import annotations

import struct
from typing import Any, Final

import pytest
from bson.binary import Binary
from bson.code import Code
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.domain.documents import codec
from laura_fast.errors import InvalidArgumentError
from laura_fast.limits import documents as limits
from tests.properties.documents import DOCUMENTS

GOLDEN: Final = bytes.fromhex(
    "800000001269000100000000000000106933320002000000016600000000000000f83f0273000400000068c3a900086200010a6e000562696e"
    "0002000000000102076f00507f1f77bcf86cd799439011046100190000001230000100000000000000023100020000007800000364001000000012"
    "780001000000000000000000"
)


def raw(*elements: bytes) -> bytes:
    body = b"".join(elements)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


EMPTY: Final = raw()


def nested(levels: int, data: bytes = EMPTY) -> bytes:
    for _ in range(levels - 1):
        data = raw(b"\x03a\0" + data)
    return data


def test_golden_vector() -> None:
    document = codec.decode(GOLDEN)
    assert document == {
        "i": 1,
        "i32": 2,
        "f": 1.5,
        "s": "hé",
        "b": True,
        "n": None,
        "bin": b"\1\2",
        "o": ObjectId("507f1f77bcf86cd799439011"),
        "a": [1, "x"],
        "d": {"x": 1},
    }
    assert [type(value) for value in (document["i"], document["i32"], document["a"][0])] == [Int64, int, Int64]
    assert codec.encode(document) == GOLDEN


FAITHFUL: Final[dict[str, Any]] = {
    "sub-document like a DBRef": {"x": 1, "$ref": "c", "$id": 2, "z": 3},
    "the same in an array": [{"$id": 2, "$ref": "c"}],
    "_id behind": {"a": 1, "_id": 2},
    "a date beyond Python's": DatetimeMS(2**63 - 1),
    "UUID, and one of a wrong length": [Binary(bytes(16), 4), Binary(b"x", 4), Binary(bytes(16), 3)],
    "old binary": Binary(b"abc", 2),
    "empty name": {"": 1},
    "NaN": float("nan"),
    "decimals": [Decimal128("1.00"), Decimal128("NaN"), Decimal128("-0E+3")],
    "timestamp": Timestamp(2**32 - 1, 2**32 - 1),
    "regex": Regex("a", int(Regex("", "imsux").flags)),
    "code": [Code("x"), Code("x", {}), Code("x", {"y": 1})],
    "code beside what looks like a DBRef": [Code("x", {"y": {"$id": 1, "$ref": "c"}}), {"$ref": Code("x")}],
}


@pytest.mark.parametrize("value", FAITHFUL.values(), ids=FAITHFUL)
def test_round_trip(value: Any) -> None:
    data = codec.encode({"a": value, "_id": 1})
    document = codec.decode(data)
    assert list(document) == ["a", "_id"]
    assert repr(document["a"]) == repr(value)
    assert codec.encode(document) == data


def test_nothing_becomes_a_dbref() -> None:
    assert type(codec.decode(codec.encode({"a": {"$ref": "c", "$id": 1}}))["a"]) is dict


MALFORMED: Final = {
    "empty": b"",
    "length 0": bytes(5),
    "negative length": b"\xff\xff\xff\xff\0",
    "cut": raw(b"\x10a\0\1\0\0\0")[:-1],
    "trailing": raw() + b"\0",
    "no terminator": struct.pack("<i", 5) + b"\1",
    "no terminator inside": raw(b"\x03a\0" + struct.pack("<i", 5) + b"\1"),
    "bad UTF-8": raw(b"\x02a\0\2\0\0\0\xff\0"),
    "surrogate": raw(b"\x02a\0\4\0\0\0\xed\xa0\x80\0"),
    "bad UTF-8 in a name": raw(b"\x0a\xff\0"),
    "string of negative length": raw(b"\x02a\0\xff\xff\xff\xff\0"),
    "string without end": raw(b"\x02a\0\2\0\0\0ab"),
    "bool 2": raw(b"\x08a\0\2"),
    "unknown type": raw(b"\x20a\0"),
    "field twice": raw(b"\x10a\0\1\0\0\0", b"\x10a\0\2\0\0\0"),
    "field twice, same value": raw(b"\x0aa\0", b"\x0aa\0"),
    "undefined": raw(b"\x06a\0"),
    "symbol": raw(b"\x0ea\0\2\0\0\0b\0"),
    "DBPointer": raw(b"\x0ca\0\2\0\0\0b\0" + bytes(12)),
    "array keys": raw(b"\x04a\0" + raw(b"\x0a1\0", b"\x0a0\0")),
    "regex options": raw(b"\x0ba\0b\0mi\0"),
    "unknown regex option": raw(b"\x0ba\0b\0q\0"),
    "too deep": nested(limits.MAX_DOCUMENT_DEPTH + 1),
    "far too deep": nested(5_000),
    "far too deep, and like a DBRef": nested(5_000, raw(b"\x02$ref\0\2\0\0\0a\0")),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_malformed(data: bytes) -> None:
    with pytest.raises(InvalidArgumentError, match="malformed BSON: ") as caught:
        codec.decode(data)
    assert caught.value.reason == "MALFORMED_BSON"


def test_deepest_document() -> None:
    assert codec.encode(codec.decode(nested(limits.MAX_DOCUMENT_DEPTH))) == nested(limits.MAX_DOCUMENT_DEPTH)


def test_many_levels_side_by_side_are_not_deep() -> None:
    document = {"a": [[1]] * 200, "b": "\3\4" * 200}
    assert codec.decode(codec.encode(document)) == document


UNENCODABLE: Final[dict[str, dict[Any, Any]]] = {
    "65 bits": {"a": 2**63},
    "zero byte in a name": {"a\0b": 1},
    "lone surrogate": {"a": "\ud800"},
    "a set": {"a": {1}},
    "name of another type": {1: 1},
    "too deep": codec.decode_stored(nested(limits.MAX_DOCUMENT_DEPTH + 1)),
    "zero byte in a regex": {"a": Regex("\0")},
}


@pytest.mark.parametrize("document", UNENCODABLE.values(), ids=UNENCODABLE)
def test_unencodable(document: dict[Any, Any]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        codec.encode(document)
    assert caught.value.reason == "MALFORMED_BSON"


def test_far_too_deep_a_value() -> None:
    value: Any = None
    for _ in range(10_000):
        value = [value]
    with pytest.raises(InvalidArgumentError):
        codec.encode({"a": value})


def test_size_limit() -> None:
    room = limits.MAX_DOCUMENT_BYTES - len(codec.encode({"a": b""}))
    data = codec.encode({"a": bytes(room)})
    assert len(data) == limits.MAX_DOCUMENT_BYTES
    assert codec.decode(data) == {"a": bytes(room)}
    with pytest.raises(InvalidArgumentError) as caught:
        codec.encode({"a": bytes(room + 1)})
    assert caught.value.reason == "DOCUMENT_TOO_LARGE"
    with pytest.raises(InvalidArgumentError) as caught:
        codec.decode(data + b"\0")
    assert caught.value.reason == "DOCUMENT_TOO_LARGE"


@given(DOCUMENTS, st.data())
def test_mutated_bytes_are_refused_or_mean_what_they_say(document: dict[str, Any], draw: st.DataObject) -> None:
    data = bytearray(codec.encode(document))
    for _ in range(draw.draw(st.integers(1, 3))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    mutated = bytes(data[: draw.draw(st.integers(0, len(data)))]) if draw.draw(st.booleans()) else bytes(data)
    try:
        found = codec.decode(mutated)
    except InvalidArgumentError:
        return
    assert codec.encode(found) == mutated
