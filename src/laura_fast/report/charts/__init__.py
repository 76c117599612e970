"""Charts: one question each, units on every axis, spread as bars, colours that colour-blind readers can tell apart."""
