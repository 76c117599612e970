"""Replica sets: who is in one, who is elected, how far each member is, and when a write counts as safe.

Everything here is pure. The driver feeds events in and acts on what comes out: persist, then send, then the rest.
"""
