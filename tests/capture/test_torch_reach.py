"""What is read of PyTorch beyond arithmetic: matrices, complex numbers, windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import gradverify
from gradverify.capture import call_of
from tests.capture.torch_pairs import tensor

from .program_value import values

torch = pytest.importorskip("torch")
F = torch.nn.functional
linalg, fft = torch.linalg, torch.fft


def complex_tensor(*shape: int) -> Any:
    return torch.complex(tensor(*shape), tensor(*shape, 2)[..., 1])


def written_in_place(x: Any) -> Any:
    z = torch.zeros(3, dtype=torch.complex128)
    z[1:] = torch.complex(x, x * x)
    z.mul_(2.0 + 1.0j)
    return z.conj().imag


LONG = tensor(8)
GIVEN = tensor(3, 3)
SYMMETRIC = (GIVEN @ GIVEN.T + torch.eye(3, dtype=GIVEN.dtype)) / 2.0
SYMMETRIC = SYMMETRIC + SYMMETRIC.T
SMALL = tensor(1, 2, 2, 3, 2)
KERNEL = tensor(2, 2, 2, 2, 2)
LOGS = tensor(4, 1, 3).log_softmax(-1)
CTC = (torch.tensor([[1, 2]]), torch.tensor([4]), torch.tensor([2]))
TARGET = torch.tensor([[1, -1, 0], [2, 0, -1]])
FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "svd": (lambda x: linalg.svd(x, full_matrices=False), (tensor(3, 2),)),
    "eigh": (linalg.eigh, (SYMMETRIC,)),
    "eigvals": (lambda x: linalg.eigvals(x).real, (SYMMETRIC,)),
    "qr": (linalg.qr, (tensor(3, 2),)),
    "lu": (lambda x: linalg.lu(x)[1:], (GIVEN,)),
    "lu_solve": (
        lambda x, b: linalg.lu_solve(*linalg.lu_factor(x), b, adjoint=True),
        (GIVEN, tensor(3, 2)),
    ),
    "lu_solve from the right": (
        lambda x, b: linalg.lu_solve(*linalg.lu_factor(x), b, left=False),
        (GIVEN, tensor(2, 3)),
    ),
    "lstsq": (lambda x, b: linalg.lstsq(x, b).solution, (tensor(3, 2), tensor(3, 1))),
    "pinv": (linalg.pinv, (tensor(3, 2),)),
    "cholesky_solve": (torch.cholesky_solve, (tensor(3, 1), GIVEN.tril())),
    "cdist": (torch.cdist, (tensor(3, 2), tensor(2, 2))),
    "norm": (lambda x: linalg.vector_norm(x, -3.0, dim=0), (GIVEN,)),
    "bilinear": (F.bilinear, (tensor(2, 3), tensor(2, 2), tensor(2, 3, 2))),
    "a spectrum": (lambda x: fft.rfft(x).abs() ** 2, (LONG,)),
    "a convolution": (
        lambda x, w: fft.irfft(fft.rfft(x) * fft.rfft(w), n=8),
        (LONG, LONG.flip(0)),
    ),
    "hfft": (lambda z: fft.hfft(z, n=5), (complex_tensor(3),)),
    "fft2": (lambda z: fft.fft2(z, norm="ortho"), (complex_tensor(2, 3),)),
    "complex functions": (
        lambda z: torch.exp(z) / (1 + z * z) + torch.sqrt(z) * torch.log(z) + z**3,
        (complex_tensor(3),),
    ),
    "complex sines": (
        lambda z: z.sin() * z.cos() + z.tanh() * z.sinh() + z.cosh() * z.sigmoid(),
        (complex_tensor(3),),
    ),
    "complex matrices": (
        lambda z, w: (z @ w.conj()).angle() + torch.vdot(z[0], w[:, 0]).real,
        (complex_tensor(2, 3), complex_tensor(3, 2)),
    ),
    "complex writes": (written_in_place, (tensor(2),)),
    "polar": (lambda r, t: torch.polar(r.abs(), t).sum(), (tensor(3), tensor(3))),
    "conv3d": (lambda x, w: F.conv3d(x, w, padding=1), (SMALL, KERNEL)),
    "conv_transpose3d": (
        lambda x, w: F.conv_transpose3d(x, w, stride=2, padding=1),
        (SMALL, KERNEL),
    ),
    "max_pool3d": (lambda x: F.max_pool3d(x, 2, stride=1), (SMALL,)),
    "avg_pool3d": (lambda x: F.avg_pool3d(x, 2, stride=1), (SMALL,)),
    "unfold": (lambda x: F.unfold(x[:, :, 0], 2, padding=1), (SMALL,)),
    "embedding_bag": (
        lambda w: F.embedding_bag(torch.tensor([0, 2, 2, 1]), w, torch.tensor([0, 2])),
        (GIVEN,),
    ),
    "scatter_reduce": (
        lambda x, s: x.scatter_reduce(0, torch.tensor([0, 0, 2]), s, "prod"),
        (tensor(3), tensor(3)),
    ),
    "largest that meet": (
        lambda x, s: (
            x.scatter_reduce(0, torch.tensor([0, 0, 2]), s, "amax")
            * x.scatter_reduce(
                0, torch.tensor([1, 1, 1]), s, "amin", include_self=False
            )
        ),
        (tensor(3), tensor(3).flip(0) * 2.0),
    ),
    "ctc": (lambda x: F.ctc_loss(x, *CTC), (LOGS,)),
    "labels": (lambda x: F.multilabel_margin_loss(x, TARGET), (GIVEN[:2],)),
    "special": (
        lambda x: torch.special.erfcx(x) * torch.special.i0e(x) + torch.sinc(x),
        (tensor(3),),
    ),
    "polygamma": (lambda x: torch.polygamma(2, x.abs() + 1.0), (tensor(3),)),
    "gammainc": (
        lambda x: torch.special.gammainc(torch.tensor(1.5).double(), x.abs()),
        (tensor(3),),
    ),
    "remainder": (lambda x: x.remainder(0.75) + x.fmod(0.5), (tensor(3),)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_program_gives_the_value(name: str) -> None:
    function, args = FUNCTIONS[name]
    call = call_of(function, args, {})
    value, bound, right = values(call)
    assert value is not None
    assert bound is not None
    assert abs(float(value) - right) <= 16.0 * float(bound.loose)


class Eigenvalues(torch.autograd.Function):
    """The eigenvalues of a symmetric matrix, by a backward that is told."""

    @staticmethod
    def forward(ctx: Any, x: Any, told: Any) -> Any:
        values, vectors = linalg.eigh(x)
        ctx.save_for_backward(vectors)
        ctx.told = told
        return values

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (v,) = ctx.saved_tensors
        return ctx.told(v, g), None


def lower_alone(v: Any, g: Any) -> Any:
    whole = (v * g) @ v.T
    return whole.tril() + whole.tril(-1)


@pytest.mark.parametrize(
    ("backward", "ok"),
    [
        (lambda v, g: (v * g) @ v.T, True),
        (lower_alone, True),
        (lambda v, g: (v * g.flip(0)) @ v.T, False),
    ],
    ids=["both triangles", "the one that is read", "turned round"],
)
def test_a_matrix_of_which_one_triangle_is_read_stays_symmetric(
    backward: Callable[..., Any], ok: bool
) -> None:
    found = gradverify.check(Eigenvalues.apply, SYMMETRIC, backward, cases=2)
    assert found.ok is ok
    assert found.truth == "the captured program"


def test_a_larger_one_stays_symmetric_in_differences_too() -> None:
    x = torch.eye(5, dtype=torch.float64) * 5.0 + 1.0
    x.diagonal().add_(torch.arange(5))
    found = gradverify.check(linalg.eigvalsh, x, cases=1, modes="reverse")
    assert found.ok
    assert found.truth == "differences of the function"


def test_one_that_is_not_symmetric_is_refused() -> None:
    with pytest.raises(ValueError, match="hand over a symmetric one"):
        gradverify.check(linalg.eigvalsh, GIVEN)
