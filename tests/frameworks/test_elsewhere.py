"""The facts of elsewhere.toml, held to the frameworks that are installed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from actgen.frameworks.elsewhere import Elsewhere, elsewhere
from actgen.spec import load_specs
from tests.specs.textbook import SPECS

FACTS = [pytest.param(fact, id=f"{name}-{fact.name}") for name, facts in elsewhere().items() for fact in facts]


@pytest.mark.parametrize("fact", FACTS)
def test_what_is_said_to_exist_does_and_has_the_defaults(fact: Elsewhere) -> None:
    given = defaults(fact.name)
    for name, value in fact.defaults.items():
        assert given[name] == (None if value == "None" else pytest.approx(value) if type(value) is float else value)


def test_a_wrong_default_would_be_noticed() -> None:
    assert defaults("keras.layers.LeakyReLU")["negative_slope"] != 0.2
    assert defaults("onnx.LeakyRelu")["alpha"] != pytest.approx(0.2)


def test_facts_are_of_activations_that_there_are() -> None:
    activations = {activation.name: activation for activation in load_specs(SPECS)}
    assert set(elsewhere()) <= set(activations)
    for name, facts in elsewhere().items():
        named = {builtin.name for builtin in activations[name].builtins.values()}
        assert named.isdisjoint(fact.name for fact in facts), name


# Of the slopes at the kink only those of layers are written down by hand.
@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("torch.nn.PReLU", 0.25),
        ("keras.layers.PReLU", 0.0),
        ("flax.nnx.PReLU", 1.0),
        ("flax.linen.PReLU", 1.0),
        ("equinox.nn.PReLU", 1.0),
    ],
)
def test_the_slope_of_each_prelu_at_0_is_the_one_that_its_note_says(name: str, slope: float) -> None:
    (fact,) = (fact for fact in elsewhere()["prelu"] if fact.name == name)
    assert SLOPES[name]() == slope
    said = fact.note.rpartition("slope at 0 is ")[2]
    assert said == ("the parameter" if name == "torch.nn.PReLU" else f"{slope:g}")


def found(name: str) -> Any:
    """What has a name in a framework."""
    home, _, attribute = name.replace("tf.", "tensorflow.", 1).rpartition(".")
    package = home.partition(".")[0]
    if package in ("flax", "equinox"):
        pytest.importorskip(package, reason="building and testing need no Flax and no Equinox")
    owner = import_module("tensorflow") if package == "tensorflow" else import_module(home)
    for part in home.split(".")[1:] if package == "tensorflow" else ():
        owner = getattr(owner, part)
    return getattr(owner, attribute)


def defaults(name: str) -> Mapping[str, Any]:
    """The defaults of what has a name in a framework, or is an operator of ONNX."""
    package, _, operator = name.partition(".")
    if package == "onnx":
        attributes = import_module("onnx.defs").get_schema(operator).attributes
        read = import_module("onnx.helper").get_attribute_value
        values = {name: read(each.default_value) for name, each in attributes.items() if each.default_value.name}
        return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}
    function = found(name)
    # A metaclass such as Flax's takes any arguments.
    function = function.__dict__.get("__init__", function) if inspect.isclass(function) else function
    parameters = inspect.signature(function).parameters
    return {name: each.default for name, each in parameters.items()}


def slope_in_torch() -> float:
    torch: Any = import_module("torch")
    x = torch.zeros(1, requires_grad=True)
    found("torch.nn.PReLU")()(x).backward()
    return float(x.grad)


def slope_in_keras() -> float:
    keras: Any = import_module("keras")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the slope is that of Keras on TensorFlow")
    tensorflow: Any = import_module("tensorflow")
    layer = found("keras.layers.PReLU")(alpha_initializer=keras.initializers.Constant(0.25))
    x = tensorflow.zeros((1, 1))
    with tensorflow.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    return float(np.asarray(tape.gradient(y, x))[0, 0])


def slope_in_jax(function: Callable[[Any], Any]) -> float:
    return float(import_module("jax").grad(function)(0.0))


def slope_in_linen() -> float:
    module = found("flax.linen.PReLU")()
    jax: Any = import_module("jax")
    variables = module.init(jax.random.key(0), jax.numpy.zeros(()))
    return slope_in_jax(lambda x: module.apply(variables, x))


SLOPES: Mapping[str, Callable[[], float]] = {
    "torch.nn.PReLU": slope_in_torch,
    "keras.layers.PReLU": slope_in_keras,
    "flax.nnx.PReLU": lambda: slope_in_jax(found("flax.nnx.PReLU")()),
    "flax.linen.PReLU": slope_in_linen,
    "equinox.nn.PReLU": lambda: slope_in_jax(found("equinox.nn.PReLU")()),
}
