"""Documents, their indexes, old versions and the oplog over any ordered store."""
