"""One function of a user at some arguments, in whatever library they belong to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from gradverify.capture.captured import Captured, NotCaptured
from gradverify.graph import Array


class Refused(ValueError):
    """A call that cannot be looked at; the text says which argument, and what to do."""


@dataclass(frozen=True, eq=False)
class Argument:
    """An array that is differentiated: its name for the user, and where it stood.

    is_parameter: whether it belongs to the function and is not handed over.
    """

    name: str
    value: Array
    is_parameter: bool = False


@dataclass(frozen=True, eq=False)
class Pull:
    """What a library gave for one cotangent: outputs, and a derivative for each input.

    outputs: arrays as they came. cotangents: None where the library said so.
    trouble: what was noticed besides numbers: the name of a `Verdict`, and a sentence.
    """

    outputs: tuple[Array, ...]
    cotangents: tuple[Array | None, ...]
    asked: tuple[bool, ...] | None = None
    mutated: tuple[int, ...] = ()
    trouble: tuple[str, str] | None = None


class FunctionCall(ABC):
    """A function and its arguments. A library has one final class of this.

    name: of the function, for the user.
    arguments: the differentiable ones in their order, with the parameters that the
        function has itself behind them.
    dtype: the format of the arguments.
    modes: the ways to ask the library for a derivative, by name, and the kind of each:
        "vjp", "jvp" or "hvp". usual: those that are asked if none is named.
    variants: other ways to hand the same numbers over, by name: a layout, arguments
        that are not differentiated, a cotangent of stride 0.
    even: variants that need one number along the first axis. unused: the variant in
        which an output whose cotangent is 0 is not used, as if nothing came of it.
    stands_still: whether numbers that were read stand still in `outputs_beside`.
    one_triangle: the name of an op in the last capture that reads one triangle of a
        symmetric matrix, though the library's derivative is by both; None if there is
        none. lopsided: whether that matrix was not symmetric.
    symmetric: the arguments, by position, that stay symmetric for that reason.
    """

    library: ClassVar[str]
    stands_still: ClassVar[bool] = False
    symmetric: frozenset[int] = frozenset()
    one_triangle: str | None = None
    lopsided: bool = False
    even: ClassVar[tuple[str, ...]] = ()
    unused: ClassVar[str] = ""
    name: str
    arguments: tuple[Argument, ...]
    dtype: str

    @property
    @abstractmethod
    def modes(self) -> Mapping[str, str]:
        """The modes and their kinds."""

    @property
    def usual(self) -> tuple[str, ...]:
        """The modes of first order."""
        return tuple(name for name, kind in self.modes.items() if kind != "hvp")

    @property
    def variants(self) -> Mapping[str, str]:
        """Other ways to hand the same numbers over, and what each of them is."""
        return {}

    @abstractmethod
    def outputs(self, point: Sequence[Array]) -> tuple[Array, ...]:
        """The values of the differentiable outputs at a point, and nothing else."""

    def outputs_beside(
        self, point: Sequence[Array], center: Sequence[Array]
    ) -> tuple[Array, ...]:
        """The outputs at a point, with what the library holds constant as at `center`.

        Differences of it are what a derivative with stopped gradients is.
        """
        del center
        return self.outputs(point)

    @abstractmethod
    def capture(self, point: Sequence[Array]) -> Captured:
        """The program that the function runs at a point.

        Raises `NotCaptured`, with the line of the user's code.
        """

    def capture_longer(self, point: Sequence[Array], times: int = 2) -> Captured:
        """The program with so many times the turns of the loops that its numbers end.

        It is nearer to what they converge to. Raises `NotCaptured` where there is no
        such loop in a function with a derivative of its own, and what the user's code
        raises where it is run on.
        """
        del point, times
        raise NotCaptured(f"a loop of {self.library} is not run on")

    def capture_backward(
        self, point: Sequence[Array], cotangents: Sequence[Array]
    ) -> Captured:
        """The program that gives the derivatives: its outputs are one an argument.

        It tells a wrong formula from lost digits. Raises `NotCaptured`.
        """
        del point, cotangents
        raise NotCaptured(f"a backward of {self.library} is not read")

    @abstractmethod
    def pull(
        self,
        mode: str,
        point: Sequence[Array],
        cotangents: Sequence[Array],
        variant: str = "",
    ) -> Pull:
        """The outputs, and the vjp with one cotangent for each output."""

    def push(
        self, mode: str, point: Sequence[Array], tangents: Sequence[Array]
    ) -> tuple[tuple[Array, ...], tuple[Array | None, ...]]:
        """The outputs and their tangents, for a mode of kind "jvp"."""
        raise NotImplementedError(f"{self.library} has no mode {mode!r} here")

    def pull_twice(
        self,
        mode: str,
        point: Sequence[Array],
        cotangents: Sequence[Array],
        tangents: Sequence[Array | None],
    ) -> tuple[Array | None, ...]:
        """The Hessian of the contracted function times tangents, for kind "hvp"."""
        raise NotImplementedError(f"{self.library} has no mode {mode!r} here")

    def widened(self) -> FunctionCall | None:
        """The same call in a wider format; None if the function does not take it."""
        return None

    def shortened(self, length: int) -> FunctionCall | None:
        """The same call with so many entries along the first axis of its arrays.

        None if the function does not take them. Arrays whose first axis has another
        length than that of the first argument stay as they are.
        """
        del length
        return None

    def describe(self) -> Mapping[str, Any]:
        """What a record says of the call: versions, and where the function stands."""
        return {}
