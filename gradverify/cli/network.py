"""One derivative of a large network, in forward mode, by both own engines."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from mpmath import mp, mpf

from gradverify.arithmetic.multiprecision import MULTIPRECISION
from gradverify.autodiff import Dual, Tape
from gradverify.autodiff.pushforward import pushforward
from gradverify.cli.output import say
from gradverify.cli.status import RIGHT, WRONG, CommandError
from gradverify.compare import decimal
from gradverify.graph import Array, Case, interpret, interpret_all
from gradverify.reference import Reference, Slope, reference
from gradverify.suites.large_network import Network, entry_of, sizes_of


def forward_entry(sizes: str, entry: str, output: int | None, activation: str) -> int:
    """Print the derivative of one output by one weight; the status is 1 if it is wrong.

    If no output is given, it is the one that a weight of the last layer belongs to,
    else output 0.
    """
    try:
        network = Network(sizes_of(sizes), activation, "single")
        position, index = entry_of(network, entry)
        is_last = position >= len(network.inputs) - 2
        k = output if output is not None else index[-1] if is_last else 0
        if not 0 <= k < network.sizes[-1]:
            raise ValueError(f"output {k}: {sizes} has 0 to {network.sizes[-1] - 1}")
        network = Network(network.sizes, activation, "single", target=k)
    except ValueError as error:
        raise CommandError(str(error)) from error
    name = f"{network.inputs[position]}{list(index)}"
    say(f"∂o[{k}]/∂{name} of {network.name}, {activation}")
    found = reference(network.case)
    if found.status is not Slope.SMOOTH:
        raise CommandError(f"the exact derivative is not known: {found.note}")
    return _compared(network.case, found, position, index, is_last)


def _compared(
    case: Case, found: Reference, position: int, index: tuple[int, ...], is_last: bool
) -> int:
    exact = found.gradient[position][index]
    allowed = float(found.loose[position][index])
    say(f"exact     {decimal(exact)}, by rounding ± {allowed:.1e}")
    if is_last and len(index) == 2:
        say(f"h[{index[0]}]     {decimal(_hidden(case, index))}, its closed form")
    status = RIGHT
    for name, engine in ENGINES.items():
        began = time.process_time()
        got = float(engine(case, position, index))
        spent = time.process_time() - began
        error = float(abs(mpf(got) - exact))
        agrees = error <= allowed
        status = status if agrees else WRONG
        verdict = "agrees" if agrees else "wrong"
        say(f"{name:<10}{got!r}, off by {error:.1e}: {verdict}, {spent * 1e3:.1f} ms")
    return status


def _hidden(case: Case, index: tuple[int, ...]) -> Any:
    """∂o_j/∂v_ij = h_i, from column j alone, in mpmath and without a derivative."""
    graph = case.graph
    last = max(i for i, node in enumerate(graph.nodes) if node.op == "matmul")
    with mp.workprec(200):
        inputs = [MULTIPRECISION.lift(x) for x in case.point]
        values = interpret_all(graph, MULTIPRECISION.table, inputs)
        return values[graph.nodes[last].operands[0]][index[0]]


def _by_duals(case: Case, position: int, index: tuple[int, ...]) -> Any:
    duals = [
        Dual(x, _unit(x, index if k == position else None)[None])
        for k, x in enumerate(case.point)
    ]
    return interpret(case.graph, Dual.table, duals).tangent[0]


def _by_tape(case: Case, position: int, index: tuple[int, ...]) -> Any:
    tape = Tape()
    variables = [tape.variable(x) for x in case.point]
    output = interpret(case.graph, tape.table, variables)
    unit = _unit(case.point[position], index)
    return pushforward(tape, output, {variables[position]: unit})


def _unit(x: Array, index: tuple[int, ...] | None) -> Array:
    unit = np.zeros_like(x)
    if index is not None:
        unit[index] = 1.0
    return unit


ENGINES: Mapping[str, Callable[[Case, int, tuple[int, ...]], Any]] = {
    "own-dual": _by_duals,
    "own-tape": _by_tape,
}
