"""Raw files: what each kind of measurement leaves behind, and nothing derived from it."""
