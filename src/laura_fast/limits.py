"""Every bound on what a peer can make this server hold, with the reason for its value.

A queue, buffer, map or loop without a bound named here is a defect. Values that an operator may tune are the defaults
of `config`; the rest are constants because a wrong value is an outage or an attack.
"""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

# --- messages -------------------------------------------------------------------------------------------------------
MAX_MESSAGE_BYTES: Final = 48 * MIB
"""A 16 MiB document, its pre-image and framing; gRPC's own default of 4 MiB can't carry one document."""

# --- membership -----------------------------------------------------------------------------------------------------
MAX_NODES: Final = 20_000
"""A full topology stays under the 4 MiB that LauraDB's clients accept, at about 200 bytes a node."""

MAX_TOPOLOGY_BYTES: Final = 4 * MIB - 64 * KIB
"""All encoded members together, whatever their number: the same 4 MiB, held against nodes with the longest tags too."""

MAX_NODE_ID_BYTES: Final = 255
"""Fits in a storage key (511 bytes) with its prefix, and in a DNS name."""

MAX_HOST_BYTES: Final = 253
"""The longest DNS name (RFC 1035 §2.3.4, without the root label)."""

MAX_TAGS: Final = 16
"""Tags are repeated in every topology answer; a node with hundreds would be paid for by every client."""

MAX_TAG_KEY_BYTES: Final = 64
MAX_TAG_VALUE_BYTES: Final = 128
"""Sixteen tags of this size are 3 KiB: one hostile registration can't bloat the topology."""

MAX_SEED_NODES: Final = 64
"""Hints only: what is beyond is not dialled, and the registration goes on."""

MAX_TOMBSTONES: Final = 20_000
"""As many as live nodes. The oldest is forgotten first: a very late heartbeat then reads "not registered"."""

MAX_REASON_BYTES: Final = 1 * KIB
"""A deregistration reason is kept in a tombstone."""

MAX_WATCHERS: Final = 2_000
"""Each watcher holds a stream and a position; more belong behind a proxy."""

TOPOLOGY_HISTORY_VERSIONS: Final = 4_096
"""Deltas kept for resuming watchers; older positions get a fresh snapshot."""

TOPOLOGY_HISTORY_MEMBERS: Final = 65_536
"""Changed members in all kept deltas together: thousands of versions that each touch every node would be gigabytes."""

MAX_REPORT_BYTES: Final = 512
"""A node's last beat is kept as it came; one made longer, by a long id or unknown fields, is cut to what it tells."""

MAX_LONG_POLLS: Final = 10_000
"""GetTopology calls parked with wait_ms; beyond, the answer is immediate."""

MAX_PENDING_CHANGES: Final = 50_000
"""Membership changes waiting for the disk; beyond, registrations are refused as overloaded."""

# --- storage --------------------------------------------------------------------------------------------------------
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

# --- indexes --------------------------------------------------------------------------------------------------------
MAX_INDEX_FIELDS: Final = 32
"""Fields of one index, as in MongoDB: more make entries larger than what they help to find."""

MAX_INDEX_NAME_BYTES: Final = 255
"""A name is part of catalog keys and of error messages; generated names rarely reach it."""

MAX_INDEX_KEYS: Final = 20_000
"""Entries of one document in one index: an array of a million elements would hold the writer for seconds."""

MAX_COMBINED_RANGES: Final = 4_096
"""Ranges of one index scan that `$in` conditions on several fields multiply to; beyond, the first fields bound."""

INDEX_BUILD_S: Final = 0.01
"""Work on an index build between two turns of other writes: they wait for one such slice at most."""

INDEX_BUILD_DOCUMENTS: Final = 2_000
"""Documents of one slice, where they are small; the first takes a few, the next ones as many as the time allows."""

INDEX_BUILD_BYTES: Final = 4 * MIB
"""Documents of one slice, where they are large: they are read before the first entry is written."""

INDEX_BUILDS: Final = 2
"""Builds that take turns; the others wait. All share one writer, so more would only all end later."""

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


# --- documents at rest ----------------------------------------------------------------------------------------------
MAX_COLLECTIONS: Final = 10_000
"""Each is an entry in a catalog that is read whole at the start and copied when it changes."""

MAX_INDEXES: Final = 64
"""Of one collection (MongoDB's number): every write of a document pays for each of them."""

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

# --- database -------------------------------------------------------------------------------------------------------
MAX_DATABASE_NAME_BYTES: Final = 63
"""MongoDB's limit of a database's name."""

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

FIELD_BYTES: Final = 8
"""What a result's tag and length add to its bytes in a message, generously."""

# --- connections ----------------------------------------------------------------------------------------------------
MAX_METADATA_BYTES: Final = 16 * KIB
"""Decoded header list of one call: tokens and tracing fit; a header bomb costs no more than this."""

MAX_PING_STRIKES: Final = 2
"""Pings closer than the minimum interval that are forgiven, as gRPC does: clocks jitter, an attacker does not stop."""

# --- observability --------------------------------------------------------------------------------------------------
MAX_OBSERVED_METHODS: Final = 1_000
"""Methods counted apart; several times what the schemas hold. The rest share one line, so no label set explodes."""

# --- document client ------------------------------------------------------------------------------------------------
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

# --- HTTP/2 header compression --------------------------------------------------------------------------------------
HPACK_TABLE_BYTES: Final = 4 * KIB
"""Dynamic table of each direction, RFC 9113's default: what one connection can make either side remember."""


HEADER_FIELDS: Final = 100
"""Fields of one block; thousands of tiny ones cost more than their bytes (CVE-2019-9516)."""

HEADER_LIST_ABUSE_FACTOR: Final = 2
"""A list of so many times either limit is no mistake: the connection ends instead of the stream."""

HPACK_SIZE_UPDATES: Final = 2
"""Table size updates at the start of a block: RFC 7541 §4.2 never needs more than two."""

HPACK_INTEGER_OCTETS: Final = 5
"""Continuation octets of one integer: 35 bits are beyond every limit here, and zeroes could go on for ever."""

HUFFMAN_MEMO_ENTRIES: Final = 1024
HUFFMAN_MEMO_BYTES: Final = 64
"""Decoded Huffman strings remembered for the whole process, and the longest of them: about 200 KiB in all."""
# --- HTTP/2 ---------------------------------------------------------------------------------------------------------
MAX_FRAME_BYTES: Final = 16 * KIB
"""SETTINGS_MAX_FRAME_SIZE we advertise: the smallest allowed, so half a frame never pins more than this."""

MAX_HEADER_BLOCK_BYTES: Final = 32 * KIB
MAX_CONTINUATION_FRAMES: Final = 8
"""Encoded header block, checked while it arrives; answers the CONTINUATION flood (CVE-2024-27316)."""

MAX_SETTINGS_ENTRIES: Final = 32
"""RFC 9113 defines six; a frame full of entries is work for nothing (CVE-2019-9515)."""

SETTINGS_BURST: Final = 20
SETTINGS_PER_SECOND: Final = 20
"""Each SETTINGS must be acknowledged; a peer has reason for a handful in its life (CVE-2019-9515)."""

RESET_BURST: Final = 200
RESETS_PER_SECOND: Final = 20
"""Streams reset by the peer, or by us for the peer's fault; answers rapid reset and MadeYouReset (CVE-2023-44487,
CVE-2025-8671). Two windows full of cancelled calls pass, a loop does not. Each stream that was not reset earns one
more: a busy client whose deadlines pass, or which cancels what it no longer needs, is no attacker."""

GLITCH_BURST: Final = 1000
GLITCHES_PER_SECOND: Final = 1000
GLITCHES_EARNED: Final = 10
"""Frames that move no call forward: PRIORITY, unknown types, WINDOW_UPDATE. Each DATA frame or new stream earns ten, as
clients update windows for what they receive (CVE-2019-9513)."""

EMPTY_FRAME_BURST: Final = 10
EMPTY_FRAMES_PER_SECOND: Final = 100 / 60
"""DATA, HEADERS or CONTINUATION frames that carry nothing and end nothing (CVE-2019-9518)."""

MAX_FRAMES_PER_TURN: Final = 256
"""Frames handled before other connections get the loop: one full window of 100 calls, about a millisecond."""

CONNECTION_WINDOW_BYTES: Final = 1 * MIB
"""Receive window of a connection; credited on arrival, so one slow handler can't starve the others."""

STREAM_WINDOW_BYTES: Final = 65_535
"""Receive window of a stream beyond the message being assembled: 100 streams that nobody reads hold 6.4 MiB."""

MESSAGE_WINDOW_BYTES: Final = 1 * MIB
"""Window granted ahead while a large message arrives, so that it does not wait a round trip per 64 KiB."""

SEND_TURN_BYTES: Final = 64 * KIB
"""DATA bytes that one connection writes per turn of the loop; the rest waits for the next turn."""

SEND_TURN_MESSAGE_BYTES: Final = 512
"""What a message counts against `SEND_TURN_BYTES` beside its size: a handler that never waits yields after 128."""

STREAM_QUEUE_BYTES: Final = 64 * KIB
"""Bytes queued for a stream whose window is closed; beyond, the handler waits (CVE-2019-9517, slow readers)."""

MAX_REMEMBERED_RESETS: Final = 256
"""Streams we ended before the peer did: frames of theirs still on the way are dropped silently (RFC 9113 §5.1)."""

MAX_READY_MESSAGES: Final = 64
"""Whole messages of a stream that are kept as they came. Each is an object, and a window may hold thousands of empty
ones: more go into one buffer, which costs them more time and us no more memory than their octets."""

MAX_MEMOISED_BLOCKS: Final = 64
MAX_MEMOISED_BLOCK_BYTES: Final = 512
"""Header blocks whose meaning a connection remembers: 32 KiB at most, and a client repeats a few."""

LAST_STREAM_ID_BEFORE_DRAIN: Final = 2**30
"""A connection that used half its stream ids is replaced gracefully before they run out (RFC 9113 §5.1.1)."""

# --- native transport -----------------------------------------------------------------------------------------------
MAX_PREPARED: Final = 1024
MAX_PREPARED_BYTES: Final = 1 * KIB
"""Header blocks whose meaning a server remembers for all its connections, and the largest of them: about 2 MiB."""

MAX_ANSWER_LAYOUTS: Final = 1024
"""Message lengths whose frame layout is remembered: answers to heartbeats have a few dozen."""

LISTEN_BACKLOG: Final = 1024
"""Connections the kernel holds for us: a cluster that starts at once connects within one backlog."""

MAX_ACCEPTS_PER_TURN: Final = 64
"""Connections accepted before the loop serves the others."""

UNAUTHENTICATED_PER_ADDRESS: Final = 100
"""Connections of one address in their handshake (silent sockets, slow TLS): a tenth of all places. As those beyond wait
and are not refused, a client that opens a thousand at once only takes turns, and an attacker holds up itself alone."""

WAITING_TIMEOUTS: Final = 2
"""How many connection timeouts somebody waits for one of those places: after one, all that were silent are gone."""

ACCEPT_PAUSE_S: Final = 0.5
"""Time between two looks whether there are descriptors again: trying at once would only spin."""

DESCRIPTORS_FOR_CONNECTIONS: Final = 0.8
"""Share of the process's descriptors at which accepting pauses (a flood of connections): storage, logs and metrics
need the rest."""

DESCRIPTORS_TO_ACCEPT_AGAIN: Final = 0.75
"""Share at which accepting goes on: well below, so that each closed connection does not start and stop it."""

OWN_DESCRIPTORS: Final = 256
"""Descriptors of a server without connections, generously: storage, logs, metrics and their clients."""

FRAME_S: Final = 10.0
"""A frame or header block that has begun must be whole by then (slowloris)."""

BODY_S: Final = 10.0
BODY_BYTES_PER_SECOND: Final = 1 * KIB
"""A request message that has begun must go on at this rate, measured over this time, while its window is open
(slow POST). A stream between two messages may be silent for as long as it likes."""

STALL_S: Final = 30.0
"""A stream whose peer has taken nothing of what is queued for so long is reset (CVE-2019-9517)."""

IDLE_CONNECTION_S: Final = 300.0
"""A connection without a call for so long is ended gracefully; whoever needs it connects again."""

DRAIN_ANSWER_S: Final = 2.0
"""How long a peer may take to notice that we drain, before streams it opens are refused."""

LINGER_S: Final = 1.0
"""How long a socket stays open behind a GOAWAY, so that the peer can read it."""

HANDLER_EXIT_S: Final = 5.0
"""How long a stopping server waits for cancelled handlers to end."""

SWEEP_SHORTEST_S: Final = 0.05
SWEEP_LONGEST_S: Final = 1.0
"""Interval of looking at all connections: a quarter of the shortest time to keep, within these."""

REFUSAL_DELAY_S: Final = 0.05
"""How long a refusal waits for the first message of a request that may have none."""

ASSEMBLY_BYTES: Final = 8 * MIB
"""Incomplete request messages of one connection; beyond, they are completed one after the other."""

CONNECTION_QUEUE_BYTES: Final = 4 * MIB
"""Answers that one connection's peer has not taken; beyond, its handlers wait before they run (CVE-2019-9517). Much
less would let a client that reads a few large answers slowly hold up its own heartbeats."""

# --- native channel -------------------------------------------------------------------------------------------------
MAX_MEMOISED_TIMEOUTS: Final = 256
"""Encoded `grpc-timeout` fields remembered for the process: programs use a few constants, retries use any number."""

CHANNEL_CLOSE_S: Final = 0.1
"""A closed channel's sockets have so long for TLS's farewell, which C-core never answers: its calls are over, so
nothing is lost by hanging up."""

CHANNEL_CONNECTIONS: Final = 8
"""Connections of one channel: at the usual 100 streams each, 800 calls at once; more wait their turn. A server that
allows one stream per connection must not be flooded with sockets."""

REPLAY_BYTES: Final = 64 * KIB
"""Request messages of a stream kept until the answer begins, so that a server that refused it unseen gets it again."""

TRANSPARENT_RETRIES: Final = 3
"""Times that a call refused unseen is sent again by itself; a server that refuses for ever must not be asked for ever
(gRFC A6 asks for one, but several connections of a draining server may each refuse)."""

# --- documents ------------------------------------------------------------------------------------------------------
MAX_DOCUMENT_BYTES: Final = 16 * MIB
"""MongoDB's limit: one document is held, copied and compared as a whole."""

MAX_DOCUMENT_DEPTH: Final = 100
"""MongoDB's limit of nesting, the document itself included: what walks a document may recurse this deep."""

MAX_PATH_PARTS: Final = 100
"""Names in a dotted path: as many as a document has levels."""

POSITION_DIGITS: Final = 9
"""Digits of a position in an array: more than any array of 16 MiB needs, far fewer than Python refuses to read."""

EXAMINED_PER_CLOCK_LOOK: Final = 64
"""Documents examined between two looks at the clock: well under a millisecond, and the look costs nothing then."""

# --- expressions and pipelines --------------------------------------------------------------------------------------
MAX_EXPRESSION_DEPTH: Final = 100
"""As deep as a document may be: compiling and running an expression recurse with it."""

MAX_EXPRESSION_NODES: Final = 20_000
"""Values in one expression: hand-written ones have dozens, generated lists of `$in` a few thousand."""

MAX_EXPRESSION_STRING: Final = MAX_DOCUMENT_BYTES
"""Characters that an operator of strings may give: `$concat` of a field with itself doubles it in every stage."""

MAX_EXPRESSION_ARRAY: Final = 1_000_000
"""Elements that `$range` and `$concatArrays` may give."""

MAX_UNMEASURED_GROWTH: Final = 8
"""How many documents' worth a value may be before it is measured: one that is never measured is 128 MiB at most."""
# --- replica sets -----------------------------------------------------------------------------------------------------
MAX_MEMBERS: Final = 50
MAX_VOTERS: Final = 7
"""MongoDB's: each voter is asked in each election, and each member is beaten to by its primary."""

MAX_ELECTIONS_KEPT: Final = 20
"""Of which a member tells why they happened: more than a night of trouble, and some kilobytes."""

MAX_VOTER_LAG: Final = 1_000
"""Entries that a member may lack when it gets a vote: a batch, which it has before a majority has to wait for it."""

MAX_PRIORITY: Final = 1000
"""MongoDB's: enough to rank fifty members with room between them."""
# --- filters --------------------------------------------------------------------------------------------------------
MAX_FILTER_DEPTH: Final = 100
"""Operators inside each other, MongoDB's limit: compiling and matching recurse this deep."""

MAX_FILTER_NODES: Final = 10_000
"""Conditions of one filter: each may run on every document."""

MAX_IN_VALUES: Final = 100_000
"""Values of one `$in`, `$nin` or `$all`: a lookup by many ids passes, a collection sent along does not."""

MAX_PATTERNS: Final = 64
"""Regular expressions of one filter, each with memory of its own."""

MAX_PATTERN_BYTES: Final = 32 * KIB
"""MongoDB's limit of a regular expression's length."""

PATTERN_MEMORY_BYTES: Final = 1 * MIB
"""Program and automaton of one regular expression; what needs more is refused, so that no pattern eats the memory."""
# --- sorts, projections and updates ---------------------------------------------------------------------------------
MAX_SORT_FIELDS: Final = 32
"""As many as an index may have, which is what a sort is made of."""

MAX_PATHS: Final = 10_000
"""Paths of one update or projection: compiling a million, as a message can hold, would take the loop half a minute."""

MAX_ARRAY_PADDING: Final = 1_500_000
"""MongoDB's limit for one array; here all nulls that an update pads arrays with, so that a short update can't take
gigabytes before the document is found to be too large. More would not fit in 16 MiB anyway."""

SMALL_CONSTANT_BYTES: Final = 64
"""Constants up to this size may be repeated a million times, by a loop, without being measured: 64 MB."""

LOOP_STEPS_PER_LOOK: Final = 8
"""Steps of a loop in an expression between two looks whether it may go on: a step may look at a whole document."""

MAX_PIPELINE_STAGES: Final = 200
"""Each stage pulls from the one before it, so that as many frames are on the stack; people write a dozen."""

MAX_FACETS: Final = 100
"""Pipelines of one `$facet`: each runs over all documents once more."""

MAX_BUCKETS: Final = 1_000
"""Boundaries of one `$bucket`: each value is compared with one after the other."""

MAX_GROUP_FIELDS: Final = 1_000
"""Every group has a state for each field."""

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

LOOKUP_BYTES: Final = 512
"""BSON of a query that the event loop looks at itself, in case it is a lookup by `_id`: some microseconds."""

MAX_LEARNT_SERVERS: Final = 64
"""Servers beside its seeds that a client takes from what other servers say: more than a replica set has members."""
