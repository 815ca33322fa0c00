"""A registration that cannot work is refused in one line that says what to write."""

from __future__ import annotations

from typing import Any

import pytest

from gradverify import Accepts, Differentiator, Pulled, mode, register
from gradverify.outside.nearest import meant


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"ranks": 1}, r"ranks=1 is no range; write range\(1, 2\) for rank 1 alone"),
        ({"ranks": (0, 1)}, r"ranks=\(0, 1\) is no range"),
        ({"dtypes": "float64"}, r"dtypes='float64' is a text; write \('float64',\)"),
        ({"dtypes": ()}, "write a tuple such as"),
        ({"dtypes": ("float46",)}, "dtypes has 'float46'; did you mean float64"),
        ({"max_inputs": 0}, "write None, or a number from 1 up"),
        ({"max_inputs": True}, "write None, or a number from 1 up"),
        ({"literals": None}, "literals=None; write True or False"),
        ({"subnormals": 0}, "subnormals=0; write True or False"),
    ],
)
def test_what_an_engine_accepts_is_looked_at(
    options: dict[str, Any], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        Accepts(**options)


def engine(**members: Any) -> type[Differentiator]:
    """An engine with what is given in place of what it should have."""

    @mode("gradient")
    def reverse(self: Any, function: Any, point: Any) -> Pulled:
        return Pulled(0.0, point)

    usual = {"name": "made", "table": {}, "reverse": reverse}
    return type("Made", (Differentiator,), usual | members)


def few(self: Any, function: Any) -> Any: ...
def many(self: Any, function: Any, point: Any, tangents: Any, more: Any) -> Any: ...
def lost_self(function: Any, point: Any) -> Any: ...


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"table": lambda self: {}}, "write @property above def table"),
        ({"accepts": {"ranks": range(2)}}, "write accepts = gradverify.Accepts"),
        ({"accepts": Accepts}, "write accepts = gradverify.Accepts"),
        ({"forward": mode("jvp")(few)},
         r"write def forward\(self, function, point, tangents\)"),
        ({"pull": mode("vjp")(many)},
         r"write def pull\(self, function, point, cotangent\)"),
        ({"reverse": mode("gradient")(lost_self)},
         r"write def reverse\(self, function, point\)"),
    ],
)  # fmt: skip
def test_a_class_that_cannot_work_is_refused(
    members: dict[str, Any], text: str
) -> None:
    with pytest.raises(ValueError, match=text) as refused:
        register(engine(**members))
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("word", ["sofmax", "SOFTMAX", "soft-max"])
def test_a_typo_gets_the_nearest_name(word: str) -> None:
    names = [*(f"op{k}" for k in range(100)), "softmax", "softplus"]
    assert meant(word, names, "see the list").startswith("did you mean softmax")
    assert meant("zzz", names, "see the list") == "see the list"
    assert meant("zzz", ["a", "b"]) == "known: a, b"
