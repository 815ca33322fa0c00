"""One grammar for chains of equalities: from tokens to formulas, in every reading.

lark's Earley parser keeps all readings; who asks decides what two of them mean.
"""

# ruff: noqa: SIM905

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Any

from gradverify.claims.claim_limits import CHAIN_TOKENS, READINGS
from gradverify.claims.computation.file_program import NotUnderstood
from gradverify.claims.language.tokens import Token

GRAMMAR = r"""
start: side ((EQ | APPROX) side)*

?side: sum
     | D SLASH D wrt sum                          -> operator
     | FRAC LB D RB LB D wrt RB product follower   -> operator_of
?sum: term
    | sum PLUS term                                -> add
    | sum MINUS term                               -> sub
?term: factor
     | term TIMES factor                           -> mul
     | term HADAMARD factor                        -> hadamard
     | term CIRCLE factor                          -> circle
     | term MATMUL factor                          -> matmul
     | term SLASH factor                           -> div
     | term SLASH power beside                     -> div_beside
?factor: MINUS factor                              -> neg
       | PLUS factor                               -> pos
       | product
?product: power | product follower                 -> juxta
?beside: follower | beside follower                -> juxta
?power: atom
      | atom CARET exponent                        -> pow
      | atom CARET TRANSPOSE                       -> transpose
      | atom CARET LB TRANSPOSE RB                 -> transpose
?follower: unnumbered
         | base CARET exponent                     -> pow
         | unnumbered CARET exponent               -> pow
         | unnumbered CARET TRANSPOSE              -> transpose
         | unnumbered CARET LB TRANSPOSE RB        -> transpose
base: NUMBER                                       -> number
?exponent: atom | MINUS atom                       -> neg
?atom: NUMBER ELL?                                 -> number
     | unnumbered
?unnumbered: NAME                                  -> name
     | EULER                                       -> euler
     | PI                                          -> pi
     | GRADOF                                      -> gradient_of
     | LPAR sum RPAR
     | LB sum RB
     | LBRACK sum RBRACK
     | LPAR sum (COMMA sum)+ RPAR                  -> vector
     | LBRACK sum (COMMA sum)+ RBRACK              -> vector
     | BAR sum BAR                                 -> modulus
     | FRAC LB sum RB LB sum RB                    -> fraction
     | SQRT LB sum RB                              -> root
     | SQRT LPAR sum RPAR                          -> root
     | SQRT NUMBER                                 -> root_of_number
     | SQRT NAME                                   -> root_of_name
     | FUNC arguments                              -> call
     | FUNC CARET NUMBER arguments                 -> call_power
     | FUNC primes arguments                       -> call_prime
     | UCALL arguments                             -> apply
     | UCALL primes arguments                      -> apply_prime
     | UCALL CARET NUMBER arguments                -> apply_power
     | UFUNC                                       -> bare
     | UFUNC primes                                -> bare_prime
     | NAME primes                                 -> prime
     | derivative
     | LPAR sum RPAR primes                        -> group_prime
     | LBRACK sum RBRACK primes                    -> group_prime
     | LPAR sum RPAR primes arguments              -> group_prime_at
?wrt: NAME | UFUNC
primes: PRIME+
arguments: LPAR sum (COMMA sum)* RPAR | LB sum RB
derivative: d_plain AT? -> derivative
          | d_plain place                          -> derivative_at
place: ATPAR sum (COMMA sum)* RPAR                 -> arguments
?d_plain: D inner SLASH D NAME                     -> d1
     | FRAC LB D inner RB LB D wrt RB             -> d1
     | FRAC LB D RB LB D wrt RB follower          -> d_operator
     | FRAC LB D RB LB D wrt RB scaled            -> d_operator
     | FRAC LB D CARET NUMBER RB LB D wrt CARET NUMBER RB follower    -> d2_operator
     | INDEXED                                     -> indexed
     | NABLA inner                                 -> gradient
     | LPAR D SLASH D wrt RPAR follower           -> d_operator
     | D SLASH D wrt follower                     -> d_operator
     | D CARET NUMBER inner SLASH D NAME CARET NUMBER                  -> d2
     | FRAC LB D CARET NUMBER inner RB LB D wrt CARET NUMBER RB       -> d2
     | D CARET LB NUMBER RB inner SLASH D NAME CARET NUMBER            -> d2
     | FRAC LB D CARET NUMBER inner RB LB D wrt CARET LB NUMBER RB RB -> d2
     | D CARET NUMBER inner SLASH D NAME D NAME                        -> d_mixed
     | FRAC LB D CARET NUMBER inner RB LB D wrt D wrt RB             -> d_mixed
scaled: NUMBER follower                            -> juxta_number
?inner: NAME -> name | UFUNC -> bare | UCALL arguments -> apply
      | LPAR sum RPAR | LB sum RB | NAME arguments -> name_of | FUNC arguments -> call

%declare EQ APPROX D SLASH NAME PLUS MINUS TIMES HADAMARD CIRCLE MATMUL CARET TRANSPOSE
%declare LB RB
%declare NUMBER ELL EULER PI GRADOF LPAR RPAR LBRACK RBRACK COMMA BAR FRAC SQRT FUNC
%declare PRIME UFUNC UCALL ATPAR AT INDEXED NABLA
"""

TERMINALS = frozenset(
    "EQ APPROX D SLASH NAME PLUS MINUS TIMES HADAMARD CIRCLE MATMUL CARET TRANSPOSE LB "
    "RB NUMBER ELL EULER PI GRADOF LPAR RPAR LBRACK RBRACK COMMA BAR FRAC SQRT FUNC "
    "PRIME UFUNC UCALL ATPAR AT INDEXED NABLA".split()
)
KEPT = frozenset(
    {
        "NAME",
        "NUMBER",
        "GRADOF",
        "FUNC",
        "UFUNC",
        "UCALL",
        "INDEXED",
        "AT",
        "ELL",
        "PRIME",
        "EQ",
        "APPROX",
    }
)
# What nobody means: (d/dx x)^2, and (f + g)' times (x).
UNNATURAL = ("('pow', ('derivative', ('d_operator'", "('juxta', ('group_prime',")

Formula = tuple[Any, ...]  # ("add", left, right), ("name", "x"), ("number", "0.5")


@cache
def _parser() -> Any:
    try:
        from lark import Lark
        from lark import Token as LarkToken
        from lark.lexer import Lexer
    except ImportError:
        raise ModuleNotFoundError(
            'reading claims needs lark: pip install "gradverify[claims]"'
        ) from None

    class Ready(Lexer):
        """Hands over tokens that are made already."""

        def __init__(self, conf: Any) -> None:
            del conf

        def lex(self, lexer_state: Any, parser_state: Any = None) -> Iterator[Any]:
            del parser_state
            for token in lexer_state:
                yield LarkToken(token.kind, token.text)

    return Lark(GRAMMAR, parser="earley", lexer=Ready, ambiguity="explicit")


def readings(tokens: Sequence[Token]) -> list[tuple[list[Formula], list[bool]]]:
    """Every reading of a chain: its members, and whether each `=` is an `≈`.

    `NotUnderstood` names a token that is in no place where the grammar knows it.
    """
    for token in tokens:
        if token.kind not in TERMINALS:
            raise NotUnderstood(f"{token.text!r} is not understood")
    if len(tokens) > CHAIN_TOKENS:
        raise NotUnderstood(f"the formula has over {CHAIN_TOKENS} tokens")
    found = _parsed(tuple((t.kind, t.text) for t in tokens))
    if isinstance(found, str):
        raise NotUnderstood(found)
    approximate = [t.kind == "APPROX" for t in tokens if t.kind in ("EQ", "APPROX")]
    return [(list(f[1:]), list(approximate)) for f in found]


@lru_cache(maxsize=2000)
def _parsed(tokens: tuple[tuple[str, str], ...]) -> tuple[Formula, ...] | str:
    """The readings of tokens, or why there are none; a claim is tried several times."""
    from lark.exceptions import LarkError, UnexpectedInput

    try:
        tree = _parser().parse([Token(kind, text) for kind, text in tokens])
    except UnexpectedInput as error:
        found = getattr(error, "token", None)
        place = repr(str(found)) if found is not None and str(found) else "the end"
        return f"{place} is in no place where it is understood"
    except (LarkError, RecursionError):
        return "the formula ends too early"
    several = itertools.islice(_expanded(tree), READINGS)
    unique = {repr(f): f for f in several}
    natural = {k: f for k, f in unique.items() if not any(u in k for u in UNNATURAL)}
    return tuple((natural or unique).values())


def _expanded(tree: Any) -> Iterator[Formula]:
    """A parse tree as tuples; one for each way through its ambiguities."""
    if tree.data == "_ambig":
        for child in tree.children:
            yield from _expanded(child)
        return
    options: list[list[Any]] = []
    for child in tree.children:
        if isinstance(child, str):
            kind = getattr(child, "type", "")
            if kind in KEPT and kind not in ("EQ", "APPROX"):
                options.append([(kind, str(child))])
        else:
            options.append(list(itertools.islice(_expanded(child), READINGS)))
    for chosen in itertools.product(*options):
        unwrapped = tree.data in ("sum", "side", "unnumbered", "inner", "exponent")
        yield chosen[0] if unwrapped and len(chosen) == 1 else (str(tree.data), *chosen)
