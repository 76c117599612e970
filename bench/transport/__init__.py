"""The two transports and grpc-go side by side, where h2load's repeated unary call is not enough.

`python -m bench.transport` measures, interleaved in one session with the processes of `bench.rivals`: heartbeats from
h2load, from Go and from grpc.aio, the last two with another deadline on each call; streams of heartbeats; and TLS.
What to keep in mind when reading its numbers:

* Read CPU per call. grpc.aio's client is slower than two of the three servers, and what it leaves idle isn't counted.
* A client that can't keep a server busy also sends less at a time, so each call costs the server more of a read.
* The raw client of the streams sends prepared bytes and counts the bytes of the answers; it shares no code with a gRPC
  library. A call of a stream is one message.
* The Go server knows neither the stream of heartbeats nor a certificate, and takes part only where it can.

Memory is measured elsewhere: `python -m bench.endurance --trial idle` holds five thousand idle connections.
"""
