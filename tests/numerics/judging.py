"""What the tests of the numerics room share: kernels run in emulation, and their errors against the exact value."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from actgen.numerics import contract, emulation
from actgen.numerics.choice import Judgement, choose_kernel
from actgen.numerics.judge import Judge
from actgen.numerics.kernel import Kernel, Node, Variable
from actgen.numerics.lowering import lower
from actgen.numerics.oracle import Floats, Oracle
from actgen.symbolic.derivatives import differentiate
from tests.symbolic.reading import formula, x

X = Variable("x")
KNOWN: dict[sp.Basic, Node] = {x: X}


def kernel_of(expression: sp.Expr) -> Kernel:
    """The kernel that computes an expression as it stands."""
    return Kernel(lower(expression, KNOWN))


def run(kernel: Kernel, points: Iterable[float], dtype: str = "float32") -> NDArray[np.floating]:
    """What a kernel gives at points, in emulated arithmetic."""
    values = np.array(list(points), dtype=np.float64)
    return np.broadcast_to(emulation.run(kernel, {"x": values}, dtype), values.shape)


def errors(kernel: Kernel, expression: sp.Expr, points: Iterable[float], dtype: str = "float32") -> contract.Errors:
    """Errors of a kernel at points, rounded to the type first, against an expression."""
    places = np.array(list(points), dtype=dtype).astype(np.float64)
    slopes = Oracle(differentiate(expression, x), x, bits=20)

    def slope(some: Floats) -> Floats:
        return np.abs(slopes(some, {}).high)

    return contract.errors(places, run(kernel, places, dtype), Oracle(expression, x)(places, {}), slope)


@cache
def chosen(text: str, derivative: int = 0) -> tuple[Judge, Kernel, Judgement]:
    """The kernel chosen for a formula without parameters, or for a derivative of it."""
    expression = formula(text)
    for _ in range(derivative):
        expression = differentiate(expression, x)
    judge = Judge(expression, x, (), [{}])
    return (judge, *choose_kernel(judge, KNOWN))
