"""Gradients judged against high-precision mpmath differences.

Names are imported when they are first used, so that `import gradverify` in a conftest
costs nothing: no engine, no library under test.

PYTEST_DONT_REWRITE: `gradverify run` has imported this before pytest starts.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradverify.arithmetic.symbols import trace as trace
    from gradverify.claims import check_claim as check_claim
    from gradverify.differentiators import Accepts as Accepts
    from gradverify.differentiators import Differentiator as Differentiator
    from gradverify.differentiators import Lowered as Lowered
    from gradverify.differentiators import Pulled as Pulled
    from gradverify.differentiators import Pushed as Pushed
    from gradverify.differentiators import Rows as Rows
    from gradverify.differentiators import functions as functions
    from gradverify.differentiators import mode as mode
    from gradverify.differentiators import operators as operators
    from gradverify.differentiators import register as register
    from gradverify.graph import Case as Case
    from gradverify.graph import Graph as Graph
    from gradverify.graph import Limits as Limits
    from gradverify.plugin.checked_function import check as check
    from gradverify.plugin.conformance import conformance as conformance
    from gradverify.strategies import arrays as arrays
    from gradverify.strategies import graphs as graphs
    from gradverify.strategies import networks as networks
    from gradverify.strategies import points as points
    from gradverify.verdict import Judgement as Judgement
    from gradverify.verdict import Verdict as Verdict
    from gradverify.verify import judge as judge

# name: the module that it lives in
HOMES = {
    "Accepts": "gradverify.differentiators",
    "Case": "gradverify.graph",
    "Differentiator": "gradverify.differentiators",
    "Graph": "gradverify.graph",
    "Judgement": "gradverify.verdict",
    "Limits": "gradverify.graph",
    "Lowered": "gradverify.differentiators",
    "Pulled": "gradverify.differentiators",
    "Pushed": "gradverify.differentiators",
    "Rows": "gradverify.differentiators",
    "Verdict": "gradverify.verdict",
    "arrays": "gradverify.strategies",
    "check": "gradverify.plugin.checked_function",
    "check_claim": "gradverify.claims",
    "conformance": "gradverify.plugin.conformance",
    "functions": "gradverify.differentiators",
    "graphs": "gradverify.strategies",
    "judge": "gradverify.verify",
    "mode": "gradverify.differentiators",
    "networks": "gradverify.strategies",
    "operators": "gradverify.differentiators",
    "points": "gradverify.strategies",
    "register": "gradverify.differentiators",
    "trace": "gradverify.arithmetic.symbols",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("gradverify")
    if name not in HOMES:
        raise AttributeError(f"module 'gradverify' has no attribute {name!r}")
    value = getattr(import_module(HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES})
