"""Cluster state behind compare-and-swap."""
