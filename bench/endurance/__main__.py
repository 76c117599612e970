"""`python -m bench.endurance`: runs the trials against a server of this checkout and writes what they saw."""

from __future__ import annotations

import resource
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click
import grpc
import msgspec
import orjson
import uvloop

from bench.endurance import trials
from bench.endurance.record import record
from bench.endurance.soak import soak
from bench.processes import NEVER_DOWN, Process, serve
from bench.rivals.session import commit
from laura_fast.pb.lauradb.cluster import cluster_pb2, cluster_pb2_grpc

if TYPE_CHECKING:
    from bench.endurance.trials import Address, Trial

TRIALS = ("idle", "calls", "churn", "cancels")
DESCRIPTORS = 16_384


@click.command()
@click.option("--transport", default="native", show_default=True)
@click.option("--trial", "chosen", multiple=True, type=click.Choice([*TRIALS, "soak"]), help="default: all but soak")
@click.option("--scale", default=1.0, show_default=True, help="fraction of the full counts")
@click.option("--minutes", default=30.0, show_default=True, help="length of the soak")
@click.option("--seed", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="JSON file to write")
def main(transport: str, chosen: tuple[str, ...], scale: float, minutes: float, seed: int, out: Path | None) -> None:
    """Asks whether memory, descriptors and answers stay as they were under a million of everything."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    done = []
    for name in chosen or TRIALS:
        metrics = f"127.0.0.1:{_free_port()}"
        with serve(
            transport,
            *(() if name == "soak" else NEVER_DOWN),
            "--max-connections",
            "10000",
            "--metrics-listen",
            metrics,
        ) as server:
            loaded = name == "soak"
            trial = soak(server, metrics, minutes, seed) if loaded else uvloop.run(_run(name, server, scale))
        done.append(trial.as_dict() | {"transport": transport, "seed": seed})
        click.echo(_line(trial))
    if out:
        trials_asked = "".join(f" --trial {name}" for name in chosen)
        command = f"python -m bench.endurance --transport {transport}{trials_asked} --scale {scale:g}"
        command += f" --minutes {minutes:g} --seed {seed}"
        kept = record(done, command=command, commit=commit(), seed=seed)
        out.write_bytes(orjson.dumps(msgspec.to_builtins(kept), option=orjson.OPT_INDENT_2))


async def _run(name: str, server: Process, scale: float) -> Trial:
    host, _, port = server.address.rpartition(":")
    address: Address = (host, int(port))
    version = await _register(server.address)
    probe = trials.Probe(server)
    match name:
        case "idle":
            return await trials.idle(address, probe, int(5_000 * scale))
        case "calls":
            return await trials.calls(address, probe, int(1_000_000 * scale))
        case "churn":
            return await trials.churn(address, probe, int(100_000 * scale))
        case _:
            return await trials.cancels(address, probe, int(1_000_000 * scale), version)


async def _register(address: str) -> int:
    """Registers the one node that beats; returns the topology's version."""
    async with grpc.aio.insecure_channel(address) as channel:
        node = cluster_pb2.Node(id=trials.NODE_ID, host="127.0.0.1", port=1)
        stub = cluster_pb2_grpc.ClusterServiceStub(channel)
        answer = await stub.RegisterNode(cluster_pb2.NodeRegistrationRequest(node=node))
        assert answer.success, answer.message
        return int(answer.topology.version)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _line(trial: Trial) -> str:
    facts = ", ".join(f"{key} {value}" for key, value in trial.facts.items() if key != "log")
    memory = f"memory {trial.memory_kib[0]:,} → {trial.memory_kib[-1]:,} KiB"
    growth = f"second half {trial.second_half_growth_kib:+,} KiB"
    descriptors = f"descriptors {trial.descriptors[0]} → {trial.descriptors[-1]}"
    return f"{trial.name}: {trial.count:,} in {trial.seconds:.0f} s; {memory} ({growth}); {descriptors}; {facts}"


if __name__ == "__main__":
    main()
