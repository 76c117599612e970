"""Does the server stay the same for hours? Memory, descriptors and errors under a million of everything.

Caveats first: this measures one server process on loopback, the load comes from this process and its children on the
same machine, and memory is RssAnon, so that the mapped database file doesn't count.
"""
