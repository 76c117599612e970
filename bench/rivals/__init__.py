"""The same heartbeat and registration on other stacks, measured side by side with this server.

`python -m bench.rivals` runs every subject whose toolchain is present, interleaved in one session. What to keep in
mind when reading its numbers:

* The rivals hold their registry in memory and forget it. This server checks limits, detects failures, keeps metrics
  and makes registrations durable, and pays for it.
* All load comes from one generator on one core; a run in which that core was the limit is marked.
* All calls of a run beat as the same node, because h2load repeats one request body. It writes the path anew into every
  request where gRPC's own clients index it, which costs every server a little.
* At a fixed rate h2load paces each connection by a timer of its own, and all timers start together: requests come in
  small bursts of one per connection.
* etcd, nghttpd and redis answer another question; they are scale marks, not competitors.

What isn't installed is skipped and said so. On Debian all of it comes from: nghttp2-client; golang-go
golang-google-grpc-dev golang-google-protobuf-dev golang-github-golang-protobuf-1-5-dev protoc-gen-go
protoc-gen-go-grpc protobuf-compiler; g++ pkg-config libgrpc++-dev protobuf-compiler-grpc; etcd-server; nghttp2-server;
redis-server redis-tools.
"""
