"""Logistic regression on one sample; every number by hand.

x = (1, 2), w = (0.5, -0.25), b = 0, target 1, so z = 0 and p = 0.5.
"""
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


x = np.array([1.0, 2.0])
w = np.array([0.5, -0.25])
b = 0.0
t = 1.0

z = w @ x + b
p = sigmoid(z)
loss = -(t * np.log(p) + (1 - t) * np.log(1 - p))

# dloss/dp = -1/p = -2
# dp/dz = p(1-p) = 0.25
# dloss/dz = dloss/dp * dp/dz = -2 * 0.25 = -0.5
# which is the well-known dloss/dz = p - t = -0.5
# dloss/db = dloss/dz = 0.5

dz = p - t
dw = dz * x
db = dz
dx = dz * x

# gradient of loss wrt w: [-0.5, -1.0]
# gradient of loss wrt b: -0.5


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))
