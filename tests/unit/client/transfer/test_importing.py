"""An import against a router in memory: batches, resumption, and what is said of bad documents."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any

import bson
import pytest

from laura_fast.client.documents import Namespace
from laura_fast.client.transfer import records
from laura_fast.client.transfer.identity import Identity
from laura_fast.client.transfer.importing import Import, Tally
from laura_fast.client.transfer.json_files import read_json_lines
from laura_fast.client.transfer.preparing import prepared
from laura_fast.errors import Code, InvalidArgumentError, RemoteError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from laura_fast.client.documents import DocumentClient
    from tests.unit.client.documents.fake_router import FakeRouter

PLACE = Namespace("d", "c")


def text(documents: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


async def load(client: DocumentClient, content: bytes, id_field: str = "", **options: Any) -> Tally:
    """Imports JSON lines as the command does."""
    source = io.BytesIO(content)
    identity = Identity.of_content(source)
    work = Import(client, PLACE, **options)
    return await work.run(prepared(read_json_lines(source), identity, id_field))


async def test_documents_arrive_in_batches_and_with_ids_in_order(documents: DocumentClient, router: FakeRouter) -> None:
    tally = await load(documents, text({"n": number} for number in range(2500)))
    assert (tally.inserted, tally.already_there, tally.failed, tally.read) == (2500, 0, 0, 2500)
    assert router.counts["Insert"] == 3
    stored = router.documents("d.c")
    assert [document["n"] for document in sorted(stored, key=lambda document: document["_id"])] == list(range(2500))
    assert [list(document) for document in stored[:2]] == [["_id", "n"]] * 2


async def test_the_same_file_again_adds_nothing_and_says_so(documents: DocumentClient, router: FakeRouter) -> None:
    content = text({"n": number} for number in range(1200))
    await load(documents, content)
    again = await load(documents, content)
    assert (again.inserted, again.already_there, again.failed) == (0, 1200, 0)
    assert len(router.documents("d.c")) == 1200


async def test_after_a_deletion_the_same_file_puts_back_what_is_missing(
    documents: DocumentClient, router: FakeRouter
) -> None:
    """Request ids alone would be answered that everything is there."""
    content = text({"n": number} for number in range(10))
    await load(documents, content)
    await documents.delete("d.c", {"n": 3})
    again = await load(documents, content)
    assert (again.inserted, again.already_there) == (1, 9)
    assert sorted(document["n"] for document in router.documents("d.c")) == list(range(10))


async def test_another_file_is_another_source_even_where_lines_are_alike(
    documents: DocumentClient, router: FakeRouter
) -> None:
    await load(documents, text([{"n": 1}, {"n": 2}]))
    assert (await load(documents, text([{"n": 1}, {"n": 3}]))).inserted == 2
    assert len(router.documents("d.c")) == 4


async def test_lines_that_are_alike_within_a_file_are_documents_each(
    documents: DocumentClient, router: FakeRouter
) -> None:
    assert (await load(documents, text([{"n": 1}] * 5))).inserted == 5


async def test_an_import_that_was_cut_off_goes_on(documents: DocumentClient, router: FakeRouter) -> None:
    """The second batch meets an error that no repetition mends; the same import again completes the collection."""
    content = text({"n": number} for number in range(4200))
    calls = 0
    real = documents.insert

    async def insert(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise RemoteError("a:1", Code.INTERNAL, "gone", "")
        return await real(*arguments, **options)

    documents.insert = insert  # type: ignore[method-assign]  # fails on order
    with pytest.raises(RemoteError, match="gone"):
        await load(documents, content)
    held = len(router.documents("d.c"))
    assert held < 4200
    documents.insert = real  # type: ignore[method-assign]  # mended
    again = await load(documents, content)
    assert (again.inserted, again.already_there) == (4200 - held, held)
    assert len(router.documents("d.c")) == 4200


async def test_a_lost_answer_counts_as_inserted_once(documents: DocumentClient, router: FakeRouter) -> None:
    router.after.append(UnavailableError("primary lost", "OUTCOME_UNKNOWN"))
    tally = await load(documents, text({"n": number} for number in range(10)))
    assert (tally.inserted, tally.already_there) == (10, 0)


async def test_own_ids_are_kept_and_come_first(documents: DocumentClient, router: FakeRouter) -> None:
    await load(documents, text([{"n": 1, "_id": "a"}, {"n": 2}]), id_field="n")
    assert [list(document.items()) for document in router.documents("d.c")] == [
        [("_id", 1), ("n", 1)],
        [("_id", 2), ("n", 2)],
    ]
    await load(documents, text([{"n": 1, "_id": "a"}]))
    assert list(router.documents("d.c")[2].items()) == [("_id", "a"), ("n", 1)]


async def test_a_document_unlike_the_one_there_is_told(documents: DocumentClient, router: FakeRouter) -> None:
    await load(documents, text([{"_id": 1, "n": 1}, {"_id": 2, "n": 2}]))
    heard: list[tuple[str, str]] = []
    content = text([{"_id": 1, "n": 1}, {"_id": 2, "n": 3}, {"_id": 3}, {"_id": 4, "bad": 1}])
    tally = await load(documents, content, on_problem=lambda *problem: heard.append(problem))
    assert (tally.inserted, tally.already_there, tally.failed) == (1, 1, 2)
    assert heard == tally.problems
    assert heard == [
        ("line 2", "duplicate key: _id 2; the document there is another"),
        ("line 4", "bad document"),
    ]


async def test_bad_lines_are_told_and_passed_over(documents: DocumentClient, router: FakeRouter) -> None:
    content = text([{"n": 1}]) + b"nonsense\n" + text([{"n": 2**70}, {"n": 3}])
    tally = await load(documents, content)
    assert (tally.inserted, tally.failed) == (2, 2)
    assert [place for place, _ in tally.problems] == ["line 2", "line 3"]
    again = await load(documents, content)
    assert (again.inserted, again.already_there, again.failed) == (0, 2, 2)


async def test_a_record_without_the_field_for_its_id(documents: DocumentClient) -> None:
    tally = await load(documents, text([{"a": 1}, {"n": 1}]), id_field="n")
    assert (tally.inserted, tally.problems) == (1, [("line 1", "there is no field 'n' to be the _id")])


async def test_thousands_of_bad_lines_are_counted_but_not_all_told(documents: DocumentClient) -> None:
    tally = await load(documents, b"nonsense\n" * 3000)
    assert (tally.failed, len(tally.problems)) == (3000, 100)


async def test_stopping_at_the_first_bad_line_inserts_all_before_and_nothing_behind(
    documents: DocumentClient, router: FakeRouter
) -> None:
    content = text({"n": number} for number in range(1500)) + b"nonsense\n" + text([{"n": 1501}])
    tally = await load(documents, content, stop_on_error=True)
    assert (tally.inserted, tally.failed) == (1500, 1)
    again = await load(documents, content, stop_on_error=True)
    assert (again.inserted, again.already_there, again.failed) == (0, 1500, 1)


async def test_stopping_at_the_first_refusal(documents: DocumentClient, router: FakeRouter) -> None:
    await load(documents, text({"_id": number} for number in range(0, 20, 3)))
    content = text({"_id": number, **({"bad": 1} if number == 11 else {})} for number in range(2500))
    tally = await load(documents, content, stop_on_error=True)
    assert (tally.inserted, tally.already_there, tally.failed) == (7, 7, 1)
    assert tally.problems == [("line 12", "bad document")]
    assert sorted(document["_id"] for document in router.documents("d.c")) == [*range(11), 12, 15, 18]


async def test_a_source_that_cannot_be_read_on(
    documents: DocumentClient, router: FakeRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MAX_JSON_LINE_BYTES", 100)
    with pytest.raises(InvalidArgumentError, match="line 2 is longer"):
        await load(documents, b'{"n": 1}\n' + b"x" * 101)
    assert [document["n"] for document in router.documents("d.c")] == [1]


async def test_no_more_batches_are_on_their_way_than_allowed(documents: DocumentClient) -> None:
    at_once = most = 0
    real = documents.insert

    async def insert(*arguments: Any, **options: Any) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        try:
            return await real(*arguments, **options)
        finally:
            at_once -= 1

    documents.insert = insert  # type: ignore[method-assign]  # counts
    await load(documents, text({"n": number} for number in range(9000)))
    assert most == 4
    most = 0
    await load(documents, text({"n": -number} for number in range(9000)), stop_on_error=True)
    assert most == 1


def test_identities() -> None:
    one, same, other = (
        Identity.of_content(io.BytesIO(content)) for content in (b"a" * 3_000_000, b"a" * 3_000_000, b"b")
    )
    assert one.object_id(7) == same.object_id(7) != other.object_id(7)
    assert one.object_id(255) < one.object_id(256) < one.object_id(2**32)
    assert Identity.of_name("x").object_id(0) == Identity.of_name("x").object_id(0)
    assert Identity.unknown().object_id(0) != Identity.unknown().object_id(0)
    assert isinstance(one.object_id(0), bson.ObjectId)


def test_an_identity_leaves_the_file_where_it_was() -> None:
    source = io.BytesIO(b"{}\n{}\n")
    Identity.of_content(source)
    assert len(list(read_json_lines(source))) == 2
