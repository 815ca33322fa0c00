"""What the sentence around a claim says of it: a condition, an equation, a denial.

Such words do not make a claim wrong or right. They say that its author may not mean it
as a statement about the derivative, so that it is not called wrong.
"""

# Words of several languages; some look like others to a linter.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Sequence

from gradverify.claims.language.segmentation import Segment
from gradverify.claims.language.tokens import Token

# fmt: off
# What the words say, before the claim and behind it, up to the ends of the sentence.
CUES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("the text states an equation, which need not be about this function",
     re.compile(r"\b(?:equation|ode|odes|pde|differentialgleichung|gleichung|dgl|équation|edo|ecuación|equazione|equação|satisf\w+|obeys|erfüllt|vérifie)\b", re.I)),
    ("the text states a condition",
     re.compile(r"\b(?:there (?:is|exists|are)|for which|es gibt|il existe|il y a|existe|esiste|suppose|assum\w+|require\w*|must|need|want|such that|so that|condition|solv\w+|minim\w+|maxim\w+|extrem\w+|stationary|critical|set(?:ting)? \w* ?(?:to|equal)|(?:found|located|obtained) by setting|angenommen|bedingung|lösen|löse|nullstelle\w*|supposons|suppose|condition|résol\w+|cherche\w*|supongamos|condición|resolver|supponiamo|condizione)\b", re.I)),
    ("the text denies it",
     re.compile(r"\b(?:wrong|incorrect\w*|mistake\w*|falsch\w*|faux|fausse|erróneo|incorrecto|errado|sbagliat\w*|might guess|tempting|na[iï]ve\w*|not (?:true|the case|allowed|write)|(?:may|must|should) not|cannot)\b", re.I)),
    ("the text speaks of an approximation",
     re.compile(r"\b(?:approximat\w+|finite differences?|numerical(?:ly)?|taylor|linear[iz]s?ation|differenzenquotient|näherung\w*|approch\w+|aproxima\w+)\b", re.I)),
    ("the text puts something else in the place of the function",
     re.compile(r"\b(?:instead|replac\w+|another|different|statt|stattdessen|anstelle|anderes?|à la place|remplac\w+|otra|en lugar|invece)\b", re.I)),
)
# fmt: on

# After these words a sentence speaks of the solution, and no longer of the equation.
SOLVED = re.compile(
    r"\b(?:solved by|solutions?|hat die lösung|lösung|gelöst|solución|soluzione|solução)\b",
    re.IGNORECASE,
)


def doubts_of(tokens: Sequence[Token], part: Segment, lead: str) -> tuple[str, ...]:
    """Why a claim may not be one, as the sentence around it says.

    lead: the words before the text that its sentence begins with.
    """
    start, end = part.tokens[0].at, part.tokens[-1].at
    words = lead.split()
    for token in tokens:
        ends = token.kind == "DOT" or (
            token.kind == "NL" and words and words[-1] == "\n"
        )
        if ends and not token.formula:
            if token.at > end:
                break
            if token.at < start:
                words = []
                continue
        if not token.formula and not start <= token.at <= end:
            words.append(token.text)
    sentence = SOLVED.split(" ".join(words))[-1]
    return tuple(says for says, cue in CUES if cue.search(sentence))
