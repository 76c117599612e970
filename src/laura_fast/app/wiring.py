"""Which servicer answers which service, and what health says of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from laura_fast.domain.replication.leadership import BEATS_PER_TIMEOUT
from laura_fast.node.replication.pushing import Pushes
from laura_fast.services import health, reflection
from laura_fast.services.admin import AdminService
from laura_fast.services.binding import bind
from laura_fast.services.cluster import ClusterServicer
from laura_fast.services.contract import SERVICES
from laura_fast.services.documents import DocumentServicer
from laura_fast.services.endless import EndlessStreams
from laura_fast.services.health import HealthService
from laura_fast.services.identity import identity_check
from laura_fast.services.membership import MembershipServicer
from laura_fast.services.replication.access import Anybody, MembersOnly
from laura_fast.services.replication.servicer import ReplicaSetServicer, ReplicationServicer
from laura_fast.services.router import RouterServicer
from laura_fast.services.shard_map import HomeShard
from laura_fast.services.unimplemented import Completed

if TYPE_CHECKING:
    from collections.abc import Callable

    import grpc

    from laura_fast.config import Config
    from laura_fast.node.database.database import Database
    from laura_fast.node.membership import Membership
    from laura_fast.node.ports import Clock
    from laura_fast.node.replication.driver import ReplicaSet
    from laura_fast.observability.rpc import RpcStats

ANSWER_MS: Final = 1000
"""What a long poll leaves of the request timeout for its answer; at most half of it."""


class Node(NamedTuple):
    """What the services answer from; `address` is known once the server listens, `member` is None where it is alone."""

    id: str
    membership: Membership
    database: Database
    clock: Clock
    address: Callable[[], str]
    member: ReplicaSet | None = None


class Services:
    """All handlers of one server.

    Attributes:
        admin: Also the source of the side port's status page.
        cluster: Also counts heartbeats.
        streams: Also counts heartbeats.
    """

    def __init__(self, config: Config, node: Node, statistics: RpcStats) -> None:
        membership, database, clock = node.membership, node.database, node.clock
        longest_s = config.request_timeout_ms / 1000
        self._membership = membership
        self._endless = EndlessStreams()
        check = identity_check(tls_bind_node_id=config.tls_bind_node_id)
        self.admin = AdminService(node.id, membership, clock, statistics, node.member)
        self.cluster = ClusterServicer(
            membership, clock, max_wait_ms=_longest_wait_ms(config.request_timeout_ms), require_identity=check
        )
        self.streams = MembershipServicer(
            membership, clock, idle_s=config.down_after_ms / 1000, require_identity=check, endless=self._endless
        )
        self._servicers: dict[str, object] = {
            "lauradb.cluster.ClusterService": self.cluster,
            "lauradb.cluster.RouterService": RouterServicer(
                database, HomeShard(node.id, node.address), clock, longest_s=longest_s
            ),
            "laura.fast.v1.DocumentService": DocumentServicer(database, longest_s=longest_s),
            "laura.fast.v1.MembershipService": self.streams,
            "laura.fast.v1.AdminService": self.admin,
        }
        if node.member:
            self._servicers |= _replication(config, node, node.member)
        self._health = HealthService()
        self._health.set(health.SERVER, health.READINESS, *SERVICES, serving=False)
        self.handlers = _handlers(self._servicers, self._health, reflect=config.reflection)
        for service in (*SERVICES.values(), health.SERVICE):
            statistics.add_service(service)

    @property
    def ready(self) -> bool:
        """Whether the server may get traffic."""
        return self._health.is_serving(health.READINESS)

    def serve(self) -> None:
        """Health says SERVING of everything that is built."""
        own = (health.SERVER, health.LIVENESS, health.READINESS, health.SERVICE.full_name)
        self._health.set(*own, *self._servicers, serving=True)

    def shut_down(self) -> None:
        """Health says NOT_SERVING, and calls that wait for news end."""
        self._health.shut_down()
        self._membership.drain()
        self._endless.end_all()


def _replication(config: Config, node: Node, member: ReplicaSet) -> dict[str, object]:
    access = MembersOnly(lambda: member.configuration) if config.tls_client_ca_file else Anybody()
    keep_alive_s = config.election_timeout_ms / 1000 / BEATS_PER_TIMEOUT
    return {
        "lauradb.cluster.ReplicationService": ReplicationServicer(
            member, Pushes(member, node.database.store), keep_alive_s=keep_alive_s, access=access
        ),
        "laura.fast.v1.ReplicaSetService": ReplicaSetServicer(
            config.replica_set,
            member,
            node.clock,
            longest_s=config.request_timeout_ms / 1000,
            access=access,
        ),
    }


def _handlers(
    servicers: dict[str, object], health_service: HealthService, *, reflect: bool
) -> list[grpc.GenericRpcHandler]:
    bound = [bind(service, Completed(service, servicers.get(name))) for name, service in SERVICES.items()]
    bound.append(bind(health.SERVICE, health_service))
    if reflect:
        names = (health.SERVICE.full_name, reflection.V1.full_name, reflection.V1ALPHA.full_name)
        bound += reflection.handlers((*SERVICES, *names))
    return bound


def _longest_wait_ms(request_timeout_ms: int) -> int:
    return request_timeout_ms - min(ANSWER_MS, request_timeout_ms // 2)
