"""Python syntax trees: what stands at their root, and how they are shown."""

from __future__ import annotations

import ast

from gradverify.expressions import shortened

BASE = "__class__"  # under which a method finds the base of the class it stands in


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of attributes that starts at a name; else nothing."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


def root(node: ast.expr) -> str:
    """The name that a chain of attributes starts at; empty without one."""
    return dotted(node).partition(".")[0]


def defines(kind: ast.ClassDef | None, name: str) -> bool:
    """Whether a class of the file has a method of that name."""
    body = kind.body if kind else []
    return any(isinstance(p, ast.FunctionDef) and p.name == name for p in body)


def is_static(method: ast.FunctionDef) -> bool:
    """Whether a method takes no object."""
    return any(
        isinstance(d, ast.Name) and d.id == "staticmethod"
        for d in method.decorator_list
    )


def is_property(method: ast.FunctionDef) -> bool:
    """Whether a method is called where its name is read."""
    return any(
        isinstance(d, ast.Name) and d.id in ("property", "cached_property")
        for d in method.decorator_list
    )


def inherited(kind: ast.ClassDef, bases: list[ast.ClassDef]) -> ast.ClassDef:
    """The class with the methods of its bases that it does not define itself."""
    body = list(kind.body)
    own = {p.name for p in body if isinstance(p, ast.FunctionDef)}
    for base in bases:
        for part in base.body:
            if isinstance(part, ast.FunctionDef) and part.name not in own:
                own.add(part.name)
                body.append(part)
    whole = ast.ClassDef(
        name=kind.name, bases=kind.bases, keywords=kind.keywords, body=body,
        decorator_list=kind.decorator_list,
    )  # fmt: skip
    return ast.copy_location(whole, kind)


def source(node: ast.AST) -> str:
    """The text of a syntax tree, shortened."""
    return shortened(ast.unparse(node))


def is_new_axis(tree: ast.expr) -> bool:
    """Whether it is `np.newaxis`, which is None."""
    match tree:
        case ast.Attribute(attr="newaxis") | ast.Name(id="newaxis"):
            return True
    return False


BY_ENTRY = frozenset({
    "exp", "expm1", "log", "log1p", "tanh", "sqrt", "square", "abs", "absolute",
    "sin", "cos", "sign", "power", "maximum", "minimum", "sigmoid",
})  # fmt: skip


def is_by_entry(tree: ast.expr) -> bool:
    """Whether a formula does the same to each entry of the arrays in it."""
    match tree:
        case ast.BinOp(left=left, op=op, right=right):
            is_product = isinstance(op, ast.MatMult)
            return not is_product and is_by_entry(left) and is_by_entry(right)
        case ast.UnaryOp(operand=inner):
            return is_by_entry(inner)
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), keywords=[]):
            return name in BY_ENTRY and all(map(is_by_entry, tree.args))
        case ast.Constant() | ast.Name() | ast.Attribute() | ast.Subscript():
            return True
    return False
