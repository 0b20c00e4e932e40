"""Which floats and parameter values a form is judged at."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from actgen.numerics.samples import parameter_values, slack, stratified
from actgen.spec import Domain, Parameter


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_points_are_distinct_ascending_finite_numbers_of_the_type_and_symmetric(dtype: str) -> None:
    points = stratified(dtype)
    assert (np.diff(points) > 0).all()
    assert np.isfinite(points).all()
    assert (points.astype(dtype).astype(np.float64) == points).all()
    assert np.array_equal(points, -points[::-1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_ends_of_the_range_and_zero_are_among_them(dtype: str) -> None:
    info = np.finfo(dtype)
    points = set(stratified(dtype).tolist())
    assert {0.0, float(info.max), float(info.tiny), float(info.smallest_subnormal), 1.0, -1.0} <= points


def test_every_binade_of_float32_has_a_point_that_is_no_power_of_two() -> None:
    points = stratified("float32", dense=2, sparse=1)
    mantissas, exponents = np.frexp(points[points > 0])
    covered = set(exponents[mantissas != 0.5].tolist())
    assert set(range(-125, 128)) <= covered


def test_dense_and_sparse_are_counted_per_binade_and_sign() -> None:
    points = stratified("float32", dense=7, sparse=2)
    assert ((points >= 1) & (points < 2)).sum() == 8
    assert ((points > -(2.0**31)) & (points <= -(2.0**30))).sum() == 3


def test_a_point_of_interest_comes_with_its_neighbours() -> None:
    points = set(stratified("float32", around=[3.3, float("inf"), float("nan")]).tolist())
    near = np.float32(3.3)
    for expected in (near, np.nextafter(near, np.float32(0)), np.nextafter(near, np.float32(9))):
        assert float(expected) in points


def test_the_sample_is_the_same_every_time() -> None:
    assert np.array_equal(stratified("float64", around=[0.1]), stratified("float64", around=[0.1]))


@pytest.mark.parametrize(
    ("domain", "default", "values"),
    [
        ("real", "1", ["1", "3", "1/4", "1/1024", "0", "-1", "32"]),
        ("positive", "1", ["1", "3", "1/4", "1/1024", "3/2", "32"]),
        ("[0, 1]", "1/2", ["1/2", "1/8", "1/2048", "0", "1"]),
        ("nonnegative", "0", ["0", "1/2", "1"]),
        ("(0, 1/4)", "1/8", ["1/8", "1/32", "1/8192"]),
    ],
)
def test_parameters_are_sampled_inside_their_domain_the_default_first(
    domain: str, default: str, values: list[str]
) -> None:
    parameter = Parameter("beta", sp.Rational(default), "A probe.", Domain.parse(domain), False, "scalar")
    assert parameter_values(parameter) == tuple(map(Fraction, values))


@pytest.mark.parametrize(
    ("default", "value", "free"),
    [(1.0, 1.0, 1.0), (1.0, 3.0, 16.0), (1.0, 32.0, 64.0), (-0.25, -8.0, 64.0), (0.0, 1.0, 16.0)],
)
def test_more_is_free_next_to_underflow_far_above_a_default(default: float, value: float, free: float) -> None:
    assert slack({"p": value}, {"p": default}) == free


def test_no_more_is_free_at_1_because_a_default_is_small() -> None:
    """Values that were judged with less before there was one far above."""
    parameter = Parameter("beta", sp.Rational(1, 100), "A probe.", Domain.parse("real"), False, "scalar")
    default, *others = parameter_values(parameter)
    assert {slack({"p": value}, {"p": default}) for value in others} == {16.0}
