"""The replicated systems under measurement."""
