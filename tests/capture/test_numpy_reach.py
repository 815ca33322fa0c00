"""What is read of NumPy beyond arithmetic: matrices, orders, special functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

from gradverify.capture import call_of

from .program_value import values


def array(*shape: int, shift: float = 0.0) -> Any:
    size = int(np.prod(shape))
    return np.sin(np.arange(1.0, size + 1.0) * 2.3 + shift).reshape(shape)


GIVEN = array(3, 3) + np.eye(3)
FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "eigh": (lambda x: np.linalg.eigh(x), (GIVEN,)),  # reads one triangle
    "eigh of the other": (lambda x: np.linalg.eigh(x, UPLO="U")[1], (GIVEN,)),
    "svd": (lambda x: np.linalg.svd(x, full_matrices=False), (array(3, 2),)),
    "qr": (lambda x: np.linalg.qr(x), (array(3, 2),)),
    "slogdet": (lambda x: np.linalg.slogdet(x)[1], (GIVEN,)),
    "pinv": (lambda x: np.linalg.pinv(x), (array(3, 2),)),
    "products in stacks": (
        lambda q, k: q @ np.swapaxes(k, -1, -2) + np.matmul(q, k[0, 0])[..., None],
        (array(2, 3, 2), array(2, 3, 2, shift=1.0)),
    ),
    "three operands": (
        lambda a, b: np.einsum("i, ij, jk -> ki", a, b, b),
        (array(3), GIVEN),
    ),
    "one operand": (lambda x: np.einsum("ij->j", x), (GIVEN,)),
    "triangles": (lambda x: np.tril(x) @ np.triu(x, 1) + np.trace(x, 1), (GIVEN,)),
    "orders": (lambda x: np.sort(x, axis=0) * np.arange(3.0), (GIVEN,)),
    "pads": (
        lambda x: np.pad(x, 1, mode="edge")[1:] + np.pad(x, 1)[:-1] * 2.0,
        (GIVEN,),
    ),
    "differences": (lambda x: np.diff(np.cumprod(x, axis=1), 2, axis=0), (GIVEN,)),
    "special": (
        lambda x: special.erfinv(x / 2.0) * special.j0(x) + np.sinc(x) * special.i1(x),
        (array(3),),
    ),
    "orders of gamma": (lambda x: special.gammainc(1.5, np.abs(x)), (array(3),)),
    "angles": (lambda x: np.sin(np.deg2rad(x)) + np.mod(x, 0.75), (array(3),)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_program_gives_the_value(name: str) -> None:
    function, args = FUNCTIONS[name]
    call = call_of(function, args, {}, by_hand={"vjp": lambda *args: args})
    value, bound, right = values(call)
    assert value is not None
    assert bound is not None
    assert abs(float(value) - right) <= 16.0 * float(bound.loose)
