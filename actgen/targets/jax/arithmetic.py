"""How far JAX's operations, and the private functions of the printer, are from exact, on a CPU.

The largest error in ULP in float32 and in float64, eager and compiled, on long arrays and short ones, with jax 0.10,
over 2^18 floats an operation and type: all binades, both signs, dense where the operation does something, and around
the worst found. Results in the last binade are not counted (exp is off by 5.6 there), nor powers with exponents beyond
10. What is not here is correctly rounded; subnormal operands and results are flushed.
"""

from __future__ import annotations

from actgen.numerics.emulation import Arithmetic

ARITHMETIC = Arithmetic(
    name="JAX on a CPU",
    flushes=True,
    contracts=True,
    errors={
        "exp": (1.1, 1.6),
        "expm1": (1.8, 2.4),
        "log": (1.2, 0.6),
        "log1p": (1.7, 1.5),
        "power": (0.6, 0.6),
        "sigmoid": (2.5, 2.5),
        "tanh": (1.6, 1.7),
        "sinh": (3.3, 3.4),
        "cosh": (2.7, 3.2),
        "asinh": (3.1, 2.6),
        "atan": (2.4, 3.5),
        "sin": (0.6, 0.6),
        "cos": (0.6, 0.6),
        "tan": (1.2, 0.6),
        "erf": (1.4, 1.3),
        "erfc": (7.7, 10.0),
    },
)
