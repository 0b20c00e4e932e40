"""Modules with trainable parameters work with what the frameworks offer for training."""

from __future__ import annotations

import copy
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trainable.conftest import Emitted
from tests.trainable.frameworks import X

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def gradients(module: Any, x: Any) -> dict[str, Any]:
    module.zero_grad()
    module(x).square().sum().backward()
    return {name.removeprefix("module."): parameter.grad.clone() for name, parameter in module.named_parameters()}


def test_in_torch_data_parallel_training_sees_the_same_gradients(emitted: Emitted, tmp_path: Path) -> None:
    import torch
    from torch import distributed
    from torch.nn.parallel import DistributedDataParallel

    package, x = emitted("torch"), torch.from_numpy(X)
    net = torch.nn.Sequential(package.PReLU(3), package.Positive(3))
    expected = gradients(net, x)
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    try:
        parallel = DistributedDataParallel(copy.deepcopy(net))
        found = gradients(parallel, x)
    finally:
        distributed.destroy_process_group()
    assert found.keys() == expected.keys() == {"0.alpha", "1.raw_alpha"}
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_in_torch_activations_go_into_a_group_without_weight_decay(emitted: Emitted) -> None:
    import torch

    package = emitted("torch")
    layers: list[Any] = [package.PReLU(), package.Positive()]
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), *layers)
    activations = [
        p for module in net if isinstance(module, (package.PReLU, package.Positive)) for p in module.parameters()
    ]
    ours = {id(parameter) for parameter in activations}
    others = [parameter for parameter in net.parameters() if id(parameter) not in ours]
    optimizer = torch.optim.SGD(
        [{"params": others, "weight_decay": 0.5}, {"params": activations, "weight_decay": 0.0}], 0.1
    )
    before = [layer.parameter_values()["alpha"] for layer in layers]
    weight = next(net.parameters()).detach().clone()
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert [layer.parameter_values()["alpha"] for layer in layers] == before
    torch.testing.assert_close(next(net.parameters()).detach(), weight * 0.95)


# 2026-11: Dynamo of torch 2.13 instantiates Functions, which torch deprecates.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_in_torch_a_module_is_compiled_whole_with_its_gradients(emitted: Emitted) -> None:
    import torch

    package, x = emitted("torch"), torch.from_numpy(X)
    net = torch.nn.Sequential(package.PReLU((3, 4)), package.Open(3), package.Closed(4, channel_axis=-1))
    torch._dynamo.reset()
    compiled: Any = torch.compile(net, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), net(x))
    expected = gradients(net, x)
    compiled.zero_grad()
    compiled(x).square().sum().backward()
    for name, parameter in net.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name])


# 2026-11: forward mode of torch 2.13 uses torch.jit, which torch deprecates.
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_in_torch_a_module_is_copied_pickled_moved_and_called_functionally(emitted: Emitted) -> None:
    import torch

    x = torch.from_numpy(X)
    layer = emitted("torch").OpenAbove(3, alpha=torch.tensor([-1.0, 0.0, 0.75]))
    layer.alpha = [-0.5, 0.25, 0.5]
    buffer = io.BytesIO()
    torch.save(layer, buffer)
    buffer.seek(0)
    for again in (copy.deepcopy(layer), torch.load(buffer, weights_only=False), layer.to("cpu", torch.float32)):
        assert torch.equal(again(x), layer(x))
        assert repr(again) == repr(layer)
    parameters = {name: parameter.detach() for name, parameter in layer.named_parameters()}
    assert torch.equal(torch.func.functional_call(layer, parameters, (x,)), layer(x))
    forward = torch.func.jacfwd(lambda given: torch.func.functional_call(layer, given, (x,)).sum())(parameters)
    backward = torch.func.jacrev(lambda given: torch.func.functional_call(layer, given, (x,)).sum())(parameters)
    torch.testing.assert_close(forward, backward)
    layer.reset_parameters()
    np.testing.assert_allclose(layer.parameter_values()["alpha"], [-1.0, 0.0, 0.75], rtol=1e-6, atol=1e-7)
    with torch.device("meta"):
        empty = emitted("torch").OpenAbove(3, alpha=0.5)
    empty.to_empty(device="cpu").reset_parameters()
    np.testing.assert_allclose(empty.parameter_values()["alpha"], [0.5] * 3, rtol=1e-6)


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_in_keras_mixed_precision_keeps_parameters_wide_and_trains(emitted: Emitted, half: str) -> None:
    import keras

    layer = emitted("keras").Positive(dtype=f"mixed_{half}")
    model = keras.Sequential([keras.Input((3, 4)), layer])
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(10.0), initial_scale=64.0)
    model.compile(optimizer, "mse", jit_compile=False)
    model.fit(X, np.where(X > 0, X, -X), epochs=2, batch_size=2, verbose=0)
    assert (layer.alpha.dtype, model(X).dtype) == ("float32", half)
    np.testing.assert_array_equal(np.ravel(layer.parameter_values()["alpha"]), np.full(4, 1e-7, np.float32))


SHARDED = """
import sys
import equinox as eqx, jax, jax.numpy as jnp, numpy as np
from flax import nnx
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from trained import equinox, flax
from trained.jax import positive

assert len(jax.devices()) == 8
mesh = Mesh(np.array(jax.devices()).reshape(4, 2), ("batch", "channel"))
places = NamedSharding(mesh, PartitionSpec("batch", "channel"))
x = jnp.linspace(-3, 3, 8 * 16, dtype="float32").reshape(8, 16)
spread = jax.device_put(x, places)
values = {"alpha": np.linspace(0.1, 1.7, 16, dtype="float32")}
one = flax.Positive(shape=16)
one.load_parameter_values(values)
other = equinox.Positive(shape=16).with_parameter_values(values)
whole = one(x)
modules = {
    "function": (jax.jit(positive), (values["alpha"],), positive(x, values["alpha"])),
    "flax": (nnx.jit(lambda x, module: module(x)), (one,), whole),
    "equinox": (eqx.filter_jit(lambda x, module: module(x)), (other,), other(x)),
}
for name, (call, arguments, expected) in modules.items():
    y = call(spread, *arguments)
    assert y.sharding.is_equivalent_to(places, y.ndim), (name, y.sharding)
    np.testing.assert_array_equal(y, expected, err_msg=name)
slope = jax.jit(jax.grad(lambda x: positive(x, values["alpha"]).sum()))(spread)
assert slope.sharding.is_equivalent_to(places, 2), slope.sharding
laid = eqx.tree_at(
    lambda m: m.raw_alpha, other, jax.device_put(other.raw_alpha, NamedSharding(mesh, PartitionSpec("channel")))
)
slopes = eqx.filter_jit(eqx.filter_grad(lambda m, x: (m(x) ** 2).mean()))(laid, spread)
expected = eqx.filter_grad(lambda m, x: (m(x) ** 2).mean())(other, x)
np.testing.assert_allclose(slopes.raw_alpha, expected.raw_alpha, rtol=1e-6)
print("sharded")
"""


def test_on_jax_sharded_inputs_give_results_sharded_the_same_and_equal(package: Path) -> None:
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", SHARDED]
    done = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "sharded\n", done.stderr


def test_on_jax_modules_split_merge_partition_and_batch(emitted: Emitted) -> None:
    import equinox as eqx
    import jax
    import jax.numpy as jnp
    from flax import nnx

    module = emitted("flax").Positive(0.5, shape=4)
    graph, state = nnx.split(module, nnx.Param)
    assert jax.tree.map(lambda leaf: leaf.shape, nnx.to_pure_dict(state)) == {"raw_alpha": (4,)}
    np.testing.assert_array_equal(nnx.merge(graph, state)(X), module(X))
    tree = emitted("equinox").Positive(0.5, shape=4)
    arrays, rest = eqx.partition(tree, eqx.is_array)
    assert [leaf.shape for leaf in jax.tree.leaves(arrays)] == [(4,)]
    np.testing.assert_array_equal(eqx.combine(arrays, rest)(X), tree(X))
    np.testing.assert_array_equal(eqx.filter_vmap(tree)(X), tree(X))
    np.testing.assert_array_equal(eqx.nn.Sequential([tree, eqx.nn.Identity()])(jnp.asarray(X)), tree(X))
    several = eqx.filter_vmap(lambda alpha: eqx.tree_at(lambda m: m.raw_alpha, tree, alpha))(
        np.zeros((3, 4), "float32")
    )
    assert eqx.filter_vmap(lambda m: m(X))(several).shape == (3, *X.shape)
