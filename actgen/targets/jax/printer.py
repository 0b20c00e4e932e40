"""How JAX writes each operation. Python numbers are weakly typed there: they take the type of what they meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from actgen.numerics.kernel import Call
from actgen.targets.forms import ARITHMETIC, Form, Precedence, call
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
from actgen.targets.statements import Piece, Printer

FORMS: Mapping[str, Form] = {
    **ARITHMETIC,
    "absolute": call("jnp.abs", tensors=(0,)),
    "sign": call("jnp.sign", tensors=(0,)),
    "copysign": call("jnp.copysign", 2, tensors=(0, 1)),
    "square": call("jnp.square", tensors=(0,)),
    "maximum": call("jnp.maximum", 2, tensors=(0, 1)),
    "minimum": call("jnp.minimum", 2, tensors=(0, 1)),
    "clamp": call("jnp.clip", 3, tensors=(0,)),
    "floor": call("jnp.floor", tensors=(0,)),
    "head": call("_head", tensors=(0,)),
    "binade": call("_binade", tensors=(0,)),
    "sqrt": call("jnp.sqrt", tensors=(0,)),
    "exp": call("jnp.exp", tensors=(0,)),
    "expm1": call("_expm1", tensors=(0,)),
    "log": call("jnp.log", tensors=(0,)),
    "log1p": call("_log1p", tensors=(0,)),
    "log1p_near": call("_log1p_near", tensors=(0,)),
    "power": Form("{0} ** {1}", Precedence.POWER, (Precedence.ATOM, Precedence.UNARY), tensors=(0, 1)),
    "sigmoid": call("jax.nn.sigmoid", tensors=(0,)),
    "tanh": call("_tanh", tensors=(0,)),
    "sinh": call("_sinh", tensors=(0,)),
    "cosh": call("_cosh", tensors=(0,)),
    "asinh": call("jnp.arcsinh", tensors=(0,)),
    "atan": call("_atan", tensors=(0,)),
    "sin": call("jnp.sin", tensors=(0,)),
    "cos": call("jnp.cos", tensors=(0,)),
    "tan": call("jnp.tan", tensors=(0,)),
    "erf": call("_erf", tensors=(0,)),
    "erfc": call("_erfc", tensors=(0,)),
    "select": call("jnp.where", 3, tensors=(1, 2)),
}

EXPANSIONS: Mapping[str, str] = {
    "head": '''\
def _head(a: Array) -> Array:
    """a in half its digits, so that the product of two such numbers is exact; no compiler sees through it."""
    return jax.lax.reduce_precision(a, *((11, 25) if a.dtype == jnp.float64 else (8, 11)))''',
    "binade": '''\
def _binade(a: Array) -> Array:
    """The largest power of 2 that is not above the size of a; no compiler sees through it."""
    size = jnp.abs(a)
    held = jnp.where(size > 1.0, 0.5 * size, size)  # the largest would be rounded to infinity
    power = jax.lax.reduce_precision(held, 11 if a.dtype == jnp.float64 else 8, 0)
    power = jnp.where(power > held, 0.5 * power, power)
    power = jnp.where(size > 1.0, 2.0 * power, power)
    return jnp.where(size < jnp.inf, power, jnp.inf)''',
    "expm1": f'''\
def _expm1(a: Array) -> Array:
    """expm1, within 2.4 ULP: in float32 a polynomial near 0; XLA's is off by 5.8.

    In float64 it is (u - 1) a / log(u) with u = exp(a): what u is off by cancels.
    """
    e = jnp.exp(a)
    if a.dtype != jnp.float64:
        near = jnp.clip(a, -0.5, 0.5)
{EXPM1_SINGLE.statements("p", "near", 8)}
        return jnp.where(jnp.abs(a) < 0.5, near * (1.0 + near * p), e - 1.0)
    u = jnp.clip(e, 2.0**-100, 2.0**100)  # XLA takes log(exp(a)) for a
    growth = (u - 1.0) * (a / jnp.log(jnp.where(u == 1.0, 2.0, u)))
    return jnp.where(jnp.abs(a) < 30.0, jnp.where(u == 1.0, a, growth), e - 1.0)''',
    "log1p": '''\
def _log1p(a: Array) -> Array:
    """log1p as log(1 + a) and what the sum rounds off, within 1.7 ULP; XLA's is off by 129 in float64."""
    u = jnp.maximum(1.0 + a, -1.0)  # XLA takes (1 + a) - 1 for a
    lost = (a - (u - 1.0)) / jnp.maximum(u, 0.25)
    return jnp.where((u == 1.0) | (u == jnp.inf), a, jnp.log(u) + lost)''',
    "log1p_near": f'''\
def _log1p_near(a: Array) -> Array:
    """log1p of numbers from -1/2 to 1, within 1.4 ULP: 2 atanh(z) of z = a / (2 + a)."""
    z = a / (2.0 + a)
    s = z * z
    if a.dtype == jnp.float64:
{LOG1P_DOUBLE.statements("p", "s", 8)}
    else:
{LOG1P_SINGLE.statements("p", "s", 8)}
    half = 0.5 * a * a
    return a - (half - z * (half + s * p))''',
    "tanh": f'''\
def _tanh(a: Array) -> Array:
    """tanh, within 1.7 ULP: a polynomial near 0; XLA's own is off by 6.5 in float64."""
    near = jnp.clip(a, -0.625, 0.625)
    s = near * near
    if a.dtype == jnp.float64:
{TANH_DOUBLE.statements("p", "s", 8)}
    else:
{TANH_SINGLE.statements("p", "s", 8)}
    t = jnp.exp(-2.0 * jnp.abs(a))
    far = jnp.copysign((1.0 - t) / (1.0 + t), a)
    return jnp.where(jnp.abs(a) < 0.625, near * (1.0 + s * p), far)''',
    "sinh": '''\
def _sinh(a: Array) -> Array:
    """sinh, within 3.4 ULP to the end of the range; jnp.sinh is off by up to 500."""
    magnitude = jnp.abs(a)
    half = 1.3591409142295225 * jnp.exp(magnitude - 1.0)  # e/2
    e = _expm1(jnp.minimum(magnitude, 1.0))
    small, large = 0.5 * (e + e / (e + 1.0)), half - 0.25 / half
    return jnp.copysign(jnp.where(magnitude < 1.0, small, large), a)''',
    "cosh": '''\
def _cosh(a: Array) -> Array:
    """cosh, within 3.2 ULP to the end of the range; jnp.cosh is off by up to 500."""
    half = 1.3591409142295225 * jnp.exp(jnp.abs(a) - 1.0)  # e/2
    return half + 0.25 / half''',
    "atan": f'''\
def _atan(a: Array) -> Array:
    """The arc tangent: in float32 a polynomial, of 1 / |a| beyond 1, within 2.4 ULP; XLA's is off by 5.4."""
    if a.dtype == jnp.float64:
        return jnp.arctan(a)
    is_large = jnp.abs(a) > 1.0
    z = jnp.where(is_large, 1.0 / jnp.where(is_large, a, 1.0), a)
    s = z * z
{ATAN_SINGLE.statements("p", "s")}
    small = z * (1.0 + s * p)
    return jnp.where(is_large, jnp.copysign(1.5707963267948966, a) - small, small)''',
    "erf": f'''\
def _erf(a: Array) -> Array:
    """erf, within 1.4 ULP: in float32 a polynomial near 0, further out 1 - exp of one; XLA's own is off by 6.7."""
    if a.dtype == jnp.float64:
        return jax.lax.erf(a)
    near, far = jnp.clip(a, -0.9375, 0.9375), jnp.clip(jnp.abs(a), 0.9375, 4.0)
    s = near * near
{ERF_NEAR_SINGLE.statements("p", "s")}
{ERF_FAR_SINGLE.statements("q", "far")}
    small = jnp.where(jnp.abs(a) < 2.0**-60, 1.1283791670955126 * a, near + near * p)  # or else the product underflows
    return jnp.where(jnp.abs(a) < 0.9375, small, jnp.copysign(1.0 - jnp.exp(-far * q), a))''',
    "erfc": '''\
def _erfc(a: Array) -> Array:
    """erfc, times exp of what a * a is rounded by in XLA's: within 10 ULP, not 513."""
    tail = jnp.clip(a, 0.0, 30.0)
    head = jnp.floor(256.0 * tail) / 256.0  # its square is exact
    excess = jnp.minimum(tail * tail, 900.0) - head * head - (tail - head) * (tail + head)
    return jax.lax.erfc(a) * (1.0 + excess)''',
}
"""Operations that are a private function in emitted JAX code, with their source."""

USES: Mapping[str, tuple[str, ...]] = {"sinh": ("expm1",)}
"""Private functions that others call."""


class JaxPrinter(Printer):
    """Prints kernels for JAX, and remembers which private functions they call.

    Args:
        reserved: names that steps must not take.
    """

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        super().__init__(FORMS, "jnp", {"jax", "jnp", *reserved})
        self.expansions: set[str] = set()

    def tensor(self, literal: str, like: str) -> str:
        """Return an array of the type of a variable, weak where that is weak."""
        return f"jnp.full_like({like}, {literal})"

    def write(self, node: Call, operands: tuple[Piece, ...], like: str) -> Piece:
        """Return the text of a call."""
        row = self.row(node)
        if row in EXPANSIONS:
            self.expansions.update((row, *USES.get(row, ())))
        return super().write(node, operands, like)

    def sources(self) -> list[str]:
        """Return the private functions that what was printed calls."""
        return [source for name, source in EXPANSIONS.items() if name in self.expansions]
