"""One document, and what a sort, a projection or an update may name in it."""

from typing import Final

from laura_fast.limits.units import MIB

MAX_DOCUMENT_BYTES: Final = 16 * MIB
"""MongoDB's limit: one document is held, copied and compared as a whole."""

MAX_DOCUMENT_DEPTH: Final = 100
"""MongoDB's limit of nesting, the document itself included: what walks a document may recurse this deep."""

MAX_PATH_PARTS: Final = 100
"""Names in a dotted path: as many as a document has levels."""

POSITION_DIGITS: Final = 9
"""Digits of a position in an array: more than any array of 16 MiB needs, far fewer than Python refuses to read."""

MAX_SORT_FIELDS: Final = 32
"""As many as an index may have, which is what a sort is made of."""

MAX_PATHS: Final = 10_000
"""Paths of one update or projection: compiling a million, as a message can hold, would take the loop half a minute."""

MAX_ARRAY_PADDING: Final = 1_500_000
"""MongoDB's limit for one array; here all nulls that an update pads arrays with, so that a short update can't take
gigabytes before the document is found to be too large. More would not fit in 16 MiB anyway."""
