"""`gradverify.check`: a function of a user, judged, with what a person reads of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import msgspec

from gradverify.capture import (
    FunctionOptions,
    FunctionResult,
    call_of,
    check_function,
    modes_of,
)
from gradverify.capture.function_check import FunctionFinding
from gradverify.capture.function_engine import HANDED
from gradverify.graph import formula, names_of, numbered_lines
from gradverify.known import Deviation
from gradverify.outside.printing import visible
from gradverify.plugin.item_outcome import ItemOutcome, outcome
from gradverify.questions import contracted, up_to
from gradverify.records import Discrepancy
from gradverify.report.terminal import failure_text
from gradverify.verdict import Verdict

SUITE = "functions"
SHOWN = 8  # entries of a cotangent that a note writes out
LEGEND = 6  # letters of a sentence that are explained


@dataclass(frozen=True)
class CheckedFunction:
    """What `check` answers: true if nothing is wrong and something was judged.

    findings: records of what deviates, the failing ones first. outcomes: one item for
    each mode. remarks: sentences about what was seen, and what was not looked at.
    """

    result: FunctionResult
    outcomes: tuple[ItemOutcome, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, and something was judged."""
        return self.result.ok

    @property
    def findings(self) -> tuple[Discrepancy, ...]:
        """What deviates: records with the numbers, the place and the cause."""
        every = [d for o in self.outcomes for d in o.discrepancies]
        return tuple(sorted(every, key=lambda d: not d.failed))

    @property
    def truth(self) -> str:
        """What judged: the captured program, the reference, or differences."""
        return self.result.truth

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was seen of the function, and what was not looked at."""
        return self.result.remarks

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        failing = [d for d in self.findings if d.failed]
        told = [failure_text(failing, 0, None)] if failing else []
        return "\n".join([*told, *self._summary()])

    def _summary(self) -> list[str]:
        found = self.result
        lines = [f"{found.name}, {found.dtype}: judged by {found.truth}"]
        for mode, item in found.items.items():
            parts = [f"{n} {v.name}" for v, n in item.counts.items() if n]
            lines.append(f"  {mode:<9} {', '.join(parts)}")
            if set(item.counts) == {Verdict.UNSUPPORTED}:
                lines.append(f"  {'':<9} {next(iter(item.skipped), '')}")
        lines += [f"  note      {remark}" for remark in found.remarks]
        return [visible(line) for line in lines]

    def _repr_html_(self) -> str:
        """A small page for a notebook."""
        color = "#1a7f37" if self.ok else "#b3261e"
        word = "right" if self.ok else "wrong"
        return (
            f'<div><b style="color:{color}">{word}</b>'
            f"<pre>{escape(str(self))}</pre></div>"
        )


def check(
    function: Callable[..., Any],
    *args: Any,
    reference: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
    gradient: Callable[..., Any] | None = None,
    wrt: Any = None,
    domain: str | None = None,
    cases: int = 50,
    modes: Any = None,
    seconds: float = 60.0,
    seed: int = 0,
    progress: bool = False,
    **kwargs: Any,
) -> CheckedFunction:
    """Judge the derivatives of your own function at these arguments and at others.

    function: a function, a module, the `apply` of an `autograd.Function`; args, kwargs:
        what it is called with. Tensors make it PyTorch's, arrays of JAX make it JAX's.
    reference: a function of the same arguments in plain code, for a kernel that cannot
        be read. It says what is right, if it gives what the function gives.
    vjp: your backward, for a function of NumPy arrays: of the cotangent and the
        arguments, to a derivative for each of them. gradient: of the arguments alone,
        for a function whose value is one number.
    wrt: names or numbers of the arguments that are judged; all that are floats if None.
        Parameters of modules and of closures are judged as well.
    domain: where the function may be looked at: `"x > 0"`, `"0 < p < 1 and q != 0"`.
    cases: how many points are judged; seconds: after which no more are begun.
    modes: names such as "reverse, forward", or "all". Without it the modes of first
        order; all of them ask for second derivatives as well, which a `Function` that
        is not marked `once_differentiable` claims to have.
    progress: whether to write on standard error how far it is.

    The function's result is an array of any shape, or several; a cotangent of its shape
    is drawn, and each derivative has the shape of its argument. The truth is what the
    function does, run in many digits: difference quotients, confirmed by our gradient
    in balls. Where it cannot be read, Richardson's extrapolation of its own differences
    says it to fewer digits.

    Raises `ValueError` that says which argument or option is not understood, and
    whatever the function itself raises at the given arguments.
    """
    options = {
        "reference": reference,
        "vjp": vjp,
        "gradient": gradient,
        "wrt": wrt,
        "domain": domain,
        "cases": cases,
        "modes": modes,
        "seconds": seconds,
        "seed": seed,
        "progress": progress,
    }
    return recorded(checked(function, args, {**kwargs, **options}))


OWN = (
    "reference",
    "vjp",
    "gradient",
    "wrt",
    "domain",
    "cases",
    "modes",
    "seconds",
    "seed",
    "progress",
)
"""The options of `check` itself; all other keywords are the function's."""


def checked(
    function: Callable[..., Any],
    args: Sequence[Any],
    options: Mapping[str, Any],
    known: Sequence[Deviation] = (),
) -> FunctionResult:
    """What `check` finds, before it is written down.

    known: rows of known deviations, which accept what they explain.
    """
    kwargs = {k: v for k, v in options.items() if k not in OWN}
    wrt, reference = options.get("wrt"), options.get("reference")
    by_hand = {k: options[k] for k in ("vjp", "gradient") if options.get(k) is not None}
    call = call_of(function, args, kwargs, wrt, by_hand)
    truth = (
        None if reference is None else call_of(reference, args, kwargs, wrt, by_hand)
    )
    asked = FunctionOptions(
        cases=_whole("cases", options.get("cases", 50)),
        seconds=_seconds(options.get("seconds", 60.0)),
        seed=options.get("seed", 0),
        modes=modes_of(call, options.get("modes")),
        domain=options.get("domain"),
    )
    shown = _counted if options.get("progress") else _silently
    return check_function(call, asked, truth, shown, known)


def _silently(done: int, cases: int) -> None:
    del done, cases


def _counted(done: int, cases: int) -> None:
    """The progress, on one line of standard error."""
    end = "\n" if done == cases else ""
    print(f"\r{done} of {cases} cases", end=end, file=sys.stderr, flush=True)


def _whole(name: str, value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"{name}={value!r}; write a whole number from 1 up")
    return value


def _seconds(value: Any) -> float:
    if type(value) not in (int, float) or not value > 0:
        raise ValueError(f"seconds={value!r}; write a number above 0")
    return float(value)


def recorded(
    result: FunctionResult, item: str = "", policy: str = "wrong"
) -> CheckedFunction:
    """The result with records, as an item of the plugin has them.

    item: what stands before the mode in the ids of its items.
    """
    outcomes = []
    for mode, found in result.items.items():
        own = [f for f in result.findings if f.mode.partition(HANDED)[0] == mode]
        head = {
            "id": f"{item or result.name}[{result.library}:{mode}:{result.dtype}]",
            "suite": SUITE,
            "block": result.name,
            "differentiator": result.name,
            "mode": mode,
            "dtype": result.dtype,
        }
        findings = tuple(f.finding for f in own)
        made = outcome(head, replace(found, findings=findings), policy=policy)
        told = tuple(
            msgspec.structs.replace(d, **_own_words(d, f, result))
            for d, f in zip(made.discrepancies, own, strict=True)
        )
        outcomes.append(ItemOutcome(made.item, told))
    return CheckedFunction(result, tuple(outcomes))


def _own_words(
    found: Discrepancy, finding: FunctionFinding, result: FunctionResult
) -> dict[str, Any]:
    """The fields of a record that speak of the user's own names and lines."""
    letters = dict(zip(found.inputs, result.names, strict=False))
    where = re.sub(r"^d/d(\w+)", lambda m: f"d/d{letters.get(m[1], m[1])}", found.where)
    graph = finding.finding.case.graph
    names = [letters.get(name, name) for name in names_of(graph)]
    node, cotangent = contracted(graph)
    changes: dict[str, Any] = {
        "where": where,
        "inputs": [names[i] for i in graph.inputs],
        "lines": list(numbered_lines(graph, names)),
        "formula": f"{result.name}: {formula(up_to(graph, node), names)}",
    }
    if cotangent.size <= SHOWN:
        entries = ", ".join(f"{w:.6g}" for w in cotangent.ravel())
        pulled = f"pulled back from [{entries}]"
        changes["note"] = f"{found.note}; {pulled}" if found.note else pulled
    if found.diagnosis is not None:
        sentence = found.diagnosis.sentence
        if finding.line is not None:
            sentence = f"{finding.line}: {sentence}"
            changes["place"] = f"{finding.line.path}:{finding.line.number}"
        other = [f"{a} is {b}" for a, b in letters.items() if a != b]
        has_letters = other and found.diagnosis.cause
        legend = f" ({', '.join(other[:LEGEND])})" if has_letters else ""
        changes["diagnosis"] = msgspec.structs.replace(
            found.diagnosis, sentence=sentence + legend
        )
    return changes
