"""What a local set consists of: written before its first process starts, and kept for the next start."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from laura_fast.client.addresses import join
from laura_fast.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

FILE: Final = "cluster.json"


class Planned(msgspec.Struct, frozen=True):
    """A member: its id, and where it listens, `host:port`."""

    id: str
    address: str


class Plan(msgspec.Struct, frozen=True):
    """A set: its name, its members, and where their addresses are told; empty = nowhere."""

    replica_set: str
    members: tuple[Planned, ...]
    ready_file: str = ""

    @property
    def setting(self) -> str:
        """The members as `--members` takes them."""
        return ",".join(f"{member.id}={member.address}" for member in self.members)


def make(replica_set: str, host: str, ports: Sequence[int]) -> Plan:
    """Members n1, n2 and so on, one a port."""
    members = tuple(Planned(f"n{number}", join(host, port)) for number, port in enumerate(ports, 1))
    return Plan(replica_set, members)


def load(directory: Path) -> Plan | None:
    """The plan that was saved; None = nothing was ever started there.

    Raises:
        ConfigError: The file is not a plan.
    """
    try:
        return msgspec.json.decode((directory / FILE).read_bytes(), type=Plan)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(f"{directory / FILE} can't be read: {error}") from None


def save(directory: Path, plan: Plan) -> None:
    """Puts the plan in place in one step."""
    write_whole(directory / FILE, msgspec.json.format(msgspec.json.encode(plan)) + b"\n")


def tell(plan: Plan, members: Sequence[Mapping[str, Any]]) -> None:
    """Puts the ready file in place, where one is wanted: what is in it can be used now."""
    if plan.ready_file:
        write_whole(Path(plan.ready_file), msgspec.json.format(msgspec.json.encode(members)) + b"\n")


def take_away(plan: Plan) -> None:
    """Removes the ready file: what is in it is true no more."""
    if plan.ready_file:
        Path(plan.ready_file).unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """No reader ever sees half of it.

    Raises:
        ConfigError: It can't be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror}") from error


def free_ports(host: str, number: int) -> list[int]:
    """Ports that nobody listens on now, each another one.

    Raises:
        ConfigError: The host is not one of this machine.
    """
    with contextlib.ExitStack() as held:
        try:
            listeners = [held.enter_context(socket.create_server((host, 0))) for _ in range(number)]
        except OSError as error:
            raise ConfigError(f"host {host} can't be listened on: {error.strerror}") from error
        return [listener.getsockname()[1] for listener in listeners]
