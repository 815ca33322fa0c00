"""`gradverify.check`: a function of a user, judged, with what a person reads of it."""

from __future__ import annotations

import re
from collections.abc import Callable
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
from gradverify.outside.printing import visible
from gradverify.plugin.item_outcome import ItemOutcome, outcome
from gradverify.records import Discrepancy
from gradverify.report.terminal import failure_text
from gradverify.verdict import Verdict

SUITE = "functions"


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
    wrt: Any = None,
    domain: str | None = None,
    cases: int = 50,
    modes: Any = "all",
    seconds: float = 60.0,
    seed: int = 0,
    **kwargs: Any,
) -> CheckedFunction:
    """Judge the derivatives of your own function at these arguments and at others.

    function: a function, a module, the `apply` of an `autograd.Function`; args, kwargs:
        what it is called with. Tensors make it PyTorch's.
    reference: a function of the same arguments in plain code, for a kernel that cannot
        be read. It says what is right, if it gives what the function gives.
    wrt: names or numbers of the arguments that are judged; all that are floats if None.
        Parameters of modules and of closures are judged as well.
    domain: where the function may be looked at: `"x > 0"`, `"0 < p < 1 and q != 0"`.
    cases: how many points are judged; seconds: after which no more are begun.
    modes: "all", or names such as "reverse, forward".

    Raises `ValueError` that says which argument or option is not understood, and
    whatever the function itself raises at the given arguments.
    """
    call = call_of(function, args, kwargs, wrt)
    known = None if reference is None else call_of(reference, args, kwargs, wrt)
    asked = FunctionOptions(
        cases=_whole("cases", cases),
        seconds=seconds,
        seed=seed,
        modes=modes_of(call, modes),
        domain=domain,
    )
    return recorded(check_function(call, asked, known))


def _whole(name: str, value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"{name}={value!r}; write a whole number from 1 up")
    return value


def recorded(
    result: FunctionResult, item: str = "", policy: str = "wrong"
) -> CheckedFunction:
    """The result with records, as an item of the plugin has them."""
    outcomes = []
    for mode, found in result.items.items():
        own = [f for f in result.findings if f.mode.partition(HANDED)[0] == mode]
        head = {
            "id": item or f"{result.name}:{mode}:{result.dtype}",
            "suite": SUITE,
            "block": result.name,
            "differentiator": result.library,
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
    changes: dict[str, Any] = {
        "where": where,
        "inputs": [letters.get(name, name) for name in found.inputs],
        "formula": result.name,
    }
    if finding.line is not None and found.diagnosis is not None:
        sentence = f"{finding.line}: {found.diagnosis.sentence}"
        changes["diagnosis"] = msgspec.structs.replace(
            found.diagnosis, sentence=sentence
        )
    return changes
