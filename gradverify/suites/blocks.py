"""The blocks of a run: which cases are looked at, and in which order."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from gradverify.differentiators import Accepts
from gradverify.formats import DTYPES
from gradverify.graph import Case, Limits, case_from_json, case_name
from gradverify.ops import OPS
from gradverify.outside.printing import visible
from gradverify.outside.reading import read_bytes
from gradverify.strategies import FAMILIES as NETWORKS
from gradverify.strategies import (
    Met,
    edge_cases,
    first_cases,
    graphs,
    networks,
    op_cases,
)
from gradverify.strategies.graphs import in_drawn_ranks
from gradverify.strategies.own_shapes import OWN_SHAPES
from gradverify.suites import TABLE, Suite
from gradverify.suites.large_network import Network, network_block
from gradverify.suites.textbook import textbook_cases
from gradverify.verify import CHUNK, Block, Restricted

PACKAGE = "gradverify.suites"

AGAIN = 4
"""Points of each graph and network beyond a block's first chunk.

Single ops have one: their faults hide in shapes and params rather than in points.
"""

CASE = 64_000_000  # bytes of a file that holds a case

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

MOST_NODES = max(most for most, _ in FAMILIES.values())


@dataclass(eq=False)
class Unreadable(Block):
    """A file among the saved cases that holds no case; `problem` says what is
    malformed.
    """

    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a run is asked for. An empty collection stands for all.

    large: networks that the suite `networks` has in place of drawn ones.
    root: the repository whose saved cases are looked at first. A file that holds no
        case becomes an `Unreadable` block, whatever dtypes were asked for.
    chunk: how many cases a block draws at once. begin: how many at first.
    """

    suites: Collection[str] = ()
    ops: Collection[str] = ()
    dtypes: Collection[str] = ()
    max_nodes: int | None = None
    seed: int = 0
    root: Path | None = None
    large: Sequence[Network] = ()
    chunk: int = CHUNK
    begin: int = CHUNK

    def drawn_dtypes(self, turn: int) -> Collection[str]:
        """The dtypes in which cases are drawn, in another order at every other turn.

        Where there is no time for all blocks, the first of two would be looked at far
        more often than the second.
        """
        dtypes = tuple(self.dtypes or DTYPES)
        return dtypes[::-1] if turn % 2 else dtypes


def blocks(asked: Asked = Asked()) -> list[Block]:
    """The blocks of a run, in the order of the suites."""
    found = [
        block
        for suite in TABLE
        if not asked.suites or suite.name in asked.suites
        for block in _made(suite, asked)
        if not asked.dtypes
        or block.dtype in asked.dtypes
        or isinstance(block, Unreadable)
    ]
    for block in found:
        block.chunk, block.begin = asked.chunk, asked.begin
    return found


def _made(suite: Suite, asked: Asked) -> Iterable[Block]:
    """The blocks of one suite."""
    if suite.blocks is None:
        return ()
    module, _, function = suite.blocks.partition(":")
    make: Callable[[Asked], Iterable[Block]]
    make = getattr(import_module(f"{PACKAGE}.{module}"), function)
    return make(asked)


def _seed(seed: int, *names: str) -> int:
    """A seed for each block, the same in every process."""
    return zlib.crc32("/".join((str(seed), *names)).encode())


def single_ops(asked: Asked) -> Iterator[Block]:
    """A block for each op and dtype."""
    for turn, op in enumerate(OPS.public()):
        if not asked.ops or op in asked.ops:
            for dtype in asked.drawn_dtypes(turn):
                own = _seed(asked.seed, "ops", op, dtype)
                cases = partial(op_cases, op, within=Limits(), dtype=dtype)
                steered = _steered(cases)
                yield Block(
                    "ops",
                    op,
                    dtype,
                    own,
                    cases(),
                    steered,
                    _of_op(op),
                    first=first_cases(op, dtype),
                    edges=partial(edge_cases, op, dtype, own),
                )


def _steered(strategy: Callable[..., Any]) -> Callable[[Met], Any]:
    """A strategy that leans towards what has not been met yet."""
    return lambda met: strategy(met=met)


def _of_op(op: str) -> Restricted:
    """The same op, in cases that an engine accepts."""

    def strategy(
        dtype: str, table: Sequence[str], accepts: Accepts, met: Met | None
    ) -> Any:
        del table
        return op_cases(op, within=accepts, dtype=dtype, met=met)

    return strategy


def random_graphs(asked: Asked) -> Iterator[Block]:
    """A block for each family and dtype; none if layers alone were asked for."""
    menu = tuple(op for op in asked.ops if op not in OWN_SHAPES)
    families = FAMILIES.items() if menu or not asked.ops else ()
    for turn, (family, (most, ranks)) in enumerate(families):
        most = min(most, asked.max_nodes or most)
        for dtype in asked.drawn_dtypes(turn):
            strategy = partial(
                graphs,
                ops=menu or None,
                max_nodes=most,
                within=Limits(ranks=ranks, empty=False),
                dtype=dtype,
            )
            yield Block(
                "graphs",
                family,
                dtype,
                _seed(asked.seed, "graphs", family, dtype),
                strategy(),
                _steered(strategy),
                _of_table(most, menu),
                again=AGAIN,
            )


def _of_table(max_nodes: int, ops: Collection[str]) -> Restricted:
    """Graphs over an engine's own ops, which the engine accepts."""
    plain = [op for op in OPS.public() if op not in OWN_SHAPES]

    def strategy(
        dtype: str, table: Sequence[str], accepts: Accepts, met: Met | None
    ) -> Any:
        within = in_drawn_ranks(replace(accepts, empty=False))
        if "sum" not in table:  # by which every array becomes a scalar at last
            within = replace(within, ranks=range(within.ranks.start, 1))
        return graphs(
            ops=tuple(op for op in table if op in (ops or plain)),
            max_nodes=max_nodes,
            max_inputs=min(3, accepts.max_inputs or 3),
            within=within,
            dtype=dtype,
            met=met,
        )

    return strategy


def random_networks(asked: Asked) -> Iterator[Block]:
    """A block for each family of networks and dtype, or for each large network.

    There are none of the families if single ops were asked for.
    """
    if asked.large:
        for network in asked.large:
            for dtype in asked.dtypes or ("float64",):
                yield network_block(replace(network, dtype=dtype, seed=asked.seed))
        return
    for turn, family in enumerate(() if asked.ops else NETWORKS):
        for dtype in asked.drawn_dtypes(turn):
            own = _seed(asked.seed, "networks", family, dtype)
            cases = networks(family=family, dtype=dtype)
            yield Block("networks", family, dtype, own, cases, again=AGAIN)


def textbook(asked: Asked) -> Iterator[Block]:
    """A block for each example, whatever is asked for."""
    del asked
    for name, cases in textbook_cases().items():
        yield Block("textbook", name, "float64", written=tuple(cases))


def saved(asked: Asked) -> Iterator[Block]:
    """A block for each saved case, by file name."""
    folder = (asked.root or Path.cwd()) / SAVED
    for path in sorted(folder.glob("*.json")):
        try:
            case = read_case(path)
        except ValueError as error:
            name = visible(path.stem)  # pytest prints it as it is
            yield Unreadable("cases", name, "", problem=str(error))
        else:
            yield Block("cases", case_name(case), case.dtype, written=(case,))


def read_case(path: Path) -> Case:
    """The case in a file. `ValueError` names the file and says what is malformed."""
    try:
        return case_from_json(json.loads(read_bytes(path, CASE)))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not a case that can be read: {error}") from None
