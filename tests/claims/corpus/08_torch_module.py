import torch
import torch.nn as nn
import torch.nn.functional as F


class Tiny(nn.Module):
    """One hidden unit with fixed weights: the numbers in the comments are exact."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.5))
        self.v = nn.Parameter(torch.tensor(-2.0))

    def forward(self, x):
        h = F.relu(self.w * x)
        return self.v * h


net = Tiny()
x = torch.tensor(4.0, requires_grad=True)
y = net(x)
target = torch.tensor(-3.0)
loss = F.mse_loss(y, target)

# y = -4, so the loss is 1
# dloss/dy = 2(y - target) = -2
# dy/dx = -1
# dloss/dx = dloss/dy * dy/dx = -2 * -1 = 2
loss.backward()
print(x.grad)          # tensor(2.)
print(net.w.grad)      # tensor(16.)
print(net.v.grad)      # tensor(4.)

layer = nn.Linear(4, 1)
out = layer(torch.ones(4)).sum()
b = torch.randn(3)
s = (b ** 2).sum()
# ds/db = 2b
# ds/db = b
# ds/db = [0.5, 0.25, 1.5]
