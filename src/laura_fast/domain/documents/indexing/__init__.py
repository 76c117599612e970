"""Secondary indexes: what one is, and which entries a document has in it."""
