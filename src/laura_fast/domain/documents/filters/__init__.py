"""A query document, checked (`tree`) and compiled (`Filter`)."""
