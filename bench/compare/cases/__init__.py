"""The short list: one module per hot path."""
