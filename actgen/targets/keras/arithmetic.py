"""How far the operations of Keras, and the printer's private functions, are from exact on the worst of its backends.

The largest error in ULP in float32 and in float64 on a CPU, eager and compiled by XLA, on long arrays and short ones,
with keras 3.15, over 2^18 floats an operation and type on TensorFlow 2.21 and 2^16 on JAX 0.10 and PyTorch 2.13: all
binades, both signs, dense where the operation does something, and around the worst found. Results in the last binade
are not counted (exp is off by 5.6 there), nor powers with exponents beyond 10 (TensorFlow's are off by 14 ULP in
float64 up to 50 and by 700 further out). What is not here is correctly rounded; subnormal operands and results are
flushed, except on PyTorch.
"""

from __future__ import annotations

from actgen.numerics.emulation import Arithmetic

ARITHMETIC = Arithmetic(
    name="Keras on a CPU",
    flushes=True,
    contracts=True,
    errors={
        "sqrt": (0.6, 0.8),
        "exp": (1.3, 1.6),
        "expm1": (2.2, 3.3),
        "log": (3.3, 1.6),
        "log1p": (3.6, 1.7),
        "power": (1.4, 3.4),
        "sigmoid": (2.5, 2.5),
        "tanh": (1.6, 1.6),
        "sinh": (3.3, 3.1),
        "cosh": (2.8, 3.1),
        "asinh": (4.3, 2.2),
        "atan": (2.4, 3.9),
        "sin": (2.1, 0.6),
        "cos": (2.3, 0.6),
        "tan": (3.8, 1.9),
        "erf": (1.4, 3.1),
        "erfc": (65.4, 513.0),
    },
    lopsided=frozenset({"erf"}),  # TensorFlow's, in float64
)
