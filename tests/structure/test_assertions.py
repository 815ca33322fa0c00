"""No test can pass without having asserted anything.

A test that asserts only inside loops or conditions passes where a loop runs over
nothing, and so does one that asserts `all(...)` of nothing. Such a test asserts first
that there is something to look at; loops over what is written down in the file need no
such assertion.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

# Beside `assert`: calls that check something, and fixtures of ours that do.
CHECKS = ("raises", "warns", "golden")
STARTS = ("assert", "fnmatch", "no_fnmatch")


def is_check(node: ast.AST) -> bool:
    """Whether a node asserts: the statement, or a call of a function that does."""
    if isinstance(node, ast.Assert):
        return not is_true_of_nothing(node.test)
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
    name = called.id if isinstance(called, ast.Name) else called
    return isinstance(name, str) and (name in CHECKS or name.startswith(STARTS))


def is_true_of_nothing(test: ast.expr) -> bool:
    """Whether a condition holds if what it loops over is empty, as `all(...)` does."""
    match test:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(is_true_of_nothing(value) for value in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            name = "any"
            call = operand
        case _:
            name, call = "all", test
    match call:
        case ast.Call(func=ast.Name(id=called), args=[ast.GeneratorExp() as loop]):
            sources = [generator.iter for generator in loop.generators]
            is_sure = all(is_written_down(source) for source in sources)
            has_conditions = any(generator.ifs for generator in loop.generators)
            return called == name and (has_conditions or not is_sure)
    return False


def is_written_down(node: ast.expr) -> bool:
    """Whether what a loop runs over is not empty, by how it is written.

    A display with elements, a constant of the module in capitals, a range or a product
    of such.
    """
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return bool(node.elts)
    if isinstance(node, ast.Dict):
        return bool(node.keys)
    if isinstance(node, ast.Constant):
        return bool(node.value)
    if isinstance(node, ast.Name):
        return node.id.isupper()
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "range":
            return all(is_written_down(x) for x in node.args[-1:])
        if isinstance(node.func, ast.Attribute) and not node.args:
            return is_written_down(node.func.value)
        return bool(node.args) and all(is_written_down(x) for x in node.args)
    return isinstance(node, ast.Attribute) and node.attr.isupper()


def checks_surely(body: list[ast.stmt]) -> bool:
    """Whether every way through these statements comes to an assertion."""
    for statement in body:
        if isinstance(statement, ast.For) and is_written_down(statement.iter):
            if checks_surely(statement.body):
                return True
        elif isinstance(statement, ast.With):
            items = [item.context_expr for item in statement.items]
            if any(is_check(n) for item in items for n in ast.walk(item)):
                return True
            if checks_surely(statement.body):
                return True
        elif isinstance(statement, ast.Try):
            if checks_surely([*statement.body, *statement.finalbody]):
                return True
        elif isinstance(statement, ast.If):
            if checks_surely(statement.body) and checks_surely(statement.orelse):
                return True
        elif not isinstance(statement, ast.For | ast.While | ast.FunctionDef) and any(
            is_check(node) for node in ast.walk(statement)
        ):
            return True
    return False


def unsure_tests(text: str) -> Iterator[str]:
    """The tests in a source text that may pass without an assertion.

    A call of a function of the same file that surely asserts is an assertion.
    """
    tree = ast.parse(text)
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    sure = {f.name for f in functions if checks_surely(f.body)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in sure:
            node.id = f"assert_{node.id}"
    for test in functions:
        if test.name.startswith("test_") and not checks_surely(test.body):
            yield test.name


def test_every_test_surely_asserts() -> None:
    paths = sorted(TESTS.rglob("test_*.py"))
    assert len(paths) > 50
    found = [
        f"{path.relative_to(TESTS)}: {name}"
        for path in paths
        for name in unsure_tests(path.read_text(encoding="utf-8"))
    ]
    assert not found, (
        "these tests assert only inside loops or conditions; assert first that there "
        "is something to look at:\n" + "\n".join(found)
    )


@pytest.mark.parametrize(
    "body",
    [
        "for x in found():\n        assert x",
        "for x in found:\n        assert x",
        "for x in []:\n        assert x",
        "for k in range(0):\n        assert k",
        "assert all(x for x in found())",
        "assert all(x for x in found) and not any(x for x in found)",
        "assert all(x for x in (1, 2) if x > 3)",
        "if found():\n        assert True",
        "while found():\n        assert True",
        "def inner():\n        assert True",
        "pass",
    ],
)
def test_a_test_that_may_assert_nothing_is_seen(body: str) -> None:
    assert list(unsure_tests(f"def test_it():\n    {body}\n")) == ["test_it"]


@pytest.mark.parametrize(
    "body",
    [
        "assert found()",
        "assert found\n    for x in found:\n        assert x",
        "for x in (1, 2):\n        assert x",
        "for x in ROWS:\n        assert x",
        "assert all(x for x in (1, 2))",
        "assert len(found) == 3 and all(x for x in found)",
        "assert found\n    assert all(x for x in found)",
        "assert any(x for x in found)",
        "assert not all(x for x in found)",
        "for x, y in ROWS.items():\n        assert x",
        "for k in range(3):\n        assert k",
        "if found():\n        assert True\n    else:\n        assert False",
        "with pytest.raises(ValueError):\n        found()",
        "numpy.testing.assert_allclose(1, 1)",
        "looks()\n\ndef looks():\n    assert True",
    ],
)
def test_a_test_that_surely_asserts_is_let_pass(body: str) -> None:
    assert not list(unsure_tests(f"def test_it():\n    {body}\n"))
