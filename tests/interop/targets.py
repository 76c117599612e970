"""The interop server as a process, and clients of other implementations that run its cases one by one."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import orjson

from tests.e2e.processes import START_S, STOP_S, LauraProcess, until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class InteropServer(LauraProcess):
    """`python -m laura_fast.testing.interop_server` on a free port."""

    module: ClassVar[str] = "laura_fast.testing.interop_server"

    @property
    def address(self) -> str:
        """`127.0.0.1:port`, once it listens."""
        until(lambda: self.output.endswith("\n") or not self.running, "line with the address", START_S)
        assert self.running, self.log
        return self.output.split()[-1]


@dataclass(frozen=True)
class Target:
    """A running server.

    Attributes:
        address: `host:port`.
        transport: Name of its transport.
        ca: PEM file of the authority behind its certificate; None in plaintext.
    """

    address: str
    transport: str
    ca: Path | None

    @property
    def url(self) -> str:
        return f"{'https' if self.ca else 'http'}://{self.address}"

    @property
    def probes(self) -> bool:
        """It refuses a request that says falsely that it is compressed; C-core does not tell grpcio's handlers."""
        return self.transport == "native"


class CaseClient:
    """A client process that reads the name of a case per line and answers a line of JSON."""

    def __init__(self, command: Sequence[str], target: Target, environ: Mapping[str, str] | None = None) -> None:
        arguments = [f"--address={target.address}"]
        arguments += [f"--ca={target.ca}"] * bool(target.ca) + ["--probes"] * target.probes
        self._process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environ or {})},
        )

    def run(self, case: str) -> None:
        """Fails with what the client found wrong. The client ends each case in time itself."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(case + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the client ended: {self._process.communicate(timeout=STOP_S)[1]}"
        verdict = orjson.loads(line)
        assert not verdict["Error"], verdict["Error"]
        assert verdict["Case"] == case, "answers and cases are out of step"

    def close(self) -> None:
        """Ends with its input."""
        try:
            self._process.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise
