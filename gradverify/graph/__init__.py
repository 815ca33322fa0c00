"""The intermediate representation: straight-line programs of ops over arrays."""

from gradverify.graph.case import Case
from gradverify.graph.interpreter import (
    OutsideDomain,
    interpret,
    interpret_again,
    interpret_all,
    live,
)
from gradverify.graph.limits import Limits
from gradverify.graph.node import (
    CONSTANTS,
    LEAVES,
    Array,
    Node,
    apply_op,
    data_leaf,
    input_leaf,
    literal_leaf,
)
from gradverify.graph.program import Arrays, Graph
from gradverify.graph.serial import (
    array_from_json,
    array_to_json,
    case_from_json,
    case_name,
    case_to_json,
    graph_from_json,
    graph_to_json,
)
from gradverify.graph.show import formula, names_of, numbered_lines, wrapped

__all__ = [
    "CONSTANTS",
    "LEAVES",
    "Array",
    "Arrays",
    "Case",
    "Graph",
    "Limits",
    "Node",
    "OutsideDomain",
    "apply_op",
    "array_from_json",
    "array_to_json",
    "case_from_json",
    "case_name",
    "case_to_json",
    "data_leaf",
    "formula",
    "graph_from_json",
    "graph_to_json",
    "input_leaf",
    "interpret",
    "interpret_again",
    "interpret_all",
    "literal_leaf",
    "live",
    "names_of",
    "numbered_lines",
    "wrapped",
]
