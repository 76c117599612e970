"""One thin servicer per proto service: validate, convert, answer."""
