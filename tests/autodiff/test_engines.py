"""Our two engines against each other, over every arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.arithmetic.balls import BALLS
from gradverify.arithmetic.floats import EXTENDED, FLOATS
from gradverify.arithmetic.multiprecision import MULTIPRECISION
from gradverify.autodiff import Dual, Tape, Variable
from gradverify.autodiff.rules import RULES
from gradverify.differentiators.examples import EXAMPLES
from gradverify.ops import OPS
from gradverify.ops.linear_algebra_rows import LINEAR_ALGEBRA
from gradverify.ops.transform_rows import TRANSFORMS

ARITHMETICS = [FLOATS, EXTENDED, BALLS, MULTIPRECISION]

KEEP = {"axis": (0,), "keepdims": True}
SETTINGS: Mapping[str, list[tuple[Any, Mapping[str, Any]]]] = {
    "power": [(((3,),), {"n": n}) for n in (0, 1, 2, 3, -1, 1.5)],
    "where": [((s, (3,), t), {}) for s, t in [((3,), (3,)), ((2, 3), ()), ((), ())]],
    **{
        op: [(((),), {}), (((2, 3),), {"axis": (-1,)}), (((2, 3),), KEEP)]
        for op in ("sum", "mean", "logsumexp", "prod", "max", "min", "norm")
    },
    **{
        op: [(((4,),), {"ddof": 1}), (((3, 2),), {"axis": (-1,)}), (((2, 3),), KEEP)]
        for op in ("var", "std")
    },
    **{
        op: [(((3,),), {"axis": (0,)}), (((2, 3),), {"axis": (-2,)})]
        for op in ("softmax", "log_softmax", "cumsum")
    },
    "gelu": [(((3,),), {"approximate": form}) for form in ("none", "tanh")],
    "clip": [(((3,),), {"low": 0.8, "high": 1.1})],
    "slice": [(((2, 3),), {"axis": (a,), "start": 1, "stop": 2}) for a in (0, -1)],
    "concatenate": [
        (((3,), (1,)), {"axis": (-1,)}),
        (((2, 3), (1, 3)), {"axis": (0,)}),
    ],
    "stack": [(((2, 3), (2, 3)), {"axis": (a,)}) for a in (0, 1, -1)],
    "einsum": [
        (((2, 3), (2, 3)), {"subscripts": "ij,ij->j"}),
        (((2, 3), (4, 2)), {"subscripts": "ij,ki->kj"}),
        (((2,), (3,)), {"subscripts": "i,j->j"}),
    ],
    "reshape": [(((2, 3),), {"shape": (3, 2)}), (((1, 1),), {"shape": ()})],
    "transpose": [(((2, 3),), {}), (((2, 1, 3),), {"axes": (2, 0, 1)})],
    "broadcast_to": [(((1, 3),), {"shape": (2, 3)}), (((),), {"shape": (2, 1)})],
    "batch_norm": [(((4, 2), (2,), (2,)), {"eps": 1e-5})],
    "layer_norm": [(((2, 4), (4,), (4,)), {"eps": 1e-5})],
    "group_norm": [(((2, 4), (4,), (4,)), {"eps": 1e-5, "groups": 1})],
    "matmul": [((a, b), {}) for a in ((3,), (2, 3)) for b in ((3,), (3, 2))],
}
SHAPES: Mapping[int, list[Any]] = {
    1: [((),), ((2, 3),)],
    2: [((), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (3,))],
}


def settings_of(op: str) -> list[Any]:
    """The example that the handshake has of it; plain shapes where it needs none."""
    if op in EXAMPLES:
        return [EXAMPLES[op]]
    return [(shapes, {}) for shapes in SHAPES[OPS[op].arity]]


def all_settings(op: str) -> list[Any]:
    """Operand shapes and params of an op; there are some for every op."""
    found = SETTINGS.get(op) or settings_of(op)
    assert found
    return found


every_op = pytest.mark.parametrize("op", OPS.public())


# Of numbers in even steps, and cotangents in such, a norm would leave nothing; a matrix
# of them is nearly singular, and a softmax is next to 0 or 1.
UNEVEN = (
    "batch_norm", "layer_norm", "group_norm", "instance_norm", "pinv", "lstsq",
    "multi_head_attention", "soft_cross_entropy", "triplet_margin",
)  # fmt: skip


def numbers(shape: tuple[int, ...], start: float) -> Any:
    size = int(np.prod(shape, dtype=int))
    return (start + 0.37 * np.arange(size)).reshape(shape)


def operands_of(op: str, shapes: Any, params: Mapping[str, Any]) -> list[Any]:
    """Numbers in the domain, no two alike; Booleans where the op takes a mask."""
    made = [numbers(s, 0.61 + 0.23 * i) for i, s in enumerate(shapes)]
    if op in UNEVEN:
        made = [np.cos(7 * x) for x in made]
    for i in OPS[op].masks:
        made[i] = made[i] > 0.9
    return list(OPS[op].domain.moved(*made, **params))


def differentiable(op: str) -> int:
    """How many operands of an op have a derivative: at least one."""
    count = OPS[op].arity - len(OPS[op].masks)
    assert count > 0
    return count


def plain(x: Any) -> Any:
    return np.vectorize(float, otypes=[float])(np.asarray(x, object))


def pulled(m: Arithmetic, op: str, operands: Any, params: Any, cts: Any) -> list[Any]:
    """The cotangents of all operands but masks, by the tape."""
    tape = Tape(m)
    given = [x if x.dtype == bool else tape.variable(x) for x in operands]
    y = tape.table[op](*given, **params)
    wrt = [x for x in given if isinstance(x, Variable)]
    return [plain(ct) for ct in tape.pullback(y, cts, wrt)]


def pushed(m: Arithmetic, op: str, operands: Any, params: Any, i: int) -> Any:
    """The Jacobian by operand i: its columns are the tangents of unit vectors."""
    x = operands[i]
    eye = np.eye(x.size).reshape(x.size, *x.shape)
    kind = Dual.over(m)
    others = [x if x.dtype == bool else m.lift(x) for x in operands]
    given = [kind(x, eye) if j == i else others[j] for j, x in enumerate(operands)]
    y = kind.table[op](*given, **params)
    return plain(y.tangent)


@every_op
def test_forward_and_reverse_mode_are_transposes_over_a_stack(
    op: str, subtests: pytest.Subtests
) -> None:
    assert differentiable(op) > 0
    for shapes, params in all_settings(op):
        with subtests.test(shapes=shapes, params=params):
            assert_transposes(op, shapes, params)


def assert_transposes(op: str, shapes: Any, params: Any) -> None:
    operands = operands_of(op, shapes, params)
    shape = OPS[op].shape(*shapes, **params)
    size = int(np.prod(shape, dtype=int))
    eye = np.eye(size).reshape(size, *shape)
    differentiated = [i for i in range(len(operands)) if i not in OPS[op].masks]
    assert len(differentiated) == differentiable(op)
    for m in ARITHMETICS:
        rows = pulled(m, op, operands, params, eye)
        for i, row in zip(differentiated, rows, strict=True):
            columns = pushed(m, op, operands, params, i).reshape(-1, size)
            assert row.shape == (size, *operands[i].shape)
            np.testing.assert_allclose(
                row.reshape(size, -1), columns.T, rtol=1e-14, atol=1e-14, err_msg=m.name
            )


@every_op
def test_a_stack_of_cotangents_is_pulled_back_as_one_by_one(
    op: str, subtests: pytest.Subtests
) -> None:
    assert differentiable(op) > 0
    for shapes, params in all_settings(op):
        with subtests.test(shapes=shapes, params=params):
            operands = operands_of(op, shapes, params)
            cts = numbers((2, 2, *OPS[op].shape(*shapes, **params)), -0.7)
            whole = pulled(FLOATS, op, operands, params, cts)
            assert len(whole) == differentiable(op)
            for i in np.ndindex(2, 2):
                single = pulled(FLOATS, op, operands, params, cts[i])
                for a, b in zip(whole, single, strict=True):
                    np.testing.assert_allclose(a[i], b, rtol=1e-14)


def cancels(op: str) -> bool:
    """Whether entries of its gradient are sums that cancel, some of them to 0."""
    row = OPS[op]
    return row in LINEAR_ALGEBRA or row in TRANSFORMS or op in UNEVEN


def close(a: Any, b: Any, *, cancels: bool, name: str) -> None:
    """Floats of entries that are sums that cancel are off in the norm of them all."""
    size = np.max(np.abs(b), initial=0.0) if cancels else 0.0
    np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13 * size, err_msg=name)


@every_op
def test_all_arithmetics_give_the_same_gradient(
    op: str, subtests: pytest.Subtests
) -> None:
    assert differentiable(op) > 0
    for shapes, params in all_settings(op):
        with subtests.test(shapes=shapes, params=params):
            operands = operands_of(op, shapes, params)
            cts = numbers(OPS[op].shape(*shapes, **params), 0.4)
            floats = pulled(FLOATS, op, operands, params, cts)
            assert len(floats) == differentiable(op)
            for m in (EXTENDED, BALLS, MULTIPRECISION):
                given = pulled(m, op, operands, params, cts)
                for a, b in zip(given, floats, strict=True):
                    close(a, b, cancels=cancels(op), name=m.name)


@every_op
def test_float32_stays_float32(op: str, subtests: pytest.Subtests) -> None:
    assert differentiable(op) > 0
    for shapes, params in all_settings(op):
        with subtests.test(shapes=shapes, params=params):
            assert_float32(op, shapes, params)


def assert_float32(op: str, shapes: Any, params: Any) -> None:
    plain = operands_of(op, shapes, params)
    operands = [x if x.dtype == bool else x.astype(np.float32) for x in plain]
    tape = Tape()
    given = [x if x.dtype == bool else tape.variable(x) for x in operands]
    y = tape.table[op](*given, **params)
    assert y.primal.dtype == np.float32
    ct = np.ones(y.shape, np.float32)
    wrt = [x for x in given if isinstance(x, Variable)]
    assert {g.dtype for g in tape.pullback(y, ct, wrt)} == {np.dtype(np.float32)}
    duals = [
        x if x.dtype == bool else Dual(x, np.ones((1, *x.shape), np.float32))
        for x in operands
    ]
    assert Dual.table[op](*duals, **params).tangent.dtype == np.float32


@pytest.mark.parametrize("op", [op for op in RULES if OPS[op].internal])
def test_internal_ops_are_on_both_tables(op: str) -> None:
    assert callable(Tape().table[op])
    assert callable(Dual.table[op])


def test_accumulate_takes_any_number_of_terms() -> None:
    tape = Tape()
    a, b = tape.variable(2.0), tape.variable(3.0)
    y = tape.table["accumulate"](a, b, a)
    assert tape.gradient(y, [a, b]) == [2.0, 1.0]


def test_balls_enclose_the_exact_gradient() -> None:
    tape = Tape(BALLS)
    x = tape.variable(2.0)
    (slope,) = tape.gradient(np.log(x) / 3 + x**-2, [x])
    assert (slope * 12).contains(-1)  # 1/(2*3) - 2/8 = -1/12


@pytest.mark.parametrize("m", [BALLS, MULTIPRECISION], ids=lambda m: m.name)
def test_literals_are_exact_in_every_arithmetic(m: Arithmetic) -> None:
    for literal in (3, 0.1):
        tape = Tape(m)
        x = tape.variable(2.0)
        for y in (literal**x, x**literal, literal / x, literal - x, x * literal):
            (slope,) = tape.gradient(y, [x])
            assert type(slope) is type(x.primal)
