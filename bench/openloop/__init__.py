"""Latency against offered load: `python -m bench.openloop`, heartbeats from `python -m laura_fast load`.

Arrival times are fixed in advance and latency counts from the intended time, so a server that falls behind shows it.
Each server is asked for rates up to about what it can do; the next one higher would only show a queue that grows for as
long as the run is.

Read with care:

* Server and generator have a core each of one small virtual machine. A stall of either core is in the tail: compare
  lines of one session, and look at the spread.
* Arrivals are spaced evenly and leave in ticks of the generator; at high rates requests of one tick arrive together.
"""
