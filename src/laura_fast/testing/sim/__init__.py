"""Replica sets on a virtual clock, from one seed: the production driver and machines over a network that misbehaves."""
