"""How far PyTorch's operations are from exact, on a CPU.

The largest error in ULP in float32 and in float64, eager (vectorised, strided, a few elements at a time) and compiled
(with and without vectors), with torch 2.13, over 2^18 floats an operation and type: all binades, both signs, dense
where the operation does something, and around the worst found. Results in the last binade are not counted (sinh and
cosh overflow early there), nor powers with exponents beyond 10. What is not here is correctly rounded.

PyTorch keeps subnormal numbers, but a kernel may not rely on it: its sigmoid is 1 / (1 + inf) = 0 below -88.7, and
torch.set_flush_denormal and GPUs flush the rest.
"""

from __future__ import annotations

from actgen.numerics.emulation import Arithmetic

ARITHMETIC = Arithmetic(
    name="PyTorch on a CPU",
    flushes=True,
    keeps=True,
    errors={
        "sqrt": (0.6, 0.8),
        "exp": (1.0, 0.9),
        "expm1": (1.7, 2.4),
        "log": (0.9, 0.8),
        "log1p": (1.2, 1.0),
        "power": (0.6, 0.7),
        "sigmoid": (2.5, 2.5),
        "tanh": (1.6, 2.2),
        "sinh": (1.8, 1.8),
        "cosh": (1.0, 1.0),
        "asinh": (1.6, 1.7),
        "atan": (0.9, 0.9),
        "sin": (2.1, 0.8),
        "cos": (2.1, 0.8),
        "tan": (1.2, 1.0),
        "erf": (1.4, 1.2),
        "erfc": (3.1, 4.0),
    },
)
