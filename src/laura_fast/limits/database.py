"""Requests for documents: what one may ask, how many run at once, and how long one keeps the others waiting."""

from typing import Final

from laura_fast.limits.units import KIB, MIB

# --- reads ------------------------------------------------------------------------------------------------------------

PAGE_DOCUMENTS: Final = 1_000
PAGE_BYTES: Final = 1 * MIB
"""One page of a query, but at least one document: what a client that reads slowly makes us hold."""

CURSOR_KEY_BYTES: Final = 64 * KIB
"""Sort key and `_id` in a cursor's token: it travels with every page."""

CURSOR_LIFETIME_MS: Final = 600_000
"""Ten minutes, MongoDB's: the server holds nothing for a cursor, but a page must not show data of another day."""

RUNNING_READS: Final = 16
"""Reads under way on the reader thread: each may hold the query's memory, and its slice is a wait for the others."""

WAITING_READS: Final = 10_000
"""Reads that wait for their turn, one small object each; beyond, RESOURCE_EXHAUSTED."""

RUNNING_AGGREGATES: Final = 2
"""Pipelines under way, each on a thread of its own, with the query's memory: more would only share one interpreter."""

WAITING_AGGREGATES: Final = 1_000
"""Pipelines that run or wait; beyond, RESOURCE_EXHAUSTED."""

QUERY_MEMORY_BYTES: Final = 64 * MIB
"""What sorting or grouping of one request may hold; with all reads that run at once, one GiB."""

RUNNING_VERIFICATIONS: Final = 1
"""Each reads all that is stored, on a thread that shares the interpreter with everything else."""

SLICE_DOCUMENTS: Final = 128
SLICE_BYTES: Final = 256 * KIB
"""What a read looks at before others get their turn: about a millisecond."""

SLICE_LOOP_S: Final = 1.0
"""How long the loops of an `$expr` may take in one such slice, as nothing can take turns with them."""

LOOKUP_BYTES: Final = 512
"""BSON of a query that the event loop looks at itself, in case it is a lookup by `_id`: some microseconds."""

FIELD_BYTES: Final = 8
"""What a result's tag and length add to its bytes in a message, generously."""

# --- writes -----------------------------------------------------------------------------------------------------------

RUNNING_WRITES: Final = 10_000
"""Write requests under way, each with its message; beyond, RESOURCE_EXHAUSTED."""

RUNNING_WRITE_BYTES: Final = 512 * MIB
"""Their messages together: each is held until its answer, and one may have 48 MiB."""

LOOP_BYTES: Final = 64 * KIB
"""Larger requests are decoded, compiled and hashed on a thread: a document of 16 MiB takes a tenth of a second."""

CHANGE_LOOKS: Final = 200
"""Candidates that a write transaction looks at itself: a millisecond, less than the hand-over to the reader costs."""

WRITE_SLICE_DOCUMENTS: Final = 1_000
WRITE_SLICE_BYTES: Final = 4 * MIB
"""What one transaction of a larger write changes: the writes of others wait for it."""

MAX_INSERT_DOCUMENTS: Final = 100_000
"""Documents of one request (MongoDB's maxWriteBatchSize): each may need an error of its own in the answer."""
