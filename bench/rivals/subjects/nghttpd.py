"""Floor: nghttp2's own C server answering every POST with a static file as large as a beat's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.rivals import h2load, process
from bench.rivals.build import missing_tools
from bench.rivals.cluster import SERVICE, beat
from bench.rivals.load import Target
from bench.rivals.rival import Rival
from bench.rivals.subjects.debian import package_version
from laura_fast.pb.lauradb.cluster import cluster_pb2 as pb

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bench.rivals.rival import Launch
    from laura_fast.report.raw.rivals import Scenario

ANSWER = h2load.frame(pb.HeartbeatResponse(ack=True, timestamp=1_700_000_000_000).SerializeToString())


def start(launch: Launch) -> AbstractContextManager[process.Running]:
    """Serves a folder with one file, at the path of the real method."""
    file = launch.scratch / "www" / (SERVICE + "Heartbeat").lstrip("/")
    file.parent.mkdir(parents=True)
    file.write_bytes(ANSWER)
    port = process.free_port()
    options = ["--no-tls", "--workers=1", "--address=127.0.0.1", f"--htdocs={launch.scratch / 'www'}"]
    command = ["nghttpd", *options, str(port)]
    return process.serve(command, launch.core, launch.scratch, process.when_listening(port))


def prepare(running: process.Running, scenario: Scenario, launch: Launch) -> Target:  # one file for all
    """The same request as everybody's, and the file as the answer."""
    body = h2load.frame(beat(known_version=1).SerializeToString())
    return Target(running.address, SERVICE + "Heartbeat", body, h2load.GRPC_HEADERS, len(ANSWER))


RIVAL = Rival(
    name="nghttpd",
    title="nghttpd, static file",
    missing=lambda: missing_tools("nghttpd"),
    version=lambda: f"nghttp2 {package_version('nghttp2-server')}",
    start=start,
    prepare=prepare,
    caveat="A floor for HTTP/2 in C: no gRPC, no trailers, no registry; opens the file at each request.",
    calls=frozenset({"heartbeat"}),
    topologies=frozenset({"changed"}),
)
