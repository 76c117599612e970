"""`Config`: every setting with its default, its range, and what goes wrong when it is set badly."""

import json
import typing
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec

from laura_fast.config.checks import problems_between
from laura_fast.config.kinds import Address, Boolean, Choice, Duration, Integer, Kind, PowerOfTwo, Size, Text, Value
from laura_fast.config.members import Members
from laura_fast.errors import ConfigError
from laura_fast.limits.database import CURSOR_LIFETIME_MS, QUERY_MEMORY_BYTES
from laura_fast.limits.membership import MAX_HOST_BYTES, MAX_NODE_ID_BYTES
from laura_fast.limits.rpc import MAX_MESSAGE_BYTES
from laura_fast.limits.storage import STORAGE_MAP_BYTES
from laura_fast.limits.transport import UNAUTHENTICATED_PER_ADDRESS
from laura_fast.limits.units import GIB, KIB, MIB

HOUR_MS: Final = 3_600_000
MAX_PATH_BYTES: Final = 4096
"""PATH_MAX of Linux."""

_PATH = Text("a path", MAX_PATH_BYTES)


@dataclass(frozen=True, slots=True)
class Setting:
    """What the table says about one field of `Config`."""

    kind: Kind
    description: str
    default_text: str = ""
    """How the default is shown where the value alone would mislead."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of one server. Names end in their unit; files, variables and flags leave ``_ms`` out.

    Raises:
        ConfigError: One line per wrong value, naming key, value and allowed range.
    """

    host: Annotated[str, Setting(Text("an address or host name", MAX_HOST_BYTES, 1), "Address to listen on.")] = (
        "0.0.0.0"  # noqa: S104  # LauraDB's default: a cluster node serves other machines
    )
    port: Annotated[int, Setting(Integer(0, 0xFFFF), "Port to listen on; 0 picks a free one.")] = 27018
    data_dir: Annotated[
        str,
        Setting(
            Text("a path", MAX_PATH_BYTES, 1),
            "Directory of everything that must survive a crash, used by one process. Network file systems may lose it.",
        ),
    ] = "data"
    storage: Annotated[
        Literal["disk", "memory"],
        Setting(
            Choice(("disk", "memory")),
            "Where data is kept. memory is for tests: nothing survives the end of the process.",
        ),
    ] = "disk"
    node_id: Annotated[
        str,
        Setting(
            Text("an id", MAX_NODE_ID_BYTES),
            "This server's id. Unset, one is made at the first start and kept in the data directory.",
            "kept in data_dir",
        ),
    ] = ""
    ready_file: Annotated[
        str, Setting(_PATH, "File that gets one line, `host:port`, once the server is healthy.", "none")
    ] = ""
    transport: Annotated[
        Literal["native", "grpcio"],
        Setting(
            Choice(("native", "grpcio")), "Which gRPC implementation serves: ours in Python, or gRPC's own on C-core."
        ),
    ] = "native"
    max_connections: Annotated[
        int,
        Setting(
            Integer(1, 1_000_000),
            "Open connections; more are refused. `native` pauses accepting at 80 % of `ulimit -n` open files.",
        ),
    ] = 1000
    max_unauthenticated_per_address: Annotated[
        int,
        Setting(
            Integer(1, 1_000_000),
            "Connections of one address that are in their handshake; more wait their turn. Kept by `native` only.",
        ),
    ] = UNAUTHENTICATED_PER_ADDRESS
    max_concurrent_rpcs: Annotated[
        int,
        Setting(
            Integer(1, 1_000_000), "Streams per connection; excess calls wait at the client. Too low adds latency."
        ),
    ] = 100
    max_total_rpcs: Annotated[
        int,
        Setting(
            Integer(0, 10_000_000),
            "Calls in flight in the whole server; more are answered RESOURCE_EXHAUSTED. 0 = no bound.",
        ),
    ] = 0
    max_message_bytes: Annotated[
        int,
        Setting(
            Size(4 * KIB, 1024 * MIB),
            "Largest message in either direction. Below 17 MiB the largest documents don't fit.",
        ),
    ] = MAX_MESSAGE_BYTES
    connection_timeout_ms: Annotated[
        int,
        Setting(
            Duration(10, HOUR_MS),
            "From accepting a connection to its complete handshake. Too long lets idle peers hold connections.",
        ),
    ] = 10_000
    request_timeout_ms: Annotated[
        int, Setting(Duration(10, HOUR_MS), "Longest run of a unary call; then DEADLINE_EXCEEDED.")
    ] = 30_000
    keepalive_interval_ms: Annotated[
        int,
        Setting(
            Duration(100, 24 * HOUR_MS),
            "Silence after which the peer is pinged. Too short drops clients whose own limits are stricter.",
        ),
    ] = 30_000
    keepalive_timeout_ms: Annotated[
        int, Setting(Duration(10, HOUR_MS), "Wait for the answer to a ping before the connection is closed.")
    ] = 10_000
    min_ping_interval_ms: Annotated[
        int,
        Setting(
            Duration(0, 24 * HOUR_MS),
            "Pings that come faster end their connection (too_many_pings). 0s = half of keepalive_interval.",
            "half of keepalive_interval",
        ),
    ] = 0
    grace_ms: Annotated[
        int, Setting(Duration(0, HOUR_MS), "Time that running calls get to finish when the server stops.")
    ] = 30_000
    reflection: Annotated[bool, Setting(Boolean(), "Serve the schemas to tools such as grpcurl (gRPC reflection).")] = (
        True
    )
    tls_cert_file: Annotated[
        str, Setting(_PATH, "PEM file of the server's certificate chain; turns TLS on.", "TLS off")
    ] = ""
    tls_key_file: Annotated[str, Setting(_PATH, "PEM file of the certificate's private key.", "TLS off")] = ""
    tls_client_ca_file: Annotated[
        str,
        Setting(_PATH, "PEM file of the authorities whose client certificates are required (mTLS).", "none required"),
    ] = ""
    tls_bind_node_id: Annotated[
        bool, Setting(Boolean(), "A client speaks only for the node id in its certificate's subject alternative name.")
    ] = False
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Setting(
            Choice(("debug", "info", "warning", "error")),
            "Least important log line written. debug writes one line per call.",
        ),
    ] = "info"
    stripes: Annotated[int, Setting(PowerOfTwo(1, 4096), "Locks of the member registry; a member belongs to one.")] = 64
    heartbeat_interval_ms: Annotated[int, Setting(Duration(10, HOUR_MS), "How often members are expected to beat.")] = (
        1000
    )
    suspect_after_ms: Annotated[
        int,
        Setting(
            Duration(20, HOUR_MS),
            "Silence after which a member is SUSPECT. Under three beats a lost packet shows.",
        ),
    ] = 3000
    down_after_ms: Annotated[
        int,
        Setting(Duration(30, HOUR_MS), "Silence after which a member is DOWN and its id may be taken over."),
    ] = 10_000
    heartbeat_topology: Annotated[
        Literal["changed", "always"],
        Setting(
            Choice(("changed", "always")),
            "When a heartbeat's answer carries the topology. always costs its whole size per beat.",
        ),
    ] = "changed"
    quota_bytes: Annotated[
        int,
        Setting(
            Size(0, STORAGE_MAP_BYTES),
            "What documents, indexes and log may occupy; then what adds is refused with STORAGE_FULL. 0 = the disk.",
        ),
    ] = 0
    oplog_bytes: Annotated[
        int,
        Setting(
            Size(MIB, STORAGE_MAP_BYTES),
            "What the oplog may occupy. Too little, and a replica that was away must copy everything.",
        ),
    ] = GIB
    oplog_age_ms: Annotated[
        int,
        Setting(
            Duration(0, 365 * 24 * HOUR_MS),
            "Older oplog entries go before the oplog is full, too. 0s = never.",
            "never",
        ),
    ] = 0
    snapshot_window_ms: Annotated[
        int,
        Setting(
            Duration(1_000, 24 * HOUR_MS),
            "How long old versions of documents are kept for reads at an earlier time. Long windows cost disk.",
        ),
    ] = 90_000
    max_examined: Annotated[
        int,
        Setting(
            Integer(0, (1 << 63) - 1),
            "Documents that one request may look at; a request can ask for less. 0 = no bound but its time.",
        ),
    ] = 0
    query_memory_bytes: Annotated[
        int,
        Setting(
            Size(MIB, 1024 * 1024 * MIB),
            "What sorting and grouping of one request may hold in memory; then RESOURCE_EXHAUSTED.",
        ),
    ] = QUERY_MEMORY_BYTES
    cursor_lifetime_ms: Annotated[
        int, Setting(Duration(1_000, 24 * HOUR_MS), "How long the next page of a query can be asked for.")
    ] = CURSOR_LIFETIME_MS
    replica_set: Annotated[
        str,
        Setting(Text("a name", 64), "Replica set that this server is a member of. Unset, it is alone.", "none"),
    ] = ""
    members: Annotated[
        str,
        Setting(
            Members(),
            "Members of the replica set at its first start, this one too; afterwards what the set stored rules.",
            "none",
        ),
    ] = ""
    election_timeout_ms: Annotated[
        int,
        Setting(
            Duration(100, 60_000),
            "Silence of the primary after which another is elected. Too short elects at every stall of a disk.",
        ),
    ] = 2_000
    metrics_listen: Annotated[
        str, Setting(Address(), "Address of /metrics, /livez, /readyz and /status.json; plain HTTP.", "off")
    ] = ""

    def __post_init__(self) -> None:
        if self.min_ping_interval_ms == 0:
            msgspec.structs.force_setattr(self, "min_ping_interval_ms", self.keepalive_interval_ms // 2)
        values = {row.key: getattr(self, row.attribute) for row in SETTINGS}
        problems = [row.problem(values[row.key]) for row in SETTINGS if not row.kind.contains(values[row.key])]
        written = {row.key: row.written(values[row.key]) for row in SETTINGS}
        problems = problems or problems_between(values, written)
        if problems:
            raise ConfigError("\n".join(problems))


@dataclass(frozen=True, slots=True)
class Row:
    """One setting in all its forms."""

    attribute: str
    kind: Kind
    description: str
    default: Value
    default_text: str

    @property
    def key(self) -> str:
        """Its key in a TOML file."""
        return self.attribute.removesuffix("_ms")

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return f"LAURA_FAST_{self.key.upper()}"

    @property
    def flag(self) -> str:
        """Its flag; for a yes that can only be taken back, the negation."""
        name = self.key.replace("_", "-")
        return f"--no-{name}" if self.default is True else f"--{name}"

    def problem(self, value: object, source: str = "") -> str:
        """One line about a wrong value."""
        where = f" ({source})" if source else ""
        shown = quoted(value) if isinstance(value, str) else value
        return f"{self.key} = {shown}{where} is not allowed; allowed: {self.kind.allowed}"

    def written(self, value: Value) -> str:
        """The right side of its line in a TOML file."""
        shown = self.kind.show(value)
        return quoted(shown) if str in self.kind.toml_types else shown


def quoted(text: str) -> str:
    """Text as a TOML basic string, which for printable text is a JSON string."""
    return json.dumps(text, ensure_ascii=False)


def _rows() -> tuple[Row, ...]:
    hints = typing.get_type_hints(Config, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(Config):
        setting: Setting = hints[field.name].__metadata__[0]
        default_text = setting.default_text or setting.kind.show(field.default)
        rows.append(Row(field.name, setting.kind, setting.description, field.default, default_text))
    return tuple(rows)


SETTINGS: Final = _rows()
"""The table: one row per setting, in the order of the documentation."""
