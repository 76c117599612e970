"""The embedded engine: one LMDB environment per node, one writer thread, grouped commits."""
