"""All rows for ops of PyTorch on real numbers."""

from __future__ import annotations

from collections.abc import Mapping

from gradverify.capture.torch_functions import torch_rows
from gradverify.capture.torch_functions.torch_complex import shown
from gradverify.capture.torch_functions.torch_matrices import MATRICES
from gradverify.capture.torch_functions.torch_rows import Row
from gradverify.capture.torch_functions.torch_windows import WINDOWS

ROWS: Mapping[str, Row] = {
    **torch_rows.ROWS,
    **MATRICES,
    **WINDOWS,
    "_neg_view": shown,  # the imaginary part of a conjugate, by the same memory
}
