"""Who may speak as a member of the replica set. With mutual TLS only members do, each for itself.

A certificate of the right authority is not enough: a client's would let it vote, or pass off entries as the primary's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from laura_fast.errors import PermissionDeniedError
from laura_fast.services.identity import certificate_names, require_identity, speaks_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from laura_fast.domain.replication.members import Configuration
    from laura_fast.services.binding import Context


class Anybody:
    """Without mutual TLS nobody can be told from anybody else."""

    def speaks_for(self, context: Context, member_id: str) -> None:
        """Raises PermissionDeniedError if the caller may not speak for this member."""

    def is_member(self, context: Context) -> None:
        """Raises PermissionDeniedError if the caller is no member."""


class MembersOnly(Anybody):
    """With mutual TLS. A server that waits to be added knows no members yet, and believes who shows its own id."""

    def __init__(self, configuration: Callable[[], Configuration]) -> None:
        """Prepares; `configuration` gives the one in force."""
        self._configuration = configuration

    def speaks_for(self, context: Context, member_id: str) -> None:
        require_identity(context, member_id)
        configuration = self._configuration()
        if configuration.members and configuration.get(member_id) is None:
            raise _no_member(context)

    def is_member(self, context: Context) -> None:
        uris, hosts = certificate_names(context)
        if not any(speaks_for(member.id, uris, hosts) for member in self._configuration().members):
            raise _no_member(context)


def _no_member(context: Context) -> PermissionDeniedError:
    uris, hosts = certificate_names(context)
    told = "only members of the replica set may call this, with their own certificates"
    return PermissionDeniedError(told, "NOT_A_MEMBER", metadata={"certificate": ", ".join(uris + hosts) or "none"})
