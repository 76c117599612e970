"""The client of documents: batches, imports, and the servers that it learns of."""

from typing import Final

from laura_fast.limits.units import MIB

INSERT_BATCH_DOCUMENTS: Final = 1_000
"""Documents of one insert request: the round trip and the sync of the disk are shared, and a retry repeats no more."""

INSERT_BATCH_BYTES: Final = 4 * MIB
"""Bytes of one insert request; a larger document goes alone. A server holds it whole until the write is on disk."""

IMPORT_REQUESTS_AT_ONCE: Final = 4
"""Batches of an import on their way: parsing goes on while the disk syncs, and memory stays at four batches."""

MAX_REPORTED_ERRORS: Final = 100
"""Bad records that an import tells one by one; the rest is counted, so that a file of garbage fills no terminal."""

MAX_JSON_LINE_BYTES: Final = 64 * MIB
"""Longest line of a file of JSON or CSV: a 16 MiB document in Extended JSON, and no more memory than that for a file
without line ends."""

MAX_LEARNT_SERVERS: Final = 64
"""Servers beside its seeds that a client takes from what other servers say: more than a replica set has members."""
