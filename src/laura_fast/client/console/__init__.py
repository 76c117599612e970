"""What the cluster looks like to a person: tables, live views, lines of changes, and the same as JSON."""
