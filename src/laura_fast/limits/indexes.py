"""Indexes: their definitions and entries, how they are built, and how they are chosen for a query."""

from typing import Final

from laura_fast.limits.units import MIB

# --- definitions and entries ------------------------------------------------------------------------------------------

MAX_INDEXES: Final = 64
"""Of one collection (MongoDB's number): every write of a document pays for each of them."""

MAX_INDEX_FIELDS: Final = 32
"""Fields of one index, as in MongoDB: more make entries larger than what they help to find."""

MAX_INDEX_NAME_BYTES: Final = 255
"""A name is part of catalog keys and of error messages; generated names rarely reach it."""

MAX_INDEX_KEYS: Final = 20_000
"""Entries of one document in one index: an array of a million elements would hold the writer for seconds."""

# --- builds -----------------------------------------------------------------------------------------------------------

INDEX_BUILD_S: Final = 0.01
"""Work on an index build between two turns of other writes: they wait for one such slice at most."""

INDEX_BUILD_DOCUMENTS: Final = 2_000
"""Documents of one slice, where they are small; the first takes a few, the next ones as many as the time allows."""

INDEX_BUILD_BYTES: Final = 4 * MIB
"""Documents of one slice, where they are large: they are read before the first entry is written."""

INDEX_BUILDS: Final = 2
"""Builds that take turns; the others wait. All share one writer, so more would only all end later."""

# --- planning ---------------------------------------------------------------------------------------------------------

MAX_COMBINED_RANGES: Final = 4_096
"""Ranges of one index scan that `$in` conditions on several fields multiply to; beyond, the first fields bound."""

PLANNING_COUNTS: Final = (50, 500, 5_000)
"""Index entries counted to compare indexes, in rounds that end when one of them is known to be small."""

PLANNING_OUTSIDE: Final = 1_000
"""Index entries outside of a range too large to be counted, to know whether it is nearly everything."""

PLANNING_RANGES: Final = 8
"""Ranges of one index counted in a round; of more, a sample of so many stands for all."""

MAX_UNION_BRANCHES: Final = 256
"""Index scans that the branches of one `$or` may become; each is planned, so more are left to a scan."""

MAX_EXPLAINED_INTERVALS: Final = 100
"""Intervals of one field that `explain` shows: a `$in` may have a million."""
