"""What a message on a stream costs a server that does nothing else: the native transport against grpc.aio.

`python -m bench.streams`. Both run the same servicer on uvloop, on a core of their own; a raw client that only cuts
frames keeps the other core. What counts is CPU time of the server per message, in pairs of runs next to each other.

Read with care:

* The servicer answers at once from memory: this is the price of the transport alone. bench.transport measures streams
  of heartbeats, whose handling costs the same on either.
* "exchange" has a handler that says of itself that it answers each request at once; grpc.aio runs it as a generator.
* Ten streams of one connection with one message on its way each; a server stream sends as fast as it can.
"""
