"""Who takes part: both transports, with and without TLS, and grpc-go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import trustme

from bench.rivals import cluster
from bench.rivals.build import go_program, missing_go
from bench.rivals.subjects import grpc_go, ours
from bench.transport.clients import aio_client, go_client, stream_client

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from bench.rivals.load import Target
    from bench.rivals.process import Running
    from bench.rivals.rival import Drive, Launch, Rival
    from laura_fast.report.raw.rivals import Call, Client, Scenario

HOST = "127.0.0.1"
AUTHORITY = "authority.pem"
UNARY: dict[Client, Drive] = {"grpcio": aio_client.run, **({} if missing_go() else {"go": go_client.run})}


def _plain(rival: Rival, drivers: Mapping[Client, Drive]) -> Rival:
    """A subject of the other bench that takes these clients too."""

    def build() -> None:
        rival.build()
        if "go" in drivers:
            go_program(go_client.SOURCE)

    calls: frozenset[Call] = frozenset({"heartbeat", "heartbeat_stream"} if "raw" in drivers else {"heartbeat"})
    return replace(rival, calls=calls, drivers=drivers, build=build)


def _tls(transport: str) -> Rival:
    """One of our transports with a certificate, for h2load, which trusts anybody."""

    def start(launch: Launch) -> AbstractContextManager[Running]:
        certificate, key = launch.scratch / "certificate.pem", launch.scratch / "key.pem"
        issuer = trustme.CA()
        issued = issuer.issue_cert(HOST)
        issuer.cert_pem.write_to_path(str(launch.scratch / AUTHORITY))
        issued.cert_chain_pems[0].write_to_path(str(certificate))
        key.touch(mode=0o600)  # the server refuses a key that others may read
        issued.private_key_pem.write_to_path(str(key))
        return ours.serve(transport, launch, f"--tls-cert-file={certificate}", f"--tls-key-file={key}")

    def prepare(running: Running, scenario: Scenario, launch: Launch) -> Target:
        return cluster.prepare(running, scenario, launch, launch.scratch / AUTHORITY)

    plain = ours.transport(transport)
    return replace(
        plain,
        name=f"{plain.name}-tls",
        title=f"{plain.title}, TLS",
        start=start,
        prepare=prepare,
        calls=frozenset({"heartbeat"}),
        caveat="TLS 1.3 with the key kind that trustme issues; ten handshakes are in the measured time.",
    )


STREAMS: dict[Client, Drive] = {**UNARY, "raw": stream_client.run}
ALL: tuple[Rival, ...] = (
    _plain(ours.NATIVE, STREAMS),
    _plain(ours.GRPCIO, STREAMS),
    _plain(grpc_go.RIVAL, UNARY),
    _tls("native"),
    _tls("grpcio"),
)
BASELINES = (ours.NATIVE.name, ours.GRPCIO.name)
"""What the ratios are taken against: the first of these that ran."""
