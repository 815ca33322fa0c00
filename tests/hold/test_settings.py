"""What a host has set in Python and the libraries changes no verdict, and stays set."""

from __future__ import annotations

import ctypes
import decimal
import gc
import locale
import math
import os
import random
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flint
import gmpy2
import mpmath
import numpy as np
import pytest

from gradverify.claims import check_claim
from gradverify.claims.reading.reader import read_claims
from gradverify.differentiators import Differentiator, load
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.differentiators.protocol import Lowered, Pulled, mode
from gradverify.graph import Array
from gradverify.plugin.item_outcome import heading, outcome
from gradverify.records import Records
from gradverify.report.page import page
from gradverify.suites.blocks import Asked, blocks
from gradverify.surroundings import SETTINGS, Surroundings, engine_call, floating
from gradverify.verdict import Verdict
from gradverify.verify import Block, Budget, ItemResult, verify_item

from ..scratch import Scratch

UP, DOWN, ZERO = 0x800, 0x400, 0xC00  # FE_UPWARD and the others, of x86
IS_X86 = os.uname().machine in ("x86_64", "amd64")
LIBM = ctypes.CDLL(None)
torch = pytest.importorskip("torch")


class Faulty(OwnTape):
    """Our tape, whose second input's derivative loses its sign."""

    name = "faulty"

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Any) -> Pulled:
        """As it should be, but for one sign."""
        found = OwnTape().reverse(function, point, np.ones(()))
        bars = list(found.cotangents)
        if len(bars) > 1 and bars[1] is not None:
            bars[1] = -np.asarray(bars[1])
        return Pulled(found.value, bars)


CASES = 5  # that are drawn and judged


def drawn(family: str = "shared") -> Block:
    """A block of which nothing has been drawn yet."""
    asked = Asked(dtypes=("float64",), seed=14)  # of plain graphs
    found = next(block for block in blocks(asked) if block.family == family)
    found.chunk = CASES
    return found


def judged(engine: Differentiator) -> ItemResult:
    """What becomes of an engine in five cases."""
    return verify_item(drawn(), engine, "reverse", budget=Budget(CASES, least=CASES))


def verdicts() -> list[Any]:
    """What a small run says of three right engines and of one that is wrong."""
    engines: list[Differentiator] = [OwnTape(), load("torch-cpu"), load("autograd")]
    block, found = drawn(), []
    for engine in (*engines, Faulty()):
        budget = Budget(CASES, least=CASES)
        result = verify_item(block, engine, "reverse", budget=budget)
        told = outcome(heading("item", block, engine.name, "reverse"), result)
        shown = page(Records(told.discrepancies, (told.item,)))
        assert "Traceback" not in shown
        found.append(
            (
                engine.name,
                dict(result.counts),
                [
                    (f.finding, f.judgement.got, f.judgement.exact, f.explanation)
                    for f in result.findings
                ],
            )
        )
    return found


@pytest.fixture(scope="module")
def usual() -> list[Any]:
    found = verdicts()
    assert [set(counts) for _, counts, _ in found[:3]] == [{Verdict.AGREES}] * 3
    assert found[3][2], "the wrong engine is found"
    return found


class Attack:
    """A setting: how it is made hostile, and how it is read."""

    def __init__(self, hostile: Callable[[], Any], read: Callable[[], Any]) -> None:
        self.hostile, self.read = hostile, read


def _rounding(mode: int) -> Attack:
    return Attack(lambda: LIBM.fesetround(mode), lambda: LIBM.fegetround())


def _trap() -> None:
    context = decimal.getcontext()
    context.prec = 2
    context.traps[decimal.Inexact] = True


ATTACKS: dict[str, Attack] = {
    "mpmath at 5 digits": Attack(
        lambda: setattr(mpmath.mp, "dps", 5), lambda: mpmath.mp.prec
    ),
    "mpmath at 10,000 digits": Attack(
        lambda: setattr(mpmath.mp, "dps", 10_000), lambda: mpmath.mp.prec
    ),
    "mpmath is pretty": Attack(
        lambda: setattr(mpmath.mp, "pretty", True), lambda: mpmath.mp.pretty
    ),
    "flint at 20 bits": Attack(
        lambda: setattr(flint.ctx, "prec", 20), lambda: flint.ctx.prec
    ),
    "gmpy2 at 5 bits": Attack(
        lambda: setattr(gmpy2.get_context(), "precision", 5),
        lambda: gmpy2.get_context().precision,
    ),
    "NumPy raises": Attack(lambda: np.seterr(all="raise"), np.geterr),
    "NumPy prints little": Attack(
        lambda: np.set_printoptions(precision=1, threshold=1),
        lambda: np.get_printoptions()["precision"],
    ),
    "decimal at 2 digits, trapping": Attack(
        _trap, lambda: (decimal.getcontext().prec, str(decimal.getcontext().traps))
    ),
    "PyTorch's default is half": Attack(
        lambda: torch.set_default_dtype(torch.float16), torch.get_default_dtype
    ),
    "PyTorch is deterministic": Attack(
        lambda: torch.use_deterministic_algorithms(True),
        torch.are_deterministic_algorithms_enabled,
    ),
    "PyTorch without gradients": Attack(
        lambda: torch._C._set_grad_enabled(False), torch.is_grad_enabled
    ),
    "PyTorch looks for anomalies": Attack(
        lambda: torch.set_anomaly_enabled(True), torch.is_anomaly_enabled
    ),
    "PyTorch casts by itself": Attack(
        lambda: torch.set_autocast_enabled("cpu", True),
        lambda: torch.is_autocast_enabled("cpu"),
    ),
    "subnormal numbers are flushed": Attack(
        lambda: torch.set_flush_denormal(True), floating.is_usual
    ),
    "numbers are rounded up": _rounding(UP),
    "numbers are rounded down": _rounding(DOWN),
    "numbers are cut off": _rounding(ZERO),
    "seeds of random numbers": Attack(
        lambda: (random.seed(1), np.random.seed(1), torch.manual_seed(1)),
        lambda: (
            random.getstate(),
            str(np.random.get_state()),
            torch.get_rng_state().numpy().tobytes(),
        ),
    ),
    "another folder": Attack(lambda: os.chdir("/"), os.getcwd),
    "no sys.path": Attack(sys.path.clear, lambda: list(sys.path)),
    "a Path in sys.path": Attack(
        lambda: sys.path.insert(0, Path("nowhere")),  # type: ignore[arg-type]
        lambda: list(sys.path),
    ),
    "another sine": Attack(
        lambda: vars(math).update(sin=math.cos, isfinite=lambda x: False, added=1),
        lambda: (math.sin, hasattr(math, "added")),
    ),
    "no garbage collector": Attack(gc.disable, gc.isenabled),
    "another locale": Attack(
        lambda: locale.setlocale(locale.LC_NUMERIC, "C.utf8"),
        lambda: locale.setlocale(locale.LC_NUMERIC),
    ),
    "warnings are errors": Attack(
        lambda: (warnings.resetwarnings(), warnings.simplefilter("error")),
        lambda: list(warnings.filters),
    ),
}


@pytest.fixture
def as_before() -> Iterator[None]:
    """Put everything back, by the same table that our stages use."""
    read = [
        (s, library, s.read(library))
        for s in SETTINGS
        if (library := sys.modules.get(s.library) if s.library else sys)
    ]
    with warnings.catch_warnings():
        yield
    for setting, library, value in reversed(read):
        if not setting.same(setting.read(library), value):
            setting.write(library, value)  # of PyTorch's, one loads its compiler


# In daily work these stand for the others: one a library, and what broke most.
DAILY = ("mpmath at 5 digits", "NumPy raises", "PyTorch's default is half",
         "subnormal numbers are flushed", "numbers are rounded up", "no sys.path",
         "warnings are errors")  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in DAILY else pytest.mark.slow) for n in ATTACKS],
)
@pytest.mark.usefixtures("as_before")
def test_no_setting_of_the_host_changes_a_verdict(name: str, usual: list[Any]) -> None:
    if "numbers are" in name and not IS_X86:
        pytest.skip("the constants are of another processor")
    attack = ATTACKS[name]
    before = attack.read()
    attack.hostile()
    hostile = attack.read()
    assert hostile != before, "the attack does something"
    found = verdicts()
    assert found == usual
    assert attack.read() == hostile, "the host finds what it has set"


@pytest.mark.usefixtures("as_before")
def test_jax_is_asked_in_64_bits_whatever_the_host_has_set() -> None:
    jax = pytest.importorskip("jax")
    block = drawn("small")
    block.chunk = 2
    before = verify_item(block, load("jax"), "reverse", budget=Budget(4, least=4))
    for name, value in (
        ("jax_enable_x64", False),
        ("jax_debug_nans", True),
        ("jax_debug_infs", True),
        ("jax_transfer_guard", "disallow"),
        ("jax_numpy_rank_promotion", "raise"),
        ("jax_numpy_dtype_promotion", "strict"),
    ):
        jax.config.update(name, value)
    try:
        after = verify_item(block, load("jax"), "reverse", budget=Budget(4, least=4))
        assert jax.config.jax_debug_nans
        assert not jax.config.jax_enable_x64
    finally:
        jax.config.update("jax_transfer_guard", None)
    assert dict(before.counts) == dict(after.counts)


def test_a_low_recursion_limit_is_lifted_and_put_back(usual: list[Any]) -> None:
    def depth() -> int:
        frame, count = sys._getframe(), 0
        while frame is not None:
            frame, count = frame.f_back, count + 1  # type: ignore[assignment]
        return count

    block, before, low = drawn(), sys.getrecursionlimit(), depth() + 15
    sys.setrecursionlimit(low)
    try:
        found, after = entered(block), sys.getrecursionlimit()
    finally:
        sys.setrecursionlimit(before)
    assert after == low
    assert found == usual[0][1]


def entered(block: Block) -> dict[Any, int]:
    """One item, entered with as few frames as a caller may have left."""
    budget = Budget(5, least=5)
    return dict(verify_item(block, OwnTape(), "reverse", budget=budget).counts)


# ---- an engine that changes a setting in a call


class Changing(OwnTape):
    """Our tape, which sets what is everybody's."""

    name = "changing"
    change: Callable[[], object] = staticmethod(lambda: None)

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: list[Array]) -> Pulled:
        """A right gradient, and a setting left behind."""
        found = OwnTape().reverse(function, point, np.ones(()))
        type(self).change()
        return found


CHANGES = {
    "mpmath at 5 digits": "mpmath's precision",
    "flint at 20 bits": "flint's precision",
    "gmpy2 at 5 bits": "gmpy2's context",
    "NumPy raises": "NumPy's floating-point errors",
    "decimal at 2 digits, trapping": "decimal's context",
    "PyTorch's default is half": "PyTorch's default dtype",
    "PyTorch is deterministic": "PyTorch's deterministic mode",
    "PyTorch without gradients": "PyTorch's gradient mode",
    "subnormal numbers are flushed": "the floating-point mode",
    "another folder": "the folder",
    "no sys.path": "sys.path",
    "another sine": "the functions of math",
    "no garbage collector": "the garbage collector",
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.usefixtures("as_before")
def test_an_engine_that_changes_a_setting_is_named(
    name: str, usual: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    attack = ATTACKS[name]
    before = attack.read()
    monkeypatch.setattr(Changing, "change", staticmethod(attack.hostile))
    result = judged(Changing())
    assert CHANGES[name] in result.changed
    assert attack.read() == before
    assert dict(result.counts) == usual[0][1], "its own numbers are right"


def test_an_engine_that_changes_nothing_is_not_named() -> None:
    assert judged(load("torch-cpu")).changed == ()


@pytest.mark.usefixtures("as_before")
def test_an_engine_sees_what_the_host_has_set_where_that_is_its_business() -> None:
    mpmath.mp.dps = 40
    seen = []
    with Surroundings():
        assert mpmath.mp.prec == 53
        with engine_call():
            seen.append(mpmath.mp.dps)
        assert mpmath.mp.prec == 53
    assert seen == [40]
    assert mpmath.mp.dps == 40


@pytest.mark.usefixtures("as_before")
def test_a_run_that_is_refused_leaves_nothing_for_engines_to_see(
    scratch: Scratch,
) -> None:
    scratch.write("gradverify-known.toml", "[[deviation]]\n")
    assert scratch.pytest("--gradverify-only").ret == pytest.ExitCode.USAGE_ERROR
    mpmath.mp.dps = 40
    with Surroundings(), engine_call():
        assert mpmath.mp.dps == 40


# All that a test module can do to what is loaded after it, and to what is loaded.
DISTURBING = """
import decimal, math, sys
import numpy as np, mpmath
math.sin = lambda x: 0.0
decimal.getcontext().prec = 2
np.seterr(all="raise")
mpmath.mp.dps = 5
del sys.path[:]
def test_passes(): pass
"""


def test_a_test_module_does_not_disturb_the_run_that_follows_it(
    scratch: Scratch,
) -> None:
    """What is loaded late, and the versions that are read last, are found as well.

    A process of its own has not loaded autograd's functions before.
    """
    scratch.write("test_first.py", DISTURBING)
    who = ("--gradverify-differentiators", "autograd", "--gradverify-dtypes", "float64")
    what = ("--gradverify-suites", "textbook", "--gradverify-modes", "all")
    done = scratch.apart("pytest", "--gradverify", "-q", *what, *who)
    assert done.ret == 0, done.stdout.str()
    assert done.parseoutcomes()["passed"] > 50, "the host's own one, and all of ours"


@pytest.mark.parametrize(
    "name", ["mpmath at 5 digits", "flint at 20 bits", "decimal at 2 digits, trapping"]
)
@pytest.mark.usefixtures("as_before")
def test_no_setting_changes_what_is_said_of_hand_worked_gradients(
    name: str, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("With a = 2, b = 3: d/da (a + b)*(a*b) = 21 and d/db a*b = 3.\n")
    at, claims = {"a": "0.1", "b": "3"}, {"a": "9.6", "b": "0.61"}

    def said() -> Any:
        return str(check_claim("(a + b) * (a * b)", at=at, claims=claims)), [
            (c.verdict, c.claimed, c.exact) for c in read_claims(notes)
        ]

    before = said()
    assert "exact 9.6" in before[0]
    assert before[1]
    ATTACKS[name].hostile()
    assert said() == before


# ---- what is set before Python begins

PROGRAM = """
import sys
sys.path[:0] = sys.argv[1:3]
from gradverify.differentiators import load
from gradverify.suites.blocks import Asked, blocks
from gradverify.verify import Budget, verify_item

asked = Asked(dtypes=("float64",), seed=14)
block = next(block for block in blocks(asked) if block.family == "shared")
block.chunk = 5
result = verify_item(block, load("own-tape"), "reverse", budget=Budget(5, least=5))
print(sorted((v.name, n) for v, n in result.counts.items()))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "environment"),
    [
        (("-O",), {"PYTHONHASHSEED": "1"}),
        (("-OO",), {"PYTHONHASHSEED": "4000000000"}),
        (("-X", "utf8=0", "-W", "error"), {"LC_ALL": "C"}),
    ],
)
def test_nothing_that_is_set_before_python_begins_changes_a_verdict(
    flags: tuple[str, ...], environment: dict[str, str], usual: list[Any]
) -> None:
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, *flags, "-c", PROGRAM, root],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    expected = sorted((v.name, n) for v, n in usual[0][1].items())
    assert done.stdout.strip() == str(expected), done.stderr
