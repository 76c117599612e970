"""Replica sets: members and elections, the oplog on its way to them, copies and rollbacks."""

from typing import Final

from laura_fast.limits.units import KIB, MIB

# --- members ----------------------------------------------------------------------------------------------------------

MAX_MEMBERS: Final = 50
MAX_VOTERS: Final = 7
"""MongoDB's: each voter is asked in each election, and each member is beaten to by its primary."""

MAX_ELECTIONS_KEPT: Final = 20
"""Of which a member tells why they happened: more than a night of trouble, and some kilobytes."""

MAX_VOTER_LAG: Final = 1_000
"""Entries that a member may lack when it gets a vote: a batch, which it has before a majority has to wait for it."""

MAX_PRIORITY: Final = 1000
"""MongoDB's: enough to rank fifty members with room between them."""

# --- oplog, copies and rollbacks --------------------------------------------------------------------------------------

MAX_OPLOG_BATCH_ENTRIES: Final = 1_000
MAX_OPLOG_BATCH_BYTES: Final = 1 * MIB
"""Of one message of the oplog (WIRE-CONTRACT, StreamOplog): it is held once for each reader."""

SYNC_PIN_S: Final = 600.0
"""How long the log is kept for a member that copies everything and is silent: time to restart it. A member that never
comes back must not fill the disk; one that comes later starts over."""

COPY_BYTES: Final = 1 * MIB - 64 * KIB
"""Documents of one message of an initial sync (WIRE-CONTRACT, InitialSync: at most 1 MiB, unless one document is
larger): a read transaction of milliseconds, held once for each member that copies."""

MAX_OPLOG_JOB_BYTES: Final = 64 * MIB
"""Entries of one job that a follower holds until their last one has come: a write's slice (WRITE_SLICE_BYTES) with its
largest document several times over. More than that is applied in parts, as it comes."""

ROLLBACK_SLICE: Final = 1_000
"""Entries that one job undoes: reads wait no longer than for a large write."""
