"""What is suggested for functions of elsewhere can be written, and is what it is said to be."""

from __future__ import annotations

from collections.abc import Callable

import mpmath  # type: ignore[import-untyped]  # it ships no types
import pytest
import sympy as sp
from flint import arb

from actgen.spec.expression import read_expression
from actgen.spec.vocabulary import ALIASES, FUNCTIONS, IDENTITIES, REMEDIES
from actgen.symbolic.balls import BallFunction, precision
from actgen.symbolic.binding import bind

U, V, LO, HI = (sp.Symbol(name, real=True) for name in ("u", "v", "lo", "hi"))

Reference = Callable[..., mpmath.mpf]

ONE: dict[str, Reference] = {
    "acos": mpmath.acos,
    "acosh": mpmath.acosh,
    "acot": lambda u: mpmath.pi / 2 - mpmath.atan(u),
    "acoth": mpmath.acoth,
    "acsch": mpmath.acsch,
    "asech": mpmath.asech,
    "asin": mpmath.asin,
    "atanh": mpmath.atanh,
    "cbrt": lambda u: mpmath.sign(u) * mpmath.cbrt(abs(u)),
    "ceil": mpmath.ceil,
    "cosine": mpmath.cos,
    "cosm1": lambda u: mpmath.cos(u) - 1,
    "cot": mpmath.cot,
    "coth": mpmath.coth,
    "csc": mpmath.csc,
    "csch": mpmath.csch,
    "cube": lambda u: u**3,
    "elu": lambda u: u if u > 0 else mpmath.expm1(u),
    "erfcx": lambda u: mpmath.exp(u * u) * mpmath.erfc(u),
    "exp10": lambda u: mpmath.mpf(10) ** u,
    "exp2": lambda u: mpmath.mpf(2) ** u,
    "expit": lambda u: 1 / (1 + mpmath.exp(-u)),
    "fabs": abs,
    "gelu": lambda u: u * mpmath.ncdf(u),
    "hard_sigmoid": lambda u: min(max(u / 6 + mpmath.mpf(1) / 2, 0), 1),
    "hard_swish": lambda u: u * min(max(u + 3, 0), 6) / 6,
    "hardtanh": lambda u: min(max(u, -1), 1),
    "heaviside": lambda u: mpmath.mpf(u > 0),
    "log10": mpmath.log10,
    "log2": lambda u: mpmath.log(u, 2),
    "logcosh": lambda u: mpmath.log(mpmath.cosh(u)),
    "logistic": lambda u: 1 / (1 + mpmath.exp(-u)),
    "logit": lambda u: mpmath.log(u) - mpmath.log(1 - u),
    "logsigmoid": lambda u: -mpmath.log1p(mpmath.exp(-u)),
    "mish": lambda u: u * mpmath.tanh(mpmath.log1p(mpmath.exp(u))),
    "norm": abs,
    "norm_cdf": mpmath.ncdf,
    "norm_pdf": mpmath.npdf,
    "reciprocal": lambda u: 1 / u,
    "relu6": lambda u: min(max(u, 0), 6),
    "rsqrt": lambda u: 1 / mpmath.sqrt(u),
    "sec": mpmath.sec,
    "sgn": mpmath.sign,
    "silu": lambda u: u / (1 + mpmath.exp(-u)),
    "sine": mpmath.sin,
    "sinc": mpmath.sinc,
    "softsign": lambda u: u / (1 + abs(u)),
    "square": lambda u: u * u,
    "step": lambda u: mpmath.mpf(u > 0),
    "tangent": mpmath.tan,
    "tanhshrink": lambda u: u - mpmath.tanh(u),
    "trunc": lambda u: mpmath.sign(u) * mpmath.floor(abs(u)),
}
TWO: dict[str, Reference] = {
    "celu": lambda u, v: u if u > 0 else v * mpmath.expm1(u / v),
    "hypot": mpmath.hypot,
    "leaky_relu": lambda u, v: u if u > 0 else v * u,
    "logaddexp": lambda u, v: mpmath.log(mpmath.exp(u) + mpmath.exp(v)),
    "maximum": max,
    "minimum": min,
    "mod": lambda u, v: u - v * mpmath.floor(u / v),
    "pow": lambda u, v: u**v,
    "xlogy": lambda u, v: u * mpmath.log(v),
}


def written(text: str) -> sp.Expr:
    reading = read_expression(text, {symbol.name: symbol for symbol in (U, V, LO, HI)})
    assert reading.expression is not None, reading.flaws
    return bind(reading.expression, (U,))


def test_every_identity_is_tried() -> None:
    assert set(IDENTITIES) - {*ONE, *TWO} == {"clamp"}
    assert written(IDENTITIES["clamp"][0]) == written("clip(u, lo, hi)")


@pytest.mark.parametrize("name", sorted({*ONE, *TWO}))
def test_an_identity_is_the_function(name: str) -> None:
    formula = written(IDENTITIES[name][0])
    tried = 0
    with precision(256), mpmath.workprec(256):
        for u in (-2.5, -0.75, -0.25, 0.125, 0.625, 1.5, 7.25):
            expected = ONE[name](mpmath.mpf(u)) if name in ONE else TWO[name](mpmath.mpf(u), mpmath.mpf(1.75))
            found = BallFunction(formula, (U, V))(arb(u), arb(1.75))
            if isinstance(expected, mpmath.mpc) or found is None or not found.is_finite():
                continue
            tried += 1
            assert abs(found - arb(str(expected))) < arb(2) ** -200, u
    assert tried >= 1


@pytest.mark.parametrize("name", sorted(REMEDIES))
def test_what_has_a_remedy_is_no_function_of_ours_and_takes_no_guess(name: str) -> None:
    assert name not in {*FUNCTIONS, *ALIASES}
    (flaw,) = read_expression(f"{name}(u)", {"u": U}).flaws
    assert flaw.remedy == REMEDIES[name]
    assert "did you mean" not in flaw.remedy


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("acos", "write pi/2 - atan(u / sqrt(1 - u**2)), right for -1 < u < 1"),
        ("arccos", "write pi/2 - atan(u / sqrt(1 - u**2)), right for -1 < u < 1"),
        ("csch", "write 1 / sinh(u)"),
        ("sec", "write 1 / cos(u)"),
        ("log2", "write log(u) / log(2)"),
        ("logaddexp", "write log(exp(u) + exp(v))"),
        ("cosine", "write cos(u)"),
    ],
)
def test_a_function_that_can_be_written_is_not_taken_for_a_typo(name: str, remedy: str) -> None:
    assert REMEDIES[name] == remedy


@pytest.mark.parametrize(
    ("text", "reduces", "remedy"),
    [
        ("exp(u) / sum(exp(u))", False, 'write Sum(u) with kind = "axiswise"'),
        ("exp(u) / sum(exp(u))", True, "write Sum(u)"),
        ("u - mean(u, -1)", False, 'write Mean(u) with kind = "axiswise"'),
        ("exp(u) / sum(exp(u), axis=-1)", True, 'write Sum(u), which reduces over the axis with kind = "axiswise"'),
        ("u / 2*amax((u), axis = -1)", False, 'write Max(u), which reduces over the axis with kind = "axiswise"'),
        ("log(u, base=2)", False, "write == to compare; functions take no keyword arguments"),
        ("(u = 2)", False, "write == to compare; functions take no keyword arguments"),
    ],
)
def test_what_reduces_over_an_axis_elsewhere_is_told_how_it_does_here(text: str, reduces: bool, remedy: str) -> None:
    assert read_expression(text, {"u": U}, reduces=reduces).flaws[0].remedy == remedy
