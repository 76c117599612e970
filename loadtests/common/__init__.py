"""What the load scenarios share. They see the server over the network only, through the project's messages and stubs.

Exit codes of a headless run: 0 all limits held; 1 a limit was broken; 3 the generator itself was the bottleneck, so the
numbers say nothing about the server.
"""
