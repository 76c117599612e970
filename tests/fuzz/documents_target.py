"""Fuzz target: BSON, keys and filters on arbitrary octets: two documents, the first one also taken for a query."""

from __future__ import annotations

from contextlib import suppress

from laura_fast.domain.documents import codec, keys
from laura_fast.domain.documents.filters import compile_filter
from laura_fast.errors import RpcError


def document(data: bytes) -> codec.Document | None:
    """What is in the octets, proven; None for a refusal."""
    try:
        found = codec.decode(data)
    except RpcError:
        return None
    assert codec.encode(found) == data
    assert repr(codec.decode_stored(data)) == repr(found)
    return found


def one_input(data: bytes) -> None:
    """Whatever is decoded is what it says, sorts, and matches as its bytes may; only `RpcError` comes out."""
    size = data[0] if data else 0
    first, second = data[1 : size + 1], data[size + 1 :]
    query, other = document(first), document(second)
    if query is None or other is None:
        return
    key, other_key = keys.encode_value(query), keys.encode_value(other)
    assert (key == other_key) or not (key.startswith(other_key) or other_key.startswith(key))
    with suppress(RpcError):
        compiled = compile_filter(query)
        matches = compiled.matches(other)
        assert (compiled.find(second) is not None) == matches
        assert compile_filter({"$nor": [query]}).matches(other) is not matches
