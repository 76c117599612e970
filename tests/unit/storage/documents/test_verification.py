"""A verification passes on a sound store and names what is wrong with any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.domain.documents import codec, keys
from laura_fast.limits.storage import MAX_FINDINGS, VERIFY_SLICE
from laura_fast.storage.documents.layout import Tables, pack_number, record_key
from laura_fast.storage.documents.sealing import seal
from laura_fast.storage.memory import MemoryStore
from tests.unit.storage.documents.kit import Kit

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.storage.documents.verification.report import Report
    from laura_fast.storage.ordered import Writer

COLLECTION, INDEX = (1).to_bytes(4), (2).to_bytes(4)


async def verify(kit: Kit) -> Report:
    async for report in kit.store.verify(MemoryStore()):
        last = report
    return last


@pytest.fixture
async def sound() -> Kit:
    kit = Kit(MemoryStore, durable=False)
    await kit.index({"key": {"n": 1}, "name": "n_1"})
    await kit.insert(*({"_id": number, "n": number} for number in range(VERIFY_SLICE + 10)))
    await kit.replace({"_id": 1, "n": -1})
    await kit.remove(2)
    await kit.store.write(lambda session: session.ledger_put(b"request", b"outcome"))
    return kit


async def test_a_sound_store_passes(sound: Kit) -> None:
    report = await verify(sound)
    assert (report.sound, report.findings) == (True, [])
    assert (report.documents, report.entries, report.images) == (VERIFY_SLICE + 9, VERIFY_SLICE + 9, 2)
    assert (report.oplog, report.outcomes, report.replayed) == (sound.store.head.op_id, 1, True)


def put(table: str, key: bytes, value: bytes) -> Callable[[Tables, Writer], object]:
    return lambda tables, writer: writer.put(getattr(tables, table), key, value)


def delete(table: str, key: bytes) -> Callable[[Tables, Writer], object]:
    return lambda tables, writer: writer.delete(getattr(tables, table), key)


def entry(number: int) -> bytes:
    return INDEX + keys.encode_value(number) + record_key(number)


OTHER = seal(1, codec.encode({"_id": 5, "n": 77}))


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (put("records", COLLECTION + record_key(5), seal(1, b"junk")), "does not decode"),
        (put("records", COLLECTION + record_key(5), OTHER[:-5] + b"\x44" + OTHER[-4:]), "its check fails"),
        (put("records", COLLECTION + record_key(6), OTHER), "holds the document 5"),
        (
            put("records", COLLECTION + record_key(5), seal(1 << 62, codec.encode({"_id": 5, "n": 5}))),
            "newer than the end of the log",
        ),
        (put("records", (9).to_bytes(4) + b"x", OTHER), "belongs to no collection"),
        (put("records", COLLECTION + record_key(5), OTHER), "lacks an entry of document 5"),
        (put("records", COLLECTION + record_key(5), OTHER), "has an entry its document lacks"),
        (delete("records", COLLECTION + record_key(5)), "has an entry of no document"),
        (delete("records", COLLECTION + record_key(5)), "replaying the oplog gives other documents"),
        (delete("entries", entry(5)), "lacks an entry of document 5"),
        (put("entries", entry(5), b"\x02"), "wrong value for document 5"),
        (put("entries", b"\0\0\0\x09x", b"\x01"), "belongs to no index"),
        (put("versions", COLLECTION + record_key(5) + pack_number(1 << 62), OTHER), "is not before what followed"),
        (put("versions", COLLECTION + record_key(9999) + pack_number(7), OTHER), "would stay for ever"),
        (put("versions", (9).to_bytes(4) + b"x", OTHER), "old image 0000000978 belongs to no collection"),
        (delete("oplog", pack_number(9)), "missing between 8 and 10"),
        (put("oplog", pack_number(9), b"123456789"), "entry 9 is damaged"),
        (put("ledger", b"request", pack_number(1) + pack_number(1) + b"outcome"), "would stay for ever"),
        (put("ledger", b"request", pack_number(1) + pack_number(1 << 40)), "behind the end of the log"),
        (put("state", b"head", pack_number(9999) + bytes(8) + b"\x7f" + bytes(15)), "the oplog ends at"),
    ],
)
async def test_damage_is_named(sound: Kit, damage: Callable[[Tables, Writer], object], finding: str) -> None:
    tables = Tables.of(sound.engine)
    await sound.engine.write(lambda writer: damage(tables, writer))
    report = await verify(sound)
    assert not report.sound
    assert finding in "\n".join(report.findings)


async def test_findings_are_bounded(sound: Kit) -> None:
    tables = Tables.of(sound.engine)

    def damage(writer: Writer) -> None:
        for number in range(3, 3 + MAX_FINDINGS + 5):
            writer.delete(tables.entries, entry(number))

    await sound.engine.write(damage)
    report = await verify(sound)
    assert (len(report.findings), report.more) == (MAX_FINDINGS, 5)
