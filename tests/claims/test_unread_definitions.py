"""A definition that is not read leaves a doubt about what is defined after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradverify.claims.reading.reader import read_claims

# fmt: off
UNREAD = (  # a text whose first definition is not read, and its verdicts
    ("Let $f(x) = \\operatorname{dist}(x, A)^2$, so that $f'(x) = 3x$.\n"
     "Later we use $f(x) = x^3$.\n", ["unsure"]),
    ("We take $g(t) = \\max_k \\langle a_k, t\\rangle$, so $g'(t) = 3t$, and\n"
     "afterwards $g(t) = \\frac{3}{2}t^2 + 5t$ with $g'(t) = 3t + 5$.\n",
     ["unsure", "right"]),
    ("$$f(x) = \\begin{array}{c} strange \\end{array}$$\n\n$$f'(x) = x$$\n\n"
     "$$f(x) = x^2$$\n\n$$f'(x) = 2x$$\n", ["unsure", "right"]),
)
READ = (  # the same where nothing stands before the definition that is not read
    ("Now $f'(x) = 3x$.\nWe use $f(x) = x^3$.\n", ["wrong"]),
    ("Now $f'(x) = 3x^2$.\nWe use $f(x) = x^3$.\n", ["right"]),
    ("Let $k(x) = \\operatorname{dist}(x, A)^2$ be given.\n"
     "Now $f'(x) = 3x$.\nWe use $f(x) = x^3$.\n", ["wrong"]),
)
# fmt: on


@pytest.mark.parametrize(("text", "expected"), [*UNREAD, *READ])
def test_a_later_definition_is_not_taken_for_one_that_is_not_read(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    path = tmp_path / "a.md"
    path.write_text(text, encoding="utf-8")
    assert [c.verdict for c in read_claims(path)] == expected
