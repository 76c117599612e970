"""Addresses as gRPC writes them become listening sockets, or errors that say why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from laura_fast.errors import AddressInUseError
from laura_fast.transport.native import sockets

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def bind() -> Iterator[Callable[[str], list[socket.socket]]]:
    made: list[socket.socket] = []

    def bound(address: str) -> list[socket.socket]:
        made.extend(sockets.bind(address))
        return made

    yield bound
    for listener in made:
        listener.close()


def test_a_free_port_is_chosen_and_told(bind: Callable[[str], list[socket.socket]]) -> None:
    assert sockets.port_of(bind("127.0.0.1:0")) > 0


def test_a_name_of_several_addresses_has_one_port(bind: Callable[[str], list[socket.socket]]) -> None:
    assert len({listener.getsockname()[1] for listener in bind("localhost:0")}) == 1


def test_a_port_in_use_is_refused_with_its_reason(bind: Callable[[str], list[socket.socket]]) -> None:
    port = sockets.port_of(bind("127.0.0.1:0"))
    with pytest.raises(AddressInUseError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
        sockets.bind(f"127.0.0.1:{port}")


def test_a_unix_socket_left_behind_is_replaced_and_a_served_one_is_not(tmp_path: Path) -> None:
    address = f"unix:{tmp_path / 's'}"
    (left,) = sockets.bind(address)
    left.close()
    (served,) = sockets.bind(address)
    assert sockets.port_of([served]) == 1
    with pytest.raises(AddressInUseError):
        sockets.bind(address)
    served.close()


def test_nonsense_is_refused() -> None:
    with pytest.raises(AddressInUseError, match=r"cannot listen on 127\.0\.0\.1:x"):
        sockets.bind("127.0.0.1:x")
