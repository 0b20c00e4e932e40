"""The polynomials of the targets' own primitives are as near to the functions as their docstrings say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx

from actgen.targets import polynomials
from actgen.targets.polynomials import Polynomial


def _log1p(a: Any, p: Any) -> Any:
    z = a / (2 + a)
    return 2 * z + z**3 * p(z * z)


CASES: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any], Any], tuple[float, float], int]] = {
    "EXPM1_SINGLE": (lambda a, p: a + a * a * p(a), lambda a: a.expm1(), (-0.5, 0.5), 27),
    "TANH_SINGLE": (lambda a, p: a + a**3 * p(a * a), lambda a: a.tanh(), (2.0**-20, 0.625), 27),
    "TANH_DOUBLE": (lambda a, p: a + a**3 * p(a * a), lambda a: a.tanh(), (2.0**-40, 0.625), 55),
    "ERF_NEAR_SINGLE": (lambda a, p: a + a * p(a * a), lambda a: a.erf(), (2.0**-20, 0.9375), 29),
    "ERF_FAR_SINGLE": (lambda a, p: 1 - (-a * p(a)).exp(), lambda a: a.erf(), (0.9375, 4.0), 28),
    "ATAN_SINGLE": (lambda a, p: a + a**3 * p(a * a), lambda a: a.atan(), (2.0**-20, 1.0), 25),
    "LOG1P_SINGLE": (_log1p, lambda a: a.log1p(), (-0.5, 1.0), 27),
    "LOG1P_DOUBLE": (_log1p, lambda a: a.log1p(), (-0.5, 1.0), 58),
}


def test_every_polynomial_has_a_case() -> None:
    assert set(CASES) == {name for name, value in vars(polynomials).items() if isinstance(value, Polynomial)}


@pytest.mark.parametrize("name", CASES)
def test_a_polynomial_is_as_near_as_it_says(name: str) -> None:
    """A digit of a coefficient that is wrong is seen, and so is a claim that is too modest by a factor of eight."""
    polynomial: Polynomial = getattr(polynomials, name)
    computed, exact, (low, high), bits = CASES[name]
    before, ctx.prec = ctx.prec, 200
    try:
        worst = 0.0
        for x in np.linspace(low, high, 1001):
            if x == 0:
                continue
            a = arb(float(x))
            worst = max(worst, abs(float((computed(a, polynomial) / exact(a) - 1).mid())))
    finally:
        ctx.prec = before
    assert 2.0 ** -(bits + 3) < worst < 2.0**-bits * 1.5


@pytest.mark.parametrize("name", CASES)
def test_the_statements_compute_the_polynomial(name: str) -> None:
    polynomial: Polynomial = getattr(polynomials, name)
    scope: dict[str, float] = {}
    # What is tested is the text that goes into modules, and text can only be run.
    exec("def f(s):\n" + polynomial.statements("p", "s") + "\n    return p", scope)
    for x in (0.0, 0.3, -0.7):
        assert scope["f"](x) == polynomial(x)  # type: ignore[operator]  # a function
