"""The deviation of an engine in words: where, why, and what a page draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradverify.compare import compare
from gradverify.diagnosis import lost_digits, nonfinite
from gradverify.diagnosis.declarations import DeviatingEngine, declaration
from gradverify.diagnosis.declarations import sentence as declarations_sentence
from gradverify.diagnosis.evidence import line, quotients, worst_entry
from gradverify.diagnosis.explain_case import FoundSlips, explained, smallest_part
from gradverify.diagnosis.explain_claim import said, shown
from gradverify.diagnosis.explanation import DrawnEvidence, Explanation
from gradverify.diagnosis.generic_points import twins
from gradverify.diagnosis.localize import WHOLE
from gradverify.diagnosis.naming import Naming, naming
from gradverify.diagnosis.observation import observed
from gradverify.diagnosis.op_alone import op_alone
from gradverify.diagnosis.operand_slips import Key
from gradverify.diagnosis.other_modes import by_modes
from gradverify.diagnosis.reproducer import reproducer
from gradverify.diagnosis.right_sweep import right
from gradverify.diagnosis.second_order_slips import second_order_slip
from gradverify.diagnosis.sentences import sentence as slip_sentence
from gradverify.diagnosis.sentences import short_key
from gradverify.diagnosis.short_constants import short_constants_of
from gradverify.diagnosis.steady_error import steady_error
from gradverify.diagnosis.tied_operands import is_wrong_at_ties
from gradverify.diagnosis.transposed import transposed_operand
from gradverify.differentiators import Derivatives, Differentiator, run, unsupported
from gradverify.formats import format_of
from gradverify.graph import CONSTANTS, LEAVES, Case
from gradverify.questions import GRADIENT, QUESTIONS, questions_of
from gradverify.reference import reference
from gradverify.surroundings import surrounded
from gradverify.verdict import Judgement, Verdict

SLIPS = frozenset({
    Verdict.WRONG, Verdict.STALE, Verdict.NONDETERMINISTIC, Verdict.MISSING,
})  # fmt: skip
# The verdicts for which there are numbers to draw.
DRAWN = SLIPS | {Verdict.IMPRECISE, Verdict.NONFINITE}
FEW = 1e-3  # a relative error below this may be lost digits and no wrong formula
GENERIC = 3  # other points at which an engine must be right to be wrong here alone
BRANCH = (
    ", at these numbers alone: moved to others it is right, so that the rule takes a "
    "branch of its own here"
)


@dataclass(frozen=True)
class Failure:
    """A case at which an engine deviates, as it was judged.

    op: the op that deviates alone, or "graph".
    """

    case: Case
    judgement: Judgement
    op: str
    differentiator: Differentiator
    mode: str
    limit: float = 10.0
    in_flight: Callable[[Case], None] = lambda case: None

    def look(self, case: Case) -> Derivatives | None:
        """What the engine gives at a case; None if it cannot run it."""
        if unsupported(self.differentiator, case) is not None:
            return None
        self.in_flight(case)
        return run(self.differentiator, self.mode, case, limit=self.limit)


@surrounded
def diagnose(failure: Failure) -> Explanation:
    """Where and why an engine deviates. The sentence is empty if nothing can be said.

    Raises nothing, because a finding is worth more than its diagnosis.
    """
    try:
        return _diagnosed(failure)
    except Exception as error:
        text = f"gradverify's own fault: no diagnosis, {type(error).__name__}: {error}"
        return Explanation(sentence=text)


def _diagnosed(failure: Failure) -> Explanation:
    case, judgement = failure.case, failure.judgement
    with np.errstate(all="ignore"):
        words = naming(right(case), failure.differentiator.name)
        declared = _declared(failure, words)
        if declared is not None:
            found = declared
        elif not _is_of_gradient(failure):
            found = _of_other_question(failure, words)
        elif judgement.verdict in SLIPS:
            found = _by_slips(failure, words)
        else:
            found = _by_verdict(failure, words)
        found = replace(found, sentence=_with_modes(failure, found.sentence))
        if judgement.verdict in DRAWN and _is_of_gradient(failure):
            found = replace(found, shown=_drawn(failure, found.shown))
        script = reproducer(case, failure.differentiator, failure.mode, judgement)
        return replace(found, script=script)


def _with_modes(failure: Failure, sentence: str) -> str:
    """The sentence, after which modes of the engine are right at the case."""
    if failure.judgement.fatal or failure.judgement.verdict is Verdict.TIMED_OUT:
        return sentence
    modes = by_modes(
        failure.case,
        failure.differentiator,
        failure.mode,
        failure.judgement.verdict,
        failure.limit,
        failure.in_flight,
    )
    return "; ".join(text for text in (modes, sentence) if text)


def _is_of_gradient(failure: Failure) -> bool:
    """Whether the mode deviates where it is asked for the gradient of the case.

    A jvp may, even if it was asked for a tangent.
    """
    if failure.judgement.question == GRADIENT.name:
        return True
    kind = failure.differentiator.modes()[failure.mode].kind
    if questions_of(kind)[0] is not GRADIENT:
        return False
    given = failure.look(failure.case)
    if given is None:
        return False
    verdict = compare(failure.case, reference(failure.case), given).verdict
    return verdict is failure.judgement.verdict


def _of_other_question(failure: Failure, words: Naming) -> Explanation:
    """A slip of the second sweep, if it gives the numbers; else the op that deviates
    alone.
    """
    node = _node(failure, words)
    given = failure.look(failure.case)
    question = QUESTIONS[failure.judgement.question]
    if question.order == 2 and given is not None:
        slip = None
        if given.error is None and failure.judgement.verdict in SLIPS:
            slip = second_order_slip(
                failure.case, given.cotangents, words, question, failure.op
            )
        if slip is not None:
            at = slip.node if slip.node is not None else node
            return Explanation(
                sentence=slip.sentence + _where_only(failure),
                cause=slip.cause,
                node=at,
                operand=slip.operand,
                op="" if at is None else words.graph.nodes[at].op,
                shown=shown(words, None if at is None else (at, slip.operand)),
            )
    if node is None:
        return Explanation(sentence="")
    raised = ""
    if failure.judgement.verdict is Verdict.CRASHED:
        raised = f"alone it raises {failure.judgement.got}"
    return Explanation(
        sentence=f"at {words.line(node)}: "
        f"{raised or 'deviates alone, at the values of its operands'}"
        f"{_where_only(failure)}",
        node=node,
        op=failure.op,
        shown=shown(words, (node, None)),
    )


def _where_only(failure: Failure) -> str:
    """That the engine is right at generic numbers, if it is; else nothing.

    A rule may take a branch of its own where numbers are equal or zero. The branch may
    have the right value and another derivative.
    """
    if failure.judgement.verdict not in SLIPS:
        return ""
    question = QUESTIONS[failure.judgement.question]
    leaves = not failure.differentiator.compiles
    for which in range(GENERIC):
        twin = next(twins(failure.case, which, leaves=leaves), None)
        given = None if twin is None else failure.look(twin)
        if twin is None or given is None:
            return ""
        found = compare(twin, reference(twin, question=question), given)
        if found.verdict is not Verdict.AGREES:
            return ""
    return BRANCH


def _declared(failure: Failure, words: Naming) -> Explanation | None:
    """What the engine may declare instead; None if nothing explains the deviation."""
    who, verdict = failure.differentiator, failure.judgement.verdict
    if not verdict.fails():
        return None
    found = DeviatingEngine(failure.case, failure.judgement, who, failure.look)
    row = declaration(found)
    if row is None:
        return None
    node = _node(failure, words)
    place = "" if node is None else f"at {words.line(node)}: "
    return Explanation(
        sentence=place + declarations_sentence(row, found),
        cause=row.name,
        node=node,
        op=failure.op,
        shown=shown(words, None if node is None else (node, None)),
    )


def _drawn(failure: Failure, shown: DrawnEvidence) -> DrawnEvidence:
    """The evidence with difference quotients and the error along a line, for the worst
    entry.
    """
    case = failure.case
    derivatives = failure.look(case)
    seen = None if derivatives is None else observed(case, derivatives)
    if seen is None or not case.point or not any(x.size for x in case.point):
        return shown
    place = worst_entry(seen)
    return replace(
        shown,
        quotients=quotients(case, place),
        line=line(case, place, failure.look),
    )


def _by_slips(failure: Failure, words: Naming) -> Explanation:
    tied = _tied(failure, words)
    if tied is not None:
        return tied
    compiles = failure.differentiator.compiles
    found = explained(failure.case, failure.look, failure.op, leaves=not compiles)
    if found.slips and found.plain is not None:
        return said(words, found.slips, found.plain)
    if found.slips:
        return said(words, found.slips, replace(found.seen[0], right=words.right))
    if found.of_op is not None:
        slip = found.of_op
        return Explanation(
            sentence=slip_sentence(words, slip),
            cause=slip.cause.name,
            node=slip.node,
            op=slip.op,
            shown=shown(words, (slip.node, None)),
        )
    at_kink = _kink(failure, words)
    if at_kink is not None:
        return at_kink
    if _is_small(found, failure):
        lost = _rounding(failure, words)
        if lost is not None:
            return lost
    return _place(words, found, failure)


def _place(words: Naming, found: FoundSlips, failure: Failure) -> Explanation:
    """The place alone, if no slip gives the numbers."""
    node, text = _where(words, found, failure)
    guilty = None if node is None else (node, None)
    op = "" if node is None else words.graph.nodes[node].op
    return Explanation(sentence=text, node=node, op=op, shown=shown(words, guilty))


def _where(
    words: Naming, found: FoundSlips, failure: Failure
) -> tuple[int | None, str]:
    """The op that deviates alone; else the first wrong adjoint on the way back; else
    the end of the smallest part of the graph that deviates.
    """
    node = _node(failure, words)
    if node is not None:
        return node, f"at {words.line(node)}: deviates alone, at its operands' values"
    wrong = found.seen[0].wrong if found.seen else ()
    inner = [i for i in wrong if words.graph.nodes[i].op not in LEAVES]
    if inner:
        name = f"∂{words.names[-1]}/∂{words.names[max(inner)]}"
        return max(inner), f"the first wrong adjoint on the way back is {name}"
    node = smallest_part(failure.case, failure.look)
    if node is None:
        return None, ""
    line = words.line(node)
    return node, f"at {line}: the smallest part of the graph that deviates ends here"


def _node(failure: Failure, words: Naming) -> int | None:
    """The last node with the op that deviates alone."""
    if failure.op == WHOLE:
        return None
    nodes = words.graph.nodes
    own = [i for i, node in enumerate(nodes) if node.op == failure.op]
    return max(own, default=None)


def _alone(failure: Failure, words: Naming, node: int) -> Case | None:
    """The op of a node alone, pulled back from ones; None if it has no inputs."""
    case = failure.case
    shape = case.graph.nodes[node].shape
    try:
        values = [np.asarray(v, case.dtype) for v in words.right.values]
        alone = op_alone(case, node, values, np.ones(shape))
    except ValueError:
        return None
    return alone if alone.point else None


def _tied(failure: Failure, words: Naming) -> Explanation | None:
    """A rule that is wrong where two operands are equal; None if it is not that."""
    node = _node(failure, words)
    alone = None if node is None else _alone(failure, words, node)
    if node is None or alone is None or not is_wrong_at_ties(alone, failure.look):
        return None
    shares = _shares(failure, alone)
    text = "where its operands are equal the rule is wrong, and it is right beside that"
    return Explanation(
        sentence=f"at {words.line(node)}: {SHARES.get(shares or '', text)}",
        cause="ties",
        node=node,
        op=failure.op,
        shown=shown(words, (node, None)),
    )


def _kink(failure: Failure, words: Naming) -> Explanation | None:
    """What the op alone gives at its kink, beside what is allowed there.

    None if it has no kink.
    """
    node = _node(failure, words)
    alone = None if node is None else _alone(failure, words, node)
    if node is None or alone is None or reference(alone).kinked is None:
        return None
    judgement = failure.judgement
    shares = _shares(failure, alone)
    text = f"at its kink {judgement.got} is given; allowed is {judgement.exact}"
    text = text if shares is None else SHARES[shares]
    return Explanation(
        sentence=f"at {words.line(node)}: {SHARES.get(shares or '', text)}",
        cause="kink slope" if shares is None else "ties",
        node=node,
        op=failure.op,
        shown=shown(words, (node, None)),
    )


# How operands that are equal share a cotangent, where their shares do not add up to it.
SHARES = {
    "whole": "each of the operands that are equal gets the whole cotangent",
    "nothing": "none of the operands that are equal gets anything of the cotangent",
    "half": "one of the operands that are equal gets half of the cotangent, and no "
    "other one gets the rest",
}


def _shares(failure: Failure, alone: Case) -> str | None:
    """How an op alone shares a cotangent of ones between equal operands, or entries.

    None if it is no op that chooses, or if the shares add up.
    """
    op = alone.graph.ops[0]
    found = failure.look(alone) if op in CHOOSING else None
    if found is None or found.error is not None or len(alone.point) > 2:
        return None
    given = [0.0 if ct is None else np.asarray(ct) for ct in found.cotangents]
    if len(alone.point) == 2:
        if alone.point[0].shape != alone.point[1].shape:
            return None
        tied = alone.point[0] == alone.point[1]
        total, count = np.broadcast_to(sum(given), tied.shape)[tied], 2
    else:
        (x,), peak = alone.point, np.max if op.startswith("max") else np.min
        tied = x == peak(x) if x.size else np.zeros(x.shape, bool)
        count = int(tied.sum())
        total = np.array([np.sum(np.broadcast_to(given[0], x.shape)[tied])])
        if alone.graph.nodes[len(alone.graph.inputs)].shape != () or count < 2:
            return None
    for name, share in (("whole", count), ("nothing", 0.0), ("half", 0.5)):
        if total.size and np.all(total == share):
            return name
    return None


CHOOSING = ("maximum", "minimum", "max", "min", "logaddexp")


# ---- rounding


def _is_small(found: FoundSlips, failure: Failure) -> bool:
    """Whether all numbers are right in their first digits, so that digits were lost.

    The number that was judged counts too. It may be an adjoint that reaches no input.
    """
    ulps = failure.judgement.error_ulps or 0.0
    if ulps * format_of(failure.case.dtype).spacing > FEW:
        return False
    seen = [*found.seen, *([found.plain] if found.plain is not None else [])]
    return bool(seen) and all(
        bool(np.all(np.abs(o.given - o.exact) <= FEW * np.abs(o.exact) + o.room))
        for o in seen
    )


def _rounding(failure: Failure, words: Naming) -> Explanation | None:
    """The node at which digits are lost: the op that deviates alone, else the node at
    which the values of floats lose most.
    """
    node = _node(failure, words)
    steady = _steady(failure, words, node)
    if steady is not None:
        return steady
    if node is None:
        loss = lost_digits.in_graph(words.right)
    else:
        loss = lost_digits.of_op(words.right, node, failure.judgement.error_ulps)
    if loss is None:
        return None
    formula = _usual(failure, words, loss.node)
    if formula is not None:
        loss = replace(loss, usual=formula.usual, keeps=formula.keeps)
    fails = failure.judgement.verdict.fails()
    line, dtype = words.line(loss.node), failure.case.dtype
    return Explanation(
        sentence=lost_digits.sentence(loss, line, dtype, fails=fails),
        cause="rounding",
        node=loss.node,
        op=words.graph.nodes[loss.node].op,
        digits_lost=f"{loss.digits:.1f}",
        rewriting=loss.keeps,
        shown=shown(words, (loss.node, None)),
    )


def _steady(failure: Failure, words: Naming, node: int | None) -> Explanation | None:
    """What is said of an error that stays beside the point; None if it jumps."""
    error = steady_error(failure.case, failure.look)
    if error is None:
        return None
    place = "" if node is None else f"at {words.line(node)}: "
    text = f"{place}the error is {error:.2g} of the derivative nearby, too, "
    if failure.judgement.verdict.fails():
        text += "so it is no rounding, but a formula that is nearly right"
    else:
        text += f"as usual formulas may lose in {failure.case.dtype}"
    return Explanation(
        sentence=text,
        cause="steady error",
        node=node,
        op=failure.op,
        shown=shown(words, None if node is None else (node, None)),
    )


def _usual(failure: Failure, words: Naming, node: int) -> lost_digits.Formula | None:
    """The usual formula for the op, if the engine's op alone gives what it gives."""
    case = failure.case
    if len(words.graph.nodes[node].operands) != 1:
        return None
    values = [np.asarray(v, case.dtype) for v in words.right.values]
    try:
        alone = op_alone(case, node, values, np.ones(words.graph.nodes[node].shape))
    except ValueError:
        return None
    derivatives = failure.look(alone)
    if derivatives is None or derivatives.error or len(derivatives.cotangents) != 1:
        return None
    (partial,) = derivatives.cotangents
    if partial is None or np.shape(partial) != words.graph.nodes[node].shape:
        return None
    return lost_digits.by_formula(words.right, node, partial)


# ---- NaN and infinities


def _nonfinite(failure: Failure, words: Naming, node: int | None) -> Explanation | None:
    """What is computed where a derivative is NaN or infinite; None if that is not
    known.

    node: the op that deviates alone; None if there is none.
    """
    judgement = failure.judgement
    found: nonfinite.Nonfinite | None = None
    if judgement.verdict is Verdict.CRASHED:
        if node is None or NEGATIVE_POWER not in judgement.got:
            return None
        found = nonfinite.of_exception(words.right, node)
        if found is None:
            return None
    elif judgement.verdict is not Verdict.NONFINITE:
        return None
    elif node is not None:
        given = _given_alone(failure, words, node)
        found = nonfinite.of_op(words.right, node, given) if given else None
    found = found or nonfinite.zero_times_infinity(words.right)
    if not found:
        return None
    i, k = found.node, found.operand
    if found.formula is None:
        slope, other = words.partial(i, k), found.of_another
        zero = "the tangent of another entry" if other else "the cotangent"
        place = " there" if other else ""
        text = f"{found.kind} since {zero} is 0 and {slope} is infinite{place}"
    else:
        text = "; or ".join(_by_formula(f, words) for f in (found, *found.equally))
    return Explanation(
        sentence=f"at {words.line(i)}: {text}",
        cause=found.kind,
        node=i,
        operand=k,
        op=words.graph.nodes[i].op,
        shown=shown(words, (i, k)),
        equally=tuple(dict.fromkeys(f.kind for f in found.equally)),
    )


def _by_formula(found: nonfinite.Nonfinite, words: Naming) -> str:
    """What a usual formula computes, and when."""
    assert found.formula is not None
    told = words.in_names(found.formula.says, found.node)
    why = words.in_names(found.formula.why, found.node)
    return f"{found.kind} {why}, as the formula {told} gives"


def _short_value(failure: Failure, words: Naming, node: int) -> tuple[Key, ...]:
    """The constants of an op whose missing digits explain its value."""
    values = [np.asarray(v, failure.case.dtype) for v in words.right.values]
    try:
        ones = np.ones(words.graph.nodes[node].shape)
        alone = op_alone(failure.case, node, values, ones)
    except ValueError:
        return ()
    return short_constants_of(alone, failure.look) if alone.point else ()


NEGATIVE_POWER = "negative power"  # in the text of Python's exception for 0.0**-1


def _given_alone(failure: Failure, words: Naming, node: int) -> list[Any] | None:
    """What the engine gives for each operand of an op alone; None for constants."""
    case, applied = failure.case, words.graph.nodes[node]
    values = [np.asarray(v, case.dtype) for v in words.right.values]
    try:
        alone = op_alone(case, node, values, np.ones(applied.shape))
    except ValueError:
        return None
    derivatives = failure.look(alone) if alone.point else None
    if derivatives is None or derivatives.error is not None:
        return None
    rest = iter(derivatives.cotangents)
    return [
        None if words.graph.nodes[j].op in CONSTANTS else next(rest, None)
        for j in applied.operands
    ]


# ---- what is no slip of a derivative


def _by_verdict(failure: Failure, words: Naming) -> Explanation:
    if failure.judgement.verdict is Verdict.IMPRECISE:
        return _rounding(failure, words) or Explanation(shown=shown(words))
    node = _node(failure, words)
    if node is None:
        known = _nonfinite(failure, words, None)
        return known or Explanation(shown=shown(words))
    judgement = failure.judgement
    known = _nonfinite(failure, words, node)
    if known is not None:
        return known
    place, shape = f"at {words.line(node)}", words.graph.nodes[node].shape
    texts = {
        Verdict.WRONG_VALUE: f"the value is wrong already, {judgement.got} for "
        f"{judgement.exact}",
        Verdict.NONFINITE: f"{judgement.got} is given for {judgement.exact}",
        Verdict.CRASHED: f"alone it raises {judgement.got}",
        Verdict.WRONG_SHAPE: f"the derivative has the shape {judgement.got}, the "
        f"operand {judgement.exact}",
    }
    cause = ""
    text = texts.get(judgement.verdict, "")
    if judgement.verdict is Verdict.WRONG_SHAPE and judgement.got == str(shape):
        cause = "not summed"
        text = f"a broadcast axis is not summed over: {text}"
    if judgement.verdict is Verdict.WRONG_VALUE:
        turned = transposed_operand(failure.case, node, failure.look)
        if turned is not None:
            cause = "transposed operand"
            name = words.names[words.graph.nodes[node].operands[turned]]
            text = f"x·W is computed as W·x, with the square matrix {name}: {text}"
        else:
            short = _short_value(failure, words, node)
            if short:
                told = " and ".join(f"the constant {short_key(k)}" for k in short)
                cause, text = "short constant", f"{text}: {told}"
    return Explanation(
        sentence=f"{place}: {text}" if text else "",
        cause=cause,
        node=node,
        op=failure.op,
        shown=shown(words, (node, None)),
    )
