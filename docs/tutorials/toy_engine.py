import math

import gradverify


class Dual:
    def __init__(self, x, dx):
        self.x, self.dx = x, dx

    def __add__(self, y):
        return Dual(self.x + y.x, self.dx + y.dx)

    def __mul__(self, y):
        return Dual(self.x * y.x, self.x * y.dx)

    def sin(self):
        return Dual(math.sin(self.x), math.cos(self.x) * self.dx)


@gradverify.register
class Toy(gradverify.Differentiator):
    name = "toy"
    accepts = gradverify.Accepts(ranks=range(1), literals=False, data=False)
    table = gradverify.operators("add mul") | {"sin": Dual.sin}

    @gradverify.mode("jvp")
    def forward(self, function, point, tangents):
        pairs = zip(point, tangents, strict=True)
        y = function(*(Dual(float(x), float(dx)) for x, dx in pairs))
        return gradverify.Pushed(y.x, y.dx)
