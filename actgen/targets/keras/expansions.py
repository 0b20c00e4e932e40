"""Operations that `keras.ops` does not do well enough, as the source of private functions for emitted modules.

Measured with keras 3.15 on the TensorFlow 2.21, JAX 0.10 and PyTorch 2.13 backends (errors in ULP of float32, eager
and compiled by XLA). A module gets only the functions it calls. Each has the reason in its docstring, for the reader
of the emitted code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from actgen.targets.polynomials import (
    ATAN_SINGLE,
    ERF_FAR_SINGLE,
    ERF_NEAR_SINGLE,
    EXPM1_SINGLE,
    LOG1P_DOUBLE,
    LOG1P_SINGLE,
    TANH_DOUBLE,
    TANH_SINGLE,
)


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
    needed, further = set(), set(operations)
    while further:
        needed |= further
        further = {used for name in further for used in EXPANSIONS[name].uses} - needed
    return [expansion.source for name, expansion in EXPANSIONS.items() if name in needed]


EXPANSIONS: Mapping[str, Expansion] = {
    "sign": Expansion(
        1,
        '''\
def _sign(a):
    """The sign of a; TensorFlow's of a subnormal number is its size, and the PyTorch backend's of NaN is 0."""
    return keras.ops.where(a > 0.0, 1.0, keras.ops.where(a < 0.0, -1.0, 0.0 * a))''',
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
    "head": Expansion(
        1,
        '''\
def _head(a):
    """a in half its digits, so that the product of two such numbers is exact (Veltkamp)."""
    is_double = keras.backend.standardize_dtype(a.dtype) == "float64"
    scaled = a * (2.0**27 + 1.0 if is_double else 2.0**12 + 1.0)
    scaled = keras.ops.where(a == a, scaled, a)  # or else product and difference are fused
    return keras.ops.where(keras.ops.abs(a) < 2.0**100, scaled - (scaled - a), a)''',
    ),
    "binade": Expansion(
        1,
        '''\
def _binade(a):
    """The largest power of 2 that is not above the size of a: a rounded to one digit (Veltkamp), or half that."""
    is_double = keras.backend.standardize_dtype(a.dtype) == "float64"
    size = keras.ops.abs(a)
    is_large = size > 2.0**64
    held = keras.ops.where(is_large, size * 2.0**-64, size)
    scaled = held * (2.0**52 + 1.0 if is_double else 2.0**23 + 1.0)
    scaled = keras.ops.where(held == held, scaled, held)  # or else product and difference are fused
    rounded = scaled - (scaled - held)
    power = keras.ops.where(rounded > held, 0.5 * rounded, rounded)
    power = keras.ops.where(is_large, power * 2.0**64, power)
    return keras.ops.where(size < float("inf"), power, float("inf"))''',
    ),
    "expm1": Expansion(
        1,
        f'''\
def _expm1(a):
    """In float32 a polynomial near 0; XLA's is off by 5.8 ULP.

    In float64 it is (u - 1) a / log(u) with u = exp(a): what u is off by cancels.
    """
    if keras.backend.backend() == "torch":
        return keras.ops.expm1(a)
    e = keras.ops.exp(a)
    if keras.backend.standardize_dtype(a.dtype) != "float64":
        near = keras.ops.clip(a, -0.5, 0.5)
{EXPM1_SINGLE.statements("p", "near", 8)}
        return keras.ops.where(keras.ops.abs(a) < 0.5, near * (1.0 + near * p), e - 1.0)
    u = keras.ops.clip(e, 2.0**-100, 2.0**100)  # XLA takes log(exp(a)) for a
    logarithm = keras.ops.log(keras.ops.where(u == 1.0, 2.0, u))
    growth = keras.ops.where(u == 1.0, a, (u - 1.0) * (a / logarithm))
    return keras.ops.where(keras.ops.abs(a) < 30.0, growth, e - 1.0)''',
    ),
    "log1p": Expansion(
        1,
        '''\
def _log1p(a):
    """log(1 + a) and what the sum rounds off; XLA's is off by 129 ULP in float64."""
    if keras.backend.backend() == "torch":
        return keras.ops.log1p(a)
    u = keras.ops.where(a > -2.0, 1.0 + a, -1.0)  # XLA takes (1 + a) - 1 for a
    lost = (a - (u - 1.0)) / keras.ops.where(u > 0.25, u, 0.25)
    return keras.ops.where((u == 1.0) | (u == float("inf")), a, keras.ops.log(u) + lost)''',
    ),
    "log1p_near": Expansion(
        1,
        f'''\
def _log1p_near(a):
    """log1p of numbers from -1/2 to 1: 2 atanh(z) of z = a / (2 + a)."""
    if keras.backend.backend() == "torch":
        return keras.ops.log1p(a)
    z = a / (2.0 + a)
    s = z * z
    if keras.backend.standardize_dtype(a.dtype) == "float64":
{LOG1P_DOUBLE.statements("p", "s", 8)}
    else:
{LOG1P_SINGLE.statements("p", "s", 8)}
    half = 0.5 * a * a
    return a - (half - z * (half + s * p))''',
    ),
    "sigmoid": Expansion(
        1,
        '''\
def _sigmoid(a):
    """sigmoid from exp(-|a|); TensorFlow's is off by 6 ULP far below 0."""
    if keras.backend.backend() != "tensorflow":
        return keras.ops.sigmoid(a)
    t = keras.ops.exp(-keras.ops.abs(a))
    return keras.ops.where(a < 0.0, t, 1.0) / (1.0 + t)''',
    ),
    "tanh": Expansion(
        1,
        f'''\
def _tanh(a):
    """A polynomial near 0; XLA's is off by 6.5 ULP, or float32."""
    if keras.backend.backend() == "torch":
        return keras.ops.tanh(a)
    near = keras.ops.clip(a, -0.625, 0.625)
    s = near * near
    if keras.backend.standardize_dtype(a.dtype) == "float64":
{TANH_DOUBLE.statements("p", "s", 8)}
    else:
{TANH_SINGLE.statements("p", "s", 8)}
    t = keras.ops.exp(-2.0 * keras.ops.abs(a))
    far = (1.0 - t) / (1.0 + t)
    far = keras.ops.where(a < 0.0, -far, far)
    return keras.ops.where(keras.ops.abs(a) < 0.625, near * (1.0 + s * p), far)''',
    ),
    "sinh": Expansion(
        1,
        '''\
def _sinh(a):
    """sinh to the end of the range; PyTorch's overflows early, XLA's is off by 500 ULP or is float32."""
    magnitude = keras.ops.abs(a)
    half = 1.3591409142295225 * keras.ops.exp(magnitude - 1.0)  # e/2
    e = _expm1(keras.ops.clip(magnitude, 0.0, 1.0))
    small, large = 0.5 * (e + e / (e + 1.0)), half - 0.25 / half
    return _copysign(keras.ops.where(magnitude < 1.0, small, large), a)''',
        uses=("copysign", "expm1"),
    ),
    "cosh": Expansion(
        1,
        '''\
def _cosh(a):
    """cosh to the end of the range; PyTorch's overflows early, XLA's is off by 500 ULP or is float32."""
    half = 1.3591409142295225 * keras.ops.exp(keras.ops.abs(a) - 1.0)  # e/2
    return half + 0.25 / half''',
    ),
    "asinh": Expansion(
        1,
        '''\
def _asinh(a):
    """asinh from log1p; keras.ops.arcsinh makes float64 float32 on JAX."""
    magnitude = keras.ops.abs(a)
    m = keras.ops.where(magnitude < 2.0**28, magnitude, 2.0**28)  # its square cannot overflow
    small = _log1p(m + m * m / (1.0 + keras.ops.sqrt(1.0 + m * m)))
    large = keras.ops.log(magnitude) + 0.6931471805599453  # log(2)
    return _copysign(keras.ops.where(magnitude >= 2.0**28, large, small + 0.0 * a), a)''',
        uses=("copysign", "log1p"),
    ),
    "atan": Expansion(
        1,
        f'''\
def _atan(a):
    """In float32 a polynomial, of 1 / |a| beyond 1; XLA's is off by 5.4 ULP.

    keras.ops.arctan makes float64 float32 on JAX, but the logarithm of 1 + ia it keeps.
    """
    if keras.backend.standardize_dtype(a.dtype) == "float64" and keras.backend.backend() == "jax":
        finite = keras.ops.clip(a, -1e300, 1e300)
        return keras.ops.imag(keras.ops.log(keras.ops.cast(finite, "complex128") * 1j + 1.0))
    if keras.backend.standardize_dtype(a.dtype) == "float64" or keras.backend.backend() == "torch":
        return keras.ops.arctan(a)
    is_large = keras.ops.abs(a) > 1.0
    z = keras.ops.where(is_large, 1.0 / keras.ops.where(is_large, a, 1.0), a)
    s = z * z
{ATAN_SINGLE.statements("p", "s")}
    small = z * (1.0 + s * p)
    quarter = keras.ops.where(a < 0.0, -1.5707963267948966, 1.5707963267948966)
    return keras.ops.where(is_large, keras.ops.cast(quarter, a.dtype) - small, small)''',
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
        f'''\
def _erf(a):
    """In float32 a polynomial near 0, further out 1 - exp of one; XLA's is off by 6.7 ULP.

    In float64 it is 1 from 6 on: TensorFlow's is NaN at infinities.
    """
    if keras.backend.standardize_dtype(a.dtype) == "float64":
        return keras.ops.erf(keras.ops.clip(a, -6.0, 6.0))
    if keras.backend.backend() == "torch":
        return keras.ops.erf(a)
    near, far = keras.ops.clip(a, -0.9375, 0.9375), keras.ops.clip(keras.ops.abs(a), 0.9375, 4.0)
    s = near * near
{ERF_NEAR_SINGLE.statements("p", "s")}
{ERF_FAR_SINGLE.statements("q", "far")}
    rest = 1.0 - keras.ops.exp(-far * q)
    rest = keras.ops.where(a < 0.0, -rest, rest)
    small = keras.ops.where(keras.ops.abs(a) < 2.0**-60, 1.1283791670955126 * a, near + near * p)  # it underflows
    return keras.ops.where(keras.ops.abs(a) < 0.9375, small, rest)''',
    ),
    "erfc": Expansion(
        1,
        '''\
def _erfc(a):
    """erfc, times exp of what a * a is rounded by in JAX's: within 10 ULP, not 513."""
    if keras.backend.backend() != "jax":  # TensorFlow rounds it when compiled by XLA, and not when eager
        return keras.ops.erfc(a)
    tail = keras.ops.clip(a, 0.0, 30.0)
    head = _floor(256.0 * tail) / 256.0  # its square is exact
    square = keras.ops.where(tail < 30.0, tail * tail, 900.0)
    excess = square - head * head - (tail - head) * (tail + head)
    return keras.ops.erfc(a) * (1.0 + excess)''',
        uses=("floor",),
    ),
}
"""Every operation that is a private function in emitted Keras code."""
