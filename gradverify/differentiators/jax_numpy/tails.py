"""How a script asks JAX for a derivative: a block of lines a mode.

A block goes by `function`, `inputs` and the `cotangent` or the `tangents`, and sets
`value` and `got`, as the mode's method does.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradverify.differentiators.spelling.source_rows import Tail, tail

OUTPUT = """
wrt = tuple(range(len(inputs)))


def output(*inputs):
    return jnp.asarray(function(*inputs))


"""
PULLED = f"""{OUTPUT}def pulled(cotangent, *inputs):
    value, pull = jax.vjp(output, *inputs)
    return value, pull(cotangent)


"""
MOVED = f"""{OUTPUT}moved = [i for i, t in enumerate(tangents) if t is not None]
directions = tuple(tangents[i] for i in moved)


def closed(function, inputs):
    def along(*some):
        given = dict(zip(moved, some))
        return function(*(given.get(i, x) for i, x in enumerate(inputs)))

    return along, tuple(inputs[i] for i in moved)


def pushed(directions, *inputs):
    along, start = closed(output, inputs)
    return jax.jvp(along, start, directions)


"""

REVERSE = f"""{PULLED}
value, got = jax.jit(pulled)(cotangent, *inputs)
"""
REVERSE_UNCOMPILED = f"""{PULLED}
value, got = pulled(cotangent, *inputs)
"""
CHECKPOINT = f"""{OUTPUT}
def pulled(cotangent, *inputs):
    value, pull = jax.vjp(jax.checkpoint(output), *inputs)
    return value, pull(cotangent)


value, got = jax.jit(pulled)(cotangent, *inputs)
"""
VMAPPED = f"""{PULLED}
def other(x):
    return jnp.flip(x) / 2


def batched(*given):
    # three examples, of which the middle one is looked at
    batch = [jnp.stack((other(x), x, other(x))) for x in given]
    values, found = jax.vmap(pulled)(*batch)
    return values[1], [ct[1] for ct in found]


value, got = jax.jit(batched)(cotangent, *inputs)
"""
FORWARD = f"""{MOVED}
value, tangent = jax.jit(pushed)(directions, *inputs)
got = [tangent]
"""
FORWARD_UNCOMPILED = f"""{MOVED}
value, tangent = pushed(directions, *inputs)
got = [tangent]
"""
HVP = """

value, got = jax.jit(lambda *x: (output(*x[1:]), product(*x)))(directions, *inputs)
"""
REVERSE_OVER_REVERSE = f"""{MOVED}
def product(directions, *inputs):
    _, pull = jax.vjp(jax.grad(output, argnums=tuple(moved)), *inputs)
    return pull(directions)
{HVP}"""
FORWARD_OVER_REVERSE = f"""{MOVED}
def product(directions, *inputs):
    along, start = closed(jax.grad(output, argnums=wrt), inputs)
    return jax.jvp(along, start, directions)[1]
{HVP}"""
REVERSE_OVER_FORWARD = f"""{MOVED}
def product(directions, *inputs):
    return jax.grad(lambda *x: pushed(directions, *x)[1], argnums=wrt)(*inputs)
{HVP}"""
FORWARD_OVER_FORWARD = f"""{MOVED}
def product(directions, *inputs):
    return jax.jacfwd(lambda *x: pushed(directions, *x)[1], argnums=wrt)(*inputs)
{HVP}"""
JACREV = f"""{OUTPUT}
found = jax.jacrev(output, argnums=wrt)
value, got = jax.jit(lambda *x: (output(*x), found(*x)))(*inputs)
"""
JACFWD = f"""{OUTPUT}
found = jax.jacfwd(output, argnums=wrt)
value, got = jax.jit(lambda *x: (output(*x), found(*x)))(*inputs)
"""
HESSIAN = f"""{OUTPUT}
found = jax.hessian(output, argnums=wrt)
value, blocks = jax.jit(lambda *x: (output(*x), found(*x)))(*inputs)
got = [list(row) for row in blocks]
"""

TAILS: Mapping[str, Tail] = {
    "reverse": tail(REVERSE),
    "reverse-uncompiled": tail(REVERSE_UNCOMPILED),
    "checkpoint": tail(CHECKPOINT),
    "vmapped": tail(VMAPPED),
    "forward": tail(FORWARD),
    "forward-uncompiled": tail(FORWARD_UNCOMPILED),
    "reverse-over-reverse": tail(REVERSE_OVER_REVERSE),
    "forward-over-reverse": tail(FORWARD_OVER_REVERSE),
    "reverse-over-forward": tail(REVERSE_OVER_FORWARD),
    "forward-over-forward": tail(FORWARD_OVER_FORWARD),
    "jacrev": tail(JACREV),
    "jacfwd": tail(JACFWD),
    "hessian": tail(HESSIAN),
}
