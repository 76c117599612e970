"""Documents over the network: laura_fast beside PostgreSQL (JSONB) and SQLite (JSON), at equal durability.

Caveats first. Every write of every subject is on disk before its answer (PostgreSQL with `fsync` and
`synchronous_commit`, SQLite with `synchronous = FULL`). Clients wait for their answer before they ask again (a closed
loop), so a latency is that of the given number of clients, not of an offered rate. SQLite is a library: its clients are
threads of the measuring process, it pays for no network, and its CPU time is that of the clients, too. Every answer is
checked; a wrong one ends the run.
"""
