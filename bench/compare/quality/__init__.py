"""How good the gate is: how often it cries wolf, and which slowdowns it finds.

`python -m bench.compare.quality record` measures rounds of the same code against itself and against copies whose
heartbeat was slowed down on purpose, all interleaved, so that the machine's moods meet all alike. `live` runs the whole
gate against each copy. `report` resamples a thousand gate runs per copy from the recorded rounds and holds the shares
to what is asked of the gate. Both recordings go on where they were stopped.
"""
