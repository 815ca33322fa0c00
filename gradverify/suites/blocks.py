"""The blocks of a run: which cases are looked at, and in which order."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from gradverify.differentiators import Accepts
from gradverify.formats import DTYPES
from gradverify.graph import Case, case_from_json, case_name
from gradverify.ops import OPS
from gradverify.strategies import FAMILIES as NETWORKS
from gradverify.strategies import Met, graphs, networks, op_cases
from gradverify.strategies.layer_choices import LAYER_SHAPES
from gradverify.suites.large_network import Network, network_block
from gradverify.suites.textbook import textbook_cases
from gradverify.verify import CHUNK, Block, Restricted

SUITES = ("cases", "textbook", "ops", "graphs", "networks")
"""The suites of blocks, in the order in which they run; `known` has items alone."""

AGAIN = 4
"""Points of each graph and network beyond a block's first chunk.

Single ops have one: their faults hide in shapes and params rather than in points.
"""

SAVED = "gradverify-cases"  # the folder in which a repository keeps its cases

# fmt: off
FAMILIES = {
    "small":  (4,  range(1)),
    "shared": (8,  range(1)),
    "arrays": (6,  range(3)),
    "deep":   (16, range(2)),
}
# fmt: on
"""The graph families: how many ops at most, and which ranks the inputs have."""


@dataclass(eq=False)
class Unreadable(Block):
    """A file among the saved cases that holds no case; `problem` says what is
    malformed.
    """

    problem: str = ""


def blocks(
    *,
    suites: Collection[str] = (),
    ops: Collection[str] = (),
    dtypes: Collection[str] = (),
    max_nodes: int | None = None,
    seed: int = 0,
    root: Path | None = None,
    large: Sequence[Network] = (),
    chunk: int = CHUNK,
) -> list[Block]:
    """The blocks of a run. An empty collection stands for all.

    large: networks that the suite `networks` has in place of drawn ones.
    root: the repository whose saved cases are looked at first. A file that holds no
        case becomes an `Unreadable` block, whatever dtypes were asked for.
    chunk: how many cases a block draws at once.
    """
    makers: dict[str, Callable[[], Iterable[Block]]] = {
        "cases": lambda: _saved(root),
        "textbook": _textbook,
        "ops": lambda: _ops(ops, dtypes or DTYPES, seed),
        "graphs": lambda: _graphs(ops, dtypes or DTYPES, max_nodes, seed),
        "networks": lambda: (
            _large(large, dtypes or ("float64",), seed)
            if large
            else _networks(ops, dtypes or DTYPES, seed)
        ),
    }
    found = [
        block
        for suite in SUITES
        if not suites or suite in suites
        for block in makers[suite]()
        if not dtypes or block.dtype in dtypes or isinstance(block, Unreadable)
    ]
    for block in found:
        block.chunk = chunk
    return found


def _seed(seed: int, *names: str) -> int:
    """A seed for each block, the same in every process."""
    return zlib.crc32("/".join((str(seed), *names)).encode())


def _ops(ops: Collection[str], dtypes: Collection[str], seed: int) -> Iterator[Block]:
    for op in OPS.public():
        if not ops or op in ops:
            for dtype in dtypes:
                own = _seed(seed, "ops", op, dtype)
                cases = partial(op_cases, op, empty=True, dtype=dtype)
                steered = _steered(cases)
                yield Block("ops", op, dtype, own, cases(), steered, _of_op(op))


def _steered(strategy: Callable[..., Any]) -> Callable[[Met], Any]:
    """A strategy that leans towards what has not been met yet."""
    return lambda met: strategy(met=met)


def _of_op(op: str) -> Restricted:
    """The same op, in cases that an engine accepts."""

    def strategy(
        dtype: str, table: Sequence[str], accepts: Accepts, met: Met | None
    ) -> Any:
        del table
        return op_cases(
            op,
            ranks=accepts.ranks,
            literals=accepts.literals,
            data=accepts.data,
            broadcasting=accepts.broadcasting,
            empty=accepts.empty,
            dtype=dtype,
            met=met,
        )

    return strategy


def _graphs(
    ops: Collection[str],
    dtypes: Collection[str],
    max_nodes: int | None,
    seed: int,
) -> Iterator[Block]:
    menu = tuple(op for op in ops if op not in LAYER_SHAPES)
    for family, (most, ranks) in FAMILIES.items() if menu or not ops else ():
        most = min(most, max_nodes or most)
        for dtype in dtypes:
            strategy = partial(
                graphs,
                ops=menu or None,
                max_nodes=most,
                ranks=ranks,
                dtype=dtype,
            )
            yield Block(
                "graphs",
                family,
                dtype,
                _seed(seed, "graphs", family, dtype),
                strategy(),
                _steered(strategy),
                _of_table(most, menu),
                again=AGAIN,
            )


def _of_table(max_nodes: int, ops: Collection[str]) -> Restricted:
    """Graphs over an engine's own ops, which the engine accepts."""
    plain = [op for op in OPS.public() if op not in LAYER_SHAPES]

    def strategy(
        dtype: str, table: Sequence[str], accepts: Accepts, met: Met | None
    ) -> Any:
        return graphs(
            ops=tuple(op for op in table if op in (ops or plain)),
            max_nodes=max_nodes,
            max_inputs=min(3, accepts.max_inputs or 3),
            ranks=accepts.ranks,
            literals=accepts.literals,
            data=accepts.data,
            broadcasting=accepts.broadcasting,
            dtype=dtype,
            met=met,
        )

    return strategy


def _networks(
    ops: Collection[str], dtypes: Collection[str], seed: int
) -> Iterator[Block]:
    """A block for each family of networks; none if single ops were asked for."""
    for family in () if ops else NETWORKS:
        for dtype in dtypes:
            own = _seed(seed, "networks", family, dtype)
            cases = networks(family=family, dtype=dtype)
            yield Block("networks", family, dtype, own, cases, again=AGAIN)


def _large(
    networks: Sequence[Network], dtypes: Collection[str], seed: int
) -> Iterator[Block]:
    for network in networks:
        for dtype in dtypes:
            yield network_block(replace(network, dtype=dtype, seed=seed))


def _textbook() -> Iterator[Block]:
    for name, cases in textbook_cases().items():
        yield Block("textbook", name, "float64", written=tuple(cases))


def _saved(root: Path | None) -> Iterator[Block]:
    folder = (root or Path.cwd()) / SAVED
    for path in sorted(folder.glob("*.json")):
        try:
            case = read_case(path)
        except ValueError as error:
            yield Unreadable("cases", path.stem, "", problem=str(error))
        else:
            yield Block("cases", case_name(case), case.dtype, written=(case,))


def read_case(path: Path) -> Case:
    """The case in a file. `ValueError` names the file and says what is malformed."""
    try:
        return case_from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not a case that can be read: {error}") from None
