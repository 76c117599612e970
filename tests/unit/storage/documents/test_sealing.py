"""A byte that changes on the disk never becomes an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.domain.documents import codec
from laura_fast.errors import DataLossError
from laura_fast.storage.documents.layout import Tables, record_key
from laura_fast.storage.documents.sealing import body_of, seal, time_of
from tests.unit.storage.documents.kit import NS, remove

if TYPE_CHECKING:
    from tests.unit.storage.documents.kit import Kit

BODY = codec.encode({"_id": 1, "text": "whole"})


def test_an_image_is_its_time_and_its_body() -> None:
    image = seal(77, BODY)
    assert (time_of(image), body_of(image)) == (77, BODY)


def test_every_changed_bit_of_an_image_is_noticed() -> None:
    image = seal(77, BODY)
    for place in range(len(image)):
        for bit in range(8):
            damaged = bytearray(image)
            damaged[place] ^= 1 << bit
            with pytest.raises(DataLossError):
                body_of(bytes(damaged))


async def test_a_damaged_document_is_refused_in_every_way_of_reading_it(kit: Kit) -> None:
    await kit.insert({"_id": 1, "text": "whole"}, {"_id": 2})
    table = Tables.of(kit.engine).records
    with kit.engine.read() as reader:
        place, image = next(iter(reader.scan(table)))
    await kit.engine.write(lambda writer: writer.put(table, place, image.replace(b"whole", b"wh0le")))
    with kit.store.reading() as snapshot:
        with pytest.raises(DataLossError):
            snapshot.get(NS, record_key(1))
        with pytest.raises(DataLossError):
            list(snapshot.documents(NS))
        assert snapshot.get(NS, record_key(2)) is not None
    with pytest.raises(DataLossError):
        await kit.store.write(lambda session: remove(session, NS, 1))
