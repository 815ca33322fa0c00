"""Kinds of text and code that were misread once: a right twin and a planted fault each.

Every text is our own. A right claim must never be called wrong, and a planted fault
never right; what is expected of each is written beside it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gradverify.claims.reading.reader import read_claims

R, W, U, N = "right", "wrong", "unsure", "not understood"

# What the kind is, a text, and the verdicts of its claims in their order.
# fmt: off
TEXTS: tuple[tuple[str, str, list[str]], ...] = (
    # what shows that a reading is the author's
    ("a point without spaces is no decimal",
     "$f(x,y) = x y^2$, so $\\nabla f(3,2) = (2^2, 2 \\cdot 3 \\cdot 2) = (4,12)$\n",
     [R]),
    ("a number of another shape is another reading",
     "$f(x,y) = x^2 + y^2$ and $\\nabla f(1,2) = (2,4)$, $\\nabla f(1,2) = 2$\n",
     [R, U]),
    ("the chain rule written out shows nothing of the function",
     "$z(x) = \\cos(x^3)$, and with a value for s at x = 2 "
     "$\\frac{dz}{dx} = \\frac{ds}{dx} \\cdot \\frac{dz}{ds} "
     "= 12 \\cdot \\frac{d \\cos(s)}{ds}$\n", [U]),
    ("a rule for one formula shows nothing of another",
     "$\\frac{d}{dx} \\sin x = \\cos x$ and $\\frac{d}{dx} \\sqrt{x} = 5 + x$\n",
     [R, U]),
    ("two equations stand side by side in an alignment",
     "\\begin{align}\nf(x) &= 5x^3 - x & f(2) &= 38 \\\\\n"
     "f'(x) &= 15x^2 - 1 & f'(2) &= 59 \\\\\n"
     "f''(x) &= 15x & f''(2) &= 60\n\\end{align}\n",
     [R, R, W, R]),
    ("points are found by setting it to a number",
     "Let $x=\\sqrt{t}$, $y=\\sin t$.\n$$\\frac{dy}{dx} = 2\\sqrt{t}\\cos t.$$\n"
     "$$\\frac{d^2y}{dx^2} = 2\\cos t-4t\\sin t.$$\n"
     "Points of inflection are found by setting $\\frac{d^2y}{dx^2}=0$.\n", [R, R, U]),
    ("marks of a scanned page and points of a list",
     "<|ref|>text<|/ref|><|det|>[[48, 520]]<|/det|>\nEs gibt eine Basis $b$, "
     "für die gilt:\n\n<|ref|>equation<|/ref|><|det|>[[50, 53]]<|/det|>\n"
     "\\[(b^x)' = b^x\\]\n\nAlso ist $(2^x)' = 2^x$ falsch.\n\n"
     "$$\\bullet p(x) = x^4$$\n$$\\bullet p(x) = x^3$$\n$$p'(x) = 3x^2$$\n",
     [U, U, R]),
    ("a circle beside f(x) composes functions",
     "Let $F = p \\circ q(x)$ with $q(x) = 4x$ and $p(x) = \\sin(x)$, so "
     "$F(x) = p \\circ q(x)$ and $F'(x) = 4\\cos(4x)$.\n", [R]),
    ("a number at which a name of another section stands",
     "# A\n\nIt rests at $x_1 = 0$.\n\n# B\n\n$f(x) = x^3 - 9$ has "
     "$f'(x) = 3x^2$. We find $f'(x_1) = f'(2) = 12$ and $f'(x_1) = f'(2) = 6$.\n",
     [R, R, W]),
    ("two formulas of a sentence that meet are no display",
     "We take it to be $\\lim_{t\\to 2} $$p(t)$, if it exists.\n\n"
     "Let $x=\\sqrt{t}$, $y=\\sin t$. $$\\frac{dy}{dx} = 2\\sqrt{t}\\cos t.$$\n"
     "$$\\frac{d^2y}{dx^2} = 2\\cos t-4t\\sin t.$$ Points of inflection are found "
     "by setting $\\frac{d^2y}{dx^2}=0$.\n\n$$t > 0$$\n", [R, R, U]),
    ("a root stands for the upper half of a curve",
     "The equation $x^2 + y^2 = 16$ defines $y$ implicitly, so "
     "$y' = -\\frac{x}{y}$. For the positive root "
     "$$y' = \\frac{-x}{\\sqrt{16 - x^2}}$$ and for the other one "
     "$$y' = \\frac{x}{\\sqrt{16 - x^2}}$$ but not $$y' = \\frac{x}{y}$$\n",
     [R, R, U, W]),
    ("values that a neighbour puts in are those that are meant",
     "With $E = r^2 k$, $r = 4$, $k = 5$:\n\n```\n∂E/∂r = 2·r·k = 40\n"
     "∂E/∂k = r^2 = 18\n```\n", [R, W]),
    ("a base is said to exist for which it holds",
     "$(2^x)' = 2^x \\ln 2$. There is a base $b$ for which $(b^x)' = b^x$.\n", [R, U]),
    ("many functions have a derivative that is 1",
     "$f(x,y) = x + y^4\\cos y$: $f_x = 1$ and $f_y = 9 + y$\n", [R, U]),
    ("few functions have the derivative 3x^2",
     "$f(x,y) = x^3 + y^4\\cos y$: $f_x = 3x^2$ and $f_y = 9 + y$\n", [R, W]),
    ("a formula is no check of itself",
     "$g(x) = x^3$ and $g'(x) = g'(x)$, $g'(x) = x^3$\n", [N, W]),
    # which definition
    ("a parameter is a variable, whatever another section calls so",
     "# A\n\nThe line is $y = 3x$.\n\n# B\n\n$h(x,y) = x^2 y$: $h_{xx} = 2y$, "
     "$h_y = x^2$, $h_y = 2x^2$\n", [R, R, W]),
    ("equations above a function that solves one of them",
     "a) $y' = 2y$\n\nb) $y' = 3x^2 y + x^2$\n\nOne of rest: $y_s(x) = 0$.\n",
     [N, U]),
    ("a function at a point is no other function",
     "$p(x) = c + b(x - x_0)$, so $p(x_0) = c + b(x_0 - x_0)$ and $p'(x) = b$, "
     "$p'(x) = 2b$\n", [R, W]),
    ("a letter with an index is a point",
     "The time is $t = t_0$.\n\n$u = s^2 + 3t$ and $z = 5u$. At $s = 1$, $t = 2$ it is "
     "$\\frac{\\partial z}{\\partial s} = 10$, "
     "$\\frac{\\partial z}{\\partial t} = 5$\n", [R, W]),
    ("a list item has its own function",
     "- $f(x) = x^5$, $f'(x) = 5x^4$\n- $f(x) = \\sin x$, $f'(x) = \\cos x$\n"
     "- $f(x) = \\cos x$, $f'(x) = \\sin x$\n", [R, R, W]),
    ("a table row has its own function",
     "| $f(x) = x^2$ | $f'(x) = 2x$ |\n| $f(x) = e^{3x}$ | $f'(x) = e^{3x}$ |\n",
     [R, W]),
    ("numbers put in do not replace the formula",
     "$E = \\frac12 (k u - v)^2$\n\n$E = \\frac12 (3 \\cdot 2 - 5)^2 = 0.5$\n\n"
     "$\\frac{\\partial E}{\\partial k} = (k u - v) u$ and "
     "$\\frac{\\partial E}{\\partial v} = k u - v$\n", [R, W]),
    ("a definition that is not read takes the stale one away",
     "$f(x) = x^2$. Now $f(x) = \\fourier(x)$, so $f'(x) = 3$.\n", [N]),
    ("a figure of the code is no function of the text",
     "$f(x) = x^4$\n\n```python\nf, ax = plt.subplots()\n```\n\n$f'(x) = 4x^3$\n", [R]),
    ("what stands in another section wants a witness there",
     "# One\n\n$g(x) = x^2$\n\n# Two\n\n$g'(x) = x$\n", [U]),
    # application and product
    ("a composition is no product",
     "$p(x) = 5x$, $q(x) = \\cos(x)$, $H(x) = q(p(x))$. "
     "$H'(x) = -5\\sin(5x)$ or $H'(x) = -\\sin(5x)$?\n", [R, W]),
    ("a circle between functions composes them",
     "$u(x) = x^2$, $v(x) = \\exp(x)$, $w = v \\circ u$: $w'(x) = 2x e^{x^2}$\n", [R]),
    ("the chain rule holds for functions without a formula",
     "If $y = f(u)$ and $u = g(x)$: $\\frac{dy}{dx} = \\frac{dy}{du}\\frac{du}{dx}$, "
     "and $\\frac{dy}{dx} = 3\\frac{dy}{du}\\frac{du}{dx}$\n", [R, W]),
    ("a partial derivative at a point",
     "$f(x,y) = x y^3$: $\\frac{\\partial f}{\\partial x}(2,1) = 1$, "
     "$\\frac{\\partial f}{\\partial y}(2,1) = 2$\n", [R, W]),
    ("a point is no decimal",
     "$g(x,y) = 4xy$: $\\frac{\\partial^2 g}{\\partial x\\partial y}(0,0) = 4$\n", [R]),
    ("a prime on a named function",
     "$\\sin'(t) = \\cos(t)$ and $\\cosh'(t) = -\\sinh(t)$\n", [R, W]),
    ("a letter with a prime may be a name",
     "The guess is $z' = av$ and $C = (z - z')^2$: "
     "$\\frac{\\partial C}{\\partial z'} = -2(z - z')$\n", [R]),
    # names
    ("Euler's number beside a variable e",
     "Let $e = 7$. For $y = e^{4x}$: $\\frac{dy}{dx} = 4e^{4x}$\n", [R]),
    ("a Greek letter is no product of two names",
     "$m = 2$, $u = x^2$. $\\frac{d}{dx}(\\mu x^2) = 2\\mu x$\n", [R]),
    ("words as indices",
     "$E_{out} = (s_{a1} - s_{b1})^2$: "
     "$\\frac{\\partial E_{out}}{\\partial s_{a1}} = 2(s_{a1} - s_{b1})$, "
     "$\\frac{\\partial E_{out}}{\\partial s_{b1}} = 2(s_{a1} - s_{b1})$\n", [R, W]),
    ("logarithms of other bases",
     "$y = \\log_2 x$: $\\frac{dy}{dx} = \\frac{1}{x\\ln 2}$ and "
     "$\\frac{dy}{dx} = \\frac{1}{x}$\n", [R, W]),
    # numbers
    ("a list with commas spoils nothing but itself",
     "The start is $v = 0,0,0$. $f(x) = x^3$ has $f'(x) = 3x^2$.\n", [R]),
    # what depends on what
    ("a curve", "$x = s^2$, $y = s^4$: $\\frac{dy}{dx} = 2s^2$, $\\frac{dy}{dx} = 0$\n",
     [R, W]),
    ("a rate of a name that moves",
     "$V = r^3$ and $\\frac{dV}{dt} = 3r^2\\frac{dr}{dt}$, "
     "$\\frac{dV}{dt} = r^2\\frac{dr}{dt}$\n", [R, W]),
    ("nothing says how y depends on w", "$y = x^2$. $\\frac{dy}{dw} = 0$\n", [N]),
    # simple partials
    ("a variable without a value",
     "$f = a^2 + 7b$: $\\frac{\\partial f}{\\partial a} = 2a$, "
     "$\\frac{\\partial f}{\\partial b} = 7b$\n", [R, W]),
    # no claims
    ("an equation to be solved",
     "$f(x) = x^2 - 6x$. At the minimum $f'(x) = 0$.\n", [N]),
    ("a condition", "$f(x) = x^3$. Suppose $f'(x) = 2$.\n", [N]),
    ("what is asked after the derivative is no part of it",
     "$f(x) = x^2 - 6x$. We solve $f'(x) = 2x - 6 = 0$.\n", [R]),
    ("another equation", "$y = e^x$. The equation $\\frac{dy}{dx} = y + x$ differs.\n",
     [U]),
    ("a name that nothing explains", "$f(x) = x^2$ and $f'(x) = q$.\n", [U]),
    # notation
    ("gradients", "$f(x,y) = x^2 y$: $\\nabla f = (2xy, x^2)$, "
     "$\\nabla f(1, 3) = (6, 3)$\n", [R, W]),
    ("indices of partial derivatives",
     "$f(x,y) = x^3 y$: $f_x(x,y) = 3x^2 y$, $f_{xy} = 3x^2$, $f_y = 3x^2$\n",
     [R, R, W]),
    ("an outer product and its layout",
     "```python\nimport numpy as np\nx = np.array([1.0, 2.0])\n"
     "W = np.array([[1.0, 0.5], [0.2, 3.0]])\nz = W @ x\nL = np.sum(z**2)\n```\n\n"
     "$\\frac{\\partial L}{\\partial W} = \\frac{\\partial L}{\\partial z} x^T$ and "
     "$\\frac{\\partial z}{\\partial x} = W^T$\n", [R, R]),
    ("0 = 0 is no check",
     "$f(x,y) = x$. $\\frac{\\partial f}{\\partial y} = 0$\n", [N]),
)

# fmt: on


def verdicts(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    return [c.verdict for c in read_claims(path)]


@pytest.mark.parametrize(
    ("text", "expected"), [t[1:] for t in TEXTS], ids=[t[0] for t in TEXTS]
)
def test_a_kind_of_text(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert verdicts(tmp_path / "a.md", text) == expected


def test_macros_of_a_document_are_written_out(tmp_path: Path) -> None:
    text = (
        "\\newcommand{\\pd}[2]{\\frac{\\partial #1}{\\partial #2}}\n"
        "$f(x,y) = x y^2$: $\\pd{f}{x} = y^2$ and $\\pd{f}{y} = 2x$\n"
    )
    assert verdicts(tmp_path / "a.tex", text) == [R, W]


LAYERS = """
import numpy as np
X = np.array([[1.0, 2.0], [0.5, -1.0]])
T = np.array([[1.0], [0.0]])
V = np.array([[0.3, -0.2, 0.1], [0.4, 0.6, -0.5]])
U = np.array([[0.7], [-0.9], [0.2]])
"""
FORWARD = """h = X @ V
a = np.maximum(0, h)
o = a @ U
cost = 0.5 * np.sum((o - T)**2)
"""

MEAN = """import numpy as np
S = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
T = np.array([[0.0, 1.0, 1.0]])
v, c, n = np.array([[0.3], [-0.2]]), 0.1, S.shape[1]
k = v.T @ S + c
q = 1 / (1 + np.exp(-k))
cost = -np.sum(T * np.log(q) + (1 - T) * np.log(1 - q)) / n
"""

# What the kind is, code, and the verdicts of its gradients in their order.
# fmt: off
CODES: tuple[tuple[str, str, list[str]], ...] = (
    ("a sum of two lines is one gradient",
     "x, y = 2.0, 5.0\np = x * y\nL = p**2 + 3*x\ndp = 2*p\ndx = 3.0 + 0*p\n"
     "dx += y*dp\ndy = x*dp\n", [R, R, R]),
    ("a mask in place",
     LAYERS + FORWARD + "do = o - T\nda = do @ U.T\ndh = da\ndh[h <= 0] = 0\n"
     "dV = X.T @ dh\n", [R, R, R, R]),
    ("a mask that is left out", LAYERS + FORWARD + "do = o - T\ndU = a.T @ do\n"
     "dh = do @ U.T\n", [R, R, W]),
    ("a loop is read in its first pass",
     LAYERS + "for step in range(50):\n    h = X @ V\n    a = np.tanh(h)\n"
     "    o = a @ U\n    cost = 0.5 * np.sum((o - T)**2)\n    do = o - T\n"
     "    dU = a.T @ do\n    dh = (do @ U.T) * (1 + a**2)\n    U -= 0.1 * dU\n",
     [R, R, W]),
    ("no loss is written: the rest follows from the first gradient",
     LAYERS + "h = X @ V\na = np.tanh(h)\no = a @ U\ndo = o - T\ndU = a.T @ do\n"
     "dh = (do @ U.T) * (1 - a**2)\ndV = X @ dh\n", [N, R, R, W]),
    ("integer labels",
     LAYERS + "k = np.array([2, 0])\nz = X @ V\ne = np.exp(z)\n"
     "p = e / np.sum(e, axis=1, keepdims=True)\n"
     "loss = -np.sum(np.log(p[range(2), k]))\ndz = p.copy()\ndz[range(2), k] -= 1\n"
     "dV = X.T @ dz\n", [R, R]),
    ("a table of parameters and one of gradients",
     LAYERS + "p = {'V': V}\nh = X @ p['V']\nL = np.sum(h**2)\ngrads = {}\n"
     "grads['V'] = X.T @ (2*h)\n", [R]),
    ("an alias of another value is a gradient as well",
     "x, y = 3.0, -2.0\ns = x + y\nt = x * y\nf = s * t\nds = t\ndt = s\n", [R, R]),
    ("steps of a grid are no gradients",
     "L, n = 2.0, 50\nx = L / 4\nu = x**2\ndx = L / n\n", []),
    ("a length is no gradient", "c, w = 3.0, 2.0\nl = c * w\nd_l = c / w\n", []),
    ("a layer that is never called",
     "import numpy as np\nclass Squash:\n    def forward(self, x):\n"
     "        self.y = np.tanh(x)\n        return self.y\n"
     "    def backward(self, above):\n        return above * (1 - self.y)\n", [W]),
    ("the right twin of it",
     "import numpy as np\nclass Squash:\n    def forward(self, x):\n"
     "        self.y = np.tanh(x)\n        return self.y\n"
     "    def backward(self, above):\n        return above * (1 - self.y**2)\n", [R]),
    ("a loss whose gradient is by one of its two operands",
     "import numpy as np\nclass Cost:\n    def forward(self, t, out):\n"
     "        return np.mean((out - t)**2) / 2\n"
     "    def backward(self, t, out):\n        return out - t\n"
     "class Other:\n    def forward(self, t, out):\n"
     "        return -np.log(out) * t\n"
     "    def backward(self, t, out):\n        return out - t\n", [R]),
    ("a function that is never called",
     "def step(k, u, v):\n    g = k * u\n    L = (g - v)**2\n    dL_dg = 2*(g - v)\n"
     "    dL_dk = dL_dg * g\n    return dL_dk\n", [R, W]),
    ("values with a grad of their own",
     "from micrograd.engine import Value\na = Value(2.0); b = Value(-3.0)\nc = a * b\n"
     "L = c.tanh()\nL.grad = 1.0\nc.grad = 1 - L.data**2\na.grad = b.data * c.grad\n"
     "b.grad = b.data * c.grad\n", [R, R, W]),
    ("two definitions of a function are two functions",
     "def f(x):\n    return x**2\ndef f_prime(x):\n    return 2*x\n"
     "def f(x):\n    return x**3\ndef grad_f(x):\n    return x**2\n", [R, W]),
    ("gradients of parameters that are averaged over the examples",
     "import numpy as np\ndef linear_forward(A, W, b):\n    return W @ A + b, (A, W)\n"
     "def linear_backward(dZ, cache):\n    A, W = cache\n    m = A.shape[1]\n"
     "    dW = dZ @ A.T / m\n    db = np.sum(dZ, axis=1, keepdims=True) / m\n"
     "    dA = W.T @ dZ\n    return dA, dW, db\n", [R, R, R]),
    ("one gradient that is averaged, and one that is not",
     "import numpy as np\ndef linear_forward(A, W, b):\n    return W @ A + b, (A, W)\n"
     "def linear_backward(dZ, cache):\n    A, W = cache\n    m = A.shape[1]\n"
     "    dW = dZ @ A.T / m\n    db = np.sum(dZ, axis=1, keepdims=True)\n"
     "    dA = W.T @ dZ\n    return dA, dW, db\n", [W, R, R]),
    ("methods that are derivatives of others",
     "import numpy as np\nclass Cubic:\n    def __call__(self, x):\n"
     "        return x**3\n    def gradient(self, x):\n        return 3 * x**2\n"
     "class Half:\n    def loss(self, t, out):\n        return (t - out)**2 / 2\n"
     "    def gradient(self, t, out):\n        return -(t - out)\n"
     "class Whole:\n    def loss(self, t, out):\n        return (t - out)**2\n"
     "    def gradient(self, t, out):\n        return out - t\n", [R, R, W]),
    ("a loss of two operands and its slope",
     "import numpy as np\ndef mae2(t, p):\n    return np.mean((p - t)**2)\n"
     "def mae2_prime(t, p):\n    return 2 * (p - t) / t.size\n"
     "def cross(t, p):\n    return -np.sum(t * np.log(p))\n"
     "def cross_prime(t, p):\n    return p - t\n", [R, U]),
    ("probabilities that are clipped",
     "import numpy as np\ndef entropy(t, p):\n    p = np.clip(p, 1e-12, 1 - 1e-12)\n"
     "    return -t * np.log(p)\ndef entropy_prime(t, p):\n"
     "    p = np.clip(p, 1e-12, 1 - 1e-12)\n    return -t / p\n", [R]),
    ("a file of one function and its gradient",
     "def f(u):\n    return (u + 1)**4\ndef gradient(u):\n    return 4 * (u + 1)**3\n",
     [R]),
    ("numbers of values with a grad of their own",
     "from micrograd.engine import Value\np = Value(3.0); q = Value(-2.0)\nr = p * q\n"
     "s = r + p\ns.grad = 1.0\nr.grad = 1.0\nq.grad = 3.0\np.grad = -3.0\n",
     [R, R, W]),
    ("lists of numbers",
     "u = [2.0, 0.5]\nv = [3.0, -1.5]\ns = u[0]*v[0] + u[1]*v[1]\nE = s**2\nds = 2*s\n"
     "du = [v[0]*ds, v[1]*ds]\ndv = [u[1]*ds, u[1]*ds]\n", [R, R, R, W, R]),
    ("a slope beside a function of the file",
     "def g(x):\n    return x**4\nx = 3.0\ndg_dx = 4 * x**3\n", [R]),
    ("a slope of another power beside a function of the file",
     "def g(x):\n    return x**4\nx = 3.0\ndg_dx = 4 * x**2\n", [W]),
    ("a gradient beside a cost",
     "import numpy as np\ndef cost_of(theta, A, b):\n    r = A @ theta - b\n"
     "    J = np.sum(r**2) / len(b)\n    grad = 2 * A.T @ r / len(b)\n"
     "    return J, grad\n", [R]),
    ("a gradient beside a cost, with a sign",
     "import numpy as np\ndef cost_of(theta, A, b):\n    r = A @ theta - b\n"
     "    J = np.sum(r**2) / len(b)\n    grad = -2 * A.T @ r / len(b)\n"
     "    return J, grad\n", [W]),
    ("rows that are taken twice",
     "import numpy as np\nT = np.array([[0.5, 0.1], [0.2, -0.4]])\n"
     "k = np.array([1, 1, 0])\nh = T[k]\nloss = np.sum(h**2)\ndh = 2 * h\n"
     "dT = np.zeros_like(T)\nnp.add.at(dT, k, dh)\n", [R, R]),
    ("rows that are taken twice and written once",
     "import numpy as np\nT = np.array([[0.5, 0.1], [0.2, -0.4]])\n"
     "k = np.array([1, 1, 0])\nh = T[k]\nloss = np.sum(h**2)\ndh = 2 * h\n"
     "dT = np.zeros_like(T)\ndT[k] += dh\n", [R, W]),
    ("a formula that is right at the stated numbers alone",
     "x = 2.0\ny = 5.0\nz = x**2 * y\ndz_dx = 2*x*y\ndz_dy = 2*x\n", [R, W]),
    ("a number that a power has in code",
     "import numpy as np\nx = 0.5\ns = np.e**x\nds_dx = s\n", [R]),
    ("a pass whose loss is not written, by weights with long names",
     "import numpy as np\nclass Fit:\n    def __init__(self, rate=0.1):\n"
     "        self.rate = rate\n        self.weights = None\n        self.bias = None\n"
     "    def fit(self, X, y):\n        n, d = X.shape\n"
     "        self.weights = np.zeros(d)\n        self.bias = 0\n"
     "        for _ in range(9):\n            z = X @ self.weights + self.bias\n"
     "            p = 1 / (1 + np.exp(-z))\n            dw = X.T @ (p - y) / n\n"
     "            db = np.sum(p - y) / n\n"
     "import data\nFit(0.5).fit(data.load(), data.labels())\n", [R, R]),
    ("a script with a doctest",
     "def sq(x):\n    \"\"\"\n    >>> sq(2)\n    4\n    \"\"\"\n    return x**2\n"
     "def sq_prime(x):\n    return 2 * x\n", [R]),
    ("prints of Python 2",
     "x = 3.0\ny = x**2\nprint 'y is %s' % (\n    y)\nprint 'x', x  # two\n"
     "dy_dx = 2*x\n", [R]),
    ("line ends of another system", "x = 3.0\r\ny = x**2\r\nprint 'y', y\r\n"
     "dy_dx = x\r\n", [W]),
    ("a mask that scales in place, and losses along an axis behind a flag",
     "import numpy as np\ndef leak_forward(U, a=0.01):\n"
     "    return np.maximum(a * U, U), (U, a)\n"
     "def leak_backward(dout, cache):\n    U, a = cache\n    dU = dout.copy()\n"
     "    dU[U < 0] *= a\n    return dU\n"
     "def bent_forward(U, a=0.01):\n    return np.maximum(a * U, U), (U, a)\n"
     "def bent_backward(dout, cache):\n    U, a = cache\n    dU = dout.copy()\n"
     "    dU[U > 0] *= a\n    return dU\n"
     "def squares(out, aim, derivative=False):\n    if derivative:\n"
     "        return out - aim\n"
     "    return 0.5 * np.mean(np.sum((out - aim)**2, axis=1))\n"
     "def cubes(out, aim, derivative=False):\n    if derivative:\n"
     "        return out - aim\n"
     "    return 0.5 * np.mean(np.sum((out - aim)**3, axis=1))\n", [R, U, R, N]),
    ("a slope behind a flag",
     "import numpy as np\ndef squash(s, deriv=False):\n    if deriv == True:\n"
     "        return s * (1 - s)\n    return 1 / (1 + np.exp(-s))\n"
     "def bend(s, prime=False):\n    v = np.tanh(s)\n"
     "    return 1 - v if prime else v\n"
     "def ramp(s, derivative=False):\n    if not derivative:\n"
     "        return np.maximum(0, s)\n    return (s > 0).astype(float)\n", [R, W, R]),
    ("the gradient of each example's own loss, before a mean over them",
     MEAN + "dk = q - T\ndv = S @ dk.T / n\ndc = np.sum(dk) / n\n", [R, R, R]),
    ("a mean that is left out in one of two",
     MEAN + "dk = q - T\ndv = S @ dk.T / n\ndc = np.sum(dk)\n", [R, R, W]),
    ("a mean that is left out everywhere",
     MEAN + "dk = q - T\ndv = S @ dk.T\ndc = np.sum(dk)\n", [W, U, U]),
    ("a penalty where no loss is written",
     "import numpy as np\ndef fit(S, T, U, V, reg_weight):\n"
     "    a = np.tanh(S @ U)\n    z = a @ V\n    dz = z - T\n    dV = a.T @ dz\n"
     "    da = dz @ V.T\n    dU = S.T @ (da * (1 - a**2))\n"
     "    dV += reg_weight * V\n    dU += reg_weight * U\n    return dU, dV\n",
     [R, R, R, R]),
    ("a penalty where no loss is written, in one line",
     "import numpy as np\ndef fit(S, T, U, V, reg_weight):\n"
     "    a = np.tanh(S @ U)\n    z = a @ V\n    dz = z - T\n"
     "    dV = a.T @ dz + reg_weight * V\n    da = dz @ V.T\n"
     "    dU = S.T @ (da * (1 - a**2)) + reg_weight * U\n    return dU, dV\n",
     [N, U, R, U]),
    ("a large array is refused alone",
     "import numpy as np\nbig = np.random.randn(500, 500)\nx = 3.0\ny = x**2\n"
     "dy_dx = 2*x\n", [R]),
)
# fmt: on


@pytest.mark.parametrize(
    ("code", "expected"), [t[1:] for t in CODES], ids=[t[0] for t in CODES]
)
def test_a_kind_of_code(tmp_path: Path, code: str, expected: list[str]) -> None:
    assert verdicts(tmp_path / "a.py", code) == expected


def test_texts_have_room_of_their_own_beside_a_picture(tmp_path: Path) -> None:
    code = "import numpy as np\n" + "".join(
        f"u{i} = np.linspace(0, 1, 1900)\n" for i in range(12)
    )
    text = f"```python\n{code}```\n\n$f(x) = x^2$ has $f'(x) = 2x$.\n"
    assert verdicts(tmp_path / "a.md", text) == [R]


def test_of_two_causes_the_one_that_holds_elsewhere_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        "x, y, t = 2.0, 3.0, 1.0\nw = y * x\nL = (w - t)**2\ndL_dy = (w - t) * x\n"
    )
    (claim,) = read_claims(path)
    assert (claim.verdict, claim.cause) == (W, "a factor 2 is missing")
