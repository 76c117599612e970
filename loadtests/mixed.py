"""A cluster's day: mostly beating nodes, some watchers and pollers, and one node that comes and goes.

`locust -f loadtests/mixed.py --host 127.0.0.1:27018`
"""

from __future__ import annotations

from common.users import ChurnUser, NodeUser, PollerUser, WatcherUser


class Node(NodeUser):
    """A node of the cluster."""

    weight = 16


class Watcher(WatcherUser):
    """Is told of changes."""

    weight = 2


class Poller(PollerUser):
    """Asks for changes."""

    weight = 2


class Churn(ChurnUser):
    """Comes and goes."""
