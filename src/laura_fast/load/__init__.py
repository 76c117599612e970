"""The load generator: calls at times fixed in advance, on the client's HTTP/2 machine, at the least cost per call.

`plan` (when) and `calls` (what) → `driving` (now) → `link` (a socket) → `connection` (frames) → `measuring` (latencies)
→ `report`. `runner` puts them together.
"""
