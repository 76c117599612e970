"""Benchmarks: what the server costs, how that grows, and how it compares with others."""
