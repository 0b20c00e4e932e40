"""exp(z^2) erfc(z) against its exact value."""

from __future__ import annotations

import numpy as np
import sympy as sp
from flint import arb

from actgen.numerics import scaled_erfc as module
from actgen.numerics.kernel import Kernel
from actgen.numerics.oracle import Oracle
from actgen.numerics.scaled_erfc import DENOMINATOR, LARGEST, NUMERATOR
from actgen.symbolic.primitives import erfc
from tests.numerics.judging import X, run
from tests.symbolic.reading import exact, precision, x

KERNEL = Kernel(module.scaled_erfc(X))
EXACT = sp.exp(x**2) * erfc(x)
POINTS = np.concatenate([[0.0], np.geomspace(1e-12, 1e-2, 60), np.linspace(0.0123, LARGEST, 700)])


def test_the_quotient_of_the_rounded_coefficients_is_exact_to_3e17() -> None:
    """In exact arithmetic, so what is measured is the approximation; a wrong last digit of a coefficient shows."""
    for point in POINTS.tolist():
        with precision(300):
            z = exact(point)
            quotient = _polynomial(NUMERATOR, z) / _polynomial(DENOMINATOR, z)
            truth = (z * z).exp() * z.erfc()
            assert abs(quotient / truth - 1) < arb("3e-17"), point


def _polynomial(coefficients: tuple[float, ...], z: arb) -> arb:
    return sum((exact(coefficient) * z**k for k, coefficient in enumerate(coefficients)), arb(0))


def test_the_quotient_is_within_8_ulp_of_float64_on_0_to_40() -> None:
    """Forty roundings in Horner's scheme, none of which cancels, make 6 ULP at most."""
    truth = Oracle(EXACT, x)(POINTS, {})
    assert truth.decided.all()
    ulps = np.abs(run(KERNEL, POINTS, "float64") - truth.high) / np.spacing(truth.high)
    assert ulps.max() < 8


def test_in_float32_it_is_within_8_ulp_too() -> None:
    points = POINTS.astype(np.float32).astype(np.float64)
    truth = Oracle(EXACT, x)(points, {}).high
    ulps = np.abs(run(KERNEL, points, "float32").astype(np.float64) - truth) / np.spacing(truth.astype(np.float32))
    assert ulps.max() < 8


def test_all_coefficients_are_positive_so_nothing_cancels() -> None:
    assert all(coefficient > 0 for coefficient in NUMERATOR + DENOMINATOR)


def test_it_is_exact_at_0_and_constant_beyond_40() -> None:
    assert run(KERNEL, [0.0], "float64")[0] == 1.0
    far = run(KERNEL, [LARGEST, 41.0, 1e30, np.inf], "float64")
    assert (far == far[0]).all()


def test_beyond_40_the_exponential_it_is_multiplied_by_is_0_in_float64() -> None:
    assert np.exp(-(LARGEST**2)) == 0.0


def test_beyond_40_the_series_goes_on_to_infinity() -> None:
    """A term too few is off by 5e-17, one of the wrong sign by more; and at infinity it is 0."""
    points = np.geomspace(LARGEST, 1e15, 300)
    found = run(Kernel(module.scaled_erfc(X, to_infinity=True)), np.append(points, np.inf), "float64")
    with precision(300):
        for z, value in zip(map(exact, points.tolist()), found[:-1].tolist(), strict=True):
            assert abs(exact(value) * z / _series(z) - 1) < arb("8e-16")
    assert found[-1] == 0


def _series(z: arb) -> arb:
    """z exp(z^2) erfc(z), by far more terms than the module has."""
    return (
        sum((arb(-1) ** n * arb(2 * n).fac() / (arb(n).fac() * (2 * z) ** (2 * n)) for n in range(24)), arb(0))
        / arb.pi().sqrt()
    )
