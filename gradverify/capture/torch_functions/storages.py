"""Which symbol a tensor is: views share a storage, and writing changes all of them.

A complex tensor shows two real places for each of its entries, along a last axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import Symbol
from gradverify.capture.moved_entries import reshaped, taken
from gradverify.graph import Array

Geometry = tuple[str, int, tuple[int, ...], tuple[int, ...]]


def geometry(tensor: Any) -> Geometry:
    """Dtype, offset, shape and strides: which entries of its storage a tensor shows."""
    return (
        str(tensor.dtype),
        tensor.storage_offset(),
        tuple(tensor.shape),
        tuple(tensor.stride()),
    )


def places(tensor: Any) -> Array:
    """For every entry of a tensor, its place in the storage; of complex ones, two."""
    found = np.full((), tensor.storage_offset(), np.int64)
    for length, stride in zip(tensor.shape, tensor.stride(), strict=True):
        found = found[..., None] + stride * np.arange(length)
    return 2 * found[..., None] + np.arange(2) if tensor.is_complex() else found


class StorageCell:
    """The values of one storage: the current symbols of its views.

    storage: kept, so that its address is not given away.
    flat: a symbol with an entry for each place of `spots`, after a write to a part.
    """

    def __init__(self, storage: Any) -> None:
        self.storage = storage
        self.views: dict[Geometry, Symbol] = {}
        self.flat: tuple[Symbol, Array] | None = None

    def bind(self, tensor: Any, symbol: Symbol) -> None:
        """A view of what the storage holds already."""
        self.views[geometry(tensor)] = symbol
        if self.flat is None:
            self.flat = symbol, places(tensor)

    def read(self, tensor: Any) -> Symbol | None:
        """The symbol of any view; None if parts of it were never written."""
        known = self.views.get(geometry(tensor))
        if known is not None:
            return known
        assert self.flat is not None
        whole, spots = self.flat
        order = {int(p): k for k, p in enumerate(spots.ravel())}
        wanted = places(tensor)
        if not all(int(p) in order for p in wanted.ravel()):
            return None
        index = np.array([order[int(p)] for p in wanted.ravel()], np.int64)
        symbol = taken(whole, index.reshape(wanted.shape))
        self.views[geometry(tensor)] = symbol
        return symbol

    def write(self, tensor: Any, symbol: Symbol) -> None:
        """New values of the entries that a tensor shows; other views follow."""
        assert self.flat is not None
        whole, spots = self.flat
        wanted = places(tensor)
        if wanted.size == spots.size:
            self.flat = symbol, wanted
        else:
            order = {int(p): k for k, p in enumerate(spots.ravel())}
            index = np.arange(spots.size)
            for k, p in enumerate(wanted.ravel()):
                index[order[int(p)]] = spots.size + k
            both = m.concatenate(
                reshaped(whole, (spots.size,)),
                reshaped(symbol, (wanted.size,)),
                axis=(-1,),
            )
            self.flat = taken(both, index), spots.ravel()
        self.views = {geometry(tensor): symbol}


class Storages:
    """The storages whose values are symbols, by address."""

    def __init__(self) -> None:
        self.cells: dict[int, StorageCell] = {}
        self.seen: dict[int, Any] = {}

    def cell(self, tensor: Any) -> StorageCell | None:
        """The cell of a tensor's storage; None if its values are no symbols."""
        return self.cells.get(_address(tensor))

    def made(self, tensor: Any) -> None:
        """Note a storage that was made during the trace."""
        storage = tensor.untyped_storage()
        self.seen.setdefault(storage._cdata, storage)

    def is_ours(self, tensor: Any) -> bool:
        """Whether the storage was made during the trace."""
        return _address(tensor) in self.seen

    def bind(self, tensor: Any, symbol: Symbol) -> None:
        """A tensor has the values of a symbol."""
        address = _address(tensor)
        if address not in self.cells:
            self.cells[address] = StorageCell(tensor.untyped_storage())
        self.cells[address].bind(tensor, symbol)

    def __iter__(self) -> Iterator[StorageCell]:
        return iter(self.cells.values())


def _address(tensor: Any) -> int:
    return int(tensor.untyped_storage()._cdata)
