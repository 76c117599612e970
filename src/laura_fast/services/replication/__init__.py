"""Replication on the wire: what a member answers to others, and how it asks them; both sides convert alike."""
