"""The ways in which activations are run: a target's code, in its framework, eagerly or compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """One way of running.

    Attributes:
        name: on the command line and in the record.
        title: in tables and pictures.
        target: whose generated code is measured.
        framework: which runs it, and whose built-in it is held against.
        mode: what the framework's runner is told.
    """

    name: str
    title: str
    target: str
    framework: str
    mode: str

    @property
    def is_fit(self) -> bool:
        """Whether a step of a model's training is timed, and not a call."""
        return self.mode in FIT_MODES


WAYS: Mapping[str, Way] = {
    way.name: way
    for way in (
        Way("torch-eager", "PyTorch, eager", "torch", "torch", "eager"),
        Way("torch-compiled", "PyTorch, torch.compile", "torch", "torch", "compiled"),
        Way("torch-fused", "PyTorch, fused, eager", "torch_fused", "torch", "eager"),
        Way("jax-jit", "JAX, jit", "jax", "jax", "compiled"),
        Way("keras-eager", "Keras on TensorFlow, eager", "keras", "keras", "eager"),
        Way("keras-function", "Keras on TensorFlow, tf.function", "keras", "keras", "function"),
        Way("keras-xla", "Keras on TensorFlow, XLA", "keras", "keras", "compiled"),
        Way("keras-fit", "Keras on TensorFlow, model.fit", "keras", "keras", "fit"),
        Way("keras-fit-xla", "Keras on TensorFlow, model.fit with XLA", "keras", "keras", "compiled fit"),
    )
}
"""Every way, by its name."""

FIT_MODES = ("fit", "compiled fit")
"""The modes in which a step of a model's training is timed: as Keras runs it by default, and with jit_compile=True."""
