"""Filters, expressions and pipelines: how large and deep they may be, and what running them may take."""

from typing import Final

from laura_fast.limits.documents import MAX_DOCUMENT_BYTES
from laura_fast.limits.units import KIB, MIB

EXAMINED_PER_CLOCK_LOOK: Final = 64
"""Documents examined between two looks at the clock: well under a millisecond, and the look costs nothing then."""

# --- filters ----------------------------------------------------------------------------------------------------------

MAX_FILTER_DEPTH: Final = 100
"""Operators inside each other, MongoDB's limit: compiling and matching recurse this deep."""

MAX_FILTER_NODES: Final = 10_000
"""Conditions of one filter: each may run on every document."""

MAX_IN_VALUES: Final = 100_000
"""Values of one `$in`, `$nin` or `$all`: a lookup by many ids passes, a collection sent along does not."""

MAX_PATTERNS: Final = 64
"""Regular expressions of one filter, each with memory of its own."""

MAX_PATTERN_BYTES: Final = 32 * KIB
"""MongoDB's limit of a regular expression's length."""

PATTERN_MEMORY_BYTES: Final = 1 * MIB
"""Program and automaton of one regular expression; what needs more is refused, so that no pattern eats the memory."""

# --- expressions ------------------------------------------------------------------------------------------------------

MAX_EXPRESSION_DEPTH: Final = 100
"""As deep as a document may be: compiling and running an expression recurse with it."""

MAX_EXPRESSION_NODES: Final = 20_000
"""Values in one expression: hand-written ones have dozens, generated lists of `$in` a few thousand."""

MAX_EXPRESSION_STRING: Final = MAX_DOCUMENT_BYTES
"""Characters that an operator of strings may give: `$concat` of a field with itself doubles it in every stage."""

MAX_EXPRESSION_ARRAY: Final = 1_000_000
"""Elements that `$range` and `$concatArrays` may give."""

MAX_UNMEASURED_GROWTH: Final = 8
"""How many documents' worth a value may be before it is measured: one that is never measured is 128 MiB at most."""

SMALL_CONSTANT_BYTES: Final = 64
"""Constants up to this size may be repeated a million times, by a loop, without being measured: 64 MB."""

LOOP_STEPS_PER_LOOK: Final = 8
"""Steps of a loop in an expression between two looks whether it may go on: a step may look at a whole document."""

# --- pipelines --------------------------------------------------------------------------------------------------------

MAX_PIPELINE_STAGES: Final = 200
"""Each stage pulls from the one before it, so that as many frames are on the stack; people write a dozen."""

MAX_FACETS: Final = 100
"""Pipelines of one `$facet`: each runs over all documents once more."""

MAX_BUCKETS: Final = 1_000
"""Boundaries of one `$bucket`: each value is compared with one after the other."""

MAX_GROUP_FIELDS: Final = 1_000
"""Every group has a state for each field."""
