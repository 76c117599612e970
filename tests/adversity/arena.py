"""A server, a probe beside it, and a place to attack from."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from tests.contract.http2_conformance.peer import GOAWAY, NO_ERROR, SETTINGS, ConnectionEndedError, Frame, Peer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 5.0
MIB = 1024 * 1024

RSS_GROWTH_MIB = 16
"""What one hostile connection may cost."""

PROBE_SECONDS = 2.0
"""Longest call of the probe: far above the aim, because test machines are busy; results/ has the measured figures."""


@dataclass
class Arena:
    """Processes under test."""

    port: int
    server: psutil.Process
    probe: subprocess.Popen[str]

    def probed(self) -> dict[str, Any]:
        """What the probe saw since the last time it was asked."""
        assert self.probe.stdin is not None
        assert self.probe.stdout is not None
        self.probe.stdin.write("\n")
        self.probe.stdin.flush()
        report: dict[str, Any] = json.loads(self.probe.stdout.readline())
        return report

    def rss_mib(self) -> float:
        """Resident now."""
        return float(self.server.memory_info().rss) / MIB

    def forget_peak(self) -> None:
        """Makes the peak count from now (proc(5), clear_refs)."""
        Path(f"/proc/{self.server.pid}/clear_refs").write_text("5")

    def peak_mib(self) -> float:
        """The most that was resident since `forget_peak`."""
        status = Path(f"/proc/{self.server.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


class Watched:
    """Around an attack: the probe must not have failed meanwhile, and memory must not have grown."""

    def __init__(self, place: Arena, growth_mib: float = RSS_GROWTH_MIB) -> None:
        self._place = place
        self._growth_mib = growth_mib

    def __enter__(self) -> Arena:
        self._place.probed()
        self._place.forget_peak()
        self._before = self._place.rss_mib()
        return self._place

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            probed = self._wait_for_calls()
            assert probed["failures"] == 0, probed
            assert probed["max_ms"] < PROBE_SECONDS * 1000, probed
            growth_mib = self._place.peak_mib() - self._before
            assert growth_mib < self._growth_mib

    def _wait_for_calls(self) -> dict[str, float]:
        until = time.monotonic() + 10
        probed = self._place.probed()
        while not probed["calls"] and time.monotonic() < until:
            time.sleep(0.01)
            more = self._place.probed()
            probed = {**more, "failures": probed["failures"] + more["failures"]}
        assert probed["calls"], probed
        return probed


@contextmanager
def arena(
    settings: dict[str, Any] | None = None, limits: dict[str, Any] | None = None, *, files: int = 0
) -> Iterator[Arena]:
    """Starts both processes; kills both by their ids.

    Args:
        settings: Of the server.
        limits: Constants that the server replaces.
        files: How many it may have open; 0 for what it inherits.
    """
    how = json.dumps({"settings": settings or {}, "limits": limits or {}, "files": files})
    with _python("tests.adversity.server", how) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        with _python("tests.adversity.probe", str(port)) as probe:
            try:
                yield Arena(port, psutil.Process(server.pid), probe)
            finally:
                probe.kill()
                server.kill()


def _python(module: str, argument: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", module, argument]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@dataclass
class Outcome:
    """How the server took an attack."""

    cut: bool
    """It ended the connection."""
    code: int | None
    """The error code of its GOAWAY."""
    frames: list[Frame]

    def resets(self, stream_id: int) -> list[int]:
        """Error codes of the stream's RST_STREAM frames."""
        return [f.error_code for f in self.frames if f.kind == 3 and f.stream_id == stream_id]


async def flood(port: int, pieces: Iterable[bytes], *, patience_s: float = 1.0, first: bytes | None = None) -> Outcome:
    """Sends the pieces one after the other for as long as the server lets us, reading all the while.

    Args:
        port: Of the server.
        pieces: What to send.
        patience_s: How long the server may take to cut us off behind the last piece.
        first: Instead of the client's SETTINGS.
    """
    peer = await Peer.connect(port, first=first)
    await peer.until(SETTINGS, ack=True)  # our own acknowledgement must not fall into the attack
    reading = asyncio.create_task(_read_all(peer))
    try:
        for piece in pieces:
            if reading.done():
                break
            peer.send(piece)
            with suppress(TimeoutError):  # the server has stopped reading us: that is an answer too
                await peer.drain()
    except OSError:
        pass
    await asyncio.wait([reading], timeout=patience_s)
    cut = reading.done()
    if not cut:
        reading.cancel()
    await peer.close()
    goaways = [seen for seen in peer.seen if seen.kind == GOAWAY and seen.error_code != NO_ERROR]
    return Outcome(cut, goaways[0].error_code if goaways else None, peer.seen)


async def _read_all(peer: Peer) -> None:
    with suppress(ConnectionEndedError):
        while True:
            await peer.read()
