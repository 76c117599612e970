"""Whether a change made the server slower, told reliably on a machine that is never quiet.

`python -m bench.compare --base REV` measures this checkout against a commit. Both trees are exported side by side, each
runs its own code, and a round is one fresh, pinned process per side, all of them in turns of milliseconds. Machines
drift by half within seconds; the slices of one turn see nearly the same machine: only their ratio is used (`slices`).

* A round gives one ratio per benchmark: the median over its turns, of the CPU time of a call in batches of a
  millisecond or so. CPU time, because what strangers do on the core is not ours; time spent waiting is gated as counts
  of syncs instead.
* The estimate is the median of the rounds' log-ratios; its interval is a BCa bootstrap (`intervals`).
* There are looks after 10, 20 and 30 rounds and at no other time, the first two with 99 % intervals (`verdicts`).
* SLOWER must exclude no change, reach 3 % and twice the spread that the same code shows against itself, survive a false
  discovery rate of 5 % over all benchmarks, and be found again with new seeds (`gate`).
* Rounds during which the machine changed its speed are measured again, within bounds (`rounds`).
* Counts that don't depend on the machine's mood are gated exactly or at +2 % (`counts`, `callgrind`).
* A wanted slowdown is written into `accepted.toml`, where a reviewer sees it (`accepted`).

`bench.compare.quality` measures the gate itself: its false alarms, and the planted slowdowns that it finds.
"""
