"""What is written into a file is read from it again, wherever the reads happen to end."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import bson
import pytest
from bson.datetime_ms import DatetimeMS
from hypothesis import given
from hypothesis import strategies as st

from laura_fast.client.documents.codec import encode
from laura_fast.client.transfer import json_files
from laura_fast.client.transfer.bson_files import read_bson
from laura_fast.client.transfer.csv_files import read_csv
from laura_fast.client.transfer.json_files import read_json
from laura_fast.client.transfer.records import BadRecord, Record
from laura_fast.client.transfer.writers import CsvWriter

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT.filter(lambda key: "$" not in key), inner, max_size=3)
    ),
    max_leaves=6,
)
DOCUMENTS = st.lists(st.dictionaries(st.sampled_from("abc"), JSON, max_size=3), max_size=6)
COLUMNS = {
    "text": TEXT,
    "whole": st.integers(-(2**31), 2**31 - 1),
    "real": st.floats(allow_nan=False),
    "yes": st.booleans(),
    "when": st.integers(-(10**12), 10**13).map(DatetimeMS),
    "id": st.binary(min_size=12, max_size=12).map(bson.ObjectId),
    "deep": st.lists(st.integers(0, 9), max_size=3),
}
TYPES = {
    "text": "string",
    "whole": "int",
    "real": "double",
    "yes": "bool",
    "when": "date",
    "id": "objectid",
    "deep": "json",
}
ROWS = st.lists(st.fixed_dictionaries({}, optional=COLUMNS), max_size=5)


def values(read: Iterable[Record | BadRecord]) -> list[dict[str, Any]]:
    found = list(read)
    assert not [each for each in found if isinstance(each, BadRecord)]
    return [dict(each.values) for each in found if isinstance(each, Record)]


@given(DOCUMENTS, st.sampled_from([None, 0, 2]), st.booleans(), st.integers(1, 40))
def test_json_however_laid_out_and_however_read(
    documents: list[dict[str, Any]], indent: int | None, as_array: bool, first_read: int
) -> None:
    parts = [json.dumps(document, indent=indent, ensure_ascii=False) for document in documents]
    text = json.dumps(documents, indent=indent, ensure_ascii=False) if as_array else "\n \n".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_files, "_FIRST_READ", first_read)
        assert values(read_json(io.BytesIO(text.encode()))) == documents


@given(ROWS)
def test_csv_with_the_types_of_its_columns(rows: list[dict[str, Any]]) -> None:
    """A row without any value is an empty line, which is no record; floats are written so that they read the same."""
    file = io.BytesIO()
    writer = CsvWriter(file, list(COLUMNS), strict=True)
    for row in rows:
        writer.write(encode(row))
    file.seek(0)
    assert values(read_csv(file, TYPES)) == rows


@given(DOCUMENTS)
def test_a_dump(documents: list[dict[str, Any]]) -> None:
    octets = [encode(document) for document in documents]
    read = read_bson(io.BytesIO(b"".join(octets)))
    assert [encode(document) for document in values(read)] == octets
