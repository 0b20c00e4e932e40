"""How far JAX's operations are from exact, on a CPU.

The largest error in ULP in float32 and in float64, eager and compiled, on long arrays and short ones, with jax 0.10,
over 2^17 floats or more an operation and type (all binades, both signs, dense where the operation does something, and
around the worst found). Operations that are not here are correctly rounded.
"""

from __future__ import annotations

from actgen.numerics.emulation import Arithmetic

ARITHMETIC = Arithmetic(
    name="JAX on a CPU",
    flushes=True,
    errors={
        "exp": (5.6, 1.6),
        "expm1": (5.8, 4.4),
        "log": (1.2, 0.6),
        "log1p": (2.5, 129.0),
        "power": (0.9, 0.6),
        "sigmoid": (2.5, 2.5),
        "tanh": (6.2, 6.1),
        "sinh": (5.9, 4.7),
        "cosh": (2.9, 4.1),
        "asinh": (3.0, 2.6),
        "atan": (5.4, 3.5),
        "sin": (0.6, 0.6),
        "cos": (0.6, 0.6),
        "tan": (1.2, 0.6),
        "erf": (6.7, 1.2),
        "erfc": (64.7, 513.8),
    },
)
