"""Where everything lies: the tables, their keys and the fixed parts of their values.

===========  ========================================  =============================================================
table        key                                       value
===========  ========================================  =============================================================
state        name                                      whatever belongs to the name; `HEAD` is the log's newest entry
catalog      "c" collection id, "d" collection id      a collection; a dropped one whose data is still there
records      collection id, record key                 commit time, check, BSON
versions     collection id, record key, time of end    commit time, check, BSON: what the record was until then
entries      index id, index key, record key           length of the record key
removed      index id, index key, record key, end      length of the record key: the entry was there until then
expiry       time of end                               the keys in `versions` and `removed` that ended then
oplog        op id                                     check, entry
ledger       hash of a request                         time and op id of the entry that carries it, outcome
outcomes     time, hash of a request                   what the ledger had before: its changes in the order of time
===========  ========================================  =============================================================

Ids have four bytes, times and op ids eight, all big-endian, so that bytes sort as numbers do. Record keys and index
keys are self-delimiting codes of `domain.documents.keys`; those too long for the engine end in a hash (`fold`).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import xxhash

from laura_fast.domain.documents import keys
from laura_fast.limits.storage import STORAGE_KEY_BYTES

if TYPE_CHECKING:
    from laura_fast.storage.ordered import Store, Table

ID_BYTES: Final = 4
TIME_BYTES: Final = 8
_HASH_BYTES: Final = 16

RECORD_KEY_CUT: Final = 155
"""Codes of `_id` as long as this are cut and hashed."""

INDEX_KEY_CUT: Final = STORAGE_KEY_BYTES - ID_BYTES - TIME_BYTES - RECORD_KEY_CUT - 2 * _HASH_BYTES
"""Index keys as long as this are cut and hashed: what the longest key of `removed` leaves."""

HEAD: Final = b"head"
HORIZON: Final = b"horizon"
LAST_ID: Final = b"last_id"
COMMIT_POINT: Final = b"commit_point"
OWN: Final = b"own."
"""What the layers above keep in the table of states begins with this."""

pack_id = struct.Struct(">I").pack
pack_number = struct.Struct(">Q").pack
unpack_number = struct.Struct(">Q").unpack_from


class Tables(NamedTuple):
    """The handles of one store's tables."""

    state: Table
    catalog: Table
    records: Table
    versions: Table
    entries: Table
    removed: Table
    expiry: Table
    oplog: Table
    ledger: Table
    outcomes: Table

    @classmethod
    def of(cls, store: Store) -> Tables:
        """Creates what is absent; it may wait for the disk."""
        return cls(*(store.table(b"documents." + name.encode()) for name in cls._fields))


def fold(key: bytes, cut: int) -> bytes:
    """The key itself when shorter than `cut`, else its beginning and a hash of all of it.

    Order is kept but among folded keys with the same beginning. No folded key equals or begins with a short one, as
    codes are self-delimiting: the short one would have to end within `cut` bytes of the long one.
    """
    return key if len(key) < cut else key[:cut] + xxhash.xxh3_128_digest(key)


def folded(key: bytes, cut: int) -> bool:
    """Tells whether `fold` cut this key."""
    return len(key) == cut + _HASH_BYTES


def record_key(identifier: Any) -> bytes:
    """The key of the document with this `_id`, as every method of this package takes and gives it."""
    return fold(keys.encode_value(identifier), RECORD_KEY_CUT)


def after(prefix: bytes) -> bytes | None:
    """The first key behind all that begin with `prefix`; None where there is none."""
    return keys.successor(prefix)


def key_range(prefix: bytes, start: bytes, stop: bytes | None, cut: int) -> tuple[bytes, bytes | None]:
    """Where, behind a prefix, the folded keys of a range of keys lie; at its ends, folded ones from outside do, too."""
    if stop is None:
        return prefix + start[:cut], after(prefix)
    return prefix + start[:cut], prefix + stop if len(stop) < cut else after(prefix + stop[:cut])


def resumed(place: tuple[bytes, bytes | None], last: bytes, *, reverse: bool) -> tuple[bytes, bytes | None]:
    """What is left of a range when everything up to the key `last` was seen."""
    start, stop = place
    return (start, last) if reverse else (last + b"\xff", stop)


class Head(NamedTuple):
    """The end of the log, and which catalog belongs to it.

    Attributes:
        op_id: Of the newest entry; 0 before the first.
        term: Of that entry.
        time: Its commit time.
        catalog: Token of the catalog; see `Catalog`.
    """

    op_id: int = 0
    term: int = 0
    time: int = 0
    catalog: int = 0


_HEAD = struct.Struct(">QQQQ")


def pack_head(head: Head) -> bytes:
    """The value of `HEAD`."""
    return _HEAD.pack(*head)


def unpack_head(data: bytes | None) -> Head:
    """The head in a value of `HEAD`; an empty store has none."""
    return Head(*_HEAD.unpack(data)) if data else Head()
