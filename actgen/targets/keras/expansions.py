"""Operations that `keras.ops` does not do well enough, as the source of private functions for emitted modules.

Measured with keras 3.15 on the TensorFlow 2.21, JAX 0.10 and PyTorch 2.13 backends (errors in ULP of float32, eager
and compiled by XLA). A module gets only the functions it calls. Each has the reason in its docstring, for the reader
of the emitted code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Expansion:
    """A private function of emitted code that stands for an operation.

    Args:
        arity: how many operands it takes.
        source: the function, called `_` and the operation's name.
        uses: other expansions that the source calls.
    """

    arity: int
    source: str
    uses: tuple[str, ...] = ()


def sources(operations: Iterable[str]) -> list[str]:
    """Return the functions for these operations, and for what they use, in the table's order."""
    needed = set(operations)
    for name in list(needed):
        needed.update(EXPANSIONS[name].uses)
    return [expansion.source for name, expansion in EXPANSIONS.items() if name in needed]


EXPANSIONS: Mapping[str, Expansion] = {
    "sign": Expansion(
        1,
        '''\
def _sign(a):
    """The sign of a; NaN for NaN, where the PyTorch backend says 0."""
    return keras.ops.where(a == a, keras.ops.sign(a), a)''',
    ),
    "copysign": Expansion(
        2,
        '''\
def _copysign(a, b):
    """The magnitude of a with the sign of b; keras.ops has no copysign."""
    magnitude = keras.ops.abs(a)
    return keras.ops.where(keras.ops.signbit(b), -magnitude, magnitude)''',
    ),
    "maximum": Expansion(
        2,
        '''\
def _maximum(a, b):
    """The larger of a and b, NaN if either is; keras.ops.maximum is float32 on PyTorch."""
    return keras.ops.where((a > b) | (a != a), a, b)''',
    ),
    "minimum": Expansion(
        2,
        '''\
def _minimum(a, b):
    """The smaller of a and b, NaN if either is; keras.ops.minimum is float32 on PyTorch."""
    return keras.ops.where((a < b) | (a != a), a, b)''',
    ),
    "floor": Expansion(
        1,
        '''\
def _floor(a):
    """The floor of a; keras.ops.floor makes float64 float32 on JAX and PyTorch, and inf // 1 is NaN."""
    return keras.ops.where(keras.ops.abs(a) < 2.0**52, a // 1, a)''',
    ),
    "tanh": Expansion(
        1,
        '''\
def _tanh(a):
    """tanh within 3 ULP: XLA's and TensorFlow's are off by 4.3, and float32 for float64 on JAX."""
    if keras.backend.backend() == "torch":
        return keras.ops.tanh(a)
    magnitude = keras.ops.abs(a)
    t = keras.ops.exp(-2.0 * magnitude)
    numerator = keras.ops.where(magnitude < 0.5, -keras.ops.expm1(-2.0 * magnitude), 1.0 - t)
    return _copysign(numerator / (1.0 + t), a)''',
        uses=("copysign",),
    ),
    "sinh": Expansion(
        1,
        '''\
def _sinh(a):
    """sinh to the end of the range; PyTorch's overflows early, XLA's is off by 24 ULP or is float32."""
    magnitude = keras.ops.abs(a)
    e, half = keras.ops.expm1(magnitude), keras.ops.exp(0.5 * magnitude)
    small, large = 0.5 * (e + e / (e + 1.0)), (0.5 * half) * half - (0.5 / half) / half
    return _copysign(keras.ops.where(magnitude < 1.0, small, large), a)''',
        uses=("copysign",),
    ),
    "cosh": Expansion(
        1,
        '''\
def _cosh(a):
    """cosh to the end of the range; PyTorch's overflows early, XLA's is off by 24 ULP or is float32."""
    half = keras.ops.exp(0.5 * keras.ops.abs(a))
    return (0.5 * half) * half + (0.5 / half) / half''',
    ),
    "asinh": Expansion(
        1,
        '''\
def _asinh(a):
    """asinh from log1p; keras.ops.arcsinh makes float64 float32 on JAX."""
    magnitude = keras.ops.abs(a)
    m = keras.ops.where(magnitude < 2.0**28, magnitude, 2.0**28)  # its square cannot overflow
    small = keras.ops.log1p(m + m * m / (1.0 + keras.ops.sqrt(1.0 + m * m)))
    large = keras.ops.log(magnitude) + 0.6931471805599453  # log(2)
    return _copysign(keras.ops.where(magnitude >= 2.0**28, large, small + 0.0 * a), a)''',
        uses=("copysign",),
    ),
    "atan": Expansion(
        1,
        '''\
def _atan(a):
    """arctan; keras.ops.arctan makes float64 float32 on JAX, but the logarithm of 1 + ia it keeps."""
    if keras.backend.backend() != "jax" or keras.backend.standardize_dtype(a.dtype) != "float64":
        return keras.ops.arctan(a)
    finite = keras.ops.clip(a, -1e300, 1e300)
    return keras.ops.imag(keras.ops.log(keras.ops.cast(finite, "complex128") * 1j + 1.0))''',
    ),
    "sin": Expansion(
        1,
        '''\
def _sin(a):
    """sin; keras.ops.sin makes float64 float32 on JAX, but exp(ia) it keeps."""
    if keras.backend.backend() != "jax" or keras.backend.standardize_dtype(a.dtype) != "float64":
        return keras.ops.sin(a)
    return keras.ops.imag(keras.ops.exp(keras.ops.cast(a, "complex128") * 1j))''',
    ),
    "cos": Expansion(
        1,
        '''\
def _cos(a):
    """cos; keras.ops.cos makes float64 float32 on JAX, but exp(ia) it keeps."""
    if keras.backend.backend() != "jax" or keras.backend.standardize_dtype(a.dtype) != "float64":
        return keras.ops.cos(a)
    return keras.ops.real(keras.ops.exp(keras.ops.cast(a, "complex128") * 1j))''',
    ),
    "tan": Expansion(
        1,
        '''\
def _tan(a):
    """tan as sin / cos; keras.ops.tan makes float64 float32 on JAX."""
    return _sin(a) / _cos(a)''',
        uses=("sin", "cos"),
    ),
    "erf": Expansion(
        1,
        '''\
def _erf(a):
    """erf, 1 from 6 on; TensorFlow's is NaN at infinities in float64."""
    return keras.ops.erf(keras.ops.clip(a, -6.0, 6.0))''',
    ),
}
"""Every operation that is a private function in emitted Keras code."""
