"""Defaults as frameworks declare them, in Python, in C, or not at all."""

from __future__ import annotations

from typing import Any

import jax
import keras
import pytest
import torch

from actgen.frameworks.signature import REQUIRED, defaults


@pytest.mark.parametrize(
    ("function", "declared"),
    [
        (torch.nn.functional.leaky_relu, {"negative_slope": 0.01}),
        (torch.nn.functional.gelu, {"approximate": "none"}),
        (torch.nn.functional.softplus, {"beta": 1, "threshold": 20}),
        (torch.nn.functional.logsigmoid, {}),
        (torch.nn.functional.threshold, {"threshold": REQUIRED, "value": REQUIRED}),
        (torch.tanh, {}),
        (keras.activations.leaky_relu, {"negative_slope": 0.2}),
        (keras.activations.relu, {"negative_slope": 0.0, "max_value": None, "threshold": 0.0}),
        (jax.nn.gelu, {"approximate": True}),
        (jax.nn.relu, {}),
    ],
)
def test_the_defaults_are_those_that_the_framework_declares(function: Any, declared: dict[str, Any]) -> None:
    assert defaults(function) == declared


def test_a_function_that_does_not_tell_has_none() -> None:
    assert defaults(min) is None
