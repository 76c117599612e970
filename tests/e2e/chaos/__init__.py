"""Three real servers of one replica set under load, and whatever may happen to them at random.

Members reach each other through a proxy that cuts links; they are killed, stopped and asked to step down. Clients write
with a majority and repeat each request under its id until it is answered. In the end everything that was answered must
be there, each write once, on every member alike, and what was read must have been the newest::

    python -m tests.e2e.chaos --minutes 30 --seed 1 --record raw.json
"""
