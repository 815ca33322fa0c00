"""PyTorch on a device: the way there and back, and what is left as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradverify.differentiators import load, run
from gradverify.differentiators.pytorch import Torch, TorchCpu
from gradverify.graph import Case, Graph, apply_op, data_leaf, input_leaf

torch = pytest.importorskip("torch")


def case_of(dtype: str = "float32") -> Case:
    """sum(matmul(a, a) * data)."""
    nodes = [input_leaf((2, 2)), data_leaf([[1.0, 2.0], [3.0, 4.0]])]
    nodes.append(apply_op(nodes, "matmul", [0, 0]))
    nodes.append(apply_op(nodes, "mul", [1, 2]))
    nodes.append(apply_op(nodes, "sum", [3], axis=None))
    return Case(Graph(tuple(nodes)), (np.array([[0.5, 1.5], [2.0, -1.0]]),), dtype)


class TorchMeta(Torch):
    """The device without numbers: all that touches another one raises."""

    name = "torch-meta"
    device = "meta"


def test_inputs_and_data_live_on_the_device_until_results_are_brought_back() -> None:
    error = run(TorchMeta(), "reverse", case_of(), limit=300.0).error
    assert "Cannot copy out of meta tensor" in str(error)
    assert TorchMeta().table["data"](np.zeros(2)).device.type == "meta"  # type: ignore[operator]
    assert TorchCpu().table["data"](np.zeros(2)).device.type == "cpu"  # type: ignore[operator]


def test_a_device_that_is_no_default_is_used_all_the_same() -> None:
    with torch.device("meta"):
        found = run(TorchCpu(), "reverse", case_of())
    assert found.error is None
    assert found.cotangents[0].shape == (2, 2)


def test_cuda_says_that_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    why = load("torch-cuda").available()
    assert why == "torch does not run here: RuntimeError: PyTorch sees no CUDA device"
    assert load("torch-cpu").available() is None


def test_the_devices_of_the_two_are_told_apart() -> None:
    assert (load("torch-cpu").device, load("torch-cuda").device) == ("cpu", "cuda")


def places() -> list[Any]:
    found = [torch.backends.cuda.matmul, torch.backends.mkldnn.matmul]
    if not hasattr(found[0], "fp32_precision"):
        pytest.skip("one setting for all backends before PyTorch 2.9")
    return found


def precisions() -> list[str]:
    return [place.fp32_precision for place in places()]


@pytest.mark.parametrize("host", ["highest", "high", "medium"])
def test_no_short_product_within_a_run_and_the_hosts_setting_after(host: str) -> None:
    engine, seen = TorchCpu(), []

    def product(a: Any, b: Any) -> Any:
        seen.append(precisions())
        return a @ b

    engine.table = {**engine.table, "matmul": product}  # type: ignore[misc]
    before = torch.get_float32_matmul_precision(), precisions()
    try:
        torch.set_float32_matmul_precision(host)
        there = precisions()
        assert run(engine, "reverse", case_of()).error is None
        assert seen == [["ieee", "ieee"]]
        assert precisions() == there
        assert torch.get_float32_matmul_precision() == host
    finally:
        torch.set_float32_matmul_precision(before[0])
        for place, precision in zip(places(), before[1], strict=True):
            place.fp32_precision = precision
    assert (torch.get_float32_matmul_precision(), precisions()) == before


def test_a_gpu_is_named_with_its_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    found = dict(load("torch-cuda").versions())
    assert found.pop("torch") == torch.__version__
    assert found == {"cuda": "13.0", "gpu": "a GPU"}
    assert set(load("torch-cpu").versions()) == {"torch"}


def test_the_same_code_runs_on_every_device() -> None:
    cpu, cuda = load("torch-cpu"), load("torch-cuda")
    assert type(cpu).__bases__ == type(cuda).__bases__ == (Torch,)
    assert set(cpu.table) == set(cuda.table)
    assert cpu.accepts == cuda.accepts


def test_a_derivative_without_memory_is_zeros() -> None:
    """PyTorch's reverse over forward gives one for what is stacked beside a tangent."""
    nodes = [input_leaf((2,)), input_leaf((2,)), data_leaf([[0.0, 2.0], [0.0, 2.0]])]
    nodes.append(apply_op(nodes, "stack", [0, 1], axis=(-1,)))
    nodes.append(apply_op(nodes, "mul", [3, 2]))
    nodes.append(apply_op(nodes, "sum", [4], axis=None))
    case = Case(Graph(tuple(nodes)), (np.ones(2), np.ones(2)), "float64")
    found = run(TorchCpu(), "reverse-over-forward", case)
    assert found.error is None
    assert [None if x is None else x.tolist() for x in found.cotangents] in (
        [[0.0, 0.0], [0.0, 0.0]],
        [[0.0, 0.0], None],
        [None, [0.0, 0.0]],
    )
