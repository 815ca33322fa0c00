"""JAX: what it compiles, and what it leaves as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from gradverify.differentiators import load, run, unsupported
from gradverify.differentiators.compiled import KEPT
from gradverify.differentiators.jax_numpy import Jax
from gradverify.differentiators.protocol import Lowered
from gradverify.graph import Case, Graph, apply_op, input_leaf, literal_leaf

jax = pytest.importorskip("jax")


def case_of(
    *ops: str, at: float = 0.5, dtype: str = "float64", scale: float = 2.0
) -> Case:
    """scale * op(...(a)), a scalar."""
    nodes = [input_leaf()]
    for op in ops:
        nodes.append(apply_op(nodes, op, [len(nodes) - 1]))
    nodes.append(literal_leaf(scale))
    nodes.append(apply_op(nodes, "mul", [len(nodes) - 2, len(nodes) - 1]))
    return Case(Graph(tuple(nodes)), (np.array(at),), dtype)


def slope(engine: Jax, case: Case) -> Any:
    found = run(engine, "reverse", case)
    assert found.error is None, found.error
    return found.cotangents[0]


def lowered(case: Case) -> Lowered:
    return Lowered(case.graph, {"sin": "a row", "mul": "a row"}, case.dtype)


def counted(engine: Jax) -> tuple[list[None], Jax]:
    """The engine with a sine that says when it is traced."""
    traced: list[None] = []

    def sine(x: Any) -> Any:
        traced.append(None)
        return jax.numpy.sin(x)

    engine.table = {**engine.table, "sin": sine}
    return traced, engine


def test_a_graph_is_compiled_once_for_all_its_points() -> None:
    traced, engine = counted(Jax())
    for at in (0.5, 0.25, -1.0):
        found = slope(engine, case_of("sin", at=at))
        assert found == pytest.approx(2 * np.cos(at), rel=1e-15)
    assert len(traced) == 1


def test_other_dtypes_and_other_literals_are_compiled_anew() -> None:
    traced, engine = counted(Jax())
    assert slope(engine, case_of("sin")).dtype == np.float64
    assert slope(engine, case_of("sin", dtype="float32")).dtype == np.float32
    assert slope(engine, case_of("sin", scale=4.0)) == pytest.approx(4 * np.cos(0.5))
    assert len(traced) == 3


def test_another_row_of_the_table_is_compiled_anew() -> None:
    engine = Jax()
    right = slope(engine, case_of("sin"))
    engine.table = {**engine.table, "sin": jax.numpy.cos}
    assert slope(engine, case_of("sin")) != right


def test_no_more_than_a_few_compiled_gradients_are_kept() -> None:
    engine = Jax()
    traced, engine = counted(engine)
    for k in range(KEPT):
        engine._compiled.of(lowered(case_of("sin")), k, lambda: lambda *point: None)
    slope(engine, case_of("sin"))
    assert len(engine._compiled) == KEPT
    slope(engine, case_of("sin"))
    assert len(traced) == 1


def settings() -> Sequence[Any]:
    names = (
        "enable_x64", "default_device", "default_matmul_precision", "debug_nans",
        "debug_infs", "disable_jit", "numpy_dtype_promotion", "numpy_rank_promotion",
    )  # fmt: skip
    return [getattr(jax.config, f"jax_{name}") for name in names]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("x64", [False, True])
def test_settings_are_as_before(dtype: str, x64: bool) -> None:
    before = settings()
    jax.config.update("jax_enable_x64", x64)
    try:
        assert slope(Jax(), case_of("sin", dtype=dtype)).dtype == dtype
        assert jax.config.jax_enable_x64 is x64
    finally:
        jax.config.update("jax_enable_x64", before[0])
    assert settings() == before


def test_the_settings_of_the_host_have_no_say() -> None:
    plain = slope(Jax(), case_of("log", at=0.0))
    assert np.isinf(plain)
    with jax.debug_nans(True), jax.debug_infs(True), jax.disable_jit(True):
        assert slope(Jax(), case_of("log", at=0.0)) == plain


def test_a_mistake_in_a_row_leaves_the_settings_alone() -> None:
    before, engine = settings(), Jax()
    engine.table = {**engine.table, "sin": lambda x: 1 / 0}
    assert run(engine, "reverse", case_of("sin")).error.kind == "ZeroDivisionError"
    assert settings() == before


def test_subnormal_numbers_are_not_handed_over() -> None:
    """XLA takes them for zero, and says so: relu has slope 0 at the smallest one."""
    reason = "a subnormal number, which it takes for zero"
    for dtype in ("float64", "float32"):
        tiny = np.finfo(dtype)
        for at, expected in (
            (float(tiny.smallest_subnormal), reason),
            (-float(tiny.tiny) / 2, reason),
            (float(tiny.tiny), None),
            (0.0, None),
        ):
            case = case_of("relu", at=at, dtype=dtype)
            assert unsupported(load("jax"), case) == expected
            assert unsupported(load("own-tape"), case) is None
    case = case_of("relu", scale=1e-310)
    assert unsupported(load("jax"), case) == reason
