"""From a query document to its tree: everything that can be wrong with a filter is found here or in `conditions`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from bson.regex import Regex

from laura_fast.domain.documents import paths
from laura_fast.domain.documents.expressions import compile_expression
from laura_fast.domain.documents.filters.conditions import CONDITIONS, holds_operators
from laura_fast.domain.documents.filters.faults import fault
from laura_fast.domain.documents.filters.patterns import pattern_of
from laura_fast.domain.documents.filters.tree import And, Compare, Expression, Matches, Node, Not, Operator, Or, Pattern
from laura_fast.domain.documents.keys import regex_options
from laura_fast.limits import queries as limits

if TYPE_CHECKING:
    from collections.abc import Callable


class Parser:
    """Parses one filter and counts what is in it."""

    def __init__(self, constants: Mapping[str, Any] | None = None) -> None:
        """`constants` are what `$expr` has as `$$NOW` and the like."""
        self._constants = constants
        self._conditions = 0
        self._patterns = 0
        self._depth = 0

    def query(self, query: Any, operator: str = "the filter", *, of_elements: bool = False) -> Node:
        """The tree of a query document.

        Args:
            query: What should be one.
            operator: Whose operand it is, for messages.
            of_elements: Its paths begin in elements of an array, where `$expr` has no meaning.

        Raises:
            InvalidArgumentError: FILTER_INVALID, naming the operator; PATH_INVALID; or what `$expr` raises.
        """
        if not isinstance(query, Mapping):
            raise fault(operator, "needs a document")
        self._enter(operator)
        entries = (self._entry(name, operand, of_elements) for name, operand in query.items() if name != "$comment")
        nodes = [node for entry in entries for node in entry]
        self._depth -= 1
        return nodes[0] if len(nodes) == 1 else And(tuple(nodes))

    def operators(self, path: str, operators: Mapping[str, Any]) -> list[Node]:
        """One node for each operator on a path; all of them must hold.

        Raises:
            InvalidArgumentError: As `query`.
        """
        self._enter(path)
        nodes = []
        for name, operand in operators.items():
            parse = CONDITIONS.get(name)
            if parse is None:
                raise fault(name, "is not an operator on a field")
            nodes += [self.counted(node) for node in parse(self, path, name, operand, operators)]
        self._depth -= 1
        return nodes

    def pattern(self, source: str, options: str = "") -> Pattern:
        """A regular expression, counted.

        Raises:
            InvalidArgumentError: FILTER_INVALID.
        """
        self._patterns += 1
        if self._patterns > limits.MAX_PATTERNS:
            raise fault("$regex", f"comes more than {limits.MAX_PATTERNS} times in one filter")
        return pattern_of(source, options)

    def pattern_value(self, value: Regex[str]) -> Pattern:
        """A regex value that stands for a pattern, counted.

        Raises:
            InvalidArgumentError: FILTER_INVALID.
        """
        return self.pattern(value.pattern, regex_options(value))

    def counted(self, node: Node) -> Node:
        """The node, counted.

        Raises:
            InvalidArgumentError: FILTER_INVALID: too many of them.
        """
        self._conditions += 1
        if self._conditions > limits.MAX_FILTER_NODES:
            raise fault("the filter", f"has more than {limits.MAX_FILTER_NODES:,} conditions")
        return node

    def _enter(self, operator: str) -> None:
        self._depth += 1
        if self._depth > limits.MAX_FILTER_DEPTH:
            raise fault(operator, f"is nested deeper than {limits.MAX_FILTER_DEPTH} levels")

    def _entry(self, name: str, operand: Any, of_elements: bool) -> list[Node]:
        if name.startswith("$"):
            return [self.counted(self._logical(name, operand, of_elements))]
        paths.split(name)
        if type(operand) is Regex:
            return [self.counted(Matches(name, self.pattern_value(operand)))]
        if holds_operators(operand):
            return self.operators(name, operand)
        return [self.counted(Compare(name, Operator.EQ, operand))]

    def _logical(self, name: str, operand: Any, of_elements: bool) -> Node:
        if name == "$expr" and not of_elements:
            return Expression(compile_expression(operand, self._constants))
        combine = LOGICAL.get(name)
        if combine is None:
            raise fault(name, "is not an operator beside fields" + (" of elements" if of_elements else ""))
        if not isinstance(operand, list) or not operand:
            raise fault(name, "needs a list of at least one document")
        return combine(tuple(self.query(each, name, of_elements=of_elements) for each in operand))


LOGICAL: Final[dict[str, Callable[[tuple[Node, ...]], Node]]] = {
    "$and": And,
    "$or": Or,
    "$nor": lambda nodes: Not(Or(nodes)),
}
