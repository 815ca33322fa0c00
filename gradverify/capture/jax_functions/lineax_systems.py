"""The primitive of Lineax that solves a linear system by factors of its matrix.

Its derivative is that of the solution by the operator. The factors are held constant,
so neither a run of the solver nor differences beside them show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
from jax.flatten_util import ravel_pytree

trees: Any = jax.tree_util


def is_lineax(eqn: Any) -> bool:
    """Whether an equation is such a system."""
    return eqn.primitive.name == "linear_solve" and "treedef" in eqn.params


def matrix_and_side(eqn: Any, values: Sequence[Any]) -> Any:
    """The jaxpr that makes the matrix and the right side from the operands."""

    def made(*operands: Any) -> Any:
        operator, _, vector, *_ = _arguments(eqn, operands)
        return operator.as_matrix(), ravel_pytree(vector)[0]

    return jax.make_jaxpr(made)(*values)


def factored_anew(eqn: Any, values: Sequence[Any]) -> list[Any]:
    """The operands of an equation, with the factors of the operator that is in them."""
    operator, _, vector, options, solver, throw = _arguments(eqn, values)
    state = solver.init(operator, options)
    leaves = trees.tree_leaves((operator, state, vector, options, solver, throw))
    places = [k for k, x in enumerate(eqn.params["static"]) if _is_place(x)]
    return [leaves[k] for k in places]


def _arguments(eqn: Any, values: Sequence[Any]) -> Any:
    """Operator, the solver's state, right side, options, the solver, `throw`."""
    rest = iter(values)
    whole = [next(rest) if _is_place(x) else x for x in eqn.params["static"]]
    return trees.tree_unflatten(eqn.params["treedef"], whole)


def _is_place(x: Any) -> bool:
    """Whether an entry of what is static stands for an operand of the equation."""
    return type(x) is object
