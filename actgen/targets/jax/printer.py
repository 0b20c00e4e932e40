"""How JAX writes each operation. Python numbers are weakly typed there: they take the type of what they meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from actgen.numerics.kernel import Call
from actgen.targets.forms import ARITHMETIC, Form, Precedence, call
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
    "sqrt": call("jnp.sqrt", tensors=(0,)),
    "exp": call("jnp.exp", tensors=(0,)),
    "expm1": call("jnp.expm1", tensors=(0,)),
    "log": call("jnp.log", tensors=(0,)),
    "log1p": call("jnp.log1p", tensors=(0,)),
    "power": Form("{0} ** {1}", Precedence.POWER, (Precedence.ATOM, Precedence.UNARY), tensors=(0, 1)),
    "sigmoid": call("jax.nn.sigmoid", tensors=(0,)),
    "tanh": call("_tanh", tensors=(0,)),
    "sinh": call("_sinh", tensors=(0,)),
    "cosh": call("_cosh", tensors=(0,)),
    "asinh": call("jnp.arcsinh", tensors=(0,)),
    "atan": call("jnp.arctan", tensors=(0,)),
    "sin": call("jnp.sin", tensors=(0,)),
    "cos": call("jnp.cos", tensors=(0,)),
    "tan": call("jnp.tan", tensors=(0,)),
    "erf": call("jax.lax.erf", tensors=(0,)),
    "erfc": call("jax.lax.erfc", tensors=(0,)),
    "select": call("jnp.where", 3, tensors=(1, 2)),
}

EXPANSIONS: Mapping[str, str] = {
    "tanh": '''\
def _tanh(a: Array) -> Array:
    """tanh from expm1, within 3.3 ULP; XLA's own is off by 4.3 on a CPU."""
    e = jnp.expm1(-2.0 * jnp.abs(a))
    return jnp.copysign(e / (2.0 + e), a)  # without the minus sign of e''',
    "sinh": '''\
def _sinh(a: Array) -> Array:
    """sinh, within 4 ULP to the end of the range; jnp.sinh is off by up to 24."""
    magnitude = jnp.abs(a)
    e, half = jnp.expm1(magnitude), jnp.exp(0.5 * magnitude)
    small, large = 0.5 * (e + e / (e + 1.0)), (0.5 * half) * half - (0.5 / half) / half
    return jnp.copysign(jnp.where(magnitude < 1.0, small, large), a)''',
    "cosh": '''\
def _cosh(a: Array) -> Array:
    """cosh, within 3 ULP to the end of the range; jnp.cosh is off by up to 24."""
    half = jnp.exp(0.5 * jnp.abs(a))
    return (0.5 * half) * half + (0.5 / half) / half''',
}
"""Operations that are a private function in emitted JAX code, with their source."""


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
        if node.operation in EXPANSIONS:
            self.expansions.add(node.operation)
        return super().write(node, operands, like)

    def sources(self) -> list[str]:
        """Return the private functions that what was printed calls."""
        return [source for name, source in EXPANSIONS.items() if name in self.expansions]
