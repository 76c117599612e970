"""Pure machines and values: no I/O, no clock, no randomness, no lock."""
