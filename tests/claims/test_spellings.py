"""Ways in which texts spell functions and derivatives: a right and a wrong claim each.

Every text is our own. What is expected of its claims, in their order, stands beside it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gradverify.claims.reading.reader import read_claims

R, W, U, N = "right", "wrong", "unsure", "not understood"

# fmt: off
TEXTS: tuple[tuple[str, str, list[str]], ...] = (
    # functions
    ("reciprocal functions",
     "$\\frac{d}{dt}\\sec t = \\sec t\\tan t$, $\\frac{d}{dt}\\cot t = \\csc^2 t$\n",
     [R, W]),
    ("a logarithm of any base",
     "$\\frac{d}{du}\\log_b u = \\frac{1}{u\\ln b}$, "
     "$\\frac{d}{du}\\log_{5}(u) = \\frac{1}{u\\log_{10} 5}$\n", [R, W]),
    ("a function in pieces",
     "$s(v) = \\begin{cases} v^2 & v > 0 \\\\ -v & \\text{otherwise}\\end{cases}$ has "
     "$s'(v) = \\begin{cases} 2v & v > 0 \\\\ -1 & v \\le 0\\end{cases}$, "
     "$s'(v) = \\begin{cases} 2v & v > 0 \\\\ 1 & v \\le 0\\end{cases}$\n", [R, W]),
    ("an indicator",
     "$k(v) = \\max(0, v)$: $k'(v) = \\mathbb{1}(v > 0)$, "
     "$k'(v) = \\mathbb{1}(v < 0)$\n", [R, W]),
    ("a logistic function whose operand is left out",
     "$\\sigma'(u) = \\sigma(1 - \\sigma)$ and $\\sigma' = \\sigma(1 + \\sigma)$\n",
     [R, W]),
    ("Euler's number behind a letter",
     "$m(x) = x^2e^{3x}$, $m'(x) = 2xe^{3x} + 3x^2e^{3x}$, "
     "$m'(x) = 2xe^{3x} - 3x^2e^{3x}$\n", [R, W]),
    ("a fraction of one sign",
     "$H = ½ (p - q)^2$: $\\frac{\\partial H}{\\partial p} = p - q$, "
     "$\\frac{\\partial H}{\\partial q} = p - q$\n", [R, W]),
    ("a letter of a script",
     "$\\ell(a, b) = a^2 b$: $\\frac{\\partial\\ell}{\\partial a} = 2ab$, "
     "$\\frac{\\partial\\ell}{\\partial b} = 2a$\n", [R, W]),
    ("a product of two parameters outside of a formula",
     "g(x, y) = x³y\n\n∂g/∂x = 3x²y\n\n∂g/∂y = xy\n", [R, W]),
    # inverse functions
    ("the inverse of a function at a number",
     "Let $h(x) = x^3 + x$.\n\n$(h^{-1})'(2) = \\frac{1}{h'(1)} = \\frac14$\n\n"
     "$\\left(h^{-1}\\right)'(10) = \\frac{1}{12}$\n\n$(h^{-1})'(10) = \\frac1{13}$\n",
     [R, U, R]),
    ("an inverse that is written down",
     "$g(x) = e^{5x}$ has the inverse $g^{-1}(y) = \\frac15\\ln y$, and "
     "$(g^{-1})'(y) = \\frac{1}{5y}$, $(g^{-1})^\\prime(y) = \\frac{1}{y}$\n", [R, W]),
    ("an inverse of a part of a function",
     "Let $f(x) = x^3 - 2x$ for $x \\ge 1$. Then $f'(\\sqrt2) = 4$ and "
     "$(f^{-1})'(0) = 1/4$\n", [R, N]),
    ("an inverse of which nothing is known",
     "$(f^{-1})'(y) = \\frac{1}{f'(f^{-1}(y))}$ and $(f^{-1})'(y) = f'(y)$\n", [N, N]),
    # marks
    ("braces that say nothing",
     "$k(x, y) = x^{3} y$: ${\\partial k}/{\\partial x} = 3x^{2} y$, "
     "$\\frac{\\partial{k}}{\\partial {y}} = x^{2}$\n", [R, W]),
    ("names in braces within braces",
     "$J({{\\theta }_{0}},{{\\theta }_{1}}) = ({{\\theta }_{0}} - 3)^2 "
     "{{\\theta }_{1}}$\n\n$\\frac{\\partial }{\\partial {{\\theta }_{0}}}J(\\theta) = "
     "2({{\\theta }_{0}} - 3){{\\theta }_{1}}$\n\n"
     "$\\frac{\\partial }{\\partial {{\\theta }_{1}}}J(\\theta) = "
     "({{\\theta }_{0}} - 3)$\n", [R, W]),
    ("underscores that Markdown escapes",
     "$q = x\\_1^2 x\\_2$: $\\frac{\\partial q}{\\partial x\\_1} = 2x\\_1x\\_2$, "
     "$\\frac{\\partial q}{\\partial x\\_2} = 2x\\_1$\n", [R, W]),
    ("a parameter below a function",
     "$p_\\lambda(x) = x^3 - \\lambda x$: $p'_\\lambda(x) = 3x^2 - \\lambda$, "
     "$p_\\lambda'(x) = 3x^2 + \\lambda$\n", [R, W]),
    ("a gradient by what stands below its sign",
     "Let $L(w) = \\frac{1}{N} (Xw-y)^\\top (Xw - y)$.\n\n"
     "$\\nabla_w L(w) = \\frac{2}{N} X^\\top (Xw - y)$ and "
     "$\\nabla_w L(w) = \\frac{1}{N} X^\\top (Xw - y)$\n\n"
     "$\\nabla_{\\mathbf{u}} \\mathbf{u}^\\top \\mathbf{A} \\mathbf{u} = "
     "(\\mathbf{A} + \\mathbf{A}^\\top)\\mathbf{u}$\n", [R, W, R]),
    # primes
    ("primes of formulas",
     "$(x^3\\cos x)' = 3x^2\\cos x - x^3\\sin x$, $(x^3\\cos x)' = -3x^2\\sin x$\n",
     [R, W]),
    ("the product rule for functions of which nothing is known",
     "$(uv)' = u'v + uv'$ and "
     "$\\left(\\frac{u}{v}\\right)' = \\frac{u'v - uv'}{v^2}$\n",
     [R, R]),
    ("a composition with a prime",
     "$p(x) = x^3$, $q(x) = e^x$: $(q \\circ p)'(x) = 3x^2e^{x^3}$, "
     "$(p \\circ q)'(x) = 3x^2e^{x^3}$\n", [R, W]),
    ("a function of a function as a name",
     "$u(x) = 5x - 2$, $f(u) = u^3$, $y = f(u(x))$: "
     "$\\frac{dy}{dx} = \\frac{dy}{du}\\frac{du}{dx} = 3u^2\\cdot 5 = 15(5x-2)^2$\n",
     [R]),
    ("the chain rule of several names",
     "$\\frac{dw}{ds} = \\frac{\\partial w}{\\partial a}\\frac{da}{ds} + "
     "\\frac{\\partial w}{\\partial b}\\frac{db}{ds}$\n", [R]),
    ("dots for a rate", "$x(t) = \\sin(3t)$: $\\dot x = 3\\cos(3t)$, "
     "$\\ddot x = -9x$, $\\ddot x = 9x$\n", [R, R, W]),
    ("the scope of an operator without brackets",
     "$\\frac{d}{dx} x^4\\sin x = 4x^3\\sin x + x^4\\cos x$, "
     "$\\frac{d}{dx} x^4\\sin x = 4x^3\\sin x$\n", [R, R]),
    # chains
    ("a limit on the way",
     "$f(x) = x^3$: $f'(x) = \\lim_{h\\to 0}\\frac{(x+h)^3 - x^3}{h} = 3x^2$, "
     "$f'(x) = \\lim_{h\\to 0}\\frac{(x+h)^3 - x^3}{h} = 3x$\n", [R, W]),
    ("a limit alone", "$f(x) = x^3$: $f'(x) = \\lim_{h\\to 0} h$\n", [N]),
    ("a formula that goes on in its next line",
     "$$\\begin{aligned}\\frac{d}{dx}(x^3 + \\cos x) &= 3x^2 \\\\ &- \\sin x"
     "\\end{aligned}$$\n", [R]),
    ("a value at which a formula is not defined",
     "At $x = 0$ neither is defined: $\\frac{d}{dx} x^{-2} = -2x^{-3}$\n", [R]),
    # points
    ("a point as a pair of names",
     "$f(x,y) = xy^2$ and $(a, b) = (3, 1)$: "
     "$\\frac{\\partial f}{\\partial x}(a,b) = 1$, "
     "$\\frac{\\partial f}{\\partial y}(a,b) = 1$\n", [R, W]),
    # names
    ("marks of layers",
     "$z^{[2]} = W^{[2]} a^{[1]} + b^{[2]}$: "
     "$\\frac{\\partial z^{[2]}}{\\partial a^{[1]}} = W^{[2]}$, "
     "$\\frac{\\partial z^{[2]}}{\\partial W^{[2]}} = W^{[2]}$\n", [R, W]),
    ("steps of time", "$s_{t} = k s_{t-1}^2$: "
     "$\\frac{\\partial s_t}{\\partial s_{t-1}} = 2 k s_{t-1}$, "
     "$\\frac{\\partial s_t}{\\partial s_{t-1}} = k s_{t-1}$\n", [R, W]),
    ("a name that a text makes a function of another one",
     "$u = x^3 + r^2$, where $r$ is some function of $x$: "
     "$\\frac{du}{dx} = 3x^2 + 2r\\frac{dr}{dx}$, $\\frac{du}{dx} = 3x^2$\n", [R, W]),
    ("a derivative of any function at a place",
     "$\\frac{d}{dx}[g(h(x))] = \\frac{dg}{dh}(h(x))\\cdot\\frac{dh}{dx}(x)$\n", [R]),
    ("braces around names",
     "$f(x,y) = xy^2$: $\\frac{\\partial {f}}{\\partial {x}} = y^2$, "
     "$\\frac{\\partial {f}}{\\partial {y}} = 2x$\n", [R, W]),
    ("words below a letter",
     "$L = k_\\text{in}^2 u$: $\\frac{\\partial L}{\\partial k_\\text{in}} = "
     "2k_\\text{in} u$\n", [R]),
    ("a column as an array",
     "$f(x,y) = x^2y$: $\\nabla f = "
     "\\left(\\begin{array}{c} 2xy \\\\ x^2\\end{array}\\right)$\n", [R]),
    ("an approximation of nothing", "$f(x) = 3x$ and $f'(x) \\approx 0$\n", [U]),
    # sums
    ("a sum over an index",
     "$S = \\sum_i c_i v_i$: $\\frac{\\partial S}{\\partial c_i} = v_i$, "
     "$\\frac{\\partial S}{\\partial v_j} = v_j$\n", [R, W]),
    ("a mean of squares",
     "$Q = \\frac1n\\sum_{k=1}^n (a u_k - v_k)^2$: "
     "$\\frac{\\partial Q}{\\partial a} = \\frac2n\\sum_{k=1}^n (a u_k - v_k) u_k$, "
     "$\\frac{\\partial Q}{\\partial a} = \\frac2n\\sum_{k=1}^n (a u_k - v_k)$\n",
     [R, W]),
    ("a softmax and its entropy",
     "$p_i = \\frac{e^{z_i}}{\\sum_j e^{z_j}}$, $C = -\\sum_k y_k\\log p_k$: "
     "$\\frac{\\partial p_i}{\\partial z_j} = p_i(\\delta_{ij} - p_j)$ and "
     "$\\frac{\\partial C}{\\partial z_i} = p_i - y_i$\n", [R, R]),
    # curves
    ("a curve that an equation gives",
     "$x^2 + 4y^2 = 8$: $2x + 8y\\frac{dy}{dx} = 0$, so "
     "$\\frac{dy}{dx} = -\\frac{x}{4y}$ and $\\frac{dy}{dx} = \\frac{x}{4y}$\n",
     [R, R, W]),
    ("what holds on the curve alone",
     "On $x^2 + y^2 = 9$ we have $\\frac{d^2y}{dx^2} = -\\frac{9}{y^3}$.\n", [R]),
    ("a prime on a curve", "The hyperbola $xy = 5$: $y + xy' = 0$.\n", [R]),
    # what is no claim of the author's
    ("a text that denies it",
     "$f(x) = x^2$ has $f'(x) = 2x$. Wrong: $f'(x) = x$.\n", [R, U]),
    ("a function that is defined anew further down",
     "$f(x) = \\fourier(x)$. It has $f'(x) = 3$.\n\n# Next\n\nLet $f(x) = 5x$.\n",
     [U]),
    ("a partial derivative whose zeros are looked for",
     "$f(x,y) = x^2 + 3y$: where $\\frac{\\partial f}{\\partial x}(x,y) = 0$\n", [N]),
    ("rates that an equation relates",
     "The distances satisfy nothing else: "
     "$2p\\frac{dp}{dt} = 2s\\frac{ds}{dt}$\n", [U]),
    ("several functions of one name, and their derivatives further down",
     "1. $f(x) = \\sin^2 x$\n2. $f(x) = x^2$\n3. $f(x) = 5x^3$\n\n" + "Text.\n\n" * 12
     + "1. $f'(x) = 2\\sin x\\cos x$\n2. $f'(x) = 2x$\n3. $f'(x) = 15x^2$\n",
     [U, U, R]),
    ("values from another section",
     "# One\n\n$a = 2$\n\n# Two\n\n$f(a) = a^3$: $\\frac{df}{da} = 3$\n", [U]),
    ("a solution behind its equation",
     "The equation $\\frac{du}{dt} = -3u$ is solved by $u(t) = e^{-3t}$:\n\n"
     "$$\\frac{du}{dt} = -3e^{-3t}$$\n\n$$\\frac{du}{dt} = 3e^{-3t}$$\n", [N, R, W]),
)

DOCUMENTS: tuple[tuple[str, str, list[str]], ...] = (
    ("derivatives of physics",
     "$f(x,y) = x^2y$: $\\pdv{f}{x} = 2xy$, $\\pdv{f}{y} = 2x$, "
     "$\\pdv{f}{x}{y} = 2x$, $\\dv{x}(x^5) = 5x^4$, $\\dv[2]{x}(x^5) = 5x^3$\n",
     [R, W, R, R, W]),
    ("derivatives of a course",
     "$F(x,y) = x\\sin y$: $\\pp[F]{y} = \\answer{x\\cos y}$, "
     "$\\ddx \\sin x = \\answer[given]{\\cos x}$, "
     "$\\ddx \\cos x = \\answer{\\sin x}$\n",
     [R, R, W]),
    ("a derivative that is evaluated",
     "$\\eval{\\frac{d}{dx} x^3}_{x=2} = 12$ and "
     "$\\eval{\\frac{d}{dx} x^3}_{x=2} = 6$\n",
     [R, W]),
)
# fmt: on


def verdicts(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    return [str(c.verdict) for c in read_claims(path)]


@pytest.mark.parametrize(
    ("text", "expected"), [t[1:] for t in TEXTS], ids=[t[0] for t in TEXTS]
)
def test_a_spelling(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert verdicts(tmp_path / "a.md", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [t[1:] for t in DOCUMENTS], ids=[t[0] for t in DOCUMENTS]
)
def test_a_macro_of_a_package(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert verdicts(tmp_path / "a.tex", text) == expected
