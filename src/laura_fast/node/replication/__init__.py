"""A member of a replica set: it drives the pure machines of `domain.replication` over a log, peers and a clock."""
