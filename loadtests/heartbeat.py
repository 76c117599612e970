"""Nodes that beat: `locust -f loadtests/heartbeat.py --host 127.0.0.1:27018`.

Every user is a node: it registers, beats at its interval with jitter, sometimes dies and rejoins.
"""

from __future__ import annotations

from common.users import NodeUser


class Node(NodeUser):
    """A node of the cluster."""
