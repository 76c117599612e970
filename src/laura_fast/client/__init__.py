"""Channels and the cluster client that applications, the command line and agents use."""
