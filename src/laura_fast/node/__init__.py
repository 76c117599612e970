"""The shell around the pure machines: owns time, tasks, peers and storage."""
