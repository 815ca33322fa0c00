"""Backpropagation through e = (a + b) * (a * b), by hand and with PyTorch."""

import torch

a = torch.tensor(2.0, requires_grad=True)
b = torch.tensor(3.0, requires_grad=True)

# forward pass
c = a + b          # 5
d = a * b          # 6
e = c * d          # 30

# The first attempt of most students:
# ∂e/∂a = d + c = 6 + 5 = 11
# ∂e/∂b = d + c = 6 + 5 = 11
#
# With the chain rule along both paths:
# ∂e/∂a = ∂e/∂c · ∂c/∂a + ∂e/∂d · ∂d/∂a
#       = d · 1 + c · b
#       = 6 · 1 + 5 · 3 = 21
# ∂e/∂b = ∂e/∂c · ∂c/∂b + ∂e/∂d · ∂d/∂b = 6·1 + 5·2 = 16
# ∂e/∂c = d = 6
# ∂e/∂d = c = 5

e.backward()
print(a.grad)  # tensor(21.)
print(b.grad)  # tensor(11.)

# In general
# ∂e/∂a = 2ab + b²
# ∂e/∂b = a² + 2ab
# and the mixed one ∂²e/∂a∂b = 2a + 2b
