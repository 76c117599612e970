"""A verified client certificate as gRPC's authentication properties, under C-core's names.

For transports that terminate TLS themselves, so that whoever asks `ServicerContext.auth_context()` sees the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROPERTY_OF = {"DNS": "peer_dns", "URI": "peer_uri", "email": "peer_email", "IP Address": "peer_ip"}
_ANY_NAME = "x509_subject_alternative_name"
_COMMON_NAME = "x509_common_name"

PLAINTEXT: Mapping[str, list[bytes]] = {}
"""The context of a call without TLS."""


def auth_context(certificate: Mapping[str, Any] | None) -> dict[str, list[bytes]]:
    """The properties of a connection over TLS.

    Args:
        certificate: What `ssl.SSLObject.getpeercert()` answers: empty or None without a verified certificate.
    """
    properties: dict[str, list[bytes]] = {"transport_security_type": [b"ssl"]}
    for kind, name in (certificate or {}).get("subjectAltName", ()):
        _add(properties, _ANY_NAME, name)
        if kind in _PROPERTY_OF:
            _add(properties, _PROPERTY_OF[kind], name)
    for relative_name in (certificate or {}).get("subject", ()):
        for attribute, value in relative_name:
            if attribute == "commonName":
                _add(properties, _COMMON_NAME, value)
    return properties


def identity_key(properties: Mapping[str, list[bytes]]) -> str | None:
    """The property that names the peer (`peer_identity_key`): its alternative names, else its common name."""
    return next((key for key in (_ANY_NAME, _COMMON_NAME) if key in properties), None)


def _add(properties: dict[str, list[bytes]], key: str, value: str) -> None:
    properties.setdefault(key, []).append(value.encode())
