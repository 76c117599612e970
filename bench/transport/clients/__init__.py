"""The load generators beside h2load."""
