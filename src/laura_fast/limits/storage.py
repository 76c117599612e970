"""The engine on disk: its files and transactions, collections at rest, and the ledger of requests."""

from typing import Final

from laura_fast.limits.units import MIB

# --- environment ------------------------------------------------------------------------------------------------------

STORAGE_MAP_BYTES: Final = 1024 * 1024 * MIB
"""Address space, not disk or memory: reserved once, because LMDB can't grow a map under a live reader."""

STORAGE_TABLES: Final = 256
"""Named tables of one environment; every one costs a slot in every transaction."""

DISK_FULL_BYTES: Final = 1 * MIB
"""Free space below which a write that failed is taken for one that the disk had no room for."""

DISK_RESERVE_BYTES: Final = 64 * MIB
DISK_RESERVE_SHARE: Final = 16
"""What documents leave free of the disk, or that part of a small one: an engine that copies pages needs free ones even
to delete, so a disk that is full to the last byte would stay so."""

STORAGE_KEY_BYTES: Final = 511
"""LMDB's longest key, fixed when its library is built."""

STORAGE_READERS: Final = 512
"""Read transactions open at once, over all threads."""

STORAGE_SPARE_READERS: Final = 16
"""Read transactions kept for reuse: opening one anew costs several times as much."""

MAX_COMMIT_DELAY_S: Final = 0.05
"""Jobs that run for longer than this together are committed before the next begins: a few syncs' time, so that a small
write behind large ones waits for one of them and not for all."""

MAX_COMMIT_JOBS: Final = 1_000
"""Jobs that share one commit: enough to amortise the fsync, few enough that the first does not wait for long."""

# --- documents at rest ------------------------------------------------------------------------------------------------

MAX_COLLECTIONS: Final = 10_000
"""Each is an entry in a catalog that is read whole at the start and copied when it changes."""

MAX_DATABASE_NAME_BYTES: Final = 63
"""MongoDB's limit of a database's name."""

MAX_NAMESPACE_BYTES: Final = 255
"""`database.collection` (MongoDB's number); it is repeated in every oplog entry."""

MAX_READ_S: Final = 1.0
MAX_READ_BYTES: Final = 16 * MIB
"""One read transaction: it pins every page that is freed meanwhile, so a long scan goes on in a new one."""

COLLECT_SLICE: Final = 500
"""Things of each kind that one collecting job removes: a few milliseconds between two jobs of clients."""

VERIFY_SLICE: Final = 500
"""Things that a verification looks at in one go: a few milliseconds between two looks of the event loop."""

MAX_FINDINGS: Final = 100
"""Findings of a verification that are written out; a broken disk has millions."""

LEDGER_WINDOW_MS: Final = 30 * 60 * 1000
"""How long the outcome of a request is known (WIRE-CONTRACT, exactly once)."""

MAX_LEDGER_ENTRIES: Final = 5_000_000
"""Outcomes remembered at once: 2,700 requests a second for half an hour, about a gigabyte with short answers."""
