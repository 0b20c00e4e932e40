"""Shift and scale laws are proved where they hold, and nowhere else."""

from __future__ import annotations

import pytest

from tests.symbolic.rows import axiswise


@pytest.mark.parametrize(
    ("text", "shift"),
    [
        ("exp(x) / Sum(exp(x))", 0),
        ("exp(-x / T) / Sum(exp(-x / T))", 0),
        ("x - Mean(x)", 0),
        ("(x - Mean(x)) / sqrt(Mean((x - Mean(x))**2) + eps)", 0),
        ("log(Sum(exp(x)))", 1),
        ("T * log(Mean(exp(x / T)))", 1),
        ("Max(x)", 1),
        ("Max(0, x - Max(x) + 1)", 0),
        ("exp(x) / (1 + Sum(exp(x)))", None),
        ("2 * log(Sum(exp(x)))", None),
        ("x * exp(x) / Sum(exp(x))", None),
        ("exp(x) / Sum(exp(2*x))", None),
        ("x / sqrt(Mean(x**2) + eps)", None),
    ],
)
def test_a_shift_is_proved_or_not(text: str, shift: int | None) -> None:
    assert axiswise(text).shift == shift


@pytest.mark.parametrize(
    ("text", "degree", "weights"),
    [
        ("x / sqrt(Mean(x**2) + eps)", 0, [2]),
        ("x / Max(sqrt(Sum(x**2)), eps)", 0, [1]),
        ("x / sqrt(Sum(x**2) + 1e-6)", 0, [2]),
        ("sqrt(Sum(x**2))", 1, []),
        ("Sum(x**2)", 2, []),
        ("x * Max(abs(x))", 2, []),
        ("x / Max(abs(x))", 0, []),
        ("exp(x/T) / Sum(exp(x/T))", 0, [1]),
    ],
)
def test_a_scale_is_found_with_the_weights_of_what_scales_along(text: str, degree: int, weights: list[int]) -> None:
    found = axiswise(text).scaling
    assert found is not None
    assert found[0].degree == degree
    assert list(found[0].weights.values()) == weights


@pytest.mark.parametrize(
    "text", ["exp(x) / Sum(exp(x))", "x / sqrt(Mean(x**2) + eps + 1) + Mean(x)", "tanh(x) - Mean(x)", "x + Max(x)**2"]
)
def test_where_terms_do_not_agree_no_scale_is_claimed(text: str) -> None:
    assert axiswise(text).scaling is None


@pytest.mark.parametrize(
    ("text", "is_symmetric"),
    [
        ("exp(x) / Sum(exp(x))", True),
        ("x / sqrt(Mean(x**2) + eps)", True),
        ("(x - Mean(x)) / sqrt(Mean((x - Mean(x))**2) + eps)", True),
        ("x - log(Sum(exp(x)))", False),
        ("x * exp(x) / Sum(exp(x))", False),
        ("x**2 / Sum(x**2)", False),
    ],
)
def test_a_symmetric_jacobian_is_recognised(text: str, is_symmetric: bool) -> None:
    assert axiswise(text).is_symmetric == is_symmetric
