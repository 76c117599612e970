"""Watchers and pollers of the topology: `locust -f loadtests/topology.py --host 127.0.0.1:27018`.

One more user changes the topology once per beat interval.
"""

from __future__ import annotations

from common.users import ChurnUser, PollerUser, WatcherUser


class Watcher(WatcherUser):
    """Is told of changes."""


class Poller(PollerUser):
    """Asks for changes."""


class Churn(ChurnUser):
    """Makes changes."""
