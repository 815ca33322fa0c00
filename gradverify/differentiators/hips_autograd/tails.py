"""How a script asks autograd for a derivative: a block of lines a mode.

A block goes by `function`, `inputs` and the `cotangent` or the `tangents`, and sets
`value` and `got`, as the mode's method does.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradverify.differentiators.spelling.source_rows import Tail, tail

WRT = "wrt = tuple(range(len(inputs)))\n"
MOVED = f"""{WRT}moved = tuple(i for i, t in enumerate(tangents) if t is not None)
directions = tuple(tangents[i] for i in moved)
"""

REVERSE = f"""{WRT}
vjp, value = make_vjp(function, argnum=wrt)(*inputs)
got = vjp(cotangent)
"""
FORWARD = f"""{MOVED}
value, tangent = make_jvp(function, argnum=moved)(*inputs)(directions)
got = [tangent]
"""
REVERSE_OVER_REVERSE = f"""{MOVED}
vjp, _ = make_vjp(grad(function, argnum=moved), argnum=wrt)(*inputs)
value, got = function(*inputs), vjp(directions)
"""
FORWARD_OVER_REVERSE = f"""{MOVED}
jvp = make_jvp(grad(function, argnum=wrt), argnum=moved)(*inputs)
value, got = function(*inputs), jvp(directions)[1]
"""
REVERSE_OVER_FORWARD = f"""{MOVED}
def slope(*inputs):
    return make_jvp(function, argnum=moved)(*inputs)(directions)[1]


value, got = function(*inputs), grad(slope, argnum=wrt)(*inputs)
"""
JACOBIAN = f"""{WRT}
def block(i):
    if not inputs[i].size or not np.size(value):
        return None  # autograd has none by or of arrays without entries
    return jacobian(function, argnum=i)(*inputs)


value = function(*inputs)
got = [block(i) for i in wrt]
"""
HESSIAN = f"""{WRT}
def block(i, j):
    if not inputs[i].size or not inputs[j].size:
        return None  # autograd has none by or of arrays without entries
    return jacobian(jacobian(function, argnum=i), argnum=j)(*inputs)


value = function(*inputs)
got = [[block(i, j) for j in wrt] for i in wrt]
"""

TAILS: Mapping[str, Tail] = {
    "reverse": tail(REVERSE),
    "forward": tail(FORWARD),
    "reverse-over-reverse": tail(REVERSE_OVER_REVERSE),
    "forward-over-reverse": tail(FORWARD_OVER_REVERSE),
    "reverse-over-forward": tail(REVERSE_OVER_FORWARD),
    "jacobian": tail(JACOBIAN),
    "hessian": tail(HESSIAN),
}
