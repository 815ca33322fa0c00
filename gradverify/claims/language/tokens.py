"""LaTeX, Unicode and Python spelling brought to one set of tokens, by a table.

Every rewriting keeps the line ends, so that a token knows its line.
"""

# A table of patterns is wider than a page, and full of look-alikes.
# ruff: noqa: E501, RUF001

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

# fmt: off
GREEK = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"]
LETTERS = dict(zip("αβγδεζηθικλμνξοπρστυφχψω", GREEK, strict=True)) | {"ϵ": "epsilon", "ϕ": "phi", "ς": "sigma", "Δ": "Delta", "Σ": "Sigma", "Θ": "Theta"}
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

HALF_TURN = "halfturn"  # π as an angle, whatever else the letter stands for

# Pattern and what it becomes; in this order.
REWRITINGS: tuple[tuple[str, str], ...] = (
    # Markdown that escapes the marks of a formula
    (r"\\\\\((.*?)\\\\\)", r" ;; ¤ ;; \1 ;; ¤ ;; "),
    # Python
    (r"(?<![\w.])(?:np|numpy|math|torch|jnp|F|nn)\.(?=[A-Za-z])", " "),
    (r"\.T\b", "^T"),
    (r"\.item\(\)|\.data\b(?!\()", " "),
    # layout that says nothing
    (r"\\(?:hspace|vspace|hskip|vskip)\*?\{[^{}]*\}", " ;; "),
    (r"\\(?:label|tag|phantom|hphantom|color)\*?\{[^{}]*\}", " "),
    (r"(\d+(?:\.\d+)?)\s*(?:\^\s*\{?\s*\\circ\s*\}?|°)", r"(\1*\\halfturn/180)"),
    (r"\\log\s*_\s*\{?\s*2\s*\}?", r"\\logtwo "),
    (r"\\log\s*_\s*\{?\s*10\s*\}?", r"\\logten "),
    (r"\\lg(?![a-zA-Z])", r"\\logten "),
    (r"\\dot\s*\{?\s*([A-Za-z])\s*\}?", r" ∂\1/∂t "),
    (r"\\item(?![a-zA-Z])(?:\[[^\]]*\])?", " ;; "),
    (r"\\(?:nonumber|notag|displaystyle|textstyle|limits|noindent|centering|hfill|rm|bf|it)(?![a-zA-Z])", " "),
    (r"\\(?:left|right|big|Big|bigg|Bigg)[lr]?(?![a-zA-Z])\s*\.", " "),
    (r"\\(?:left|right|[bB]igg?[lrm]?)(?![a-zA-Z])", " "),
    (r"\\[,;:!> ]|~", " "),
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
    (r"&", " "),
    (r"\\q?quad(?![a-zA-Z])", " ;; "),
    (r"\\(?:therefore|because|implies|Rightarrow|Longrightarrow|iff|Leftrightarrow|to|rightarrow|longrightarrow)(?![a-zA-Z])|[∴⇒→⟹⇔]|=>|->", " ;; "),
    (r"\\[dtc]frac(?![a-zA-Z])", r"\\frac"),
    (r"\\frac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}"),
    (r"\\(?:cdot|times|ast)(?![a-zA-Z])|[·×∗⋅•]", " * "),
    (r"\\(?:odot|circ)(?![a-zA-Z])|[⊙∘]", " ⊙ "),
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
    (r"\^\s*\{\s*\(\s*1\s*\)\s*\}", "'"),
    (r"\^\s*\{\s*\(\s*2\s*\)\s*\}", "''"),
    (r"\^\s*\{\s*\(\s*3\s*\)\s*\}", "'''"),
    (r"√", "\\\\sqrt "),
    (r"\*\*", "^"),
    (r"\\l?vert(?![a-zA-Z])|\\rvert(?![a-zA-Z])|\\mid(?![a-zA-Z])", "|"),
    (r"\\e(?![a-zA-Z])", "e"),
    (r"\\d(?![a-zA-Z])", "d"),
    (r"\\(?:var)?(" + "|".join(sorted(GREEK, key=len, reverse=True)) + r")(?![a-zA-Z])", r" \1 "),
    (r"\\(Delta|Sigma|Theta)(?![a-zA-Z])", r" \1 "),
    (r"\\(sin|cos|tan|exp|log|ln|logtwo|logten|tanh|sinh|cosh|arcsin|arccos|arctan|max|min|sqrt|frac)(?![a-zA-Z])", r" \\\1 "),
    (r"(?<=\d)\{,\}(?=\d)", "."),
    (r"\\[{}]", " "),
    (r"(?<!\\)\\[()]|\$+", " ;; ¤ ;; "),
    (r"_\{\s*([A-Za-z0-9]+)\s*\}", r"_\1 "),
    (r"(?<=[a-z]) _(?=[A-Za-z0-9])", "_"),
)
# fmt: on

COMPILED = tuple((re.compile(pattern), to) for pattern, to in REWRITINGS)
PHRASES_COMPILED = tuple(re.compile(p + IS, re.IGNORECASE) for p in PHRASES)
MATRIX = re.compile(
    r"\\begin\{([bpvB]?matrix)\}(.*?)\\end\{\1\}|\\\(?(?:smallmatrix)", re.DOTALL
)
QUOTED = re.compile(r"(?<![`\w])`([^`\n]+)`(?![`\w])")
TOGGLE = "¤"  # where a formula begins or ends


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
    text = text.replace(TOGGLE, " ")
    text = QUOTED.sub(rf" ;; {TOGGLE} ;; \1 ;; {TOGGLE} ;; ", text)
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


FRACTION = re.compile(
    r"\\[dtc]?frac\s*([0-9A-Za-z])\s*(?=[0-9A-Za-z\\{])([0-9A-Za-z]?)"
)


def _fraction(match: re.Match[str]) -> str:
    """`\\frac12` and `\\frac1{x}` with braces around what has none."""
    below = f"{{{match[2]}}}" if match[2] else ""
    return f"\\frac{{{match[1]}}}{below}"


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
    r"|(?P<SEP>;+)"
    r"|(?P<AT>\|\s*_\s*\{[^{}\n]*\}|\|\s*_\s*\([^()\n]*\)|\|_[A-Za-z]\w*=-?[\d.,]*\d)"
    rf"|(?P<NUMBER>{NUMBER}|\.\d+)"
    r"|(?P<COMMAND>\\[A-Za-z]+)"
    r"|(?P<GRADOF>[A-Za-z_]\w*\.grad\b(?:\.item\(\))?)"
    r"|(?P<WORD>[^\W\d_]\w*)"
    r"|(?P<ELL>…)|(?P<APPROX>≈)|(?P<EQ>=)|(?P<D>∂)"
    r"|(?P<PLUS>\+)|(?P<MINUS>-)|(?P<TIMES>\*)|(?P<SLASH>/)|(?P<CARET>\^)"
    r"|(?P<MATMUL>@)|(?P<HADAMARD>⊙)"
    r"|(?P<LPAR>\()|(?P<RPAR>\))|(?P<LB>\{)|(?P<RB>\})|(?P<LBRACK>\[)|(?P<RBRACK>\])"
    r"|(?P<COMMA>,)|(?P<COLON>:)|(?P<DOT>\.)|(?P<PRIME>')|(?P<BAR>\|)"
    r"|(?P<MARK>[\"`✓✔✗✘☑«»„“”‚‘<>{}#~$?!¡¿]|\\[^A-Za-z])"
    r"|(?P<OTHER>.)"
)


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
        tokens.append(Token(kind, match[0], line, gap, match.start(), inside))
        gap = False
        line += kind == "NL"
    return tokens
