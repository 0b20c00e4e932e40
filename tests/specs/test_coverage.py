"""Every elementwise activation that a framework ships is declared; which these are, the framework itself is asked."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import jax
import keras
import numpy as np
import pytest
import torch

from tests.specs.textbook import FORMULAS

HOMES: dict[str, ModuleType] = {
    "torch.nn.functional": torch.nn.functional,
    "keras.activations": keras.activations,
    "jax.nn": jax.nn,
}

NO_ACTIVATIONS = {
    "it is no function of tensors, but machinery": """
        assert_int_or_pair boolean_dispatch handle_torch_function has_torch_function has_torch_function_unary
        has_torch_function_variadic Optional deserialize get serialize get_scaled_dot_general_config
        """,
    "it is the function of the same name, in place": "celu_ elu_ hardtanh_ leaky_relu_ relu_ rrelu_ selu_ threshold_",
    "it pools": """
        adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool1d_with_indices
        adaptive_max_pool2d adaptive_max_pool2d_with_indices adaptive_max_pool3d adaptive_max_pool3d_with_indices
        avg_pool1d avg_pool2d avg_pool3d fractional_max_pool2d fractional_max_pool2d_with_indices fractional_max_pool3d
        fractional_max_pool3d_with_indices lp_pool1d lp_pool2d lp_pool3d max_pool1d max_pool1d_with_indices max_pool2d
        max_pool2d_with_indices max_pool3d max_pool3d_with_indices max_unpool1d max_unpool2d max_unpool3d
        """,
    "it multiplies with weights or inputs": """
        bilinear conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d embedding
        embedding_bag grouped_mm linear multi_head_attention_forward scaled_dot_product_attention scaled_grouped_mm
        scaled_mm dot_product_attention scaled_dot_general scaled_matmul
        """,
    "it is a loss or a distance": """
        binary_cross_entropy binary_cross_entropy_with_logits cosine_embedding_loss cosine_similarity cross_entropy
        ctc_loss gaussian_nll_loss hinge_embedding_loss huber_loss kl_div l1_loss linear_cross_entropy
        margin_ranking_loss mse_loss multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss nll_loss
        pairwise_distance pdist poisson_nll_loss smooth_l1_loss soft_margin_loss triplet_margin_loss
        triplet_margin_with_distance_loss
        """,
    "it drops at random": "alpha_dropout dropout dropout1d dropout2d dropout3d feature_alpha_dropout",
    "it moves numbers about": """
        affine_grid channel_shuffle fold grid_sample interpolate native_channel_shuffle one_hot pad pixel_shuffle
        pixel_unshuffle unfold upsample upsample_bilinear upsample_nearest
        """,
    "it normalises": """
        batch_norm group_norm instance_norm layer_norm local_response_norm normalize rms_norm standardize
        """,
    "it works along an axis": "glu log_softmax softmax softmin logmeanexp logsumexp",
    "it works along an axis, at random": "gumbel_softmax",
    "it sorts along an axis, for which the format has no word; and Keras's own, 3.15.1, is wrong": "sparsemax",
    "it is a step of other functions, log(1 - exp(-x)) for x > 0 alone": "log1mexp",
}
REASONS = {name: reason for reason, names in NO_ACTIVATIONS.items() for name in names.split()}

# Identity in Keras; in PyTorch the name is that of a matrix product.
ACTIVATIONS = {("keras.activations", "linear")}

NAMED = {builtin.name for formula in FORMULAS.values() for builtin in formula.activation.builtins.values()}
BY_NAME = {name: key for key, one in FORMULAS.items() for name in (key, *one.activation.aliases)}
POINTS = np.linspace(-6.03, 6.01, 128, dtype=np.float32)


def shipped() -> Iterator[tuple[str, str]]:
    """The public functions of each framework's module of activations."""
    for home, module in HOMES.items():
        for name in dir(module):
            found = getattr(module, name)
            if not name.startswith("_") and callable(found) and not inspect.isclass(found):
                yield home, name


ELEMENTWISE = [pair for pair in shipped() if pair in ACTIVATIONS or pair[1] not in REASONS]


@pytest.mark.parametrize(("home", "name"), ELEMENTWISE)
def test_an_activation_that_a_framework_ships_is_declared(home: str, name: str) -> None:
    assert f"{home}.{name}" in NAMED or name in BY_NAME, (
        f"{home}.{name} is an activation that no spec has: write one that names it under [builtins], or say in "
        "NO_ACTIVATIONS why it is none"
    )


BY_NAME_ALONE = [(home, name) for home, name in ELEMENTWISE if f"{home}.{name}" not in NAMED and name in BY_NAME]

# They are declared, but none can be called with an input alone.
NEED_MORE = {("torch.nn.functional", "prelu"): "its slopes are a tensor"}


@pytest.mark.parametrize(("home", "name"), [pair for pair in BY_NAME_ALONE if pair not in NEED_MORE])
def test_what_is_declared_under_its_name_alone_is_the_same_function(home: str, name: str) -> None:
    function: Any = getattr(HOMES[home], name)
    given = function(torch.from_numpy(POINTS)) if home.startswith("torch") else function(POINTS)
    declared = FORMULAS[BY_NAME[name]].value(POINTS.astype(np.float64))
    np.testing.assert_allclose(np.asarray(given), declared, rtol=1e-5, atol=1e-6)


def test_prelu_is_declared_with_the_function_that_it_is_at_its_initial_value() -> None:
    x = torch.from_numpy(POINTS)
    given = torch.nn.functional.prelu(x, torch.tensor([0.25])).numpy()
    np.testing.assert_allclose(given, FORMULAS["prelu"].value(POINTS.astype(np.float64)), rtol=1e-6)
    assert set(NEED_MORE) <= set(BY_NAME_ALONE)


def test_sparsemax_of_keras_is_still_wrong() -> None:
    # Its rows must add up to 1: (1, 0.9, 0.1) gives (0.55, 0.45, 0). Once this fails, ours could be compared with it.
    row = np.asarray(keras.ops.convert_to_numpy(keras.activations.sparsemax(np.array([[1, 0.9, 0.1]], "float32"))))
    assert row.sum() < 0.1


def test_a_function_that_a_framework_gains_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax.nn, "swooshish", lambda x: x, raising=False)
    assert ("jax.nn", "swooshish") in set(shipped())
    assert "swooshish" not in REASONS
    assert "swooshish" not in BY_NAME


def test_the_frameworks_were_asked_and_not_an_empty_module() -> None:
    found = set(ELEMENTWISE)
    assert {("torch.nn.functional", "gelu"), ("keras.activations", "mish"), ("jax.nn", "soft_sign")} <= found
    assert len(found) > 60
