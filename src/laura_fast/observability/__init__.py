"""What an operator can see: logs, metrics, and the HTTP side port."""
