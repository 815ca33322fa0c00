"""A slip in words: at which node, and what was done there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradverify.diagnosis.formula_slips import KEPT
from gradverify.diagnosis.graph_slips import WholeSlip
from gradverify.diagnosis.naming import (
    DIGITS,
    MOST_DIGITS,
    Naming,
    digits_apart,
    listed,
    number,
)
from gradverify.diagnosis.operand_slips import CONSTANTS, count_of
from gradverify.diagnosis.paths import locals_with
from gradverify.diagnosis.slip_search import Edge, Slip

PRECISION = {
    "the partial": "the partial derivative is rounded to {form}",
    "the operands": "the operands are rounded to {form} first",
    "the result": "what it passes on is rounded to {form}",
}


def sentence(words: Naming, found: Slip | WholeSlip) -> str:
    """Where and why, in one sentence without its full stop."""
    place = where(words, found)
    return f"{place}: {reason(words, found)}" if place else reason(words, found)


def where(words: Naming, found: Slip | WholeSlip) -> str:
    """The node, as `at d = a * b`; several nodes if the slip is at several."""
    if isinstance(found, WholeSlip):
        return _where_whole(words, found)
    nodes = list(dict.fromkeys(i for i, _ in found.edges))
    if len(nodes) == 1:
        return f"at {words.line(nodes[0])}"
    op = words.graph.nodes[nodes[0]].op
    return f"at every {op}, {listed([words.line(i) for i in reversed(nodes)])}"


def _where_whole(words: Naming, found: WholeSlip) -> str:
    if found.cause.name not in ("overwritten", "accumulated") or not found.nodes:
        return ""
    names = listed([words.names[i] for i in sorted(found.nodes)])
    uses = [j for node in words.graph.nodes for j in node.operands]
    times = max(uses.count(i) for i in found.nodes)
    return f"at {names}, used {times} times"


def reason(words: Naming, found: Slip | WholeSlip) -> str:
    """What was done there."""
    if isinstance(found, WholeSlip):
        return found.cause.says.format(key=_whole_key(words, found))
    i, k = found.edges[0]
    own = [e for e in found.edges if e[0] == i]
    taken = locals_with(words, found) if words.is_scalar else {}
    truths = [t for e in own if (t := words.truth(*e, _digits(words, e, taken)))]
    verb = "it is" if len(own) == 1 else "they are"
    truth = f" ({verb} {listed(truths)})" if len(truths) == len(own) else ""
    node = words.graph.nodes[i]
    return found.cause.says.format(
        partials=listed([words.partial(*e) for e in own]),
        inner=words.partial(i, k).partition(" by ")[0],
        truth=truth,
        key=_key(words, i, found),
        node=words.names[i],
        op=node.op,
        n=count_of(words.right.application(i)) if k == 0 else "",
    )


def _digits(words: Naming, edge: Edge, taken: Mapping[Edge, Any]) -> int:
    """As many digits as tell a local derivative from what was taken for it."""
    if edge not in taken:
        return DIGITS
    return digits_apart(taken[edge], words.local(*edge))


def _key(words: Naming, i: int, found: Slip) -> str:
    cause, key = found.cause.name, found.key
    if cause == "wrong formula":
        return words.in_names(key.says, i)
    if cause == "operand":
        return words.names[words.graph.nodes[i].operands[key]]
    return KEYS[cause](key) if cause in KEYS else str(key)


def _other_op(key: Any) -> str:
    op, params = key
    told = ", ".join(f"{k}={v!r}" for k, v in params)
    return f"{op}({told})" if told else str(op)


def _factor(key: Any) -> str:
    if key in CONSTANTS:
        return str(key)
    return number(key, max(12, digits_apart(key, 1.0)))


def _epsilon(key: Any) -> str:
    small, way = key
    if way == "square":
        return f"the divisor d of its derivative is sqrt(d**2 + {small})"
    return f"{small} is added to the divisor of its derivative"


def short_key(key: Any) -> str:
    """A constant, and what it was cut to."""
    _, constant, short, *factors = key
    digits = max(MOST_DIGITS - 1, digits_apart(constant, short))
    said = number(short, digits)
    if factors:
        said = f"{said}, which is {' * '.join(map(str, factors[0]))}"
    return f"{number(constant, digits)} has too few digits: {said}"


# How the key of a cause is said, where it is not said as it is.
KEYS: Mapping[str, Callable[[Any], str]] = {
    "another op": _other_op,
    "lower precision": lambda key: PRECISION[key[0]].format(form=key[1]),
    "constant factor": _factor,
    "epsilon": _epsilon,
    "index overwritten": lambda key: KEPT[key],
    "turned around": lambda key: " and ".join(f"axis {k}" for k in key),
    "result for exp": lambda key: {
        "y for exp(y)": "its result y is taken for the softmax exp(y)",
        "softmax of y": "it is differentiated as softmax is, by its own result",
    }[key],
    "short constant": short_key,
    "other param": lambda key: f"the derivative with {key[0]}={key[1]!r}",
    "held constant": lambda key: str(key[0]),
}


def _whole_key(words: Naming, found: WholeSlip) -> str:
    if found.cause.name == "another input":
        out = words.names[-1]
        given = [
            f"∂{out}/∂{words.names[j]} for ∂{out}/∂{words.names[i]}"
            for i, j in found.key.items()
            if i != j
        ]
        return listed(given)
    if isinstance(found.key, int):
        return f"{found.key} times"
    return str(found.key)
