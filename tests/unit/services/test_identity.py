"""A certificate speaks for its own node only."""

from __future__ import annotations

from typing import Any, cast

import pytest

from laura_fast.errors import PermissionDeniedError
from laura_fast.services.identity import identity_check, speaks_for


class Context:
    """The authentication context of a call, as gRPC's core words it."""

    def __init__(self, **properties: list[bytes]) -> None:
        self._properties = properties

    def auth_context(self) -> dict[str, list[bytes]]:
        return self._properties


def check(context: Context, node_id: str, *, bound: bool = True) -> None:
    identity_check(tls_bind_node_id=bound)(cast("Any", context), node_id)


@pytest.mark.parametrize(
    "uri",
    ["spiffe://laura/node/n1", "spiffe://laura/2f0c/node/n1", "spiffe://laura/node/x/node/n1"],
)
def test_a_spiffe_uri_that_ends_in_the_node(uri: str) -> None:
    assert speaks_for("n1", [uri], [])


@pytest.mark.parametrize(
    "uri",
    [
        "spiffe://laura/node/n2",
        "spiffe://laura/node/n1/",
        "spiffe://laura/node/n1/more",
        "spiffe://laura/nodes/n1",
        "spiffe://laura/n1",
        "spiffe:///node/n1",
        "https://laura/node/n1",
        "SPIFFE://laura/node/n1",
        "n1",
    ],
)
def test_any_other_uri_does_not_speak_for_the_node(uri: str) -> None:
    assert not speaks_for("n1", [uri], [])


def test_a_node_id_with_slashes_cannot_reach_into_the_path() -> None:
    assert not speaks_for("b/node/c", ["spiffe://laura/node/b/node/c"], [])


def test_a_dns_name_must_be_equal() -> None:
    assert speaks_for("n1.example", [], ["n1.example"])
    assert not speaks_for("n1.example", [], ["*.example", "example", "N1.EXAMPLE"])


def test_an_empty_node_id_belongs_to_nobody() -> None:
    assert not speaks_for("", ["spiffe://laura/node/"], [""])


def test_the_wrong_node_is_denied_with_its_reason() -> None:
    context = Context(peer_uri=[b"spiffe://laura/node/n2"], peer_dns=[b"n2.example"])
    check(context, "n2")
    with pytest.raises(PermissionDeniedError) as denied:
        check(context, "n1")
    assert denied.value.reason == "NODE_ID_MISMATCH"
    assert denied.value.metadata == {"node_id": "n1", "certificate": "spiffe://laura/node/n2, n2.example"}


@pytest.mark.parametrize(
    "context",
    [
        Context(),
        Context(x509_common_name=[b"n1"], x509_subject_alternative_name=[b"n1"]),
        Context(peer_email=[b"n1"], peer_ip=[b"n1"]),
        Context(peer_dns=[b"\xff\xfe"]),
    ],
)
def test_only_uri_and_dns_names_count(context: Context) -> None:
    with pytest.raises(PermissionDeniedError):
        check(context, "n1")


def test_nothing_is_asked_when_binding_is_off() -> None:
    check(Context(), "n1", bound=False)
