"""Notes on jax.grad; the values in the comments were worked out on paper."""
import jax
import jax.numpy as jnp
from jax import grad


def f(x):
    return x ** 3 + 2 * x


def g(x, y):
    return x * y ** 2


# f'(x) = 3x² + 2
# f'(x) = 3x²
# f'(2) = 3*4 + 2 = 14
# f'(-1) = 3 - 2 = 1
print(grad(f)(2.0))  # 14.0
print(grad(g)(2.0, 3.0))  # 9.0
print(grad(g, argnums=1)(2.0, 3.0))  # 6.0

x = 2.0
y = 3.0
h = g(x, y)
# dh/dx = y^2 = 9
# dh/dy = 2xy = 12

s = jnp.tanh(x * y / 6)
# ds/dx = (1 - s^2) * y/6 = 0.21
# ds/dy = (1 - s^2) * x/6 = 0.41
