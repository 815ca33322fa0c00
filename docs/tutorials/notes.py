a, b = 2, 3
c = a + b
d = a * b
e = c * d

# ∂e/∂a = d + c = 6 + 5 = 11
