"""The functions an expression may call, and the words that stand for something else.

What a function means is written here once, for the page `docs/spec-format.md` and for error messages; how it is
differentiated and computed is the business of the rooms to the right, which look it up by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MANY = 8
"""The most arguments that Max and Min take."""


@dataclass(frozen=True)
class FunctionEntry:
    """A function of the vocabulary: its name, the least and most arguments it takes, and what it is."""

    name: str
    arity: tuple[int, int]
    meaning: str

    def takes(self, count: int) -> bool:
        """Whether the function can be called with `count` arguments."""
        return self.arity[0] <= count <= self.arity[1]

    @property
    def arguments(self) -> str:
        """How many arguments the function takes, in words."""
        low, high = self.arity
        if low != high:
            return f"{low} to {high} arguments"
        return "1 argument" if low == 1 else f"{low} arguments"


FUNCTIONS: Mapping[str, FunctionEntry] = MappingProxyType(
    {
        name: FunctionEntry(name, arity, meaning)
        for name, arity, meaning in (
            ("exp", (1, 1), "e to the power u; `E**u` is read as this too"),
            ("expm1", (1, 1), "exp(u) - 1"),
            ("log", (1, 1), "natural logarithm of u"),
            ("log1p", (1, 1), "log(1 + u)"),
            ("sqrt", (1, 1), "square root of u, u >= 0"),
            ("sin", (1, 1), "sine of u, in radians"),
            ("cos", (1, 1), "cosine of u, in radians"),
            ("tan", (1, 1), "tangent of u, in radians"),
            ("sinh", (1, 1), "hyperbolic sine, (exp(u) - exp(-u)) / 2"),
            ("cosh", (1, 1), "hyperbolic cosine, (exp(u) + exp(-u)) / 2"),
            ("tanh", (1, 1), "hyperbolic tangent, sinh(u) / cosh(u)"),
            ("sech", (1, 1), "hyperbolic secant, 1 / cosh(u)"),
            ("asinh", (1, 1), "inverse hyperbolic sine, log(u + sqrt(u**2 + 1))"),
            ("atan", (1, 1), "inverse tangent, between -pi/2 and pi/2"),
            ("erf", (1, 1), "error function, 2/sqrt(pi) times the integral of exp(-s**2) for s from 0 to u"),
            ("erfc", (1, 1), "1 - erf(u)"),
            (
                "normal_cdf",
                (1, 1),
                "distribution function of the standard normal distribution, (1 + erf(u/sqrt(2))) / 2",
            ),
            ("normal_pdf", (1, 1), "density of the standard normal distribution, exp(-u**2/2) / sqrt(2*pi)"),
            ("sigmoid", (1, 1), "logistic function, 1 / (1 + exp(-u))"),
            ("softplus", (1, 1), "log(1 + exp(u))"),
            ("relu", (1, 1), "Max(0, u)"),
            ("Abs", (1, 1), "absolute value of u; slope 0 where u = 0"),
            ("sign", (1, 1), "-1 for u < 0, 0 for u = 0, 1 for u > 0; slope 0 everywhere"),
            ("Max", (2, MANY), "the largest argument; where arguments tie, the kink rule says whose slope counts"),
            ("Min", (2, MANY), "the smallest argument; where arguments tie, the kink rule says whose slope counts"),
            (
                "clip",
                (3, 3),
                "clip(u, lo, hi): u, but at least lo and at most hi; the bounds own the points where they meet u",
            ),
            ("floor", (1, 1), "the largest integer that is not above u; slope 0 everywhere"),
            ("Heaviside", (1, 1), "1 for u > 0, else 0; slope 0 everywhere"),
        )
    }
)

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "abs": "Abs",
        "max": "Max",
        "min": "Min",
        "ln": "log",
        "arctan": "atan",
        "arcsinh": "asinh",
    }
)
"""Other spellings of functions; the parser replaces them."""

CONSTANTS: Mapping[str, str] = MappingProxyType(
    {
        "pi": "3.14159..., the ratio of a circle's circumference to its diameter",
        "E": "2.71828..., the base of the natural logarithm",
    }
)

INPUT = "x"
"""The name of the input of an elementwise activation."""

AXISWISE = ("Sum", "Mean")
"""Names that reduce over an axis, for `kind = "axiswise"` only."""

REDUCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "Sum": "sum of u over the axis",
        "Mean": "Sum(u) divided by the length of the axis",
        "Max": "largest u on the axis; where several are largest, they share its slope evenly",
        "Min": "smallest u on the axis; where several are smallest, they share its slope evenly",
    }
)
"""The functions of one argument that reduce over the axis of an axis-wise activation."""

REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "arcsin": "no inverse sine is defined; it exists only between -1 and 1",
        "acosh": "no inverse hyperbolic cosine is defined; use asinh, or log and sqrt",
        "clamp": "write clip(u, lo, hi)",
        "cbrt": "write sign(u) * Abs(u)**(1/3)",
        "Eq": "write a == b",
        "erfinv": "no inverse error function is defined",
        "exp2": "write 2**u",
        "expit": "write sigmoid(u)",
        "gelu": "write u * normal_cdf(u)",
        "Ge": "write a >= b",
        "Gt": "write a > b",
        "hard_sigmoid": "write clip(u/6 + 1/2, 0, 1)",
        "hardtanh": "write clip(u, -1, 1)",
        "heaviside": "write Heaviside(u)",
        "Le": "write a <= b",
        "log10": "write log(u) / log(10)",
        "log2": "write log(u) / log(2)",
        "log_sigmoid": "write -softplus(-u)",
        "logistic": "write sigmoid(u)",
        "logsigmoid": "write -softplus(-u)",
        "Lt": "write a < b",
        "mish": "write u * tanh(softplus(u))",
        "Ne": "write a != b",
        "norm": "write Abs(u)",
        "Phi": "write normal_cdf(u)",
        "phi": "write normal_pdf(u)",
        "pow": "write u**v",
        "power": "write u**v",
        "Rational": "write the fraction p/q, numbers are exact",
        "relu6": "write clip(u, 0, 6)",
        "rsqrt": "write 1 / sqrt(u)",
        "sgn": "write sign(u)",
        "silu": "write u * sigmoid(u)",
        "sinc": "write Piecewise((1, u == 0), (sin(u)/u, True))",
        "softsign": "write u / (1 + Abs(u))",
        "square": "write u**2",
        "step": "write Heaviside(u)",
        "swish": "write u * sigmoid(u)",
        "tanhshrink": "write u - tanh(u)",
        "where": "write Piecewise((value, condition), (other, True))",
    }
)
"""What to write in place of functions that people know from elsewhere."""
