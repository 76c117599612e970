"""Channels and the cluster client that applications, the command line and agents use."""

from laura_fast.client.channel import ClientTls
from laura_fast.client.cluster import ClusterClient
from laura_fast.client.retry import RetryPolicy
from laura_fast.client.session import MemberSession
from laura_fast.client.topology import Change, ChangeKind, Topology, changes

__all__ = ["Change", "ChangeKind", "ClientTls", "ClusterClient", "MemberSession", "RetryPolicy", "Topology", "changes"]
