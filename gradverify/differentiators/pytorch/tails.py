"""How a script asks PyTorch for a derivative: a block of lines a mode.

A block goes by `function`, `inputs` and the `cotangent` or the `tangents`, and sets
`value` and `got`, as the mode's method does.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradverify.differentiators.spelling.source_rows import Tail, tail

OUTPUT = """
def output(*inputs):
    return torch.as_tensor(function(*inputs), device=DEVICE)


"""
DETACHED = f"{OUTPUT}inputs = tuple(x.detach() for x in inputs)\n"
DUALS = """
def duals(inputs):
    pairs = zip(inputs, tangents)
    return [x if t is None else forward_ad.make_dual(x, t) for x, t in pairs]


"""
# There are no Jacobians by arrays without entries.
FILLED = f"""{DETACHED}value = output(*inputs)
wrt = [i for i, x in enumerate(inputs) if x.numel() and value.numel()]
filled = tuple(inputs[i] for i in wrt)


def output_of(*some):
    given = dict(zip(wrt, some))
    return output(*(given.get(i, x) for i, x in enumerate(inputs)))


def placed(blocks, filler=None):
    given = dict(zip(wrt, blocks))
    return [given.get(i, filler) for i in range(len(inputs))]


every = tuple(range(len(filled)))
functional = torch.autograd.functional
"""

REVERSE = f"""{OUTPUT}
value = output(*inputs)
got = [None] * len(inputs)
if value.requires_grad:
    got = torch.autograd.grad(value, inputs, cotangent, allow_unused=True)
"""
BACKWARD = f"""{OUTPUT}
value = output(*inputs)
if value.requires_grad:
    value.backward(cotangent / 2, retain_graph=True)
    value.backward(cotangent / 2)  # adds to the grad that is there
got = [x.grad for x in inputs]
"""
FUNC = f"""{DETACHED}
value, pull = torch.func.vjp(output, *inputs)
got = pull(cotangent)
"""
VMAPPED = f"""{DETACHED}
def one(cotangent, *inputs):
    value, pull = torch.func.vjp(output, *inputs)
    return value, pull(cotangent)


def other(x):
    return x.flip(tuple(range(x.ndim))) / 2


# three examples, of which the middle one is looked at
batch = [torch.stack((other(x), x, other(x))) for x in (cotangent, *inputs)]
values, found = torch.func.vmap(one)(*batch)
value, got = values[1], [ct[1] for ct in found]
"""
AOT = f"""{OUTPUT}
from functorch.compile import aot_function, nop
from torch._decomp import core_aten_decompositions

traced = aot_function(
    output, fw_compiler=nop, decompositions=core_aten_decompositions()
)
value = traced(*inputs)
got = [None] * len(inputs)
if value.requires_grad:
    got = torch.autograd.grad(value, inputs, cotangent, allow_unused=True)
"""
FORWARD = f"""{DETACHED}{DUALS}
with forward_ad.dual_level():
    value, tangent = forward_ad.unpack_dual(output(*duals(inputs)))
got = [tangent]
"""
AGAIN = """
def again(first, cotangents):
    pairs = [
        (x, ct)
        for x, ct in zip(first, cotangents)
        if x is not None and ct is not None and x.requires_grad
    ]
    if not pairs:
        return [None] * len(inputs)
    outputs, seeds = zip(*pairs)
    return torch.autograd.grad(outputs, inputs, seeds, allow_unused=True)


"""
REVERSE_OVER_REVERSE = f"""{OUTPUT}{AGAIN}
value = output(*inputs)
first = [None] * len(inputs)
if value.requires_grad:
    first = torch.autograd.grad(value, inputs, create_graph=True, allow_unused=True)
got = again(first, tangents)
"""
FORWARD_OVER_REVERSE = f"""{OUTPUT}{DUALS}
with forward_ad.dual_level():
    value = output(*duals(inputs))
    found = [None] * len(inputs)
    if value.requires_grad:
        found = torch.autograd.grad(value, inputs, allow_unused=True)
    got = [g if g is None else forward_ad.unpack_dual(g).tangent for g in found]
    value = forward_ad.unpack_dual(value).primal
"""
REVERSE_OVER_FORWARD = f"""{OUTPUT}{DUALS}{AGAIN}
with forward_ad.dual_level():
    value, slope = forward_ad.unpack_dual(output(*duals(inputs)))
got = again([slope], [None if slope is None else torch.ones_like(slope)])
"""
FORWARD_OVER_FORWARD = f"""{DETACHED}
moved = [i for i, t in enumerate(tangents) if t is not None]
directions = tuple(tangents[i] for i in moved)


def slope(*inputs):
    def along(*some):
        given = dict(zip(moved, some))
        return output(*(given.get(i, x) for i, x in enumerate(inputs)))

    return torch.func.jvp(along, tuple(inputs[i] for i in moved), directions)[1]


value = output(*inputs)
wrt = tuple(i for i, x in enumerate(inputs) if x.numel())
found = dict(zip(wrt, torch.func.jacfwd(slope, argnums=wrt)(*inputs)))
got = [found.get(i) for i in range(len(inputs))]
"""
JACOBIAN = f"""{FILLED}
got = placed(functional.jacobian(output_of, filled))
"""
JACOBIAN_VECTORIZED = f"""{FILLED}
got = placed(functional.jacobian(output_of, filled, vectorize=True))
"""
JACOBIAN_FORWARD = f"""{FILLED}
strategy = dict(vectorize=True, strategy="forward-mode")
got = placed(functional.jacobian(output_of, filled, **strategy))
"""
JACREV = f"""{FILLED}
got = placed(torch.func.jacrev(output_of, argnums=every)(*filled))
"""
JACFWD = f"""{FILLED}
got = placed(torch.func.jacfwd(output_of, argnums=every)(*filled))
"""
HESSIAN = f"""{FILLED}
rows = functional.hessian(output_of, filled)
got = placed([placed(row) for row in rows], [])
"""
HESSIAN_VECTORIZED = f"""{FILLED}
strategy = dict(vectorize=True, outer_jacobian_strategy="forward-mode")
rows = functional.hessian(output_of, filled, **strategy)
got = placed([placed(row) for row in rows], [])
"""
HESSIAN_FUNC = f"""{FILLED}
rows = torch.func.hessian(output_of, argnums=every)(*filled)
got = placed([placed(row) for row in rows], [])
"""

TAILS: Mapping[str, Tail] = {
    "reverse": tail(REVERSE),
    "backward": tail(BACKWARD),
    "func": tail(FUNC),
    "vmapped": tail(VMAPPED),
    "aot": tail(AOT),
    "forward": tail(FORWARD),
    "reverse-over-reverse": tail(REVERSE_OVER_REVERSE),
    "forward-over-reverse": tail(FORWARD_OVER_REVERSE),
    "reverse-over-forward": tail(REVERSE_OVER_FORWARD),
    "forward-over-forward": tail(FORWARD_OVER_FORWARD),
    "jacobian": tail(JACOBIAN),
    "jacobian-vectorized": tail(JACOBIAN_VECTORIZED),
    "jacobian-forward": tail(JACOBIAN_FORWARD),
    "jacrev": tail(JACREV),
    "jacfwd": tail(JACFWD),
    "hessian": tail(HESSIAN),
    "hessian-vectorized": tail(HESSIAN_VECTORIZED),
    "hessian-func": tail(HESSIAN_FUNC),
}
