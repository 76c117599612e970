"""Replicated writes: a laura_fast set of three beside etcd and PostgreSQL, and what a set goes through besides.

Caveats first. All servers of a subject share one core, the clients have another, and everything is loopback: no
network, no card and no distance is in these figures. A write counts when two members have it on disk: two of three of
laura_fast (`w: majority`) and of etcd, both of PostgreSQL's primary and synchronous standby (`synchronous_commit =
on`). Writers wait for their answer before they write again (a closed loop), so a latency is that of the given number
of writers, not of an offered rate. laura_fast and etcd are asked through the same Python channel, a hundred writers on
each connection, PostgreSQL by asyncpg, a connection for each writer; these clients' CPU time is in no figure, but
where their core was full the servers could have done more. Documents are BSON and indexed by `_id` here, JSONB with a
primary key in PostgreSQL, and bytes under a key in etcd. Syncs are the leader's own count: LMDB's transactions (each
waits twice: for its pages and for its meta page), etcd's `etcd_disk_wal_fsync_duration_seconds_count` (its backend is
synced besides, every 100 ms) and PostgreSQL's `pg_stat_wal.wal_sync`. At the end of a round every member must hold
every acknowledged document.
"""
