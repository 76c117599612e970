"""An address that can't be bound is one clear error."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from laura_fast.errors import AddressInUseError
from laura_fast.transport.grpcio.ports import check_bindable

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("192.0.2.1:0", "Cannot assign requested address"),
        ("127.0.0.1:nine", "invalid literal"),
        ("unix:/nonexistent/s.sock", "the directory /nonexistent does not exist"),
    ],
)
def test_the_message_says_why(address: str, text: str) -> None:
    with pytest.raises(AddressInUseError, match=text):
        check_bindable(address)


def test_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(AddressInUseError, match=f"cannot listen on {address}: Address already in use"):
            check_bindable(address)


def test_a_free_port_of_either_family_passes() -> None:
    check_bindable("127.0.0.1:0")
    check_bindable("localhost:0")


def test_a_unix_socket_that_is_served_is_refused_and_a_stale_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with pytest.raises(AddressInUseError, match="another process serves"):
            check_bindable(f"unix:{path}")
    check_bindable(f"unix:{path}")


def test_a_file_is_not_overwritten_by_a_socket(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.touch()
    with pytest.raises(AddressInUseError, match="not a socket"):
        check_bindable(f"unix:{path}")
