"""Bad messages for any method of the contract, made from its schema and a seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bson.int64 import Int64
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor

from laura_fast.domain.documents.codec import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

MOST_DEEP = 3
IDS = tuple(f"n{number}" for number in range(8))
"""Few, so that calls meet each other's nodes."""

TEXTS = ("", *IDS, "127.0.0.1", "host", "\0", "\n", "\u202e", "\U0001f984", "a" * 255, "a" * 256, "é" * 5_000)
BSON: tuple[dict[str, Any], ...] = (
    {},
    {"_id": 1},
    {"_id": 1, "a": [1, {"b": "x"}], "n": Int64(1)},
    {"a": {"$gt": 1}},
    {"a": {"$in": [1, "x", None]}, "n": {"$exists": True}},
    {"a": {"$regex": "(a+)+$"}},
    {"a": {"$elemMatch": {"b": "x"}}},
    {"$or": []},
    {"$or": [{"a": 1}, {"$nor": [{"n": {"$type": "string"}}]}]},
    {"a": {"$near": [0, 0]}},
    {"$expr": {"$gt": ["$a", {"$add": ["$n", 1]}]}},
    {"$set": {"a.b.0": 1}, "$inc": {"n": 1}},
    {"$inc": {"a": 1}},
    {"$set": {"a": 1}, "b": 2},
    {"$set": {"_id": 2}},
    {"$push": {"a": {"$each": [1], "$slice": -3}}},
    {"$match": {"a": 1}},
    {"$group": {"_id": "$a", "n": {"$sum": "$n"}}},
    {"$sort": {"a": -1}},
    {"$limit": -1},
    {"$lookup": {"from": "n1", "localField": "a", "foreignField": "_id", "as": "b"}},
    {"$frob": {}},
    {"a": 1, "n": -1},
    {"a": 0, "_id": 1},
    {"key": {"a": 1, "n": -1}, "unique": True},
    {"key": {"a": "text"}},
    {"name": "a_1"},
    {"_id": ["x"]},
    {"a": "x" * 100_000},
    {"": {"": []}},
)
"""Documents, queries, updates, stages, sorts, index definitions: each good for one of them and bad for the others."""

WHOLE = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(1 << 31), (1 << 31) - 1),
}
NUMBERS = (0, 1, -1, 2, 3, 99, 27018, 65535, 65536)
REALS = (0.0, -0.0, math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 50.0)


def random_message(kind: Descriptor, random: Random, depth: int = 0) -> Message:
    """A message whose every field is absent, usual or extreme."""
    message = message_factory.GetMessageClass(kind)()
    for field in kind.fields:
        if random.random() < 0.3:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _fill_map(getattr(message, field.name), field, random)
        elif field.is_repeated:
            _fill_repeated(getattr(message, field.name), field, random, depth)
        elif field.message_type is None:
            setattr(message, field.name, _scalar(field, random))
        elif depth < MOST_DEEP:
            getattr(message, field.name).CopyFrom(random_message(field.message_type, random, depth + 1))
    return message


def _fill_map(entries: Any, field: FieldDescriptor, random: Random) -> None:
    assert field.message_type is not None
    key, value = field.message_type.fields
    for _ in range(random.choice((0, 1, 3, 17))):
        entries[_scalar(key, random)] = _scalar(value, random)


def _fill_repeated(items: Any, field: FieldDescriptor, random: Random, depth: int) -> None:
    for _ in range(random.choice((0, 1, 3, 100))):
        if field.message_type is None:
            items.append(_scalar(field, random))
        elif depth < MOST_DEEP:
            items.append(random_message(field.message_type, random, depth + 1))


def _scalar(field: FieldDescriptor, random: Random) -> Any:
    if field.cpp_type in WHOLE:
        low, high = WHOLE[field.cpp_type]
        return min(max(random.choice((*NUMBERS, low, high, random.randint(low, high))), low), high)
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return random.choice(REALS)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return random.random() < 0.5
    if field.type == FieldDescriptor.TYPE_BYTES and random.random() < 0.8:
        return encode(random.choice(BSON))
    text = random.choice(TEXTS)
    return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text


def _flip(raw: bytearray, random: Random) -> None:
    if raw:
        raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)


def _cut(raw: bytearray, random: Random) -> None:
    del raw[random.randrange(len(raw) + 1) :]


def _drop(raw: bytearray, random: Random) -> None:
    at = random.randrange(len(raw) + 1)
    del raw[at : at + random.randrange(4)]


def _insert(raw: bytearray, random: Random) -> None:
    at = random.randrange(len(raw) + 1)
    raw[at:at] = random.randbytes(random.randrange(1, 9))


def _repeat(raw: bytearray, random: Random) -> None:
    at = random.randrange(len(raw) + 1)
    raw[at:at] = raw[at : at + random.randrange(64)]


def _lie_about_length(raw: bytearray, random: Random) -> None:
    raw += bytes([random.randrange(1, 16) << 3 | 2]) + b"\xff" * random.randrange(1, 11) + b"\x01"


def _nest(raw: bytearray, random: Random) -> None:
    """Groups within groups, beyond what a parser should follow."""
    raw += bytes([random.randrange(1, 16) << 3 | 3]) * random.choice((50, 5_000))


def _bad_text(raw: bytearray, random: Random) -> None:
    raw += bytes([random.randrange(1, 8) << 3 | 2]) + b"\x02\xff\xfe"


MUTATIONS: tuple[Callable[[bytearray, Random], None], ...] = (
    *(_flip, _cut, _drop, _insert, _repeat, _lie_about_length, _nest, _bad_text),
)


def bad_messages(kind: Descriptor, random: Random) -> Iterator[bytes]:
    """Endlessly, in random order: random messages as they are, mutated ones, and plain noise."""
    while True:
        raw = bytearray(random_message(kind, random).SerializeToString())
        for _ in range(random.choice((0, 0, 1, 3))):
            random.choice(MUTATIONS)(raw, random)
        yield bytes(raw) if random.random() < 0.8 else random.randbytes(random.choice((1, 2, 16, 300)))
