"""Documents over the network: laura_fast beside PostgreSQL (JSONB) and SQLite (JSON), at equal durability.

Caveats first. Every write of every subject is on disk before its answer (PostgreSQL with `fsync` and
`synchronous_commit`, SQLite with `synchronous = FULL`). Clients wait for their answer before they ask again (a closed
loop), so a latency is that of the given number of clients, not of an offered rate. SQLite is a library: its clients are
threads of the measuring process, at most 16 of them, it pays for no network, and its CPU time is that of the clients,
too. A collection is loaded once, measured without an index on the size for what feels it, and then with it. Synced
commits are those that LMDB counts; the others count none that could be compared. Own memory is the server's RssAnon,
and what PostgreSQL's processes share with nobody; resident adds mapped files and shared buffers. Every answer is
checked; a wrong one ends the run.
"""
