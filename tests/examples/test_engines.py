"""Every example of a registered engine keeps to the protocol, where its library is."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from gradverify.differentiators import handshake, load

FOLDER = Path(__file__).parents[2] / "examples" / "engines"

# file: the class in it, and the package that it registers
EXAMPLES = {
    "ad_scalars": ("Ad", "ad"),
    "algopy_taylor": ("Algopy", "algopy"),
    "casadi_graphs": ("Casadi", "casadi"),
    "micrograd_scalars": ("Micrograd", "micrograd"),
    "mlx_arrays": ("Mlx", "mlx"),
    "mygrad_tensors": ("MyGrad", "mygrad"),
    "pytensor_graphs": ("PyTensor", "pytensor"),
    "tinygrad_tensors": ("Tinygrad", "tinygrad"),
}


def test_every_file_of_the_folder_is_an_example() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.py")) == sorted(EXAMPLES)


@pytest.mark.parametrize("file", EXAMPLES)
def test_an_example_passes_the_handshake(
    file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, package = EXAMPLES[file]
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    monkeypatch.syspath_prepend(str(FOLDER))
    engine = load(f"{file}:{name}")
    reason = engine.available()
    if reason is not None:
        pytest.skip(reason)
    assert handshake(engine) == []
