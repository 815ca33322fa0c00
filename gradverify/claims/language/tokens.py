"""LaTeX, Unicode and Python spelling brought to one set of tokens, by a table.

Every rewriting keeps the line ends, so that a token knows its line.
"""

# A table of patterns is wider than a page, and full of look-alikes.
# ruff: noqa: E501, RUF001

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

# fmt: off
GREEK = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"]
CAPITALS = ["Gamma", "Delta", "Theta", "Lambda", "Xi", "Phi", "Psi", "Omega", "Sigma"]
NAMED_LETTERS = frozenset([*GREEK, *CAPITALS, "ell", "hbar"])
LETTERS = dict(zip("αβγδεζηθικλμνξοπρστυφχψω", GREEK, strict=True)) | {"ϵ": "epsilon", "ϕ": "phi", "ς": "sigma", "ℓ": "ell"} | dict(zip("ΓΔΘΛΞΦΨΩΣ", CAPITALS, strict=True))
FRACTIONS = {"½": "(1/2)", "⅓": "(1/3)", "⅔": "(2/3)", "¼": "(1/4)", "¾": "(3/4)", "⅕": "(1/5)", "⅙": "(1/6)", "⅛": "(1/8)"}
SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀˣⁿʸᵗᵏᵐᵃᵇᵘᵛʳˢ⁽⁾", "0123456789-+Txnytkmabuvrs()", strict=True))
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))

# What a person reads as "the derivative of … by …", by language.
PHRASES = (
    r"(?:grad(?:ient)?|derivative) of (\S+?) (?:wrt\.?|w\.r\.t\.?|with respect to|by) (\w+)",
    r"d(?:er|ie) (?:partielle )?(?:Ableitung|Gradient) (?:von )?(\S+?) nach (\w+)",
    r"(?:Ableitung|Gradient) (?:von )?(\S+?) nach (\w+)",
    r"(?:la )?(?:dérivée|gradient)(?: partielle)? de (\S+?) par rapport à (\w+)",
    r"(?:la )?(?:derivada|gradiente)(?: parcial)? de (\S+?) (?:con )?respecto (?:a|de) (\w+)",
    r"(?:la )?derivata(?: parziale)? di (\S+?) rispetto a (\w+)",
    r"(?:a )?derivada(?: parcial)? de (\S+?) em relação a (\w+)",
)
IS = r"(?:\s*(?:is|ist|equals|beträgt|est|vaut|es|vale|è|é)\b)?\s*[:=]?\s*(?=[\w([\\-])"

INVERSE = "_inverse"  # of a function: f_inverse for `f^{-1}`
HALF_TURN = "halfturn"  # π as an angle, whatever else the letter stands for

MARKS = {"-": "m", "+": "p", ",": "", "": ""}  # within a subscript that becomes a word


def _compound(match: re.Match[str]) -> str:
    """`h_{t-1}` and `w_{i,j}`: one word, so that it is one name."""
    return f"_{match[1]}{MARKS[match[2]]}{match[3]} "


def _layer(match: re.Match[str]) -> str:
    """`W^{[l]}`, `a^{[l-1]}_j` and `x^{(i)}`: the mark of a layer or an example."""
    below = match[4] or ""
    return f"_{below}S{match[1]}{MARKS[match[2]]}{match[3]} "


# Pattern and what it becomes; in this order.
REWRITINGS: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    # Markdown that escapes the marks of a formula
    (r"\\\\\((.*?)\\\\\)", r" ;; ¤ ;; \1 ;; ¤ ;; "),
    (r"(?<=[\w}])\\_(?=\s*[\w{\\])", "_"),
    # Python
    (r"(?<![\w.])(?:np|numpy|math|torch|jnp|F|nn)\.(?=[A-Za-z])", " "),
    (r"\.T\b", "^T"),
    (r"\.item\(\)|\.data\b(?!\()", " "),
    # braces around one name, and words below a letter
    (r"\\(?:mathbf|boldsymbol|bm|vec|mathcal|mathrm)\s*\{\s*([A-Za-z])\s*\}(?=\s*_)", r"\1"),
    (r"\{\s*\{\s*([A-Za-z]|\\[a-z]+)\s*\}\s*_\s*\{\s*(\w+)\s*\}\s*\}", r"\1_{\2} "),
    (r"\{\s*([A-Za-z]|\\[a-z]+)\s*\}(?=\s*_)", r"\1"),
    (r"(∂|\\partial|\bd)\s*\{\s*([A-Za-z](?:_\s*\{\s*\w+\s*\}|_\w)?)\s*\}", r"\1 \2 "),
    (r"\{\s*((?:∂|\\partial)\s*[^{}]*)\}\s*/\s*\{\s*((?:∂|\\partial)\s*[^{}]*)\}", r"\\frac{\1}{\2}"),
    (r"('+)\s*(_\s*(?:\{[^{}]*\}|\\[a-z]+(?![a-z])|\w))(?=\s*\()", r"\2\1"),
    (r"_\s*\{?\s*\\(?:var)?(" + "|".join(sorted(GREEK, key=len, reverse=True)) + r")(?![a-zA-Z])\s*\}?", r"_\1 "),
    (r"(?:∇|\\nabla)\s*_\s*\{?\s*(?:\\(?:mathbf|boldsymbol|bm|vec)\s*\{\s*)?([A-Za-z]|(?:" + "|".join(GREEK) + r"))(?![A-Za-z])(?:\s*\}){0,2}", r"\\frac{d}{d\1} "),
    (r"_\s*\{\s*\\(?:text|mathrm|textrm|mathbf|rm|mathit)\s*\{\s*([A-Za-z0-9]+)\s*\}\s*\}", r"_\1 "),
    (r"_\s*\\(?:text|mathrm|textrm|mathbf|rm|mathit)\s*\{\s*([A-Za-z0-9]+)\s*\}", r"_\1 "),
    (r"_\s*\\(?:star|mystar|ast)(?![a-zA-Z])", r"_star "),
    (r"\\(?:grad|gradient)(?![a-zA-Z])", "∇ "),
    # what stands for a member that is not computed
    (r"\\(?:lim|limsup|liminf|int|iint|oint|prod)(?![a-zA-Z])(?:\s*\\limits)?(?:\s*_\s*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|[^\s{}]))?", r" ‡ "),
    # layout that says nothing
    (r"\\(?:emph|pause|footnote|label|c?ref|Cref|eqref|cite|mybox|section|subsection|vspace|qedhere|square)(?![a-zA-Z])\*?", " ;; "),
    (r"\\(?:answer|ensuremath)(?:\[[^\]]*\])?(?=\s*\{)", " "),
    (r"\\(?:hspace|vspace|hskip|vskip)\*?\{[^{}]*\}", " ;; "),
    (r"\\(?:label|tag|phantom|hphantom|color)\*?\{[^{}]*\}", " "),
    (r"(\d+(?:\.\d+)?)\s*(?:\^\s*\{?\s*\\circ\s*\}?|°)", r"(\1*\\halfturn/180)"),
    (r"\\log\s*_\s*(?:\{\s*10\s*\}|10)", r"\\logten "),
    (r"\\log\s*_\s*(?:\{\s*2\s*\}|2)", r"\\logtwo "),
    (r"\\log\s*_\s*(?:\{\s*([A-Za-z]|\d+)\s*\}|([A-Za-z]|\d))", r" logbase_\1\2 "),
    (r"\\lg(?![a-zA-Z])", r"\\logten "),
    (r"\\dot\s*\{?\s*([A-Za-z]|\\[a-z]+)\s*\}?", r" ∂\1/∂t "),
    (r"\\ddot\s*\{?\s*([A-Za-z]|\\[a-z]+)\s*\}?", r" \\frac{∂^2 \1}{∂t^2} "),
    (r"(?<![A-Za-z\\])D_\s*\{?\s*([xyzt])\s*\}?(?![A-Za-z0-9])", r" \\frac{d}{d\1} "),
    (r"\\item(?![a-zA-Z])(?:\[[^\]]*\])?", " ;; "),
    (r"(?m)^([ \t]*)(?:\\bullet(?![a-zA-Z])|•)", r"\1 ;; "),
    (r"\\(?:nonumber|notag|displaystyle|ds|dsp|textstyle|limits|small|scriptsize|footnotesize|noindent|centering|hfill|rm|bf|it)(?![a-zA-Z])", " "),
    (r"\\(?:left|right|big|Big|bigg|Bigg)[lr]?(?![a-zA-Z])\s*\.", " "),
    (r"\\(?:left|right|[bB]igg?[lrm]?)(?![a-zA-Z])", " "),
    (r"(?<!\\)\\[,;:!> ]|~", " "),
    (r"\\(?:textcolor)\{[^{}]*\}", " "),
    (r"\\boxed|\\fbox|\\underline|\\ensuremath|\\textbf(?=\{\$)|\\mathclose|\\mathopen", " "),
    # words within formulas
    (r"\\(?:text|mathrm|textrm|mbox|mathit|textit|textbf|emph|mathbf|vec|boldsymbol|bm|operatorname|mathcal|mathsf|textsf|texttt|mathtt)\*?\s*\{([^{}]*)\}", r" \1 "),
    # marks on a letter
    (r"\\(?:hat|widehat)\s*\{?\s*([A-Za-z]|\\[a-z]+)\s*\}?", r"\1_hat"),
    (r"\\(?:bar|overline)\s*\{?\s*([A-Za-z]|\\[a-z]+)\s*\}?", r"\1_bar"),
    (r"\\tilde\s*\{?\s*([A-Za-z]|\\[a-z]+)\s*\}?", r"\1_tilde"),
    # signs
    (r"\\(?:begin|end)\{[a-zA-Z*]+\}(?:\{[^{}]*\}|\[[^\]]*\])?", " ;; "),
    (r"\\\\(?:\[[^\]\n]*\])?|\\newline(?![a-zA-Z])|\\cr(?![a-zA-Z])", " ;; "),
    # two equations side by side in an alignment
    (r"(=[^&\n;]*[^&\n;=\s][^&\n;]*)&(?=\s*[^&\n;=\s][^&\n;]*&?\s*=)", r"\1 ;; "),
    (r"&", " "),
    (r"\\q?quad(?![a-zA-Z])", " ;; "),
    (r"\\(?:therefore|because|implies|Rightarrow|Longrightarrow|iff|Leftrightarrow|to|rightarrow|longrightarrow)(?![a-zA-Z])|[∴⇒→⟹⇔]|=>|->", " ;; "),
    (r"\\[dtc]frac(?![a-zA-Z])", r"\\frac"),
    (r"\\frac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}"),
    (r"\\(?:cdot|times|ast)(?![a-zA-Z])|[·×∗⋅•]", " * "),
    (r"\\odot(?![a-zA-Z])|⊙", " ⊙ "),
    (r"\\circ(?![a-zA-Z])|∘", " ∘ "),
    (r"\\div(?![a-zA-Z])|÷", " / "),
    (r"[−–—‒]", "-"),
    (r"\\(?:approx|simeq|cong|sim)(?![a-zA-Z])|[≈≃≅]|~=", " ≈ "),
    (r"\\(?:coloneqq|equiv|triangleq)(?![a-zA-Z])|:=|≡|==", " = "),
    (r"\\(?:dots|ldots|cdots)(?![a-zA-Z])|\.\.\.", "…"),
    (r"\\partial(?![a-zA-Z])", "∂"),
    (r"\\nabla(?![a-zA-Z])", "∇"),
    (r"\\(?:top|intercal)(?![a-zA-Z])", "T"),
    (r"\\(?:prime)(?![a-zA-Z])|[′’]", "'"),
    (r"\^\{?\s*('+)\s*\}?", r"\1"),
    (r"(?<=[a-z])\^\s*\{\s*(\d+)\s*\}(?=\s*(?:[A-Za-z(\[\\}]))", r"^\1 "),
    (r"\(\s*([fghFGH])\s*\^\s*\{\s*-\s*1\s*\}\s*\)(?=\s*['(])", r" \1_inverse"),
    (r"(?<![A-Za-z\\])([fghFGH])\s*\^\s*\{\s*-\s*1\s*\}(?=\s*\()", r" \1_inverse"),
    (r"\^\s*\{\s*\(\s*1\s*\)\s*\}", "'"),
    (r"\^\s*\{\s*\(\s*2\s*\)\s*\}", "''"),
    (r"\^\s*\{\s*\(\s*3\s*\)\s*\}", "'''"),
    (r"\^\s*(?:\{\s*T\s*\}|T)(?=\s*[A-Za-z(\\])", "^T "),
    (r"√", "\\\\sqrt "),
    (r"\*\*", "^"),
    (r"\\l?vert(?![a-zA-Z])|\\rvert(?![a-zA-Z])|\\mid(?![a-zA-Z])", "|"),
    (r"\\e(?![a-zA-Z])", "e"),
    (r"\\dd?(?![a-zA-Z])", "d"),
    (r"\\(?:var)?(" + "|".join(sorted(GREEK, key=len, reverse=True)) + r")(?![a-zA-Z])", r" \1 "),
    (r"\\(?:var)?(" + "|".join(CAPITALS) + r"|ell|hbar)(?![a-zA-Z])", r" \1 "),
    (r"\\(sin|cos|tan|exp|log|ln|logtwo|logten|tanh|sinh|cosh|arcsin|arccos|arctan|max|min|sqrt|frac|sec|csc|cot|coth|csch|sech|piecewise)(?![a-zA-Z])", r" \\\1 "),
    (r"(?<=\d)\{,\}(?=\d)", "."),
    (r"\\[{}]", " "),
    (r"(?<!\\)\\[()]|\$+", " ;; ¤ ;; "),
    (r"\s*\^\s*\{\s*\[\s*([A-Za-z0-9]+)\s*([-+]?)\s*([A-Za-z0-9]*)\s*\]\s*\}(?:\s*_\s*\{?\s*([A-Za-z0-9]+)\s*\}?)?", _layer),
    (r"\s*\^\s*\{\s*\(\s*([a-jlmo-z]|[A-Z])\s*([-+]?)\s*(\d*)\s*\)\s*\}(?:\s*_\s*\{?\s*([A-Za-z0-9]+)\s*\}?)?", _layer),
    (r"_\s*\{\s*([A-Za-z0-9]+)\s*([-+,])\s*([A-Za-z0-9]+)\s*\}", _compound),
    (r"_\{\s*([A-Za-z0-9]+)\s*\}", r"_\1 "),
    (r"(?<=[a-z]) _(?=[A-Za-z0-9])", "_"),
)
# fmt: on

COMPILED = tuple((re.compile(pattern), to) for pattern, to in REWRITINGS)
PHRASES_COMPILED = tuple(re.compile(p + IS, re.IGNORECASE) for p in PHRASES)
MATRIX = re.compile(
    r"\\begin\{([bpvB]?matrix|array)\}(?:\{[clr| ]*\})?(.*?)\\end\{\1\}|\\\(?(?:smallmatrix)",
    re.DOTALL,
)
QUOTED = re.compile(r"(?<![`\w])`([^`\n]+)`(?![`\w])")
TOGGLE = "¤"  # where a formula begins or ends
OPAQUE = "‡"  # a limit, an integral: a member of a chain that is not computed


@dataclass(frozen=True)
class Token:
    """A token: its kind, its text, and the line it stands in, from 0.

    gap: whether white space stands before it. at: its place in the rewritten text.
    formula: whether it stands between the marks of a formula, such as two dollars.
    """

    kind: str
    text: str
    line: int = 0
    gap: bool = False
    at: int = 0
    formula: bool = False

    def of(self, kind: str, text: str | None = None) -> Token:
        """The same place as another kind of token."""
        return replace(self, kind=kind, text=self.text if text is None else text)


def rewritten(text: str) -> str:
    """The text in the one spelling that the scanner reads."""
    text = unicodedata.normalize("NFC", text)
    text = text.replace("ŷ", "y_hat")
    text = text.replace(TOGGLE, " ").replace(OPAQUE, " ")
    for sign, fraction in FRACTIONS.items():
        text = text.replace(sign, fraction)
    text = QUOTED.sub(rf" ;; {TOGGLE} ;; \1 ;; {TOGGLE} ;; ", text)
    text = EVALUATED.sub(_evaluated, text)
    text = CASES.sub(_cases, text)
    text = INDICATOR.sub(_indicator, text)
    text = MATRIX.sub(_matrix, text)
    text = _unwrapped(text)
    text = FRACTION.sub(_fraction, text)
    text = _phrases(text)
    text = _scripts(text, SUPERSCRIPTS, "^")
    text = _scripts(text, SUBSCRIPTS, "_")
    for pattern, to in COMPILED:
        text = pattern.sub(to, text)
    for letter, name in LETTERS.items():
        if letter in text:
            text = re.sub(rf"{letter}(?=[A-Za-z0-9])", f" {name} ", text)
            text = text.replace(letter, f" {name}" if letter != "ς" else name)
    return re.sub(r"(?<=[∂]) +", "", text)


# ---- functions in pieces

CASES = re.compile(
    r"(?:\\left\s*\\\{\s*)?\\begin\{(?:cases|dcases|rcases)\}(.*?)"
    r"\\end\{(?:cases|dcases|rcases)\}",
    re.DOTALL,
)
INDICATOR = re.compile(
    r"(?:\\(?:mathbb|mathbf|mathds|boldsymbol|bm)\s*\{\s*(?:1|I)\s*\}|\\(?:1|bbone)|𝟙)"
    r"\s*_?\s*(?:\(([^()]*)\)|\[([^\[\]]*)\]|\\?\{([^{}]*?)\\?\})"
)
ORDER = re.compile(
    r"\\(?:geq|leq|geqslant|leqslant|ge|le|gt|lt)(?![a-zA-Z])|[<>]=?|[≤≥⩽⩾]"
)
OTHERWISE = re.compile(
    r"\b(?:otherwise|else|sonst|sinon|autrement|altrimenti|caso|outro)\b"
)
CONDITION = re.compile(r"\\(?:text|mathrm|mbox|textrm)\s*\{([^{}]*)\}")
INTRODUCED = re.compile(
    r"\b(?:if|for|when|where|falls|wenn|für|si|pour|quand|se|per|para)\b|[$,;]"
)


def _cases(match: re.Match[str]) -> str:
    """`\\begin{cases}` as `\\piecewise(value, how much its condition is above 0, …)`."""
    operands: list[str] = []
    rows = [r for r in re.split(r"\\\\(?:\[[^\]]*\])?", match[1]) if r.strip()]
    for k, row in enumerate(rows):
        value, mark, condition = row.partition("&")
        above = _above(condition) if mark else None
        if above is None and not OTHERWISE.search(condition) and k + 1 < len(rows):
            return f" {OPAQUE} " + "\n" * match[0].count("\n")
        operands.append(f"({value.strip(' ,')})")
        if above is None or k + 1 == len(rows):
            break
        operands.append(above)
    inner = ", ".join(operands).replace("\n", " ")
    return f" \\piecewise({inner}) " + "\n" * match[0].count("\n")


def _indicator(match: re.Match[str]) -> str:
    """`1(x > 0)`: 1 where the condition holds, and 0 elsewhere."""
    above = _above(match[1] or match[2] or match[3])
    return match[0] if above is None else f" \\piecewise(1, {above}, 0) "


def _above(condition: str) -> str | None:
    """A formula that is above 0 where a condition holds; None where it is not read.

    Whether the border belongs to it does not matter: no point is drawn there.
    """
    text = CONDITION.sub(r" \1 ", condition)
    if OTHERWISE.search(text):
        return None
    text = INTRODUCED.sub(" ", text).strip(" .&")
    signs = [m[0] for m in ORDER.finditer(text)]
    parts = [p.strip() for p in ORDER.split(text)]
    if not 1 <= len(signs) <= 2 or not all(parts) or re.search(r"[A-Za-z]{4,}", text):
        return None
    gaps = []
    for sign, left, right in zip(signs, parts, parts[1:], strict=False):
        is_less = sign[0] in "<≤⩽" or sign.startswith("\\l")
        gaps.append(f"({right}) - ({left})" if is_less else f"({left}) - ({right})")
    return gaps[0] if len(gaps) == 1 else f"\\min({gaps[0]}, {gaps[1]})"


FRACTION = re.compile(
    r"\\[dtc]?frac\s*([0-9A-Za-z])\s*(?=[0-9A-Za-z\\{])([0-9A-Za-z]?)"
)


def _fraction(match: re.Match[str]) -> str:
    """`\\frac12` and `\\frac1{x}` with braces around what has none."""
    below = f"{{{match[2]}}}" if match[2] else ""
    return f"\\frac{{{match[1]}}}{below}"


EVALUATED = re.compile(
    r"\\(?:eval|evalat|at)\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
    r"\s*_\s*(\{[^{}]*\})"
)


def _evaluated(match: re.Match[str]) -> str:
    """`\\eval{f'(x)}_{x=2}` as `f'(x)|_{x=2}`."""
    return f"{match[1]}|_{match[2]}"


WRAPPER = re.compile(r"\\(?:underbrace|overbrace|cancel|bcancel|boxed|underline)\s*\{")


def _unwrapped(text: str) -> str:
    """What stands within `\\underbrace{…}_{…}`, `\\cancel{…}` and the like alone."""
    while match := WRAPPER.search(text):
        end = _closing(text, match.end() - 1)
        rest = text[end + 1 :]
        note = re.match(r"\s*[_^]\s*\{", rest)
        if note and "brace" in match[0]:
            rest = rest[_closing(rest, note.end() - 1) + 1 :]
        inner = text[match.end() : end]
        text = f"{text[: match.start()]} {{{inner}}} {rest}"
    return text


def _closing(text: str, start: int) -> int:
    """The place of the brace that closes the one at `start`; the end without one."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == "{") - (text[i] == "}")
        if depth == 0:
            return i
    return len(text)


def _phrases(text: str) -> str:
    """`the gradient of $L$ with respect to $x$ is 64` as ∂L/∂x = 64."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        for pattern in PHRASES_COMPILED:
            plain = line.replace("$", "").replace("`", "")
            if pattern.search(plain):
                lines[i] = pattern.sub(r" ; ∂\1/∂\2 = ", plain)
                break
    return "\n".join(lines)


def _scripts(text: str, table: dict[str, str], mark: str) -> str:
    found = re.compile(f"[{''.join(map(re.escape, table))}]+")

    def plain(match: re.Match[str]) -> str:
        inner = "".join(table[c] for c in match[0])
        return f"{mark}{inner}" if inner.isalnum() else f"{mark}({inner})"

    return found.sub(plain, text)


def _matrix(match: re.Match[str]) -> str:
    """A column as [a, b], a matrix as [[a, b], [c, d]]."""
    if match[2] is None:
        return match[0]
    lines = match[0].count("\n")
    rows = [r for r in re.split(r"\\\\(?:\[[^\]]*\])?", match[2]) if r.strip()]
    cells = [[c.strip().replace("\n", " ") for c in row.split("&")] for row in rows]
    if all(len(row) == 1 for row in cells):
        inner = ", ".join(row[0] for row in cells)
    elif len(cells) == 1:
        inner = ", ".join(cells[0])
    else:
        inner = ", ".join(f"[{', '.join(row)}]" for row in cells)
    return f" [ {inner} ] " + "\n" * lines


NUMBER = r"\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?"
SCANNER = re.compile(
    r"(?P<NL>\n)|(?P<SPACE>[ \t\r\f\v]+)|(?P<TOGGLE>¤)"
    r"|(?P<SEP>;+)|(?P<OPAQUE>‡)"
    r"|(?P<AT>\|\s*_\s*\{[^{}\n]*\}|\|\s*_\s*\([^()\n]*\)|\|_[A-Za-z]\w*=-?[\d.,]*\d)"
    rf"|(?P<NUMBER>{NUMBER}|\.\d+)"
    r"|(?P<COMMAND>\\[A-Za-z]+)"
    r"|(?P<GRADOF>[A-Za-z_]\w*\.grad\b(?:\.item\(\))?)"
    r"|(?P<WORD>[^\W\d_]\w*)"
    r"|(?P<ELL>…)|(?P<APPROX>≈)|(?P<EQ>=)|(?P<D>∂)"
    r"|(?P<PLUS>\+)|(?P<MINUS>-)|(?P<TIMES>\*)|(?P<SLASH>/)|(?P<CARET>\^)"
    r"|(?P<MATMUL>@)|(?P<HADAMARD>⊙)|(?P<CIRCLE>∘)"
    r"|(?P<LPAR>\()|(?P<RPAR>\))|(?P<LB>\{)|(?P<RB>\})|(?P<LBRACK>\[)|(?P<RBRACK>\])"
    r"|(?P<COMMA>,)|(?P<COLON>:)|(?P<DOT>\.)|(?P<PRIME>')|(?P<BAR>\|)"
    r"|(?P<MARK>[\"`✓✔✗✘☑«»„“”‚‘<>{}#~$?!¡¿]|\\[^A-Za-z])"
    r"|(?P<OTHER>.)"
)


INDEXED_PRODUCT = re.compile(r"(?:[A-Za-z]_[A-Za-z0-9]){2,}")


def _words_in(token: Token) -> list[Token]:
    """`w_ix_i` as w_i and x_i: without braces a subscript has one letter."""
    if not token.formula or INDEXED_PRODUCT.fullmatch(token.text) is None:
        return [token]
    pieces = re.findall(r"[A-Za-z]_[A-Za-z0-9]", token.text)
    return [
        replace(token, text=piece, at=token.at + 3 * k, gap=token.gap and not k)
        for k, piece in enumerate(pieces)
    ]


def scan(text: str, formula: bool = False) -> list[Token]:
    """The tokens of a rewritten text; `formula`: whether all of it is one."""
    tokens, line, gap = [], 0, False
    toggles = text.count(TOGGLE) % 2 == 0
    inside = formula
    for match in SCANNER.finditer(text):
        kind = str(match.lastgroup)
        if kind == "SPACE":
            gap = True
            continue
        if kind == "TOGGLE":
            inside = formula or (toggles and not inside)
            gap = True
            continue
        token = Token(kind, match[0], line, gap, match.start(), inside)
        tokens += _words_in(token) if kind == "WORD" else [token]
        gap = False
        line += kind == "NL"
    return tokens
