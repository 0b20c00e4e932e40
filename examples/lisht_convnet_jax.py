"""Train a small ConvNet with a generated activation in JAX alone, save it, load it, and get the same predictions.

    python examples/lisht_convnet_jax.py [--epochs 20] [--seed 0] [--out lisht_convnet.npz]

The same model as in ``lisht_convnet.py``, as pure functions of a dictionary of arrays, with Adam written out. Exits
with 1 if fewer than 97 % of the test images are recognised.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import digits
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from generated.jax import lisht

REQUIRED_ACCURACY = 0.97
BATCH = 32

Weights = dict[str, Array]


class Adam(NamedTuple):
    """The optimizer's state: steps taken, and the running means of the gradient and of its square."""

    steps: Array
    mean: Weights
    square: Weights


def initial_weights(key: Array) -> Weights:
    """Return Glorot-uniform kernels and zero biases."""
    glorot = jax.nn.initializers.glorot_uniform()
    shapes = {"conv1": (3, 3, 1, 32), "conv2": (3, 3, 32, 64), "dense": (256, 256), "head": (256, 10)}
    kernels = {
        name: glorot(k, shape) for k, (name, shape) in zip(jax.random.split(key, 4), shapes.items(), strict=True)
    }
    return kernels | {f"{name}_bias": jnp.zeros(shape[-1]) for name, shape in shapes.items()}


def logits(weights: Weights, images: Array, key: Array | None = None) -> Array:
    """Return the logits (count, 10) of images (count, 8, 8, 1); with a key, dropout is on."""
    keys = (None, None, None) if key is None else jax.random.split(key, 3)
    x = dropout(keys[0], 0.25, block(images, weights["conv1"], weights["conv1_bias"]))
    x = dropout(keys[1], 0.25, block(x, weights["conv2"], weights["conv2_bias"]))
    x = lisht(x.reshape(len(x), -1) @ weights["dense"] + weights["dense_bias"])
    return dropout(keys[2], 0.5, x) @ weights["head"] + weights["head_bias"]


def block(images: Array, kernel: Array, bias: Array) -> Array:
    """Return a 3 x 3 convolution, LiSHT, and the largest of each 2 x 2 pixels."""
    x = lax.conv_general_dilated(images, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    count, height, width, channels = x.shape
    return lisht(x + bias).reshape(count, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))


def dropout(key: Array | None, rate: float, x: Array) -> Array:
    """Return x with a share of it set to 0 and the rest scaled up; x itself without a key."""
    if key is None:
        return x
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)


def cross_entropy(weights: Weights, images: Array, labels: Array, key: Array) -> Array:
    """Return the mean of -log p(label)."""
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits(weights, images, key)), labels[:, None], axis=1))


@partial(jax.jit, donate_argnums=(0, 1))
def train_step(
    weights: Weights, adam: Adam, images: Array, labels: Array, key: Array, rate: float
) -> tuple[Weights, Adam]:
    """Return the weights and the optimizer after one batch; the key draws the dropout."""
    return updated(weights, jax.grad(cross_entropy)(weights, images, labels, key), adam, rate)


def updated(weights: Weights, gradient: Weights, adam: Adam, rate: Array | float) -> tuple[Weights, Adam]:
    """Return weights and state after one step of Adam (Kingma and Ba, 2014, https://arxiv.org/abs/1412.6980)."""
    steps = adam.steps + 1
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, adam.mean, gradient)
    square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, adam.square, gradient)
    rate = rate * jnp.sqrt(1 - 0.999**steps) / (1 - 0.9**steps)
    weights = jax.tree.map(lambda w, m, s: w - rate * m / (jnp.sqrt(s) + 1e-8), weights, mean, square)
    return weights, Adam(steps, mean, square)


def train(samples: digits.Digits, epochs: int, seed: int) -> Weights:
    """Return weights fitted by Adam, its rate falling to 0 along a cosine, in batches drawn anew every epoch."""
    # The default generator, threefry, takes longer to compile for a CPU than the training to run.
    weights_key, dropout_key = jax.random.split(jax.random.key(seed, impl="rbg"))
    weights = initial_weights(weights_key)
    adam = Adam(jnp.zeros(()), jax.tree.map(jnp.zeros_like, weights), jax.tree.map(jnp.zeros_like, weights))
    generator = np.random.default_rng(seed)
    batches = len(samples.train_labels) // BATCH
    rates = iter(1e-3 * (1 + np.cos(np.linspace(0, np.pi, epochs * batches, dtype=np.float32))))
    # A Python loop over compiled steps: XLA on a CPU runs the convolutions of a lax.scan three times slower.
    for epoch_key in jax.random.split(dropout_key, epochs):
        order = generator.permutation(len(samples.train_labels))[: batches * BATCH].reshape(batches, BATCH)
        for batch, key in zip(order, jax.random.split(epoch_key, batches), strict=True):
            images, labels = samples.train_images[batch], samples.train_labels[batch]
            weights, adam = train_step(weights, adam, images, labels, key, next(rates))
    return weights


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, judge, save, load, predict again; return the exit status."""
    parser = argparse.ArgumentParser(description="Train a ConvNet with LiSHT on handwritten digits, in JAX.")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="where to keep the weights, NAME.npz (default: not kept)")
    options = parser.parse_args(arguments)

    started = time.perf_counter()
    samples = digits.load()
    weights = train(samples, options.epochs, options.seed)
    predict = jax.jit(logits)
    predictions = predict(weights, samples.test_images)
    accuracy = float(jnp.mean(predictions.argmax(axis=1) == samples.test_labels))

    with tempfile.TemporaryDirectory() as scratch:
        path = options.out or Path(scratch) / "lisht_convnet.npz"
        np.savez(path, **weights)
        with np.load(path) as archive:
            loaded = dict(archive)
    np.testing.assert_array_equal(predict(loaded, samples.test_images), predictions)

    print(f"JAX: {accuracy:.2%} of {len(samples.test_labels)} test images", end=" ")
    print(f"in {time.perf_counter() - started:.1f} s; the same after saving and loading")
    return 0 if accuracy > REQUIRED_ACCURACY else 1


if __name__ == "__main__":
    sys.exit(main())
