"""The choice of an index: which ranges of keys a filter asks for, what each index offers, and why one is taken."""
