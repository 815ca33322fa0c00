"""A small engine with three mistakes, as the conftest of the sample report's run."""

from __future__ import annotations

import math

import gradverify


class Value:
    """A number, and for each operand the slope towards it."""

    def __init__(self, data, slopes=()):
        self.data, self.slopes, self.grad = data, slopes, 0.0

    def __neg__(self):
        return Value(-self.data, [(self, -1.0)])

    def __add__(self, y):
        return Value(self.data + y.data, [(self, 1.0), (y, 1.0)])

    def __sub__(self, y):
        return Value(self.data - y.data, [(self, 1.0), (y, -1.0)])

    def __mul__(self, y):  # a mistake: ∂(x·y)/∂x is y
        return Value(self.data * y.data, [(self, 1.0), (y, self.data)])

    def exp(self):  # a mistake in the ninth digit
        e = math.exp(self.data)
        return Value(e, [(self, e * (1 + 1e-9))])

    def sin(self):
        return Value(math.sin(self.data), [(self, math.cos(self.data))])

    def tanh(self):  # right, and loses digits where y is near 1
        y = math.tanh(self.data)
        return Value(y, [(self, 1 - y * y)])

    def relu(self):
        return Value(max(self.data, 0.0), [(self, float(self.data > 0))])

    def maximum(self, y):  # a mistake where both are equal: each gets all of it
        x = self.data
        slopes = [(self, float(x >= y.data)), (y, float(y.data >= x))]
        return Value(max(x, y.data), slopes)

    def backward(self, cotangent=1.0):
        """Add the gradient of this number to every number that it came from."""
        order, seen = [], set()

        def visit(value):
            if id(value) not in seen:
                seen.add(id(value))
                for operand, _ in value.slopes:
                    visit(operand)
                order.append(value)

        visit(self)
        self.grad = cotangent
        for value in reversed(order):
            for operand, slope in value.slopes:
                operand.grad += slope * value.grad


@gradverify.register
class Sketch(gradverify.Differentiator):
    """The engine, as gradverify sees it."""

    name = "sketch"
    accepts = gradverify.Accepts(ranks=range(1), literals=False, data=False)
    table = gradverify.operators("neg add sub mul") | {
        "exp": Value.exp,
        "sin": Value.sin,
        "tanh": Value.tanh,
        "relu": Value.relu,
        "maximum": Value.maximum,
    }

    @gradverify.mode("gradient", default=True)
    def reverse(self, function, point):
        """One sweep from the output."""
        return self.pullback(function, point, 1.0)

    @gradverify.mode("vjp")
    def pullback(self, function, point, cotangent):
        """One sweep from the output, which begins with a cotangent."""
        inputs = [Value(float(x)) for x in point]
        output = function(*inputs)
        output.backward(float(cotangent))
        return gradverify.Pulled(output.data, [x.grad for x in inputs])
