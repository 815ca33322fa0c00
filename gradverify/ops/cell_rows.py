"""The rows of the op table for recurrent cells, attention of several heads, further
norms, and bags of embeddings.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from gradverify.ops import cell_expansions as e
from gradverify.ops import cell_shapes as s
from gradverify.ops.row import FORWARD, MIXED, Op

# fmt: off
CELLS = (
    # operands are named as in PyTorch: x, h, c, weights of x and of h, both biases
    Op("rnn_cell",             6, MIXED,   s.rnn_cell, ("nonlinearity",), expansion=e.rnn_cell),
    Op("gru_cell",             6, MIXED,   s.gru_cell, expansion=e.gru_cell),
    Op("lstm_cell",            7, MIXED,   s.lstm_cell, expansion=e.lstm_cell),
    Op("bilinear",             4, FORWARD, s.bilinear, expansion=e.bilinear),
    Op("multi_head_attention", 7, MIXED,   s.multi_head_attention, ("heads", "mask", "need_weights"), expansion=e.multi_head_attention),
    Op("instance_norm",        3, MIXED,   s.instance_norm, ("eps",), expansion=e.instance_norm),
    Op("local_response_norm",  1, MIXED,   s.local_response_norm, ("n", "alpha", "beta", "base"), expansion=e.local_response_norm,
       formula="x / (base + alpha * mean(x**2 over n channels))**beta"),
    Op("embedding_bag",        1, FORWARD, s.embedding_bag, ("index", "offsets", "mode"), expansion=e.embedding_bag),
    Op("weighted_embedding_bag", 2, FORWARD, s.weighted_embedding_bag, ("index", "offsets"), expansion=e.weighted_embedding_bag),
)
# fmt: on
