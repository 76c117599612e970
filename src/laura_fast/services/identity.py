"""Whether a caller may speak for a node: the certificate's subject alternative name must be that node's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from laura_fast.errors import PermissionDeniedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    import grpc

    Context = grpc.aio.ServicerContext[Any, Any]

_URI = "peer_uri"
_DNS = "peer_dns"
"""Property names of gRPC's authentication context. The common name is never looked at (RFC 6125 §6.4.4)."""


def identity_check(*, tls_bind_node_id: bool) -> Callable[[Context, str], None]:
    """The `require_identity` of servicers: raises when the caller may not speak for the node, if it is on."""
    return require_identity if tls_bind_node_id else allow


def require_identity(context: Context, node_id: str) -> None:
    """Checks the caller's certificate against the node id in its message.

    Raises:
        PermissionDeniedError: NODE_ID_MISMATCH. The caller's own names are in the metadata, for its operator.
    """
    uris, hosts = certificate_names(context)
    if not speaks_for(node_id, uris, hosts):
        raise PermissionDeniedError(
            f"the client certificate does not belong to node {node_id!r}",
            "NODE_ID_MISMATCH",
            metadata={"node_id": node_id, "certificate": ", ".join(uris + hosts) or "none"},
        )


def authenticated_peer(context: Context) -> str:
    """The first name in the caller's certificate; empty for a caller without one."""
    uris, hosts = certificate_names(context)
    return next(iter((*uris, *hosts)), "")


def certificate_names(context: Context) -> tuple[list[str], list[str]]:
    """URIs and host names in the caller's certificate."""
    properties = context.auth_context()
    return _names(properties.get(_URI, ())), _names(properties.get(_DNS, ()))


def speaks_for(node_id: str, uris: Collection[str], hosts: Collection[str]) -> bool:
    """Whether one of a certificate's subject alternative names is that of the node.

    Either a URI `spiffe://<trust domain>/…/node/<node id>`, or a DNS name that equals the node id; wildcards don't.
    """
    return bool(node_id) and (node_id in hosts or any(_node_of(uri) == node_id for uri in uris))


def _node_of(uri: str) -> str | None:
    """Split at every slash, so that an id with a slash in it can't reach into the path."""
    match uri.split("/"):
        case ["spiffe:", "", trust_domain, *_, "node", node_id] if trust_domain:
            return node_id
    return None


def allow(_context: Context, _node_id: str) -> None:
    """The check where binding is off."""


def _names(values: Iterable[bytes]) -> list[str]:
    return [value.decode("utf-8", "replace") for value in values]
