"""Rows whose exponents are products, compiled: XLA makes one operation of a product and what is taken from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from actgen.numerics.axiswise import derive_axiswise
from actgen.spec import load_spec
from actgen.targets import Context
from actgen.targets.jax import target as jax_target
from actgen.targets.keras import target as keras_target

SPEC = """\
title = "Probe"
summary = "A function along an axis."
kind = "axiswise"
expression = "{expression}"
folklore = true
"""

Array = np.ndarray[Any, np.dtype[Any]]


def emitted(folder: Path, expression: str, target: Any) -> Callable[[Any], Any]:
    (folder / "probe.toml").write_text(SPEC.format(expression=expression), encoding="utf-8")
    derivation = derive_axiswise(load_spec(folder / "probe.toml"), {})
    scope: dict[str, Any] = {}
    exec(target.emit_axiswise(derivation, Context())[f"{target.name}/probe.py"], scope)  # the emitted module
    function: Callable[[Any], Any] = scope["probe"]
    return function


def rows() -> list[Array]:
    """Rows of large numbers, of several shapes; in some, the largest occurs more than once."""
    rng = np.random.default_rng(5)
    found = [np.array([123456.7, 1.0, 2.0])]
    for scale in (4e4, 3e5):
        for shape in ((3,), (1, 4), (16, 7), (64, 33), (3, 5, 128)):
            row = scale * rng.normal(size=shape)
            found += [row, np.concatenate([row, -row], axis=-1)]
    return [row.astype(np.float32) for row in found]


def squares_softmax(row: Array) -> Array:
    """The softmax of squares that were rounded to float32."""
    exponents = np.asarray(np.square(row), float)
    powers = np.exp(exponents - exponents.max(-1, keepdims=True))
    weights: Array = powers / powers.sum(-1, keepdims=True)
    return weights


def squares_product(row: Array, tangent: Array) -> Array:
    weights, moved = squares_softmax(row), 2.0 * row * tangent
    product: Array = weights * (moved - (weights * moved).sum(-1, keepdims=True))
    return product


def squares_pulled(row: Array, cotangent: Array) -> Array:
    weights = squares_softmax(row)
    pulled: Array = 2 * row * weights * (cotangent - (weights * cotangent).sum(-1, keepdims=True))
    return pulled


def close(found: Any, expected: Array) -> None:
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-5, atol=1e-6 * float(np.abs(expected).max()) + 1e-9)


SQUARES = "exp(x**2) / Sum(exp(x**2))"


@pytest.mark.parametrize("expression", [SQUARES, "exp(x**2) / (3 + Sum(exp(x**2)))"])
def test_the_softmax_of_squares_and_its_products_hold_under_jit(tmp_path: Path, expression: str) -> None:
    f: Any = emitted(tmp_path, expression, jax_target)
    push = jax.jit(lambda x, t: jax.jvp(f, (x,), (t,)))
    pull = jax.jit(lambda x, g: jax.vjp(f, x)[1](g)[0])
    for row in rows():
        direction = np.asarray(np.random.default_rng(6).normal(size=row.shape), np.float32)
        value, slope = push(row, direction)
        close(value, squares_softmax(row))
        close(jax.jit(f)(row), squares_softmax(row))
        close(slope, squares_product(row, direction))
        close(pull(row, direction), squares_pulled(row, direction))


def test_second_derivatives_have_the_slope_of_what_is_held(tmp_path: Path) -> None:
    f: Any = emitted(tmp_path, SQUARES, jax_target)
    row = jnp.asarray([0.5, -1.25, 1.0])

    def plain(x: Any) -> Any:
        return jax.nn.softmax(jnp.square(x))

    np.testing.assert_allclose(jax.hessian(f)(row), jax.hessian(plain)(row), rtol=1e-4, atol=1e-6)


LOGARITHMS = ["log(Sum(exp(x**2)))", "log(Mean(exp(x**2)))", "log(3 + Sum(exp(x**2)))"]


@pytest.mark.parametrize("expression", LOGARITHMS)
def test_so_do_logarithms_of_sums_of_exponentials(tmp_path: Path, expression: str) -> None:
    f: Any = emitted(tmp_path, expression, jax_target)
    for row in rows():
        largest = np.asarray(np.square(row).max(-1), float)
        np.testing.assert_allclose(np.asarray(jax.jit(f)(row)), largest, rtol=1e-5)
        assert np.isfinite(jax.jit(jax.grad(lambda x: f(x).sum()))(row)).all()
    with_infinity = np.array([np.inf, 1.0, 2.0], np.float32)
    assert jax.jit(f)(with_infinity) == np.inf


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="compiled as TensorFlow asks XLA to")
def test_so_does_keras_under_xla(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    f = emitted(tmp_path, SQUARES, keras_target)

    def both(x: Any, g: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return y, tape.gradient(y, x, output_gradients=g)

    compiled = tf.function(both, jit_compile=True)
    for row in rows()[:9]:
        direction = np.asarray(np.random.default_rng(6).normal(size=row.shape), np.float32)
        value, slope = compiled(tf.constant(row), tf.constant(direction))
        close(value, squares_softmax(row))
        close(slope, squares_pulled(row, direction))


def test_plain_rows_are_subtracted_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "probe.toml").write_text(SPEC.format(expression="exp(x) / Sum(exp(x))"), encoding="utf-8")
    for kernel in derive_axiswise(load_spec(tmp_path / "probe.toml"), {}).kernels.values():
        assert "excess" not in kernel.names.values()
