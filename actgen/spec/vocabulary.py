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

REDUCED: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("Sum", "sum", "reduce_sum"), "Sum"),
        **dict.fromkeys(("Mean", "mean", "average", "reduce_mean"), "Mean"),
        **dict.fromkeys(("Max", "max", "amax", "reduce_max"), "Max"),
        **dict.fromkeys(("Min", "min", "amin", "reduce_min"), "Min"),
    }
)
"""What functions that reduce over an axis are called here, by what they are called here and elsewhere."""

IDENTITIES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "acos": ("pi/2 - atan(u / sqrt(1 - u**2))", "-1 < u < 1"),
        "acosh": ("log(u + sqrt(u**2 - 1))", "u >= 1"),
        "acot": ("pi/2 - atan(u)", "values between 0 and pi"),
        "acoth": ("log((u + 1) / (u - 1)) / 2", "u > 1 or u < -1"),
        "acsch": ("asinh(1 / u)", ""),
        "asech": ("log(1 / u + sqrt(1 / u**2 - 1))", "0 < u <= 1"),
        "asin": ("atan(u / sqrt(1 - u**2))", "-1 < u < 1"),
        "atanh": ("log((1 + u) / (1 - u)) / 2", "-1 < u < 1"),
        "cbrt": ("sign(u) * Abs(u)**(1/3)", ""),
        "ceil": ("-floor(-u)", ""),
        "celu": ("Piecewise((u, u > 0), (v * expm1(u / v), True))", ""),
        "clamp": ("clip(u, lo, hi)", ""),
        "cosine": ("cos(u)", ""),
        "cosm1": ("cos(u) - 1", ""),
        "cot": ("1 / tan(u)", ""),
        "coth": ("1 / tanh(u)", ""),
        "csc": ("1 / sin(u)", ""),
        "csch": ("1 / sinh(u)", ""),
        "cube": ("u**3", ""),
        "elu": ("Piecewise((u, u > 0), (expm1(u), True))", ""),
        "erfcx": ("exp(u**2) * erfc(u)", ""),
        "exp2": ("2**u", ""),
        "exp10": ("10**u", ""),
        "expit": ("sigmoid(u)", ""),
        "fabs": ("Abs(u)", ""),
        "gelu": ("u * normal_cdf(u)", ""),
        "hard_sigmoid": ("clip(u/6 + 1/2, 0, 1)", ""),
        "hard_swish": ("u * clip(u/6 + 1/2, 0, 1)", ""),
        "hardtanh": ("clip(u, -1, 1)", ""),
        "heaviside": ("Heaviside(u)", ""),
        "hypot": ("sqrt(u**2 + v**2)", ""),
        "leaky_relu": ("Piecewise((u, u > 0), (v * u, True))", ""),
        "log10": ("log(u) / log(10)", ""),
        "log2": ("log(u) / log(2)", ""),
        "logaddexp": ("log(exp(u) + exp(v))", ""),
        "logcosh": ("log(cosh(u))", ""),
        "logistic": ("sigmoid(u)", ""),
        "logit": ("log(u / (1 - u))", "0 < u < 1"),
        "logsigmoid": ("-softplus(-u)", ""),
        "maximum": ("Max(u, v)", ""),
        "minimum": ("Min(u, v)", ""),
        "mish": ("u * tanh(softplus(u))", ""),
        "mod": ("u - v*floor(u / v)", ""),
        "norm": ("Abs(u)", ""),
        "norm_cdf": ("normal_cdf(u)", ""),
        "norm_pdf": ("normal_pdf(u)", ""),
        "pow": ("u**v", ""),
        "reciprocal": ("1 / u", ""),
        "relu6": ("clip(u, 0, 6)", ""),
        "rsqrt": ("1 / sqrt(u)", ""),
        "sec": ("1 / cos(u)", ""),
        "sgn": ("sign(u)", ""),
        "silu": ("u * sigmoid(u)", ""),
        "sine": ("sin(u)", ""),
        "sinc": ("Piecewise((1, u == 0), (sin(u)/u, True))", "u without a factor pi"),
        "softsign": ("u / (1 + Abs(u))", ""),
        "square": ("u**2", ""),
        "step": ("Heaviside(u)", ""),
        "tangent": ("tan(u)", ""),
        "tanhshrink": ("u - tanh(u)", ""),
        "trunc": ("sign(u) * floor(Abs(u))", ""),
        "xlogy": ("u * log(v)", "u other than 0"),
    }
)
"""Functions that people know from elsewhere: how to write them here, and for which u that is right, if not for all."""

_SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        "arccos": "acos",
        "arccosh": "acosh",
        "arccot": "acot",
        "arcsin": "asin",
        "arctanh": "atanh",
        "ceiling": "ceil",
        "hard_silu": "hard_swish",
        "hard_tanh": "hardtanh",
        "hardsigmoid": "hard_sigmoid",
        "hardswish": "hard_swish",
        "log_cosh": "logcosh",
        "log_sigmoid": "logsigmoid",
        "ndtr": "norm_cdf",
        "Phi": "norm_cdf",
        "phi": "norm_pdf",
        "power": "pow",
        "prelu": "leaky_relu",
        "swish": "silu",
        "tanh_shrink": "tanhshrink",
    }
)

REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "asec": "no inverse secant is defined",
        "erfcinv": "no inverse error function is defined",
        "erfi": "no imaginary error function is defined",
        "exp1": "no exponential integral is defined",
        "expi": "no exponential integral is defined",
        "expn": "no exponential integral is defined",
        "rrelu": "write Piecewise((u, u > 0), (slope * u, True)), with a stochastic parameter slope",
        "selu": "write 1.0507009873554805 * Piecewise((u, u > 0), (1.6732632423543772 * expm1(u), True))",
        "atan2": "no angle of two numbers is defined; atan(u / v) is one for v > 0",
        "Eq": "write a == b",
        "erfinv": "no inverse error function is defined",
        "gamma": "no gamma function is defined",
        "Ge": "write a >= b",
        "Gt": "write a > b",
        "Le": "write a <= b",
        "lgamma": "no gamma function is defined",
        "Lt": "write a < b",
        "Ne": "write a != b",
        "Rational": "write the fraction p/q, numbers are exact",
        "round": "write floor(u + 1/2), which rounds halves up",
        "where": "write Piecewise((value, condition), (other, True))",
        **{
            name: f"write {formula}{', right for ' if where else ''}{where}"
            for name, (formula, where) in (
                *IDENTITIES.items(),
                *((name, IDENTITIES[other]) for name, other in _SYNONYMS.items()),
            )
        },
    }
)
"""What to write in place of functions that people know from elsewhere."""
