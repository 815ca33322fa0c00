"""What the code of a file has said so far: its program, names, and events."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.events import Assigned, Displayed, Snapshot
from gradverify.claims.computation.bindings import Function, Value
from gradverify.claims.computation.file_program import FileProgram, NotUnderstood


@dataclass(eq=False)
class Journal:
    """What the code of a file says; cells are read in their order.

    backwards: the outputs of the calls of backward() since gradients were last cleared.
    functions, classes: those at the top level of the file, each definition of a name.
    statements: how many were read. followed: what of the file was called. stated: for
    the node of x, what was assigned to `x.grad`. scopes: how many were opened.
    libraries: those that are imported. class_cells: where each of the classes stands.
    bases: for a method, by its first statement, the base of the class it stands in.
    given: what stands for names that the file gives no value that can be read.
    unread: why expressions were not read, in the order in which they were tried.
    bodies: the statements of each cell. attributes: what classes themselves hold, by
    the class.
    """

    program: FileProgram = field(default_factory=FileProgram)
    names: dict[str, Value] = field(default_factory=dict)
    snapshots: list[Snapshot] = field(default_factory=list)
    shown: list[Displayed] = field(default_factory=list)
    assigned: list[Assigned] = field(default_factory=list)
    backwards: list[Symbol] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    classes: list[ast.ClassDef] = field(default_factory=list)
    statements: int = 0
    followed: set[int] = field(default_factory=set)
    stated: dict[int, Value] = field(default_factory=dict)
    scopes: int = 0
    libraries: set[str] = field(default_factory=set)
    class_cells: list[int] = field(default_factory=list)
    bases: dict[int, ast.ClassDef] = field(default_factory=dict)
    given: dict[str, Value] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    bodies: list[tuple[int, list[ast.stmt]]] = field(default_factory=list)
    attributes: dict[ast.ClassDef, dict[str, Value]] = field(default_factory=dict)

    def gradient(self, x: Symbol, name: str, backwards: tuple[Symbol, ...]) -> Symbol:
        """What these calls of backward() have added up in `x.grad`."""
        reached = [y for y in backwards if self.program.depends(y.index, x.index)]
        if not reached:
            raise NotUnderstood(f"no backward() has reached {name}")
        result = self.program.derivative(reached[0], x)
        for y in reached[1:]:
            result = self.program.apply("add", result, self.program.derivative(y, x))
        self.program.gradients.add(result.index)
        return result
