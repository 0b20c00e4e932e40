"""Train a small ConvNet with a generated activation in Keras, save it, load it, and get the same predictions.

    python examples/lisht_convnet.py [--epochs 20] [--seed 0] [--out lisht_convnet.keras]

``lisht`` is used as Keras users do: as a layer, and as the ``activation`` of ``Dense``. Both survive ``save`` and
``load_model`` without ``custom_objects``. Runs on any Keras backend (``KERAS_BACKEND=torch``). Exits with 1 if fewer
than 97 % of the test images are recognised.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import digits
import keras
import numpy as np
from keras import layers

from generated.keras import LiSHT, lisht

REQUIRED_ACCURACY = 0.97
BATCH = 32


def convnet() -> keras.Model:
    """Return two convolutional blocks of 32 and 64 channels, dropout, and a dense layer of 256."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same"),
            LiSHT(),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Conv2D(64, 3, padding="same"),
            LiSHT(),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(256, activation=lisht),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def train(model: keras.Model, samples: digits.Digits, epochs: int) -> None:
    """Fit the model by Adam, its rate falling to 0 along a cosine."""
    steps = epochs * math.ceil(len(samples.train_labels) / BATCH)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy")
    model.fit(samples.train_images, samples.train_labels, batch_size=BATCH, epochs=epochs, verbose=0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, judge, save, load, predict again; return the exit status."""
    parser = argparse.ArgumentParser(description="Train a ConvNet with LiSHT on handwritten digits, in Keras.")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="where to keep the model, NAME.keras (default: not kept)")
    options = parser.parse_args(arguments)

    started = time.perf_counter()
    keras.utils.set_random_seed(options.seed)
    samples = digits.load()
    model = convnet()
    train(model, samples, options.epochs)
    probabilities = model.predict(samples.test_images, verbose=0)
    accuracy = float(np.mean(probabilities.argmax(axis=1) == samples.test_labels))

    with tempfile.TemporaryDirectory() as scratch:
        path = options.out or Path(scratch) / "lisht_convnet.keras"
        model.save(path)
        loaded = keras.models.load_model(path)
    np.testing.assert_array_equal(loaded.predict(samples.test_images, verbose=0), probabilities)

    print(f"Keras on {keras.backend.backend()}: {accuracy:.2%} of {len(samples.test_labels)} test images", end=" ")
    print(f"in {time.perf_counter() - started:.1f} s; the same after saving and loading")
    return 0 if accuracy > REQUIRED_ACCURACY else 1


if __name__ == "__main__":
    sys.exit(main())
