"""What each format's reader makes of good and of bad files."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import bson
import pytest
from bson.datetime_ms import DatetimeMS

from laura_fast.client.transfer import records
from laura_fast.client.transfer.bson_files import read_bson
from laura_fast.client.transfer.csv_files import read_csv
from laura_fast.client.transfer.json_files import read_json, read_json_lines
from laura_fast.client.transfer.records import BadRecord, Record
from laura_fast.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable


def told(read: Iterable[Record | BadRecord]) -> list[tuple[str, Any]]:
    """Each record's place with its document, or with the reason why it is none."""
    return [(each.place, each.reason if isinstance(each, BadRecord) else dict(each.values)) for each in read]


def csv(text: str, **types: str) -> list[tuple[str, Any]]:
    return told(read_csv(io.BytesIO(text.encode(errors="surrogateescape")), types))


def test_json_lines_are_read_one_by_one() -> None:
    source = io.BytesIO(b'\xef\xbb\xbf{"a": 1}\r\n\n  {"a": {"$numberLong": "2"}}\n{"a": 3}')
    assert told(read_json_lines(source)) == [("line 1", {"a": 1}), ("line 3", {"a": 2}), ("line 4", {"a": 3})]


def test_a_bad_line_does_not_hinder_the_next() -> None:
    source = io.BytesIO(b'{"a": 1}\nnonsense\n[]\n{"a": "\xff"}\n{"a": 2}\n')
    assert told(read_json_lines(source)) == [
        ("line 1", {"a": 1}),
        ("line 2", "not JSON at column 1: expecting value"),
        ("line 3", "an array where a document is needed"),
        ("line 4", "byte 8 is not UTF-8"),
        ("line 5", {"a": 2}),
    ]


def test_records_are_numbered_with_the_bad_ones_and_without_empty_lines() -> None:
    """A number stays the same whatever became of the records before it."""
    source = io.BytesIO(b'{"a": 1}\n\nnonsense\n{"a": 2}\n')
    assert [record.number for record in read_json_lines(source)] == [0, 1, 2]


def test_a_line_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_JSON_LINE_BYTES", 100)
    with pytest.raises(InvalidArgumentError, match="line 2 is longer than 100 bytes"):
        told(read_json_lines(io.BytesIO(b"{}\n" + b"x" * 101)))


def test_json_is_an_array_or_documents_one_after_another() -> None:
    for text in ('[\n{"a": 1},\n{"a":\n 2}\n]\n', '{"a": 1}\n\n{"a":\n2}', ' [{"a": 1}\n\n{"a": 2}'):
        assert [value for _, value in told(read_json(io.BytesIO(text.encode())))] == [{"a": 1}, {"a": 2}]
    places = [place for place, _ in told(read_json(io.BytesIO(b'[\n{"a": 1},\n{"a":\n 2},\n{"a": 3}]')))]
    assert places == ["line 2", "line 3", "line 5"]
    assert told(read_json(io.BytesIO(b""))) == []


def test_json_larger_than_what_is_read_at_once() -> None:
    values = [{"n": number, "text": "é" * 40_000} for number in range(20)]
    text = bson.json_util.dumps(values, indent=1, ensure_ascii=False)
    found = told(read_json(io.BytesIO(text.encode())))
    assert [value for _, value in found] == values
    assert found[19][0] == f"line {2 + 19 * 4}"


def test_json_ends_at_the_first_text_that_is_none() -> None:
    broken = told(read_json(io.BytesIO(b'[{"a": 1},\n\n{"a":\n 2,}, {"a": 3}]')))
    reason = "not JSON at line 2, column 4: expecting property name enclosed in double quotes"
    assert broken == [("line 1", {"a": 1}), ("line 3", f"{reason}; nothing after it can be read")]
    assert told(read_json(io.BytesIO(b'[7, {"a": 1}]'))) == [("line 1", "not a document"), ("line 1", {"a": 1})]
    cut = told(read_json(io.BytesIO(b'[{"a": 1}, {"a": ')))
    assert cut[1][1].endswith("nothing after it can be read")


def test_cells_become_what_they_look_like() -> None:
    header, row = "a,b,c,d,e,f,g,h,i", "1,-2.5e3,true,text,007,12345678901234567890,1.2.3,2026-01-02,-0"
    assert csv(f"{header}\n{row}\n") == [
        (
            "line 2",
            {
                "a": 1,
                "b": -2500.0,
                "c": True,
                "d": "text",
                "e": "007",
                "f": "12345678901234567890",
                "g": "1.2.3",
                "h": "2026-01-02",
                "i": "-0",
            },
        )
    ]
    assert csv("n,m\n9223372036854775807,9223372036854775808") == [
        ("line 2", {"n": 2**63 - 1, "m": "9223372036854775808"})
    ]


def test_declared_types_are_kept_to() -> None:
    types = {
        "a": "string",
        "b": "long",
        "c": "double",
        "d": "date",
        "e": "bool",
        "f": "json",
        "g": "decimal",
        "h": "objectid",
        "*": "string",
    }
    text = 'a,b,c,d,e,f,g,h,i\n1,2,3,2026-01-02T00:00:01+01:00,0,"{""x"": [1]}",1.50,507f1f77bcf86cd799439011,9\n'
    ((_, document),) = csv(text, **types)
    assert document == {
        "a": "1",
        "b": bson.Int64(2),
        "c": 3.0,
        "d": DatetimeMS(1767308401000),
        "e": False,
        "f": {"x": [1]},
        "g": bson.Decimal128("1.50"),
        "h": bson.ObjectId("507f1f77bcf86cd799439011"),
        "i": "9",
    }
    assert isinstance(document["b"], bson.Int64)


@pytest.mark.parametrize("kind", ["int", "long", "double", "date", "bool", "json", "decimal", "objectid"])
def test_a_cell_of_another_type_is_a_bad_record(kind: str) -> None:
    found = csv("a,b\n1,x?\n2,\n", b=kind)
    assert found == [("line 2", f"column 'b': 'x?' is not of type {kind}"), ("line 3", {"a": 2})]


def test_rows_may_span_lines_and_leave_cells_empty() -> None:
    assert csv('a,b\r\n"x\ny, ""z""",\r\n\r\n,2\r\n') == [("line 2", {"a": 'x\ny, "z"'}), ("line 5", {"b": 2})]


def test_a_dotted_column_is_a_field_of_a_sub_document() -> None:
    assert csv("a.b,a.c.d,e\n1,2,3\n,,4\n") == [
        ("line 2", {"a": {"b": 1, "c": {"d": 2}}, "e": 3}),
        ("line 3", {"e": 4}),
    ]


def test_a_bad_row_does_not_hinder_the_next() -> None:
    found = csv('a,b\n1\n2,3,4\n5,\udcff\n6,"7"8\n9,10\n')
    assert found == [
        ("line 2", "1 cells where the header has 2"),
        ("line 3", "3 cells where the header has 2"),
        ("line 4", "column 'b': not UTF-8"),
        ("line 5", "not CSV: ',' expected after '\"'"),
        ("line 6", {"a": 9, "b": 10}),
    ]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "there is no header line"),
        ("a,,b", "column 2 is named ''; every column needs a name"),
        ("a,b..c", r"column 2 is named 'b\.\.c'"),
        ("a,b,a", "two columns are named 'a'"),
        ("a,a.b", r"column 'a' can't be a value and hold 'a\.b'"),
    ],
)
def test_a_header_that_cannot_be_used(header: str, reason: str) -> None:
    with pytest.raises(InvalidArgumentError, match=reason):
        csv(header)


def test_a_type_for_a_column_that_is_not_there() -> None:
    with pytest.raises(InvalidArgumentError, match="there is no column 'c'; columns: a, b"):
        csv("a,b\n1,2", c="int")


def test_a_dump_is_read_octet_for_octet() -> None:
    documents = [bson.encode({"_id": number, "a": [1, {"b": bson.Int64(2)}]}) for number in range(3)]
    read = list(read_bson(io.BytesIO(b"".join(documents))))
    assert [record.values.raw for record in read] == documents  # type: ignore[union-attr]  # RawBSONDocument
    assert [record.place for record in read] == ["document 1", "document 2", "document 3"]


def test_a_bad_document_in_a_dump() -> None:
    good = bson.encode({"_id": 1})
    wrong = good[:4] + b"\x63" + good[5:]
    assert told(read_bson(io.BytesIO(good + wrong + good)))[1][1].startswith("not BSON: ")
    assert told(read_bson(io.BytesIO(good + wrong + good)))[2] == ("document 3", {"_id": 1})


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (bson.encode({"_id": 1})[:-1], "is cut off"),
        (b"\x05\x00", "is cut off"),
        (b"\xff\xff\xff\x7f", "claims to be 2147483647 bytes long"),
        (b"\xff\xff\xff\xff", "claims to be -1 bytes long"),
        (b"\x04\x00\x00\x00", "claims to be 4 bytes long"),
    ],
)
def test_a_dump_ends_at_the_first_length_that_cannot_be(tail: bytes, reason: str) -> None:
    found = told(read_bson(io.BytesIO(bson.encode({"_id": 1}) + tail)))
    assert found == [("document 1", {"_id": 1}), ("document 2", f"{reason}; nothing after it can be read")]
