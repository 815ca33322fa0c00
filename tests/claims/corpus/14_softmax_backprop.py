"""Softmax regression, backward by hand (adapted for the exercise class)."""
import numpy as np

rng = np.random.default_rng(42)
N, D, K = 5, 4, 3
X = rng.standard_normal((N, D))
W = rng.standard_normal((D, K))
b = np.zeros(K)
Y = np.eye(K)[[0, 2, 1, 1, 0]]  # one-hot targets

# forward pass
scores = X @ W + b
scores = scores - scores.max(axis=1, keepdims=True)
P = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
data_loss = -(Y * np.log(P)).sum() / N
reg_loss = 0.5 * 0.1 * np.sum(W * W)
loss = data_loss + reg_loss

# d(reg_loss)/dW = 0.1 * W
# d(reg_loss)/dW = 0.05 * W

# scalar warm-up
u = 0.3
v = -1.2
q = np.exp(u) * v + u ** 2
q_u = np.exp(u) * v + 2 * u
# dq/du = v e^u + 2u = -1.02
# dq/dv = e^u = 1.35
# dq/dv = u = 0.3
r = np.sqrt(q ** 2 + 1)
# dr/dq = q/r = -0.84
# dr/du = dr/dq * dq/du = 0.85
# dr/dv = q/r * e^u = -1.13
# dr/dv = q/r + e^u = 0.51
