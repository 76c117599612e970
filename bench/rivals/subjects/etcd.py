"""etcd's lease keep-alive: what a cluster would use for liveness if it left membership to etcd."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import grpc

from bench.rivals import h2load, process, pyload
from bench.rivals.build import missing_tools
from bench.rivals.load import Target, WrongAnswersError
from bench.rivals.rival import Rival
from bench.rivals.subjects.debian import package_version
from bench.rivals.subjects.python import missing as missing_packages

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bench.rivals.load import Load, LoadResult
    from bench.rivals.rival import Launch
    from laura_fast.report.raw.rivals import Scenario

SCHEMA: Final = "bench/rivals/subjects/lease.proto"
KEEP_ALIVE: Final = "/etcdserverpb.Lease/LeaseKeepAlive"
LEASE_ID: Final = 7
TTL_S: Final = 600
TIMEOUT_S: Final = 30


@cache
def messages() -> Any:
    """The schema's message classes, generated in memory; the schema's folder is on the path as this module's is."""
    return grpc.protos(SCHEMA)


def missing() -> str:
    """Why it can't run here; "" when it can."""
    return missing_tools("etcd") or missing_packages(("grpcio-tools",))


def keep_alive_request() -> bytes:
    """One beat, encoded."""
    return bytes(messages().LeaseKeepAliveRequest(ID=LEASE_ID).SerializeToString())


def kept_alive(answer: bytes) -> bool:
    """Whether the encoded answer renews the lease: etcd answers a lease it doesn't know with no time to live."""
    return bool(messages().LeaseKeepAliveResponse.FromString(answer).TTL == TTL_S)


def start(launch: Launch) -> AbstractContextManager[process.Running]:
    """A cluster of one, on a data folder of its own."""
    client, peer = (f"http://127.0.0.1:{process.free_port()}" for _ in range(2))
    options = [
        f"--data-dir={launch.scratch / 'data'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--logger=zap",
    ]
    port = int(client.rpartition(":")[2])
    return process.serve(["etcd", *options], launch.core, launch.scratch, process.when_listening(port))


def prepare(running: process.Running, scenario: Scenario, launch: Launch) -> Target:  # one lease for all
    """Grants a lease and asks once what a keep-alive answers.

    Raises:
        WrongAnswersError: The lease isn't kept alive.
    """
    body = keep_alive_request()
    with grpc.insecure_channel(running.address) as channel:
        grant = messages().LeaseGrantRequest(ID=LEASE_ID, TTL=TTL_S).SerializeToString()
        # The port opens before a leader is elected, so the first call waits.
        channel.unary_unary("/etcdserverpb.Lease/LeaseGrant")(grant, timeout=TIMEOUT_S, wait_for_ready=True)
        keep_alive: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(KEEP_ALIVE)
        answers = list(keep_alive(iter([body]), timeout=TIMEOUT_S))
    if len(answers) != 1 or not kept_alive(answers[0]):
        raise WrongAnswersError(f"etcd answers a keep-alive with {answers!r}")
    return Target(running.address, KEEP_ALIVE, h2load.frame(body), h2load.GRPC_HEADERS, len(h2load.frame(answers[0])))


def drive(target: Target, load: Load) -> LoadResult:
    """Load on streams that stay open."""
    return pyload.run("bench.rivals.subjects.lease_keeper", target, load)


RIVAL = Rival(
    name="etcd-lease",
    title="etcd lease keep-alive, a stream each",
    missing=missing,
    version=lambda: f"etcd {package_version('etcd-server')}",
    start=start,
    prepare=prepare,
    caveat="One node. Each beat opens and ends a stream of its own, because h2load can't keep one open.",
    calls=frozenset({"heartbeat"}),
    topologies=frozenset({"changed"}),
)
OPEN_STREAMS = replace(
    RIVAL,
    name="etcd-stream",
    title="etcd lease keep-alive, open streams",
    drive=drive,
    caveat="One node. Beats go over open streams, as etcd's clients send them, but from a Python client: read its CPU "
    "time, not its rate.",
    open_loop=False,
)
