"""Agents as real processes: what becomes of them when servers and agents die."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from laura_fast.client import ClusterClient
from laura_fast.client.console.view import view_of
from tests.e2e.processes import LauraProcess, ServerProcess, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Serve = Callable[..., ServerProcess]
    Run = Callable[..., LauraProcess]

PATIENT = ("--suspect-after", "30s", "--down-after", "60s")
"""Nobody becomes SUSPECT while a test looks: what happens at once does not happen by waiting."""


def agent(run: Run, seeds: str, *more: str, node_id: str = "n1", port: int = 27017, name: str = "") -> LauraProcess:
    where = ("--id", node_id, "--host", "127.0.0.1", "--port", str(port), "--join", seeds, "--interval", "100ms")
    return run("agent", *where, *more, name=name or node_id)


def status(address: str) -> dict[str, Any]:
    """The document of `status -o json`, without the second that a process takes to start."""

    async def ask() -> dict[str, Any]:
        async with ClusterClient(address) as client:
            return view_of(address, await client.status()).as_json(age_ms=0)

    return asyncio.run(ask())


def members(address: str) -> dict[str, dict[str, Any]]:
    return {member["id"]: member for member in status(address)["members"]}


def beating(address: str) -> dict[str, dict[str, Any]]:
    """Members that have beaten since the server started."""
    return {node_id: member for node_id, member in members(address).items() if member["last_beat_age_ms"] is not None}


def test_an_agent_reports_the_machine_and_leaves_when_told(serve: Serve, run: Run) -> None:
    server = serve()
    running = agent(run, server.address, "--role", "shard", "--priority", "3", "--tag", "zone=a", "--tag", "disk=ssd")
    member = until(lambda: beating(server.address), "first beat")["n1"]
    assert {key: member[key] for key in ("address", "role", "state", "priority", "tags", "incarnation")} == {
        "address": "127.0.0.1:27017",
        "role": "shard",
        "state": "healthy",
        "priority": 3,
        "tags": {"disk": "ssd", "zone": "a"},
        "incarnation": 1,
    }
    assert 0 <= member["cpu_percent"] <= 100
    assert member["memory_bytes"] > 0
    assert 0 < member["disk_bytes_used"] <= member["disk_bytes_total"]
    assert running.terminate() == 0
    assert members(server.address) == {}
    assert "member_deregistered" in running.log


def test_an_agent_outlives_servers_that_are_killed_and_one_that_forgot_it(
    serve: Serve, run: Run, tmp_path: Path
) -> None:
    server = serve(*PATIENT)
    running = agent(run, server.address)
    running.await_log("member_registered")
    server.kill()
    running.await_log("heartbeat_failed")

    server = serve(*PATIENT, port=server.port)
    assert until(lambda: beating(server.address), "beat after the restart")["n1"]["incarnation"] == 1
    assert "member_forgotten" not in running.log

    server.kill()
    shutil.rmtree(tmp_path / "server" / "data")
    server = serve(*PATIENT, port=server.port)
    running.await_log("member_forgotten")
    assert until(lambda: beating(server.address), "registration at the new server")["n1"]["state"] == "healthy"
    assert running.terminate() == 0


def test_a_killed_agent_that_is_restarted_is_a_member_again_at_once(serve: Serve, run: Run) -> None:
    server = serve(*PATIENT)
    first = agent(run, server.address)
    until(lambda: beating(server.address), "first beat")
    first.kill()
    assert members(server.address)["n1"]["state"] == "healthy"  # nobody has noticed its death
    second = agent(run, server.address, name="second")
    second.await_log("member_registered")
    assert members(server.address)["n1"]["incarnation"] == 2


def test_an_id_that_another_address_holds_is_refused(serve: Serve, run: Run) -> None:
    server = serve(*PATIENT)
    agent(run, server.address).await_log("member_registered")
    stranger = agent(run, server.address, port=27099, name="stranger")
    assert stranger.wait() == 1
    assert stranger.log.splitlines() == [
        (
            "laura-fast: node n1 already registered at 127.0.0.1:27017 (healthy); "
            "an id is free when its node is down or was deregistered"
        )
    ]
    assert members(server.address)["n1"]["address"] == "127.0.0.1:27017"


def test_an_agent_waits_for_a_server_and_passes_over_a_dead_seed(serve: Serve, run: Run) -> None:
    server = serve()
    address, port = server.address, server.port
    server.terminate()
    running = agent(run, f"127.0.0.1:1,{address}")
    running.await_log("cluster_unreachable")
    assert "connection refused (is a server running there?)" in running.log
    assert serve(port=port).address == address
    assert until(lambda: beating(address), "first beat")


def test_an_agent_that_waits_can_be_told_to_stop(run: Run) -> None:
    running = agent(run, "127.0.0.1:1")
    running.await_log("cluster_unreachable")
    running.signal(signal.SIGINT)
    assert running.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--join", "localhost:0"], "address 'localhost:0': port '0' is not a number from 1 to 65535"),
        (["--join", "localhost", "--data-dir", "nowhere"], "--data-dir nowhere: no such directory"),
        (["--join", "localhost", "--tls-cert-file", "x.pem"], "give both or neither"),
        (["--join", "localhost", "--interval", "5"], "'5' is not 10ms to 1m, written like 500ms, 1s or 2m"),
        (["--join", "localhost", "--tag", "zone"], "'zone' is not key=value"),
    ],
)
def test_wrong_usage_is_one_clear_line(run: Run, arguments: list[str], message: str) -> None:
    failed = run("agent", "--id", "n1", "--host", "h", "--port", "1", *arguments)
    assert failed.wait() == 2
    assert message in failed.log.splitlines()[-1]


def test_agents_prove_who_they_are(serve: Serve, run: Run, tmp_path: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name, identity in (("server", "127.0.0.1"), ("client", "n1")):
        issued = ca.issue_cert(identity)
        issued.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
        issued.private_key_pem.write_to_path(tmp_path / f"{name}.key")
        (tmp_path / f"{name}.key").chmod(0o600)

    def files(name: str) -> tuple[str, ...]:
        return ("--tls-cert-file", str(tmp_path / f"{name}.pem"), "--tls-key-file", str(tmp_path / f"{name}.key"))

    trust = ("--tls-ca-file", str(tmp_path / "ca.pem"))
    server = serve(*files("server"), "--tls-client-ca-file", str(tmp_path / "ca.pem"))
    agent(run, server.address, *trust, *files("client")).await_log("member_registered")
    looking = run("status", "--server", server.address, *trust, *files("client"), "-o", "json", name="look")
    assert looking.wait() == 0
    assert [member["id"] for member in json.loads(looking.output)["members"]] == ["n1"]
    for more in ((), trust):
        stranger = run("status", "--server", server.address, *more, name=f"stranger{len(more)}")
        assert stranger.wait() == 1
        assert "the connection was closed during the handshake" in stranger.log
        assert len(stranger.log.splitlines()) == 1
