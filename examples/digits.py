"""The handwritten digits that scikit-learn ships: 1,797 grey images of 8 x 8 pixels, no download.

A set of UCI's (https://doi.org/10.24432/C50P49), from 43 writers. The split is fixed, so that accuracies of the
examples can be compared with each other and from one run to the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


@dataclass(frozen=True)
class Digits:
    """Images (count, 8, 8, 1) in float32 and their digits (count,) in int32, for training and for the test."""

    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int32]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int32]


def load() -> Digits:
    """Return the digits, one in five for the test, with the training pixels at mean 0 and standard deviation 1."""
    images, labels = load_digits(return_X_y=True)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images.reshape(-1, 8, 8, 1).astype(np.float32),
        labels.astype(np.int32),
        test_size=0.2,
        random_state=0,
        stratify=labels,
    )
    mean, deviation = train_images.mean(), train_images.std()
    return Digits(
        train_images=(train_images - mean) / deviation,
        train_labels=train_labels,
        test_images=(test_images - mean) / deviation,
        test_labels=test_labels,
    )
