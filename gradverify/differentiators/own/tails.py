"""How a script asks our own engines for a derivative: a block of lines a mode.

A block goes by `function`, `inputs` and the `cotangent` or the `tangents`, and sets
`value` and `got`, as the mode's method does.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradverify.differentiators.spelling.source_rows import Tail, tail

REVERSE = """
value = function(*inputs)
got = tape.pullback(value, cotangent, inputs)
value = value.primal
"""
REVERSE_OVER_REVERSE = """
inner = Tape(tape.algebra)  # whose sweep is written on the tape
inside = [inner.variable(x) for x in inputs]
value = function(*inside)
first = inner.cotangents({value: 1.0})
seeds = {}
for x, t in zip(inside, tangents):
    ct = first[x.index]
    if isinstance(ct, Variable) and t is not None:
        seeds[ct] = seeds.get(ct, 0.0) + t
found = tape.cotangents(seeds)
got = [found[x.index] for x in inputs]
value = bare(value)
"""
STACK = """
def stack(x, t):
    return (np.zeros_like(x.primal) if t is None else t)[None]


"""
FORWARD_OVER_REVERSE = f"""{STACK}
over = Tape(Dual.algebra)
duals = [Dual(x.primal, stack(x, t)) for x, t in zip(inputs, tangents)]
inside = [over.variable(x) for x in duals]
value = function(*inside)
first = over.cotangents({{value: 1.0}})
found = [first[x.index] for x in inside]
got = [ct.tangent if isinstance(ct, Dual) else None for ct in found]
value = bare(value)
"""
REVERSE_OVER_FORWARD = f"""{STACK}
kind = Dual.over(tape.algebra)
value = function(*(kind(x, stack(x, t)) for x, t in zip(inputs, tangents)))
slope = value.tangent.reshape(())
found = tape.cotangents({{slope: 1.0}})
got = [found[x.index] for x in inputs]
value = bare(value)
"""
TAPE_JACOBIAN = """
value = function(*inputs)
units = np.eye(value.size).reshape((value.size, *value.shape))
got = tape.pullback(value, units, inputs)
value = value.primal
"""
JVP = """
pairs = zip(inputs, tangents)
value = function(*(x if t is None else Dual(x, t[None]) for x, t in pairs))
got = [value.tangent[0]]
value = value.primal
"""
UNITS = """
def units(k, i):
    found = [np.zeros((1, *x.shape), x.dtype) for x in inputs]
    found[k].reshape(-1)[i] = 1.0
    return found


"""
FORWARD_OVER_FORWARD = f"""{UNITS}
DUALS = Dual.over(Dual.algebra)
pairs = zip(inputs, tangents)
along = [(np.zeros_like(x) if t is None else t)[None] for x, t in pairs]
got = []
for k, x in enumerate(inputs):
    slopes = []
    for i in range(x.size):
        value = function(*map(DUALS, map(Dual, inputs, units(k, i)), along))
        slope = getattr(value, "tangent", None)
        follows = isinstance(slope, Dual)
        slopes.append(float(slope.tangent[0, 0]) if follows else 0.0)
    got.append(slopes)
value = bare(value)
"""
DUAL_JACOBIAN = f"""{UNITS}
got = []
for k, x in enumerate(inputs):
    columns = []
    for i in range(x.size):
        value = function(*map(Dual, inputs, units(k, i)))
        follows = isinstance(value, Dual)
        columns.append(value.tangent[0] if follows else np.zeros_like(value))
    got.append(np.stack(columns, axis=-1))
value = bare(value)
"""

BY_TAPE: Mapping[str, Tail] = {
    "reverse": tail(REVERSE),
    "reverse-over-reverse": tail(REVERSE_OVER_REVERSE),
    "forward-over-reverse": tail(FORWARD_OVER_REVERSE),
    "reverse-over-forward": tail(REVERSE_OVER_FORWARD),
    "jacobian": tail(TAPE_JACOBIAN),
}

BY_DUALS: Mapping[str, Tail] = {
    "forward": tail(DUAL_JACOBIAN),
    "jvp": tail(JVP),
    "forward-over-forward": tail(FORWARD_OVER_FORWARD),
    "jacobian": tail(DUAL_JACOBIAN),
}
