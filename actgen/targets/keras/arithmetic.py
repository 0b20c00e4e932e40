"""How far the operations of Keras are from exact on the worst of its backends, on a CPU.

The largest error in ULP in float32 and in float64, eager and compiled by XLA, on long arrays and short ones, with keras
3.15 on TensorFlow 2.21, JAX 0.10 and PyTorch 2.13, over 2^17 floats or more an operation and type (all binades, both
signs, dense where the operation does something, and around the worst found). Operations that are not here are correctly
rounded.
"""

from __future__ import annotations

from actgen.numerics.emulation import Arithmetic

ARITHMETIC = Arithmetic(
    name="Keras on a CPU",
    flushes=True,
    errors={
        "exp": (5.6, 1.7),
        "expm1": (5.8, 4.4),
        "log": (3.1, 1.5),
        "log1p": (3.6, 129.0),
        "power": (3.7, 697.4),
        "sigmoid": (5.9, 2.5),
        "tanh": (6.2, 6.1),
        "sinh": (5.9, 4.7),
        "cosh": (3.8, 4.1),
        "asinh": (4.5, 2.9),
        "atan": (5.4, 3.5),
        "sin": (1.9, 0.6),
        "cos": (2.0, 0.6),
        "tan": (3.5, 1.8),
        "erf": (6.7, 3.1),
        "erfc": (64.7, 513.8),
    },
)
