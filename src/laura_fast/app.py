"""The composition root: the only place that picks transport, storage and clock, and wires them."""
