"""Whatever an engine does, `run` comes back with what happened."""

from __future__ import annotations

import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradverify.differentiators import (
    Accepts,
    Differentiator,
    Pulled,
    Pushed,
    mode,
    modes,
    operators,
    run,
    unsupported,
)
from gradverify.differentiators.time_limit import TimeLimit, time_limit
from gradverify.graph import (
    Case,
    Graph,
    apply_op,
    data_leaf,
    input_leaf,
    literal_leaf,
)

TABLE = operators("neg add sub mul div") | {"exp": np.exp, "log": "no logarithm"}


def engine(
    behave: Callable[[Any, list[Any]], Any],
    kind: str = "gradient",
    accepts: Accepts | None = None,
) -> Differentiator:
    """A differentiator whose only mode does that."""

    class Hostile(Differentiator):
        name = "hostile"
        table = TABLE

        @mode(kind)
        def only(self, function: Any, point: list[Any], *more: Any) -> Any:
            return behave(function, point, *more)

    if accepts:
        Hostile.accepts = accepts
    return Hostile()


def case_of(op: str = "mul", shape: tuple[int, ...] = ()) -> Case:
    """a op b, summed by nothing: scalars alone."""
    nodes = [input_leaf(shape), input_leaf(shape)]
    nodes.append(apply_op(nodes, op, [0, 1]))
    return Case(Graph(tuple(nodes)), (np.full(shape, 3.0), np.full(shape, 5.0)))


def product(function: Any, point: list[Any]) -> Pulled:
    return Pulled(function(*point), [point[1], point[0]])


def test_an_engine_that_works_gives_value_and_cotangents() -> None:
    found = run(engine(product), "only", case_of())
    assert (found.value, found.cotangents, found.error) == (15.0, (5.0, 3.0), None)
    assert 0 < found.seconds < 1


def test_what_it_raises_is_recorded() -> None:
    def behave(function: Any, point: list[Any]) -> Any:
        raise ZeroDivisionError("oh")

    found = run(engine(behave), "only", case_of())
    assert found.error.kind == "ZeroDivisionError"
    assert found.cotangents == ()


class Panic(BaseException):
    """As the bindings of other languages raise it."""


def test_even_what_is_no_exception_is_recorded() -> None:
    def behave(function: Any, point: list[Any]) -> Any:
        raise Panic

    assert run(engine(behave), "only", case_of()).error.kind == "Panic"


def test_an_engine_that_leaves_does_not_end_the_program() -> None:
    def behave(function: Any, point: list[Any]) -> Any:
        raise SystemExit(0)

    assert run(engine(behave), "only", case_of()).error.kind == "SystemExit"


def test_an_engine_that_empties_its_list_of_inputs_spoils_nothing() -> None:
    def behave(function: Any, point: list[Any]) -> Any:
        point.clear()
        return Pulled(1.0, [1.0, 1.0])

    found = run(engine(behave), "only", case_of())
    assert found.error is None
    assert found.mutated == ()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, pytest.fail.Exception])
def test_the_users_and_the_hosts_interrupts_pass_through(kind: Any) -> None:
    def behave(function: Any, point: list[Any]) -> Any:
        raise kind("stop")

    with pytest.raises(kind):
        run(engine(behave), "only", case_of())


@pytest.mark.parametrize("kind", [pytest.exit.Exception, pytest.skip.Exception])
def test_an_engine_can_neither_end_nor_skip_what_runs_it(kind: Any) -> None:
    def behave(function: Any, point: list[Any]) -> Any:
        raise kind("stop")

    error = run(engine(behave), "only", case_of()).error
    assert error is not None
    assert error.kind == kind.__name__


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "the mode returned None; return Pulled(value, cotangents)"),
        (3.0, "the mode returned a float; return Pulled("),
        ((1.0, [1.0, 1.0]), "the mode returned a tuple; return Pulled("),
        (Pulled(1.0, [1.0]), "1 cotangents came back for 2 inputs; give one for"),
        (Pulled(1.0, 2.0), "the cotangents are a float; give a list, one entry"),  # type: ignore[arg-type]
        (Pushed(1.0, 2.0), "return Pulled(value, cotangents)"),
    ],
)
def test_what_is_no_result_is_an_error_that_says_what_to_return(
    result: Any, message: str
) -> None:
    error = run(engine(lambda f, p: result), "only", case_of()).error
    assert message in str(error)


def test_an_int_beyond_the_floats_is_an_infinity() -> None:
    result = Pulled(10**400, [-(10**400), 10**30])
    found = run(engine(lambda f, p: result), "only", case_of())
    assert found.error is None
    assert (found.value, *found.cotangents) == (np.inf, -np.inf, 1e30)


def test_a_tangent_beyond_the_floats_is_an_infinity() -> None:
    hostile = engine(lambda f, p, t: Pushed(1.0, 10**400), kind="jvp")
    assert run(hostile, "only", case_of()).cotangents == (np.inf, np.inf)


@pytest.mark.parametrize(
    "value", ["1.0", [10**400], object(), {"a": 1}, [[1.0], [1.0, 2.0]], b"1"]
)
def test_what_is_no_number_is_an_error_that_names_it(value: Any) -> None:
    result = Pulled(1.0, [1.0, value])
    error = run(engine(lambda f, p: result), "only", case_of()).error
    assert "cotangent 1 is a" in str(error)
    assert "no array of numbers" in str(error)


def test_none_among_the_cotangents_stays_none() -> None:
    found = run(engine(lambda f, p: Pulled(1.0, [None, 2.0])), "only", case_of())
    assert found.cotangents == (None, 2.0)


def test_an_input_that_is_overwritten_is_named() -> None:
    def behave(function: Any, point: list[Any]) -> Any:
        point[1] += 1.0
        return product(function, point)

    case = case_of()
    assert run(engine(behave), "only", case).mutated == (1,)
    assert case.point[1] == 5.0


def test_an_input_overwritten_by_minus_zero_is_noticed() -> None:
    def behave(function: Any, point: list[Any]) -> Any:
        point[0][...] = -0.0
        return Pulled(1.0, [1.0, 1.0])

    nodes = case_of().graph
    case = Case(nodes, (np.array(0.0), np.array(1.0)))
    assert run(engine(behave), "only", case).mutated == (0,)


def test_results_do_not_change_with_what_the_engine_does_later() -> None:
    kept = np.array(1.0)
    found = run(engine(lambda f, p: Pulled(kept, [kept, kept])), "only", case_of())
    kept += 1.0
    assert found.cotangents == (1.0, 1.0)


def test_a_limit_that_is_swallowed_does_not_grow() -> None:
    lengths = []

    def swallow() -> None:
        while len(lengths) < 20:
            try:
                time.sleep(1)
            except TimeLimit as limit:
                lengths.append(len(traceback.extract_tb(limit.__traceback__)))
        time.sleep(1)

    with pytest.raises(TimeLimit), time_limit(0.05):
        swallow()
    assert max(lengths) < 10, "twice as many as raises it once was"


def test_a_loop_without_end_is_timed_out() -> None:
    def behave(function: Any, point: list[Any]) -> Any:
        while True:
            try:
                time.sleep(0.001)
            except Exception:  # the limit is not for it to catch
                continue

    found = run(engine(behave), "only", case_of(), limit=0.2)
    assert found.timed_out
    assert found.error is None


def test_warnings_are_recorded_even_where_the_host_makes_them_errors() -> None:
    def behave(function: Any, point: list[Any]) -> Any:
        warnings.warn("careful", RuntimeWarning, stacklevel=1)
        np.exp(np.array(1000.0))
        return product(function, point)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = run(engine(behave), "only", case_of())
    assert found.warnings == ("RuntimeWarning: careful",)
    assert found.error is None


def test_an_unknown_mode_is_an_error_that_lists_the_modes() -> None:
    error = run(engine(product), "backward", case_of()).error
    assert "hostile has no mode 'backward'; its modes are ['only']" in str(error)


# ---- derived gradients


def test_a_gradient_is_derived_from_a_vjp_by_the_cotangent_one() -> None:
    def behave(function: Any, point: list[Any], cotangent: Any) -> Any:
        return Pulled(function(*point), [cotangent * point[1], cotangent * point[0]])

    assert run(engine(behave, "vjp"), "only", case_of()).cotangents == (5.0, 3.0)


def pushed(function: Any, point: list[Any], tangents: list[Any]) -> Pushed:
    (a, b), (da, db) = point, tangents
    return Pushed(function(a, b), float(np.sum(da * b + a * db)))


def test_a_gradient_is_derived_from_a_jvp_by_unit_tangents() -> None:
    nodes = [input_leaf((2, 1)), input_leaf((2, 1))]
    nodes.append(apply_op(nodes, "mul", [0, 1]))
    nodes.append(data_leaf(1.0))
    nodes.append(apply_op(nodes, "sum", [2], axis=None))
    point = (np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]]))

    class Forward(Differentiator):
        name = "forward"
        table = TABLE | {"sum": lambda x, axis=None, keepdims=False: np.sum(x)}

        @mode("jvp")
        def forward(self, *given: Any) -> Pushed:
            return pushed(*given)

    for dtype in ("float64", "float32"):
        found = run(Forward(), "forward", Case(Graph(tuple(nodes)), point, dtype))
        assert found.error is None
        assert found.value == 11.0
        assert [c.dtype for c in found.cotangents] == [dtype, dtype]
        np.testing.assert_array_equal(found.cotangents[0], point[1])
        np.testing.assert_array_equal(found.cotangents[1], point[0])


def test_a_jvp_that_returns_something_else_is_told_so() -> None:
    error = run(engine(lambda f, p, t: 1.0, "jvp"), "only", case_of()).error
    assert "return Pushed(value, tangent)" in str(error)


def test_default_modes_are_run_or_else_all() -> None:
    class Two(Differentiator):
        name = "two"
        table = TABLE

        @mode("gradient")
        def one(self, function: Any, point: Any) -> Any: ...

        @mode("gradient")
        def other(self, function: Any, point: Any) -> Any: ...

    class Chosen(Two):
        @mode("gradient", default=True)
        def third(self, function: Any, point: Any) -> Any: ...

    assert modes(Two()) == ("one", "other")
    assert modes(Chosen()) == ("third",)


# ---- unsupported


def with_leaf(leaf: Any, shape: tuple[int, ...] = ()) -> Case:
    nodes = [input_leaf(shape), leaf]
    nodes.append(apply_op(nodes, "mul", [0, 1]))
    nodes.append(apply_op(nodes, "sum", [2], axis=None))
    return Case(Graph(tuple(nodes)), (np.ones(shape),))


LITERAL = with_leaf(literal_leaf(2.0))
DATA = with_leaf(data_leaf(2.0))
STRETCHED = with_leaf(data_leaf([1.0, 2.0]), (3, 1))
EMPTY = with_leaf(data_leaf(1.0), (0,))


@pytest.mark.parametrize(
    ("case", "accepts", "reason"),
    [
        (case_of("maximum"), Accepts(), "maximum: the table has no row for it"),
        (case_of(), Accepts(max_inputs=1), "2 inputs: at most 1"),
        (case_of(), Accepts(dtypes=("float32",)), "dtype float64: only float32"),
        (case_of(), Accepts(ranks=range(1, 3)), "an array of rank 0: only ranks 1, 2"),
        (LITERAL, Accepts(literals=False), "a Python number as an operand"),
        (DATA, Accepts(data=False), "an array that is not differentiated"),
        (STRETCHED, Accepts(broadcasting=False), "mul of operands of different shapes"),
        (EMPTY, Accepts(empty=False), "an array without elements"),
        (case_of(), Accepts(), None),
        (LITERAL, Accepts(broadcasting=False), None),
    ],
)
def test_a_case_outside_what_is_accepted_has_its_reason(
    case: Case, accepts: Accepts, reason: str | None
) -> None:
    engine_ = engine(product, accepts=accepts)
    type(engine_).table = TABLE | {"sum": np.sum}
    assert unsupported(engine_, case) == reason


def test_a_row_of_words_is_the_reason() -> None:
    nodes = [input_leaf()]
    nodes.append(apply_op(nodes, "log", [0]))
    case = Case(Graph(tuple(nodes)), (np.array(1.0),))
    assert unsupported(engine(product), case) == "log: no logarithm"


# ---- the limit


def test_an_outer_timer_goes_on_with_what_is_left_to_it() -> None:
    rang = []
    handler = signal.signal(signal.SIGALRM, lambda number, frame: rang.append(1))
    outer = signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(TimeLimit), time_limit(0.05):
            time.sleep(1)
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 0.1 < left <= 0.26
        assert not rang
        time.sleep(0.4)
        assert rang == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, *outer)
        signal.signal(signal.SIGALRM, handler)


def test_a_module_that_is_being_imported_is_not_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "import time\ntime.sleep(0.3)\nwhole = True\n"
    (tmp_path / "slow_to_import.py").write_text(text, encoding="utf-8")
    (tmp_path / "endless_import.py").write_text(text.replace("0.3", "60"), "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    def load() -> None:
        import_module("slow_to_import")
        time.sleep(1)

    with pytest.raises(TimeLimit), time_limit(0.1):
        load()
    assert sys.modules.pop("slow_to_import").whole
    with pytest.raises(TimeLimit), time_limit(0.05):
        import_module("endless_import")
    assert "endless_import" not in sys.modules


def test_a_limit_that_is_not_reached_leaves_no_timer() -> None:
    handler = signal.getsignal(signal.SIGALRM)
    left, _ = signal.getitimer(signal.ITIMER_REAL)
    with time_limit(5):
        pass
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL)[0] <= left


def test_an_outer_limit_is_not_taken_for_that_of_the_run() -> None:
    def behave(function: Any, point: list[Any]) -> Any:
        time.sleep(0.1)
        return product(function, point)

    def judged() -> None:
        with time_limit(0.05):
            run(engine(behave), "only", case_of())
            time.sleep(1)

    with pytest.raises(TimeLimit, match=r"after 0.05 s"):
        judged()


def test_in_a_thread_there_is_no_limit_and_no_error() -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(run, engine(product), "only", case_of()).result()
    assert found.cotangents == (5.0, 3.0)
