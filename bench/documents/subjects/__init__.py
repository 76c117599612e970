"""The databases under measurement."""
