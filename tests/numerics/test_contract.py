"""Units of the accuracy contract, computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from actgen.numerics.contract import FORMATS, Errors, errors
from actgen.numerics.oracle import Exact, Floats

ULP1 = 2.0**-23  # spacing of float32 at 1
TINY = float(np.finfo(np.float32).tiny)


def measured(
    point: float | list[float],
    result: float | list[float],
    exact: float | list[float],
    slope: float = 0.0,
    dtype: str = "float32",
    slack: float = 1.0,
    decided: bool = True,
) -> Errors:
    points, highs = np.atleast_1d(np.array(point, dtype=np.float64)), np.atleast_1d(np.array(exact, dtype=np.float64))
    truth = Exact(highs, np.zeros_like(highs), np.full(len(highs), decided))

    def constant(some: Floats) -> Floats:
        return np.full(len(some), slope)

    return errors(points, np.atleast_1d(np.array(result, dtype=dtype)), truth, constant, slack)


def test_one_float_beside_the_exact_value_is_one_ulp() -> None:
    found = measured(1.0, 1 + ULP1, 1.0)
    assert (found.worst_ulps, found.worst) == (1.0, 1.0)


def test_the_ulp_is_that_of_the_exact_result_not_of_the_computed_one() -> None:
    """Just below 2 an ULP is half of what it is at 2: an error of 2**-23 is one ULP, not a half."""
    below = float(np.nextafter(np.float32(2), np.float32(0)))
    assert measured(1.0, 2.0, below).worst_ulps == 1.0
    assert measured(1.0, below, 2.0).worst_ulps == 0.5


def test_half_an_ulp_of_the_input_is_no_fault_of_the_function() -> None:
    """At x = 8, f = 1, f' = 1: u |x f'| = 2**-24 * 8 = 4 ULP of 1, so 10 ULP are 10 / (1 + 4) = 2 units."""
    found = measured(8.0, 1 + 10 * ULP1, 1.0, slope=1.0)
    assert found.worst_ulps == 10.0
    assert found.worst == 2.0
    assert found.worst_at == 8.0


def test_float64_has_its_own_spacing() -> None:
    assert measured(1.0, 1 + 3 * 2.0**-52, 1.0, dtype="float64").worst == 3.0
    assert measured(4.0, 1 + 6 * 2.0**-52, 1.0, slope=1.0, dtype="float64").worst == 2.0


def test_the_low_part_of_the_exact_value_counts() -> None:
    """A correctly rounded tie is off by exactly half an ULP."""
    truth = Exact(np.array([1.0]), np.array([ULP1 / 2]), np.array([True]))
    found = errors(np.array([1.0]), np.array([1.0], dtype=np.float32), truth, np.zeros_like)
    assert found.worst_ulps == 0.5
    wide = Exact(np.array([1.0]), np.array([2.0**-54]), np.array([True]))
    assert errors(np.array([1.0]), np.array([1.0]), wide, np.zeros_like).worst_ulps == 0.25


@pytest.mark.parametrize(
    ("result", "exact"),
    [(math.nan, 1.0), (math.inf, 1.0), (-math.inf, math.inf), (1.0, math.inf), (math.nan, math.inf), (1.0, math.nan)],
)
def test_a_wrong_infinity_or_nan_is_infinitely_wrong(result: float, exact: float) -> None:
    found = measured(1.0, result, exact)
    assert found.worst == math.inf
    assert found.worst_ulps == math.inf


@pytest.mark.parametrize(("result", "exact"), [(math.nan, math.nan), (math.inf, math.inf), (-math.inf, -math.inf)])
def test_the_right_infinity_or_nan_is_right(result: float, exact: float) -> None:
    assert measured(1.0, result, exact).worst == 0.0


def test_overflow_is_right_where_the_exact_value_rounds_to_infinity_and_wrong_below() -> None:
    largest = float(np.finfo(np.float32).max)
    assert measured(1.0, math.inf, largest * 1.001).worst == 0.0
    assert measured(1.0, math.inf, largest).worst == math.inf
    assert measured(1.0, -math.inf, largest * 1.001).worst == math.inf


def test_an_overflow_that_half_an_ulp_of_the_input_explains_is_one_unit() -> None:
    """f' = 1e10 at 1e38: the result may be anything; with f' = 1, u x is far below the largest float and it may not."""
    assert measured(1e38, math.inf, 1e38, slope=1e10).worst == 1.0
    assert measured(1e38, math.inf, 1e38, slope=1.0).worst == math.inf


def test_a_subnormal_result_may_be_flushed_and_a_normal_one_may_not() -> None:
    assert measured(1.0, 0.0, TINY / 2).worst == 0.0
    assert measured(1.0, 0.0, TINY * 0.999).worst == 0.0
    assert measured(1.0, 0.0, TINY * 1.001).worst > 1e6
    # Free is an error up to the smallest normal number, not any error.
    assert measured(1.0, 3 * TINY, TINY / 2).worst > 1e6


def test_slack_moves_the_threshold_and_the_allowance() -> None:
    assert measured(1.0, 0.0, 10 * TINY, slack=16.0).worst == 0.0
    assert measured(1.0, 0.0, 17 * TINY, slack=16.0).worst > 1e6


def test_a_subnormal_input_may_be_taken_for_zero() -> None:
    """f(0) = 5: at 1e-40 a machine that flushes gives f(0), whatever f(1e-40) is."""
    found = measured([0.0, 1e-40], [5.0, 5.0], [5.0, 7.0])
    assert found.worst == 0.0
    assert measured([0.0, 1e-40], [5.0, 6.0], [5.0, 7.0]).worst > 1e4
    # A normal input has no such excuse.
    assert measured([0.0, 2e-38], [5.0, 5.0], [5.0, 7.0]).worst > 1e4


def test_undecided_points_are_left_out() -> None:
    found = measured(1.0, 100.0, math.nan, decided=False)
    assert len(found.points) == 0
    assert (found.worst, found.worst_ulps) == (0.0, 0.0)
    assert math.isnan(found.worst_at)


def test_units_never_exceed_ulps_and_the_worst_is_found_among_many() -> None:
    """More than one chunk of points, with slopes that make the largest ULP error not the largest in units."""
    count = 300
    points = np.linspace(1, 2, count)
    wrong = np.arange(count, dtype=np.float64)
    results = (1.0 + wrong * ULP1).astype(np.float32)
    truth = Exact(np.ones(count), np.zeros(count), np.ones(count, dtype=bool))

    def slope(some: Floats) -> Floats:
        return np.where(some > 1.5, 1e6, 0.0)

    found = errors(points, results, truth, slope)
    assert (found.units <= found.ulps).all()
    best = wrong[points <= 1.5].max()
    assert found.worst == best
    assert found.worst_at == points[int(best)]
    assert found.worst_ulps == count - 1


def test_twice_the_limit_at_a_dozen_points_is_closer_than_nan_at_one() -> None:
    mild, wrong = np.full(12, 8.0), np.array([math.inf] + [0.5] * 11)
    points = np.arange(12.0)
    assert Errors(points, mild, mild, points).closeness < Errors(points, wrong, wrong, points).closeness


def test_at_a_pole_at_zero_a_subnormal_input_may_give_what_the_pole_gives() -> None:
    # log(1.4e-45) is -103.3, but -inf where the processor takes 1.4e-45 for 0.
    points = np.array([0.0, 1.4e-45])
    exact = Exact(np.array([np.nan, -103.28]), np.zeros(2), np.array([False, True]))
    found = errors(points, np.array([-np.inf, -np.inf], np.float32), exact, lambda some: 1 / some)
    assert found.worst == 0


def half(dtype: str, point: float, result: float, exact: float, slope: float = 0.0) -> Errors:
    truth = Exact(np.array([exact]), np.zeros(1), np.ones(1, dtype=bool))

    def constant(some: Floats) -> Floats:
        return np.full(len(some), slope)

    return errors(np.array([point]), np.array([result], np.float32), truth, constant, form=FORMATS[dtype])


def test_a_correctly_rounded_half_number_is_at_most_half_a_unit_off() -> None:
    """What lies between two bfloat16 goes to the nearer one."""
    for exact in 1 + np.arange(1, 64) / 64 * 2.0**-7:
        lower, upper = 1.0, 1 + 2.0**-7
        nearest, other = (lower, upper) if exact - lower < upper - exact else (upper, lower)
        assert half("bfloat16", 1.0, nearest, float(exact)).worst <= 0.5
        if exact != 1 + 2.0**-8:
            assert half("bfloat16", 1.0, other, float(exact)).worst > 0.5


def test_half_types_have_spacings_of_their_own_and_forgive_half_an_ulp_of_the_input() -> None:
    assert half("bfloat16", 1.0, 1 + 3 * 2.0**-7, 1.0).worst == 3.0
    assert half("float16", 1.0, 1 + 3 * 2.0**-10, 1.0).worst == 3.0
    assert half("float16", 1.0, 1 + 3 * 2.0**-10, 1.0, slope=4.0).worst == 1.0


def test_what_float16_holds_as_subnormal_is_normal_where_it_is_computed() -> None:
    """2**-20 has 5 bits in float16: an ULP is 2**-24, and flushing it to 0 is 16 of them."""
    assert half("float16", 1.0, 0.0, 2.0**-20).worst == 16.0
    assert half("bfloat16", 1.0, 0.0, 2.0**-127).worst == 0.0
    assert half("bfloat16", 1.0, 0.0, 2.0**-125).worst > 100


def test_half_types_overflow_where_rounding_does() -> None:
    assert half("float16", 1.0, math.inf, 65520.0).worst == 0.0
    assert half("float16", 1.0, math.inf, 65519.0).worst == math.inf
    largest = FORMATS["bfloat16"].largest
    assert largest == 2.0**127 * (2 - 2.0**-7)
    assert half("bfloat16", 1.0, math.inf, largest).worst == math.inf


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
def test_a_format_rounds_as_the_type_does(dtype: str) -> None:
    form = FORMATS[dtype]
    below = form.largest * (1 + form.half_spacing / 4 if dtype != "float64" else 1)
    values = np.array([0.0, -0.0, 1 / 3, -1e-3, form.smallest, form.smallest * 3, form.largest, below, np.inf, np.nan])
    rounded = form.nearest(values)
    if dtype != "bfloat16":
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(rounded, values.astype(dtype).astype(np.float64))
    np.testing.assert_array_equal(form.nearest(rounded), rounded)
    assert form.spacing(np.array([1.0]))[0] == 2 * form.half_spacing
    assert form.spacing(np.array([form.smallest]))[0] == form.smallest


def test_the_worst_of_many_errors_is_found_whatever_the_slopes_are() -> None:
    """Too many to sort: most are discarded, and what is left is the same as by asking for every slope."""
    count = 200_000
    points = np.linspace(1, 2, count)
    wrong = (np.arange(count) * 7919 % 1000).astype(np.float64)
    results = (1.0 + wrong * ULP1).astype(np.float32)
    truth = Exact(np.ones(count), np.zeros(count), np.ones(count, dtype=bool))

    def slope(some: Floats) -> Floats:
        return np.where(some > 1.01, 1e3, 1.0)

    found = errors(points, results, truth, slope)
    expected = wrong / (1 + 0.5 * points * slope(points))
    assert found.worst == pytest.approx(expected.max(), rel=1e-12)
    assert found.worst_at == points[int(expected.argmax())]


def test_a_result_of_the_wrong_sign_next_to_the_largest_number_is_off_by_finitely_many_ulp() -> None:
    """The difference, 3.2e308, is no float64; half an ULP of the input is worth more where the slope is large."""
    assert math.isfinite(measured(1.7e308, -1.7e308, 1.5e308, dtype="float64").worst_ulps)
    assert measured(1.7e308, -1.7e308, 1.5e308, slope=1e308, dtype="float64").worst == 0.0
    assert measured(1.7e308, -1.7e308, 1.5e308, slope=1.0, dtype="float64").worst > 1e15
