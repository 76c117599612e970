"""Exports: each format's text, and files that appear only when they are whole."""

from __future__ import annotations

import io
import stat
from typing import TYPE_CHECKING, Any

import bson
import pytest
from bson.datetime_ms import DatetimeMS

from laura_fast.client.documents import Namespace, Query
from laura_fast.client.transfer.bson_files import read_bson
from laura_fast.client.transfer.exporting import export, make_writer
from laura_fast.client.transfer.files import FORMATS, WRITTEN_FORMATS, format_of, opened, replaced
from laura_fast.errors import ClientError, ConfigError, InvalidArgumentError

if TYPE_CHECKING:
    from pathlib import Path

    from laura_fast.client.documents import DocumentClient
    from tests.unit.client.documents.fake_router import FakeRouter

PLACE = Namespace("d", "c")
NOTHING: dict[str, bytes] = {}
OID = bson.ObjectId("507f1f77bcf86cd799439011")


async def written(client: DocumentClient, query: Query | None = None, **options: Any) -> bytes:
    file = io.BytesIO()
    writer = await make_writer(client, PLACE, query or Query(), file, **{"form": "jsonl", **options})
    await export(client, PLACE, query or Query(), writer)
    return file.getvalue()


@pytest.fixture
async def filled(documents: DocumentClient) -> DocumentClient:
    values: list[dict[str, Any]] = [
        {"_id": OID, "name": "é, \n", "n": bson.Int64(1), "at": DatetimeMS(1500), "in": {"x": [1, None]}},
        {"_id": 2, "n": 2.5, "more": True, "nothing": None},
    ]
    await documents.insert("d.c", values)
    return documents


async def test_json_lines_relaxed_and_canonical(filled: DocumentClient) -> None:
    first, second = (await written(filled)).decode().splitlines()
    assert first == (
        '{"_id": {"$oid": "507f1f77bcf86cd799439011"}, "name": "é, \\n", "n": 1, '
        '"at": {"$date": "1970-01-01T00:00:01.500Z"}, "in": {"x": [1, null]}}'
    )
    assert second == '{"_id": 2, "n": 2.5, "more": true, "nothing": null}'
    assert b'"n": {"$numberLong": "1"}' in await written(filled, canonical=True)


async def test_bson_is_what_the_server_has(filled: DocumentClient, router: FakeRouter) -> None:
    octets = await written(filled, form="bson")
    assert octets == b"".join(router.collections["d.c"])
    assert len(list(read_bson(io.BytesIO(octets)))) == 2


async def test_csv_has_all_fields_as_columns(filled: DocumentClient, router: FakeRouter) -> None:
    router.page = 1
    assert (await written(filled, form="csv")).decode() == (
        "_id,name,n,at,in,more,nothing\r\n"
        '507f1f77bcf86cd799439011,"é, \n",1,1970-01-01T00:00:01.500Z,"{""x"": [1, null]}",,\r\n'
        "2,,2.5,,,true,\r\n"
    )


async def test_csv_with_the_columns_asked_for(filled: DocumentClient) -> None:
    query = Query(projection={"n": 1, "in.x": True, "in.y": 1, "_id": 0})
    text = (await written(filled, query, form="csv")).decode()
    assert text == 'n,in.x,in.y\r\n1,"[1, null]",\r\n2.5,,\r\n'


async def test_a_field_that_came_between_the_two_readings_is_not_lost_silently(filled: DocumentClient) -> None:
    file = io.BytesIO()
    writer = await make_writer(filled, PLACE, Query(), file, form="csv")
    await filled.insert("d.c", [{"_id": 3, "new": 1}])
    with pytest.raises(InvalidArgumentError, match="field 'new' came up after the columns were set"):
        await export(filled, PLACE, Query(), writer)


async def test_progress_is_told_by_the_page(filled: DocumentClient, router: FakeRouter) -> None:
    router.page = 1
    heard: list[int] = []
    writer = await make_writer(filled, PLACE, Query(), io.BytesIO(), form="bson")
    assert await export(filled, PLACE, Query(), writer, heard.append) == 2
    assert heard == [1, 2]


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_bytes(b"old")
    with replaced(str(target)) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) & 0o600 == 0o600
    with pytest.raises(KeyError), replaced(str(target)) as file:
        file.write(NOTHING["half"])
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
    assert target.read_bytes() == b"new"


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"nothing\.csv: No such file"), opened(str(tmp_path / "nothing.csv")):
        pass
    with pytest.raises(ClientError, match="out: No such file"), replaced(str(tmp_path / "none" / "out")):
        pass


def test_the_format_is_asked_for_or_in_the_name() -> None:
    assert [format_of(f"x.{name}", None) for name in FORMATS] == list(FORMATS)
    assert (format_of("x.NDJSON", None), format_of("-", None), format_of("x.csv", "bson")) == ("jsonl", "jsonl", "bson")
    with pytest.raises(ConfigError, match=r"x\.txt: its name does not tell the format; give --format jsonl\|csv"):
        format_of("x.txt", None)
    with pytest.raises(
        ConfigError, match=r"x\.json: its name does not tell the format; give --format jsonl\|csv\|bson"
    ):
        format_of("x.json", None, WRITTEN_FORMATS)
