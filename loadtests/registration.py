"""A storm of joins and leaves: `locust -f loadtests/registration.py --host 127.0.0.1:27018`."""

from __future__ import annotations

from common.users import JoinerUser


class Joiner(JoinerUser):
    """Joins and leaves without rest."""
