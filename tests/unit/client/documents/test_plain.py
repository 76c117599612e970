"""Values as people read them."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from bson.datetime_ms import DatetimeMS

from laura_fast.client.documents.plain import plain


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (42, "42"),
        (bson.Int64(2**40), "1099511627776"),
        (1.0, "1.0"),
        (float("nan"), "nan"),
        ("as it is", "as it is"),
        (bson.ObjectId("507f1f77bcf86cd799439011"), "507f1f77bcf86cd799439011"),
        (bson.Decimal128("1.50"), "1.50"),
        (DatetimeMS(0), "1970-01-01T00:00:00Z"),
        (DatetimeMS(-1), "1969-12-31T23:59:59.999Z"),
        (DatetimeMS(2**60), "1152921504606846976 ms"),
        (bson.Regex("^a", "im"), "/^a/im"),
        (bson.Timestamp(7, 1), "7:1"),
        (b"\x00\xff", "0x00ff"),
        (bson.Binary(b"\x01", 128), "0x01 subtype 128"),
        (bson.Binary(bytes(range(16)), 4), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (bson.MinKey(), "MinKey"),
        (bson.Code("f()"), '{"$code": "f()"}'),
        ([1, {"a": DatetimeMS(0)}], '[1, {"a": {"$date": "1970-01-01T00:00:00Z"}}]'),
    ],
)
def test_each_type_reads_well(value: Any, text: str) -> None:
    assert plain(value) == text
