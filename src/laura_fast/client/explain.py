"""Failed calls in one line that says what is wrong and what to do about it.

gRPC reports every way of not getting a connection as UNAVAILABLE, with the channel's own words; the table reads those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from laura_fast.errors import ClientError, Code, RemoteError, UnreachableError


@dataclass(frozen=True, slots=True)
class _Cause:
    """What a failure means where its code is `code` and its text holds `sign`."""

    code: Code
    sign: str
    meaning: str
    hint: str


_CAUSES: Final = (
    _Cause(Code.UNAVAILABLE, "Connection refused", "connection refused", "is a server running there?"),
    _Cause(
        Code.UNAVAILABLE,
        "certificate is not valid for",
        "TLS handshake failed: the server's certificate is for another name",
        "dial that name, or give it as --tls-server-name",
    ),
    _Cause(
        Code.UNAVAILABLE,
        "CERTIFICATE_VERIFY_FAILED",
        "TLS handshake failed: the server's certificate is signed by an authority that is not trusted here",
        "name the authority with --tls-ca-file",
    ),
    _Cause(
        Code.UNAVAILABLE,
        "WRONG_VERSION_NUMBER",
        "TLS handshake failed: the server speaks plain text",
        "leave the --tls options out, or check the port",
    ),
    _Cause(Code.UNAVAILABLE, "handshake failed", "TLS handshake failed", "check the --tls options on both sides"),
    _Cause(Code.UNAVAILABLE, "http1.x", "that is an HTTP/1 server", "check the port"),
    _Cause(Code.UNAVAILABLE, "resolving", "unknown host", "check its spelling and the name service"),
    _Cause(Code.UNAVAILABLE, "No route to host", "no route to the host", "check the address and the network"),
    _Cause(
        Code.UNAVAILABLE,
        "failed to connect",
        "the connection was closed during the handshake",
        "if the server uses TLS, give --tls-ca-file; if it asks for a client certificate, --tls-cert-file too",
    ),
    _Cause(Code.UNAVAILABLE, "the connection was", "connection lost", ""),
    _Cause(
        Code.DEADLINE_EXCEEDED,
        "",
        "no answer in time",
        "a firewall may drop the packets, or the server may be overloaded; try a longer --timeout",
    ),
    _Cause(Code.RESOURCE_EXHAUSTED, "", "overloaded", "try again later"),
    _Cause(Code.UNIMPLEMENTED, "", "the server does not have this call", "is it of the same version?"),
)


def explain(error: ClientError) -> str:
    """One line; the hint is that of the first server's failure."""
    if isinstance(error, UnreachableError):
        causes = [(failure.address, *_read(failure)) for failure in error.failures]
        said = "; ".join(f"{address}: {meaning}" for address, meaning, _ in causes)
        return f"no server answered: {said}{_hinted(causes[0][2])}"
    if isinstance(error, RemoteError):
        meaning, hint = _read(error)
        return f"{error.address}: {meaning}{_hinted(hint)}"
    return str(error)


def _hinted(hint: str) -> str:
    return f" ({hint})" if hint else ""


def _read(error: RemoteError) -> tuple[str, str]:
    """What it means, and what to do. A server that gave a reason said it better than the table could."""
    for cause in () if error.reason else _CAUSES:
        if cause.code is error.code and cause.sign.lower() in error.message.lower():
            return cause.meaning, cause.hint
    return f"{error.code.name.lower().replace('_', ' ')}: {error.message}", ""
