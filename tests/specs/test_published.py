"""What papers and authors say about the activations that no framework has, and what must hold of all 32."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.specs.textbook import FORMULAS

GRID = np.linspace(-10, 10, 401)

FIRST = {
    *("sigmoid", "tanh", "relu", "leaky_relu", "prelu", "elu", "selu", "celu", "softplus", "softsign", "silu", "swish"),
    *("hard_sigmoid", "hard_swish", "hard_tanh", "relu6", "gelu", "gelu_tanh", "quick_gelu", "mish", "log_sigmoid"),
    *("tanh_shrink", "soft_shrink", "hard_shrink", "threshold", "squareplus", "lisht", "light_relu", "ftswish", "step"),
    *("snake", "isru"),
}


def test_the_first_32_activations_are_declared() -> None:
    assert len(FIRST) == 32
    assert set(FORMULAS) >= FIRST


def test_every_activation_is_finite_and_has_a_slope_on_the_middle_of_its_range() -> None:
    for formula in FORMULAS.values():
        assert np.isfinite(formula.value(GRID)).all(), formula.activation.name
        assert np.isfinite(formula.slope(GRID)).all(), formula.activation.name


def test_every_url_can_be_followed() -> None:
    for formula in FORMULAS.values():
        reference = formula.activation.reference
        assert reference is None or reference.url.startswith(("https://", "http://"))


def test_swish_alone_goes_by_the_name_swish() -> None:
    assert "swish" not in FORMULAS["silu"].activation.aliases


def test_swish_with_beta_1_is_silu_and_with_beta_0_half_the_identity() -> None:
    np.testing.assert_allclose(FORMULAS["swish"].value(GRID), FORMULAS["silu"].value(GRID), rtol=1e-15)
    np.testing.assert_allclose(FORMULAS["swish"].value(GRID, beta=0), GRID / 2, rtol=1e-15)


def test_both_approximations_are_as_near_to_gelu_as_their_summaries_say() -> None:
    points = np.linspace(-6, 6, 1201)
    gelu = FORMULAS["gelu"].value(points)
    assert 4.7e-4 < np.abs(FORMULAS["gelu_tanh"].value(points) - gelu).max() < 4.8e-4
    assert 2.0e-2 < np.abs(FORMULAS["quick_gelu"].value(points) - gelu).max() < 2.1e-2


def test_selu_keeps_mean_0_and_variance_1() -> None:
    points = np.linspace(-12, 12, 4801)
    density = np.exp(-(points**2) / 2) / math.sqrt(2 * math.pi) * (points[1] - points[0])
    selu = FORMULAS["selu"].value(points)
    assert (selu * density).sum() == pytest.approx(0, abs=1e-5)
    assert (selu**2 * density).sum() == pytest.approx(1, abs=1e-5)


def test_lisht_is_the_even_product_of_its_input_and_the_tanh() -> None:
    lisht = FORMULAS["lisht"].value(GRID)
    np.testing.assert_allclose(lisht, GRID * np.tanh(GRID), rtol=1e-12)
    np.testing.assert_array_equal(lisht, FORMULAS["lisht"].value(-GRID))


def test_light_relu_is_lisht_lowered_and_then_clamped() -> None:
    # The author's order; clamping first would leave 7.04 on the flat part.
    light_relu = FORMULAS["light_relu"]
    np.testing.assert_allclose(light_relu.value([0, -8, 8, 100]), [-0.46, 7.5, 7.5, 7.5], rtol=1e-15)
    assert light_relu.value([0.7348])[0] == pytest.approx(0, abs=1e-4)
    assert light_relu.value([7.9])[0] == pytest.approx(7.44, abs=1e-5)
    np.testing.assert_array_equal(light_relu.slope([-8, 0, 8]), [0, 0, 0])


def test_ftswish_is_flat_at_t_and_starts_with_slope_one_half() -> None:
    ftswish = FORMULAS["ftswish"]
    np.testing.assert_allclose(ftswish.value([-5, -1e-9, 0, 2]), [-0.2, -0.2, -0.2, 2 / (1 + math.exp(-2)) - 0.2])
    np.testing.assert_array_equal(ftswish.slope([-1e-9, 0]), [0, 0.5])


def test_step_is_0_at_0_and_trains_by_its_surrogate() -> None:
    step = FORMULAS["step"]
    np.testing.assert_array_equal(step.value([-1, 0, 1e-300]), [0, 0, 1])
    np.testing.assert_array_equal(step.slope(GRID), np.zeros_like(GRID))
    assert step.activation.surrogate is not None


def test_snake_increases_and_ripples_with_its_frequency() -> None:
    snake = FORMULAS["snake"]
    points = np.linspace(-3, 3, 301)
    for frequency in (0.5, 1, 7):
        one_period_on = snake.value(points + math.pi / frequency, frequency=frequency)
        np.testing.assert_allclose(one_period_on - snake.value(points, frequency=frequency), math.pi / frequency)
        assert (snake.slope(points, frequency=frequency) >= 0).all()


def test_isru_saturates_at_the_inverse_square_root_of_alpha() -> None:
    isru = FORMULAS["isru"]
    np.testing.assert_allclose(isru.value([-1e9, 1, 1e9]), [-1, 1 / math.sqrt(2), 1], rtol=1e-12)
    assert isru.value([1e9], alpha=4)[0] == pytest.approx(0.5)


def test_prelu_has_a_trainable_slope_for_each_channel() -> None:
    (alpha,) = FORMULAS["prelu"].activation.parameters
    assert (alpha.trainable, alpha.shape, float(alpha.default)) == (True, "channel", 0.25)
