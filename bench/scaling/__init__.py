"""How costs grow with the number of registered nodes, measured in one server process per curve.

The size goes up and down again, round after round, so that drift of the machine hits every size alike. What to keep in
mind: the client is Python on another core and knows the topology's version; memory is RssAnon after the beats of a
size, and a heap that shrank does not return every page.
"""
