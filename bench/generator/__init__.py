"""Measures the load generator itself: its cost per call, its ceiling, and whether its percentiles are true."""
