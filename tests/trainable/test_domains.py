"""A parameter stays in its domain whatever an optimizer does, and training works nevertheless."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actgen.spec import Domain
from tests.trainable.conftest import Emitted
from tests.trainable.frameworks import ADAPTORS, DOMAINS, MODULES, Trained, X, train

# 2026-11: keras 3.15 converts to NumPy in a way that NumPy 2 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def make(emitted: Emitted, framework: str, name: str, **arguments: Any) -> Trained:
    return ADAPTORS[framework](emitted(framework), name, **arguments)


def leaky(slope: float) -> np.ndarray:
    return np.where(X > 0, X, slope * X).astype(np.float32)


def is_inside(value: np.ndarray, domain: str) -> bool:
    """Whether float32 values are in a domain, each as exactly the number that it is."""
    return all(float(number) in Domain.parse(domain) for number in np.ravel(value))


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 5.0), ("adam", 0.5)])
@pytest.mark.parametrize("framework", MODULES)
def test_200_steps_too_large_leave_it_in_its_domain_and_the_loss_falls(
    emitted: Emitted, framework: str, optimizer: str, rate: float
) -> None:
    layers = [make(emitted, framework, name) for name in DOMAINS]
    losses = train(framework, layers, [leaky(outside) for _, _, outside in DOMAINS.values()], optimizer, rate, 200)
    assert np.isfinite(losses).all()
    for layer, (name, (domain, default, _)), fall in zip(layers, DOMAINS.items(), losses[-1] - losses[0], strict=True):
        assert is_inside(layer.value(), domain), (name, layer.value())
        # A default at the end that the target lies beyond is the best there is.
        assert fall < 0 or np.all(layer.value() == default), (name, fall, layer.value())


@pytest.mark.parametrize("framework", MODULES)
def test_it_reaches_a_value_inside_from_where_it_starts_even_at_an_end(emitted: Emitted, framework: str) -> None:
    layers = [make(emitted, framework, name) for name in DOMAINS]
    for layer in layers:
        assert all(np.isfinite(slope).all() and np.all(slope != 0) for slope in layer.gradients(X))
    wanted = []
    for domain, default, _ in DOMAINS.values():
        wanted.append(next(v for v in (0.7, -0.2, 2.5) if v in Domain.parse(domain) and v != default))
    losses = train(framework, layers, [leaky(value) for value in wanted], "adam", 0.1, 150)
    for name, layer, value, first, last in zip(DOMAINS, layers, wanted, losses[0], losses[-1], strict=True):
        assert last < 1e-3 * first, name
        np.testing.assert_allclose(np.ravel(layer.value()), value, atol=0.03, err_msg=name)


@pytest.mark.parametrize("framework", MODULES)
def test_what_is_set_is_what_is_read_to_float32_accuracy(emitted: Emitted, framework: str) -> None:
    numbers = [-1e4, -1.0, -0.999, -0.5, -1e-3, -1e-6, 0.0, 1e-6, 1e-3, 0.25, 0.5, 0.999, 1.0, 1.25, 2.0, 7.0, 1e4]
    for name, (text, _, _) in DOMAINS.items():
        domain = Domain.parse(text)
        layer = make(emitted, framework, name)
        # Of an end that is not 0 the distance is what is kept, to the last digit that float32 has at the end.
        ends = [abs(float(end)) for end in (domain.lower, domain.upper) if not end.is_infinite]
        for number in (number for number in numbers if number in domain):
            layer.load({"alpha": number})
            assert is_inside(layer.value(), text)
            np.testing.assert_allclose(
                np.ravel(layer.value()), np.float32(number), rtol=1e-6, atol=2.0**-23 * max(ends), err_msg=name
            )


@pytest.mark.parametrize("framework", MODULES)
def test_a_value_outside_its_domain_is_refused_and_changes_nothing(emitted: Emitted, framework: str) -> None:
    for name, (_, default, outside) in DOMAINS.items():
        layer = make(emitted, framework, name)
        for wrong in (outside, float("nan"), [[default, outside]]):
            with pytest.raises(ValueError, match=f"{name}: alpha must be"):
                layer.load({"alpha": wrong})
        np.testing.assert_allclose(np.ravel(layer.value()), default, rtol=1e-6)


@pytest.mark.parametrize("framework", ["torch", "flax", "equinox"])
def test_wherever_the_raw_parameter_goes_the_value_is_in_the_domain(emitted: Emitted, framework: str) -> None:
    for name, (text, _, _) in DOMAINS.items():
        layer = make(emitted, framework, name)
        for raw in (-1e30, -1e3, -104.0, -88.0, -17.0, -1.0, 0.0, 1.0, 17.0, 88.0, 1e3, 1e30):
            assert is_inside(layer.value_at(raw), text), (name, raw, layer.value_at(raw))


@pytest.mark.parametrize(
    ("right", "wrong"), [("nn.functional.softplus(raw)", "raw"), ("_clipped(", "(lambda v, *_: v)(")]
)
def test_a_wrong_mapping_would_be_found(package: Path, right: str, wrong: str) -> None:
    import torch

    source = (package / "trained/torch/positive.py").read_text(encoding="utf-8")
    assert source.count(right) >= 1
    scope: dict[str, Any] = {"__name__": "mutant"}
    exec(compile(source.replace(right, wrong, 1), "mutant", "exec", dont_inherit=True), scope)
    layer = scope["Positive"]()
    torch.nn.init.constant_(layer.raw_alpha, -1e3)
    is_found = not is_inside(layer.alpha.detach().numpy(), "positive")
    layer.reset_parameters()
    assert is_found or abs(layer.alpha.item() - 0.25) > 1e-6


def test_a_keras_constraint_of_the_user_takes_the_place_of_the_domain(emitted: Emitted) -> None:
    import keras

    free = emitted("keras").Positive(alpha_constraint=None)
    assert free.alpha_constraint is None
    held = emitted("keras").Positive(alpha_constraint=keras.constraints.NonNeg())
    assert isinstance(held.alpha_constraint, keras.constraints.NonNeg)
    default = emitted("keras").Positive()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(default))
    assert again.alpha_constraint.get_config() == {"lowest": 1e-7, "highest": None}


def test_an_unbounded_parameter_has_its_own_name_for_optimizers_and_files(emitted: Emitted) -> None:
    import jax
    from flax import nnx

    assert set(emitted("torch").PReLU().state_dict()) == {"alpha"}
    assert set(emitted("torch").Positive().state_dict()) == {"raw_alpha"}
    assert set(nnx.to_pure_dict(nnx.state(emitted("flax").PReLU()))) == {"alpha"}
    assert set(nnx.to_pure_dict(nnx.state(emitted("flax").Positive()))) == {"raw_alpha"}
    assert [jax.tree_util.keystr(path) for path, _ in jax.tree.leaves_with_path(emitted("equinox").PReLU())] == [
        ".alpha"
    ]
    assert {variable.name for variable in ADAPTORS["keras"](emitted("keras"), "Positive").module.weights} == {"alpha"}
