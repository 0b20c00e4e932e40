"""What the emitted JAX code promises beyond the generated tests."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from actgen.numerics import derive
from actgen.spec import load_spec
from actgen.targets import Context
from actgen.targets.jax import target

ROOT = Path(__file__).parents[3]


def test_importing_one_name_imports_one_module(emitted: ModuleType) -> None:
    package = emitted.__name__
    folder = Path(str(emitted.__file__)).parents[2]
    code = f"""
import sys
sys.path.insert(0, {str(folder)!r})
import {package} as package
assert "jax" not in sys.modules
assert {{"mish", "heaviside"}} <= set(dir(package)) and "mish" in package.__all__
from {package} import heaviside
assert heaviside.__name__ == "step"
loaded = [name for name in sys.modules if name.startswith("{package}.")]
assert loaded == ["{package}.step"], loaded
assert "sympy" not in sys.modules and "actgen" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_a_module_does_not_hide_the_function_of_its_name(emitted: ModuleType) -> None:
    module = importlib.import_module(f"{emitted.__name__}.relu")
    assert emitted.relu is module.relu
    assert emitted.heaviside is emitted.step is emitted.binary_step


def test_a_parameter_nobody_differentiates_by_spreads_no_nan(emitted: ModuleType) -> None:
    # The derivative by beta at inf is nan; times a tangent of 0 it would still be.
    text = str(jax.make_jaxpr(jax.grad(emitted.swish))(1.0))
    assert "_derivative_x" in text
    assert "_derivative_beta" not in text


def test_x_and_parameters_broadcast_against_each_other_in_value_and_gradient(emitted: ModuleType) -> None:
    x, beta = jnp.linspace(-1.0, 1.0, 3)[:, None], jnp.linspace(0.5, 2.0, 4)

    def plain(x: Any, beta: Any) -> Any:
        return x * jax.nn.sigmoid(beta * x)

    for f, g in ((emitted.swish, plain), (jax.jit(emitted.swish), plain)):
        np.testing.assert_allclose(f(x, beta), g(x, beta), rtol=1e-5)
        for place in (0, 1):
            got = jax.grad(lambda *a, f=f: f(*a).sum(), place)(x, beta)
            expected = jax.grad(lambda *a, g=g: g(*a).sum(), place)(x, beta)
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["swish", "squareplus", "prelu"])
def test_mixed_second_derivatives_agree_with_autodiff_of_the_value(emitted: ModuleType, name: str) -> None:
    check_grads: Any = importlib.import_module("jax.test_util").check_grads
    with jax.enable_x64(True):
        check_grads(getattr(emitted, name), (jnp.array([-1.5, 0.7, 2.0]), 1.3), order=2, modes=("fwd", "rev"))


def test_under_x64_a_python_parameter_does_not_promote(emitted: ModuleType) -> None:
    with jax.enable_x64(True):
        x = jnp.ones(3, "float32")
        for f in (emitted.leaky_relu, jax.grad(lambda x: emitted.leaky_relu(x).sum())):
            assert f(x).dtype == jnp.float32
        hessian = jax.hessian(lambda x: emitted.swish(x, 0.5).sum())(x)
        assert hessian.dtype == jnp.float32


def test_shard_map_scan_and_zero_sizes_work(emitted: ModuleType) -> None:
    mesh = jax.make_mesh((1,), ("i",), axis_types=(jax.sharding.AxisType.Auto,))
    spec = jax.sharding.PartitionSpec("i")  # type: ignore[no-untyped-call]  # jax 0.10 declares it without types
    x = jnp.linspace(-2.0, 2.0, 8)
    sharded = jax.jit(jax.shard_map(jax.vmap(jax.grad(emitted.mish)), mesh=mesh, in_specs=spec, out_specs=spec))
    np.testing.assert_allclose(sharded(x), jax.vmap(jax.grad(emitted.mish))(x), rtol=1e-6)
    assert jax.vmap(jax.grad(emitted.mish))(jnp.zeros((0,))).shape == (0,)


def test_a_number_outside_the_domain_is_refused_and_an_array_is_not(emitted: ModuleType) -> None:
    for bad in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="squareplus: b must be"):
            emitted.squareplus(1.0, b=bad)
    assert jax.jit(emitted.squareplus)(1.0, -1.0).shape == ()


def test_a_parameter_may_have_the_name_of_a_local_variable() -> None:
    derivation = derive(load_spec(ROOT / "specs" / "threshold.toml"))
    assert "value" in [parameter.name for parameter in derivation.activation.parameters]
    scope: dict[str, Any] = {}
    exec(target.emit(derivation, Context())["jax/threshold.py"], scope)  # the emitted module
    y = scope["threshold"](np.array([-1.0, 0.5, 2.0], "float32"), threshold=0.25, value=-3.0)
    np.testing.assert_array_equal(np.asarray(y), [-3.0, 0.5, 2.0])
