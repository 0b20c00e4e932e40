"""One value in all, one for each channel, or any shape: what fits broadcasts, what does not is told from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.trainable.conftest import Emitted
from tests.trainable.frameworks import X

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

GRID = np.linspace(-0.75, 1.5, 12, dtype=np.float32).reshape(3, 4)


def leaky(slope: Any) -> np.ndarray:
    return np.asarray(np.where(X > 0, X, np.float32(slope) * X))


def test_in_torch_a_shape_is_that_of_the_input_without_its_first_axis(emitted: Emitted) -> None:
    import torch

    prelu, x = emitted("torch").PReLU, torch.from_numpy(X)
    for arguments, slope in [
        ({}, 0.25),
        ({"num_parameters": 3, "alpha": GRID[:, 0].tolist()}, GRID[:, :1]),
        ({"num_parameters": 4, "alpha": torch.from_numpy(GRID[0]), "channel_axis": 2}, GRID[0]),
        ({"num_parameters": 4, "alpha": GRID[0], "channel_axis": -1}, GRID[0]),
        ({"num_parameters": (3, 4), "alpha": GRID}, GRID),
        ({"num_parameters": (3, 1), "alpha": GRID[:, 0]}, GRID[:, :1]),
        ({"num_parameters": (4,), "alpha": 0.5}, 0.5),
    ]:
        layer = prelu(**arguments)
        np.testing.assert_array_equal(layer(x).detach().numpy(), leaky(slope))
        layer(x).sum().backward()
        assert layer.alpha.grad.shape == layer.alpha.shape
    refused: list[tuple[dict[str, Any], str]] = [
        ({"num_parameters": 5}, "expected 5 channels on axis 1, got an input of shape"),
        ({"num_parameters": 2, "channel_axis": 3}, "expected 2 channels on axis 3"),
        ({"num_parameters": (4, 4)}, r"parameters of shape \(4, 4\) broadcast against behind its first axis"),
        ({"num_parameters": (2, 3, 4)}, "behind its first axis"),
    ]
    for arguments, message in refused:
        with pytest.raises(ValueError, match=f"PReLU: .*{message}"):
            prelu(**arguments)(x)
    with pytest.raises(ValueError, match=r"alpha cannot go from shape \(2,\) into one of shape \(3,\)"):
        prelu(3, alpha=[0.1, 0.2])


@pytest.mark.parametrize("framework", ["flax", "equinox"])
def test_on_jax_a_shape_is_that_of_the_last_axes_and_one_axis_that_of_the_channels(
    emitted: Emitted, framework: str
) -> None:
    prelu = emitted(framework).PReLU
    for arguments, slope in [
        ({}, 0.25),
        ({"alpha": 0.5}, 0.5),
        ({"shape": 4, "alpha": GRID[0].tolist()}, GRID[0]),
        ({"shape": (3,), "alpha": GRID[:, 0], "channel_axis": 1}, GRID[:, :1]),
        ({"shape": (3, 4), "alpha": GRID}, GRID),
        ({"shape": (3, 1), "alpha": GRID[:, 0]}, GRID[:, :1]),
    ]:
        np.testing.assert_array_equal(np.asarray(prelu(**arguments)(X)), leaky(slope))
    refused: list[tuple[dict[str, Any], str]] = [
        ({"shape": 5}, "expected 5 channels on axis -1, got an input of shape"),
        ({"shape": 2, "channel_axis": 3}, "expected 2 channels on axis 3"),
        ({"shape": (4, 4)}, r"parameters of shape \(4, 4\) broadcast against"),
        ({"shape": (2, 2, 3, 4)}, "broadcast against"),
    ]
    for arguments, message in refused:
        with pytest.raises(ValueError, match=f"PReLU: .*{message}"):
            prelu(**arguments)(X)
    with pytest.raises(ValueError, match=r"alpha cannot go from shape \(2,\) into one of shape \(3,\)"):
        prelu([0.1, 0.2], shape=3)


def test_in_keras_shared_axes_give_the_shape(emitted: Emitted) -> None:
    import keras

    prelu = emitted("keras").PReLU
    for arguments, slope in [
        ({}, 0.25),
        ({"shared_axes": [1, 2], "alpha_initializer": 0.5}, 0.5),
        ({"alpha_initializer": GRID[0].tolist()}, GRID[0]),
        ({"shared_axes": 2, "alpha_initializer": GRID[:, :1]}, GRID[:, :1]),
        ({"shared_axes": [], "alpha_initializer": keras.initializers.Constant(GRID.tolist())}, GRID),
    ]:
        layer = prelu(**arguments)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer(X)), leaky(slope))
        config = layer.get_config()
        again = prelu.from_config(config)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(again(X)), leaky(slope))
    with pytest.raises(ValueError, match=r"no axes \[3\] from 1 on in an input of shape"):
        prelu(shared_axes=[3])(X)
    with pytest.raises(ValueError, match="add axes of unknown length to shared_axes"):
        prelu(shared_axes=[])(keras.Input((None, 4)))


def test_a_parameter_of_another_type_does_not_promote_the_result(emitted: Emitted) -> None:
    import jax.numpy as jnp
    import torch

    half = jnp.asarray(X, jnp.bfloat16)
    for framework in ("flax", "equinox"):
        assert emitted(framework).Positive(shape=4)(half).dtype == jnp.bfloat16
        assert emitted(framework).PReLU()(X.astype(np.int32)).dtype == jnp.float32
    narrow = emitted("torch").Positive(3, dtype=torch.bfloat16)
    assert narrow(torch.from_numpy(X)).dtype == torch.float32
    assert narrow.alpha.dtype == torch.float32
    assert emitted("torch").PReLU(3)(torch.from_numpy(X).bfloat16()).dtype == torch.bfloat16
