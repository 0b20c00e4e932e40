"""The values of trainable parameters move between the frameworks, and the outputs with them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from tests.trainable.conftest import Emitted
from tests.trainable.frameworks import ADAPTORS, MODULES, Trained, X

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PAIRS = list(itertools.permutations(MODULES, 2))
LEARNED = np.array([0.1, 0.7, 1e-3, 0.2501], np.float32)


def make(emitted: Emitted, framework: str, name: str) -> Trained:
    """A layer with one value for each channel on the last axis."""
    return ADAPTORS[framework](emitted(framework), name, channels=4)


@pytest.mark.parametrize(("giver", "taker"), PAIRS)
def test_a_prelu_moves_with_equal_values_and_equal_results(emitted: Emitted, giver: str, taker: str) -> None:
    one, other = make(emitted, giver, "PReLU"), make(emitted, taker, "PReLU")
    one.load({"alpha": LEARNED})
    other.load(one.values())
    np.testing.assert_array_equal(np.ravel(other.values()["alpha"]), LEARNED)
    np.testing.assert_array_equal(other.call(X), one.call(X))
    np.testing.assert_array_equal(one.call(X), np.where(X > 0, X, LEARNED * X))


@pytest.mark.parametrize(("giver", "taker"), PAIRS)
def test_a_positive_parameter_moves_by_its_value(emitted: Emitted, giver: str, taker: str) -> None:
    one, other = make(emitted, giver, "Positive"), make(emitted, taker, "Positive")
    one.load({"alpha": LEARNED})
    other.load(one.values())
    np.testing.assert_allclose(np.ravel(other.values()["alpha"]), np.ravel(one.values()["alpha"]), rtol=1e-6)
    np.testing.assert_allclose(other.call(X), one.call(X), rtol=1e-6)


def test_a_checkpoint_goes_round_through_files_of_every_framework(emitted: Emitted, tmp_path: Any) -> None:
    import equinox as eqx
    import keras
    import torch
    from flax import nnx

    # PyTorch: a state_dict in a file.
    prelu: Any = emitted("torch").PReLU(4, channel_axis=-1)
    net = torch.nn.Sequential(torch.nn.Identity(), prelu)
    prelu.load_parameter_values({"alpha": LEARNED})
    torch.save(net.state_dict(), tmp_path / "torch.pt")
    state = torch.load(tmp_path / "torch.pt")
    expected = net(torch.from_numpy(X)).detach().numpy()

    # Keras: a model in a file, its layer filled from the state_dict.
    model = keras.Sequential([keras.Input((3, 4)), emitted("keras").PReLU()])
    model.layers[-1].load_parameter_values({"alpha": state["1.alpha"].numpy()})
    model.save(tmp_path / "model.keras")
    layer = keras.models.load_model(tmp_path / "model.keras").layers[-1]
    np.testing.assert_array_equal(layer(X), expected)

    # Flax NNX: a state, split from its module.
    module = emitted("flax").PReLU(shape=4)
    module.load_parameter_values(layer.parameter_values())
    graph, leaves = nnx.split(module)
    module = nnx.merge(graph, leaves)
    np.testing.assert_array_equal(module(X), expected)

    # Equinox: the leaves of a tree in a file.
    tree = emitted("equinox").PReLU(shape=4).with_parameter_values(module.parameter_values())
    eqx.tree_serialise_leaves(tmp_path / "tree.eqx", tree)
    tree = eqx.tree_deserialise_leaves(tmp_path / "tree.eqx", emitted("equinox").PReLU(shape=4))
    np.testing.assert_array_equal(tree(X), expected)

    # And back.
    prelu = emitted("torch").PReLU(4, channel_axis=-1)
    again = torch.nn.Sequential(torch.nn.Identity(), prelu)
    prelu.load_parameter_values(tree.parameter_values())
    assert all(torch.equal(again.state_dict()[key], value) for key, value in state.items())
    np.testing.assert_array_equal(again(torch.from_numpy(X)).detach().numpy(), expected)


@pytest.mark.parametrize("framework", MODULES)
def test_a_name_or_a_shape_that_does_not_fit_is_refused(emitted: Emitted, framework: str) -> None:
    layer = make(emitted, framework, "PReLU")
    with pytest.raises(ValueError, match="PReLU has no trainable parameter beta, gamma"):
        layer.load({"gamma": 1.0, "alpha": 1.0, "beta": 1.0})
    with pytest.raises(ValueError, match="PReLU: alpha cannot go from shape"):
        layer.load({"alpha": [0.1, 0.2, 0.3]})
    np.testing.assert_array_equal(np.ravel(layer.values()["alpha"]), np.full(4, 0.25, np.float32))
    layer.load({"alpha": LEARNED.reshape(1, 4, 1)})
    np.testing.assert_array_equal(np.ravel(layer.values()["alpha"]), LEARNED)
    layer.load({"alpha": 0.5})
    np.testing.assert_array_equal(np.ravel(layer.values()["alpha"]), np.full(4, 0.5, np.float32))


def test_a_keras_layer_without_weights_says_so(emitted: Emitted) -> None:
    with pytest.raises(ValueError, match="PReLU has no parameters yet: call it on an input"):
        emitted("keras").PReLU().parameter_values()


def test_in_torch_assigning_a_value_sets_what_it_is_made_of(emitted: Emitted) -> None:
    import torch

    layer = emitted("torch").Positive(3)
    before = layer.raw_alpha
    layer.alpha = [0.5, 1.0, 2.0]
    assert layer.raw_alpha is before
    torch.testing.assert_close(layer.alpha, torch.tensor([0.5, 1.0, 2.0]))
    torch.testing.assert_close(layer.raw_alpha, torch.tensor([0.5, 1.0, 2.0]).expm1().log())
    with pytest.raises(ValueError, match="Positive: alpha must be positive, got 0"):
        layer.alpha = 0
