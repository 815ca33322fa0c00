"""The public names: lazy, complete, and the same for type checkers."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import gradverify


@pytest.mark.parametrize("name", sorted(gradverify.HOMES))
def test_a_public_name_is_found_and_is_no_module(name: str) -> None:
    assert not isinstance(getattr(gradverify, name), type(gradverify))
    assert name in dir(gradverify)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(gradverify.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == gradverify.HOMES


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'wonder'"):
        _ = gradverify.wonder
