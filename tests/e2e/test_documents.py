"""Documents through real processes: files in and out, and every document once however often somebody is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import bson
import pytest
from bson.datetime_ms import DatetimeMS

from laura_fast.client import ClusterClient
from laura_fast.client.documents import DocumentClient
from laura_fast.client.documents.extended_json import dump
from tests.e2e.processes import LauraProcess, ServerProcess, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Serve = Callable[..., ServerProcess]
    Run = Callable[..., LauraProcess]

MANY = 12_000
"""Documents of a file that takes about a second to go in."""

EVERY_TYPE = {
    "_id": bson.ObjectId("507f1f77bcf86cd799439011"),
    "int": 1,
    "long": bson.Int64(2),
    "double": 3.0,
    "decimal": bson.Decimal128("4.50"),
    "text": "naïve\n\u2028",
    "binary": b"\x00\xff",
    "uuid": bson.Binary(bytes(range(16)), 4),
    "date": DatetimeMS(-1),
    "late": DatetimeMS(2**55),
    "timestamp": bson.Timestamp(5, 6),
    "regex": bson.Regex("a.b", "im"),
    "nothing": None,
    "yes": True,
    "list": [1, [2, {"a": bson.Int64(3)}]],
    "document": {"b": 1, "a": {"c": bson.MinKey()}},
}


@pytest.fixture
def many(tmp_path: Path) -> Path:
    path = tmp_path / "many.jsonl"
    text = "".join(f'{{"n": {number}, "text": "{"x" * 100}"}}\n' for number in range(MANY))
    path.write_text(text, encoding="utf-8")
    return path


def finished(run: Run, *arguments: str, name: str) -> LauraProcess:
    """A command that ended well."""
    process = run(*arguments, name=name)
    assert process.wait(120) == 0, process.log
    return process


def stored(address: str, namespace: str = "d.c") -> int:
    """How many documents a collection has."""

    async def ask() -> int:
        async with ClusterClient(address) as cluster:
            counted = await DocumentClient(cluster).aggregate(namespace, [{"$count": "n"}])
            return int(counted[0]["n"]) if counted else 0

    return asyncio.run(ask())


def test_every_type_goes_in_and_comes_out_unchanged(serve: Serve, run: Run, tmp_path: Path) -> None:
    """From canonical JSON into the database, out as BSON, in again, and out as canonical JSON."""
    server = ("--server", serve().address)
    first, dumped, last = (tmp_path / name for name in ("first.jsonl", "dump.bson", "last.jsonl"))
    first.write_text(dump(EVERY_TYPE, canonical=True) + "\n", encoding="utf-8")
    finished(run, "import", str(first), "-n", "d.first", *server, name="in")
    finished(run, "export", "d.first", "--out", str(dumped), *server, name="out")
    assert dumped.read_bytes() == bson.encode(EVERY_TYPE)
    finished(run, "import", str(dumped), "-n", "d.second", *server, name="in-again")
    finished(run, "export", "d.second", "--canonical", "--out", str(last), *server, name="out-again")
    assert last.read_bytes() == first.read_bytes()


def test_an_import_that_was_killed_goes_on_where_it_was(serve: Serve, run: Run, many: Path) -> None:
    server = serve()
    command = ("import", str(many), "-n", "d.c", "-o", "json", "--server", server.address)
    killed = run(*command, name="killed")
    until(lambda: stored(server.address) > 1000, "a thousand documents")
    assert killed.running
    killed.kill()
    told = json.loads(finished(run, *command, name="again").output)
    assert (told["inserted"] + told["already_there"], told["failed"]) == (MANY, 0)
    assert told["already_there"] > 1000
    assert stored(server.address) == MANY


def test_a_server_that_is_killed_in_the_middle_is_waited_for(serve: Serve, run: Run, many: Path) -> None:
    """The import repeats what was on its way under the same request ids: each document is there once."""
    server = serve()
    importing = run("import", str(many), "-n", "d.c", "-o", "json", "--server", server.address, name="import")
    until(lambda: stored(server.address) > 1000, "a thousand documents")
    server.kill()
    assert importing.running
    server = serve(port=server.port)
    assert importing.wait(120) == 0, importing.log
    told = json.loads(importing.output)
    assert (told["inserted"], told["already_there"], told["failed"]) == (MANY, 0, 0)
    assert stored(server.address) == MANY
    finished(run, "verify", "--server", server.address, name="verify-online")
    server.terminate()
    checked = finished(run, "verify", "--data-dir", str(server.directory / "data"), "--replay", name="verify")
    assert checked.output.endswith("checked: everything agrees\n")


def test_ctrl_c_says_how_to_go_on(serve: Serve, run: Run, many: Path) -> None:
    server = serve()
    importing = run("import", str(many), "-n", "d.c", "--server", server.address, name="import")
    until(lambda: stored(server.address) > 1000, "a thousand documents")
    importing.signal(signal.SIGINT)
    assert importing.wait() == 1
    assert "the same command again adds the rest" in importing.log
    assert importing.log.endswith("laura-fast: interrupted\n")


def test_a_reader_that_has_enough_is_no_error(serve: Serve) -> None:
    """As in ``find … -o json | head -1``."""
    address = serve().address
    asyncio.run(fill(address))
    for command in (("find", "d.c", "-o", "json"), ("export", "d.c")):
        line, complaint, code = first_line(*command, "--server", address)
        assert json.loads(line)["n"] >= 0
        assert (complaint, code) == (b"", 0)


async def fill(address: str) -> None:
    """More documents than a pipe holds."""
    async with ClusterClient(address) as cluster:
        given = ({"n": number, "text": "x" * 500} for number in range(2000))
        await DocumentClient(cluster).insert_many("d.c", given)


def first_line(*arguments: str) -> tuple[Any, bytes, int]:
    command = [sys.executable, "-m", "laura_fast", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        process.stdout.close()
        complaint = process.stderr.read()
    return line, complaint, process.returncode
