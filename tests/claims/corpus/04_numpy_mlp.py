# A two-layer network in NumPy with a backward pass written by hand.
import numpy as np

np.random.seed(0)
X = np.random.randn(4, 3)
t = np.random.randn(4, 2)
W1 = np.random.randn(3, 5) * 0.1
b1 = np.zeros(5)
W2 = np.random.randn(5, 2) * 0.1
b2 = np.zeros(2)

# forward
z1 = X @ W1 + b1
h = np.tanh(z1)
y = h @ W2 + b2
loss = np.sum((y - t) ** 2)

# backward
dy = 2 * (y - t)
dW2 = h.T @ dy
db2 = dy.sum(axis=0)
dh = dy @ W2.T
dz1 = dh * (1 + h ** 2)
dW1 = X.T @ dz1
db1 = dz1.sum(axis=0)

learning_rate = 0.01
W1 -= learning_rate * dW1
W2 -= learning_rate * dW2
