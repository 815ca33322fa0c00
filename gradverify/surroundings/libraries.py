"""What is global in the libraries: each is asked only if it is loaded already."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from gradverify.surroundings.setting import (
    Setting,
    Value,
    fixed,
    functions_of,
    never,
)

Columns = tuple[Callable[[Any], Value], Callable[[Any, Value], object]]

_GMPY2 = ("precision", "round", "emax", "emin", "subnormalize", "trap_underflow",
          "trap_overflow", "trap_inexact", "trap_invalid", "trap_erange",
          "trap_divzero", "allow_complex", "rational_division")  # fmt: skip
_GMPY2_FIELDS: Callable[[Any], Value] = attrgetter(*_GMPY2)
_GMPY2_USUAL = (53, 0, 1073741823, -1073741823, *(False,) * 9)
_IGNORED = dict.fromkeys(("divide", "over", "under", "invalid"), "ignore")


# what verdicts are made with
_NUMPY = ("array", "asarray", "zeros", "ones", "zeros_like", "isfinite", "isnan",
          "abs", "all", "any", "sum", "max", "where", "concatenate", "errstate",
          "frexp", "nextafter", "array_equal", "frombuffer")  # fmt: skip


def _mpmath(mpmath: Any) -> Value:
    mp = mpmath.mp
    return (mp.prec, mp._prec_rounding[1], mp.trap_complex, mp.pretty)


def _set_mpmath(mpmath: Any, value: Value) -> None:
    mp = mpmath.mp
    mp.prec, mp._prec_rounding[1], mp.trap_complex, mp.pretty = value


def _flint(flint: Any) -> Value:
    context = flint.ctx
    return (context.prec, context.pretty, context.unicode, context.threads)


def _set_flint(flint: Any, value: Value) -> None:
    context = flint.ctx
    context.prec, context.pretty, context.unicode, threads = value
    if context.threads != threads:  # even the same number makes new ones
        context.threads = threads


def _gmpy2(gmpy2: Any) -> Value:
    return _GMPY2_FIELDS(gmpy2.get_context())


def _set_gmpy2(gmpy2: Any, value: Value) -> None:
    context = gmpy2.get_context()
    for name, field in zip(_GMPY2, value, strict=True):
        setattr(context, name, field)


def _determinism(torch: Any) -> tuple[bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )


def _set_determinism(torch: Any, value: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(value[0], warn_only=value[1])


def _called(reader: str, writer: str, *of: Any) -> Columns:
    """The columns of a setting that has a function to read it and one to set it."""
    return (
        lambda library: getattr(library, reader)(*of),
        lambda library, value: getattr(library, writer)(*of, value),
    )


def _of_jax(name: str) -> Columns:
    return (
        lambda jax: getattr(jax.config, name),
        lambda jax, value: jax.config.update(name, value),
    )


def _set_gradients(torch: Any, enabled: bool) -> None:
    torch._C._set_grad_enabled(enabled)  # torch.set_grad_enabled is a context


# fmt: off
LIBRARIES = (
    Setting("the functions of NumPy", "numpy",
            *functions_of(*_NUMPY)),
    Setting("mpmath's precision", "mpmath", _mpmath, _set_mpmath,
            ours=fixed((53, "n", False, False))),
    Setting("flint's precision", "flint", _flint, _set_flint,
            ours=fixed((53, True, False, 1))),
    Setting("gmpy2's context", "gmpy2", _gmpy2, _set_gmpy2, ours=fixed(_GMPY2_USUAL)),
    Setting("NumPy's floating-point errors", "numpy",
            lambda np: np.geterr(), lambda np, value: np.seterr(**value),
            ours=fixed(_IGNORED), for_engines=False),
    Setting("NumPy's print options", "numpy",
            lambda np: np.get_printoptions(),
            lambda np, value: np.set_printoptions(**value), in_calls=False),
    Setting("the state of numpy.random", "numpy",
            lambda np: np.random.get_state(),
            lambda np, state: np.random.set_state(state), in_calls=False, same=never),
    Setting("PyTorch's default dtype", "torch",
            lambda torch: str(torch.get_default_dtype()).removeprefix("torch."),
            lambda torch, name: torch.set_default_dtype(getattr(torch, name)),
            built_in="float32"),
    Setting("PyTorch's deterministic mode", "torch", _determinism, _set_determinism,
            built_in=(False, False)),
    Setting("PyTorch's gradient mode", "torch",
            lambda torch: torch.is_grad_enabled(), _set_gradients, built_in=True),
    Setting("PyTorch's anomaly mode", "torch",
            *_called("is_anomaly_enabled", "set_anomaly_enabled"), built_in=False),
    Setting("PyTorch's autocast", "torch",
            *_called("is_autocast_enabled", "set_autocast_enabled", "cpu"),
            built_in=False),
    # several processes with a thread for each core slow one another down
    Setting("PyTorch's threads", "torch",
            *_called("get_num_threads", "set_num_threads"), built_in=1,
            for_engines=False),
    Setting("the state of PyTorch's random numbers", "torch",
            *_called("get_rng_state", "set_rng_state"), in_calls=False, same=never),
    Setting("JAX's 64 bits", "jax", *_of_jax("jax_enable_x64")),
    Setting("JAX's search for NaN", "jax", *_of_jax("jax_debug_nans")),
    Setting("JAX's search for infinities", "jax", *_of_jax("jax_debug_infs")),
    Setting("JAX's compilation", "jax", *_of_jax("jax_disable_jit")),
    Setting("JAX's precision", "jax", *_of_jax("jax_default_matmul_precision"),
            in_calls=False),
    Setting("JAX's promotion", "jax", *_of_jax("jax_numpy_dtype_promotion")),
    Setting("JAX's ranks", "jax", *_of_jax("jax_numpy_rank_promotion")),
)
# fmt: on
