"""Members of a cluster as values: nodes, topology, failure detection, tombstones."""
